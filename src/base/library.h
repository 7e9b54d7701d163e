/* base/library.h: shared libraries that are loaded by name when they are needed, so that what never asks for them needs none of them at
 * run time. */
#ifndef SNC_BASE_LIBRARY_H
#define SNC_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A function of it, and the pointer that is set to it. */
typedef struct snc_symbol {
    const char *name;
    void *slot;
} snc_symbol;

/* The first of names [n_names] that can be loaded; it stays: others of the process may have it, and its own threads may still end.
 * SNC_E_UNSUPPORTED: none, which `missing` says, or one that lacks a function, which `what` names. global: its own plug-ins look for its
 * functions in the process. */
snc_err snc_library_load(const char *const *names, int n_names, const snc_symbol *wanted, size_t n, const char *what, const char *missing,
                         bool global) SNC_MUST_USE;

#endif
