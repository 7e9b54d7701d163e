/* stage/export_cascade.h: how the nets of a file escalate, chosen on select (candidate/cascade_choice.h) and looked at on dev. */
#ifndef SNC_STAGE_EXPORT_CASCADE_H
#define SNC_STAGE_EXPORT_CASCADE_H

#include "artifact/load.h"

/* Needs --task and --data, before any work. */
snc_err snc_cascade_need(const snc_options *o) SNC_MUST_USE;
/* The cascade of the file at `draft`, whose nets answer, are timed beside each other and are said to h; *current: `out` is what would
 * come of it, and there is nothing to do (times differ from run to run, so that it is not made twice). SNC_E_NOTFOUND: the largest net
 * alone is all that keeps the limit. */
snc_err snc_cascade_make(cJSON **cascade, bool *current, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const char *draft,
                         const char *out) SNC_MUST_USE;

#endif
