/* Logits become answers, or sets of labels from a cut on, and those go through each metric of the task. */
#include "artifact/task_score.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "data/entities.h"
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

/* Each sentence by itself; rows of one line are parts of one. */
static snc_err count_entities(snc_entities *c, const snc_task *task, const float *pred, const snc_dataset *d)
{
    snc_entity_tags *tags = NULL;
    SNC_TRY(snc_entity_tags_of(&tags, task));
    *c = (snc_entities){0};
    for (int i = 0, next; i < d->n; i = next) {
        for (next = i + 1; next < d->n && d->line[next] == d->line[i];) next++;
        const int64_t from = snc_dataset_answer(d, i), end = snc_dataset_answer(d, next);
        snc_entities_count(c, tags, pred + from, d->target + from, (int)(end - from));
    }
    snc_entity_tags_free(tags);
    return SNC_OK;
}

static snc_err score_words(double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    const int n = (int)snc_dataset_answers(d);
    float *pred = NULL;
    snc_entities found = {0};
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&pred, (size_t)n, sizeof *pred));
    snc_train_predictions(pred, logits, n, K);
    for (int i = 0; i < n; i++)
        if (!isfinite(d->target[i])) SNC_GOTO(snc_err_set(SNC_E_ARG, "%s: word %d has no tag", snc_task_metric(task, 0), i));
    SNC_GOTO(count_entities(&found, task, pred, d));
    for (int i = 0; i < snc_task_metrics(task); i++) {
        const char *metric = snc_task_metric(task, i);
        if (snc_metric_of_entities(metric)) values[i] = snc_entities_score(&found, metric);
        else SNC_GOTO(snc_metric(&values[i], metric, pred, d->target, n));
    }
out:
    snc_free(pred);
    return err;
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
            : snc_task_tags(task)         ? score_words(values, task, logits, d, K)
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

/* ---- rows drawn again ------------------------------------------------------------------------------------------------------ */

snc_err snc_redraw_init(snc_redraw *r, const snc_task *task, const snc_dataset *d, int K)
{
    int each = 1;
    for (int i = 0; i < d->n; i++) each = snc_max(each, (int)(snc_dataset_answer(d, i + 1) - snc_dataset_answer(d, i)));
    const size_t most = (size_t)each * (size_t)d->n;
    *r = (snc_redraw){.task = task, .d = d, .K = K};
    snc_err err = snc_alloc(&r->z, most * (size_t)K, sizeof *r->z);
    if (!err) err = snc_alloc(&r->target, most, sizeof *r->target);
    if (!err && d->answers) err = snc_alloc(&r->answers, (size_t)d->n + 1, sizeof *r->answers);
    if (!err && d->answers) err = snc_alloc(&r->line, (size_t)d->n, sizeof *r->line);
    if (err) snc_redraw_dispose(r);
    return err;
}

void snc_redraw_dispose(snc_redraw *r)
{
    snc_free(r->z);
    snc_free(r->target);
    snc_free(r->answers);
    snc_free(r->line);
    *r = (snc_redraw){0};
}

snc_err snc_redraw_score(double *score, snc_redraw *r, const float *logits, const int32_t *rows, int n)
{
    snc_batcher_gather(r->z, logits, r->d, rows, n, r->K);
    snc_batcher_gather(r->target, r->d->target, r->d, rows, n, 1);
    for (int i = 0; i < n && r->answers; i++) {
        r->answers[i + 1] = r->answers[i] + snc_dataset_answer(r->d, rows[i] + 1) - snc_dataset_answer(r->d, rows[i]);
        r->line[i] = i; /* no two are parts of one sentence: which follow each other is chance */
    }
    const snc_dataset drawn = {.n = n, .target = r->target, .sets = r->d->sets, .answers = r->answers, .line = r->line};
    return snc_task_score(score, NULL, r->task, r->z, &drawn, r->K);
}
