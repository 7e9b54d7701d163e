/* The INT8 layer's jobs and grid with other kernels: pairs as tdpbf16ps wants them, which other units widen by shift and mask. */
#include "quant/bf16linear.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "quant/qlinear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { BLOCK_K = 32, BLOCK = SNC_QPANEL * BLOCK_K };

struct snc_bf16linear {
    int N, K, panels, blocks;
    const snc_qkernel *kernel;
    snc_epilogue_fn finish;
    snc_bf16 *w;
    float *b;
    bool pooled; /* w lies in the pool of the context */
};

static const snc_qkernel *choose_kernel(const snc_ctx *ctx)
{
    if (ctx->backend == SNC_BACKEND_REF) return &snc_bf16kernel__ref;
#if defined(__x86_64__)
    snc_isa isa = snc_isa_now();
    if (snc_isa_covers(isa, SNC_ISA_AMX)) return &snc_bf16kernel__amx;
    if (snc_isa_covers(isa, SNC_ISA_AVX512)) return &snc_bf16kernel__avx512;
    if (snc_isa_covers(isa, SNC_ISA_AVX2)) return &snc_bf16kernel__avx2;
#elif defined(__aarch64__)
    if (snc_isa_covers(snc_isa_now(), SNC_ISA_NEON)) return &snc_bf16kernel__neon;
#endif
    return &snc_bf16kernel__ref;
}

static inline snc_bf16 *place(const snc_bf16linear *l, int n, int k)
{
    size_t block = (size_t)(n / SNC_QPANEL) * (size_t)l->blocks + (size_t)(k / BLOCK_K);
    return l->w + block * BLOCK + (size_t)((k % BLOCK_K / 2 * SNC_QPANEL + n % SNC_QPANEL) * 2 + k % 2);
}

static snc_err create(snc_bf16linear **out, const snc_ctx *ctx, const float *b, int N, int K)
{
    snc_err err = SNC_OK;
    snc_bf16linear *l = NULL;
    *out = NULL;
    SNC_CHECK(N >= 1 && K >= 1, SNC_E_SHAPE, "bf16 linear [%d, %d]: expected sizes of 1 and more", N, K);
    SNC_GOTO(snc_alloc(&l, 1, sizeof *l));
    l->N = N;
    l->K = K;
    l->panels = (N + SNC_QPANEL - 1) / SNC_QPANEL;
    l->blocks = (K + BLOCK_K - 1) / BLOCK_K;
    l->kernel = choose_kernel(ctx);
    l->finish = snc_epilogue__get(l->kernel->isa);
    l->pooled = ctx->pool;
    size_t size = (size_t)l->panels * (size_t)l->blocks * BLOCK * sizeof *l->w;
    SNC_GOTO(snc_pool_alloc(&l->w, ctx->pool, size));
    SNC_GOTO(snc_alloc(&l->b, (size_t)l->panels * SNC_QPANEL, sizeof *l->b));
    if (b) memcpy(l->b, b, (size_t)N * sizeof *b);
out:
    if (err != SNC_OK) {
        snc_bf16linear_free(l);
        l = NULL;
    }
    *out = l;
    return err;
}

snc_err snc_bf16linear_create(snc_bf16linear **out, const snc_ctx *ctx, const float *W, int ldw, const float *b, int N, int K)
{
    SNC_TRY(create(out, ctx, b, N, K));
    for (int n = 0; n < N; n++)
        for (int k = 0; k < K; k++) *place(*out, n, k) = snc_bf16_from_f32(W[(size_t)n * (size_t)ldw + (size_t)k]);
    return SNC_OK;
}

snc_err snc_bf16linear_create_packed(snc_bf16linear **out, const snc_ctx *ctx, const snc_bf16 *w, const float *b, int N, int K)
{
    SNC_TRY(create(out, ctx, b, N, K));
    for (int n = 0; n < N; n++)
        for (int k = 0; k < K; k++) *place(*out, n, k) = w[(size_t)n * (size_t)K + (size_t)k];
    return SNC_OK;
}

void snc_bf16linear_free(snc_bf16linear *l)
{
    if (!l) return;
    if (!l->pooled) snc_free(l->w);
    snc_free(l->b);
    snc_free(l);
}

void snc_bf16linear_unpack(snc_bf16 *w, const snc_bf16linear *l, int n, int k)
{
    assert(n >= 1 && n <= l->N && k >= 1 && k <= l->K);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < k; c++) w[(size_t)i * (size_t)k + (size_t)c] = *place(l, i, c);
}

/* ---- running: rows to bf16 (AMX) or to f32 with bf16's values (the others), zeros up to whole blocks --------------------- */

/* Bytes from one bf16 row of k inputs to the next. */
static int stride_of(int k) { return snc_quantized_stride(k * (int)sizeof(snc_bf16)); }

static bool wants_bf16(const snc_bf16linear *l) { return snc_isa_covers(l->kernel->isa, SNC_ISA_AMX); }

size_t snc_bf16linear_workspace_size(const snc_bf16linear *l, int T)
{
    size_t row = wants_bf16(l) ? (size_t)stride_of(l->K) : (size_t)l->blocks * BLOCK_K * sizeof(float);
    return snc_align_up((size_t)T * row, SNC_ALIGN);
}

typedef struct rows_job {
    void *to;
    const float *x;
    size_t ldx, wide;
    int k;
} rows_job;

static void round_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const rows_job *r = payload;
    (void)chunk;
    (void)worker;
    for (int64_t t = begin; t < end; t++) {
        float *to = (float *)r->to + (size_t)t * r->wide;
        const float *x = r->x + (size_t)t * r->ldx;
        for (int k = 0; k < r->k; k++) to[k] = snc_bf16_to_f32(snc_bf16_from_f32(x[k]));
        memset(to + r->k, 0, (r->wide - (size_t)r->k) * sizeof *to);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) static void convert_rows(void *payload, int64_t begin, int64_t end,
                                                                                         int64_t chunk, int worker)
{
    const rows_job *r = payload;
    (void)chunk;
    (void)worker;
    for (int64_t t = begin; t < end; t++) {
        snc_bf16 *to = (snc_bf16 *)r->to + (size_t)t * r->wide;
        const float *x = r->x + (size_t)t * r->ldx;
        for (int k = 0; k < (int)r->wide; k += 16) {
            int left = r->k - k;
            __mmask16 m = left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
            __m256bh h = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, x + (m ? k : 0)));
            memcpy(to + k, &h, sizeof h);
        }
    }
}
#endif

snc_err snc_bf16linear_run(float *y, int ldy, const snc_bf16linear *l, const snc_ctx *ctx, const float *x, int ldx, int T, int n, int k,
                           snc_epilogue epi, void *workspace)
{
    assert(n >= 1 && n <= l->N && k >= 1 && k <= l->K && k <= ldx);
    if (T == 0) return SNC_OK;
    int blocks = (k + BLOCK_K - 1) / BLOCK_K;
    rows_job rows = {.to = workspace, .x = x, .ldx = (size_t)ldx, .wide = (size_t)blocks * BLOCK_K, .k = k};
    snc_qjob job = {.y = y, .ldy = ldy, .wq = (const int8_t *)l->w, .b = l->b, .n = n, .kb = blocks, .epi = epi};
    job.finish = l->finish;
    job.panel = (size_t)l->blocks * BLOCK * sizeof *l->w;
#if defined(__x86_64__)
    if (wants_bf16(l)) {
        job.xq = workspace;
        job.ldq = stride_of(k);
        rows.wide = (size_t)job.ldq / sizeof(snc_bf16);
        snc_par_for(ctx, T, 64, convert_rows, &rows);
    } else
#endif
    {
        snc_par_for(ctx, T, 64, round_rows, &rows);
        job.xf = workspace;
    }
    snc_qgrid__run(ctx, l->kernel, &job, 1, T);
    return SNC_OK;
}
