/* candidate/deploy.h: deployable files: the full-size INT8 model, and any net of a model. */
#ifndef SNC_CANDIDATE_DEPLOY_H
#define SNC_CANDIDATE_DEPLOY_H

#include "artifact/inputs.h"
#include "models/runtime.h"
#include "models/trim.h"

/* The full-size uniform INT8 model of a teacher, with its threshold: what 1.0x means. Reused while its inputs are the same. */
snc_err snc_deploy_full(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher, const char *out) SNC_MUST_USE;
/* What a deployable file says about itself, beside what every .snc says. in: NULL without a task; stamp goes into it. */
cJSON *snc_deploy_meta(const snc_model *m, const snc_options *o, const snc_inputs *in, cJSON *stamp);
/* w: the matrices, packed already, or NULL. */
snc_err snc_deploy_write(const char *path, const snc_ctx *ctx, const snc_model *m, snc_weights *w, const snc_arch *a, const snc_policy *p,
                         const cJSON *meta) SNC_MUST_USE;
/* The same, with a threshold chosen on select for the very file where a task has any number of labels; meta then says it. */
snc_err snc_deploy_write_cut(const char *path, const snc_ctx *ctx, const snc_inputs *in, const snc_model *m, snc_weights *w,
                             const snc_arch *a, const snc_policy *p, cJSON *meta) SNC_MUST_USE;
/* The share of dev's tokens that are lost is told, and decides nothing. */
snc_err snc_deploy_trim(const char *path, const snc_ctx *ctx, const snc_dataset *dev, const snc_trim *t) SNC_MUST_USE;

#endif
