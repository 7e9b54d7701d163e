/* AVX-512 kernels. */
#if defined(__x86_64__)
#include "core/ops_simd512.h"

#define SNC_KERNELS snc_kernels_avx512
#include "core/ops_vec.h"

__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2,avx512bf16"))) /* SNC_VEC and the conversion */
void snc_ops__narrow_native(snc_bf16 *dst, int64_t ldd, const float *src, int64_t lds, int rows, int n)
{
    for (int r = 0; r < rows; r++, dst += ldd, src += lds) {
        int c = 0;
        for (; c + 32 <= n; c += 32)
            _mm512_storeu_si512(dst + c, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(src + c + 16), _mm512_loadu_ps(src + c)));
        for (; c < n; c += LANES) {
            vm t = v_tail(n - c);
            _mm256_mask_storeu_epi16(dst + c, t, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(t, src + c)));
        }
    }
}
#else
typedef int snc_no_avx512; /* a translation unit must not be empty */
#endif
