/* train/together.h: a training run on several ranks: data parallel, an equal share of the rows of every batch for each.
 *
 * All ranks hold the same weights, draw the same batches and nets, and take the same optimiser's step. What they exchange in a step is a
 * word each (losses, an error, whether rank 0 wants to stop), then the sums of their gradients: all dense parameters, and of tables that
 * the optimiser updates by rows those rows that the batch reads. Dropout masks are counted in the whole batch, losses are shares of its
 * mean, so the sum is the gradient of one process but for the order of its additions.
 */
#ifndef SNC_TRAIN_TOGETHER_H
#define SNC_TRAIN_TOGETHER_H

#include "base/duty.h"
#include "train/trainer_priv.h"

/* Rank 0's part of sending a run to the others, before its own set-up, and what they do then. */
snc_err snc_train_call(const snc_ctx *ctx, snc_comm *c, snc_model *m, snc_model *teacher, const snc_dataset *d, const snc_space *space,
                       const snc_train_opts *o) SNC_MUST_USE;
extern const snc_duty snc_duty_train;

/* Room for the exchange; after the optimiser was made. */
snc_err snc_together_open(snc_trainer *t) SNC_MUST_USE;
void snc_together_close(snc_trainer *t);
/* What rank 0 has read of its checkpoint, if any, to all. blocks: of the run, on every rank. */
snc_err snc_together_resume(snc_trainer *t, const snc_block *blocks, int n) SNC_MUST_USE;
/* The next backward pass is the last of this step: sums of a layer's gradients are under way while those before it are computed. */
void snc_together_expect(snc_trainer *t);
/* Losses and gradients of this rank's share become the whole batch's. mine: whether its share went well; the error of any rank is that of
 * all. t->left is true afterwards where a rank, which is rank 0, ends the run here: the step has not been. */
snc_err snc_together_sum(snc_trainer *t, snc_err mine, const snc_tokens *x, const snc_row_set *sets, int n_sets) SNC_MUST_USE;
/* Rank 0 ends the run between two steps, with an error or without; the others learn of it in theirs. Returns err. */
snc_err snc_together_leave(snc_trainer *t, snc_err err);

#endif
