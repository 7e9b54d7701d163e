/* Two kernels on 512-bit vectors.
 *
 * AVX-512 without VNNI, pairs: a 32-byte step [16 n][2 k] widens to one vector of int16; vpmaddwd and an add, as in AVX2.
 * Registers: 8 rows x 1 panel, two chains a row.
 *
 * VNNI, quads: vpdpbusd multiplies unsigned by signed bytes and adds four products to each int32 lane without saturation.
 * The unsigned operand is the weight, stored as w + 128, so that x can be broadcast from memory as it is:
 *     sum x (w + 128) = sum x w + 128 sum x
 * The correction is a row's own sum, which is exact for every prefix of k (padding is zero) and needs nothing stored.
 * Registers: 6 rows x 4 panels (7 to 12 rows alone: all x 2), ten loads for 24 products: a busy sibling thread takes its share of loads. */
#include "quant/q4linear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define T512   __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define TVNNI  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define INLINE __attribute__((always_inline)) static inline

/* VNNI: rows and panels of a tile; rows that are one tile of two panels, so that each weight is read once; rows of a block, which stay
 * in L2; blocks of k, whose weights stay in L1. */
enum { ROWS = 6, FEW = 12, PANELS = 4, BLOCK = 144, CUT = 6 };

static inline __attribute__((always_inline)) int32_t load4(const void *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

T512 INLINE void rows_avx512(const snc_qjob *j, int t, int p, const int rows)
{
    __m512i even[8], odd[8];
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
    int32_t s[8 * SNC_QPANEL];
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

/* A tile of rows and panels over one cut of k. */
typedef struct tile {
    const int8_t *x, *w;
    const int8_t *ahead; /* what is wanted next: `step` bytes of each of its panels for each 64 of this one's */
    size_t ldq, panel, step;
    int32_t *s;           /* [rows][16 panels] */
    const int32_t *shift; /* where sums begin; NULL: in s */
    int kb;
} tile;

/* The compiler shall not see that these pointers are sums: it would keep a register a row. */
#define OPAQUE(p) __asm__("" : "+r"(p))

TVNNI INLINE void tile_vnni(const tile *a, const int rows, const int panels)
{
    __m512i acc[FEW][PANELS];
    size_t ld = a->ldq, ld3 = 3 * ld, panel = a->panel, panel3 = 3 * panel;
    const int8_t *w = a->w, *ahead = a->ahead, *x0 = a->x, *x4 = x0 + 4 * ld, *x8 = x4 + 4 * ld;
    const int8_t *end = x0 + a->kb * SNC_QBLOCK;
    OPAQUE(ld3);
    OPAQUE(panel3);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int c = 0; c < panels; c++)
            acc[r][c] = a->shift ? _mm512_set1_epi32(-a->shift[r]) : _mm512_loadu_si512(a->s + (r * panels + c) * SNC_QPANEL);
    while (x0 < end) {
        __m512i v[PANELS];
#pragma GCC unroll 4
        for (int c = 0; c < panels; c++) {
            size_t at = c == 3 ? panel3 : (size_t)c * panel;
            v[c] = _mm512_loadu_si512(w + at);
            _mm_prefetch((const char *)ahead + at, _MM_HINT_T0);
        }
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            const int8_t *x = r < 4 ? x0 : r < 8 ? x4 : x8;
            __m512i b = _mm512_set1_epi32(load4(x + (r % 4 == 3 ? ld3 : (size_t)(r % 4) * ld)));
#pragma GCC unroll 4
            for (int c = 0; c < panels; c++) acc[r][c] = _mm512_dpbusd_epi32(acc[r][c], v[c], b);
        }
        x0 += 4, x4 += 4, x8 += 4, w += 64, ahead += a->step;
        OPAQUE(x0);
        OPAQUE(x4);
        OPAQUE(x8);
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int c = 0; c < panels; c++) _mm512_storeu_si512(a->s + (r * panels + c) * SNC_QPANEL, acc[r][c]);
}

TVNNI static void tile_of(const tile *a, int rows, int panels)
{
    switch (panels == PANELS ? rows : -rows) {
    case 6: tile_vnni(a, 6, PANELS); break;
    case 5: tile_vnni(a, 5, PANELS); break;
    case 4: tile_vnni(a, 4, PANELS); break;
    case 3: tile_vnni(a, 3, PANELS); break;
    case 2: tile_vnni(a, 2, PANELS); break;
    case 1: tile_vnni(a, 1, PANELS); break;
    case -12: tile_vnni(a, 12, 2); break;
    case -11: tile_vnni(a, 11, 2); break;
    case -10: tile_vnni(a, 10, 2); break;
    case -9: tile_vnni(a, 9, 2); break;
    case -8: tile_vnni(a, 8, 2); break;
    case -7: tile_vnni(a, 7, 2); break;
    case -6: tile_vnni(a, 6, 2); break;
    case -5: tile_vnni(a, 5, 2); break;
    case -4: tile_vnni(a, 4, 2); break;
    case -3: tile_vnni(a, 3, 2); break;
    case -2: tile_vnni(a, 2, 2); break;
    case -1: tile_vnni(a, 1, 2); break;
    default: break;
    }
}

/* One group of panels, `np` of them there, over a block of rows: each cut of k stays in L1 while all rows pass, and the next is fetched. */
TVNNI static void group_vnni(const snc_qjob *j, const int32_t *shift, int t0, int rows, int p, int panels, int np, bool last)
{
    int32_t sums[BLOCK * PANELS * SNC_QPANEL];
    int lds = panels * SNC_QPANEL, cuts = (j->kb + CUT - 1) / CUT, tiles = rows <= FEW && panels == 2 ? 1 : (rows + ROWS - 1) / ROWS;
    const int8_t *w = j->wq + (size_t)p * j->panel;
    tile a = {.ldq = (size_t)j->ldq, .panel = np == panels ? j->panel : 0, .step = (size_t)((SNC_QBLOCK + tiles - 1) / tiles)};
    for (int c = 0; c < cuts; c++) {
        int k0 = c * j->kb / cuts, t = t0;
        a.kb = (c + 1) * j->kb / cuts - k0;
        a.w = w + (size_t)k0 * SNC_QTILE;
        const int8_t *next = c + 1 < cuts ? a.w + (size_t)a.kb * SNC_QTILE : last ? a.w : w + (size_t)panels * j->panel;
        for (int i = 0; i < tiles; i++) {
            int r = rows / tiles + (i < rows % tiles);
            a.x = j->xq + (size_t)t * a.ldq + (size_t)k0 * SNC_QBLOCK;
            a.ahead = next + (size_t)i * (size_t)a.kb * (SNC_QBLOCK / 4) * a.step;
            a.s = sums + (cuts > 1 ? (t - t0) * lds : 0);
            a.shift = c == 0 ? shift + (t - t0) : NULL;
            tile_of(&a, r, panels);
            if (c + 1 == cuts) snc_qjob__finish(j, a.s, lds, t, r, p, np);
            t += r;
        }
    }
}

TVNNI static void run_vnni(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    int32_t shift[BLOCK];
    for (int b = t0; b < t1; b += BLOCK) {
        int rows = t1 - b < BLOCK ? t1 - b : BLOCK, panels, np;
        for (int r = 0; r < rows; r++) shift[r] = row_shift(j->xq + (size_t)(b + r) * (size_t)j->ldq, j->kb);
        for (int p = p0; p < p1; p += np) {
            panels = p1 - p >= PANELS && (rows <= ROWS || rows > FEW) ? PANELS : 2; /* of two the last may be alone */
            np = p1 - p >= panels ? panels : 1;
            group_vnni(j, shift, b, rows, p, panels, np, p + np >= p1);
        }
    }
}

const snc_qkernel snc_qkernel__avx512 = {.isa = SNC_ISA_AVX512, .group = 2, .widen = true, .rows = 48, .blocks_us = 80, .run = run_avx512};
const snc_qkernel snc_qkernel__vnni = {
    .isa = SNC_ISA_VNNI, .group = 4, .flip = 0x80, .rows = BLOCK, .blocks_us = 300, .run = run_vnni, .run_int4 = snc_q4kernel__vnni};
#else
typedef int snc_qkernel__avx512_absent;
#endif
