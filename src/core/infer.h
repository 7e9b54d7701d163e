/* core/infer.h: forward-only kernels over rows of tokens, between the linears of the inference path.
 *
 * Every row (every query row of attention) is computed on its own in a fixed order, so a result depends neither on its
 * neighbours nor on how rows are split over threads. `isa` picks the kernel: SNC_ISA_SCALAR is the `ref` twin that
 * defines the result; the others stay within the bounds stated at each call. Pure functions: no allocation, no threads.
 */
#ifndef SNC_CORE_INFER_H
#define SNC_CORE_INFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/isa.h"

/* y[t,c] = (x[t,c] - mean_t) / sqrt(var_t + eps) * gamma[c] + beta[c] over the first C columns; y may be x. */
void snc_infer_norm(float *y, int ldy, const float *x, int ldx, const float *gamma, const float *beta, int T, int C, float eps,
                    snc_isa isa);

/* y[t,j] = x[t,:k] . w[j,:k] + b[j]: for heads of a few outputs, where packing and a library call cost more. */
void snc_infer_dot(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, const float *b, int T, int n, int k, snc_isa isa);

/* y[t,j] = x[t,:k] . w[:k, j - t] for j < n: which column of w is taken goes by how far j is from t. w stands at column 0; T - 1 columns
 * are before it, and behind column n - 1 room for as many as are read along. */
enum { SNC_INFER_SLIDE_ROOM = 32 };
void snc_infer_slide(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, int T, int n, int k, snc_isa isa);

/* What is added to q k^T of query i and key j before it is scaled: at[i * query + j]. Of heads that lie side by side the next one's is
 * `head` floats further. -inf lets a key go, but not all of a query's. */
typedef struct snc_infer_bias {
    const float *at;
    ptrdiff_t query, head;
} snc_infer_bias;

/* One head of one sequence: y [nq, D] = softmax(scale * (q k^T + bias)) v over nk keys; q [nq, D], k and v [nk, D]. bias NULL: none.
 * bf16, and more than one query: operands are rounded to bf16, so are probabilities, to within 0.9 %, and both products are
 * summed in f32: the same numbers on every instruction set but for the order of the sums. Otherwise f32. nq <= nk.
 * scratch: snc_infer_attention_scratch bytes, 64-byte aligned, for nk <= max_len. */
size_t snc_infer_attention_scratch(int max_len, int D);
void snc_infer_attention(float *y, int ldy, const float *q, int ldq, const float *k, const float *v, int ldkv, int nq, int nk, int D,
                         float scale, const snc_infer_bias *bias, bool bf16, snc_isa isa, void *scratch);

/* `heads` heads of one sequence that lie side by side, operands in bf16 already (head h at column h D of each); otherwise the
 * same as with bf16. Elsewhere than on AMX rows are widened, a head at a time. */
bool snc_infer_wants_bf16(snc_isa isa); /* this call is the faster one */
void snc_infer_attention_bf16(float *y, int ldy, const uint16_t *q, int ldq, const uint16_t *k, const uint16_t *v, int ldkv, int heads,
                              int nq, int nk, int D, float scale, const snc_infer_bias *bias, snc_isa isa, void *scratch);

#endif
