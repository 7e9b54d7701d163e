/* Attention of one head on AMX tiles, bf16 operands and f32 sums.
 *
 * Blocks of 16 queries: S [16, nk] = Q K^T in tiles of 16 keys, softmax in base 2 (log2 e rides on the scale), then
 * Y [16, D] = P V in steps of 32 keys. Keys and values are packed once per head:
 *
 *   kb  [nk/16][D/32] tiles of [16 pairs of dims][16 keys][2]     vb  [nk/32][D/16] tiles of [16 pairs of keys][16
 * dims][2]
 *
 * Padding keys get a score of -inf and zero values.
 */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "core/infer_priv.h"

#define AVX __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")))
#define AMX __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,amx-tile,amx-bf16")))

enum { TILE = 1024 }; /* bytes: 16 rows of 64 */

typedef struct plan {
    size_t bytes;
    int nk32, ld, dk,
        dn; /* keys padded to 32, elements of a row of s and p, tiles across the width for Q K^T and for P V */
    uint8_t *kb, *vb, *qb;
    float *s[2], *o; /* two blocks of queries are under way */
    uint16_t *p[2];
} plan;

static plan plan_of(int nk, int D, void *scratch)
{
    plan w = {.nk32 = (nk + 31) / 32 * 32, .ld = (nk + 31) / 32 * 32 + 32, .dk = (D + 31) / 32, .dn = (D + 15) / 16};
    uint8_t *at = scratch;
    w.kb = at, at += (size_t)(w.nk32 / 16) * (size_t)w.dk * TILE;
    w.vb = at, at += (size_t)(w.nk32 / 32) * (size_t)w.dn * TILE;
    w.qb = at, at += (size_t)w.dk * TILE;
    for (int i = 0; i < 2; i++) {
        w.s[i] = (float *)(void *)at, at += 16 * (size_t)w.ld * sizeof(float);
        w.p[i] = (uint16_t *)(void *)at, at += 16 * (size_t)w.ld * sizeof(uint16_t);
    }
    w.o = (float *)(void *)at, at += (size_t)w.dn * TILE;
    w.bytes = (size_t)(at - (uint8_t *)scratch);
    return w;
}

size_t snc_infer__attention_amx_scratch(int max_len, int D)
{
    static _Alignas(64) uint8_t origin[64];
    return plan_of(max_len, D, origin).bytes;
}

AVX static inline __mmask16 lanes(int n)
{
    return n >= 16 ? (__mmask16)0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

/* 32 floats (zeros from n on) to 32 bf16. */
AVX static inline __m512i load_bf16(const float *x, int n, __m512 scale)
{
    __m512 lo = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes(n), x), scale);
    __m512 hi = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes(n - 16), x + 16), scale);
    return (__m512i)_mm512_cvtne2ps_pbh(hi, lo);
}

/* 16 x 16 transposition of 32-bit words. */
AVX static inline void transpose16(__m512i *r)
{
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            r[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
            r[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
        }
    for (int i = 0; i < 4; i++) { /* r[4g + i]: words of rows 4g..4g+3 at columns i, 4+i, 8+i, 12+i */
        t[i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88);
        t[4 + i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd);
        t[8 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
        t[12 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
        r[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
        r[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
        r[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
    }
}

AVX static void pack_keys(const plan *w, const snc_infer__head *a)
{
    __m512 one = _mm512_set1_ps(1.0f);
    for (int b = 0; b < w->nk32 / 16; b++)
        for (int d = 0; d < w->dk; d++) {
            __m512i r[16];
            for (int i = 0; i < 16; i++) {
                int j = 16 * b + i;
                r[i] = j < a->nk ? load_bf16(a->k + (size_t)j * (size_t)a->ldkv + 32 * d, a->D - 32 * d, one)
                                 : _mm512_setzero_si512();
            }
            transpose16(r);
            uint8_t *out = w->kb + (size_t)(b * w->dk + d) * TILE;
            for (int i = 0; i < 16; i++) _mm512_store_si512(out + 64 * i, r[i]);
        }
}

AVX static void pack_values(const plan *w, const snc_infer__head *a)
{
    static const uint16_t zip[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                     8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    __m512i order = _mm512_loadu_si512(zip);
    for (int b = 0; b < w->nk32 / 32; b++)
        for (int d = 0; d < w->dn; d++) {
            uint8_t *out = w->vb + (size_t)(b * w->dn + d) * TILE;
            __mmask16 m = lanes(a->D - 16 * d);
            for (int i = 0; i < 16; i++) {
                int j = 32 * b + 2 * i;
                const float *v = a->v + (size_t)j * (size_t)a->ldkv + 16 * d;
                __m512 lo = j < a->nk ? _mm512_maskz_loadu_ps(m, v) : _mm512_setzero_ps();
                __m512 hi = j + 1 < a->nk ? _mm512_maskz_loadu_ps(m, v + a->ldkv) : _mm512_setzero_ps();
                __m512i pair = (__m512i)_mm512_cvtne2ps_pbh(hi, lo);
                _mm512_store_si512(out + 64 * i, _mm512_permutexvar_epi16(order, pair));
            }
        }
}

/* 2^x for x <= 0, relative error 7.5e-5, a twentieth of a bf16 rounding: minimax cubic on the fraction, floor by
 * scalef. */
AVX static inline __m512 exp2_coarse(__m512 x)
{
    __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF);
    __m512 p = _mm512_set1_ps(0.07802455f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.22606718f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.69583349f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.99992523f));
    return _mm512_scalef_ps(p, x);
}

/* One row of scores to bf16 probabilities; returns 1 / sum. */
AVX static inline float softmax_row(uint16_t *p, float *s, int nk, int nk32)
{
    int last = nk / 16 * 16;
    if (last < nk) {
        __m512 v = _mm512_mask_loadu_ps(_mm512_set1_ps(-INFINITY), lanes(nk - last), s + last);
        _mm512_store_ps(s + last, v);
        last += 16;
    }
    if (last < nk32) _mm512_store_ps(s + last, _mm512_set1_ps(-INFINITY));
    __m512 m0 = _mm512_load_ps(s), m1 = _mm512_load_ps(s + 16);
    for (int j = 32; j < nk32; j += 32) {
        m0 = _mm512_max_ps(m0, _mm512_load_ps(s + j));
        m1 = _mm512_max_ps(m1, _mm512_load_ps(s + j + 16));
    }
    __m512 m = _mm512_set1_ps(_mm512_reduce_max_ps(_mm512_max_ps(m0, m1)));
    m0 = m1 = _mm512_setzero_ps();
    /* below 2^-120 nothing is left beside the largest; the clamp also keeps -inf out of the fraction */
    __m512 floor = _mm512_set1_ps(-120.0f);
    for (int j = 0; j < nk32; j += 32) {
        __m512 a = exp2_coarse(_mm512_max_ps(_mm512_sub_ps(_mm512_load_ps(s + j), m), floor));
        __m512 b = exp2_coarse(_mm512_max_ps(_mm512_sub_ps(_mm512_load_ps(s + j + 16), m), floor));
        m0 = _mm512_add_ps(m0, a);
        m1 = _mm512_add_ps(m1, b);
        _mm512_store_si512(p + j, (__m512i)_mm512_cvtne2ps_pbh(b, a));
    }
    return 1.0f / _mm512_reduce_add_ps(_mm512_add_ps(m0, m1));
}

AMX static void configure(void)
{
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } cfg;
    memset(&cfg, 0, sizeof cfg);
    cfg.palette = 1;
    for (int i = 0; i < 8; i++) {
        cfg.row_bytes[i] = 64;
        cfg.rows[i] = 16;
    }
    _tile_loadconfig(&cfg);
}

/* Tile loads do not tell the compiler what they read: everything before is in memory from here on. */
static inline void publish(void)
{
    __asm__ volatile("" ::: "memory");
}

AMX static void score_block(const plan *w, float *s)
{
    size_t ld = (size_t)w->ld * sizeof(float), step = (size_t)w->dk * TILE;
    publish();
    for (int b = 0; b < w->nk32 / 16; b += 2) {
        const uint8_t *kb = w->kb + (size_t)b * step;
        _tile_zero(0);
        _tile_zero(1);
        for (int d = 0; d < w->dk; d++) {
            _tile_loadd(4, w->qb + (size_t)d * TILE, 64);
            _tile_loadd(5, kb + (size_t)d * TILE, 64);
            _tile_loadd(6, kb + step + (size_t)d * TILE, 64);
            _tile_dpbf16ps(0, 4, 5);
            _tile_dpbf16ps(1, 4, 6);
        }
        _tile_stored(0, s + 16 * b, ld);
        _tile_stored(1, s + 16 * b + 16, ld);
    }
}

AMX static void value_block(const plan *w, const uint16_t *p)
{
    size_t ld = (size_t)w->ld * sizeof(uint16_t), out = (size_t)w->dn * 64;
    publish();
    for (int d = 0; d < w->dn; d += 2) {
        bool two = d + 1 < w->dn;
        _tile_zero(0);
        _tile_zero(1);
        for (int b = 0; b < w->nk32 / 32; b++) {
            const uint8_t *vb = w->vb + (size_t)(b * w->dn + d) * TILE;
            _tile_loadd(4, p + 32 * b, ld);
            _tile_loadd(5, vb, 64);
            _tile_dpbf16ps(0, 4, 5);
            if (two) {
                _tile_loadd(6, vb + TILE, 64);
                _tile_dpbf16ps(1, 4, 6);
            }
        }
        _tile_stored(0, w->o + 16 * d, out);
        if (two) _tile_stored(1, w->o + 16 * d + 16, out);
    }
}

AVX static void pack_queries(const plan *w, const snc_infer__head *a, int i, int rows)
{
    __m512 scale = _mm512_set1_ps(a->scale * 1.44269504f);
    for (int d = 0; d < w->dk; d++)
        for (int r = 0; r < 16; r++) {
            const float *q = a->q + (size_t)(i + r) * (size_t)a->ldq + 32 * d;
            __m512i v = r < rows ? load_bf16(q, a->D - 32 * d, scale) : _mm512_setzero_si512();
            _mm512_store_si512(w->qb + (size_t)d * TILE + 64 * r, v);
        }
}

AVX static void store_values(const plan *w, const snc_infer__head *a, int i, int rows, const float *inv)
{
    for (int r = 0; r < rows; r++)
        for (int d = 0; d < w->dn; d++) {
            __m512 o = _mm512_mul_ps(_mm512_load_ps(w->o + 16 * (r * w->dn + d)), _mm512_set1_ps(inv[r]));
            _mm512_mask_storeu_ps(a->y + (size_t)(i + r) * (size_t)a->ldy + 16 * d, lanes(a->D - 16 * d), o);
        }
}

static int rows_at(const snc_infer__head *a, int i)
{
    return a->nq - i < 16 ? a->nq - i : 16;
}

/* Three blocks of queries overlap, so that no unit waits for the stores of the step before: scores of the next, softmax
 * of this one, values of the last. */
AMX void snc_infer__attention_amx(const snc_infer__head *a, void *scratch)
{
    plan w = plan_of(a->nk, a->D, scratch);
    float inv[2][16];
    configure();
    pack_keys(&w, a);
    pack_values(&w, a);
    pack_queries(&w, a, 0, rows_at(a, 0));
    score_block(&w, w.s[0]);
    for (int i = 0, turn = 0; i < a->nq; i += 16, turn ^= 1) {
        int rows = rows_at(a, i);
        if (i + 16 < a->nq) {
            pack_queries(&w, a, i + 16, rows_at(a, i + 16));
            score_block(&w, w.s[turn ^ 1]);
        }
        for (int r = 0; r < rows; r++) {
            size_t at = (size_t)r * (size_t)w.ld;
            inv[turn][r] = softmax_row(w.p[turn] + at, w.s[turn] + at, a->nk, w.nk32);
        }
        if (i > 0) {
            value_block(&w, w.p[turn ^ 1]);
            store_values(&w, a, i - 16, 16, inv[turn ^ 1]);
        }
    }
    int last = (a->nq - 1) / 16;
    value_block(&w, w.p[last & 1]);
    store_values(&w, a, 16 * last, rows_at(a, 16 * last), inv[last & 1]);
}
#else
typedef int snc_infer_amx_needs_x86;
#endif
