/* The 256-bit vectors of core/infer_simd.h, which has the kernels once for both widths; tails are masked. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#include "core/infer_priv.h"

#define SIMD            __attribute__((target("avx2,fma")))
#define SIMD_NAME(base) base##_avx2
#define VW              8
typedef __m256 vf;

SIMD static inline __m256i lanes(int n)
{
    static const int32_t on[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
    return _mm256_loadu_si256((const __m256i *)(const void *)(on + 8 - n));
}
SIMD static inline vf vset(float x) { return _mm256_set1_ps(x); }
SIMD static inline vf vload(const float *p) { return _mm256_loadu_ps(p); }
SIMD static inline vf vloadn(const float *p, int n) { return _mm256_maskload_ps(p, lanes(n)); }
SIMD static inline void vstore(float *p, vf v) { _mm256_storeu_ps(p, v); }
SIMD static inline void vstoren(float *p, vf v, int n) { _mm256_maskstore_ps(p, lanes(n), v); }
SIMD static inline vf vadd(vf a, vf b) { return _mm256_add_ps(a, b); }
SIMD static inline vf vsub(vf a, vf b) { return _mm256_sub_ps(a, b); }
SIMD static inline vf vmul(vf a, vf b) { return _mm256_mul_ps(a, b); }
SIMD static inline vf vfma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
SIMD static inline vf vmax(vf a, vf b) { return _mm256_max_ps(a, b); }
SIMD static inline vf vmin(vf a, vf b) { return _mm256_min_ps(a, b); }
SIMD static inline vf vround(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
SIMD static inline vf vexp2i(vf a)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127)), 23));
}
SIMD static inline float vsum(vf a)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
SIMD static inline float vhmax(vf a)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
/* The float whose upper half are the bits of SNC_INFER__BEND's rule. */
SIMD static inline vf vbent(vf v)
{
    static const int32_t bend[32] = SNC_INFER__BEND;
    __m256i i = _mm256_max_epi32(_mm256_cvtps_epi32(v), _mm256_setzero_si256());
    __m256i b = _mm256_i32gather_epi32(bend, _mm256_and_si256(_mm256_srli_epi32(i, 2), _mm256_set1_epi32(31)), 4);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_max_epi32(_mm256_sub_epi32(i, b), _mm256_setzero_si256()), 16));
}
/* Rounded to bf16, to nearest even. */
SIMD static inline vf vbf16(vf v)
{
    __m256i u = _mm256_castps_si256(v), odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    u = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    return _mm256_castsi256_ps(_mm256_and_si256(u, _mm256_set1_epi32((int)0xffff0000)));
}

#include "core/infer_simd.h"
#else
typedef int snc_infer_avx2_needs_x86;
#endif
