/* The seam: picks a backend, checks sizes, and turns the three products into jobs. */
#include "core/gemm.h"

#include <assert.h>
#include <string.h>

#include "core/gemm_bf16_priv.h"
#include "core/gemm_priv.h"

static const snc_gemm__ops *first(const snc_gemm__ops *a, const snc_gemm__ops *b) { return a ? a : b; }

static const snc_gemm__ops *native(snc_compute compute, snc_isa isa) { return first(snc_gemm__bf16(compute, isa), snc_gemm__fma(isa)); }

static const snc_gemm__ops *choose(snc_backend backend, snc_compute compute, snc_isa isa)
{
    switch (backend) {
    case SNC_BACKEND_REF: return snc_gemm__ref();
    case SNC_BACKEND_BLAS: return snc_gemm__blas(compute);
    case SNC_BACKEND_ONEDNN: return snc_gemm__dnnl(compute);
    case SNC_BACKEND_NATIVE: return native(compute, isa);
    case SNC_BACKEND_AUTO: break;
    }
    const snc_gemm__ops *last = first(native(compute, isa), snc_gemm__ref());
    if (compute == SNC_COMPUTE_BF16) return first(snc_gemm__bf16(compute, isa), first(snc_gemm__dnnl(compute), last));
    return first(snc_gemm__fma(isa), first(snc_gemm__dnnl(compute), first(snc_gemm__blas(compute), last)));
}

snc_backend snc_gemm_backend(const snc_ctx *ctx, snc_compute compute)
{
    const snc_gemm__ops *ops = choose(ctx->backend, compute, snc_isa_now());
    return ops ? ops->backend : SNC_BACKEND_REF;
}

snc_compute snc_gemm_best_compute(void)
{
    static _Atomic int known = -1; /* racing first calls time the same CPU */
    snc_isa isa = snc_isa_now();
    if (snc_isa_covers(isa, SNC_ISA_AMX)) return SNC_COMPUTE_BF16;
    if (!snc_isa_covers(isa, SNC_ISA_BF16)) return SNC_COMPUTE_F32;
    int pays = known;
    if (pays < 0) known = pays = snc_gemm__bf16_pays();
    return pays ? SNC_COMPUTE_BF16 : SNC_COMPUTE_F32;
}

snc_err snc_gemm_create(snc_gemm **out, const snc_ctx *ctx, snc_compute compute, int max_tokens, int max_width)
{
    *out = NULL;
    snc_isa isa;
    SNC_TRY(snc_isa_detect(&isa));
    SNC_CHECK(max_tokens >= 0 && max_width >= 0, SNC_E_ARG, "gemm: %d tokens, width %d: expected sizes >= 0", max_tokens, max_width);
    const snc_gemm__ops *ops = choose(ctx->backend, compute, isa);
    SNC_CHECK(ops, SNC_E_UNSUPPORTED, "backend %s: no %s products in this build on this CPU (%s)", snc_backend_name(ctx->backend),
              compute == SNC_COMPUTE_BF16 ? "bf16" : "f32", snc_isa_name(isa));
    snc_gemm *g;
    SNC_TRY(snc_alloc(&g, 1, sizeof *g));
    *g = (snc_gemm){.ctx = ctx, .ops = ops, .compute = compute, .isa = isa, .max_tokens = max_tokens, .max_width = max_width};
    snc_err err = ops->open(g);
    if (err != SNC_OK) {
        snc_gemm_free(g);
        return err;
    }
    *out = g;
    return SNC_OK;
}

void snc_gemm_free(snc_gemm *g)
{
    if (!g) return;
    if (g->ops->close) g->ops->close(g);
    snc_free(g->a);
    snc_free(g->b);
    snc_free(g->panel);
    snc_free(g->squares);
    snc_free(g);
}

snc_err snc_gemm_weight_create(snc_gemm_weight **out, const snc_gemm *g, const float *W, int ldw, int N, int K)
{
    *out = NULL;
    SNC_CHECK(N >= 1 && K >= 1 && ldw >= K, SNC_E_SHAPE, "gemm weight [%d, %d] with ld %d: expected sizes >= 1, ld >= %d", N, K, ldw, K);
    snc_gemm_weight *w;
    SNC_TRY(snc_alloc(&w, 1, sizeof *w));
    *w = (snc_gemm_weight){.W = W, .ldw = ldw, .N = N, .K = K, .ops = g->ops};
    if (g->ops->weight_bytes) {
        snc_err err = snc_alloc(&w->packed, g->ops->weight_bytes(N, K), 1);
        if (err != SNC_OK) {
            snc_free(w);
            return err;
        }
        snc_gemm_weight_sync(g, w);
    }
    *out = w;
    return SNC_OK;
}

typedef struct sync_run {
    const snc_gemm *g;
    snc_gemm_weight *w;
} sync_run;

static void sync_block(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const sync_run *s = payload;
    (void)chunk;
    (void)worker;
    snc_gemm_weight_sync_rows(s->g, s->w, (int)begin, (int)end);
}

void snc_gemm_weight_sync(const snc_gemm *g, snc_gemm_weight *w)
{
    sync_run s = {g, w};
    if (w->packed) snc_par_for(g->ctx, w->N, SNC_GEMM_SYNC_ROWS, sync_block, &s);
}

void snc_gemm_weight_sync_rows(const snc_gemm *g, snc_gemm_weight *w, int n0, int n1)
{
    assert(n0 >= 0 && n0 % SNC_GEMM_SYNC_ROWS == 0 && n0 < n1 && n1 <= w->N);
    if (w->packed) w->ops->sync_rows(g, w, n0, n1);
}

void snc_gemm_weight_free(snc_gemm_weight *w)
{
    if (!w) return;
    snc_free(w->packed);
    snc_free(w);
}

/* A sum of no terms: C = bias or 0, or C += bias. */
static void fill(const snc_gemm__job *j)
{
    for (int m = 0; m < j->M; m++)
        for (int n = 0; n < j->N; n++) {
            float v = j->bias ? j->bias[n] : 0.0f, *y = j->C + m * j->ldc + n;
            *y = j->accumulate ? *y + v : v;
        }
}

static snc_err run(snc_gemm *g, const snc_gemm__job *j, const char *name, int T, int n, int k)
{
    SNC_CHECK(T >= 0 && T <= g->max_tokens, SNC_E_SHAPE, "gemm %s: %d tokens: expected 0 to %d", name, T, g->max_tokens);
    SNC_CHECK(n >= 0 && k >= 0 && n <= g->max_width && k <= g->max_width, SNC_E_SHAPE, "gemm %s: [%d, %d]: expected widths 0 to %d", name,
              n, k, g->max_width);
    if (j->w) {
        SNC_CHECK(n <= j->w->N && k <= j->w->K, SNC_E_SHAPE, "gemm %s: prefix [%d, %d] of a weight [%d, %d]", name, n, k, j->w->N, j->w->K);
        SNC_CHECK(j->w->ops == g->ops, SNC_E_ARG, "gemm %s: the weight was packed for another backend", name);
    }
    SNC_CHECK(!j->A16 || g->ops->takes_bf16, SNC_E_UNSUPPORTED, "gemm %s: backend %s takes no bf16 rows", name,
              snc_backend_name(g->ops->backend));
    SNC_CHECK(!j->sink || !(j->C || j->accumulate), SNC_E_ARG, "gemm %s: an output beside a sink", name);
    if (j->M == 0 || j->N == 0) return SNC_OK;
    SNC_CHECK(!j->squares || j->K > 0, SNC_E_ARG, "gemm %s: the squares of a product of no tokens", name);
    if (j->K == 0 && !j->sink) {
        fill(j);
        return SNC_OK;
    }
    return g->ops->run(g, j);
}

/* The three products, all but their operands, which are f32 or bf16. */
static snc_gemm__job forward(float *Y, int ldy, int ldx, const snc_gemm_weight *w, const float *b, int T, int n, int k, bool accumulate)
{
    return (snc_gemm__job){.C = Y,
                           .ldc = ldy,
                           .a_row = ldx,
                           .a_col = 1,
                           .B = w->W,
                           .b_row = 1,
                           .b_col = w->ldw,
                           .bias = b,
                           .w = w,
                           .M = T,
                           .N = n,
                           .K = k,
                           .accumulate = accumulate,
                           .product = GEMM_FORWARD};
}

static snc_gemm__job backward_x(float *dX, int lddx, int lddy, const snc_gemm_weight *w, int T, int n, int k, bool accumulate)
{
    return (snc_gemm__job){.C = dX,
                           .ldc = lddx,
                           .a_row = lddy,
                           .a_col = 1,
                           .B = w->W,
                           .b_row = w->ldw,
                           .b_col = 1,
                           .w = w,
                           .M = T,
                           .N = k,
                           .K = n,
                           .accumulate = accumulate,
                           .product = GEMM_BACKWARD_X};
}

static snc_gemm__job backward_w(float *dW, int lddw, int lddy, int ldx, int T, int n, int k, bool accumulate)
{
    return (snc_gemm__job){.C = dW,
                           .ldc = lddw,
                           .a_row = 1,
                           .a_col = lddy,
                           .b_row = ldx,
                           .b_col = 1,
                           .M = n,
                           .N = k,
                           .K = T,
                           .accumulate = accumulate,
                           .product = GEMM_BACKWARD_W};
}

snc_err snc_gemm_forward(float *Y, int ldy, snc_gemm *g, const float *X, int ldx, const snc_gemm_weight *w, const float *b, int T, int n,
                         int k, bool accumulate)
{
    snc_gemm__job j = forward(Y, ldy, ldx, w, b, T, n, k, accumulate);
    j.A = X;
    return run(g, &j, "forward", T, n, k);
}

snc_err snc_gemm_backward_x(float *dX, int lddx, snc_gemm *g, const float *dY, int lddy, const snc_gemm_weight *w, int T, int n, int k,
                            bool accumulate)
{
    snc_gemm__job j = backward_x(dX, lddx, lddy, w, T, n, k, accumulate);
    j.A = dY;
    return run(g, &j, "backward_x", T, n, k);
}

snc_err snc_gemm_backward_w(float *dW, int lddw, snc_gemm *g, const float *dY, int lddy, const float *X, int ldx, int T, int n, int k,
                            bool accumulate)
{
    snc_gemm__job j = backward_w(dW, lddw, lddy, ldx, T, n, k, accumulate);
    j.A = dY;
    j.B = X;
    return run(g, &j, "backward_w", T, n, k);
}

bool snc_gemm_takes_bf16(const snc_gemm *g) { return g->ops->takes_bf16; }

/* Two in bf16, or one in f32. */
size_t snc_gemm_operand_bytes(int max_tokens, int max_width)
{
    return snc_align_up((size_t)max_tokens, 32) * snc_align_up((size_t)max_width, 32) * 4;
}

size_t snc_gemm_weight_bytes(const snc_gemm *g, int N, int K) { return g->ops->weight_bytes ? g->ops->weight_bytes(N, K) : 0; }

snc_err snc_gemm_forward16(float *Y, int ldy, const snc_gemm_sink *sink, snc_gemm *g, const snc_bf16 *X, int ldx, const snc_gemm_weight *w,
                           const float *b, int T, int n, int k, bool accumulate)
{
    snc_gemm__job j = forward(Y, ldy, ldx, w, b, T, n, k, accumulate);
    j.A16 = X;
    j.sink = sink;
    return run(g, &j, "forward", T, n, k);
}

snc_err snc_gemm_backward_x16(float *dX, int lddx, const snc_gemm_sink *sink, snc_gemm *g, const snc_bf16 *dY, int lddy,
                              const snc_gemm_weight *w, int T, int n, int k, bool accumulate)
{
    snc_gemm__job j = backward_x(dX, lddx, lddy, w, T, n, k, accumulate);
    j.A16 = dY;
    j.sink = sink;
    return run(g, &j, "backward_x", T, n, k);
}

snc_err snc_gemm_backward_w16(float *dW, int lddw, double *squares, snc_gemm *g, const snc_bf16 *dY, int lddy, const snc_bf16 *X, int ldx,
                              int T, int n, int k, bool accumulate)
{
    snc_gemm__job j = backward_w(dW, lddw, lddy, ldx, T, n, k, accumulate);
    if (squares) *squares = 0;
    j.A16 = dY;
    j.B16 = X;
    j.squares = squares;
    return run(g, &j, "backward_w", T, n, k);
}
