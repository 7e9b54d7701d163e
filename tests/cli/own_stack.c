/* Preloaded: a program that handles a signal on the stack of its work, where kernels of vendor libraries keep data below the stack
 * pointer, is told so and ends with 99. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int sigaction(int sig, const struct sigaction *restrict new, struct sigaction *restrict old)
{
    int (*real)(int, const struct sigaction *, struct sigaction *);
    void *found = dlsym(RTLD_NEXT, "sigaction");
    static const char line[] = "a handler on the stack of the work\n";
    stack_t own;
    memcpy(&real, &found, sizeof real);
    bool handles = new &&new->sa_handler != SIG_IGN &&new->sa_handler != SIG_DFL;
    if (handles && (!(new->sa_flags &SA_ONSTACK) || sigaltstack(NULL, &own) != 0 || (own.ss_flags & SS_DISABLE))) {
        if (write(STDERR_FILENO, line, sizeof line - 1) < 0) _exit(98);
        _exit(99);
    }
    return real(sig, new, old);
}
