/* POSIX has functions as data pointers; what stands in between is a copy of bytes. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

snc_err snc_library_load(const char *const *names, int n_names, const snc_symbol *wanted, size_t n, const char *what, const char *missing,
                         bool global)
{
    void *handle = NULL;
    for (int i = 0; i < n_names && !handle; i++) handle = dlopen(names[i], RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL));
    SNC_CHECK(handle, SNC_E_UNSUPPORTED, "%s", missing);
    for (size_t i = 0; i < n; i++) {
        void *at = dlsym(handle, wanted[i].name);
        SNC_CHECK(at, SNC_E_UNSUPPORTED, "%s: has no %s", what, wanted[i].name);
        memcpy(wanted[i].slot, &at, sizeof at);
    }
    return SNC_OK;
}
