/* core/ops_priv.h: the plan, for files that add an op: its kernels, its partial sums and how they join. */
#ifndef SNC_CORE_OPS_PRIV_H
#define SNC_CORE_OPS_PRIV_H

#include "core/ops_kernels.h"

struct snc_ops {
    const snc_ctx *ctx;
    const snc_kernels *k;
    void (*narrow)(snc_bf16 *dst, int64_t ldd, const float *src, int64_t lds, int rows, int n);
    snc_ops_limits max;
    float *partial;      /* sums of each chunk, or of each sequence */
    float *relative;     /* [seqs][max.relative] gradients of a bias by distance, of each sequence */
    float *scratch;      /* [threads][scratch_each] */
    size_t scratch_each; /* floats; the last 2 `run` of them are of a bias and its gradient */
    size_t run;
    float *distance; /* [threads][snc_ops__distance_scratch] */
    float *turned;   /* [snc_ops__distance_turned] the tables of distances, a head behind the other, buckets as columns */
};

static inline int64_t snc_ops__chunks(int rows) { return ((int64_t)rows + SNC_OPS_GRAIN - 1) / SNC_OPS_GRAIN; }

/* dst [n] += part 0, part 1, ... in this order; parts are `stride` floats apart. dst NULL: nobody asks. */
void snc_ops__join(float *dst, const snc_ops *o, const float *part, int64_t parts, int64_t stride, int n);

/* What distances apart add to the scores of one head, and room for its gradient (core/distance.h), after the head's columns have
 * been turned. Floats of one thread, and of all. */
size_t snc_ops__distance_scratch(const snc_ops_limits *max);
size_t snc_ops__distance_turned(const snc_ops_limits *max);
void snc_ops__distance_turn(const snc_ops *o, const snc_distances *d, int head, int heads, int head_width);
void snc_ops__distance_lay(snc_head *h, const snc_ops *o, const snc_distances *d, int head, int worker, bool backward);
/* Backwards: the gradients of a head's rows begin at 0; those of a text are added, after head_backward. */
void snc_ops__distance_clear(const snc_distances *d, int head, int heads, int head_width);
void snc_ops__distance_back(float *dq, float *dk, const snc_head *h, const snc_ops *o, const snc_distances *d, int head, int worker);

#endif
