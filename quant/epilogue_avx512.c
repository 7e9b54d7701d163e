/* The epilogues on 512-bit vectors, and those that store rows as bf16 or f16, which only these CPUs have. */
#include "quant/epilogue_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

#define T512   __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define INLINE static inline T512 __attribute__((always_inline))

/* Four vectors go through each step together: one chain of dependent multiply-adds would leave the units waiting. */
#define EACH _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)

typedef struct four {
    __m512 v[4];
} four;

INLINE four exp512(four x)
{
    const __m512 magic = _mm512_set1_ps(SNC_EXP_MAGIC), hi = _mm512_set1_ps(SNC_EXP_CUT), lo = _mm512_set1_ps(-SNC_EXP_CUT);
    four m, r, p;
    EACH x.v[i] = _mm512_max_ps(lo, _mm512_min_ps(hi, x.v[i]));
    EACH m.v[i] = _mm512_fmadd_ps(x.v[i], _mm512_set1_ps(SNC_LOG2E), magic);
    EACH p.v[i] = _mm512_sub_ps(m.v[i], magic);
    EACH r.v[i] = _mm512_fmadd_ps(p.v[i], _mm512_set1_ps(-SNC_LN2_HI), x.v[i]);
    EACH r.v[i] = _mm512_fmadd_ps(p.v[i], _mm512_set1_ps(-SNC_LN2_LO), r.v[i]);
    EACH p.v[i] = _mm512_set1_ps(snc_exp_poly[SNC_EXP_TERMS - 1]);
#pragma GCC unroll 8
    for (int k = SNC_EXP_TERMS - 2; k >= 0; k--) EACH p.v[i] = _mm512_fmadd_ps(p.v[i], r.v[i], _mm512_set1_ps(snc_exp_poly[k]));
    EACH
    {
        __m512i bits = _mm512_slli_epi32(_mm512_add_epi32(_mm512_castps_si512(m.v[i]), _mm512_set1_epi32(127)), 23);
        p.v[i] = _mm512_mul_ps(p.v[i], _mm512_castsi512_ps(bits));
    }
    return p;
}

INLINE four gelu512(four x)
{
    four t, r;
    EACH t.v[i] = _mm512_min_ps(_mm512_set1_ps(SNC_GELU_CUT), _mm512_abs_ps(x.v[i]));
    EACH t.v[i] = _mm512_fmadd_ps(t.v[i], _mm512_set1_ps(2 / SNC_GELU_CUT), _mm512_set1_ps(-1.0f));
    EACH r.v[i] = _mm512_set1_ps(snc_gelu_poly[SNC_GELU_TERMS - 1]);
#pragma GCC unroll 16
    for (int k = SNC_GELU_TERMS - 2; k >= 0; k--) EACH r.v[i] = _mm512_fmadd_ps(r.v[i], t.v[i], _mm512_set1_ps(snc_gelu_poly[k]));
    EACH r.v[i] = _mm512_sub_ps(_mm512_max_ps(_mm512_setzero_ps(), x.v[i]), r.v[i]);
    return r;
}

INLINE __m512 piece(const float *table, __m512i i)
{
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), i, _mm512_loadu_ps(table + 16));
}

INLINE four gelu_quick512(four x)
{
    const __m512 magic = _mm512_set1_ps(SNC_EXP_MAGIC);
    four a, r;
    __m512i at[4]; /* the permutation looks at the low five bits alone */
    EACH a.v[i] = _mm512_min_ps(_mm512_set1_ps(SNC_GELU_QUICK_CUT), _mm512_abs_ps(x.v[i]));
    EACH at[i] = _mm512_castps_si512(_mm512_fmadd_ps(a.v[i], _mm512_set1_ps(SNC_GELU_PIECE), magic));
    EACH r.v[i] = _mm512_fmadd_ps(piece(snc_gelu_table[2], at[i]), a.v[i], piece(snc_gelu_table[1], at[i]));
    EACH r.v[i] = _mm512_fmadd_ps(r.v[i], a.v[i], piece(snc_gelu_table[0], at[i]));
    EACH r.v[i] = _mm512_sub_ps(_mm512_max_ps(_mm512_setzero_ps(), x.v[i]), r.v[i]);
    return r;
}

INLINE four gelu_tanh512(four x)
{
    const __m512 one = _mm512_set1_ps(1.0f);
    four u;
    EACH u.v[i] = _mm512_fmadd_ps(_mm512_mul_ps(x.v[i], x.v[i]), _mm512_set1_ps(SNC_GELU_A), one);
    EACH u.v[i] = _mm512_mul_ps(_mm512_mul_ps(u.v[i], x.v[i]), _mm512_set1_ps(SNC_GELU_B));
    u = exp512(u);
    EACH u.v[i] = _mm512_div_ps(x.v[i], _mm512_add_ps(one, u.v[i]));
    return u;
}

INLINE four tanh512(four x)
{
    const __m512 one = _mm512_set1_ps(1.0f), sign = _mm512_set1_ps(-0.0f), cut = _mm512_set1_ps(SNC_TANH_CUT);
    four e;
    EACH e.v[i] = _mm512_mul_ps(_mm512_set1_ps(2.0f), _mm512_min_ps(cut, _mm512_abs_ps(x.v[i])));
    e = exp512(e);
    EACH e.v[i] = _mm512_div_ps(_mm512_sub_ps(e.v[i], one), _mm512_add_ps(e.v[i], one));
    EACH e.v[i] = _mm512_or_ps(_mm512_andnot_ps(sign, e.v[i]), _mm512_and_ps(sign, x.v[i]));
    return e;
}

INLINE four activate(four x, snc_epilogue epi, bool scaled)
{
    if (epi == SNC_EPI_GELU) return scaled ? gelu_quick512(x) : gelu512(x);
    if (epi == SNC_EPI_GELU_TANH) return gelu_tanh512(x);
    if (epi == SNC_EPI_TANH) return tanh512(x);
    if (epi == SNC_EPI_RELU) EACH x.v[i] = _mm512_max_ps(_mm512_setzero_ps(), x.v[i]);
    return x;
}

typedef struct span {
    void *y;
    const int32_t *s;
    const float *sx, *sw, *b;
    uint32_t *top;
    size_t ldy, lds;
    int rows, cols;
} span;

INLINE void raise_tops(uint32_t *top, const four *x, int t, int rows, const int R, const int P, __mmask16 mask)
{
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
        if (t + r >= rows) break;
        uint32_t *slot = top + (size_t)(t + r) * SNC_TOP_SLOTS;
        __m512i m = _mm512_loadu_si512(slot);
#pragma GCC unroll 4
        for (int c = 0; c < P; c++) m = _mm512_mask_max_epu32(m, mask, m, _mm512_castps_si512(_mm512_abs_ps(x->v[r * P + c])));
        _mm512_storeu_si512(slot, m);
    }
}

/* Columns j .. j + 16 P of all rows, R rows at a time, R P = 4; a last vector of columns under a mask, the last rows again
 * with the row before them left out of the store. R, P, epi, scaled and f16 are constants where this is inlined. */
INLINE void columns(const span *a, int j, const int R, const int P, __mmask16 mask, snc_epilogue epi, bool scaled, bool f16)
{
    __m512 w[4], bias[4];
#pragma GCC unroll 4
    for (int c = 0; c < P; c++) {
        bias[c] = a->b ? _mm512_maskz_loadu_ps(mask, a->b + j + 16 * c) : _mm512_setzero_ps();
        w[c] = scaled ? _mm512_maskz_loadu_ps(mask, a->sw + j + 16 * c) : _mm512_setzero_ps();
    }
    for (int t = 0; t < a->rows; t += R) {
        four x;
        EACH
        {
            int row = t + i / P < a->rows ? t + i / P : a->rows - 1, c = j + i % P * 16;
            const int32_t *s = a->s + (size_t)row * a->lds + c;
            if (scaled) {
                __m512 f = _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(mask, s));
                x.v[i] = _mm512_fmadd_ps(f, _mm512_mul_ps(_mm512_set1_ps(a->sx[row]), w[i % P]), bias[i % P]);
            } else {
                x.v[i] = _mm512_add_ps(_mm512_castsi512_ps(_mm512_maskz_loadu_epi32(mask, s)), bias[i % P]);
            }
        }
        x = activate(x, epi, scaled);
        EACH
        {
            if (t + i / P >= a->rows) break;
            size_t at = (size_t)(t + i / P) * a->ldy + (size_t)(j + i % P * 16);
            if (f16) {
                _mm256_mask_storeu_epi16((uint16_t *)a->y + at, mask, _mm512_cvtps_ph(x.v[i], _MM_FROUND_TO_NEAREST_INT));
                continue;
            }
            float *y = (float *)a->y + at;
            if (epi == SNC_EPI_ADD) x.v[i] = _mm512_add_ps(x.v[i], _mm512_maskz_loadu_ps(mask, y));
            _mm512_mask_storeu_ps(y, mask, x.v[i]);
        }
        if (a->top) raise_tops(a->top, &x, t, a->rows, R, P, mask);
    }
}

INLINE void block(void *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                  snc_epilogue epi, uint32_t *top, bool scaled, bool f16)
{
    span a = {.y = y, .s = s, .sx = sx, .sw = sw, .b = b, .top = top, .rows = rows, .cols = cols};
    a.ldy = (size_t)ldy;
    a.lds = (size_t)lds;
    int j = 0;
    for (; cols - j >= 64; j += 64) columns(&a, j, 1, 4, 0xffff, epi, scaled, f16);
    for (; cols - j >= 32; j += 32) columns(&a, j, 2, 2, 0xffff, epi, scaled, f16);
    for (; cols - j >= 16; j += 16) columns(&a, j, 4, 1, 0xffff, epi, scaled, f16);
    if (j < cols) columns(&a, j, 4, 1, (__mmask16)((1u << (cols - j)) - 1), epi, scaled, f16);
}

#define CASE(e) \
    case e: block(y, ldy, s, lds, sx, sw, b, rows, cols, e, top, scaled, f16); break

/* epi becomes a constant. */
INLINE void dispatch(void *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                     snc_epilogue epi, uint32_t *top, bool scaled, bool f16)
{
    switch (epi) {
        CASE(SNC_EPI_NONE);
        CASE(SNC_EPI_GELU);
        CASE(SNC_EPI_GELU_TANH);
        CASE(SNC_EPI_RELU);
        CASE(SNC_EPI_TANH);
    case SNC_EPI_ADD: /* f16 has nothing to add to: refused before */
        if (!f16) block(y, ldy, s, lds, sx, sw, b, rows, cols, SNC_EPI_ADD, top, scaled, false);
        break;
    }
}

T512 void snc_epilogue__avx512(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                               int cols, snc_epilogue epi, uint32_t *top)
{
    if (sx) dispatch(y, ldy, s, lds, sx, sw, b, rows, cols, epi, top, true, false);
    else dispatch(y, ldy, s, lds, sx, sw, b, rows, cols, epi, top, false, false);
}

T512 void snc_epilogue__f16_avx512(uint16_t *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b,
                                   int rows, int cols, snc_epilogue epi, uint32_t *top)
{
    dispatch(y, ldy, s, lds, sx, sw, b, rows, cols, epi, top, true, true);
}

#define TBF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

INLINE __m512 scaled16(const int32_t *s, __mmask16 m, __m512 factor, __m512 bias)
{
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(m, s)), factor, bias);
}

/* Finite numbers to bf16 in the upper halves, to nearest even; NaN would lose its mark, so it is left alone. */
INLINE __m512i rounded16(__m512 x)
{
    __m512i u = _mm512_castps_si512(x), odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    __mmask16 number = _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
    return _mm512_srli_epi32(_mm512_mask_add_epi32(u, number, u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
}

T512 static inline __m512i join_avx512(__m512 hi, __m512 lo)
{
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7); /* packing works inside 128-bit lanes */
    return _mm512_permutexvar_epi64(order, _mm512_packus_epi32(rounded16(lo), rounded16(hi)));
}

TBF16 static inline __m512i join_bf16(__m512 hi, __m512 lo) { return (__m512i)_mm512_cvtne2ps_pbh(hi, lo); }

#define BF16_EPILOGUE(name, target, join)                                                                                                \
    target void name(snc_bf16 *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b, int rows,        \
                     int cols)                                                                                                           \
    {                                                                                                                                    \
        for (int j = 0; j < cols; j += 32) {                                                                                             \
            int left = cols - j;                                                                                                         \
            __mmask32 m = left >= 32 ? 0xffffffffu : (1u << left) - 1;                                                                   \
            __mmask16 m0 = (__mmask16)m, m1 = (__mmask16)(m >> 16);                                                                      \
            __m512 w0 = _mm512_maskz_loadu_ps(m0, sw + j), w1 = _mm512_maskz_loadu_ps(m1, sw + (m1 ? j + 16 : j));                       \
            __m512 b0 = _mm512_maskz_loadu_ps(m0, b + j), b1 = _mm512_maskz_loadu_ps(m1, b + (m1 ? j + 16 : j));                         \
            for (int t = 0; t < rows; t++) {                                                                                             \
                const int32_t *st = s + (size_t)t * (size_t)lds + j;                                                                     \
                __m512 x = _mm512_set1_ps(sx[t]);                                                                                        \
                __m512 lo = scaled16(st, m0, _mm512_mul_ps(x, w0), b0), hi = scaled16(st + (m1 ? 16 : 0), m1, _mm512_mul_ps(x, w1), b1); \
                _mm512_mask_storeu_epi16(y + (size_t)t * (size_t)ldy + j, m, join(hi, lo));                                              \
            }                                                                                                                            \
        }                                                                                                                                \
    }

BF16_EPILOGUE(snc_epilogue__bf16_avx512, T512, join_avx512)
BF16_EPILOGUE(snc_epilogue__bf16_bf16, TBF16, join_bf16)
#else
typedef int snc_epilogue__avx512_absent;
#endif
