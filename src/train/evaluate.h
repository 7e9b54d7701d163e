/* train/evaluate.h: logits of a whole split, in batches of near-equal length, without dropout. */
#ifndef SNC_TRAIN_EVALUATE_H
#define SNC_TRAIN_EVALUATE_H

#include "data/dataset.h"
#include "models/engine.h"

/* logits [n, K] in dataset order. The engine must be planned for batch_size sequences of d->max_len tokens. `what` names the
 * progress line, NULL: silent. SNC_E_CANCELLED; SNC_E_DIVERGED: names the row whose logits are not finite. */
snc_err snc_train_eval(float *logits, const snc_ctx *ctx, snc_engine *e, const snc_arch *arch, int K, const snc_dataset *d, int batch_size,
                       const char *what) SNC_MUST_USE;

/* The same with an engine of its own for the call. */
snc_err snc_train_eval_model(float *logits, const snc_ctx *ctx, snc_model *m, const snc_arch *arch, snc_compute compute,
                             const snc_dataset *d, int batch_size, const char *what) SNC_MUST_USE;

/* A teacher's logits [n, classes] of every row with met [n] set, NaN for the others; met NULL: of all. The caller frees them. Wide
 * batches: nothing is kept for a backward pass. `what` names the progress line. */
snc_err snc_train_sweep(float **logits, const snc_ctx *ctx, snc_model *teacher, snc_compute compute, const snc_dataset *d,
                        const uint8_t *met, const char *what) SNC_MUST_USE;

/* pred [n]: the class of the largest logit (the first of equals), or the value for regression (K = 1). */
void snc_train_predictions(float *pred, const float *logits, int n, int K);

#endif
