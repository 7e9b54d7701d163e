/* train/momentum_copy.h: a copy of a model that follows it, for the objective `momentum`.
 *
 *   copy <- rate * copy + (1 - rate) * model        all parameters, after every step; the copy begins as the model
 *
 * Rows of tables that the optimiser is behind with (adamw.h) are followed as they stand. It takes the memory of the parameters twice (plain
 * and packed) and of an engine without gradients, and a step a forward pass of the largest net and a walk over all weights more.
 */
#ifndef SNC_TRAIN_MOMENTUM_COPY_H
#define SNC_TRAIN_MOMENTUM_COPY_H

#include "models/engine.h"
#include "train/checkpoint.h"

typedef struct snc_momentum snc_momentum;

snc_err snc_momentum_new(snc_momentum **out, const snc_ctx *ctx, const snc_model *m, double rate) SNC_MUST_USE;
void snc_momentum_free(snc_momentum *s);
/* Its weights, which are all of its state: a checkpoint may write them before `bind`. */
snc_block snc_momentum_block(snc_momentum *s);
snc_err snc_momentum_bind(snc_momentum *s, const snc_engine_opts *o) SNC_MUST_USE; /* once, before forward */
/* logits [B, K] of the copy; the errors of snc_engine_forward. */
snc_err snc_momentum_forward(snc_momentum *s, float *logits, const snc_arch *arch, const snc_tokens *x) SNC_MUST_USE;
void snc_momentum_follow(snc_momentum *s, const snc_model *m);

#endif
