/* artifact/threshold.h: the threshold of a multilabel model, chosen on select.
 *
 * One for all labels, of 0.01, 0.02, ... 0.99 the one with the best score by the task's metrics; of equals the nearest to 0.5. A choice of
 * its own for each label would be one of few rows: rare labels have a handful in select.
 */
#ifndef SNC_ARTIFACT_THRESHOLD_H
#define SNC_ARTIFACT_THRESHOLD_H

#include "artifact/inputs.h"
#include "models/engine.h"

/* logits [d->n, K] as the model gives them. */
snc_err snc_threshold_choose(double *out, const snc_ctx *ctx, const snc_task *task, const float *logits, const snc_dataset *d,
                             int K) SNC_MUST_USE;
/* Puts that of m into its meta, by its logits on select; nothing for other tasks and where there are none. */
snc_err snc_threshold_note(snc_model *m, const snc_ctx *ctx, const snc_inputs *in, const float *logits /* or NULL */) SNC_MUST_USE;

#endif
