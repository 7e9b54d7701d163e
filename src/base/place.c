#define _GNU_SOURCE /* dladdr */
#include "base/place.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { ABOVE = 3 }; /* DIR is lib/x86_64-linux-gnu at the deepest, or the build folder */

/* Of a program dladdr knows only what it was called as; the system knows better. */
static bool is_program(const Dl_info *own)
{
    Dl_info program;
    return dladdr((void *)(uintptr_t)getauxval(AT_PHDR), &program) && program.dli_fbase == own->dli_fbase;
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
