/* Two kernels on 512-bit vectors.
 *
 * AVX-512 without VNNI, pairs: a 32-byte step [16 n][2 k] widens to one vector of int16; vpmaddwd and an add, as in AVX2.
 * Registers: 8 rows x 1 panel, two chains a row.
 *
 * VNNI, quads: vpdpbusd multiplies unsigned by signed bytes and adds four products to each int32 lane without saturation.
 * The unsigned operand is the weight, stored as w + 128, so that x can be broadcast from memory as it is:
 *     sum x (w + 128) = sum x w + 128 sum x
 * The correction is a row's own sum, which is exact for every prefix of k (padding is zero) and needs nothing stored.
 * Registers: 12 rows x 2 panels, or 6 x 4 for few rows. */
#include "quant/qlinear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define T512   __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define TVNNI  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define INLINE __attribute__((always_inline)) static inline

enum { ROWS = 12, LDS = 4 * SNC_QPANEL };

static inline __attribute__((always_inline)) int32_t load4(const void *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

T512 INLINE void rows_avx512(const snc_qjob *j, int t, int p, const int rows)
{
    __m512i even[ROWS], odd[ROWS];
    const int8_t *w = j->wq + (size_t)p * j->panel;
    size_t ldx = (size_t)j->kb * SNC_QBLOCK;
    const int16_t *x = j->xw + (size_t)t * ldx;
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm512_setzero_si512();
    for (int k = 0; k < j->kb * SNC_QBLOCK; k += 4, w += 64) {
        __m512i w0 = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)w));
        __m512i w1 = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(w + 32)));
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            const int16_t *xr = x + (size_t)r * ldx + k;
            even[r] = _mm512_add_epi32(even[r], _mm512_madd_epi16(_mm512_set1_epi32(load4(xr)), w0));
            odd[r] = _mm512_add_epi32(odd[r], _mm512_madd_epi16(_mm512_set1_epi32(load4(xr + 2)), w1));
        }
    }
    int32_t s[ROWS * SNC_QPANEL];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) _mm512_storeu_si512(s + r * SNC_QPANEL, _mm512_add_epi32(even[r], odd[r]));
    snc_qjob__finish(j, s, SNC_QPANEL, t, rows, p, 1);
}

T512 static void run_avx512(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    for (int p = p0; p < p1; p++) {
        int t = t0;
        for (; t + 8 <= t1; t += 8) rows_avx512(j, t, p, 8);
        if (t1 - t >= 4) rows_avx512(j, t, p, 4), t += 4;
        if (t1 - t >= 2) rows_avx512(j, t, p, 2), t += 2;
        if (t1 - t >= 1) rows_avx512(j, t, p, 1);
    }
}

/* 128 times the sum of a row's inputs. */
TVNNI INLINE int32_t row_shift(const int8_t *x, int kb)
{
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i s = _mm512_setzero_si512();
    for (int i = 0; i < kb; i++) s = _mm512_dpbusd_epi32(s, ones, _mm512_loadu_si512(x + (size_t)i * SNC_QBLOCK));
    return _mm512_reduce_add_epi32(s) * 128;
}

TVNNI INLINE void rows_vnni(const snc_qjob *j, const int32_t *shift, int t, int p, const int rows, const int panels)
{
    __m512i acc[ROWS][4];
    const int8_t *x = j->xq + (size_t)t * (size_t)j->ldq, *w = j->wq + (size_t)p * j->panel;
    size_t ldq = (size_t)j->ldq, panel = j->panel;
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int c = 0; c < panels; c++) acc[r][c] = _mm512_set1_epi32(-shift[r]);
    for (int k = 0; k < j->kb * SNC_QBLOCK; k += 4, w += 64) {
        __m512i v[4];
#pragma GCC unroll 4
        for (int c = 0; c < panels; c++) v[c] = _mm512_loadu_si512(w + (size_t)c * panel);
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            __m512i b = _mm512_set1_epi32(load4(x + (size_t)r * ldq + k));
#pragma GCC unroll 4
            for (int c = 0; c < panels; c++) acc[r][c] = _mm512_dpbusd_epi32(acc[r][c], v[c], b);
        }
    }
    int32_t s[ROWS * LDS];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int c = 0; c < panels; c++) _mm512_storeu_si512(s + r * LDS + c * SNC_QPANEL, acc[r][c]);
    snc_qjob__finish(j, s, LDS, t, rows, p, panels);
}

TVNNI static void rows_few(const snc_qjob *j, const int32_t *shift, int t, int rows, int p)
{
    switch (rows) {
    case 6: rows_vnni(j, shift, t, p, 6, 4); break;
    case 5: rows_vnni(j, shift, t, p, 5, 4); break;
    case 4: rows_vnni(j, shift, t, p, 4, 4); break;
    case 3: rows_vnni(j, shift, t, p, 3, 4); break;
    case 2: rows_vnni(j, shift, t, p, 2, 4); break;
    case 1: rows_vnni(j, shift, t, p, 1, 4); break;
    default: break;
    }
}

TVNNI static void run_vnni(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    enum { BLOCK = 48 };
    int32_t shift[BLOCK];
    for (int b0 = t0; b0 < t1; b0 += BLOCK) {
        int b1 = b0 + BLOCK < t1 ? b0 + BLOCK : t1, p = p0;
        for (int t = b0; t < b1; t++) shift[t - b0] = row_shift(j->xq + (size_t)t * (size_t)j->ldq, j->kb);
        for (; p + 4 <= p1; p += 4) {
            int t = b0;
            for (; t + ROWS <= b1; t += ROWS) {
                rows_vnni(j, shift + (t - b0), t, p, ROWS, 2);
                rows_vnni(j, shift + (t - b0), t, p + 2, ROWS, 2);
            }
            for (; t < b1; t += 6) rows_few(j, shift + (t - b0), t, b1 - t < 6 ? b1 - t : 6, p);
        }
        for (; p < p1; p++) {
            int t = b0;
            for (; t + 6 <= b1; t += 6) rows_vnni(j, shift + (t - b0), t, p, 6, 1);
            for (; t < b1; t++) rows_vnni(j, shift + (t - b0), t, p, 1, 1);
        }
    }
}

const snc_qkernel snc_qkernel__avx512 = {.isa = SNC_ISA_AVX512, .group = 2, .widen = true, .rows = 48, .blocks_us = 80, .run = run_avx512};
const snc_qkernel snc_qkernel__vnni = {.isa = SNC_ISA_VNNI, .group = 4, .flip = 0x80, .rows = 48, .blocks_us = 300, .run = run_vnni};
#else
typedef int snc_qkernel__avx512_absent;
#endif
