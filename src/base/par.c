#include "base/par.h"

#ifdef _OPENMP
#include <omp.h>
#endif

void snc_par_set_threads(int threads)
{
#ifdef _OPENMP
    omp_set_dynamic(0);
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

int snc_par_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

int snc_par_cores(void)
{
#ifdef _OPENMP
    return omp_get_num_procs();
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
    int team = chunks < ctx->threads ? (int)chunks : ctx->threads;
    if (team > 1) {
#pragma omp parallel num_threads(team)
        {
            int w = omp_get_thread_num(), teams = omp_get_num_threads();
            for (int64_t c = chunks * w / teams; c < chunks * (w + 1) / teams; c++) run_chunk(fn, payload, n, grain, c, w);
        }
        return;
    }
#else
    (void)ctx;
#endif
    for (int64_t c = 0; c < chunks; c++) run_chunk(fn, payload, n, grain, c, 0);
}
