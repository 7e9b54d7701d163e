/* stage/estimate.h: what a run will take, from a few timed steps, before it starts. */
#ifndef SNC_STAGE_ESTIMATE_H
#define SNC_STAGE_ESTIMATE_H

#include "stage/inputs.h"

/* Times training steps of the model on real batches and prints seconds by stage as answer lines. */
snc_err snc_estimate_say(const snc_ctx *ctx, const snc_host *h, const snc_options *o, const snc_inputs *in, const char *from) SNC_MUST_USE;

#endif
