/* base/par.h: the one place that knows about threads.
 *
 * Work is cut into chunks of `grain` items, so the cut does not depend on the thread count; partial results that are
 * joined in chunk order are the same bits at any thread count. A body never calls BLAS, oneDNN or snc_par_for.
 */
#ifndef SNC_BASE_PAR_H
#define SNC_BASE_PAR_H

#include "base/ctx.h"

/* Works on items [begin, end); `chunk` = begin / grain; `worker` in [0, threads) names the thread's scratch. */
typedef void (*snc_par_fn)(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker);

void snc_par_for(const snc_ctx *ctx, int64_t n, int64_t grain, snc_par_fn fn, void *payload);
int  snc_par_cores(void); /* that this process may use; 1 in a serial build */
void snc_par_set_threads(int threads); /* also the team size of OpenBLAS (OpenMP build) and oneDNN */
int  snc_par_threads(void);            /* as set, or all cores */

#endif
