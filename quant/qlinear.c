#include "quant/qlinear_priv.h"

#include <string.h>

#include "base/mem.h"
#include "base/par.h"

/* Larger K could overflow an int32 sum of products of 127 x 127. */
enum { K_MAX = 131072 };

struct snc_qlinear {
    int N, K, panels, blocks;
    const snc_qkernel *kernel;
    snc_epilogue_fn finish;
    int8_t *wq;
    float *sw, *b; /* padded to whole panels with zeros */
    snc_qdnnl *dnnl;
};

static const snc_qkernel *choose_kernel(const snc_ctx *ctx)
{
    if (ctx->backend == SNC_BACKEND_REF) return &snc_qkernel__ref;
#if defined(__x86_64__)
    switch (snc_isa_now()) {
    case SNC_ISA_AMX: return &snc_qkernel__amx;
    case SNC_ISA_VNNI: return &snc_qkernel__vnni;
    case SNC_ISA_AVX512: return &snc_qkernel__avx512;
    case SNC_ISA_AVX2: return &snc_qkernel__avx2;
    case SNC_ISA_SCALAR: break;
    }
#endif
    return &snc_qkernel__ref;
}

/* Where input k of output i (both inside their block) lies in the 1024 bytes of a block. */
static inline size_t place(int group, int i, int k) { return (size_t)((k / group * SNC_QPANEL + i) * group + k % group); }

static inline int8_t *block_of(const snc_qlinear *l, int n, int k)
{
    return l->wq + ((size_t)(n / SNC_QPANEL) * (size_t)l->blocks + (size_t)(k / SNC_QBLOCK)) * SNC_QTILE;
}

static void pack(snc_qlinear *l, const int8_t *q)
{
    int group = l->kernel->group;
    memset(l->wq, l->kernel->flip, (size_t)l->panels * (size_t)l->blocks * SNC_QTILE);
    for (int n = 0; n < l->N; n++)
        for (int k = 0; k < l->K; k++) {
            uint8_t v = (uint8_t)q[(size_t)n * (size_t)l->K + (size_t)k] ^ l->kernel->flip;
            memcpy(block_of(l, n, k) + place(group, n % SNC_QPANEL, k % SNC_QBLOCK), &v, 1);
        }
}

snc_err snc_qlinear_create_packed(snc_qlinear **out, const snc_ctx *ctx, const int8_t *q, const float *sw, const float *b, int N,
                                  int K)
{
    snc_err err = SNC_OK;
    snc_qlinear *l = NULL;
    *out = NULL;
    SNC_CHECK(N >= 1 && K >= 1 && K <= K_MAX, SNC_E_SHAPE, "int8 linear [%d, %d]: expected N >= 1 and K in 1..%d", N, K, K_MAX);
    SNC_GOTO(snc_alloc(&l, 1, sizeof *l));
    l->N = N;
    l->K = K;
    l->panels = (N + SNC_QPANEL - 1) / SNC_QPANEL;
    l->blocks = (K + SNC_QBLOCK - 1) / SNC_QBLOCK;
    l->kernel = choose_kernel(ctx);
    l->finish = snc_epilogue__get(l->kernel->isa);
    SNC_GOTO(snc_alloc(&l->sw, (size_t)l->panels * SNC_QPANEL, sizeof *l->sw));
    SNC_GOTO(snc_alloc(&l->b, (size_t)l->panels * SNC_QPANEL, sizeof *l->b));
    memcpy(l->sw, sw, (size_t)N * sizeof *sw);
    if (b) memcpy(l->b, b, (size_t)N * sizeof *b);
#ifdef SNC_WITH_ONEDNN
    if (ctx->backend == SNC_BACKEND_ONEDNN && snc_qdnnl__usable()) {
        SNC_GOTO(snc_qdnnl__create(&l->dnnl, q, N, K));
        goto out;
    }
#endif
    SNC_GOTO(snc_alloc(&l->wq, (size_t)l->panels * (size_t)l->blocks, SNC_QTILE));
    pack(l, q);
out:
    if (err != SNC_OK) {
        snc_qlinear_free(l);
        l = NULL;
    }
    *out = l;
    return err;
}

snc_err snc_qlinear_create(snc_qlinear **out, const snc_ctx *ctx, const float *W, int ldw, const float *b, int N, int K)
{
    snc_err err = SNC_OK;
    int8_t *q = NULL;
    float *sw = NULL;
    *out = NULL;
    SNC_CHECK(N >= 1 && K >= 1, SNC_E_SHAPE, "int8 linear [%d, %d]: expected N >= 1 and K in 1..%d", N, K, K_MAX);
    SNC_GOTO(snc_alloc(&q, (size_t)N * (size_t)K, 1));
    SNC_GOTO(snc_alloc(&sw, (size_t)N, sizeof *sw));
    snc_quantize_weight(q, sw, W, ldw, N, K);
    SNC_GOTO(snc_qlinear_create_packed(out, ctx, q, sw, b, N, K));
out:
    snc_free(q);
    snc_free(sw);
    return err;
}

void snc_qlinear_free(snc_qlinear *l)
{
    if (!l) return;
#ifdef SNC_WITH_ONEDNN
    snc_qdnnl__free(l->dnnl);
#endif
    snc_free(l->wq);
    snc_free(l->sw);
    snc_free(l->b);
    snc_free(l);
}

void snc_qlinear_unpack(int8_t *q, float *sw, const snc_qlinear *l, int n, int k)
{
    memcpy(sw, l->sw, (size_t)n * sizeof *sw);
#ifdef SNC_WITH_ONEDNN
    if (l->dnnl) {
        const int8_t *w = snc_qdnnl__weights(l->dnnl);
        for (int i = 0; i < n; i++) memcpy(q + (size_t)i * (size_t)k, w + (size_t)i * (size_t)l->K, (size_t)k);
        return;
    }
#endif
    for (int i = 0; i < n; i++)
        for (int c = 0; c < k; c++) {
            uint8_t v;
            memcpy(&v, block_of(l, i, c) + place(l->kernel->group, i % SNC_QPANEL, c % SNC_QBLOCK), 1);
            v ^= l->kernel->flip;
            memcpy(q + (size_t)i * (size_t)k + (size_t)c, &v, 1);
        }
}

size_t snc_qlinear_workspace_size(const snc_qlinear *l, int T)
{
#ifdef SNC_WITH_ONEDNN
    if (l->dnnl) return snc_qdnnl__workspace_size(l->dnnl, T);
#endif
    return l->kernel->widen ? snc_align_up((size_t)T * (size_t)l->blocks * SNC_QBLOCK * sizeof(int16_t), SNC_ALIGN) : 0;
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

/* A grid of row blocks by groups of panels; a product is one cell of y, so the cut never changes a result. */
typedef struct grid {
    const snc_qjob *job;
    void (*run)(const snc_qjob *j, int t0, int t1, int p0, int p1);
    int T, panels, rows, group, groups;
} grid;

static void run_cells(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const grid *g = payload;
    (void)chunk;
    (void)worker;
    for (int64_t c = begin; c < end; c++) {
        int t0 = (int)(c / g->groups) * g->rows, p0 = (int)(c % g->groups) * g->group;
        int t1 = t0 + g->rows < g->T ? t0 + g->rows : g->T, p1 = p0 + g->group < g->panels ? p0 + g->group : g->panels;
        g->run(g->job, t0, t1, p0, p1);
    }
}

static int round_up(int a, int b) { return (a + b - 1) / b * b; }

/* Few rows are shared between threads by outputs, many by rows; what takes microseconds is not shared at all. */
static void run_grid(const snc_ctx *ctx, const snc_qkernel *kernel, const snc_qjob *job, int T)
{
    grid g = {.job = job, .run = kernel->run, .T = T, .panels = (job->n + SNC_QPANEL - 1) / SNC_QPANEL, .rows = kernel->rows};
    double us = (double)round_up(T, 16) * job->n * job->kb * SNC_QBLOCK / kernel->macs_us;
    int threads = us < 4.0 ? 1 : ctx->threads, blocks = (T + g.rows - 1) / g.rows;
    g.group = g.panels;
    if (threads > 1 && blocks < 4 * threads) g.group = round_up((g.panels + threads - 1) / threads, 4);
    g.groups = (g.panels + g.group - 1) / g.group;
    int64_t cells = (int64_t)blocks * g.groups;
    snc_par_for(ctx, cells, threads > 1 ? 1 : cells, run_cells, &g);
}

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
        for (size_t i = 0; i < w->k; i++) to[i] = from[i];
    }
}

#ifdef SNC_WITH_ONEDNN
typedef struct rows_job {
    float *y;
    const int32_t *s;
    const float *sx;
    const snc_qlinear *l;
    int ldy, n;
    snc_epilogue epi;
} rows_job;

static void finish_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const rows_job *r = payload;
    (void)chunk;
    (void)worker;
    r->l->finish(r->y + (size_t)begin * (size_t)r->ldy, r->ldy, r->s + (size_t)begin * (size_t)r->n, r->n, r->sx + begin,
                 r->l->sw, r->l->b, (int)(end - begin), r->n, r->epi);
}
#endif

snc_err snc_qlinear_run(float *y, int ldy, const snc_qlinear *l, const snc_ctx *ctx, const int8_t *xq, int ldq, const float *sx,
                        int T, int n, int k, snc_epilogue epi, void *workspace)
{
    if (T == 0) return SNC_OK;
#ifdef SNC_WITH_ONEDNN
    if (l->dnnl) {
        const int32_t *s;
        SNC_TRY(snc_qdnnl__run(&s, l->dnnl, xq, ldq, T, n, k, workspace));
        rows_job r = {.y = y, .s = s, .sx = sx, .l = l, .ldy = ldy, .n = n, .epi = epi};
        snc_par_for(ctx, T, 32, finish_rows, &r);
        return SNC_OK;
    }
#endif
    snc_qjob job = {.y = y, .wq = l->wq, .sw = l->sw, .b = l->b, .xq = xq, .sx = sx, .ldy = ldy, .ldq = ldq, .n = n};
    job.kb = (k + SNC_QBLOCK - 1) / SNC_QBLOCK;
    job.panel = (size_t)l->blocks * SNC_QTILE;
    job.epi = epi;
    job.finish = l->finish;
    if (l->kernel->widen) {
        widen_job w = {.xw = workspace, .xq = xq, .ldq = (size_t)ldq, .k = (size_t)job.kb * SNC_QBLOCK};
        snc_par_for(ctx, T, 64, widen_rows, &w);
        job.xw = w.xw;
    }
    run_grid(ctx, l->kernel, &job, T);
    return SNC_OK;
}
