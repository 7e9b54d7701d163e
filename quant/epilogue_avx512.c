#include "quant/epilogue_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

#define T512   __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define INLINE static inline T512 __attribute__((always_inline))

INLINE __m512 exp512(__m512 x)
{
    const __m512 magic = _mm512_set1_ps(SNC_EXP_MAGIC);
    x = _mm512_max_ps(_mm512_set1_ps(-SNC_EXP_CUT), _mm512_min_ps(_mm512_set1_ps(SNC_EXP_CUT), x));
    __m512 m = _mm512_fmadd_ps(x, _mm512_set1_ps(SNC_LOG2E), magic), n = _mm512_sub_ps(m, magic);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-SNC_LN2_HI), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(-SNC_LN2_LO), r);
    __m512 p = _mm512_set1_ps(snc_exp_poly[SNC_EXP_TERMS - 1]);
#pragma GCC unroll 8
    for (int i = SNC_EXP_TERMS - 2; i >= 0; i--) p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(snc_exp_poly[i]));
    __m512i bits = _mm512_slli_epi32(_mm512_add_epi32(_mm512_castps_si512(m), _mm512_set1_epi32(127)), 23);
    return _mm512_mul_ps(p, _mm512_castsi512_ps(bits));
}

INLINE __m512 gelu512(__m512 x)
{
    __m512 a = _mm512_min_ps(_mm512_set1_ps(SNC_GELU_CUT), _mm512_abs_ps(x));
    __m512 t = _mm512_fmadd_ps(a, _mm512_set1_ps(2 / SNC_GELU_CUT), _mm512_set1_ps(-1.0f));
    __m512 r = _mm512_set1_ps(snc_gelu_poly[SNC_GELU_TERMS - 1]);
#pragma GCC unroll 16
    for (int i = SNC_GELU_TERMS - 2; i >= 0; i--) r = _mm512_fmadd_ps(r, t, _mm512_set1_ps(snc_gelu_poly[i]));
    return _mm512_sub_ps(_mm512_max_ps(_mm512_setzero_ps(), x), r);
}

INLINE __m512 gelu_tanh512(__m512 x)
{
    const __m512 one = _mm512_set1_ps(1.0f);
    __m512 u = _mm512_mul_ps(_mm512_fmadd_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(SNC_GELU_A), one), x);
    return _mm512_div_ps(x, _mm512_add_ps(one, exp512(_mm512_mul_ps(u, _mm512_set1_ps(SNC_GELU_B)))));
}

INLINE __m512 tanh512(__m512 x)
{
    const __m512 one = _mm512_set1_ps(1.0f), sign = _mm512_set1_ps(-0.0f);
    __m512 a = _mm512_min_ps(_mm512_set1_ps(SNC_TANH_CUT), _mm512_abs_ps(x));
    __m512 e = exp512(_mm512_mul_ps(_mm512_set1_ps(2.0f), a));
    __m512 y = _mm512_div_ps(_mm512_sub_ps(e, one), _mm512_add_ps(e, one));
    return _mm512_or_ps(_mm512_andnot_ps(sign, y), _mm512_and_ps(sign, x));
}

/* `epi` and `scaled` are constants where this is inlined. */
INLINE void block(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                  int cols, snc_epilogue epi, bool scaled)
{
    const int32_t *si = s;
    const float *sf = s;
    for (int j = 0; j < cols; j += 16) {
        __mmask16 m = cols - j >= 16 ? 0xffff : (__mmask16)((1u << (cols - j)) - 1);
        __m512 bias = b ? _mm512_maskz_loadu_ps(m, b + j) : _mm512_setzero_ps();
        __m512 w = scaled ? _mm512_maskz_loadu_ps(m, sw + j) : _mm512_setzero_ps();
        for (int t = 0; t < rows; t++) {
            float *out = y + (size_t)t * (size_t)ldy + j;
            size_t at = (size_t)t * (size_t)lds + (size_t)j;
            __m512 v;
            if (scaled) {
                __m512 f = _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(m, si + at));
                v = _mm512_fmadd_ps(f, _mm512_mul_ps(_mm512_set1_ps(sx[t]), w), bias);
            } else {
                v = _mm512_add_ps(_mm512_maskz_loadu_ps(m, sf + at), bias);
            }
            if (epi == SNC_EPI_GELU) v = gelu512(v);
            if (epi == SNC_EPI_GELU_TANH) v = gelu_tanh512(v);
            if (epi == SNC_EPI_RELU) v = _mm512_max_ps(_mm512_setzero_ps(), v);
            if (epi == SNC_EPI_TANH) v = tanh512(v);
            if (epi == SNC_EPI_ADD) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(m, out));
            _mm512_mask_storeu_ps(out, m, v);
        }
    }
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
