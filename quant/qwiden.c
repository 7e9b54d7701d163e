/* Rows of int8 once as int16 for all kernels that multiply pairs: widened at each use they would be so again for every panel. */
#include "base/par.h"
#include "quant/qlinear_priv.h"

typedef struct widen_job {
    int16_t *xw;
    const int8_t *xq;
    size_t ldq, k;
} widen_job;

static void widen_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const widen_job *w = payload;
    (void)chunk;
    (void)worker;
    for (int64_t t = begin; t < end; t++) {
        int16_t *to = w->xw + (size_t)t * w->k;
        const int8_t *from = w->xq + (size_t)t * w->ldq;
        for (size_t i = 0; i < w->k; i++) to[i] = (int16_t)from[i];
    }
}

size_t snc_qwiden__size(const snc_qkernel *kernel, int T, int blocks)
{
    return kernel->widen ? snc_align_up((size_t)T * (size_t)blocks * SNC_QBLOCK * sizeof(int16_t), SNC_ALIGN) : 0;
}

void snc_qwiden__rows(snc_qjob *job, const snc_qkernel *kernel, const snc_ctx *ctx, int T, void *workspace)
{
    if (!kernel->widen) return;
    widen_job w = {.xw = workspace, .xq = job->xq, .ldq = (size_t)job->ldq, .k = (size_t)job->kb * SNC_QBLOCK};
    snc_par_for(ctx, T, 64, widen_rows, &w);
    job->xw = w.xw;
}
