/* models/reorder.h: permutes a model's units so that prefixes keep the important ones; the function it computes stays.
 *
 *   heads[l]  [heads of layer l]  SNC_AXIS_HEAD: rows of Q, K, V and columns of O, a head at a time
 *   ffn[l]    [ffn of layer l]    SNC_AXIS_FFN: rows of FFN-in, columns of FFN-out
 *   hidden    [C]  SNC_AXIS_HIDDEN: one order for the residual stream
 *   pooler    [C]  SNC_AXIS_POOLED: rows of the pooler, columns of the classifier
 *
 * order[i] = old index of the unit that becomes unit i. Sums are taken in another order, so f32 logits agree to about 1e-6.
 */
#ifndef SNC_MODELS_REORDER_H
#define SNC_MODELS_REORDER_H

#include "models/model.h"

typedef struct snc_order {
    int layers;
    int32_t *heads[SNC_MAX_LAYERS], *ffn[SNC_MAX_LAYERS], *hidden, *pooler;
    void *block; /* one allocation behind all of them */
} snc_order;

snc_err snc_order_init(snc_order *out, const snc_arch *arch) SNC_MUST_USE; /* the identity */
void snc_order_dispose(snc_order *o);
/* order [n]: indices of score [n], largest first, equals in their old order. NaN counts as the smallest. */
void snc_order_by_score(int32_t *order, const double *score, int n);

/* SNC_E_ARG: an entry of the order is no permutation (named); the model is unchanged then. */
snc_err snc_model_reorder(snc_model *m, const snc_order *o) SNC_MUST_USE;

#endif
