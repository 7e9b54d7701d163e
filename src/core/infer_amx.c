/* Attention of the heads of one sequence on AMX tiles, bf16 operands and f32 sums.
 *
 * Blocks of 16 queries: S [16, nk] = Q K^T in tiles of 16 keys, softmax, then Y [16, D] = P V in steps of 32 keys. Queries are
 * tiles as they lie; keys and values are packed once per head:
 *
 *   kb  [nk/16][D/32] tiles of [16 pairs of dims][16 keys][2]     vb  [nk/32][D/16] tiles of [16 pairs of keys][16 dims][2]
 *
 * Padding keys get a score of -inf and zero values.
 *
 * The exponential is made in the bits of its result. A bf16 of 2^x has x + 127 in its upper and 2^f - 1, f the fraction of x,
 * in its lower seven bits, so t = 128 (x + 127) rounded to an integer is that number but for 2^f - 1 - f, which 32 table
 * entries of five bits of f give: two vectors of scores become 32 probabilities by two multiply-adds, two conversions, a pack
 * that saturates (what is below 2^-127 becomes 0), a shift, a permutation and a subtraction. Relative error below 0.9 % (root
 * mean square 0.3 %), which the sum of the same probabilities divides out in part. The pack interleaves its operands by groups of
 * four; values are packed in the same order. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "core/amx_tiles.h"
#include "core/infer_priv.h"
#include "core/transpose512.h"

#define AVX    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")))
#define INLINE static inline AVX __attribute__((always_inline))
#define AMX    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,amx-tile,amx-bf16")))

enum { TILE = 1024, ROW = 32 }; /* bytes of 16 rows of 64; bf16 of such a row */

typedef struct plan {
    size_t bytes;
    /* keys padded to 32, elements of a row of s and p, tiles across the width for Q K^T and for P V */
    int nk32, ld, dk, dn;
    uint8_t *kb, *vb, *qb;
    float *s[2], *o; /* two blocks of queries are under way */
    uint16_t *p[2];
    uint16_t *half; /* rows of q, k and v that came as f32 */
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
    w.half = (uint16_t *)(void *)at, at += 3 * (size_t)nk * (size_t)w.dk * ROW * sizeof(uint16_t);
    w.bytes = (size_t)(at - (uint8_t *)scratch);
    return w;
}

size_t snc_infer__attention_amx_scratch(int max_len, int D)
{
    static _Alignas(64) uint8_t origin[64];
    return plan_of(max_len, D, origin).bytes;
}

INLINE __mmask16 lanes(int n) { return n >= 16 ? (__mmask16)0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }

INLINE __mmask32 lanes32(int n) { return n >= 32 ? 0xffffffffu : n <= 0 ? 0 : (1u << n) - 1; }

AVX static void pack_keys(const plan *w, const snc_infer__half *a, const uint16_t *k)
{
    for (int b = 0; b < w->nk32 / 16; b++)
        for (int d = 0; d < w->dk; d++) {
            __m512i r[16];
            __mmask32 m = lanes32(a->D - ROW * d);
            for (int i = 0; i < 16; i++) {
                int j = 16 * b + i;
                r[i] = j < a->nk ? _mm512_maskz_loadu_epi16(m, k + (size_t)j * (size_t)a->ldkv + ROW * d) : _mm512_setzero_si512();
            }
            snc_transpose512(r);
            uint8_t *out = w->kb + (size_t)(b * w->dk + d) * TILE;
            for (int i = 0; i < 16; i++) _mm512_store_si512(out + 64 * i, r[i]);
        }
}

/* Pair i of a step of 32 keys begins at this key: the order in which softmax leaves its probabilities. */
static inline int key_of_pair(int i) { return i / 4 * 4 + (i % 4 < 2 ? 2 * (i % 4) : 16 + 2 * (i % 4 - 2)); }

AVX static void pack_values(const plan *w, const snc_infer__half *a, const uint16_t *values)
{
    static const uint16_t zip[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                     8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    __m512i order = _mm512_loadu_si512(zip);
    for (int b = 0; b < w->nk32 / 32; b++)
        for (int d = 0; d < w->dn; d++) {
            uint8_t *out = w->vb + (size_t)(b * w->dn + d) * TILE;
            __mmask16 m = lanes(a->D - 16 * d);
            for (int i = 0; i < 16; i++) {
                int j = 32 * b + key_of_pair(i);
                const uint16_t *v = values + (size_t)j * (size_t)a->ldkv + 16 * d;
                __m256i lo = j < a->nk ? _mm256_maskz_loadu_epi16(m, v) : _mm256_setzero_si256();
                __m256i hi = j + 1 < a->nk ? _mm256_maskz_loadu_epi16(m, v + a->ldkv) : _mm256_setzero_si256();
                __m512i pair = _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1);
                _mm512_store_si512(out + 64 * i, _mm512_permutexvar_epi16(order, pair));
            }
        }
}

static const uint16_t bend[32] = SNC_INFER__BEND;

#define EACH _Pragma("GCC unroll 4") for (int r = 0; r < 4; r++)

/* Four rows of scores to bf16 probabilities; inv [4] = 1 / their sums. c1 takes a score to 128 log2 of its exponential. */
AVX static inline void softmax4(uint16_t *p, float *s, size_t ld, int nk32, __m512 c1, float *inv)
{
    const __m512i table = _mm512_loadu_si512(bend);
    const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3f80);
    __m512 m[4], c0[4], u;
    EACH m[r] = _mm512_max_ps(_mm512_load_ps(s + (size_t)r * ld), _mm512_load_ps(s + (size_t)r * ld + 16));
    for (int j = 32; j < nk32; j += 32) {
        EACH m[r] = _mm512_max_ps(m[r], _mm512_load_ps(s + (size_t)r * ld + j));
        EACH m[r] = _mm512_max_ps(m[r], _mm512_load_ps(s + (size_t)r * ld + j + 16));
    }
    SNC_JOIN4(_mm512_max_ps, m, u);
    u = _mm512_fnmadd_ps(u, c1, _mm512_set1_ps(SNC_INFER__ONE));
    c0[0] = _mm512_permute_ps(u, 0x00);
    c0[1] = _mm512_permute_ps(u, 0x55);
    c0[2] = _mm512_permute_ps(u, 0xaa);
    c0[3] = _mm512_permute_ps(u, 0xff);
    EACH m[r] = _mm512_setzero_ps();
    for (int j = 0; j < nk32; j += 32) {
        __m512i lo[4], hi[4];
        EACH lo[r] = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_load_ps(s + (size_t)r * ld + j), c1, c0[r]));
        EACH hi[r] = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_load_ps(s + (size_t)r * ld + j + 16), c1, c0[r]));
        EACH lo[r] = _mm512_packus_epi32(lo[r], hi[r]);
        EACH hi[r] = _mm512_permutexvar_epi16(_mm512_srli_epi16(lo[r], 2), table); /* looks at five bits alone */
        EACH lo[r] = _mm512_subs_epu16(lo[r], hi[r]);
        EACH m[r] = _mm512_dpbf16_ps(m[r], (__m512bh)lo[r], ones);
        EACH _mm512_store_si512(p + (size_t)r * ld + j, lo[r]);
    }
    SNC_JOIN4(_mm512_add_ps, m, u);
    _mm_storeu_ps(inv, _mm_div_ps(_mm_set1_ps(1.0f), _mm512_castps512_ps128(u)));
}

/* What is added to the scores of 16 queries from i on. */
AVX static void add_bias(const plan *w, const snc_infer__half *a, const float *bias, int i, float *s)
{
    for (int r = 0; r < 16 && i + r < a->nq; r++) {
        const float *b = bias + (i + r) * a->bias.query;
        float *row = s + (size_t)r * (size_t)w->ld;
        for (int j = 0; j < a->nk; j += 16) {
            __mmask16 m = lanes(a->nk - j);
            _mm512_mask_store_ps(row + j, m, _mm512_add_ps(_mm512_load_ps(row + j), _mm512_maskz_loadu_ps(m, b + j)));
        }
    }
}

/* The scores of 16 queries, cut at nk, to probabilities. */
AVX static void softmax_block(const plan *w, int turn, int nk, __m512 c1, float *inv)
{
    float *s = w->s[turn];
    size_t ld = (size_t)w->ld;
    if (nk < w->nk32) {
        int last = nk / 16 * 16;
        __mmask16 gone = (__mmask16)~lanes(nk - last);
        for (int r = 0; r < 16; r++) {
            _mm512_mask_store_ps(s + (size_t)r * ld + last, gone, _mm512_set1_ps(-INFINITY));
            if (last + 16 < w->nk32) _mm512_store_ps(s + (size_t)r * ld + last + 16, _mm512_set1_ps(-INFINITY));
        }
    }
    for (int r = 0; r < 16; r += 4) softmax4(w->p[turn] + (size_t)r * ld, s + (size_t)r * ld, ld, w->nk32, c1, inv + r);
}

/* Tile loads do not tell the compiler what they read: everything before is in memory from here on. */
static inline void publish(void) { __asm__ volatile("" ::: "memory"); }

/* Where the tile of 16 queries lies, and how far its rows are apart in bytes: in place, or copied where rows or dims end. */
AVX static const void *queries(size_t *stride, const plan *w, const snc_infer__half *a, const uint16_t *q, int i)
{
    int rows = a->nq - i < 16 ? a->nq - i : 16;
    q += (size_t)i * (size_t)a->ldq;
    *stride = (size_t)a->ldq * sizeof *q;
    if (rows == 16 && a->D % ROW == 0) return q;
    for (int d = 0; d < w->dk; d++)
        for (int r = 0; r < 16; r++) {
            __mmask32 m = r < rows ? lanes32(a->D - ROW * d) : 0;
            __m512i v = _mm512_maskz_loadu_epi16(m, q + (r < rows ? (size_t)r * (size_t)a->ldq + (size_t)(ROW * d) : 0));
            _mm512_store_si512(w->qb + ((size_t)r * (size_t)w->dk + (size_t)d) * 64, v);
        }
    *stride = (size_t)w->dk * 64;
    return w->qb;
}

AMX static void score_block(const plan *w, const snc_infer__half *a, const uint16_t *q, int i, float *s)
{
    size_t ld = (size_t)w->ld * sizeof(float), step = (size_t)w->dk * TILE, stride;
    const uint8_t *qb = queries(&stride, w, a, q, i);
    publish();
    for (int b = 0; b < w->nk32 / 16; b += 2) {
        const uint8_t *kb = w->kb + (size_t)b * step;
        _tile_zero(0);
        _tile_zero(1);
        for (int d = 0; d < w->dk; d++) {
            _tile_loadd(4, qb + 64 * d, stride);
            _tile_loadd(5, kb + (size_t)d * TILE, 64);
            _tile_loadd(6, kb + step + (size_t)d * TILE, 64);
            _tile_dpbf16ps(0, 4, 5);
            _tile_dpbf16ps(1, 4, 6);
        }
        _tile_stored(0, s + 16 * b, ld);
        _tile_stored(1, s + 16 * b + 16, ld);
    }
    publish();
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
    publish();
}

AVX static void store_values(const plan *w, const snc_infer__half *a, float *y, int i, const float *inv)
{
    int rows = a->nq - i < 16 ? a->nq - i : 16;
    for (int r = 0; r < rows; r++)
        for (int d = 0; d < w->dn; d++) {
            __m512 o = _mm512_mul_ps(_mm512_load_ps(w->o + 16 * (r * w->dn + d)), _mm512_set1_ps(inv[r]));
            _mm512_mask_storeu_ps(y + (size_t)(i + r) * (size_t)a->ldy + 16 * d, lanes(a->D - 16 * d), o);
        }
}

/* Three blocks of queries overlap, so that no unit waits for the stores of the step before: scores of the next, softmax
 * of this one, values of the last. */
AMX static void one_head(const plan *w, const snc_infer__half *a, int h)
{
    const uint16_t *q = a->q + (size_t)h * (size_t)a->D;
    const float *bias = a->bias.at ? a->bias.at + h * a->bias.head : NULL;
    float inv[2][16], *y = a->y + (size_t)h * (size_t)a->D;
    __m512 c1 = _mm512_set1_ps(a->scale * SNC_INFER__LOG);
    int last = (a->nq - 1) / 16 * 16, turn = 0;
    pack_keys(w, a, a->k + (size_t)h * (size_t)a->D);
    pack_values(w, a, a->v + (size_t)h * (size_t)a->D);
    score_block(w, a, q, 0, w->s[0]);
    if (bias) add_bias(w, a, bias, 0, w->s[0]);
    for (int i = 0; i <= last; i += 16, turn ^= 1) {
        if (i < last) score_block(w, a, q, i + 16, w->s[turn ^ 1]);
        if (i < last && bias) add_bias(w, a, bias, i + 16, w->s[turn ^ 1]);
        softmax_block(w, turn, a->nk, c1, inv[turn]);
        if (i > 0) {
            value_block(w, w->p[turn ^ 1]);
            store_values(w, a, y, i - 16, inv[turn ^ 1]);
        }
    }
    value_block(w, w->p[turn ^ 1]);
    store_values(w, a, y, last, inv[turn ^ 1]);
}

AMX void snc_infer__half_amx(const snc_infer__half *a, int heads, void *scratch)
{
    plan w = plan_of(a->nk, a->D, scratch);
    snc_amx__configure(16);
    for (int h = 0; h < heads; h++) one_head(&w, a, h);
    _tile_release();
}

AVX static void to_half(uint16_t *out, int ld, const float *x, int ldx, int rows, int D)
{
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < D; d += 16) {
            __m256bh h = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes(D - d), x + (size_t)t * (size_t)ldx + d));
            memcpy(out + (size_t)t * (size_t)ld + d, &h, sizeof h);
        }
}

void snc_infer__attention_amx(const snc_infer__head *a, void *scratch)
{
    plan w = plan_of(a->nk, a->D, scratch);
    int ld = w.dk * ROW;
    uint16_t *q = w.half, *k = q + (size_t)a->nq * (size_t)ld, *v = k + (size_t)a->nk * (size_t)ld;
    to_half(q, ld, a->q, a->ldq, a->nq, a->D);
    to_half(k, ld, a->k, a->ldkv, a->nk, a->D);
    to_half(v, ld, a->v, a->ldkv, a->nk, a->D);
    snc_infer__half half = {a->y, q, k, v, a->ldy, ld, ld, a->nq, a->nk, a->D, a->scale, a->bias};
    snc_infer__half_amx(&half, 1, scratch);
}
#else
typedef int snc_infer_amx_needs_x86;
#endif
