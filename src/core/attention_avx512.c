/* Attention of the heads of one sequence on 512-bit vectors without tiles: operands in bf16, widened to f32 once a head.
 *
 * Eight queries at a time: scores [8, nk], softmax, values [8, D]. A multiply-add of f32 is the widest product that every CPU at hand
 * does at full speed: `vdpbf16ps` does twice the work at a quarter of the rate on those of Intel.
 *
 *   keys    [nk/32][D][32] f32: what 32 scores of a query need, behind each other         values  [nk][D padded to 32] f32
 *
 * Padding keys get a score of -inf. Exponentials are made in the bits of bf16, 32 at once, as core/infer_amx.c explains; packed words
 * come back in the order in which they went, since packing and unpacking interleave alike. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "core/infer_priv.h"
#include "core/transpose512.h"

#define AVX    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define INLINE static inline AVX __attribute__((always_inline))

enum { ROWS = 8, STEP = 32 /* keys, dims of values */ };

typedef struct plan {
    size_t floats;
    int nk32, D32;
    float *k, *v, *q, *s;
    uint16_t *half; /* rows of q, k and v that came as f32 */
} plan;

static plan plan_of(int nk, int D, float *scratch)
{
    plan w = {.nk32 = (nk + STEP - 1) / STEP * STEP, .D32 = (D + STEP - 1) / STEP * STEP};
    float *at = scratch;
    w.k = at, at += (size_t)w.nk32 * (size_t)w.D32;
    w.v = at, at += (size_t)nk * (size_t)w.D32;
    w.q = at, at += ROWS * (size_t)w.D32;
    w.s = at, at += ROWS * (size_t)w.nk32;
    w.half = (uint16_t *)(void *)at, at += 3 * (size_t)nk * (size_t)w.D32 / 2;
    w.floats = (size_t)(at - scratch);
    return w;
}

size_t snc_infer__attention_avx512_scratch(int max_len, int D)
{
    static _Alignas(64) float origin[16];
    return plan_of(max_len, D, origin).floats * sizeof(float);
}

INLINE __mmask32 lanes32(int n) { return n >= 32 ? 0xffffffffu : n <= 0 ? 0 : (1u << n) - 1; }
INLINE __m512 even(__m512i pairs) { return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)); }
INLINE __m512 odd(__m512i pairs) { return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int)0xffff0000))); }

AVX static void widen_keys(const plan *w, const snc_infer__half *a, const uint16_t *k)
{
    for (int j = 0; j < w->nk32; j += 16)
        for (int d = 0; d < a->D; d += STEP) {
            __m512i r[16];
            __mmask32 m = lanes32(a->D - d);
            for (int i = 0; i < 16; i++)
                r[i] = j + i < a->nk ? _mm512_maskz_loadu_epi16(m, k + (size_t)(j + i) * (size_t)a->ldkv + d) : _mm512_setzero_si512();
            snc_transpose512(r);
            float *out = w->k + (size_t)(j / STEP) * (size_t)a->D * STEP + (size_t)d * STEP + j % STEP;
            for (int i = 0; i < 16 && d + 2 * i < a->D; i++, out += 2 * STEP) {
                _mm512_store_ps(out, even(r[i]));
                if (d + 2 * i + 1 < a->D) _mm512_store_ps(out + STEP, odd(r[i]));
            }
        }
}

/* Rows of D bf16 to rows of f32 that are padded with zeros. */
AVX static void widen_rows(float *out, int ldout, const uint16_t *x, int ldx, int rows, int D)
{
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < ldout; d += 16) {
            __m256i h = _mm256_maskz_loadu_epi16((__mmask16)lanes32(D - d > 16 ? 16 : D - d), x + (size_t)t * (size_t)ldx + d);
            _mm512_store_ps(out + (size_t)t * (size_t)ldout + d, even(_mm512_cvtepu16_epi32(h)));
        }
}

/* Row r of those from x0 on, ld apart, where x4 is row 4: three registers for eight rows, if the compiler does not see it. */
#define OPAQUE(p)               __asm__("" : "+r"(p))
#define ROW(x0, x4, ld, ld3, r) ((r < 4 ? x0 : x4) + (r % 4 == 3 ? ld3 : (size_t)(r % 4) * ld))
#define EACH                    _Pragma("GCC unroll 8") for (int r = 0; r < ROWS; r++)

/* a [8, 32] = x [8, n] b [n, 32]. */
AVX __attribute__((always_inline)) static inline void multiply(__m512 a[ROWS][2], const float *x, size_t ld, int n, const float *b,
                                                               size_t ldb)
{
    const float *x0 = x, *x4 = x0 + 4 * ld, *end = x0 + n;
    size_t ld3 = 3 * ld;
    OPAQUE(ld3);
    EACH a[r][0] = a[r][1] = _mm512_setzero_ps();
    for (; x0 < end; x0++, x4++, b += ldb) {
        OPAQUE(x0);
        OPAQUE(x4);
        __m512 b0 = _mm512_load_ps(b), b1 = _mm512_load_ps(b + 16);
        EACH
        {
            __m512 all = _mm512_set1_ps(*ROW(x0, x4, ld, ld3, r));
            a[r][0] = _mm512_fmadd_ps(all, b0, a[r][0]);
            a[r][1] = _mm512_fmadd_ps(all, b1, a[r][1]);
        }
    }
}

/* s [8, nk32] = q k^T, -inf from nk on. */
AVX static void scores(const plan *w, int D, int nk)
{
    for (int j = 0; j < w->nk32; j += STEP) {
        __m512 a[ROWS][2];
        multiply(a, w->q, (size_t)w->D32, D, w->k + (size_t)j * (size_t)D, STEP);
        __mmask32 gone = ~lanes32(nk - j);
        EACH
        {
            float *s = w->s + (size_t)r * (size_t)w->nk32 + j;
            _mm512_store_ps(s, _mm512_mask_mov_ps(a[r][0], (__mmask16)gone, _mm512_set1_ps(-INFINITY)));
            _mm512_store_ps(s + 16, _mm512_mask_mov_ps(a[r][1], (__mmask16)(gone >> 16), _mm512_set1_ps(-INFINITY)));
        }
    }
}

/* What is added to the scores of `rows` queries from i on. */
AVX static void add_bias(const plan *w, const snc_infer__half *a, const float *bias, int i, int rows)
{
    for (int r = 0; r < rows; r++) {
        const float *b = bias + (i + r) * a->bias.query;
        float *s = w->s + (size_t)r * (size_t)w->nk32;
        for (int j = 0; j < a->nk; j += 16) {
            __mmask16 m = (__mmask16)lanes32(a->nk - j > 16 ? 16 : a->nk - j);
            _mm512_mask_store_ps(s + j, m, _mm512_add_ps(_mm512_load_ps(s + j), _mm512_maskz_loadu_ps(m, b + j)));
        }
    }
}

#define FOUR _Pragma("GCC unroll 4") for (int r = 0; r < 4; r++)

/* Four rows of scores to probabilities in f32 that bf16 can hold; inv [4] = 1 / their sums. c1 takes a score to 128 log2 of its
 * exponential. */
AVX static void softmax4(float *s, size_t ld, int nk32, __m512 c1, float *inv)
{
    static const uint16_t bend[32] = SNC_INFER__BEND;
    const __m512i table = _mm512_loadu_si512(bend), zero = _mm512_setzero_si512();
    __m512 m[4], c0[4], u;
    FOUR m[r] = _mm512_max_ps(_mm512_load_ps(s + (size_t)r * ld), _mm512_load_ps(s + (size_t)r * ld + 16));
    for (int j = STEP; j < nk32; j += STEP)
        FOUR m[r] = _mm512_max_ps(m[r], _mm512_max_ps(_mm512_load_ps(s + (size_t)r * ld + j), _mm512_load_ps(s + (size_t)r * ld + j + 16)));
    SNC_JOIN4(_mm512_max_ps, m, u);
    u = _mm512_fnmadd_ps(u, c1, _mm512_set1_ps(SNC_INFER__ONE));
    c0[0] = _mm512_permute_ps(u, 0x00);
    c0[1] = _mm512_permute_ps(u, 0x55);
    c0[2] = _mm512_permute_ps(u, 0xaa);
    c0[3] = _mm512_permute_ps(u, 0xff);
    FOUR m[r] = _mm512_setzero_ps();
    for (int j = 0; j < nk32; j += STEP) FOUR
        {
            float *at = s + (size_t)r * ld + j;
            __m512i lo = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_load_ps(at), c1, c0[r]));
            __m512i hi = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_load_ps(at + 16), c1, c0[r]));
            lo = _mm512_packus_epi32(lo, hi);
            lo = _mm512_subs_epu16(lo, _mm512_permutexvar_epi16(_mm512_srli_epi16(lo, 2), table)); /* looks at five bits alone */
            __m512 p0 = _mm512_castsi512_ps(_mm512_unpacklo_epi16(zero, lo)), p1 = _mm512_castsi512_ps(_mm512_unpackhi_epi16(zero, lo));
            _mm512_store_ps(at, p0);
            _mm512_store_ps(at + 16, p1);
            m[r] = _mm512_add_ps(m[r], _mm512_add_ps(p0, p1));
        }
    SNC_JOIN4(_mm512_add_ps, m, u);
    _mm_storeu_ps(inv, _mm_div_ps(_mm_set1_ps(1.0f), _mm512_castps512_ps128(u)));
}

/* y [rows, D] = s v, each row times its inv. */
AVX static void values(const plan *w, const snc_infer__half *a, float *y, const float *inv, int rows)
{
    for (int d = 0; d < a->D; d += STEP) {
        __m512 o[ROWS][2];
        multiply(o, w->s, (size_t)w->nk32, a->nk, w->v + d, (size_t)w->D32);
        __mmask32 m = lanes32(a->D - d);
        EACH
        {
            float *out = y + (size_t)r * (size_t)a->ldy + d;
            if (r >= rows) break;
            _mm512_mask_storeu_ps(out, (__mmask16)m, _mm512_mul_ps(o[r][0], _mm512_set1_ps(inv[r])));
            _mm512_mask_storeu_ps(out + 16, (__mmask16)(m >> 16), _mm512_mul_ps(o[r][1], _mm512_set1_ps(inv[r])));
        }
    }
}

AVX void snc_infer__half_avx512(const snc_infer__half *a, int heads, void *scratch)
{
    plan w = plan_of(a->nk, a->D, scratch);
    float inv[ROWS];
    __m512 c1 = _mm512_set1_ps(a->scale * SNC_INFER__LOG);
    memset(w.q, 0, ROWS * (size_t)w.D32 * sizeof *w.q);
    for (int h = 0; h < heads; h++) {
        size_t at = (size_t)h * (size_t)a->D;
        const float *bias = a->bias.at ? a->bias.at + h * a->bias.head : NULL;
        widen_keys(&w, a, a->k + at);
        widen_rows(w.v, w.D32, a->v + at, a->ldkv, a->nk, a->D);
        for (int i = 0; i < a->nq; i += ROWS) { /* of the last eight some may be rows of before */
            int rows = a->nq - i < ROWS ? a->nq - i : ROWS;
            widen_rows(w.q, w.D32, a->q + at + (size_t)i * (size_t)a->ldq, a->ldq, rows, a->D);
            scores(&w, a->D, a->nk);
            if (bias) add_bias(&w, a, bias, i, rows);
            for (int r = 0; r < rows; r += 4) softmax4(w.s + (size_t)r * (size_t)w.nk32, (size_t)w.nk32, w.nk32, c1, inv + r);
            values(&w, a, a->y + at + (size_t)i * (size_t)a->ldy, inv, rows);
        }
    }
}

/* Finite numbers, rounded as snc_bf16_from_f32 does. */
AVX static void to_half(uint16_t *out, int ld, const float *x, int ldx, int rows, int D)
{
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < D; d += 16) {
            __mmask16 m = (__mmask16)lanes32(D - d > 16 ? 16 : D - d);
            __m512i u = _mm512_castps_si512(_mm512_maskz_loadu_ps(m, x + (size_t)t * (size_t)ldx + d));
            __m512i up = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
            u = _mm512_add_epi32(u, _mm512_add_epi32(up, _mm512_set1_epi32(0x7fff)));
            _mm256_mask_storeu_epi16(out + (size_t)t * (size_t)ld + d, m, _mm512_cvtepi32_epi16(_mm512_srli_epi32(u, 16)));
        }
}

void snc_infer__narrow_avx512(const snc_infer__head *a, void *scratch)
{
    plan w = plan_of(a->nk, a->D, scratch);
    uint16_t *q = w.half, *k = q + (size_t)a->nq * (size_t)w.D32, *v = k + (size_t)a->nk * (size_t)w.D32;
    to_half(q, w.D32, a->q, a->ldq, a->nq, a->D);
    to_half(k, w.D32, a->k, a->ldkv, a->nk, a->D);
    to_half(v, w.D32, a->v, a->ldkv, a->nk, a->D);
    snc_infer__half half = {a->y, q, k, v, a->ldy, w.D32, w.D32, a->nq, a->nk, a->D, a->scale, a->bias};
    snc_infer__half_avx512(&half, 1, scratch);
}
#else
typedef int snc_attention_avx512_needs_x86;
#endif
