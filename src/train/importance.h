/* train/importance.h: first-order importance of heads, FFN neurons, hidden channels and pooler units.
 *
 * The loss changes by about -sum w dL/dw when the weights w of a unit vanish. Over small batches i of the train split:
 *
 *   head h, layer l    sum_i | sum over O's columns of the head of W . dW |
 *   neuron j           sum_i | sum over FFN-out's column j of W . dW |
 *   pooler unit p      sum_i | sum over the classifier's column p of W . dW |
 *   hidden channel c   sum_i | sum over every weight attached to c of W . dW |: LayerNorm gain and bias, input columns of Q/K/V,
 *                      FFN-in and pooler, output rows and biases of O and FFN-out, embedding columns
 *
 * Rows without a label count by labels drawn from what the model says of them, with weight `soft`. The divergence of a model from itself
 * has no gradient: its first order is nothing, its second is Fisher's information, the mean square of just these gradients. (KL to a
 * teacher that is the model itself would score every unit 0.)
 *
 * Source: Michel et al. 2019 (heads), Molchanov et al. 2019 (Taylor criterion), as used by DynaBERT (arXiv 2004.04037).
 */
#ifndef SNC_TRAIN_IMPORTANCE_H
#define SNC_TRAIN_IMPORTANCE_H

#include "data/dataset.h"
#include "models/engine.h"
#include "base/duty.h"
#include "models/reorder.h"

typedef struct snc_importance {
    int layers, hidden_width;
    double *heads[SNC_MAX_LAYERS], *ffn[SNC_MAX_LAYERS], *hidden, *pooler;
    int64_t rows; /* how many were used */
    double *block;
} snc_importance;

typedef struct snc_importance_opts {
    int batch_size, max_rows;
    double max_macs; /* of forward passes: fewer rows where rows are long or the model is large, but 256 at least */
    snc_compute compute;
    bool balanced; /* the loss is that of training with class weights */
    double soft;   /* weight of rows without a label; 0: they are left out */
} snc_importance_opts;
#define SNC_IMPORTANCE_OPTS_INIT                                                         \
    {                                                                                    \
        .batch_size = 32, .max_rows = 1024, .max_macs = 2e12, .compute = SNC_COMPUTE_F32 \
    }

/* Rows drawn by ctx->seed; m is a trained teacher, its gradients are zero on return. SNC_E_DIVERGED: scores not
 * finite. SNC_E_ARG: no labelled row, and soft 0. */
snc_err snc_importance_score(snc_importance *out, const snc_ctx *ctx, snc_model *m, const snc_dataset *d,
                             const snc_importance_opts *o) SNC_MUST_USE;
/* How many rows that is. By work, not by time, so that the order is the same on every machine. */
int snc_importance_rows(const snc_model *m, const snc_dataset *d, const snc_importance_opts *o);
void snc_importance_dispose(snc_importance *s);
/* The order of falling importance, ready for snc_model_reorder. */
snc_err snc_importance_order(snc_order *out, const snc_importance *s, const snc_arch *arch) SNC_MUST_USE;

extern const snc_duty snc_duty_importance; /* of other ranks: a share of the batches each */

#endif
