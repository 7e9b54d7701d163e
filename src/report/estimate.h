/* report/estimate.h: what a whole job will take, from a few timed steps and calls, before it starts.
 *
 * Timed on the job's own model, rows and workload: a training step, a call of the full-size INT8 net, a token that is scored, and
 * how long such a net takes to be packed. Each part of the job is so many of these, or the time that its own limit allows. A part
 * whose artifact is there and current takes none.
 */
#ifndef SNC_REPORT_ESTIMATE_H
#define SNC_REPORT_ESTIMATE_H

#include "artifact/folder.h"

/* Prints seconds by stage as one answer line and plans ctx's meter by them. work: the workload's threads. Takes a few seconds. */
snc_err snc_estimate_say(const snc_ctx *ctx, const snc_ctx *work, const snc_host *h, const snc_options *o, const snc_inputs *in,
                         const snc_folder *there, const char *from) SNC_MUST_USE;

#endif
