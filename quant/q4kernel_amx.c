/* AMX over INT4 weights for at most 32 rows, where weights are used once and their bytes are the bound. Blocks are expanded one
 * step ahead of the tiles that read them, in two buffers by turns: vector units expand block k + 1 while the tile unit
 * multiplies block k, and neither waits for the other's stores. */
#include "quant/q4linear_priv.h"

#if defined(__x86_64__)
#include "core/amx_tiles.h"
#include "quant/q4simd512.h"

#define TAMX   __attribute__((target("amx-tile,amx-int8,avx512f,avx512bw,avx512dq,avx512vl")))
#define INLINE static inline TAMX __attribute__((always_inline))

/* s [16, 64] of up to 16 rows and four panels. */
INLINE void rows_16(const snc_qjob *j, int32_t *s, const uint8_t *wq, int8_t (*buffer)[SNC_Q4PANELS][SNC_QTILE], __m512i spread)
{
    const int8_t *a = j->xq;
    for (int i = 0; i < SNC_Q4PANELS; i++, wq += SNC_Q4TILE) q4_expand_block(buffer[0][i], wq, spread, 0);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int kb = 0; kb < j->kb; kb++, a += SNC_QBLOCK) {
        int8_t(*now)[SNC_QTILE] = buffer[kb & 1], (*next)[SNC_QTILE] = buffer[~kb & 1];
        bool more = kb + 1 < j->kb;
        _tile_loadd(4, a, (size_t)j->ldq);
#define STEP(i, t)                                                          \
    do {                                                                    \
        if (more) q4_expand_block(next[i], wq + (i)*SNC_Q4TILE, spread, 0); \
        _tile_loadd(t, now[i], 64);                                         \
        _tile_dpbssd(i, 4, t);                                              \
    } while (0)
        STEP(0, 6);
        STEP(1, 7);
        STEP(2, 6);
        STEP(3, 7);
#undef STEP
        wq += SNC_Q4PANELS * SNC_Q4TILE;
    }
    _tile_stored(0, s, 256);
    _tile_stored(1, s + 16, 256);
    _tile_stored(2, s + 32, 256);
    _tile_stored(3, s + 48, 256);
}

/* s [32, 32] of 17 to 32 rows and two panels. */
INLINE void rows_32(const snc_qjob *j, int32_t *s, const uint8_t *wq, int8_t (*buffer)[SNC_Q4PANELS][SNC_QTILE], __m512i spread)
{
    const int8_t *a = j->xq;
    size_t ldq = (size_t)j->ldq;
    for (int i = 0; i < 2; i++) q4_expand_block(buffer[0][i], wq + i * SNC_Q4TILE, spread, 0);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int kb = 0; kb < j->kb; kb++, a += SNC_QBLOCK) {
        int8_t(*now)[SNC_QTILE] = buffer[kb & 1], (*next)[SNC_QTILE] = buffer[~kb & 1];
        bool more = kb + 1 < j->kb;
        wq += SNC_Q4PANELS * SNC_Q4TILE;
        _tile_loadd(4, a, ldq);
        if (more) q4_expand_block(next[0], wq, spread, 0);
        _tile_loadd(6, now[0], 64);
        _tile_dpbssd(0, 4, 6);
        _tile_loadd(5, a + 16 * ldq, ldq);
        _tile_dpbssd(2, 5, 6);
        if (more) q4_expand_block(next[1], wq + SNC_Q4TILE, spread, 0);
        _tile_loadd(7, now[1], 64);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(3, 5, 7);
    }
    _tile_stored(0, s, 128);
    _tile_stored(1, s + 16, 128);
    _tile_stored(2, s + 16 * 32, 128);
    _tile_stored(3, s + 16 * 32 + 16, 128);
}

TAMX void snc_q4amx__run(const snc_qjob *j, const uint8_t *wq, int T)
{
    _Alignas(64) int8_t buffer[2][SNC_Q4PANELS][SNC_QTILE];
    _Alignas(64) int32_t s[32 * 32];
    const __m512i spread = q4_spread(4);
    int panels = (j->n + SNC_QPANEL - 1) / SNC_QPANEL;
    /* The tile loads do not tell the compiler what they read. */
    __asm__ volatile("" ::: "memory");
    snc_amx__configure(T);
    if (T <= 16) {
        rows_16(j, s, wq, buffer, spread);
        snc_qjob__finish(j, s, SNC_Q4PANELS * SNC_QPANEL, 0, T, 0, panels < SNC_Q4PANELS ? panels : SNC_Q4PANELS);
    } else {
        for (int p = 0; p < SNC_Q4PANELS && p < panels; p += 2) {
            rows_32(j, s, wq + p * SNC_Q4TILE, buffer, spread);
            snc_qjob__finish(j, s, 2 * SNC_QPANEL, 0, T, p, panels - p < 2 ? 1 : 2);
        }
    }
    _tile_release();
}
#else
typedef int snc_q4kernel_amx_absent;
#endif
