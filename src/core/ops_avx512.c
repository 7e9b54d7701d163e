/* AVX-512 kernels. */
#if defined(__x86_64__)
#include "core/ops_simd512.h"

#define SNC_KERNELS snc_kernels_avx512
#include "core/ops_vec.h"
#else
typedef int snc_no_avx512; /* a translation unit must not be empty */
#endif
