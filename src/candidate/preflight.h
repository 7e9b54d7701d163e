/* candidate/preflight.h: what is checked before any work, by a dry run and by a real one alike.
 *
 *     SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_COMPRESS));      numbers in their ranges, options against each other
 *     SNC_TRY(snc_preflight_supernet(o, m));                           space, depth rule, sampler
 *     SNC_TRY(snc_preflight_search(&work, o, &targets, &in, m, dir));    searcher, objectives, warm start, workload, targets within reach
 *
 * A contradiction is refused by the names of both options. An option that has no effect beside another is said, and no more.
 */
#ifndef SNC_CANDIDATE_PREFLIGHT_H
#define SNC_CANDIDATE_PREFLIGHT_H

#include "artifact/inputs.h"
#include "candidate/target.h"

/* verb: one of SNC_VERB_.... */
snc_err snc_preflight_options(const snc_ctx *ctx, const snc_options *o, unsigned verb) SNC_MUST_USE;
/* Of a model that is to become a supernet. */
snc_err snc_preflight_supernet(const snc_options *o, const snc_model *m) SNC_MUST_USE;
/* Of a search over nets of m's shapes whose journal is in `dir`; work: the workload's threads. */
snc_err snc_preflight_search(const snc_ctx *work, const snc_options *o, const snc_targets *a, const snc_inputs *in, snc_model *m,
                             const char *dir) SNC_MUST_USE;

#endif
