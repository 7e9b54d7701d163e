/* dladdr on a byte of our own names the file that this code lies in; a program is asked of /proc/self/exe, as argv[0] may be anything. */
#define _GNU_SOURCE /* dladdr */
#include "base/place.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/fmap.h"

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
    bool beside = snc_place_find(shipped, sizeof shipped, SNC_CONFIGS);
    if (find_in(path, user, what, value) || (beside && find_in(path, shipped, what, value)) || find_in(path, "configs", what, value))
        return SNC_OK;
    return snc_err_set(SNC_E_NOTFOUND, "%s '%s': no %ss/%s.json in %s%s%s%sconfigs; SNC_CONFIG_DIR may name the folder", what, value, what,
                       value, user ? user : "", user ? ", " : "", beside ? shipped : "", beside ? ", " : "");
}
