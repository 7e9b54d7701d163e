/* VNNI on 256 bits (VEX), quads as in quant/qkernel_avx512.c: unsigned weights w + 128, the row's own sum as the correction.
 * A panel is two vectors. Registers: 6 rows x 1 panel, whose 12 chains cover the 10 that two ports of latency 5 want; the last one
 * to three rows take more panels. The sums of a panel for all rows of a block wait in L1, so that the epilogue is called once for them. */
#include "quant/qlinear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TVEX   __attribute__((target("avx2,fma,avxvnni")))
#define INLINE __attribute__((always_inline)) static inline

enum { ROWS = 6, BLOCK = 48 };

/* 128 times the sum of a row's inputs. */
TVEX INLINE int32_t row_shift(const int8_t *x, int kb)
{
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i s = _mm256_setzero_si256();
    for (int i = 0; i < kb * SNC_QBLOCK; i += 32)
        s = _mm256_dpbusd_avx_epi32(s, ones, _mm256_loadu_si256((const __m256i *)(const void *)(x + i)));
    __m128i h = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(h, _mm_shuffle_epi32(h, 0xb1))) * 128;
}

/* Sums of rows t.., panels p.. to s [rows, lds]. */
TVEX INLINE void sums(int32_t *s, int lds, const snc_qjob *j, const int32_t *shift, int t, int p, const int rows, const int panels)
{
    __m256i acc[ROWS][8];
    const int8_t *x = j->xq + (size_t)t * (size_t)j->ldq, *w = j->wq + (size_t)p * j->panel;
    size_t ldq = (size_t)j->ldq, panel = j->panel;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (int c = 0; c < 2 * panels; c++) acc[r][c] = _mm256_set1_epi32(-shift[r]);
    for (int k = 0; k < j->kb * SNC_QBLOCK; k += 4, w += 64) {
#pragma GCC unroll 4
        for (int c = 0; c < panels; c++) {
            const __m256i *at = (const __m256i *)(const void *)(w + (size_t)c * panel);
            __m256i w0 = _mm256_loadu_si256(at), w1 = _mm256_loadu_si256(at + 1);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                int32_t four;
                memcpy(&four, x + (size_t)r * ldq + k, sizeof four);
                __m256i b = _mm256_set1_epi32(four);
                acc[r][2 * c] = _mm256_dpbusd_avx_epi32(acc[r][2 * c], w0, b);
                acc[r][2 * c + 1] = _mm256_dpbusd_avx_epi32(acc[r][2 * c + 1], w1, b);
            }
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (int c = 0; c < 2 * panels; c++)
            _mm256_storeu_si256((__m256i *)(void *)(s + (size_t)r * (size_t)lds + 8 * (size_t)c), acc[r][c]);
}

/* All rows of a block but the last few: whole tiles, or what is left of them by four or five. */
TVEX static void tiles(const snc_qjob *j, const int32_t *shift, int t, int rows, int p)
{
    int32_t s[BLOCK * SNC_QPANEL];
    int r = 0;
    for (; r + ROWS <= rows; r += ROWS) sums(s + r * SNC_QPANEL, SNC_QPANEL, j, shift + r, t + r, p, ROWS, 1);
    if (rows - r == 5) sums(s + r * SNC_QPANEL, SNC_QPANEL, j, shift + r, t + r, p, 5, 1);
    if (rows - r == 4) sums(s + r * SNC_QPANEL, SNC_QPANEL, j, shift + r, t + r, p, 4, 1);
    snc_qjob__finish(j, s, SNC_QPANEL, t, rows, p, 1);
}

/* Up to three rows by `panels` at once of the next p1 - p, which are at most four. */
TVEX INLINE void few(const snc_qjob *j, const int32_t *shift, int t, int p, int p1, const int rows, const int panels)
{
    int32_t s[3 * 4 * SNC_QPANEL];
    for (; p + panels <= p1; p += panels) {
        sums(s, panels * SNC_QPANEL, j, shift, t, p, rows, panels);
        snc_qjob__finish(j, s, panels * SNC_QPANEL, t, rows, p, panels);
    }
    for (; p < p1; p++) {
        sums(s, SNC_QPANEL, j, shift, t, p, rows, 1);
        snc_qjob__finish(j, s, SNC_QPANEL, t, rows, p, 1);
    }
}

TVEX static void run_avxvnni(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    int32_t shift[BLOCK];
    for (int t = t0; t < t1; t += BLOCK) {
        int rows = t1 - t < BLOCK ? t1 - t : BLOCK, most = rows % ROWS < 4 ? rows - rows % ROWS : rows;
        for (int r = 0; r < rows; r++) shift[r] = row_shift(j->xq + (size_t)(t + r) * (size_t)j->ldq, j->kb);
        for (int p = p0; p < p1; p += 4) { /* whose weights stay in L1 between tiles */
            int end = p + 4 < p1 ? p + 4 : p1;
            for (int i = p; i < end && most; i++) tiles(j, shift, t, most, i);
            if (rows - most == 3) few(j, shift + most, t + most, p, end, 3, 2);
            if (rows - most == 2) few(j, shift + most, t + most, p, end, 2, 2);
            if (rows - most == 1) few(j, shift + most, t + most, p, end, 1, 4);
        }
    }
}

const snc_qkernel snc_qkernel__avxvnni = {
    .isa = SNC_ISA_AVXVNNI, .group = 4, .flip = 0x80, .rows = BLOCK, .blocks_us = 150, .run = run_avxvnni};
#else
typedef int snc_qkernel__avxvnni_absent;
#endif
