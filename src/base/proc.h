/* base/proc.h: a child process whose standard output is wanted: fresh-process measurements. */
#ifndef SNC_BASE_PROC_H
#define SNC_BASE_PROC_H

#include "base/error.h"

/* Runs argv (NULL-ended, argv[0] a path) to its end and gives what it printed (NUL-terminated, freed with snc_free).
 * SNC_E_IO: cannot start; SNC_E_BACKEND: exit status not 0. Its standard error passes through. */
snc_err snc_proc_run(char **out, const char *const *argv) SNC_MUST_USE;
/* argv[0] of the running program, even where its file was replaced meanwhile. */
#define SNC_PROC_SELF "/proc/self/exe"

#endif
