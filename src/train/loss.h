/* train/loss.h: losses over logits and hidden states; each returns its mean and adds its weighted gradient.
 *
 *   d += weight * d(loss)/d(input)           d may be NULL: the value alone
 *
 * All means are over the B rows of the batch (or T x c numbers), unlabelled rows included: a row with target NaN adds nothing
 * to a hard loss and keeps its share of the distillation. Every batch of labelled rows gives PyTorch's mean. Softmax and
 * sums are in double: batches are small.
 */
#ifndef SNC_TRAIN_LOSS_H
#define SNC_TRAIN_LOSS_H

#include "base/error.h"

/* -1/B sum_b w[y_b] log softmax(z_b)[y_b]          logits z, d [B, K]; target y [B], class index as float or NaN; w [K], NULL: 1.
 * Weights whose mean over all rows is 1 (data/balance.h) leave the size of the loss as it is: no batch is scaled by its own. */
double snc_loss_ce(float *d, const float *logits, const float *target, int B, int K, const double *of_class, double weight);
/* 1/B sum_b (z_b - y_b)^2                          regression: z, y, d [B] */
double snc_loss_mse(float *d, const float *logits, const float *target, int B, double weight);
/* t^2/B sum_b KL(softmax(teacher_b / t) || softmax(z_b / t))      K >= 2 (Hinton et al. 2015; "batchmean" of PyTorch) */
double snc_loss_kl(float *d, const float *logits, const float *teacher, int B, int K, double temperature, double weight);
/* 1/(T c) sum (h - g)^2                            h [T, ldh], g [T, ldg], d [T, c] dense; first c columns */
double snc_loss_hidden(float *d, const float *h, int ldh, const float *g, int ldg, int T, int c, double weight);

#endif
