/* The epilogues on 256-bit vectors; the last columns go through the scalar twin, whose bits are the same. */
#include "quant/epilogue_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define T256   __attribute__((target("avx2,fma")))
#define INLINE static inline T256 __attribute__((always_inline))

INLINE __m256 abs256(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }

INLINE __m256 exp256(__m256 x)
{
    const __m256 magic = _mm256_set1_ps(SNC_EXP_MAGIC);
    x = _mm256_max_ps(_mm256_set1_ps(-SNC_EXP_CUT), _mm256_min_ps(_mm256_set1_ps(SNC_EXP_CUT), x));
    __m256 m = _mm256_fmadd_ps(x, _mm256_set1_ps(SNC_LOG2E), magic), n = _mm256_sub_ps(m, magic);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-SNC_LN2_HI), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(-SNC_LN2_LO), r);
    __m256 p = _mm256_set1_ps(snc_exp_poly[SNC_EXP_TERMS - 1]);
#pragma GCC unroll 8
    for (int i = SNC_EXP_TERMS - 2; i >= 0; i--) p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(snc_exp_poly[i]));
    __m256i bits = _mm256_slli_epi32(_mm256_add_epi32(_mm256_castps_si256(m), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(bits));
}

INLINE __m256 gelu256(__m256 x)
{
    __m256 a = _mm256_min_ps(_mm256_set1_ps(SNC_GELU_CUT), abs256(x));
    __m256 t = _mm256_fmadd_ps(a, _mm256_set1_ps(2 / SNC_GELU_CUT), _mm256_set1_ps(-1.0f));
    __m256 r = _mm256_set1_ps(snc_gelu_poly[SNC_GELU_TERMS - 1]);
#pragma GCC unroll 16
    for (int i = SNC_GELU_TERMS - 2; i >= 0; i--) r = _mm256_fmadd_ps(r, t, _mm256_set1_ps(snc_gelu_poly[i]));
    return _mm256_sub_ps(_mm256_max_ps(_mm256_setzero_ps(), x), r);
}

/* The pieces by rows, and those of eight lanes turned into a vector a coefficient: gathers take twice as long (Zen 3). */
#define ROW(c0, c1, c2) {c0, c1, c2, 0.0f},
static const float gelu_row[32][4] __attribute__((aligned(16))) = {SNC_GELU_PIECES(ROW)};

INLINE void gelu_pieces256(__m256 *c0, __m256 *c1, __m256 *c2, __m256i i)
{
    uint32_t at[8];
    __m256 r[4];
    memcpy(at, &i, sizeof at);
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        r[k] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(gelu_row[at[k]])), _mm_load_ps(gelu_row[at[k + 4]]), 1);
    __m256 low = _mm256_unpacklo_ps(r[0], r[1]), low2 = _mm256_unpacklo_ps(r[2], r[3]);
    *c0 = _mm256_shuffle_ps(low, low2, 0x44);
    *c1 = _mm256_shuffle_ps(low, low2, 0xee);
    *c2 = _mm256_shuffle_ps(_mm256_unpackhi_ps(r[0], r[1]), _mm256_unpackhi_ps(r[2], r[3]), 0x44);
}

INLINE __m256 gelu_quick256(__m256 x)
{
    __m256 a = _mm256_min_ps(_mm256_set1_ps(SNC_GELU_QUICK_CUT), abs256(x)), c0, c1, c2;
    __m256 m = _mm256_fmadd_ps(a, _mm256_set1_ps(SNC_GELU_PIECE), _mm256_set1_ps(SNC_EXP_MAGIC));
    gelu_pieces256(&c0, &c1, &c2, _mm256_and_si256(_mm256_castps_si256(m), _mm256_set1_epi32(31)));
    __m256 r = _mm256_fmadd_ps(_mm256_fmadd_ps(c2, a, c1), a, c0);
    return _mm256_sub_ps(_mm256_max_ps(_mm256_setzero_ps(), x), r);
}

INLINE __m256 gelu_tanh256(__m256 x)
{
    const __m256 one = _mm256_set1_ps(1.0f);
    __m256 u = _mm256_mul_ps(_mm256_fmadd_ps(_mm256_mul_ps(x, x), _mm256_set1_ps(SNC_GELU_A), one), x);
    return _mm256_div_ps(x, _mm256_add_ps(one, exp256(_mm256_mul_ps(u, _mm256_set1_ps(SNC_GELU_B)))));
}

INLINE __m256 tanh256(__m256 x)
{
    const __m256 one = _mm256_set1_ps(1.0f), sign = _mm256_set1_ps(-0.0f);
    __m256 e = exp256(_mm256_mul_ps(_mm256_set1_ps(2.0f), _mm256_min_ps(_mm256_set1_ps(SNC_TANH_CUT), abs256(x))));
    __m256 y = _mm256_div_ps(_mm256_sub_ps(e, one), _mm256_add_ps(e, one));
    return _mm256_or_ps(_mm256_andnot_ps(sign, y), _mm256_and_ps(sign, x));
}

/* `epi` and `scaled` are constants where this is inlined; cols is a multiple of 8. */
INLINE void block(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                  snc_epilogue epi, bool scaled, uint32_t *top)
{
    const int32_t *si = s;
    const float *sf = s;
    for (int j = 0; j < cols; j += 8) {
        __m256 bias = b ? _mm256_loadu_ps(b + j) : _mm256_setzero_ps();
        __m256 w = scaled ? _mm256_loadu_ps(sw + j) : _mm256_setzero_ps();
        for (int t = 0; t < rows; t++) {
            float *out = y + (size_t)t * (size_t)ldy + j;
            size_t at = (size_t)t * (size_t)lds + (size_t)j;
            __m256 v;
            if (scaled) {
                __m256 f = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(const void *)(si + at)));
                v = _mm256_fmadd_ps(f, _mm256_mul_ps(_mm256_set1_ps(sx[t]), w), bias);
            } else {
                v = _mm256_add_ps(_mm256_loadu_ps(sf + at), bias);
            }
            if (epi == SNC_EPI_GELU) v = scaled ? gelu_quick256(v) : gelu256(v);
            if (epi == SNC_EPI_GELU_TANH) v = gelu_tanh256(v);
            if (epi == SNC_EPI_RELU) v = _mm256_max_ps(_mm256_setzero_ps(), v);
            if (epi == SNC_EPI_TANH) v = tanh256(v);
            if (epi == SNC_EPI_ADD) v = _mm256_add_ps(v, _mm256_loadu_ps(out));
            _mm256_storeu_ps(out, v);
            if (!top) continue;
            __m256i *slot = (__m256i *)(void *)(top + (size_t)t * SNC_TOP_SLOTS);
            _mm256_storeu_si256(slot, _mm256_max_epu32(_mm256_loadu_si256(slot), _mm256_castps_si256(abs256(v))));
        }
    }
}

#define CASE(e)                                                              \
    case e:                                                                  \
        if (sx) block(y, ldy, s, lds, sx, sw, b, rows, whole, e, true, top); \
        else block(y, ldy, s, lds, sx, sw, b, rows, whole, e, false, top);   \
        break

T256 void snc_epilogue__avx2(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                             int cols, snc_epilogue epi, uint32_t *top)
{
    int whole = cols & ~7;
    switch (epi) {
        CASE(SNC_EPI_NONE);
        CASE(SNC_EPI_GELU);
        CASE(SNC_EPI_GELU_TANH);
        CASE(SNC_EPI_RELU);
        CASE(SNC_EPI_TANH);
        CASE(SNC_EPI_ADD);
    }
    if (whole < cols)
        snc_epilogue__ref(y + whole, ldy, (const int32_t *)s + whole, lds, sx, sw ? sw + whole : sw, b ? b + whole : b, rows, cols - whole,
                          epi, top);
}
#else
typedef int snc_epilogue__avx2_absent;
#endif
