/* candidate/cascade_fit.h: how the nets of a file escalate: chosen on select (candidate/cascade_choice.h), looked at on dev.
 *
 *     SNC_TRY(snc_cascade_able(snc_weights_config(l.weights), path));
 *     SNC_TRY(snc_cascade_fit(&cascade, ctx, &clock, o, h, &l, path, &in));   snc_bundle_save(to, files, paths, n, cascade);
 */
#ifndef SNC_CANDIDATE_CASCADE_FIT_H
#define SNC_CANDIDATE_CASCADE_FIT_H

#include "artifact/inputs.h"
#include "artifact/load.h"

/* SNC_E_ARG: what --cascade-limits cannot mean: "mean=0.35x,p50=300us,p99=0.85x", up to four of them, each once. */
snc_err snc_cascade_limits_check(const snc_options *o) SNC_MUST_USE;
/* The mean that --cascade-limits ask for, of a largest net that takes so much by itself: in its unit; 0: they ask for none. */
double snc_cascade_mean(const snc_options *o, double largest_us);
/* Points: --max-drop, or 0.5; none where the mean is limited and no drop is asked for: then right answers are what is chosen by. */
double snc_cascade_points(const snc_options *o);
/* SNC_E_UNSUPPORTED: a model whose answers have no confidence. */
snc_err snc_cascade_able(const snc_encoder_config *c, const char *path) SNC_MUST_USE;
/* The nets of l, the file at path, answer, are timed beside each other by clock and its threads, length by length
 * (candidate/speeds_clock.h), and are said to h. A row takes the medians at its length, of a net that goes on from another's hidden state
 * what is left of it; shares of time are of the largest net alone. Points are of score under the largest net, by a bound at 95 % on
 * select. in has select and dev. SNC_E_NOTFOUND: the largest net alone is all that keeps the limits, or nothing does. *cascade:
 * cJSON_Delete. */
snc_err snc_cascade_fit(cJSON **cascade, const snc_ctx *ctx, const snc_ctx *clock, const snc_options *o, const snc_host *h, snc_loaded *l,
                        const char *path, const snc_inputs *in) SNC_MUST_USE;

#endif
