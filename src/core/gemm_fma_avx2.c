/* f32 products in AVX2: 6 x 16 sums in 12 registers. */
#if defined(__x86_64__)
#include "core/ops_simd256.h"

#define SNC_CELL       snc_gemm__fma_avx2
#define SNC_CELL_ROWS  6
#define SNC_CELL_GROUP 128
#include "core/gemm_fma_vec.h"
#else
typedef int snc_no_fma_avx2; /* a translation unit must not be empty */
#endif
