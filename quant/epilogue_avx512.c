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
    EACH {
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

INLINE four activate(four x, snc_epilogue epi)
{
    if (epi == SNC_EPI_GELU) return gelu512(x);
    if (epi == SNC_EPI_GELU_TANH) return gelu_tanh512(x);
    if (epi == SNC_EPI_TANH) return tanh512(x);
    if (epi == SNC_EPI_RELU) EACH x.v[i] = _mm512_max_ps(_mm512_setzero_ps(), x.v[i]);
    return x;
}

typedef struct span {
    float *y;
    const int32_t *s;
    const float *sx, *sw, *b;
    size_t ldy, lds;
    int rows, cols;
} span;

/* Columns j .. j + 16 P of all rows, R rows at a time, R P = 4; a last vector of columns under a mask, the last rows again
 * with the row before them left out of the store. R, P, epi and scaled are constants where this is inlined. */
INLINE void columns(const span *a, int j, const int R, const int P, __mmask16 mask, snc_epilogue epi, bool scaled)
{
    __m512 w[4], bias[4];
#pragma GCC unroll 4
    for (int c = 0; c < P; c++) {
        bias[c] = a->b ? _mm512_maskz_loadu_ps(mask, a->b + j + 16 * c) : _mm512_setzero_ps();
        w[c] = scaled ? _mm512_maskz_loadu_ps(mask, a->sw + j + 16 * c) : _mm512_setzero_ps();
    }
    for (int t = 0; t < a->rows; t += R) {
        four x;
        EACH {
            int row = t + i / P < a->rows ? t + i / P : a->rows - 1, c = j + i % P * 16;
            const int32_t *s = a->s + (size_t)row * a->lds + c;
            if (scaled) {
                __m512 f = _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(mask, s));
                x.v[i] = _mm512_fmadd_ps(f, _mm512_mul_ps(_mm512_set1_ps(a->sx[row]), w[i % P]), bias[i % P]);
            } else {
                x.v[i] = _mm512_add_ps(_mm512_castsi512_ps(_mm512_maskz_loadu_epi32(mask, s)), bias[i % P]);
            }
        }
        x = activate(x, epi);
        EACH {
            if (t + i / P >= a->rows) break;
            float *y = a->y + (size_t)(t + i / P) * a->ldy + j + i % P * 16;
            if (epi == SNC_EPI_ADD) x.v[i] = _mm512_add_ps(x.v[i], _mm512_maskz_loadu_ps(mask, y));
            _mm512_mask_storeu_ps(y, mask, x.v[i]);
        }
    }
}

INLINE void block(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                  int cols, snc_epilogue epi, bool scaled)
{
    span a = {.y = y, .s = s, .sx = sx, .sw = sw, .b = b, .ldy = (size_t)ldy, .lds = (size_t)lds, .rows = rows, .cols = cols};
    int j = 0;
    for (; cols - j >= 64; j += 64) columns(&a, j, 1, 4, 0xffff, epi, scaled);
    for (; cols - j >= 32; j += 32) columns(&a, j, 2, 2, 0xffff, epi, scaled);
    for (; cols - j >= 16; j += 16) columns(&a, j, 4, 1, 0xffff, epi, scaled);
    if (j < cols) columns(&a, j, 4, 1, (__mmask16)((1u << (cols - j)) - 1), epi, scaled);
}

#define CASE(e)                                                                                                        \
    case e:                                                                                                            \
        if (sx) block(y, ldy, s, lds, sx, sw, b, rows, cols, e, true);                                                 \
        else block(y, ldy, s, lds, sx, sw, b, rows, cols, e, false);                                                   \
        break

T512 void snc_epilogue__avx512(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b,
                               int rows, int cols, snc_epilogue epi)
{
    switch (epi) {
        CASE(SNC_EPI_NONE);
        CASE(SNC_EPI_GELU);
        CASE(SNC_EPI_GELU_TANH);
        CASE(SNC_EPI_RELU);
        CASE(SNC_EPI_TANH);
        CASE(SNC_EPI_ADD);
    }
}
#else
typedef int snc_epilogue__avx512_absent;
#endif
