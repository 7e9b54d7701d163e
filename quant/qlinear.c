/* Packed once in the order of the kernel chosen; outputs that end in int8 wait in L2 until the maximum of their row is known. */
#include "quant/qlinear_priv.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/par.h"
#include "quant/quantize_priv.h"

/* Larger K could overflow an int32 sum of products of 127 x 127. */
enum { K_MAX = 131072 };

const snc_qkernel *snc_qkernel__choose(const snc_ctx *ctx)
{
    static const snc_qkernel *const kernels[] = { /* best first */
#if defined(__x86_64__)
                                                  &snc_qkernel__amx,
                                                  &snc_qkernel__vnni,
                                                  &snc_qkernel__avx512,
                                                  &snc_qkernel__avxvnni,
                                                  &snc_qkernel__avx2,
#elif defined(__aarch64__)
                                                  &snc_qkernel__i8mm,
                                                  &snc_qkernel__dotprod,
                                                  &snc_qkernel__neon,
#endif
                                                  &snc_qkernel__ref
    };
    snc_isa isa = ctx->backend == SNC_BACKEND_REF ? SNC_ISA_SCALAR : snc_isa_now();
    int i = 0;
    while (!snc_isa_covers(isa, kernels[i]->isa)) i++;
    return kernels[i];
}

/* Where input k of output i (both inside their block) lies in the 1024 bytes of a block. */
static inline int place(int group, int i, int k) { return (k / group * SNC_QPANEL + i) * group + k % group; }

static inline int8_t *block_of(const snc_qlinear *l, int n, int k)
{
    return l->wq + ((size_t)(n / SNC_QPANEL) * (size_t)l->blocks + (size_t)(k / SNC_QBLOCK)) * SNC_QTILE;
}

static void pack(snc_qlinear *l, const int8_t *q)
{
    uint8_t flip = l->kernel->flip, row[SNC_QBLOCK];
    memset(l->wq, flip, (size_t)l->panels * (size_t)l->blocks * SNC_QTILE);
    for (int n = 0; n < l->N; n++)
        for (int k = 0; k < l->K; k += SNC_QBLOCK) {
            const int8_t *from = q + (size_t)n * (size_t)l->K + (size_t)k;
            int here = l->K - k < SNC_QBLOCK ? l->K - k : SNC_QBLOCK;
            memset(row, flip, sizeof row);
            for (int i = 0; i < here; i++) row[i] = (uint8_t)from[i] ^ flip;
            snc_qblock__put((uint8_t *)block_of(l, n, k), row, n % SNC_QPANEL, l->kernel->group);
        }
}

snc_err snc_qlinear_create_packed(snc_qlinear **out, const snc_ctx *ctx, const int8_t *q, const float *sw, const float *b, int N, int K)
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
    l->kernel = snc_qkernel__choose(ctx);
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
    l->pooled = ctx->pool;
    SNC_GOTO(snc_pool_alloc(&l->wq, ctx->pool, (size_t)l->panels * (size_t)l->blocks * SNC_QTILE));
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
    if (!l->pooled) snc_free(l->wq);
    snc_free(l->sw);
    snc_free(l->b);
    snc_free(l);
}

void snc_qlinear_unpack(int8_t *q, float *sw, const snc_qlinear *l, int n, int k)
{
    assert(n >= 1 && n <= l->N && k >= 1 && k <= l->K);
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

static size_t expanded(const snc_qlinear *l) { return l->wide ? (size_t)SNC_Q4WIDE * (size_t)l->blocks * SNC_QTILE : 0; }

size_t snc_qlinear_workspace_size(const snc_qlinear *l, const snc_ctx *ctx, int T)
{
#ifdef SNC_WITH_ONEDNN
    if (l->dnnl) return snc_qdnnl__workspace_size(l->dnnl, T);
#endif
    return snc_qwiden__size(l->kernel, T, l->blocks) + (size_t)ctx->threads * expanded(l);
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

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
    r->l->finish(r->y + (size_t)begin * (size_t)r->ldy, r->ldy, r->s + (size_t)begin * (size_t)r->n, r->n, r->sx + begin, r->l->sw, r->l->b,
                 (int)(end - begin), r->n, r->epi, NULL);
}
#endif

/* All of a job but its outputs. */
static snc_qjob make_job(const snc_qlinear *l, const int8_t *xq, int ldq, const float *sx, int T, int n, int k, snc_epilogue epi,
                         void *workspace)
{
    assert(n >= 1 && n <= l->N && k >= 1 && k <= l->K && ldq >= (k + SNC_QBLOCK - 1) / SNC_QBLOCK * SNC_QBLOCK);
    snc_qjob job = {.wq = l->wq, .sw = l->sw, .b = l->b, .xq = xq, .sx = sx, .ldq = ldq, .n = n, .epi = epi};
    job.kb = (k + SNC_QBLOCK - 1) / SNC_QBLOCK;
    job.panel = (size_t)l->blocks * (l->wide ? SNC_Q4TILE : SNC_QTILE);
    job.finish = l->finish;
    job.wide = l->wide;
    job.expand = l->expand;
    job.room = expanded(l);
    if (job.room) job.expanded = (int8_t *)workspace + snc_qwiden__size(l->kernel, T, l->blocks);
    return job;
}

snc_err snc_qlinear_run(float *y, int ldy, const snc_qlinear *l, const snc_ctx *ctx, const int8_t *xq, int ldq, const float *sx, int T,
                        int n, int k, snc_epilogue epi, void *workspace)
{
    if (T == 0) return SNC_OK;
#ifdef SNC_WITH_ONEDNN
    if (l->dnnl) {
        const int32_t *s;
        SNC_TRY(snc_qdnnl__run(&s, l->dnnl, ctx, xq, ldq, T, n, k, workspace));
        rows_job r = {.y = y, .s = s, .sx = sx, .l = l, .ldy = ldy, .n = n, .epi = epi};
        snc_par_for(ctx, T, 32, finish_rows, &r);
        return SNC_OK;
    }
#endif
    snc_qjob job = make_job(l, xq, ldq, sx, T, n, k, epi, workspace);
    job.y = y;
    job.ldy = ldy;
    snc_qwiden__rows(&job, l->kernel, ctx, T, workspace);
    snc_qgrid__run(ctx, l->kernel, &job, 1, T);
    return SNC_OK;
}

snc_err snc_qlinear_run_bf16(snc_bf16 *y, int ldy, const snc_qlinear *const *l, int count, const snc_ctx *ctx, const int8_t *xq, int ldq,
                             const float *sx, int T, int n, int k, void *workspace)
{
    snc_qjob jobs[SNC_QLINEAR_BESIDE];
    SNC_CHECK(count >= 1 && count <= SNC_QLINEAR_BESIDE, SNC_E_ARG, "%d int8 linears beside each other, expected 1 to %d", count,
              SNC_QLINEAR_BESIDE);
    if (T == 0) return SNC_OK;
    for (int i = 0; i < count; i++) {
        SNC_CHECK(!l[i]->dnnl, SNC_E_UNSUPPORTED, "int8 linear: oneDNN gives f32 alone");
        jobs[i] = make_job(l[i], xq, ldq, sx, T, n, k, SNC_EPI_NONE, workspace);
        jobs[i].half = y + (size_t)i * (size_t)n;
        jobs[i].finish_half = snc_epilogue__bf16_get(l[i]->kernel->isa);
        jobs[i].ldy = ldy;
    }
    snc_qwiden__rows(&jobs[0], l[0]->kernel, ctx, T, workspace); /* inputs are the same for all */
    for (int i = 1; i < count; i++) jobs[i].xw = jobs[0].xw;
    snc_qgrid__run(ctx, l[0]->kernel, jobs, count, T);
    return SNC_OK;
}

/* ---- running into the next layer's input --------------------------------------------------------------------------- */

/* Rows whose outputs wait in L2 until their maxima are known. A matrix that does not fit there beside them comes from L3 once a
 * block of rows, so it gets more of them. */
enum { HOT = 64, HOT_WIDE = 256, WIDE_BYTES = 1 << 20, ALONE = 64 /* rows that are a thread's worth */ };

typedef struct q8_job {
    const snc_qjob *job;
    void (*run)(const snc_qjob *j, int t0, int t1, int p0, int p1);
    float *rows;   /* [worker][hot][ld], or as f16 in the same room */
    uint32_t *top; /* [worker][hot][SNC_TOP_SLOTS] */
    int8_t *yq;
    float *sy;
    size_t ld, hot;
    int ldyq;
} q8_job;

static void q8_block(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const q8_job *q = payload;
    snc_qjob j = *q->job;
    snc_qjob__on(&j, worker);
    int t = (int)begin, rows = (int)(end - begin), panels = (j.n + SNC_QPANEL - 1) / SNC_QPANEL;
    (void)chunk;
    j.y = q->rows + (size_t)worker * q->hot * q->ld;
    j.ldy = (int)q->ld;
    j.xq += (size_t)begin * (size_t)j.ldq;
    j.sx += begin;
    if (j.xw) j.xw += (size_t)begin * (size_t)j.kb * SNC_QBLOCK;
    if (!j.finish_f16) {
        q->run(&j, 0, rows, 0, panels);
        snc_quantize__through_f16(q->yq + (size_t)t * (size_t)q->ldyq, q->sy + t, j.y, j.ldy, rows, j.n, q->ldyq);
        return;
    }
    j.f16 = (uint16_t *)(void *)j.y;
    j.top = q->top + (size_t)worker * q->hot * SNC_TOP_SLOTS;
    memset(j.top, 0, (size_t)rows * SNC_TOP_SLOTS * sizeof *j.top);
    q->run(&j, 0, rows, 0, panels);
    snc_quantize__f16(q->yq + (size_t)t * (size_t)q->ldyq, q->sy + t, j.f16, j.ldy, j.top, rows, j.n, q->ldyq);
}

static void q8_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const q8_job *q = payload;
    (void)chunk;
    (void)worker;
    snc_quantize__through_f16(q->yq + (size_t)begin * (size_t)q->ldyq, q->sy + begin, q->rows + (size_t)begin * q->ld, (int)q->ld,
                              (int)(end - begin), q->job->n, q->ldyq);
}

/* Rows of a thread's block, which may be all of them: then threads share outputs instead, unless there is one. */
static size_t hot_rows(const snc_qlinear *l, int T)
{
    size_t hot = (size_t)l->panels * (size_t)l->blocks * SNC_QTILE > WIDE_BYTES ? HOT_WIDE : HOT;
    return (size_t)T < hot ? (size_t)T : hot;
}

size_t snc_qlinear_q8_workspace_size(const snc_qlinear *l, const snc_ctx *ctx, int T)
{
    size_t rows = hot_rows(l, T) * (size_t)ctx->threads;
    return snc_qlinear_workspace_size(l, ctx, T) + snc_align_up(rows * (size_t)l->panels * SNC_QPANEL * sizeof(float), SNC_ALIGN) +
           rows * SNC_TOP_SLOTS * sizeof(uint32_t);
}

snc_err snc_qlinear_run_q8(int8_t *yq, int ldyq, float *sy, const snc_qlinear *l, const snc_ctx *ctx, const int8_t *xq, int ldq,
                           const float *sx, int T, int n, int k, snc_epilogue epi, void *workspace)
{
    assert(n <= ldyq);
    SNC_CHECK(epi != SNC_EPI_ADD, SNC_E_ARG, "int8 linear: a sum onto y cannot end in int8");
    snc_qjob job = make_job(l, xq, ldq, sx, T, n, k, epi, workspace);
    char *base = workspace;
    q8_job q = {.job = &job, .run = l->kernel->run, .yq = yq, .sy = sy, .ldyq = ldyq, .hot = hot_rows(l, T)};
    q.ld = (size_t)(n + SNC_QPANEL - 1) / SNC_QPANEL * SNC_QPANEL;
    q.rows = (float *)(void *)(base + snc_qlinear_workspace_size(l, ctx, T));
    q.top = (uint32_t *)(void *)((char *)q.rows +
                                 snc_align_up(q.hot * (size_t)ctx->threads * (size_t)l->panels * SNC_QPANEL * sizeof(float), SNC_ALIGN));
    if (!l->dnnl && (ctx->threads == 1 || T >= ALONE * ctx->threads)) {
        int share = (T + ctx->threads - 1) / ctx->threads, rows = (int)q.hot < share ? (int)q.hot : share;
        job.finish_f16 = snc_epilogue__f16_get(l->kernel->isa);
        snc_qwiden__rows(&job, l->kernel, ctx, T, workspace);
        snc_par_for(ctx, T, (rows + 31) / 32 * 32 < (int)q.hot ? (rows + 31) / 32 * 32 : (int)q.hot, q8_block, &q);
        return SNC_OK;
    }
    int hot = (int)q.hot * ctx->threads;
    for (int t = 0; t < T; t += hot) {
        int rows = T - t < hot ? T - t : hot;
        SNC_TRY(snc_qlinear_run(q.rows, (int)q.ld, l, ctx, xq + (size_t)t * (size_t)ldq, ldq, sx + t, rows, n, k, epi, workspace));
        q.yq = yq + (size_t)t * (size_t)ldyq;
        q.sy = sy + t;
        snc_par_for(ctx, rows, rows < 8 ? 8 : 4, q8_rows, &q);
    }
    return SNC_OK;
}

/* ---- how fast the kernel itself is --------------------------------------------------------------------------------- */

static void leave(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                  snc_epilogue epi, uint32_t *top)
{
    (void)y, (void)ldy, (void)s, (void)lds, (void)sx, (void)sw, (void)b, (void)rows, (void)cols, (void)epi, (void)top;
}

snc_err snc_qlinear_peak(double *tops, const snc_ctx *ctx)
{
    enum { ROWS = 32, N = 32, K = 384, CALLS = 200, TIMES = 10 };
    snc_err err = SNC_OK;
    snc_qlinear *l = NULL;
    int8_t *q = NULL, *xq = NULL;
    float one[N] = {0};
    void *workspace = NULL;
    double best = 0;
    *tops = 0;
    SNC_GOTO(snc_alloc(&q, N * K, 1));
    SNC_GOTO(snc_alloc(&xq, ROWS * K, 1));
    for (int i = 0; i < ROWS * K; i++) q[i] = (int8_t)(i * 37 % 255 - 127), xq[i] = (int8_t)(i * 101 % 255 - 127);
    SNC_GOTO(snc_qlinear_create_packed(&l, ctx, q, one, NULL, N, K));
    if (l->dnnl) goto out;
    SNC_GOTO(snc_alloc(&workspace, snc_qlinear_workspace_size(l, ctx, ROWS), 1));
    snc_qjob job = make_job(l, xq, K, one, ROWS, N, K, SNC_EPI_NONE, workspace);
    job.finish = leave;
    snc_qwiden__rows(&job, l->kernel, ctx, ROWS, workspace);
    for (int i = 0; i < TIMES; i++) {
        double t = snc_now();
        for (int c = 0; c < CALLS; c++) l->kernel->run(&job, 0, ROWS, 0, N / SNC_QPANEL);
        double speed = 2.0 * ROWS * N * K * CALLS / (snc_now() - t) * 1e-12;
        best = speed > best ? speed : best;
    }
    *tops = best;
out:
    snc_free(q);
    snc_free(xq);
    snc_free(workspace);
    snc_qlinear_free(l);
    return err;
}
