/* quant/bf16linear.h: linear layer with BF16 weights, f32 in and out: y = epi(bf16(x) . W^T + b), sums in f32.
 *
 *   W packed   [N/16][K/32][16 pairs of k][16 n][2]  bf16   a block of 1024 bytes is one AMX tile; a net with fewer outputs
 *                                                          or inputs reads a prefix of every level (K padded with zeros)
 *
 * The rows of x are rounded to bf16 (nearest even) in the workspace. Scalar, AVX2 and AVX-512 widen the weights and add the
 * exact products one after the other by fused multiply-adds: equal bits. AMX (tdpbf16ps) adds in an order of its own and
 * counts denormals as zero: it differs by f32 rounding. Ownership and threads are those of quant/qlinear.h.
 */
#ifndef SNC_QUANT_BF16LINEAR_H
#define SNC_QUANT_BF16LINEAR_H

#include "base/ctx.h"
#include "core/dtype.h"
#include "quant/epilogue.h"

typedef struct snc_bf16linear snc_bf16linear;

/* From f32, rounded. SNC_E_SHAPE: N or K below 1. */
snc_err snc_bf16linear_create(snc_bf16linear **out, const snc_ctx *ctx, const float *W /* [N, K], ld */, int ldw,
                              const float *b /* [N] or NULL */, int N, int K) SNC_MUST_USE;
snc_err snc_bf16linear_create_packed(snc_bf16linear **out, const snc_ctx *ctx, const snc_bf16 *w /* [N, K] */, const float *b, int N,
                                     int K) SNC_MUST_USE;
void snc_bf16linear_free(snc_bf16linear *l);
/* The canonical weights of a prefix, w [n, k] dense. */
void snc_bf16linear_unpack(snc_bf16 *w, const snc_bf16linear *l, int n, int k);

size_t snc_bf16linear_workspace_size(const snc_bf16linear *l, int T); /* bytes, 64-aligned */
/* y [T, ldy], x [T, ldx], n <= N outputs, k <= K inputs. */
snc_err snc_bf16linear_run(float *y, int ldy, const snc_bf16linear *l, const snc_ctx *ctx, const float *x, int ldx, int T, int n, int k,
                           snc_epilogue epi, void *workspace) SNC_MUST_USE;

#endif
