/* dladdr on a byte of our own names the file that this code lies in; a program is asked of /proc/self/exe, as argv[0] may be anything. */
#define _GNU_SOURCE /* dladdr */
#include "base/place.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/names.h"

enum { ABOVE = 3 }; /* DIR is lib/x86_64-linux-gnu at the deepest, or the build folder */

/* Of a program dladdr knows only what it was called as; the system knows better. */
static bool is_program(const Dl_info *own)
{
    Dl_info program;
    const unsigned long at = getauxval(AT_PHDR);
    const void *headers;
    memcpy(&headers, &at, sizeof headers);
    return dladdr(headers, &program) && program.dli_fbase == own->dli_fbase;
}

static bool own_file(char *path, size_t size)
{
    static const char here = 0;
    Dl_info own;
    if (!dladdr(&here, &own)) return false;
    if (is_program(&own)) {
        ssize_t n = readlink("/proc/self/exe", path, size - 1);
        if (n > 0) path[n] = 0;
        return n > 0;
    }
    char *real = realpath(own.dli_fname, NULL);
    int n = real ? snprintf(path, size, "%s", real) : -1;
    free(real);
    return n > 0 && (size_t)n < size;
}

bool snc_place_find(char *path, size_t size, const char *name)
{
    char folder[4096];
    if (!own_file(folder, sizeof folder)) return false;
    for (int up = 0; up < ABOVE; up++) {
        char *slash = strrchr(folder, '/');
        if (!slash) return false;
        *slash = 0;
        int n = snprintf(path, size, "%s/%s", folder, name);
        if (n > 0 && (size_t)n < size && access(path, F_OK) == 0) return true;
    }
    return false;
}

/* ---- configs -------------------------------------------------------------------------------------------------------- */

/* Looks for WHATs/NAME.json in each folder of a list parted by ':'. */
static bool find_in(char *path, const char *folders, const char *what, const char *name)
{
    while (folders && *folders) {
        size_t n = strcspn(folders, ":");
        int len = snprintf(path, SNC_CONFIG_PATH, "%.*s/%ss/%s.json", (int)n, folders, what, name);
        if (n > 0 && len > 0 && len < SNC_CONFIG_PATH && snc_is_file(path)) return true;
        folders += n + (folders[n] == ':');
    }
    return false;
}

/* The name in these folders that is the fewest letters away, where it is nearer than `least`. */
static void look_nearest(char best[64], int *least, const char *folders, const char *what, const char *asked)
{
    for (size_t n; folders && *folders; folders += n + (folders[n] == ':')) {
        char path[SNC_CONFIG_PATH];
        n = strcspn(folders, ":");
        snprintf(path, sizeof path, "%.*s/%ss", (int)n, folders, what);
        DIR *dir = opendir(path);
        for (const struct dirent *d; dir && (d = readdir(dir));) {
            const char *end = strstr(d->d_name, ".json");
            char name[64];
            if (!end || end[5] || end - d->d_name >= (ptrdiff_t)sizeof name) continue;
            snprintf(name, sizeof name, "%.*s", (int)(end - d->d_name), d->d_name);
            const int away = snc_names_distance(name, asked);
            if (away > *least || (away == *least && *best && strcmp(name, best) >= 0)) continue; /* whatever the order of the folder */
            *least = away;
            memcpy(best, name, sizeof name);
        }
        if (dir) closedir(dir);
    }
}

snc_err snc_config_find(char path[SNC_CONFIG_PATH], const char *what, const char *value)
{
    const char *user = getenv("SNC_CONFIG_DIR");
    char shipped[SNC_CONFIG_PATH];
    size_t n = strlen(value);
    SNC_CHECK(n > 0, SNC_E_ARG, "%s: expected a name or a JSON file", what);
    if (strchr(value, '/') || (n >= 5 && strcmp(value + n - 5, ".json") == 0)) {
        SNC_CHECK(n < SNC_CONFIG_PATH, SNC_E_ARG, "path too long: %.80s...", value);
        memcpy(path, value, n + 1);
        return SNC_OK;
    }
    char near[64] = "";
    int least = snc_names_far(value);
    bool beside = snc_place_find(shipped, sizeof shipped, SNC_CONFIGS);
    if (find_in(path, user, what, value) || (beside && find_in(path, shipped, what, value)) || find_in(path, "configs", what, value))
        return SNC_OK;
    look_nearest(near, &least, user, what, value);
    if (beside) look_nearest(near, &least, shipped, what, value);
    look_nearest(near, &least, "configs", what, value);
    return snc_err_set(SNC_E_NOTFOUND, "%s '%s': %s%s%sno %ss/%s.json in %s%s%s%sconfigs; SNC_CONFIG_DIR may name the folder", what, value,
                       *near ? "nearest is '" : "", near, *near ? "'; " : "", what, value, user ? user : "", user ? ", " : "",
                       beside ? shipped : "", beside ? ", " : "");
}
