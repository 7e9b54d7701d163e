/* VNNI over INT4 weights, two ways beside the expansion of whole panels.
 *
 * Up to 6 rows nothing is expanded: vpdpbusd multiplies the nibbles q + 8 as they are, unsigned, by x; the
 * sum of a group of 16 inputs starts at -8 times that of its x, so it ends as sum x q, at most 16 x 127 x 8 in size; that fits in 16
 * bits, and one vpdpwssd multiplies it by the group's m and adds it to the output's.
 *
 * Up to 12 rows nibbles become bytes w + 128 in registers and are multiplied there.
 *
 * By count a block of 1024 weights is 28 instructions and 20 a row on two ports (14 + 10 cycles a row) the first way, 72 and 16 a row
 * the second. INT8 has 16 a row, and 1024 bytes instead of 576: so INT4 wins where the bytes bound INT8, and no more. */
#include "quant/q4linear_priv.h"

#if defined(__x86_64__)
#include "quant/q4simd512.h"

#define TVNNI  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define INLINE __attribute__((always_inline)) static inline

enum {
    FEW = 6, /* rows */
    SOME = 12,
    PAIR = 2,
    AHEAD = 4 /* steps, each of a pair of blocks */
};

typedef int32_t __attribute__((may_alias, aligned(1))) four_bytes;

/* sums += w0, w1 by four bytes of x: left to itself the compiler loads all of x first, and spills. */
TVNNI INLINE void dot_both(__m512i *sum0, __m512i *sum1, __m512i w0, __m512i w1, const int8_t *x)
{
    __m512i four;
    __asm__("vpbroadcastd %5, %2\n\tvpdpbusd %2, %3, %0\n\tvpdpbusd %2, %4, %1"
            : "+&v"(*sum0), "+&v"(*sum1), "=&v"(four)
            : "v"(w0), "v"(w1), "m"(*(const four_bytes *)x));
}

TVNNI INLINE void finish_pair(const snc_qjob *j, const __m512i *acc0, const __m512i *acc1, int t, const int rows, int p, int p1)
{
    int32_t s[SOME * PAIR * SNC_QPANEL];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
        _mm512_storeu_si512(s + r * PAIR * SNC_QPANEL, acc0[r]);
        _mm512_storeu_si512(s + r * PAIR * SNC_QPANEL + SNC_QPANEL, acc1[r]);
    }
    snc_qjob__finish(j, s, PAIR * SNC_QPANEL, t, rows, p, p1 - p < PAIR ? 1 : PAIR);
}

/* start [4 kb] = -8 times the sums of a row's groups of 16 inputs. */
TVNNI INLINE void group_sums(int32_t *start, const int8_t *x, int kb)
{
    const __m512i ones = _mm512_set1_epi8(1), every = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 8, 4, 0);
    for (int i = 0; i < kb; i++, x += SNC_QBLOCK, start += SNC_Q4GROUPS) {
        __m512i s = _mm512_dpbusd_epi32(_mm512_setzero_si512(), ones, _mm512_loadu_si512(x));
        s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, _MM_PERM_BADC));
        s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, _MM_PERM_CDAB));
        s = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(_mm512_permutexvar_epi32(every, s), 3));
        _mm_storeu_si128((__m128i *)(void *)start, _mm512_castsi512_si128(s));
    }
}

/* acc += the pair of blocks at w by `rows` rows, whose block of x is at x and whose groups' sums are at start. */
TVNNI INLINE void blocks_few(__m512i (*acc)[FEW], const uint8_t *w, const int8_t *x, size_t ldq, const int32_t *start, size_t lds,
                             const int rows)
{
    const __m512i low = _mm512_set1_epi8(15);
#pragma GCC unroll 4
    for (int g = 0; g < SNC_Q4GROUPS; g++, x += SNC_INT4_GROUP) {
        __m512i sum[PAIR][FEW];
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) sum[0][r] = sum[1][r] = _mm512_set1_epi32(start[(size_t)r * lds + (size_t)g]);
#pragma GCC unroll 2
        for (int s = 0; s < 2; s++) {
            const uint8_t *at = w + 64 * (2 * g + s);
            __m512i v0 = _mm512_loadu_si512(at), v1 = _mm512_loadu_si512(at + SNC_Q4TILE);
            __m512i w0 = _mm512_and_si512(v0, low), w1 = _mm512_and_si512(v1, low);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) dot_both(&sum[0][r], &sum[1][r], w0, w1, x + (size_t)r * ldq + 8 * s);
            w0 = _mm512_and_si512(_mm512_srli_epi16(v0, 4), low);
            w1 = _mm512_and_si512(_mm512_srli_epi16(v1, 4), low);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) dot_both(&sum[0][r], &sum[1][r], w0, w1, x + (size_t)r * ldq + 8 * s + 4);
        }
#pragma GCC unroll 2
        for (int c = 0; c < PAIR; c++) {
            const uint8_t *row = w + c * SNC_Q4TILE + SNC_Q4NIBBLES + g * SNC_QPANEL;
            __m512i m = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)row));
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) acc[c][r] = _mm512_dpwssd_epi32(acc[c][r], sum[c][r], m);
        }
    }
}

TVNNI INLINE void rows_few(const snc_qjob *j, const int32_t *start, int t, int p0, int p1, const int rows)
{
    size_t ldq = (size_t)j->ldq, lds = (size_t)j->kb * SNC_Q4GROUPS;
    for (int p = p0; p < p1; p += PAIR) {
        const uint8_t *w = (const uint8_t *)j->wq + (size_t)p * j->panel;
        const int8_t *x = j->xq + (size_t)t * ldq;
        __m512i acc[PAIR][FEW];
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) acc[0][r] = acc[1][r] = _mm512_setzero_si512();
        for (int kb = 0; kb < j->kb; kb++, w += SNC_Q4PAIR, x += SNC_QBLOCK) {
#pragma GCC unroll 18
            for (int i = 0; i < SNC_Q4PAIR / 64; i++) _mm_prefetch((const char *)w + AHEAD * SNC_Q4PAIR + 64 * i, _MM_HINT_T1);
            blocks_few(acc, w, x, ldq, start + kb * SNC_Q4GROUPS, lds, rows);
        }
        finish_pair(j, acc[0], acc[1], t, rows, p, p1);
    }
}

/* -128 times the sum of a row's inputs, what w + 128 has too much. */
TVNNI INLINE int32_t row_start(const int8_t *x, int kb)
{
    __m512i s = _mm512_setzero_si512();
    for (int i = 0; i < kb; i++) s = _mm512_dpbusd_epi32(s, _mm512_set1_epi8(1), _mm512_loadu_si512(x + (size_t)i * SNC_QBLOCK));
    return _mm512_reduce_add_epi32(s) * -128;
}

TVNNI INLINE void rows_some(const snc_qjob *j, const int32_t *start, int t, int p0, int p1, const int rows)
{
    const __m512i spread = q4_spread(4);
    size_t ldq = (size_t)j->ldq;
    for (int p = p0; p < p1; p += PAIR) {
        const uint8_t *w = (const uint8_t *)j->wq + (size_t)p * j->panel;
        const int8_t *x = j->xq + (size_t)t * ldq;
        __m512i acc[PAIR][SOME];
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++) acc[0][r] = acc[1][r] = _mm512_set1_epi32(start[r]);
        for (int kb = 0; kb < j->kb; kb++, w += SNC_Q4PAIR, x += SNC_QBLOCK) {
#pragma GCC unroll 18
            for (int i = 0; i < SNC_Q4PAIR / 64; i++) _mm_prefetch((const char *)w + AHEAD * SNC_Q4PAIR + 64 * i, _MM_HINT_T1);
#pragma GCC unroll 4
            for (int g = 0; g < SNC_Q4GROUPS; g++) {
                __m512i off0, off1, m0 = q4_multipliers(&off0, w, g, spread, 128);
                __m512i m1 = q4_multipliers(&off1, w + SNC_Q4TILE, g, spread, 128);
#pragma GCC unroll 4
                for (int l = 4 * g; l < 4 * g + 4; l++) {
                    __m512i w0 = q4_line(w, l, m0, off0), w1 = q4_line(w + SNC_Q4TILE, l, m1, off1);
#pragma GCC unroll 12
                    for (int r = 0; r < rows; r++) dot_both(&acc[0][r], &acc[1][r], w0, w1, x + (size_t)r * ldq + 4 * l);
                }
            }
        }
        finish_pair(j, acc[0], acc[1], t, rows, p, p1);
    }
}

#define CASE(way, n) \
    case n: way(j, start, t0, p0, p1, n); break

TVNNI static void few(const snc_qjob *j, int t0, int rows, int p0, int p1)
{
    int32_t *start = (int32_t *)(void *)j->expanded; /* 16 kb bytes a row of the 4096 kb there */
    for (int r = 0; r < rows; r++) group_sums(start + r * j->kb * SNC_Q4GROUPS, j->xq + (size_t)(t0 + r) * (size_t)j->ldq, j->kb);
    switch (rows) {
        CASE(rows_few, 1);
        CASE(rows_few, 2);
        CASE(rows_few, 3);
        CASE(rows_few, 4);
        CASE(rows_few, 5);
        CASE(rows_few, 6);
    default: break;
    }
}

TVNNI static void some(const snc_qjob *j, int t0, int rows, int p0, int p1)
{
    int32_t start[SOME];
    for (int r = 0; r < rows; r++) start[r] = row_start(j->xq + (size_t)(t0 + r) * (size_t)j->ldq, j->kb);
    switch (rows) {
        CASE(rows_some, 7);
        CASE(rows_some, 8);
        CASE(rows_some, 9);
        CASE(rows_some, 10);
        CASE(rows_some, 11);
        CASE(rows_some, 12);
    default: break;
    }
}

void snc_q4kernel__vnni(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    int rows = t1 - t0;
    if (rows <= FEW) few(j, t0, rows, p0, p1);
    else if (rows <= SOME) some(j, t0, rows, p0, p1);
    else snc_q4kernel__expanding(j, t0, t1, p0, p1);
}
#else
typedef int snc_q4kernel_vnni_absent;
#endif
