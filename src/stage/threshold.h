/* stage/threshold.h: the threshold of a multilabel model, chosen on select.
 *
 * One for all labels, of 0.01, 0.02, ... 0.99 the one with the best score by the task's metrics; of equals the nearest to 0.5. A choice of
 * its own for each label would be one of few rows: rare labels have a handful in select.
 */
#ifndef SNC_STAGE_THRESHOLD_H
#define SNC_STAGE_THRESHOLD_H

#include "models/bert.h"
#include "stage/inputs.h"

/* logits [d->n, K] as the model gives them. */
snc_err snc_threshold_choose(double *out, const snc_ctx *ctx, const snc_task *task, const float *logits, const snc_dataset *d, int K) SNC_MUST_USE;
/* Puts that of m on select into its meta; nothing for other tasks and without select. */
snc_err snc_threshold_note(snc_model *m, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in) SNC_MUST_USE;

#endif
