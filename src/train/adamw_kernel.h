/* train/adamw_kernel.h: the elementwise loops of AdamW, one body compiled for each ISA.
 *
 * Plain IEEE operations without contraction: every ISA gives the bits of the scalar loop.
 *
 * The half kernels keep the moments in 16 bits. m is bf16, rounded to nearest: it moves by a tenth a step. v moves by a
 * thousandth, which nearest rounding would lose; it is the float's exponent and 8 bits of its mantissa (a square needs no
 * sign), rounded up or down by a dither that keeps the mean: a Weyl sequence over elements (index `at` + i) and, by the
 * caller's `noise`, over steps.
 */
#ifndef SNC_TRAIN_ADAMW_KERNEL_H
#define SNC_TRAIN_ADAMW_KERNEL_H

#include <stdbool.h>

#include "base/isa.h"
#include "core/dtype.h"

typedef uint16_t snc_square; /* bits 30 to 15 of a float */

typedef struct snc_adamw_coef {
    float b1, b2, c1, c2;  /* c = 1 - b */
    float gscale;          /* clipping */
    float decay;           /* 1 - lr wd, or 1 */
    float rate, root, eps; /* lr / bc1, 1 / sqrt(bc2) */
    bool keep;             /* g stays as it is, else it is zeroed */
    uint32_t noise;        /* of the step */
} snc_adamw_coef;

/* k skipped steps of one row; see adamw.h. */
typedef struct snc_adamw_skip {
    float decay, m, v;  /* factors of p, m, v */
    float wu[2], eu[2]; /* w_i u_i and eps u_i of the two nodes */
    uint32_t noise;
} snc_adamw_skip;

typedef struct snc_adamw_kernels {
    void (*step)(float *p, float *g, float *m, float *v, int64_t n, const snc_adamw_coef *c);
    void (*step_half)(float *p, float *g, snc_bf16 *m, snc_square *v, size_t at, int64_t n, const snc_adamw_coef *c);
    void (*catch_up)(float *p, float *m, float *v, int64_t n, const snc_adamw_skip *s);
    void (*catch_up_half)(float *p, snc_bf16 *m, snc_square *v, size_t at, int64_t n, const snc_adamw_skip *s);
    double (*sumsq)(const float *g, int64_t n); /* in double, 16 lanes, joined in lane order */
} snc_adamw_kernels;

const snc_adamw_kernels *snc_adamw_kernels_get(snc_isa isa);

#endif
