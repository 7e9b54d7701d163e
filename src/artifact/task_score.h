/* artifact/task_score.h: what a task's metrics say of logits, and which answers the logits are. */
#ifndef SNC_ARTIFACT_TASK_SCORE_H
#define SNC_ARTIFACT_TASK_SCORE_H

#include "data/dataset.h"

/* The task's score of predictions: the mean of its metrics; each metric's value in values [snc_task_metrics] or NULL.
 * Of a task of vectors "logits" are the cosines of pairs (snc_cascaded_deliver), K 1; of vectors themselves, K more, there is none: NaN.
 * Of a multilabel task a label is answered from a logit of 0 on (snc_loaded_cut), or from a threshold on. */
snc_err snc_task_score(double *score, double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K) SNC_MUST_USE;
snc_err snc_task_score_at(double *score, const snc_task *task, const float *logits, const snc_dataset *d, int K,
                          double threshold) SNC_MUST_USE;
/* The task's score of rows drawn again, as a bootstrap does, of which there are never more than d->n. */
typedef struct snc_redraw {
    const snc_task *task;
    const snc_dataset *d;
    int K;
    float *z, *target; /* of the rows that are drawn */
    int64_t *answers, *line;
} snc_redraw;
snc_err snc_redraw_init(snc_redraw *r, const snc_task *task, const snc_dataset *d, int K) SNC_MUST_USE; /* borrows both */
snc_err snc_redraw_score(double *score, snc_redraw *r, const float *logits, const int32_t *rows, int n) SNC_MUST_USE;
void snc_redraw_dispose(snc_redraw *r);
/* pred [n]: class or value (train/evaluate.h); of a multilabel task the number in `seen` of the set that is answered. seen: NULL
 * otherwise; a copy of the rows' own, which grows. */
snc_err snc_task_answers(float *pred, snc_sets *seen, const float *logits, int n, int K) SNC_MUST_USE;

#endif
