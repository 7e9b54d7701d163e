/* AMX int8 and bf16. A block of 1024 bytes is one tile of weights, 16 rows of [16 n][4 k] int8 or [16 n][2 k] bf16; 64 bytes
 * of 16 rows of xq, read as they lie, are one tile of activations; tdpbssd multiplies signed by signed bytes and adds int32,
 * tdpbf16ps multiplies bf16 and adds f32. The two kernels are the same code but for that instruction.
 *
 *   C0 C1   A0        32 rows x 2 panels: each tile that is loaded is used twice
 *   C2 C3   A1   B0 B1
 *
 * Up to 32 rows: one pass over the weights, as fast as they come from L3. More rows: a pair of panels at a time, cut so that it
 * stays in L1, meets all blocks of 32 rows, which come from L2, before the next pair, which is fetched from L3 meanwhile. A last
 * block of fewer rows starts earlier and leaves out of its epilogue what is done already. L1 holds 24 KB of a pair and of a block
 * beside sums and results, not more: so cuts are 8 steps, rows longer than that pass by L1, and sums that need not wait for a
 * next cut share two places.
 *
 * Up to 32 rows a block's epilogue runs a few rows at a time between the tile steps of the block after it: the tile unit and
 * the vector units work side by side, and weights are on their way all the time. With more it runs in one piece. */
#include "quant/q4linear_priv.h"

#if defined(__x86_64__)
#include "core/amx_tiles.h"
#include "quant/qpending_amx.h"

#define TAMX   SNC_TAMX
#define INLINE SNC_AMX_INLINE
/* `bf16` is a constant where this is inlined. */
#define PRODUCT(c, a, b)                   \
    do {                                   \
        if (bf16) _tile_dpbf16ps(c, a, b); \
        else _tile_dpbssd(c, a, b);        \
    } while (0)

enum {
    ROWS = 32,
    CUT = 8,    /* blocks of 64 bytes of inputs that a pair of panels keeps in L1: 16 KB */
    AHEAD = 6,  /* steps from the request for a tile to its use */
    MOST = 256, /* rows of one call: their sums wait in L1 and L2 */
    SUMS = ROWS * 2 * SNC_QPANEL
};

/* s [32, 32] = up to 32 rows (16: not `both`) times two panels, whose tiles are used once and pass by L1. Each step asks for the
 * tiles AHEAD steps later, across the end into the next pair: the products wait for L3 otherwise, whose own prefetcher stops at
 * every 4 KB. */
INLINE void block_stream(const bool bf16, const snc_qjob *j, int32_t *s, int t, int p, const bool both, pending *w)
{
    size_t ldq = (size_t)j->ldq, panel = j->panel;
    const int8_t *a0 = j->xq + (size_t)t * ldq, *a1 = a0 + 16 * ldq;
    const int8_t *b0 = j->wq + (size_t)p * panel, *b1 = b0 + panel, *next = b1 + panel;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int kb = 0; kb < j->kb; kb++, a0 += SNC_QBLOCK, a1 += SNC_QBLOCK, b0 += SNC_QTILE, b1 += SNC_QTILE) {
        int later = kb + AHEAD - j->kb;
        const char *ahead = (const char *)(later < 0 ? b0 + AHEAD * SNC_QTILE : next + later * SNC_QTILE);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            _mm_prefetch(ahead + 64 * i, _MM_HINT_T1);
            _mm_prefetch(ahead + panel + 64 * i, _MM_HINT_T1);
        }
        _tile_stream_loadd(6, b0, 64);
        _tile_loadd(4, a0, ldq);
        _tile_stream_loadd(7, b1, 64);
        PRODUCT(0, 4, 6);
        PRODUCT(1, 4, 7);
        if (both) {
            _tile_loadd(5, a1, ldq);
            PRODUCT(2, 5, 6);
            PRODUCT(3, 5, 7);
        }
        advance(j, w);
    }
    drain(j, w);
    _tile_stored(0, s, 128);
    _tile_stored(1, s + 16, 128);
    if (both) {
        _tile_stored(2, s + 16 * 32, 128);
        _tile_stored(3, s + 16 * 32 + 16, 128);
    }
}

/* s [32, 32] (+)= blocks k0 .. k1 of 17 to 32 rows and two panels; `lines` a step are fetched to L2 from `ahead` on. */
INLINE void block_2x2(const bool bf16, const snc_qjob *j, int32_t *s, int t, int p, int k0, int k1, const char *ahead, const int lines,
                      const bool passing, pending *w)
{
    size_t ldq = (size_t)j->ldq;
    const int8_t *a0 = j->xq + (size_t)t * ldq + (size_t)k0 * SNC_QBLOCK, *a1 = a0 + 16 * ldq;
    const int8_t *b0 = j->wq + (size_t)p * j->panel + (size_t)k0 * SNC_QTILE, *b1 = b0 + j->panel;
    int32_t *low = s + 16 * 32;
    if (k0 == 0) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    } else {
        _tile_loadd(0, s, 128);
        _tile_loadd(1, s + 16, 128);
        _tile_loadd(2, low, 128);
        _tile_loadd(3, low + 16, 128);
    }
    for (int kb = k0; kb < k1; kb++, a0 += SNC_QBLOCK, a1 += SNC_QBLOCK, b0 += SNC_QTILE, b1 += SNC_QTILE) {
#pragma GCC unroll 16
        for (int i = 0; i < lines; i++) _mm_prefetch(ahead + 64 * i, _MM_HINT_T1);
        if (lines > 0) ahead += 64 * lines;
        _tile_loadd(6, b0, 64);
        if (passing) _tile_stream_loadd(4, a0, ldq);
        else _tile_loadd(4, a0, ldq);
        _tile_loadd(7, b1, 64);
        if (passing) _tile_stream_loadd(5, a1, ldq);
        else _tile_loadd(5, a1, ldq);
        PRODUCT(0, 4, 6);
        PRODUCT(1, 4, 7);
        PRODUCT(2, 5, 6);
        PRODUCT(3, 5, 7);
        if (lines == 0) advance(j, w);
    }
    drain(j, w); /* while the last products are under way */
    _tile_stored(0, s, 128);
    _tile_stored(1, s + 16, 128);
    _tile_stored(2, low, 128);
    _tile_stored(3, low + 16, 128);
}

/* s [32, 16]: the panel that is left over, up to 32 rows. */
INLINE void block_x1(const bool bf16, const snc_qjob *j, int32_t *s, int t, int rows, int p)
{
    size_t ldq = (size_t)j->ldq;
    const int8_t *a0 = j->xq + (size_t)t * ldq, *b = j->wq + (size_t)p * j->panel;
    _tile_zero(0);
    _tile_zero(2);
    for (int kb = 0; kb < j->kb; kb++, a0 += SNC_QBLOCK, b += SNC_QTILE) {
        _tile_loadd(6, b, 64);
        _tile_loadd(4, a0, ldq);
        PRODUCT(0, 4, 6);
        if (rows > 16) {
            _tile_loadd(5, a0 + 16 * ldq, ldq);
            PRODUCT(2, 5, 6);
        }
    }
    _tile_stored(0, s, 64);
    if (rows > 16) _tile_stored(2, s + 16 * 16, 64);
}

INLINE void few_rows(const bool bf16, const snc_qjob *j, int32_t (*s)[SUMS], int t, int rows, int p, int p1)
{
    pending w = {.rows = 0};
    snc_amx__configure(rows);
    for (int turn = 0; p + 2 <= p1; p += 2, turn ^= 1) {
        if (rows <= 16) block_stream(bf16, j, s[turn], t, p, false, &w);
        else block_stream(bf16, j, s[turn], t, p, true, &w);
        await(j, &w, s[turn], t, rows, p, 2, j->kb);
    }
    drain(j, &w);
    for (; p < p1; p++) {
        block_x1(bf16, j, s[0], t, rows, p);
        snc_qjob__finish(j, s[0], SNC_QPANEL, t, rows, p, 1);
    }
}

/* 33 to MOST rows from t0 on. `lines` a step are fetched of the next pair; `passing`: rows come from L2 and pass by L1. */
INLINE void many_rows(const bool bf16, const snc_qjob *j, int32_t (*s)[SUMS], int t0, int t1, int p, int p1, const int lines,
                      const bool passing)
{
    pending w = {.rows = 0};
    int blocks = (t1 - t0 + ROWS - 1) / ROWS;
    size_t step = 64 * (size_t)lines;
    int turns = j->kb <= CUT ? 1 : MOST / ROWS - 1;
    snc_amx__configure(ROWS);
    for (; p < p1; p += 2) {
        int np = p1 - p < 2 ? 1 : 2;
        const char *next = (const char *)j->wq + (size_t)(p + 2) * j->panel, *end = next + 2 * j->panel;
        if (p + 4 > p1) next = end; /* nothing left to fetch that is known */
        for (int k0 = 0; k0 < j->kb; k0 += CUT) {
            int k1 = k0 + CUT < j->kb ? k0 + CUT : j->kb;
            for (int i = 0; i < blocks; i++) {
                int t = t0 + ROWS * i, back = t + ROWS > t1 ? t + ROWS - t1 : 0;
                if (np == 1) {
                    drain(j, &w); /* its sums may lie where these will */
                    if (k1 == j->kb) block_x1(bf16, j, s[i & turns], t - back, ROWS, p);
                } else if (next < end) {
                    block_2x2(bf16, j, s[i & turns], t - back, p, k0, k1, next, lines, passing, &w);
                } else {
                    block_2x2(bf16, j, s[i & turns], t - back, p, k0, k1, NULL, 0, passing, &w);
                }
                next += step * (size_t)(k1 - k0);
                if (k1 == j->kb) await(j, &w, s[i & turns] + back * np * SNC_QPANEL, t, ROWS - back, p, np, k1 < CUT ? k1 : CUT);
            }
        }
    }
    drain(j, &w);
}

/* As many lines a step as fetch the next pair just while this one meets all rows. */
INLINE void paced_rows(const bool bf16, const snc_qjob *j, int32_t (*s)[SUMS], int t0, int t1, int p0, int p1, const bool passing)
{
    int rows = t1 - t0;
    if (rows <= 2 * ROWS) many_rows(bf16, j, s, t0, t1, p0, p1, 16, passing);
    else if (rows <= 4 * ROWS) many_rows(bf16, j, s, t0, t1, p0, p1, 8, passing);
    else many_rows(bf16, j, s, t0, t1, p0, p1, 4, passing);
}

INLINE void run(const bool bf16, const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    _Alignas(64) int32_t sums[MOST / ROWS][SUMS];
    /* The tile loads do not tell the compiler what they read. */
    __asm__ volatile("" ::: "memory");
    for (int t = t0, end; t < t1; t = end) {
        end = t1 - t > MOST ? t + MOST : t1;
        int rows = end - t;
        if (rows <= ROWS) few_rows(bf16, j, sums, t, rows, p0, p1);
        else if (j->kb > CUT) paced_rows(bf16, j, sums, t, end, p0, p1, true);
        else paced_rows(bf16, j, sums, t, end, p0, p1, false);
    }
    _tile_release();
}

TAMX static void run_int8(const snc_qjob *j, int t0, int t1, int p0, int p1) { run(false, j, t0, t1, p0, p1); }
TAMX static void run_bf16(const snc_qjob *j, int t0, int t1, int p0, int p1) { run(true, j, t0, t1, p0, p1); }

const snc_qkernel snc_qkernel__amx = {
    .isa = SNC_ISA_AMX, .group = 4, .pairs = true, .rows = 256, .blocks_us = 1500, .run = run_int8, .run_int4 = snc_q4kernel__amx};
const snc_qkernel snc_bf16kernel__amx = {.isa = SNC_ISA_AMX, .group = 2, .pairs = true, .rows = 256, .blocks_us = 1500, .run = run_bf16};
#else
typedef int snc_qkernel__amx_absent;
#endif
