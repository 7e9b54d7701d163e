/* BF16 weights on units without bf16 products: a 64-byte step of a block is [16 n][2 k]; the even k are the low halves of
 * 16 words and the odd k the high halves, so a shift and a mask widen them to f32. One chain of fused multiply-adds an
 * output, k ascending: the three widths give the same bits. */
#include <math.h>
#include <string.h>

#include "core/dtype.h"
#include "quant/qlinear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { STEPS = 16, WIDE = 32 }; /* steps of two inputs in a block; its inputs */

static void run_ref(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    size_t ldx = (size_t)j->kb * WIDE;
    for (int t = t0; t < t1; t++)
        for (int p = p0; p < p1; p++) {
            float s[SNC_QPANEL] = {0};
            const float *x = j->xf + (size_t)t * ldx;
            for (int k = 0; k < j->kb * STEPS; k++) {
                snc_bf16 w[2 * SNC_QPANEL];
                memcpy(w, j->wq + (size_t)p * j->panel + (size_t)k * sizeof w, sizeof w);
                for (int i = 0; i < SNC_QPANEL; i++) {
                    s[i] = fmaf(x[2 * k], snc_bf16_to_f32(w[2 * i]), s[i]);
                    s[i] = fmaf(x[2 * k + 1], snc_bf16_to_f32(w[2 * i + 1]), s[i]);
                }
            }
            snc_qjob__finish(j, s, SNC_QPANEL, t, 1, p, 1);
        }
}

const snc_qkernel snc_bf16kernel__ref = {.isa = SNC_ISA_SCALAR, .group = 2, .rows = 64, .blocks_us = 1, .run = run_ref};

#if defined(__x86_64__)
#define INLINE __attribute__((always_inline)) static inline

__attribute__((target("avx2,fma"))) INLINE void rows_avx2(const snc_qjob *j, int t, int p, const int rows)
{
    __m256 acc[4][2];
    const int8_t *w = j->wq + (size_t)p * j->panel;
    size_t ldx = (size_t)j->kb * WIDE;
    const float *x = j->xf + (size_t)t * ldx;
    const __m256i high = _mm256_set1_epi32((int)0xffff0000u);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = _mm256_setzero_ps();
    for (int k = 0; k < j->kb * WIDE; k += 2, w += 64) {
        __m256i w0 = _mm256_loadu_si256((const __m256i *)(const void *)w);
        __m256i w1 = _mm256_loadu_si256((const __m256i *)(const void *)(w + 32));
        __m256 e0 = _mm256_castsi256_ps(_mm256_slli_epi32(w0, 16)), o0 = _mm256_castsi256_ps(_mm256_and_si256(w0, high));
        __m256 e1 = _mm256_castsi256_ps(_mm256_slli_epi32(w1, 16)), o1 = _mm256_castsi256_ps(_mm256_and_si256(w1, high));
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            __m256 xe = _mm256_set1_ps(x[(size_t)r * ldx + (size_t)k]), xo = _mm256_set1_ps(x[(size_t)r * ldx + (size_t)k + 1]);
            acc[r][0] = _mm256_fmadd_ps(xo, o0, _mm256_fmadd_ps(xe, e0, acc[r][0]));
            acc[r][1] = _mm256_fmadd_ps(xo, o1, _mm256_fmadd_ps(xe, e1, acc[r][1]));
        }
    }
    float s[4 * SNC_QPANEL];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        _mm256_storeu_ps(s + r * SNC_QPANEL, acc[r][0]);
        _mm256_storeu_ps(s + r * SNC_QPANEL + 8, acc[r][1]);
    }
    snc_qjob__finish(j, s, SNC_QPANEL, t, rows, p, 1);
}

__attribute__((target("avx2,fma"))) static void run_avx2(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    for (int p = p0; p < p1; p++) {
        int t = t0;
        for (; t + 4 <= t1; t += 4) rows_avx2(j, t, p, 4);
        if (t1 - t >= 2) rows_avx2(j, t, p, 2), t += 2;
        if (t1 - t >= 1) rows_avx2(j, t, p, 1);
    }
}

#define T512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

T512 INLINE void rows_avx512(const snc_qjob *j, int t, int p, const int rows, const int panels)
{
    enum { LDS = 2 * SNC_QPANEL };
    __m512 acc[8][2];
    const int8_t *w = j->wq + (size_t)p * j->panel;
    size_t ldx = (size_t)j->kb * WIDE;
    const float *x = j->xf + (size_t)t * ldx;
    const __m512i high = _mm512_set1_epi32((int)0xffff0000u);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = _mm512_setzero_ps();
    for (int k = 0; k < j->kb * WIDE; k += 2, w += 64) {
        __m512 even[2], odd[2];
#pragma GCC unroll 2
        for (int c = 0; c < panels; c++) {
            __m512i v = _mm512_loadu_si512(w + (size_t)c * j->panel);
            even[c] = _mm512_castsi512_ps(_mm512_slli_epi32(v, 16));
            odd[c] = _mm512_castsi512_ps(_mm512_and_si512(v, high));
        }
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            __m512 xe = _mm512_set1_ps(x[(size_t)r * ldx + (size_t)k]), xo = _mm512_set1_ps(x[(size_t)r * ldx + (size_t)k + 1]);
#pragma GCC unroll 2
            for (int c = 0; c < panels; c++) acc[r][c] = _mm512_fmadd_ps(xo, odd[c], _mm512_fmadd_ps(xe, even[c], acc[r][c]));
        }
    }
    float s[8 * LDS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int c = 0; c < panels; c++) _mm512_storeu_ps(s + r * LDS + c * SNC_QPANEL, acc[r][c]);
    snc_qjob__finish(j, s, LDS, t, rows, p, panels);
}

T512 static void run_avx512(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    for (int p = p0; p < p1; p += 2) {
        int t = t0;
        if (p + 2 <= p1) {
            for (; t + 8 <= t1; t += 8) rows_avx512(j, t, p, 8, 2);
            if (t1 - t >= 4) rows_avx512(j, t, p, 4, 2), t += 4;
            if (t1 - t >= 2) rows_avx512(j, t, p, 2, 2), t += 2;
            if (t1 - t >= 1) rows_avx512(j, t, p, 1, 2);
        } else {
            for (; t + 4 <= t1; t += 4) rows_avx512(j, t, p, 4, 1);
            for (; t < t1; t++) rows_avx512(j, t, p, 1, 1);
        }
    }
}

const snc_qkernel snc_bf16kernel__avx2 = {.isa = SNC_ISA_AVX2, .group = 2, .rows = 32, .blocks_us = 30, .run = run_avx2};
const snc_qkernel snc_bf16kernel__avx512 = {.isa = SNC_ISA_AVX512, .group = 2, .rows = 32, .blocks_us = 60, .run = run_avx512};
#endif
