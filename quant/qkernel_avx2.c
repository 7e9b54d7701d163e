/* Pairs: a 32-byte step of a block is [16 n][2 k] int8. Sign-extended to int16, vpmaddwd gives x0 w0 + x1 w1 of an output in
 * each int32 lane; |sum| <= 2 * 127 * 127, so nothing saturates. Registers: 6 rows x 16 outputs: 26 instructions on three ports for 192
 * multiply-adds. vpmaddubsw is no way round: unsigned by signed bytes saturate in 16 bits, and what avoids that exactly (|x| by w with
 * x's sign; a factor split in two) takes as many instructions, more of them on the two ports that multiply. */
#include "quant/qlinear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

enum { ROWS = 6 };

__attribute__((target("avx2,fma"), always_inline)) static inline void rows_avx2(const snc_qjob *j, int t, int p, const int rows)
{
    __m256i acc[ROWS][2];
    const int8_t *w = j->wq + (size_t)p * j->panel;
    size_t ldx = (size_t)j->kb * SNC_QBLOCK;
    const int16_t *x = j->xw + (size_t)t * ldx;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = _mm256_setzero_si256();
    for (int k = 0; k < j->kb * SNC_QBLOCK; k += 2, w += 32) {
        __m256i w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)w));
        __m256i w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(w + 16)));
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            int32_t pair;
            memcpy(&pair, x + (size_t)r * ldx + k, sizeof pair);
            __m256i b = _mm256_set1_epi32(pair);
            acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(b, w0));
            acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(b, w1));
        }
    }
    int32_t s[ROWS * SNC_QPANEL];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        memcpy(s + r * SNC_QPANEL, &acc[r][0], 32);
        memcpy(s + r * SNC_QPANEL + 8, &acc[r][1], 32);
    }
    snc_qjob__finish(j, s, SNC_QPANEL, t, rows, p, 1);
}

__attribute__((target("avx2,fma"))) static void run_avx2(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    for (int p = p0; p < p1; p++) {
        int t = t0;
        for (; t + ROWS <= t1; t += ROWS) rows_avx2(j, t, p, ROWS);
        switch (t1 - t) {
        case 5: rows_avx2(j, t, p, 5); break;
        case 4: rows_avx2(j, t, p, 4); break;
        case 3: rows_avx2(j, t, p, 3); break;
        case 2: rows_avx2(j, t, p, 2); break;
        case 1: rows_avx2(j, t, p, 1); break;
        default: break;
        }
    }
}

const snc_qkernel snc_qkernel__avx2 = {.isa = SNC_ISA_AVX2, .group = 2, .widen = true, .rows = 48, .blocks_us = 40, .run = run_avx2};
#else
typedef int snc_qkernel__avx2_absent;
#endif
