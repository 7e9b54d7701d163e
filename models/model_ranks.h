/* models/model_ranks.h: a model that rank 0 has, on other ranks. */
#ifndef SNC_MODELS_MODEL_RANKS_H
#define SNC_MODELS_MODEL_RANKS_H

#include "base/comm.h"
#include "models/model.h"

/* By all ranks. *m: rank 0's, or NULL there as well, and then on all; elsewhere a new one of the same config, shapes, parameters and
 * source, without labels, tokenizer and meta. The ranks have agreed on an error. */
snc_err snc_model_share(snc_model **m, const snc_ctx *ctx, snc_comm *c) SNC_MUST_USE;

/* What a model is but for its numbers, as it may be sent to another process of the same program. */
typedef struct snc_model_form {
    bool there, has_head;
    char family[32]; /* the config has a pointer in its place */
    snc_encoder_config cfg;
    snc_arch arch;
} snc_model_form;

snc_model_form snc_model_form_of(const snc_model *m);
/* Parameters are zeros. SNC_E_UNSUPPORTED: a family that is not known here. */
snc_err snc_model_of_form(snc_model **out, const snc_ctx *ctx, const snc_model_form *f) SNC_MUST_USE;

#endif
