/* AMX over INT4 weights for at most 32 rows, where weights are used once and their bytes are the bound. Blocks are expanded one
 * step ahead of the tiles that read them, in two buffers by turns: vector units expand the blocks of the next step while the tile
 * unit multiplies these, and neither waits for the other's stores. Epilogues run between the steps, as in the INT8 kernel.
 *
 * By count a block of 1024 weights is 70 vector instructions on two ports to expand, 35 cycles, and 576 bytes; INT8 is 1024 bytes:
 * from L3, at 7 to 10 bytes a cycle, a block of INT4 comes in 57 to 80 cycles and one of INT8 in 100 to 150. From L2 INT8 comes in 25. */
#include "quant/q4linear_priv.h"

#if defined(__x86_64__)
#include "core/amx_tiles.h"
#include "quant/q4simd512.h"
#include "quant/qpending_amx.h"

enum {
    MOST = 32, /* rows */
    AHEAD = 8, /* steps from the request for a pair of blocks to its expansion */
    LINES = SNC_Q4PAIR / 64
};

/* The pair of blocks `steps` behind (p, kb), across the end into the next pair of panels. */
SNC_AMX_INLINE const uint8_t *pair_at(const snc_qjob *j, int p, int kb)
{
    int over = kb >= j->kb;
    return (const uint8_t *)j->wq + (size_t)(p + 2 * over) * j->panel + (size_t)(kb - over * j->kb) * SNC_Q4PAIR;
}

/* s [32, 32] = up to 32 rows (16: not `both`) by the pair p of panels. buffer[*turn] holds its first blocks, and those of the next
 * pair in the end, if there is `more`. */
SNC_AMX_INLINE void pair_stream(const snc_qjob *j, int32_t *s, int t, int p, int8_t (*buffer)[2][SNC_QTILE], int *turn, __m512i spread,
                                const bool both, bool more, pending *w)
{
    size_t ldq = (size_t)j->ldq;
    const int8_t *a0 = j->xq + (size_t)t * ldq, *a1 = a0 + 16 * ldq;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int kb = 0; kb < j->kb; kb++, a0 += SNC_QBLOCK, a1 += SNC_QBLOCK, *turn ^= 1) {
        int8_t(*now)[SNC_QTILE] = buffer[*turn], (*next)[SNC_QTILE] = buffer[*turn ^ 1];
        const uint8_t *from = pair_at(j, p, kb + 1);
        const char *ahead = (const char *)pair_at(j, p, kb + AHEAD);
        bool go_on = more || kb + 1 < j->kb;
#pragma GCC unroll 18
        for (int i = 0; i < LINES; i++) _mm_prefetch(ahead + 64 * i, _MM_HINT_T1);
        _tile_loadd(4, a0, ldq);
        _tile_loadd(6, now[0], 64);
        _tile_dpbssd(0, 4, 6);
        if (both) {
            _tile_loadd(5, a1, ldq);
            _tile_dpbssd(2, 5, 6);
        }
        if (go_on) q4_expand_block(next[0], from, spread, 0);
        _tile_loadd(7, now[1], 64);
        _tile_dpbssd(1, 4, 7);
        if (both) _tile_dpbssd(3, 5, 7);
        if (go_on) q4_expand_block(next[1], from + SNC_Q4TILE, spread, 0);
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

SNC_AMX_INLINE void few_rows(const snc_qjob *j, int t, int rows, int p0, int p1, const bool both)
{
    _Alignas(64) int8_t buffer[2][2][SNC_QTILE];
    _Alignas(64) int32_t s[2][MOST * 2 * SNC_QPANEL];
    const __m512i spread = q4_spread(4);
    pending w = {.rows = 0};
    int turn = 0;
    const uint8_t *from = pair_at(j, p0, 0);
    q4_expand_block(buffer[0][0], from, spread, 0);
    q4_expand_block(buffer[0][1], from + SNC_Q4TILE, spread, 0);
    for (int p = p0, i = 0; p < p1; p += 2, i ^= 1) {
        pair_stream(j, s[i], t, p, buffer, &turn, spread, both, p + 2 < p1, &w);
        if (p + 2 <= p1) await(j, &w, s[i], t, rows, p, 2, j->kb);
        else snc_qjob__finish(j, s[i], 2 * SNC_QPANEL, t, rows, p, 1); /* its other panel is padding, or another's */
    }
    drain(j, &w);
}

SNC_TAMX void snc_q4kernel__amx(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    int rows = t1 - t0;
    if (rows > MOST) {
        snc_q4kernel__expanding(j, t0, t1, p0, p1);
        return;
    }
    /* The tile loads do not tell the compiler what they read. */
    __asm__ volatile("" ::: "memory");
    snc_amx__configure(rows);
    if (rows <= 16) few_rows(j, t0, rows, p0, p1, false);
    else few_rows(j, t0, rows, p0, p1, true);
    _tile_release();
}
#else
typedef int snc_q4kernel_amx_absent;
#endif
