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
#include "core/meaning.h"
#include "data/sets.h"

/* -1/B sum_b w[y_b] log softmax(z_b)[y_b]          logits z, d [B, K]; target y [B], class index as float or NaN; w [K], NULL: 1.
 * Weights whose mean over all rows is 1 (data/balance.h) leave the size of the loss as it is: no batch is scaled by its own. */
double snc_loss_ce(float *d, const float *logits, const float *target, int B, int K, const double *of_class, double weight);
/* 1/B sum_b (z_b - y_b)^2                          regression: z, y, d [B] */
double snc_loss_mse(float *d, const float *logits, const float *target, int B, double weight);
/* 1/B sum_b -(y log s(z) + (1 - y) log(1 - s(z)))      scores: z, y, d [B], y in [0, 1], s the sigmoid */
double snc_loss_score(float *d, const float *logits, const float *target, int B, double weight);
/* t^2/B sum_b KL(softmax(teacher_b / t) || softmax(z_b / t))      K >= 2 (Hinton et al. 2015; "batchmean" of PyTorch) */
double snc_loss_kl(float *d, const float *logits, const float *teacher, int B, int K, double temperature, double weight);
/* -1/(B K) sum_bk w1 y log s(z) + w0 (1 - y) log(1 - s(z)), s the sigmoid      any number of labels: z, d [B, K];
 * target y [B], numbers of sets, or NaN; w [K, 2], of a label that is not there and of one that is, NULL: 1 */
double snc_loss_bce(float *d, const float *logits, const float *target, const snc_sets *sets, int B, const double *of_label, double weight);
/* t^2/(B K) sum_bk KL(s(teacher_bk / t) || s(z_bk / t)): that of every label by itself; its gradient is the one of BCE with s(teacher) */
double snc_loss_kl_labels(float *d, const float *logits, const float *teacher, int B, int K, double temperature, double weight);
/* 1/B sum_b 1 - cos(z_b, t_b)                        vectors: z, t, d [B, K]; of vectors without a length 1 a row, and no gradient */
double snc_loss_cosine(float *d, const float *z, const float *teacher, int B, int K, double weight);
/* The loss of the labels, of which vectors have none, and that of a teacher's logits: which of the above the problem asks for. K 1 and
 * temperature 1 where those do not matter; sets NULL but for multilabel. */
typedef struct snc_loss_labels {
    snc_meaning problem;
    const float *target; /* [B] */
    const snc_sets *sets;
    const double *balance; /* of classes or labels, or NULL */
} snc_loss_labels;
double snc_loss_hard(float *d, const float *logits, const snc_loss_labels *y, int B, int K, double weight);
double snc_loss_soft(float *d, const float *logits, const float *teacher, snc_meaning problem, int B, int K, double temperature,
                     double weight);
/* sum_i KL(softmax_j(t_i . u_j / sqrt(width)) || softmax_j(a_i . b_j / sqrt(width)))      the relations of m vectors to n others, of one
 * head: a [m, lda], b [n, lda], their gradients da and db alike (which may be one block), the teacher's t [m, ldt] and u [n, ldt]; the
 * first `width` numbers of each row. scratch [2 n] */
typedef struct snc_relation {
    const float *a, *b, *t, *u;
    float *da, *db; /* NULL: the value alone */
    int lda, ldt, m, n, width;
} snc_relation;
double snc_loss_relation(const snc_relation *r, double *scratch, double weight);
/* 1/(T c) sum (h - g)^2                            h [T, ldh], g [T, ldg], d [T, c] dense; first c columns */
double snc_loss_hidden(float *d, const float *h, int ldh, const float *g, int ldg, int T, int c, double weight);

#endif
