/* candidate/cascade_fit.h: how the nets of a file escalate: chosen on select (candidate/cascade_choice.h), looked at on dev.
 *
 *     SNC_TRY(snc_cascade_able(snc_weights_config(l.weights), path));
 *     SNC_TRY(snc_cascade_fit(&cascade, ctx, o, h, &l, &in, limit));   snc_bundle_save(to, files, paths, n, cascade);
 */
#ifndef SNC_CANDIDATE_CASCADE_FIT_H
#define SNC_CANDIDATE_CASCADE_FIT_H

#include "artifact/inputs.h"
#include "artifact/load.h"

double snc_cascade_limit(const snc_options *o); /* points: --max-drop, or 0.5 */
/* SNC_E_UNSUPPORTED: a model whose answers have no confidence. */
snc_err snc_cascade_able(const snc_encoder_config *c, const char *path) SNC_MUST_USE;
/* The nets of l answer, are timed beside each other on as many threads as clock has, and are said to h. limit: points of score under the
 * largest net, by a bound at 95 % on select. in has select and dev. SNC_E_NOTFOUND: the largest net alone is all that keeps it. *cascade:
 * cJSON_Delete. */
snc_err snc_cascade_fit(cJSON **cascade, const snc_ctx *ctx, const snc_ctx *clock, const snc_options *o, const snc_host *h, snc_loaded *l,
                        const snc_inputs *in, double limit) SNC_MUST_USE;

#endif
