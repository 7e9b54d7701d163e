/* models/model_ranks.h: a model that rank 0 has, on every rank. */
#ifndef SNC_MODELS_MODEL_RANKS_H
#define SNC_MODELS_MODEL_RANKS_H

#include "base/comm.h"
#include "models/model.h"

/* By all ranks. *m: rank 0's, or NULL there as well, and then on all; elsewhere a new one of the same config, shapes, parameters and
 * source, without labels, tokenizer and meta. The ranks have agreed on an error. */
snc_err snc_model_share(snc_model **m, const snc_ctx *ctx, snc_comm *c) SNC_MUST_USE;

#endif
