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

#endif
