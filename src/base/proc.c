#define _POSIX_C_SOURCE 200809L
#include "base/proc.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static snc_err read_all(char **out, int fd)
{
    char *text = NULL;
    size_t cap = 0, n = 0;
    for (;;) {
        snc_err err = snc_grow(&text, &cap, n + 4097, 1);
        if (err) {
            snc_free(text);
            return err;
        }
        ssize_t k = read(fd, text + n, 4096);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) break;
        n += (size_t)k;
    }
    text[n] = 0;
    *out = text;
    return SNC_OK;
}

snc_err snc_proc_run(char **out, const char *const *argv)
{
    extern char **environ;
    int pipes[2], status = 0;
    pid_t pid;
    posix_spawn_file_actions_t actions;
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
    int rc = posix_spawn(&pid, argv[0], &actions, NULL, args, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    if (rc != 0) {
        close(pipes[0]);
        return snc_err_set(SNC_E_IO, "%s: cannot start: %s", argv[0], strerror(rc));
    }
    snc_err err = read_all(out, pipes[0]);
    close(pipes[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (!err && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        snc_free(*out);
        *out = NULL;
        err = snc_err_set(SNC_E_BACKEND, "%s %s: ended with status %d", argv[0], n > 1 ? argv[1] : "",
                          WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return err;
}
