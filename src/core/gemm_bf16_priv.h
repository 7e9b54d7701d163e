/* core/gemm_bf16_priv.h: packing matrices into the bf16 tiles that gemm_bf16.c multiplies (layouts drawn there).
 *
 * Rounding is to nearest even with denormals flushed to zero, as the AVX512-BF16 conversion does and as the tile
 * multiplication treats its operands.
 */
#ifndef SNC_CORE_GEMM_BF16_PRIV_H
#define SNC_CORE_GEMM_BF16_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ctx.h"
#include "core/dtype.h"

/* A layout of a row-major matrix [rows, cols], serial; rows are filled up with zeros to a multiple of 16. */
void snc_gemm__bf16_pack_rows(void *A, const float *src, int64_t ld, int rows, int cols);
void snc_gemm__bf16_pack_rows16(void *A, const snc_bf16 *src, int64_t ld, int rows, int cols);

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

void snc_gemm__bf16_pack_pairs(const snc_ctx *ctx, const snc_gemm__pairs *p);
void snc_gemm__bf16_pack_columns(const snc_gemm__pairs *p, int c0, int c1);

/* Both B layouts of rows [n0, n1) of a weight [N, K], serial; n0 a multiple of 32, n1 as well or N. */
void snc_gemm__bf16_pack_weight(void *forward, void *backward, const float *W, int64_t ld, int N, int K, int n0, int n1);

/* Sixteen rows by nt (1 or 2) tiles of B, without AMX: C, rows ldc floats apart, from the sums at `from`, rows from_step bytes apart, and
 * kb tiles of A (rows `row` bytes apart, tiles `step`) times B (b_step from its first column of tiles to the second). */
void snc_gemm__bf16_block(float *C, size_t ldc, const float *from, size_t from_step, const char *A, size_t row, size_t step, const char *B,
                          size_t b_step, int kb, int nt);

/* Times both instructions, with AVX512-BF16: of twice the products an FMA makes, vdpbf16ps may take 1.5 times the FMA's time. CPUs are
 * far from that on either side: 1 on Zen 4, 4 on Sapphire Rapids. */
bool snc_gemm__bf16_pays(void);

#endif
