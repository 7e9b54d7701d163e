/* The 512-bit vectors of core/infer_simd.h, which has the kernels once for both widths; tails are masked. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "core/infer_priv.h"

#define SIMD            __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define SIMD_NAME(base) base##_avx512
#define VW              16
typedef __m512 vf;

SIMD static inline __mmask16 lanes(int n) { return (__mmask16)((1u << n) - 1); }
SIMD static inline vf vset(float x) { return _mm512_set1_ps(x); }
SIMD static inline vf vload(const float *p) { return _mm512_loadu_ps(p); }
SIMD static inline vf vloadn(const float *p, int n) { return _mm512_maskz_loadu_ps(lanes(n), p); }
SIMD static inline void vstore(float *p, vf v) { _mm512_storeu_ps(p, v); }
SIMD static inline void vstoren(float *p, vf v, int n) { _mm512_mask_storeu_ps(p, lanes(n), v); }
SIMD static inline vf vadd(vf a, vf b) { return _mm512_add_ps(a, b); }
SIMD static inline vf vsub(vf a, vf b) { return _mm512_sub_ps(a, b); }
SIMD static inline vf vmul(vf a, vf b) { return _mm512_mul_ps(a, b); }
SIMD static inline vf vfma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
SIMD static inline vf vmax(vf a, vf b) { return _mm512_max_ps(a, b); }
SIMD static inline vf vmin(vf a, vf b) { return _mm512_min_ps(a, b); }
SIMD static inline vf vround(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
SIMD static inline vf vexp2i(vf a)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127)), 23));
}
SIMD static inline float vsum(vf a) { return _mm512_reduce_add_ps(a); }
SIMD static inline float vhmax(vf a) { return _mm512_reduce_max_ps(a); }
/* The float whose upper half are the bits of SNC_INFER__BEND's rule. */
SIMD static inline vf vbent(vf v)
{
    static const int32_t bend[32] = SNC_INFER__BEND;
    __m512i i = _mm512_max_epi32(_mm512_cvtps_epi32(v), _mm512_setzero_si512());
    __m512i b = _mm512_permutex2var_epi32(_mm512_loadu_si512(bend), _mm512_srli_epi32(i, 2), _mm512_loadu_si512(bend + 16));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_max_epi32(_mm512_sub_epi32(i, b), _mm512_setzero_si512()), 16));
}
/* Rounded to bf16, to nearest even. */
SIMD static inline vf vbf16(vf v)
{
    __m512i u = _mm512_castps_si512(v), odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    u = _mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_castsi512_ps(_mm512_and_si512(u, _mm512_set1_epi32((int)0xffff0000)));
}

#include "core/infer_simd.h"
#else
typedef int snc_infer_avx512_needs_x86;
#endif
