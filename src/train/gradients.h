/* train/gradients.h: how large the gradients of a step are, layer by layer: for samplers that learn from them. */
#ifndef SNC_TRAIN_GRADIENTS_H
#define SNC_TRAIN_GRADIENTS_H

#include "base/ctx.h"
#include "models/model.h"
#include "train/sampler.h"

/* out [layers of m]: of those in m's gradient block; of a matrix that is mixed of experts the first one's. */
void snc_layer_gradients(snc_sampler_gradient *out, const snc_ctx *ctx, const snc_model *m);

#endif
