/* OpenMP with shares: a worker takes one run of neighbouring chunks, the same in each call, so its rows stay in its caches. One that is
 * done helps the others from the ends of their runs: a core that shares its units with a neighbour, or a thread that has not woken yet,
 * delays nobody by more than a chunk. (Work stealing, Blumofe and Leiserson 1999; here nothing is ever added, so a run is two numbers.) */
#include "base/par.h"

#include <assert.h>
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

typedef struct job {
    snc_par_fn fn;
    void *payload;
    int64_t n, grain, chunks;
} job;

static void run_chunk(const job *j, int64_t c, int worker)
{
    int64_t begin = c * j->grain, end = begin + j->grain < j->n ? begin + j->grain : j->n;
    j->fn(j->payload, begin, end, c, worker);
}

#ifdef _OPENMP
/* A worker's run of chunks that nobody has taken: the first in the low half, the end in the high one. On a line of its own. */
typedef struct run_left {
    _Alignas(64) _Atomic uint64_t range;
} run_left;

enum {
    MOST_WORKERS = 128, /* of one call */
    HELPED = 8          /* that one looks at when it is done: a look is a cache line from another core */
};

static uint64_t range_of(int64_t first, int64_t end) { return (uint64_t)end << 32 | (uint64_t)first; }

/* The owner takes the first chunk, others the last. -1: none is left. */
static int64_t take(run_left *r, bool own)
{
    uint64_t range = atomic_load_explicit(&r->range, memory_order_relaxed);
    for (;;) {
        uint32_t first = (uint32_t)range, end = (uint32_t)(range >> 32);
        if (first >= end) return -1;
        uint64_t left = own ? range_of(first + 1, end) : range_of(first, end - 1);
        if (atomic_compare_exchange_weak_explicit(&r->range, &range, left, memory_order_relaxed, memory_order_relaxed))
            return own ? first : end - 1;
    }
}

/* Of a team that came smaller than asked for, each has the runs of some that are not there too. */
static void work(const job *j, run_left *runs, int w, int there, int team)
{
    for (int run = w; run < team; run += there)
        for (int64_t c; (c = take(&runs[run], true)) >= 0;) run_chunk(j, c, w);
    for (int i = 1; i < team && i <= HELPED; i++)
        for (int64_t c; (c = take(&runs[(w + i) % team], false)) >= 0;) run_chunk(j, c, w);
}

/* The whole team, idle ones too: libgomp ends the threads that a smaller team leaves out, and starts them again. */
static void work_together(const job *j, int team)
{
    run_left runs[MOST_WORKERS];
    assert(j->chunks <= UINT32_MAX && team <= MOST_WORKERS);
    for (int w = 0; w < team; w++)
        atomic_init(&runs[w].range, range_of(snc_par_share(j->chunks, w, team), snc_par_share(j->chunks, w + 1, team)));
#pragma omp parallel num_threads(team)
    work(j, runs, omp_get_thread_num(), omp_get_num_threads(), team);
}
#endif

void snc_par_for(const snc_ctx *ctx, int64_t n, int64_t grain, snc_par_fn fn, void *payload)
{
    if (n <= 0) return;
    if (grain < 1) grain = 1;
    const job j = {fn, payload, n, grain, (n + grain - 1) / grain};
#ifdef _OPENMP
    int team = snc_par_team(j.chunks > 1 ? ctx->threads : 1);
    if (team > 1) {
        work_together(&j, team < MOST_WORKERS ? team : MOST_WORKERS);
        return;
    }
#else
    (void)ctx;
#endif
    for (int64_t c = 0; c < j.chunks; c++) run_chunk(&j, c, 0);
}
