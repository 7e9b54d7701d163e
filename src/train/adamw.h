/* train/adamw.h: AdamW over a flat parameter block: one fused pass, embedding rows only when a batch touches them.
 *
 *   g <- g * min(1, clip / (|g| + 1e-6))                  global norm over all gradients
 *   m <- b1 m + (1-b1) g        v <- b2 v + (1-b2) g^2
 *   p <- p (1 - lr wd) - lr / (1-b1^t) * m / (sqrt(v) / sqrt(1-b2^t) + eps)          g <- 0
 *
 * Decoupled decay as PyTorch's AdamW; wd only for SNC_PARAM_DECAY. The pass reads p, g, m, v and writes them back with g
 * zeroed, so nobody else clears gradients; keep_grad spares that where the next backward pass overwrites them. State: m, v in the
 * layout of the parameters (optionally in 16 bits).
 *
 * Lazy rows (SNC_PARAM_ROWS): a table row takes part in a step only when the batch names it. Each row keeps the step it is
 * valid at; `prepare` brings the named rows up to the present before they are read, and gives what dense AdamW with a zero
 * gradient in the skipped steps would give. With j = 1..k skipped steps after s0, x = sqrt(v) and u_j = sqrt(bc2 / b2^j),
 *
 *   p <- p prod(1 - lr wd) - m * sum_j w_j u_j / (x + eps u_j)         w_j = lr_j b1^j / bc1_j * later decays
 *
 * where the sum, a positive measure over u, is replaced by its two-point Gauss rule (exact in four moments): the price of a
 * row does not depend on k. `flush` brings every row up to the present; call it before the weights are read as a whole.
 *
 *     snc_adamw_prepare(o, rows, n);  forward; backward;  SNC_TRY(snc_adamw_step(&norm, o, rows, n));
 *
 * Elementwise arithmetic has no contraction and norms are summed in a fixed order: all ISAs and thread counts give the
 * same bits. The optimiser borrows the parameters and the context.
 */
#ifndef SNC_TRAIN_ADAMW_H
#define SNC_TRAIN_ADAMW_H

#include <stdbool.h>

#include "base/comm.h"
#include "base/ctx.h"
#include "core/params.h"
#include "train/schedule.h"

typedef struct snc_adamw snc_adamw;

typedef struct snc_adamw_opts {
    float beta1, beta2, eps, weight_decay;
    float clip;      /* largest global norm; 0: no clipping */
    bool lazy;       /* false: SNC_PARAM_ROWS tables are updated whole, like everything else */
    bool half_state; /* both moments in 16 bits (adamw_kernel.h): a quarter less memory traffic */
} snc_adamw_opts;
#define SNC_ADAMW_OPTS_INIT                                                                             \
    {                                                                                                   \
        .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .weight_decay = 0.01f, .clip = 1.0f, .lazy = true \
    }

/* Distinct rows of one table that a batch reads. Borrowed. */
typedef struct snc_row_set {
    int param; /* index into the parameter table */
    int n;
    const int32_t *rows;
} snc_row_set;

/* ps->g is allocated when absent and must be zero before the first backward. SNC_E_ARG names the option. */
snc_err snc_adamw_create(snc_adamw **out, const snc_ctx *ctx, snc_params *ps, const snc_schedule *s, const snc_adamw_opts *o) SNC_MUST_USE;
void snc_adamw_free(snc_adamw *o);

/* Called from the parallel body of a step for each block of rows [r0, r1) just written (r0 a multiple of 32, r1 as well or the
 * last row), while it is in the cache: the place to repack a weight. Not called for lazy rows. */
typedef void (*snc_adamw_wrote_fn)(void *user, int param, int r0, int r1);
void snc_adamw_on_write(snc_adamw *o, snc_adamw_wrote_fn fn, void *user);

/* The gradient of this parameter (not of a lazy table) is left as it is: whoever computes the next one overwrites it. */
void snc_adamw_keep_grad(snc_adamw *o, int param);

/* Whether the parameter is a lazy table. */
bool snc_adamw_by_rows(const snc_adamw *o, int param);
/* The sum of the squares of this parameter's gradient (not of a lazy table), as the next step finds it: its norm is not
 * computed again. Good for that step. */
void snc_adamw_known_squares(snc_adamw *o, int param, double sum);

/* Of the ranks of c, which take every step together, each updates a share of the dense parameters alone and sends what it wrote to the
 * others, and has the moments of no others: the first stage of ZeRO (Rajbhandari et al. 2020). Lazy rows are everyone's. The gradient of
 * its share alone has to be whole. Before the first step; borrows c. */
snc_err snc_adamw_deal(snc_adamw *o, snc_comm *c) SNC_MUST_USE;
/* Numbers of the tables of ps, which are not dealt out where they are lazy. */
double snc_adamw_tables(const snc_params *ps);
/* Runs of parameters that lie side by side and are dense, from parameter i on: the numbers [from, from + n) of w and g; returns where to
 * look for the next, or -1: there is none. at [size + 1], where it is not NULL: where in the run each rank's share of it begins. */
int snc_adamw_run(size_t *from, size_t *n, size_t *at, const snc_adamw *o, int i);
/* By all ranks: rank 0 has the moments of all, for a checkpoint; each rank has its own of those that rank 0 has read of one. */
snc_err snc_adamw_collect(snc_adamw *o) SNC_MUST_USE;
snc_err snc_adamw_resume(snc_adamw *o) SNC_MUST_USE;

void snc_adamw_prepare(snc_adamw *o, const snc_row_set *sets, int n);
/* norm: before clipping; may be NULL. SNC_E_DIVERGED: the norm is not finite, and nothing was changed. SNC_E_IO: of the exchange. */
snc_err snc_adamw_step(double *norm, snc_adamw *o, const snc_row_set *sets, int n) SNC_MUST_USE;
void snc_adamw_flush(snc_adamw *o);
/* The schedule ends after `total` steps in all, later than those that were made and no later than it did: snc_schedule_shorten. */
void snc_adamw_shorten(snc_adamw *o, int64_t total);

/* What a checkpoint stores beside the parameters: the step count, the schedule, which may have been shortened, and three raw blocks.
 * Borrowed, writable; whoever writes says so. */
typedef struct snc_adamw_state {
    int64_t *step;
    snc_schedule *schedule; /* its total may only become less */
    void *block[3];         /* m, v, last step of every lazy row */
    size_t bytes[3];
} snc_adamw_state;
snc_adamw_state snc_adamw_state_view(snc_adamw *o);
void snc_adamw_state_written(snc_adamw *o);

#endif
