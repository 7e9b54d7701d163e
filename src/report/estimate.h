/* report/estimate.h: how fast this machine does what a whole job is made of, from a few timed steps and calls, before it starts.
 *
 * Timed on the job's own model, rows and workload: a training step, a call of the full-size INT8 net, a token that is scored, and
 * how long such a net takes to be packed. Each part of the job is so many of these (report/plan.h). A part whose artifact is there and
 * current is done.
 */
#ifndef SNC_REPORT_ESTIMATE_H
#define SNC_REPORT_ESTIMATE_H

#include "artifact/folder.h"
#include "report/eval_sets.h"
#include "report/plan.h"

/* work: the workload's threads; from: the model that the job starts with; scored: at its end. Takes a few seconds. */
snc_err snc_estimate_pace(snc_pace *out, const snc_ctx *ctx, const snc_ctx *work, const snc_options *o, const snc_inputs *in,
                          const snc_eval_sets *scored, const snc_folder *there, const char *from) SNC_MUST_USE;

/* Seconds of a step of fine-tuning on `batch` rows of mean length, from at most `steps` of them and `seconds`; m's weights change. */
snc_err snc_estimate_step(double *out, const snc_ctx *quiet, const snc_options *o, const snc_dataset *rows, snc_model *m, int batch,
                          int steps, double seconds) SNC_MUST_USE;
enum { SNC_ESTIMATE_STEPS = 12 };
/* Sentences of a step that is cheap enough to be tried: --batch-size, or fewer. */
int snc_estimate_batch(const snc_options *o, const snc_dataset *rows, const snc_model *m);

#endif
