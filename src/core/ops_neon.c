/* NEON kernels. */
#if defined(__aarch64__)
#include "core/ops_simd128.h"

#define SNC_KERNELS snc_kernels_neon
#include "core/ops_vec.h"
#else
typedef int snc_no_neon; /* a translation unit must not be empty */
#endif
