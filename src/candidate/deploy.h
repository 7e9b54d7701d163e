/* candidate/deploy.h: deployable files: the full-size INT8 model, and the chosen net, repaired where that helps. */
#ifndef SNC_CANDIDATE_DEPLOY_H
#define SNC_CANDIDATE_DEPLOY_H

#include "artifact/distillation.h"
#include "candidate/finalists.h"

/* The full-size uniform INT8 model of a teacher: what 1.0x means. Reused while its inputs are the same. */
snc_err snc_deploy_full(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher, const char *out) SNC_MUST_USE;
/* What a deployable file says about itself, beside what every .snc says. in: NULL without a task; stamp goes into it. */
cJSON *snc_deploy_meta(const snc_model *m, const snc_options *o, const snc_inputs *in, cJSON *stamp);
/* w: the matrices, packed already, or NULL. */
snc_err snc_deploy_write(const char *path, const snc_ctx *ctx, const snc_model *m, snc_weights *w, const snc_arch *a, const snc_policy *p,
                         const cJSON *meta) SNC_MUST_USE;
/* The share of dev's tokens that are lost is told, and decides nothing. */
snc_err snc_deploy_trim(const char *path, const snc_ctx *ctx, const snc_dataset *dev, const snc_trim *t) SNC_MUST_USE;
/* The finalist as searched, or after a short distillation under fake quantization when that is better on the select split.
 * said: one sentence about which. set: what it is distilled from, filled where that is needed. stamp: what the file is made of and
 * with, kept inside. */
enum { SNC_SENTENCE = 256 };
snc_err snc_deploy_finalist(char said[SNC_SENTENCE], snc_evaluator *e, const snc_options *o, snc_distillation_set *set,
                            const snc_finalist *f, const char *teacher, const cJSON *stamp, const char *out) SNC_MUST_USE;

#endif
