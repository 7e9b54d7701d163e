/* base/proc.h: a child process whose standard output is wanted: fresh-process measurements. */
#ifndef SNC_BASE_PROC_H
#define SNC_BASE_PROC_H

#include "base/ctx.h"

/* Runs argv (NULL-ended, argv[0] a path) to its end and gives what it printed (NUL-terminated, freed with snc_free).
 * SNC_E_IO: cannot start; SNC_E_BACKEND: exit status not 0; SNC_E_CANCELLED: the child was killed. Its standard error passes
 * through; it is in a process group of its own, so that an interrupt from the keyboard is said once. */
snc_err snc_proc_run(char **out, const snc_ctx *ctx, const char *const *argv) SNC_MUST_USE;
/* argv[0] of the running program, even where its file was replaced meanwhile. */
#define SNC_PROC_SELF "/proc/self/exe"

#endif
