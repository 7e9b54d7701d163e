/* candidate/deploy.h: deployable files: the full-size INT8 model, and the chosen net, repaired where that helps. */
#ifndef SNC_CANDIDATE_DEPLOY_H
#define SNC_CANDIDATE_DEPLOY_H

#include "artifact/distillation.h"
#include "candidate/finalists.h"

/* The full-size uniform INT8 model of a teacher, with its threshold: what 1.0x means. Reused while its inputs are the same. */
snc_err snc_deploy_full(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher, const char *out) SNC_MUST_USE;
/* What a deployable file says about itself, beside what every .snc says. in: NULL without a task; stamp goes into it. */
cJSON *snc_deploy_meta(const snc_model *m, const snc_options *o, const snc_inputs *in, cJSON *stamp);
/* w: the matrices, packed already, or NULL. */
snc_err snc_deploy_write(const char *path, const snc_ctx *ctx, const snc_model *m, snc_weights *w, const snc_arch *a, const snc_policy *p,
                         const cJSON *meta) SNC_MUST_USE;
/* The share of dev's tokens that are lost is told, and decides nothing. */
snc_err snc_deploy_trim(const char *path, const snc_ctx *ctx, const snc_dataset *dev, const snc_trim *t) SNC_MUST_USE;
/* What a chosen net is trained on last, filled where that is done; the caller disposes of the set. */
typedef struct snc_refit {
    const snc_dataset *rows; /* those of rank and select with them, where nothing is judged on these any more */
    snc_teachers teachers;   /* which have seen those rows */
    snc_distillation_set set;
} snc_refit;

/* The finalist as searched or, with --repair, after a short distillation under fake quantization. said: one sentence about it. stamp:
 * what the file is made of and with, kept inside. */
enum { SNC_SENTENCE = 256 };
snc_err snc_deploy_finalist(char said[SNC_SENTENCE], snc_evaluator *e, const snc_options *o, const snc_finalist *f, snc_refit *refit,
                            const cJSON *stamp, const char *out) SNC_MUST_USE;

#endif
