/* f32 products in NEON: 12 x 8 sums in 24 of 32 registers. */
#if defined(__aarch64__)
#include "core/ops_simd128.h"

#define SNC_CELL       snc_gemm__fma_neon
#define SNC_CELL_ROWS  12
#define SNC_CELL_GROUP 256
#include "core/gemm_fma_vec.h"
#else
typedef int snc_no_fma_neon; /* a translation unit must not be empty */
#endif
