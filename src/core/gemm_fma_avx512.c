/* f32 products in AVX-512: 12 x 32 sums in 24 registers. */
#if defined(__x86_64__)
#include "core/ops_simd512.h"

#define SNC_CELL       snc_gemm__fma_avx512
#define SNC_CELL_ROWS  12
#define SNC_CELL_GROUP 256
#include "core/gemm_fma_vec.h"
#else
typedef int snc_no_fma_avx512; /* a translation unit must not be empty */
#endif
