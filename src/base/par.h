/* base/par.h: the one place that knows about threads.
 *
 * Work is cut into chunks of `grain` items, so the cut does not depend on the thread count; partial results that are
 * joined in chunk order are the same bits at any thread count. Which worker runs a chunk depends on the moment. A body never calls
 * BLAS, oneDNN or snc_par_for.
 */
#ifndef SNC_BASE_PAR_H
#define SNC_BASE_PAR_H

#include "base/cpus.h"
#include "base/ctx.h"

/* Works on items [begin, end); `chunk` = begin / grain; `worker` in [0, threads) names the thread's scratch. */
typedef void (*snc_par_fn)(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker);

void snc_par_for(const snc_ctx *ctx, int64_t n, int64_t grain, snc_par_fn fn, void *payload);
/* Thread t of `threads` begins with the chunks from share(t) to share(t + 1), then helps the others: the first thread, which waits for
 * nobody, is never idle. */
static inline int64_t snc_par_share(int64_t chunks, int t, int threads) { return (chunks * t + threads - 1) / threads; }
/* CPUs that this process may use by its affinity, the CPU quota of its control groups (rounded up) and what is online; 1 in a
 * serial build, whose machine snc_par_cpus tells all the same. */
int snc_par_cores(void);
/* The threads of one of `ranks` processes that share them; at least one. */
static inline int snc_par_share_of(int ranks) { return snc_par_cores() > ranks ? snc_par_cores() / ranks : 1; }
snc_cpus snc_par_cpus(void);

/* Threads that may be used where `threads` are asked for: 1 in a child of fork, once the process watches for it. */
int snc_par_team(int threads);
void snc_par_watch_fork(void);
/* The team size of OpenBLAS (OpenMP build) and oneDNN for calls from this thread. It is the program's own setting, which lend
 * gives back and return restores:  int before = snc_par_lend(snc_par_team(ctx->threads)); call(); snc_par_return(before); */
int snc_par_lend(int team);
void snc_par_return(int before);

#endif
