#include "stage/inputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/isa.h"
#include "base/mem.h"
#include "data/metrics.h"
#include "models/bert.h"
#include "models/cutoff.h"
#include "stage/load.h"
#include "train/evaluate.h"

const char *snc_inputs_task_name(const snc_options *o) { return !o->task && (o->text || o->text_pair || o->label) ? "custom" : o->task; }

snc_err snc_inputs_task(snc_task **out, const snc_options *o, const char *name)
{
    SNC_TRY(snc_task_open(out, name));
    snc_err err = snc_task_set_columns(*out, o->text, o->text_pair, o->label);
    if (!err && o->quoting) err = snc_task_set_quoting(*out, o->quoting);
    if (!err && o->max_length) err = snc_task_set_max_length(*out, o->max_length);
    if (!err && o->data) err = snc_task_discover(*out, o->data);
    if (err) {
        snc_task_close(*out);
        *out = NULL;
    }
    return err;
}

/* No row is longer than the model's positions. */
static snc_err fit_length(snc_task *task, const snc_ctx *ctx, const snc_options *o, const char *model)
{
    snc_bert_config c;
    int most = snc_task_max_length(task);
    SNC_TRY(snc_model_config(&c, model));
    if (most <= c.positions) return SNC_OK;
    SNC_CHECK(!o->max_length, SNC_E_ARG, "--max-length %d: %s has %d positions", o->max_length, model, c.positions);
    snc_log(ctx, SNC_LOG_INFO, "%s: rows end at %d tokens, the positions of %s (the task allows %d)", snc_task_name(task), c.positions, model, most);
    return snc_task_set_max_length(task, c.positions);
}

snc_err snc_inputs_open(snc_inputs *out, const snc_ctx *ctx, const snc_options *o, const char *verb, const char *model,
                        bool hold_out, const char *unlabeled)
{
    snc_err err = SNC_OK;
    snc_tok_assets assets = {0};
    bool balanced;
    *out = (snc_inputs){0};
    SNC_GOTO(snc_alloc(&out->lesson, 1, sizeof *out->lesson));
    SNC_GOTO(snc_load_tokenizer(&assets, model));
    SNC_GOTO(snc_stage_need(verb, "--task", snc_inputs_task_name(o)));
    SNC_GOTO(snc_stage_need(verb, "--data", o->data));
    SNC_GOTO(snc_inputs_task(&out->task, o, snc_inputs_task_name(o)));
    SNC_GOTO(snc_inputs_balanced(&balanced, o, out->task));
    SNC_GOTO(fit_length(out->task, ctx, o, model));
    SNC_GOTO(snc_tok_new(&out->tok, &assets));
    SNC_GOTO(snc_splits_load(&out->splits, ctx, out->task, out->tok, o->data, hold_out, o->max_train_samples, unlabeled));
    snc_log(ctx, SNC_LOG_INFO, "%s: train %d rows, rank %d, select %d (%d rows contained in those left train)", snc_task_name(out->task),
            out->splits.train->n, hold_out ? out->splits.rank->n : 0, hold_out ? out->splits.select->n : 0, out->splits.removed);
out:
    snc_tok_assets_dispose(&assets);
    if (err) snc_inputs_close(out);
    return err;
}

snc_err snc_inputs_dev(snc_inputs *in, const snc_ctx *ctx, const snc_options *o)
{
    return snc_dataset_load(&in->dev, ctx, in->task, in->tok, o->data, "dev", 0);
}

void snc_inputs_close(snc_inputs *in)
{
    if (in->lesson) {
        snc_dataset_free(in->lesson->rows);
        snc_free(in->lesson->logits);
        snc_free(in->lesson);
    }
    snc_splits_dispose(&in->splits);
    snc_dataset_free(in->dev);
    snc_tok_free(in->tok);
    snc_task_close(in->task);
    *in = (snc_inputs){0};
}

cJSON *snc_inputs_lengths(const snc_dataset *d)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < d->n; i++) cJSON_AddItemToArray(list, cJSON_CreateNumber(snc_dataset_len(d, i)));
    return list;
}

/* Case-blind for ASCII: "POSITIVE" in a config is "positive" in a task. */
static bool same_label(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a, y = *b >= 'A' && *b <= 'Z' ? *b + 32 : *b;
        if (x != y) return false;
    }
    return *a == *b;
}

static bool same_bytes(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Every class of the task is one of the model's, and no two are the same one. */
static bool match_by(bool (*same)(const char *, const char *), int *from, const char *const *labels, int classes, const snc_task *task)
{
    bool taken[SNC_MAX_CLASSES] = {false};
    for (int k = 0; k < classes; k++) {
        from[k] = -1;
        for (int j = 0; j < classes && from[k] < 0; j++)
            if (!taken[j] && same(labels[j], snc_task_label(task, k))) from[k] = j;
        if (from[k] < 0) return false;
        taken[from[k]] = true;
    }
    return true;
}

bool snc_inputs_match_labels(int *from, const char *const *labels, int classes, const snc_task *task)
{
    return match_by(same_bytes, from, labels, classes, task) || match_by(same_label, from, labels, classes, task);
}

/* The first class that the other side has no name for; 0 where it has one for each. */
static int first_unknown(const char *const *labels, int classes, const snc_task *task, bool of_task)
{
    for (int k = 0; k < classes; k++) {
        int j = 0;
        while (j < classes && !same_label(labels[of_task ? j : k], snc_task_label(task, of_task ? k : j))) j++;
        if (j == classes) return k;
    }
    return 0;
}

void snc_inputs_say_labels(const snc_ctx *ctx, const char *path, const char *const *labels, int classes, const snc_task *task)
{
    int from[SNC_MAX_CLASSES];
    if (snc_task_regression(task) || (labels && snc_inputs_match_labels(from, labels, classes, task))) return;
    if (labels)
        snc_log(ctx, SNC_LOG_WARN, "%s: its labels (%s, ...) are not the task's (%s, ...): taken in order", path,
                labels[first_unknown(labels, classes, task, false)], snc_task_label(task, first_unknown(labels, classes, task, true)));
    else
        snc_log(ctx, SNC_LOG_WARN, "%s: its classes have no names: taken in the order of the task's (%s, ...)", path, snc_task_label(task, 0));
}

static snc_err permute_head(snc_model *m, const int *from)
{
    int K = m->cfg.classes, C = m->arch.hidden;
    float *w = snc_params_w(&m->params, m->ix.classifier.w), *b = snc_params_w(&m->params, m->ix.classifier.b), *old = NULL;
    SNC_TRY(snc_alloc(&old, (size_t)K * (size_t)(C + 1), sizeof *old));
    memcpy(old, w, (size_t)K * (size_t)C * sizeof *w);
    memcpy(old + (size_t)K * (size_t)C, b, (size_t)K * sizeof *b);
    for (int k = 0; k < K; k++) {
        memcpy(w + (size_t)k * (size_t)C, old + (size_t)from[k] * (size_t)C, (size_t)C * sizeof *w);
        b[k] = old[(size_t)K * (size_t)C + (size_t)from[k]];
    }
    snc_free(old);
    return SNC_OK;
}

static snc_err name_classes(snc_model *m, const snc_task *task)
{
    for (int k = 0; k < m->cfg.classes && !snc_task_regression(task); k++) {
        char *name = NULL;
        if (!m->labels) SNC_TRY(snc_alloc(&m->labels, (size_t)m->cfg.classes, sizeof *m->labels));
        SNC_TRY(snc_strdup(&name, snc_task_label(task, k)));
        snc_free(m->labels[k]);
        m->labels[k] = name;
    }
    return SNC_OK;
}

snc_err snc_inputs_model(snc_model **out, bool *fine_tuned, const snc_ctx *ctx, const char *path, const snc_task *task)
{
    int K = snc_task_classes(task), from[SNC_MAX_CLASSES];
    snc_meaning problem = snc_task_meaning(task);
    snc_model *m = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_model_load(&m, ctx, path, K, problem));
    *fine_tuned = m->has_head && m->cfg.classes == K && snc_meaning_of(&m->cfg) == problem;
    if (!*fine_tuned) {
        SNC_GOTO(snc_model_set_head(m, K, problem, NULL, ctx->seed));
    } else if (problem != SNC_MEANS_REGRESSION) {
        const char *const *labels = (const char *const *)m->labels;
        if (labels && snc_inputs_match_labels(from, labels, K, task)) SNC_GOTO(permute_head(m, from));
        snc_inputs_say_labels(ctx, path, labels, K, task);
    }
    SNC_GOTO(name_classes(m, task));
    *out = m;
    m = NULL;
out:
    snc_model_free(m);
    return err;
}

snc_err snc_inputs_balanced(bool *out, const snc_options *o, const snc_task *task)
{
    const char *s = o->class_weights ? o->class_weights : "none";
    *out = strcmp(s, "balanced") == 0;
    SNC_CHECK(*out || strcmp(s, "none") == 0, SNC_E_ARG, "--class-weights '%s': expected none or balanced", s);
    SNC_CHECK(!*out || !task || !snc_task_regression(task), SNC_E_ARG, "--class-weights balanced: %s is a regression, without classes", snc_task_name(task));
    return SNC_OK;
}

snc_err snc_inputs_compute(snc_compute *out, const snc_options *o)
{
    const char *s = o->compute ? o->compute : "auto";
    *out = snc_isa_now() == SNC_ISA_AMX ? SNC_COMPUTE_BF16 : SNC_COMPUTE_F32;
    if (strcmp(s, "bf16") == 0) *out = SNC_COMPUTE_BF16;
    else if (strcmp(s, "f32") == 0) *out = SNC_COMPUTE_F32;
    else SNC_CHECK(strcmp(s, "auto") == 0, SNC_E_ARG, "--compute '%s': expected auto, bf16 or f32", s);
    return SNC_OK;
}

snc_err snc_inputs_fp(snc_dtype *out, const snc_options *o)
{
    const char *s = o->fp ? o->fp : "auto";
    *out = snc_isa_now() == SNC_ISA_AMX ? SNC_BF16 : SNC_F32;
    if (strcmp(s, "bf16") == 0) *out = SNC_BF16;
    else if (strcmp(s, "f32") == 0) *out = SNC_F32;
    else SNC_CHECK(strcmp(s, "auto") == 0, SNC_E_ARG, "--fp '%s': expected auto, f32 or bf16", s);
    return SNC_OK;
}

/* ---- scores --------------------------------------------------------------------------------------------------------- */

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
    for (int i = 0; i < snc_task_metrics(task); i++) SNC_GOTO(snc_metric_sets(&values[i], snc_task_metric(task, i), said, said + size, d->n, K));
out:
    snc_free(said);
    return err;
}

static snc_err score_answers(double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    snc_err err = SNC_OK;
    float *pred = NULL;
    SNC_TRY(snc_alloc(&pred, (size_t)d->n, sizeof *pred));
    snc_train_predictions(pred, logits, d->n, K);
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
    SNC_TRY(snc_task_multilabel(task) ? score_sets(values, task, logits, d, K, cut) : score_answers(values, task, logits, d, K));
    *score = 0;
    for (int i = 0; i < n; i++) *score += values[i] / n;
    return SNC_OK;
}

snc_err snc_inputs_score(double *score, double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    return score_cut(score, values, task, logits, d, K, 0);
}

snc_err snc_inputs_score_at(double *score, const snc_task *task, const float *logits, const snc_dataset *d, int K, double threshold)
{
    return score_cut(score, NULL, task, logits, d, K, snc_threshold_logit(threshold));
}

snc_err snc_inputs_answers(float *pred, snc_sets *seen, const float *logits, int n, int K)
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
