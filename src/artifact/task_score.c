/* Logits become answers, or sets of labels from a cut on, and those go through each metric of the task. */
#include "artifact/task_score.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/metrics.h"
#include "models/cutoff.h"
#include "train/evaluate.h"

/* said, is [n, K]: the labels that are answered, from `cut` on, and those that are there. */
static void fill_sets(uint8_t *said, uint8_t *is, const float *logits, const snc_dataset *d, int K, double cut)
{
    for (int64_t i = 0; i < (int64_t)d->n * K; i++) said[i] = (double)logits[i] >= cut;
    for (int i = 0; i < d->n; i++) memcpy(is + (int64_t)i * K, snc_sets_of(d->sets, (int)d->target[i]), (size_t)K);
}

static snc_err score_sets(double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K, double cut)
{
    snc_err err = SNC_OK;
    size_t size = (size_t)d->n * (size_t)K;
    uint8_t *said = NULL;
    for (int i = 0; i < d->n; i++) SNC_CHECK(isfinite(d->target[i]), SNC_E_ARG, "%s: row %d has no label", snc_task_metric(task, 0), i);
    SNC_TRY(snc_alloc(&said, 2 * size, 1));
    fill_sets(said, said + size, logits, d, K, cut);
    for (int i = 0; i < snc_task_metrics(task); i++)
        SNC_GOTO(snc_metric_sets(&values[i], snc_task_metric(task, i), said, said + size, d->n, K));
out:
    snc_free(said);
    return err;
}

/* What is said of texts one by one, which have no score: the loss to the teacher alone tells nets apart there. */
static snc_err score_nothing(double *values, const snc_task *task)
{
    for (int i = 0; i < snc_task_metrics(task); i++) values[i] = NAN;
    return SNC_OK;
}

static snc_err score_answers(double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    snc_err err = SNC_OK;
    float *pred = NULL;
    SNC_TRY(snc_alloc(&pred, (size_t)d->n, sizeof *pred));
    snc_train_predictions(pred, logits, d->n, K);
    for (int i = 0; i < d->n && snc_task_meaning(task) == SNC_MEANS_SCORE; i++) pred[i] = (float)snc_label_probability((double)pred[i]);
    for (int i = 0; i < snc_task_metrics(task); i++) SNC_GOTO(snc_metric(&values[i], snc_task_metric(task, i), pred, d->target, d->n));
out:
    snc_free(pred);
    return err;
}

static snc_err score_cut(double *score, double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K, double cut)
{
    double own[SNC_METRICS_MOST];
    const int n = snc_task_metrics(task);
    if (!values) values = own;
    SNC_TRY(snc_task_multilabel(task)     ? score_sets(values, task, logits, d, K, cut)
            : K != snc_task_outputs(task) ? score_nothing(values, task)
                                          : score_answers(values, task, logits, d, K));
    *score = 0;
    for (int i = 0; i < n; i++) *score += values[i] / n;
    return SNC_OK;
}

snc_err snc_task_score(double *score, double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    return score_cut(score, values, task, logits, d, K, 0);
}

snc_err snc_task_score_at(double *score, const snc_task *task, const float *logits, const snc_dataset *d, int K, double threshold)
{
    return score_cut(score, NULL, task, logits, d, K, snc_threshold_logit(threshold));
}

snc_err snc_task_answers(float *pred, snc_sets *seen, const float *logits, int n, int K)
{
    snc_err err = SNC_OK;
    uint8_t *has = NULL;
    if (!seen) {
        snc_train_predictions(pred, logits, n, K);
        return SNC_OK;
    }
    SNC_TRY(snc_alloc(&has, (size_t)K, 1));
    for (int i = 0; i < n; i++) {
        int number = 0;
        for (int k = 0; k < K; k++) has[k] = logits[(int64_t)i * K + k] >= 0;
        SNC_GOTO(snc_sets_number(&number, seen, has));
        pred[i] = (float)number;
    }
out:
    snc_free(has);
    return err;
}
