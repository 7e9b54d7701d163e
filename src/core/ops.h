/* core/ops.h: what a transformer layer does between its matrix products, forward and backward.
 *
 * All activations are f32, row-major and dense (ld = width); rows are tokens of an unpadded batch. Forward overwrites;
 * parameter gradients (gamma, beta, bias, tables) are added to, activation gradients are overwritten. An output whose name
 * ends in 16 is the one before it rounded to bf16 for the products of core/gemm.h, dense as well, or NULL.
 *
 * A plan (snc_ops) owns the partial sums and per-thread scratch and serves one thread of control at a time. Rows are cut
 * into chunks of SNC_OPS_GRAIN and partial sums join in chunk order, so results do not depend on the thread count. With
 * ctx->backend = SNC_BACKEND_REF plain loops in a fixed order define the bits; otherwise AVX-512 or AVX2 kernels run
 * where the CPU has them. Measured error of those against double precision (tests/unit/core_ops.c holds it):
 * gelu, tanh and their derivatives 4e-7 max(1, |x|) on [-10, 10].
 */
#ifndef SNC_CORE_OPS_H
#define SNC_CORE_OPS_H

#include <stdbool.h>

#include "base/ctx.h"
#include "core/distance.h"
#include "core/gemm.h"
#include "core/relative.h"
#include "core/tokens.h"

enum { SNC_OPS_GRAIN = 16 }; /* rows of one chunk */

typedef struct snc_ops snc_ops;

typedef struct snc_ops_limits {
    int rows;      /* tokens of a batch */
    int width;     /* widest row of any op: hidden, heads x head width, FFN */
    int seqs, len; /* sequences of a batch, tokens of a sequence */
    int head_width;
    int relative;  /* heads x buckets of a bias by distance; 0: none */
    int distances; /* rows of the tables of distances apart; 0: none */
} snc_ops_limits;

/* Borrows ctx. */
snc_err snc_ops_create(snc_ops **out, const snc_ctx *ctx, const snc_ops_limits *max) SNC_MUST_USE;
void snc_ops_free(snc_ops *o);

/* Dropout mask of one site: element (row, col) is kept when its 16 bits of hash(key, row, col / 2) reach the threshold.
 * Nothing is stored: the backward pass draws the same mask. Rates are rounded to 1/65536 and `scale` matches exactly. */
typedef struct snc_mask {
    uint32_t key[2];
    uint32_t threshold; /* 0: everything is kept */
    float scale;        /* of what is kept */
    uint32_t row;       /* the mask's, of the first row that an operation is given: a batch in parts has the masks of the whole */
} snc_mask;
#define SNC_MASK_OFF ((snc_mask){.scale = 1.0f})

snc_mask snc_mask_make(uint64_t seed, uint64_t step, uint64_t site, float rate /* [0, 1) */); /* from row 0 on */
bool snc_mask_keeps(const snc_mask *m, uint32_t row, uint32_t col);
void snc_mask_apply(float *x /* [rows, n] */, snc_ops *o, int rows, int n, const snc_mask *m);

/* LayerNorm of a sum: s = mask(s) + r, y = (s - mean) * rstd * gamma + beta over the n active channels.
 * s [rows, n] holds the linear's output and is kept for backward; r [rows, n] or NULL; stats [rows, 2] = mean, rstd. */
void snc_norm_forward(float *y, snc_bf16 *y16, float *s, float *stats, snc_ops *o, const float *r, const float *gamma, const float *beta,
                      int rows, int n, float eps, const snc_mask *m);
/* ds [rows, n]: gradient of the sum, which is also r's (ds = dy is fine); `past` [rows, n], what reaches the sum past the norm, is added,
 * NULL: nothing does. dx [rows, n]: gradient of the linear's output, mask(ds); not written when the mask is off (ds is it then; dx16
 * always is it). dbias [n] += column sums of it, or NULL. */
void snc_norm_backward(float *ds, float *dx, snc_bf16 *dx16, float *dgamma, float *dbeta, float *dbias, snc_ops *o, const float *dy,
                       const float *s, const float *stats, const float *gamma, const float *past, int rows, int n, const snc_mask *m);

typedef enum snc_ops_act { SNC_OPS_GELU, SNC_OPS_GELU_TANH, SNC_OPS_RELU, SNC_OPS_TANH, SNC_OPS_ACTS } snc_ops_act;

/* a = f(h), d = f'(h) or NULL; a or d may be h itself (not both). */
void snc_act_forward(float *a, float *d, snc_ops *o, const float *h, int rows, int n, snc_ops_act act);
/* dh = da * d in place; dbias [n] += column sums, or NULL. */
void snc_act_backward(float *dh, float *dbias, snc_ops *o, const float *d, int rows, int n);

/* The same on parts of a product as soon as they are there, with all that is kept in bf16: forward takes h = X W^T + b and
 * writes a and d (or NULL); backward takes da = dY W, reads d and writes dh to `a`. The sink borrows b. After a backward
 * product, snc_act_end adds the column sums of dh to dbias [n]. */
typedef struct snc_act_rows {
    snc_ops *o;
    snc_bf16 *a, *d; /* [rows, n] */
    int n;
    snc_ops_act act;
} snc_act_rows;

snc_gemm_sink snc_act_forward_sink(snc_act_rows *b);
snc_gemm_sink snc_act_backward_sink(snc_act_rows *b);
void snc_act_end(float *dbias, snc_ops *o, int rows, int n);

void snc_round(snc_bf16 *x16, snc_ops *o, const float *x, int rows, int n);
void snc_col_sum(float *db /* [n] += */, snc_ops *o, const float *x /* [rows, n] */, int rows, int n);

/* Attention inside each sequence: out = mask(softmax(q k^T / sqrt(head_width) + relative)) v, per head, or with distances apart
 * mask(softmax((q k^T + distances) / sqrt(SNC_DISTANCE_PARTS head_width))) v.
 * q, out [Q, A], k, v [T, A], A = heads * head_width. Q = T; with first_only Q = B: q holds the first token of each
 * sequence and only those outputs are computed. stats [2, heads, Q] (largest score, 1 / sum) is kept for backward, which
 * draws probabilities again instead of reading them. */
typedef struct snc_attention {
    const snc_tokens *x; /* offsets, B and T */
    int heads, head_width;
    bool first_only;
    snc_mask mask;
    snc_relative relative;   /* a bias by distance; its grad is added to by the backward pass */
    snc_distances distances; /* not with the former; dkey and dquery are overwritten by the backward pass */
} snc_attention;

void snc_attention_forward(float *out, snc_bf16 *out16, float *stats, snc_ops *o, const float *q, const float *k, const float *v,
                           const snc_attention *at);
/* [0] of q, [1] of k, [2] of v. db[i] [A] += column sums; d16 NULL: none. */
void snc_attention_backward(float *const d[3], snc_bf16 *const d16[3], float *const db[3], snc_ops *o, const float *dout, const float *q,
                            const float *k, const float *v, const float *stats, const snc_attention *at);

/* s [T, n] = word[id] + position[index in its sequence] + type[segment]; tables have ld = ld; no positions, no types: NULL. */
void snc_embed_forward(float *s, snc_ops *o, const float *word, const float *position, const float *type, const snc_tokens *x, int n,
                       int ld);
/* Adds each row of ds to the rows of its tokens, in token order: only the batch's rows of the tables are touched. */
void snc_embed_backward(float *dword, float *dposition, float *dtype, snc_ops *o, const float *ds, const snc_tokens *x, int n, int ld);

#endif
