/* quant/qlinear.h: INT8 linear layer, y = (xq . Wq^T) * sx * sw + b.
 *
 *   Wq packed   [N/16][K/64][16][64]  int8   one tile = 16 outputs x 64 inputs; a net with fewer outputs
 *                                            or inputs reads a prefix of every level (K padded to 64 with zeros)
 *   sw          [N]  f32   scale of an output channel        (symmetric, absmax/127 over the full row)
 *   sx          [T]  f32   scale of a token's row, dynamic   (symmetric, absmax/127)
 *
 * (The drawing is the canonical order; each ISA permutes inside a tile, as qlinear_priv.h draws, and N is padded to whole
 * tiles.) The layer owns its packed copy; inputs are borrowed for the call. One layer may serve many threads, one workspace
 * serves one. int32 sums are exact and equal on every ISA and with oneDNN, and the epilogue is one sequence of operations
 * (epilogue.h): y has the same bits everywhere, whatever the thread count. The kernel is chosen at creation: the backend of
 * ctx (REF, ONEDNN, else our own), then the best level that the CPU has, or the one that SNC_ISA names.
 * Source: W8A8 with per-row activations as in LLM.int8 (arXiv 2208.07339), without outliers.
 */
#ifndef SNC_QUANT_QLINEAR_H
#define SNC_QUANT_QLINEAR_H

#include <stdint.h>

#include "base/ctx.h"
#include "core/dtype.h"
#include "quant/epilogue.h"

typedef struct snc_qlinear snc_qlinear;

/* Per-row symmetric quantization, ties to even: xq [T, ldq] with zeros from k up to ldq (a multiple of 64), sx [T]. A zero
 * row (below 1e-30): sx = 0. A row with a NaN or an infinity: sx = NaN and xq = 0, so that every output of it is NaN. */
void snc_quantize_rows(int8_t *xq, float *sx, const float *x, int ldx, int T, int k, int ldq);
/* The best ldq for k inputs, or for rows of k bytes: an odd number of cache lines, so that rows which a tile reads together lie in
 * different sets of L1. */
static inline int snc_quantized_stride(int k) { return ((k + 63) / 64 | 1) * 64; }
/* Per-channel: q [N, K] dense, sw [N]. */
void snc_quantize_weight(int8_t *q, float *sw, const float *W, int ldw, int N, int K);

/* N >= 1, K in 1..131072, else SNC_E_SHAPE. */
snc_err snc_qlinear_create(snc_qlinear **out, const snc_ctx *ctx, const float *W /* [N, K], ld */, int ldw,
                           const float *b /* [N] or NULL */, int N, int K) SNC_MUST_USE;
/* From integers that were evaluated before (an exported file). */
snc_err snc_qlinear_create_packed(snc_qlinear **out, const snc_ctx *ctx, const int8_t *q /* [N, K] */, const float *sw, const float *b,
                                  int N, int K) SNC_MUST_USE;
void snc_qlinear_free(snc_qlinear *q);
/* The canonical integers and scales of a prefix, for export. q [n, k] dense, sw [n]. */
void snc_qlinear_unpack(int8_t *q, float *sw, const snc_qlinear *l, int n, int k);

/* Bytes, 64-aligned; 0 is possible. */
size_t snc_qlinear_workspace_size(const snc_qlinear *l, const snc_ctx *ctx, int T);
/* y [T, ldy], n <= N outputs, k <= K inputs, xq with ldq at least k rounded up to 64, zeros from k on. T = 0 is fine. Runs on
 * ctx->threads threads: not in a parallel body. Only oneDNN fails: SNC_E_BACKEND, SNC_E_NOMEM on the first call of a shape. */
snc_err snc_qlinear_run(float *y, int ldy, const snc_qlinear *l, const snc_ctx *ctx, const int8_t *xq, int ldq, const float *sx, int T,
                        int n, int k, snc_epilogue epi, void *workspace) SNC_MUST_USE;

/* Up to three layers of one input beside each other (Q, K and V): layer i's n outputs at columns i n of y [T, ldy], rounded to
 * bf16, as run with SNC_EPI_NONE. All are INT8 or all INT4, were made by one context and have at least n outputs and k inputs; a
 * workspace of the largest serves. SNC_E_UNSUPPORTED with oneDNN. */
enum { SNC_QLINEAR_BESIDE = 3 };
snc_err snc_qlinear_run_bf16(snc_bf16 *y, int ldy, const snc_qlinear *const *l, int count, const snc_ctx *ctx, const int8_t *xq, int ldq,
                             const float *sx, int T, int n, int k, void *workspace) SNC_MUST_USE;

/* The same, ending in the next layer's input: yq [T, ldyq] = the rows of y quantized as snc_quantize_rows does (zeros from n up
 * to ldyq), sy [T], but that values pass through f16 on their way; a row with one of 65520 or more counts as infinite. Rows are
 * computed a cache-sized block at a time and quantized while they are hot, so y never goes to memory. Not with SNC_EPI_ADD
 * (SNC_E_ARG): there is no y to add to. */
size_t snc_qlinear_q8_workspace_size(const snc_qlinear *l, const snc_ctx *ctx, int T);
snc_err snc_qlinear_run_q8(int8_t *yq, int ldyq, float *sy, const snc_qlinear *l, const snc_ctx *ctx, const int8_t *xq, int ldq,
                           const float *sx, int T, int n, int k, snc_epilogue epi, void *workspace) SNC_MUST_USE;

/* 10^12 multiplies and adds a second of one thread's integer kernel on rows and weights in L1, epilogue left out: what shapes are
 * measured against. Takes a few milliseconds. 0 with oneDNN. */
snc_err snc_qlinear_peak(double *tops, const snc_ctx *ctx) SNC_MUST_USE;
/* "oneDNN 2.6.3", or NULL when it is not built in. */
const char *snc_qlinear_library(void);

#endif
