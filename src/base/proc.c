/* posix_spawn, which copies no page tables and is safe beside threads; the pipe is polled, so that a cancellation ends the wait. */
#define _POSIX_C_SOURCE 200809L
#include "base/proc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum { TICK_MS = 50 }; /* how late a cancellation is noticed */

static snc_err read_all(char **out, const snc_ctx *ctx, int fd)
{
    char *text = NULL;
    size_t cap = 0, n = 0;
    snc_err err = SNC_OK;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        SNC_GOTO(snc_go_on(ctx));
        if (poll(&p, 1, TICK_MS) <= 0) continue;
        SNC_GOTO(snc_grow(&text, &cap, n + 4097, 1));
        ssize_t k = read(fd, text + n, 4096);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) break;
        n += (size_t)k;
    }
    text[n] = 0;
    *out = text;
    return SNC_OK;
out:
    snc_free(text);
    return err;
}

snc_err snc_proc_run(char **out, const snc_ctx *ctx, const char *const *argv)
{
    extern char **environ;
    int pipes[2], status = 0;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t group;
    char *args[64];
    int n = 0;
    for (; argv[n]; n++) {
        SNC_CHECK(n < 63, SNC_E_ARG, "%s: too many arguments", argv[0]);
        memcpy(&args[n], &argv[n], sizeof args[n]); /* posix_spawn does not write to them */
    }
    args[n] = NULL;
    SNC_CHECK(pipe(pipes) == 0, SNC_E_IO, "pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipes[0]);
    posix_spawn_file_actions_addclose(&actions, pipes[1]);
    posix_spawnattr_init(&group);
    posix_spawnattr_setflags(&group, POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawn(&pid, argv[0], &actions, &group, args, environ);
    posix_spawnattr_destroy(&group);
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    if (rc != 0) {
        close(pipes[0]);
        return snc_err_set(SNC_E_IO, "%s: cannot start: %s", argv[0], strerror(rc));
    }
    snc_err err = read_all(out, ctx, pipes[0]);
    close(pipes[0]);
    if (err) kill(pid, SIGKILL); /* it measures: nothing of it is worth keeping */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (!err && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        snc_free(*out);
        *out = NULL;
        err = snc_err_set(SNC_E_BACKEND, "%s %s: ended with status %d", argv[0], n > 1 ? argv[1] : "",
                          WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return err;
}
