/* core/gemm_amx_priv.h: packing matrices into the bf16 tiles that gemm_amx.c multiplies (layouts drawn there).
 *
 * Rounding is to nearest even with denormals flushed to zero, as the AVX512-BF16 conversion does and as the tile
 * multiplication treats its operands.
 */
#ifndef SNC_CORE_GEMM_AMX_PRIV_H
#define SNC_CORE_GEMM_AMX_PRIV_H

#include <stdbool.h>

#include "base/ctx.h"
#include "core/dtype.h"

/* A layout of a row-major matrix [rows, cols], serial; rows are filled up with zeros to a multiple of 16. */
void snc_gemm__amx_pack_rows(void *A, const float *src, int64_t ld, int rows, int cols);
void snc_gemm__amx_pack_rows16(void *A, const snc_bf16 *src, int64_t ld, int rows, int cols);

/* Layouts that reduce over the rows of [rows, cols], given in f32 or in bf16 (the other NULL): A [cols/16][rows/32] if
 * `transpose`, else B. In parallel, or serial for columns [c0, c1) alone, c0 a multiple of 16. */
typedef struct snc_gemm__pairs {
    char *dst;
    const float *src;
    const snc_bf16 *src16;
    int64_t ld;
    int rows, cols;
    bool transpose;
} snc_gemm__pairs;

void snc_gemm__amx_pack_pairs(const snc_ctx *ctx, const snc_gemm__pairs *p);
void snc_gemm__amx_pack_columns(const snc_gemm__pairs *p, int c0, int c1);

/* Both B layouts of rows [n0, n1) of a weight [N, K], serial; n0 a multiple of 32, n1 as well or N. */
void snc_gemm__amx_pack_weight(void *forward, void *backward, const float *W, int64_t ld, int N, int K, int n0, int n1);

#endif
