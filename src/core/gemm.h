/* core/gemm.h: the seam to matrix products: the three products of a linear layer, on prefixes of its weight.
 *
 *   forward     Y  [T, n] = X  [T, k] . W[:n, :k]^T (+ b[:n])
 *   backward_x  dX [T, k] = dY [T, n] . W[:n, :k]
 *   backward_w  dW [:n, :k] = dY^T [n, T] . X [T, k]
 *
 * Activations and gradients are f32 at this seam; with SNC_COMPUTE_BF16 the operands are rounded to bf16 on their way into
 * the kernel and summed in f32. A backend that takes_bf16 also reads operands which the caller rounded itself (to nearest
 * even), half the bytes and nothing to pack: the *16 calls, same results. A weight handle holds the copies of one matrix in the
 * layouts that the backend's kernels read (both directions, n and k prefixes of the same buffer); sync refreshes them after the f32
 * master changed. With SNC_COMPUTE_F32 it only borrows the master.
 *
 * A plan owns the packing scratch and serves one thread of control at a time; weights may be shared by plans while
 * nobody syncs. The products run on ctx->threads threads themselves and must not be called in a parallel body.
 */
#ifndef SNC_CORE_GEMM_H
#define SNC_CORE_GEMM_H

#include <stdbool.h>

#include "base/ctx.h"
#include "core/dtype.h"

typedef enum snc_compute { SNC_COMPUTE_F32, SNC_COMPUTE_BF16 } snc_compute;

typedef struct snc_gemm snc_gemm;               /* plan: backend, compute type, scratch */
typedef struct snc_gemm_weight snc_gemm_weight; /* one matrix, ready for the kernels */

/* The backend that AUTO stands for. bf16: native on AVX512-BF16 > onednn > native on other vectors > ref; f32: native on vectors >
 * onednn > blas > ref. */
snc_backend snc_gemm_backend(const snc_ctx *ctx, snc_compute compute);

/* What training computes in where it may choose: bf16 with AMX, and with AVX512-BF16 where a timing of its instruction says that it beats
 * f32 (once a process, under a millisecond; the same on every run of a CPU by a wide margin); else f32. */
snc_compute snc_gemm_best_compute(void);

/* What the linked OpenBLAS says of itself; NULL: built without it. */
const char *snc_gemm_blas_version(void);

/* max_tokens bounds T, max_width bounds n and k of every later call. SNC_E_UNSUPPORTED: backend cannot do `compute`. */
snc_err snc_gemm_create(snc_gemm **out, const snc_ctx *ctx, snc_compute compute, int max_tokens, int max_width) SNC_MUST_USE;
void snc_gemm_free(snc_gemm *g);

/* W [N, K], ld = ldw, borrowed for the handle's life (the master stays the truth). Packs at once. */
snc_err snc_gemm_weight_create(snc_gemm_weight **out, const snc_gemm *g, const float *W, int ldw, int N, int K) SNC_MUST_USE;
void snc_gemm_weight_sync(const snc_gemm *g, snc_gemm_weight *w); /* parallel over blocks; call after each step */
/* One block of rows [n0, n1), serial, for an optimiser that has just written them and calls from its own parallel body:
 * n0 a multiple of SNC_GEMM_SYNC_ROWS, n1 as well or N. Blocks may be synced by different threads at once. */
enum { SNC_GEMM_SYNC_ROWS = 32 };
void snc_gemm_weight_sync_rows(const snc_gemm *g, snc_gemm_weight *w, int n0, int n1);
void snc_gemm_weight_free(snc_gemm_weight *w);

/* n <= N, k <= K. accumulate = false overwrites the output. b [n] or NULL. */
snc_err snc_gemm_forward(float *Y, int ldy, snc_gemm *g, const float *X, int ldx, const snc_gemm_weight *w, const float *b, int T, int n,
                         int k, bool accumulate) SNC_MUST_USE;
snc_err snc_gemm_backward_x(float *dX, int lddx, snc_gemm *g, const float *dY, int lddy, const snc_gemm_weight *w, int T, int n, int k,
                            bool accumulate) SNC_MUST_USE;
snc_err snc_gemm_backward_w(float *dW, int lddw, snc_gemm *g, const float *dY, int lddy, const float *X, int ldx, int T, int n, int k,
                            bool accumulate) SNC_MUST_USE;

/* Takes finished parts of a product instead of the output matrix: rows [m0, m0 + rows), columns [n0, n0 + cols) of it, ld
 * floats from row to row, in the cache of thread `worker`, its own to change. m0 is a multiple of 16, n0 of 32, rows at most
 * 32. Parts come in any order, from several threads at once. */
typedef struct snc_gemm_sink {
    void (*fn)(void *user, float *y, int ld, int m0, int n0, int rows, int cols, int worker);
    void *user;
} snc_gemm_sink;

/* Exactly one of Y (dX) and sink is given; accumulate needs Y (dX). */
bool snc_gemm_takes_bf16(const snc_gemm *g);
/* What such a gemm and its weights take of memory: operands of a batch; the packed form of a weight, 0 where the master is read. */
size_t snc_gemm_operand_bytes(int max_tokens, int max_width);
size_t snc_gemm_weight_bytes(const snc_gemm *g, int N, int K);
snc_err snc_gemm_forward16(float *Y, int ldy, const snc_gemm_sink *sink, snc_gemm *g, const snc_bf16 *X, int ldx, const snc_gemm_weight *w,
                           const float *b, int T, int n, int k, bool accumulate) SNC_MUST_USE;
snc_err snc_gemm_backward_x16(float *dX, int lddx, const snc_gemm_sink *sink, snc_gemm *g, const snc_bf16 *dY, int lddy,
                              const snc_gemm_weight *w, int T, int n, int k, bool accumulate) SNC_MUST_USE;
/* squares: NULL, or the sum of the squares of the result's elements, in an order that does not depend on the threads. */
snc_err snc_gemm_backward_w16(float *dW, int lddw, double *squares, snc_gemm *g, const snc_bf16 *dY, int lddy, const snc_bf16 *X, int ldx,
                              int T, int n, int k, bool accumulate) SNC_MUST_USE;

#endif
