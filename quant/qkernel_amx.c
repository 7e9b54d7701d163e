/* AMX int8, quads: a block of 1024 bytes is one tile of weights, 16 rows of [16 n][4 k]; 16 rows of 64 inputs, read from xq
 * as they lie, are one tile of activations; tdpbssd multiplies signed by signed bytes.
 *
 *   17 to 32 rows      C0 C1   A0        32 rows x 2 panels: each tile that is loaded is used twice
 *                      C2 C3   A1   B0 B1
 *   up to 16 rows      C0 C1 C2 C3  A0   16 rows x 4 panels: four chains hide the latency of tdpbssd
 *
 * The vector units have nothing to do while tiles multiply, so the epilogue of the block before is cut into as many slices
 * as the next block has steps of k, and runs between them. */
#include "quant/qlinear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TAMX __attribute__((target("amx-tile,amx-int8,avx512f,avx512bw,avx512dq,avx512vl")))

enum { LDS = 4 * SNC_QPANEL, SUMS = 32 * 2 * SNC_QPANEL };

typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t colsb[16];
    uint8_t rows[16];
} tile_config;

/* Tiles 0..3 sums, 4 and 5 inputs, 6 and 7 weights. Loading the configuration clears the tiles. */
TAMX static void configure(int rows)
{
    tile_config c;
    uint8_t hi = (uint8_t)(rows < 16 ? rows : 16), lo = (uint8_t)(rows > 16 ? rows - 16 : hi);
    memset(&c, 0, sizeof c);
    c.palette = 1;
    for (int i = 0; i < 8; i++) {
        c.colsb[i] = 64;
        c.rows[i] = i >= 6 ? 16 : (i == 2 || i == 3 || i == 5) ? lo : hi;
    }
    _tile_loadconfig(&c);
}

/* A block of sums whose epilogue is still to be done. */
typedef struct pending {
    const int32_t *s;
    int lds, t, rows, p, np, done;
} pending;

static inline void advance(const snc_qjob *j, pending *w, int rows)
{
    if (rows > w->rows - w->done) rows = w->rows - w->done;
    if (rows <= 0) return;
    snc_qjob__finish(j, w->s + (size_t)w->done * (size_t)w->lds, w->lds, w->t + w->done, rows, w->p, w->np);
    w->done += rows;
}

TAMX static void block_2x2(const snc_qjob *j, int32_t *s, pending *prev, int t, int rows, int p)
{
    size_t ldq = (size_t)j->ldq;
    const int8_t *a0 = j->xq + (size_t)t * ldq, *a1 = a0 + 16 * ldq, *b0 = j->wq + (size_t)p * j->panel, *b1 = b0 + j->panel;
    int step = (prev->rows + j->kb - 1) / j->kb;
    (void)rows;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int kb = 0; kb < j->kb; kb++, a0 += 64, a1 += 64, b0 += SNC_QTILE, b1 += SNC_QTILE) {
        _tile_loadd(6, b0, 64);
        _tile_loadd(4, a0, ldq);
        _tile_loadd(7, b1, 64);
        _tile_loadd(5, a1, ldq);
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
        advance(j, prev, step);
    }
    _tile_stored(0, s, 128);
    _tile_stored(1, s + 16, 128);
    _tile_stored(2, s + 16 * 32, 128);
    _tile_stored(3, s + 16 * 32 + 16, 128);
}

TAMX static void block_1x4(const snc_qjob *j, int32_t *s, pending *prev, int t, int p)
{
    size_t ldq = (size_t)j->ldq, panel = j->panel;
    const int8_t *a = j->xq + (size_t)t * ldq, *b = j->wq + (size_t)p * panel;
    int step = (prev->rows + j->kb - 1) / j->kb;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int kb = 0; kb < j->kb; kb++, a += 64, b += SNC_QTILE) {
        _tile_loadd(4, a, ldq);
        _tile_loadd(6, b, 64);
        _tile_dpbssd(0, 4, 6);
        _tile_loadd(7, b + panel, 64);
        _tile_dpbssd(1, 4, 7);
        _tile_loadd(6, b + 2 * panel, 64);
        _tile_dpbssd(2, 4, 6);
        _tile_loadd(7, b + 3 * panel, 64);
        _tile_dpbssd(3, 4, 7);
        advance(j, prev, step);
    }
    _tile_stored(0, s, 256);
    _tile_stored(1, s + 16, 256);
    _tile_stored(2, s + 32, 256);
    _tile_stored(3, s + 48, 256);
}

/* What is left over: one panel, up to 32 rows. */
TAMX static void block_x1(const snc_qjob *j, int32_t *s, pending *prev, int t, int rows, int p)
{
    size_t ldq = (size_t)j->ldq;
    const int8_t *a0 = j->xq + (size_t)t * ldq, *a1 = rows > 16 ? a0 + 16 * ldq : a0, *b = j->wq + (size_t)p * j->panel;
    _tile_zero(0);
    _tile_zero(2);
    for (int kb = 0; kb < j->kb; kb++, a0 += 64, a1 += 64, b += SNC_QTILE) {
        _tile_loadd(6, b, 64);
        _tile_loadd(4, a0, ldq);
        _tile_dpbssd(0, 4, 6);
        if (rows > 16) {
            _tile_loadd(5, a1, ldq);
            _tile_dpbssd(2, 5, 6);
        }
    }
    advance(j, prev, prev->rows);
    _tile_stored(0, s, 64);
    if (rows > 16) _tile_stored(2, s + 16 * 16, 64);
}

TAMX static void run_amx(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    _Alignas(64) int32_t sums[2][SUMS];
    pending prev = {.rows = 0};
    int configured = 0, turn = 0;
    /* The tile loads do not tell the compiler what they read. */
    __asm__ volatile("" ::: "memory");
    int full = t0 + (t1 - t0) / 32 * 32;
    for (int pass = 0; pass < 2; pass++) {
        int begin = pass ? full : t0, end = pass ? t1 : full, rows = pass ? t1 - full : 32;
        if (begin >= end) continue;
        if (configured != rows) configure(rows);
        configured = rows;
        int wide = rows > 16 ? 2 : 4;
        for (int p = p0; p < p1;) {
            int np = p1 - p >= wide ? wide : 1;
            for (int t = begin; t < end; t += rows) {
                int32_t *s = sums[turn];
                if (np == 1) block_x1(j, s, &prev, t, rows, p);
                else if (np == 2) block_2x2(j, s, &prev, t, rows, p);
                else block_1x4(j, s, &prev, t, p);
                advance(j, &prev, prev.rows);
                prev = (pending){.s = s, .lds = np * SNC_QPANEL, .t = t, .rows = rows, .p = p, .np = np};
                turn ^= 1;
            }
            p += np;
        }
    }
    advance(j, &prev, prev.rows);
    _tile_release();
}

const snc_qkernel snc_qkernel__amx = {.isa = SNC_ISA_AMX, .group = 4, .rows = 64, .macs_us = 1.5e6, .run = run_amx};
#else
typedef int snc_qkernel__amx_absent;
#endif
