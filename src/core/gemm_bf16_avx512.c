/* A block of a bf16 product without tiles, by AVX512-BF16: pairs of a row's elements against pairs of rows of B, 8 x 32 sums in 16
 * registers. Operands lie as for the tiles of gemm_bf16.c. Denormals count as zero, as there; the order of a sum's terms differs. */
#include "base/clock.h"
#include "core/gemm_bf16_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define BF16        __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define BF16_INLINE BF16 static inline __attribute__((always_inline))

enum { ROWS = 8, PAIRS = 16 };

BF16_INLINE __m512 pairs_of(const char *p) { return _mm512_loadu_ps((const float *)(const void *)p); }

BF16_INLINE __m512 dot(__m512 sum, int pair, __m512 b) { return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_epi32(pair), (__m512bh)b); }

BF16_INLINE int pair_at(const char *p)
{
    int v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* ROWS x nt vectors. Rows of A `row` bytes apart, tiles of the reduction `step`. */
BF16_INLINE void sums(float *C, size_t ldc, const float *from, size_t from_step, const char *A, size_t row, size_t step, const char *B,
                      size_t b_step, int kb, const int nt)
{
    __m512 acc[ROWS][2];
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++) {
        const char *start = (const char *)from + (size_t)i * from_step;
        acc[i][0] = pairs_of(start);
        acc[i][1] = nt == 2 ? pairs_of(start + 64) : _mm512_setzero_ps();
    }
    for (int k = 0; k < kb; k++, A += step, B += PAIRS * 64)
        for (int q = 0; q < PAIRS; q++) {
            const char *a = A + q * 4, *b = B + q * 64;
            __m512 b0 = pairs_of(b), b1 = nt == 2 ? pairs_of(b + b_step) : b0;
#pragma GCC unroll 8
            for (int i = 0; i < ROWS; i++) {
                int pair = pair_at(a + (size_t)i * row);
                acc[i][0] = dot(acc[i][0], pair, b0);
                if (nt == 2) acc[i][1] = dot(acc[i][1], pair, b1);
            }
        }
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++) {
        _mm512_storeu_ps(C + (size_t)i * ldc, acc[i][0]);
        if (nt == 2) _mm512_storeu_ps(C + (size_t)i * ldc + 16, acc[i][1]);
    }
}

BF16 void snc_gemm__bf16_block(float *C, size_t ldc, const float *from, size_t from_step, const char *A, size_t row, size_t step,
                               const char *B, size_t b_step, int kb, int nt)
{
    for (int m = 0; m < 16; m += ROWS) {
        const float *start = (const float *)(const void *)((const char *)from + (size_t)m * from_step);
        const char *rows = A + (size_t)m * row;
        if (nt == 2) sums(C + (size_t)m * ldc, ldc, start, from_step, rows, row, step, B, b_step, kb, 2);
        else sums(C + (size_t)m * ldc, ldc, start, from_step, rows, row, step, B, b_step, kb, 1);
    }
}

/* ---- whether it pays ------------------------------------------------------------------------------------------------ */

enum { CHAINS = 16, TURNS = 2000, ROUNDS = 7 };

/* Seconds that 32,000 instructions take, none of which waits for the one before it: 12 to 50 us. */
BF16_INLINE double time_of(const bool bf16)
{
    __m512 sum[CHAINS], x = _mm512_set1_ps(0.7f);
    int32_t pair = 0x3f003f80; /* as bf16: 0.5, 1 */
    __asm__ volatile("" : "+v"(x), "+r"(pair));
#pragma GCC unroll 16
    for (int i = 0; i < CHAINS; i++) sum[i] = x;
    double t = snc_now();
    for (int n = 0; n < TURNS; n++)
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS; i++) {
            sum[i] = bf16 ? dot(sum[i], pair, x) : _mm512_fmadd_ps(x, x, sum[i]);
            __asm__ volatile("" : "+v"(sum[i])); /* made at every turn */
        }
    return snc_now() - t;
}

BF16 bool snc_gemm__bf16_pays(void)
{
    double f32 = 1, bf16 = 1;
    for (int i = 0; i < ROUNDS; i++) { /* the best of each: what others take of the core makes it slower alone */
        double a = time_of(false), b = time_of(true);
        f32 = a < f32 ? a : f32;
        bf16 = b < bf16 ? b : bf16;
    }
    return bf16 < 1.5 * f32;
}
#else
bool snc_gemm__bf16_pays(void) { return false; }
#endif
