/* Native f32 products for CPUs without AMX (and f32 on those with it): AVX2 or AVX-512 FMA.
 *
 * A is packed once per call into strips of ROWS rows [K][ROWS], B into panels of COLS columns [K][COLS], one panel per
 * chunk, in L2; the micro-kernel holds ROWS x COLS sums in registers. Each sum runs over the whole K upwards with fused
 * multiply-adds, so the bits depend on neither the thread count nor the place in the matrix. SNC_COMPUTE_BF16 rounds the
 * operands while packing; bf16 products are exact in f32, so only the sums round.
 */
#include "core/gemm_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

/* AVX2: 6 x 16 (12 sums of 8 lanes); AVX-512: 12 x 32 (24 sums of 16 lanes). */
enum { MAX_ROWS = 12, MAX_COLS = 32 };

typedef void (*fma_kernel)(float *acc, const float *A, const float *B, int K);

typedef struct fma_run {
    const snc_gemm *g;
    const snc_gemm__job *j;
    fma_kernel kernel;
    int rows, cols;
} fma_run;

__attribute__((target("avx2,fma"))) static void kernel_avx2(float *acc, const float *A, const float *B, int K)
{
    enum { R = 6 };
    __m256 s[R][2];
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) s[r][0] = s[r][1] = _mm256_setzero_ps();
    for (int k = 0; k < K; k++, A += R, B += 16) {
        __m256 b0 = _mm256_load_ps(B), b1 = _mm256_load_ps(B + 8);
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) {
            __m256 a = _mm256_broadcast_ss(A + r);
            s[r][0] = _mm256_fmadd_ps(a, b0, s[r][0]);
            s[r][1] = _mm256_fmadd_ps(a, b1, s[r][1]);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
        _mm256_store_ps(acc + r * 16, s[r][0]);
        _mm256_store_ps(acc + r * 16 + 8, s[r][1]);
    }
}

__attribute__((target("avx512f"))) static void kernel_avx512(float *acc, const float *A, const float *B, int K)
{
    enum { R = 12 };
    __m512 s[R][2];
#pragma GCC unroll 12
    for (int r = 0; r < R; r++) s[r][0] = s[r][1] = _mm512_setzero_ps();
    for (int k = 0; k < K; k++, A += R, B += 32) {
        __m512 b0 = _mm512_load_ps(B), b1 = _mm512_load_ps(B + 16);
#pragma GCC unroll 12
        for (int r = 0; r < R; r++) {
            __m512 a = _mm512_set1_ps(A[r]);
            s[r][0] = _mm512_fmadd_ps(a, b0, s[r][0]);
            s[r][1] = _mm512_fmadd_ps(a, b1, s[r][1]);
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < R; r++) {
        _mm512_store_ps(acc + r * 32, s[r][0]);
        _mm512_store_ps(acc + r * 32 + 16, s[r][1]);
    }
}

/* P [K][width] = items i0.. of a matrix with element [i, k] at src[i * step + k * kstep]; missing ones zero. */
static void pack(float *P, const float *src, int64_t step, int64_t kstep, int K, int i0, int n, int width, bool bf16)
{
    int have = snc_gemm__min(width, n - i0);
    src += i0 * step;
    if (step == 1)
        for (int k = 0; k < K; k++)
            for (int i = 0; i < have; i++) P[k * width + i] = src[k * kstep + i];
    else
        for (int i = 0; i < have; i++)
            for (int k = 0; k < K; k++) P[k * width + i] = src[i * step + k * kstep];
    if (have < width)
        for (int k = 0; k < K; k++)
            for (int i = have; i < width; i++) P[k * width + i] = 0.0f;
    if (bf16)
        for (int64_t i = 0; i < (int64_t)K * width; i++) P[i] = snc_gemm__round(P[i], true);
}

static void pack_strip(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const fma_run *r = payload;
    const snc_gemm__job *j = r->j;
    (void)end;
    (void)chunk;
    (void)worker;
    float *P = (float *)r->g->a + (size_t)begin * (size_t)r->rows * (size_t)j->K;
    pack(P, j->A, j->a_row, j->a_col, j->K, (int)begin * r->rows, j->M, r->rows, r->g->compute == SNC_COMPUTE_BF16);
}

static void store(const fma_run *r, const float *acc, int m0, int n0)
{
    const snc_gemm__job *j = r->j;
    int cols = snc_gemm__min(r->cols, j->N - n0), rows = snc_gemm__min(r->rows, j->M - m0);
    for (int m = 0; m < rows; m++, acc += r->cols) {
        float *y = j->C + (m0 + m) * j->ldc + n0;
        const float *b = j->bias ? j->bias + n0 : NULL;
        for (int c = 0; c < cols; c++) {
            float v = b ? acc[c] + b[c] : acc[c];
            y[c] = j->accumulate ? y[c] + v : v;
        }
    }
}

static void columns(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const fma_run *r = payload;
    const snc_gemm__job *j = r->j;
    _Alignas(64) float acc[MAX_ROWS * MAX_COLS];
    (void)end;
    (void)chunk;
    float *B = r->g->panel + (size_t)worker * r->g->panel_size;
    int n0 = (int)begin * r->cols;
    pack(B, j->B, j->b_col, j->b_row, j->K, n0, j->N, r->cols, r->g->compute == SNC_COMPUTE_BF16);
    for (int m0 = 0; m0 < j->M; m0 += r->rows) {
        r->kernel(acc, (const float *)r->g->a + (size_t)m0 * (size_t)j->K, B, j->K);
        store(r, acc, m0, n0);
    }
}

static snc_err fma_open(snc_gemm *g)
{
    size_t tokens = (size_t)g->max_tokens + MAX_ROWS, width = (size_t)g->max_width + MAX_ROWS;
    SNC_TRY(snc_alloc(&g->a, tokens * width, sizeof(float)));
    g->panel_size = (size_t)snc_gemm__max(g->max_tokens, g->max_width) * MAX_COLS;
    return snc_alloc(&g->panel, (size_t)g->ctx->threads * g->panel_size, sizeof(float));
}

static snc_err fma_run_job(snc_gemm *g, const snc_gemm__job *j)
{
    bool wide = snc_isa_covers(g->isa, SNC_ISA_AVX512);
    fma_run r = {g, j, wide ? kernel_avx512 : kernel_avx2, wide ? 12 : 6, wide ? 32 : 16};
    snc_par_for(g->ctx, (j->M + r.rows - 1) / r.rows, 1, pack_strip, &r);
    snc_par_for(g->ctx, (j->N + r.cols - 1) / r.cols, 1, columns, &r);
    return SNC_OK;
}

const snc_gemm__ops *snc_gemm__fma(snc_isa isa)
{
    static const snc_gemm__ops ops = {.backend = SNC_BACKEND_NATIVE, .open = fma_open, .run = fma_run_job};
    return snc_isa_covers(isa, SNC_ISA_AVX2) ? &ops : NULL;
}
#else
const snc_gemm__ops *snc_gemm__fma(snc_isa isa)
{
    (void)isa;
    return NULL;
}
#endif
