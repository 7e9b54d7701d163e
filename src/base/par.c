/* OpenMP with static shares: a worker takes one run of neighbouring chunks, the same in each call, so its rows stay in its caches. */
#include "base/par.h"

#include <pthread.h>
#include <stdatomic.h>

#ifdef _OPENMP
#include <omp.h>
#else /* OpenBLAS and oneDNN may bring OpenMP into a serial build: NULL where they do not */
extern __attribute__((weak)) int omp_get_max_threads(void);
extern __attribute__((weak)) void omp_set_num_threads(int threads);
#endif

/* A child of fork has one thread, and an OpenMP library that waits forever for those it remembers. */
static atomic_bool forked;
static void in_child(void) { atomic_store(&forked, true); }
static void watch(void) { (void)pthread_atfork(NULL, NULL, in_child); }

void snc_par_watch_fork(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch);
}

int snc_par_team(int threads) { return atomic_load_explicit(&forked, memory_order_relaxed) ? 1 : threads; }

int snc_par_lend(int team)
{
#ifndef _OPENMP
    if (!omp_get_max_threads || !omp_set_num_threads) return team;
#endif
    int before = omp_get_max_threads();
    if (team != before) omp_set_num_threads(team);
    return before;
}

void snc_par_return(int before) { (void)snc_par_lend(before); }

/* OpenMP remembers the mask that the process began with; where it binds threads, that of this thread is one CPU. */
snc_cpus snc_par_cpus(void)
{
#ifdef _OPENMP
    return snc_cpus_count("", omp_get_num_procs());
#else
    return snc_cpus_count("", 0);
#endif
}

int snc_par_cores(void)
{
#ifdef _OPENMP
    return snc_par_cpus().usable;
#else
    return 1;
#endif
}

static void run_chunk(snc_par_fn fn, void *payload, int64_t n, int64_t grain, int64_t c, int worker)
{
    int64_t begin = c * grain, end = begin + grain < n ? begin + grain : n;
    fn(payload, begin, end, c, worker);
}

void snc_par_for(const snc_ctx *ctx, int64_t n, int64_t grain, snc_par_fn fn, void *payload)
{
    if (n <= 0) return;
    if (grain < 1) grain = 1;
    int64_t chunks = (n + grain - 1) / grain;
#ifdef _OPENMP
    int team = snc_par_team(chunks > 1 ? ctx->threads : 1);
    if (team > 1) { /* the whole team, idle ones too: libgomp ends the threads that a smaller team leaves out, and starts them again */
#pragma omp parallel num_threads(team)
        {
            int w = omp_get_thread_num(), teams = omp_get_num_threads();
            int64_t begin = snc_par_share(chunks, w, teams), end = snc_par_share(chunks, w + 1, teams);
            for (int64_t c = begin; c < end; c++) run_chunk(fn, payload, n, grain, c, w);
        }
        return;
    }
#else
    (void)ctx;
#endif
    for (int64_t c = 0; c < chunks; c++) run_chunk(fn, payload, n, grain, c, 0);
}
