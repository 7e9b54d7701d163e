/* base/lock.h: one process at a time in a folder or at a file: flock(2) on a file that stands for it.
 *
 *     snc_lock *l;
 *     SNC_TRY(snc_lock_take(&l, "job/run.json", "--output job: another run is in it"));   ...   snc_lock_release(l);
 *
 * The kernel lets go when the holder ends, however it ends. The file is made when it is absent; one that is still empty on release is
 * removed, so that a lock that says nothing leaves nothing. Programs that the holder starts do not inherit it.
 */
#ifndef SNC_BASE_LOCK_H
#define SNC_BASE_LOCK_H

#include <stddef.h>

#include "base/ctx.h"

typedef struct snc_lock snc_lock;

/* SNC_E_IO: held by another process, as `busy` says, with its number where the system tells it; or the file cannot be made. */
snc_err snc_lock_take(snc_lock **out, const char *path, const char *busy) SNC_MUST_USE;
/* The same, but waits until the other process is done, after a line that says `busy`. SNC_E_CANCELLED. */
snc_err snc_lock_wait(snc_lock **out, const snc_ctx *ctx, const char *path, const char *busy) SNC_MUST_USE;
/* Replaces the file's content all at once; at no moment is it free. */
snc_err snc_lock_write(snc_lock *l, const void *text, size_t n) SNC_MUST_USE;
void snc_lock_release(snc_lock *l);
/* The file that stands for one which is written: behind a link, the one that the link names. */
snc_err snc_lock_name(char *buf, size_t size, const char *path) SNC_MUST_USE;

#endif
