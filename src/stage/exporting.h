/* stage/exporting.h: deployable files: the full-size INT8 model, and the chosen net, repaired where that helps. */
#ifndef SNC_STAGE_EXPORT_H
#define SNC_STAGE_EXPORT_H

#include "stage/pick.h"

/* All linears and embeddings INT8, the classifier F32. */
snc_policy snc_policy_int8(void);
/* The full-size uniform INT8 model of a teacher: what 1.0x means. Reused while its inputs are the same. */
snc_err snc_step_export_full(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher, const char *out) SNC_MUST_USE;
/* The finalist as searched, or after a short distillation under fake quantization when that is better on the select split.
 * said: one sentence about which. stamp: what the file is made of and with, kept inside. */
enum { SNC_SENTENCE = 256 };
snc_err snc_export_finalist(char said[SNC_SENTENCE], snc_pick *p, const snc_finalist *f, const char *teacher, const cJSON *stamp,
                            const char *out) SNC_MUST_USE;

#endif
