/* AVX2 kernels. */
#if defined(__x86_64__)
#include "core/ops_simd256.h"

#define SNC_KERNELS snc_kernels_avx2
#include "core/ops_vec.h"
#else
typedef int snc_no_avx2; /* a translation unit must not be empty */
#endif
