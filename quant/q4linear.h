/* quant/q4linear.h: linear layer with INT4 weights and INT8 activations, y = (xq . Wq^T) * sx * sw + b, Wq = m q of quant/int4.h.
 *
 *   packed  [N/32][K/64][2][576]   a block of 16 outputs x 64 inputs, those of two panels of outputs beside each other:
 *           [8][64]   bytes     nibbles q + 8: byte i of piece s holds, in its low half, byte i of line 2s of the INT8
 *                               layer's block of 16 lines of 64 bytes (qlinear_priv.h), in its high half that of line 2s + 1
 *           [4][16]   bytes     multipliers m of the four groups of 16 inputs, by output
 *
 * It is a snc_qlinear: freed, run and cut to prefixes as that is (k a multiple of 16), and y has the same bits as that of an INT8
 * layer of these integers, everywhere. What it saves is memory traffic, 576 bytes instead of 1024 for each block, where rows are
 * few: up to 32 on AMX blocks are expanded beside the tile products, up to 8 on VNNI nibbles are multiplied as they are and
 * multipliers come in once a group. Else four panels at a time are expanded into the cache for the INT8 kernel.
 */
#ifndef SNC_QUANT_Q4LINEAR_H
#define SNC_QUANT_Q4LINEAR_H

#include "quant/int4.h"
#include "quant/qlinear.h"

/* N >= 1 and K a multiple of 16 in 16..131072, else SNC_E_SHAPE. b [N] or NULL. */
snc_err snc_q4linear_create(snc_qlinear **out, const snc_ctx *ctx, const float *W /* [N, K], ld */, int ldw, const float *b, int N,
                            int K) SNC_MUST_USE;
/* From what an exported file holds: data, group and sw as in quant/int4.h. */
snc_err snc_q4linear_create_packed(snc_qlinear **out, const snc_ctx *ctx, const uint8_t *data, const uint8_t *group, const float *sw,
                                   const float *b, int N, int K) SNC_MUST_USE;
/* The canonical form of a prefix, for export: n rows of k inputs, k a multiple of 16. */
void snc_q4linear_unpack(uint8_t *data, uint8_t *group, float *sw, const snc_qlinear *l, int n, int k);

#endif
