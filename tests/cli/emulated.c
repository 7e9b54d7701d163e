/* Preloaded into a program that an emulator runs: where the program starts itself again by /proc/self/exe, which is the emulator there,
 * the script that started it (SNC_EMULATED) is started in its place. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>

typedef int spawn_fn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
                     char *const argv[], char *const envp[]);

__attribute__((constructor)) static void keep_to_ourselves(void) { unsetenv("LD_PRELOAD"); } /* the emulator could not load it */

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr, char *const argv[],
                char *const envp[])
{
    spawn_fn *next;
    void *found = dlsym(RTLD_NEXT, "posix_spawn");
    memcpy(&next, &found, sizeof next);
    const char *script = getenv("SNC_EMULATED");
    return next(pid, script && strcmp(path, "/proc/self/exe") == 0 ? script : path, actions, attr, argv, envp);
}
