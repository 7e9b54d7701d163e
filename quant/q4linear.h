/* quant/q4linear.h: linear layer with INT4 weights and INT8 activations, y = (xq . Wq^T) * sx * sw + b, Wq = m q of quant/int4.h.
 *
 *   packed  [N/64][K/64][4][576]   a block of 16 outputs x 64 inputs, those of four panels of outputs beside each other:
 *           [8][64]   bytes     nibbles q + 8: byte i of piece s holds, in its low half, byte i of line 2s of the INT8
 *                               layer's block of 16 lines of 64 bytes (qlinear_priv.h), in its high half that of line 2s + 1
 *           [4][16]   bytes     multipliers m of the four groups of 16 inputs, by output
 *
 * A net with fewer outputs or inputs reads a prefix of both levels. Four panels of weights at a time are expanded into a
 * buffer in the cache and go through the INT8 kernel of the ISA (up to 32 rows on AMX: block by block, beside the
 * products), so sums are exact and y has the same bits as an INT8 layer of these integers, everywhere. What it saves is
 * memory traffic: 576 bytes instead of 1024 for each block.
 *
 * Ownership, threads and the choice of kernel are qlinear.h's.
 */
#ifndef SNC_QUANT_Q4LINEAR_H
#define SNC_QUANT_Q4LINEAR_H

#include "base/ctx.h"
#include "quant/epilogue.h"
#include "quant/int4.h"

typedef struct snc_q4linear snc_q4linear;

/* N >= 1 and K a multiple of 16 in 16..131072, else SNC_E_SHAPE. b [N] or NULL. */
snc_err snc_q4linear_create(snc_q4linear **out, const snc_ctx *ctx, const float *W /* [N, K], ld */, int ldw, const float *b, int N,
                            int K) SNC_MUST_USE;
/* From what an exported file holds: data, group and sw as in quant/int4.h. */
snc_err snc_q4linear_create_packed(snc_q4linear **out, const snc_ctx *ctx, const uint8_t *data, const uint8_t *group, const float *sw,
                                   const float *b, int N, int K) SNC_MUST_USE;
void snc_q4linear_free(snc_q4linear *l);
/* The canonical form of a prefix, for export: n rows of k inputs, k a multiple of 16. */
void snc_q4linear_unpack(uint8_t *data, uint8_t *group, float *sw, const snc_q4linear *l, int n, int k);

size_t snc_q4linear_workspace_size(const snc_q4linear *l, const snc_ctx *ctx, int T); /* bytes, 64-aligned */
/* As snc_qlinear_run; k a multiple of 16. */
void snc_q4linear_run(float *y, int ldy, const snc_q4linear *l, const snc_ctx *ctx, const int8_t *xq, int ldq, const float *sx, int T,
                      int n, int k, snc_epilogue epi, void *workspace);

#endif
