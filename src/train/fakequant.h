/* train/fakequant.h: trains a net under the INT8 or INT4 grid it will be shipped on (quantization-aware, straight-through).
 *
 * apply replaces every weight matrix whose dtype in the policy is INT8 or INT4 by the values its integers stand for (the
 * shipped quantizers), and keeps the f32 master; restore brings the master back for the optimiser. Gradients
 * pass straight through. Activations and embedding tables keep their precision here.
 *
 *     apply; sync; forward; backward; restore; optimiser step; apply; sync ...
 */
#ifndef SNC_TRAIN_FAKEQUANT_H
#define SNC_TRAIN_FAKEQUANT_H

#include "models/model.h"

typedef struct snc_fakequant snc_fakequant;

/* Borrows m, whose arch the policy describes layer by layer. */
snc_err snc_fakequant_new(snc_fakequant **out, const snc_ctx *ctx, snc_model *m, const snc_policy *p) SNC_MUST_USE;
void snc_fakequant_free(snc_fakequant *f); /* leaves the weights as they are */
/* Both are for NULL too, and for a model that is in that state already: nothing happens. */
void snc_fakequant_apply(snc_fakequant *f);
void snc_fakequant_restore(snc_fakequant *f);

#endif
