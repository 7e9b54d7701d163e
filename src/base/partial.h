/* base/partial.h: a file that comes in pieces over several runs of the program: it grows at its end, and what is there stays.
 *
 *     snc_partial *p;  double had;
 *     SNC_TRY(snc_partial_open(&p, &had, "x.incomplete"));  snc_partial_write(p, data, n) ...  SNC_TRY(snc_partial_close(p));
 *     SNC_TRY(snc_file_move("x", "x.incomplete"));
 */
#ifndef SNC_BASE_PARTIAL_H
#define SNC_BASE_PARTIAL_H

#include <stddef.h>

#include "base/error.h"

typedef struct snc_partial snc_partial;

/* *had: bytes that are there already. SNC_E_IO: a link, or no regular file. */
snc_err snc_partial_open(snc_partial **out, double *had, const char *path) SNC_MUST_USE;
snc_err snc_partial_write(snc_partial *p, const void *data, size_t n) SNC_MUST_USE;
snc_err snc_partial_empty(snc_partial *p) SNC_MUST_USE; /* from the start again */
/* What was written is on the disk. Frees the handle, whatever comes of it; NULL is fine. */
snc_err snc_partial_close(snc_partial *p) SNC_MUST_USE;

/* Without a name, in TMPDIR or /tmp: it is gone with this process and the children that it has started, however they end. path: how these
 * open it, and this process. What was written can be read at once. */
enum { SNC_NAMELESS = 32 };
snc_err snc_partial_nameless(snc_partial **out, char path[SNC_NAMELESS]) SNC_MUST_USE;

/* `path` becomes a symbolic link to `to`, in the place of a file or link that is there. */
snc_err snc_link_make(const char *path, const char *to) SNC_MUST_USE;

#endif
