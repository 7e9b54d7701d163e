/* A task is opened, its rows are read by the tokenizer of a model, and a model gets a head that fits. */
#include "artifact/inputs.h"

#include <stdio.h>
#include <string.h>

#include "artifact/class_names.h"
#include "artifact/load.h"
#include "artifact/option.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "base/mem.h"
#include "models/engine.h"

const char *snc_inputs_task_name(const snc_options *o)
{
    return !o->rows.task && (o->rows.text || o->rows.text_pair || o->rows.label) ? "custom" : o->rows.task;
}

snc_err snc_inputs_task(snc_task **out, const snc_options *o, const char *name)
{
    SNC_TRY(snc_task_open(out, name));
    snc_err err = snc_task_set_columns(*out, o->rows.text, o->rows.text_pair, o->rows.label);
    if (!err && o->rows.quoting) err = snc_task_set_quoting(*out, o->rows.quoting);
    if (!err && o->rows.max_length) err = snc_task_set_max_length(*out, o->rows.max_length);
    if (!err && o->rows.long_texts) err = snc_task_set_long_texts(*out, o->rows.long_texts);
    if (!err && o->rows.data) err = snc_task_discover(*out, o->rows.data);
    if (err) {
        snc_task_close(*out);
        *out = NULL;
    }
    return err;
}

snc_err snc_inputs_split(snc_dataset **out, const snc_ctx *ctx, const snc_options *o, const snc_task *t, const snc_tok *tok)
{
    snc_splits s;
    const char *split = o->rows.split;
    snc_dataset **part = strcmp(split, "rank") == 0 ? &s.rank : strcmp(split, "select") == 0 ? &s.select : NULL;
    if (!part) return snc_dataset_load(out, ctx, t, tok, o->rows.data, split, 0);
    SNC_TRY(snc_splits_load(&s, ctx, t, tok, o->rows.data, &(snc_splits_ask){.hold_out = SNC_HOLD_OUT}));
    *out = *part;
    *part = NULL;
    snc_splits_dispose(&s);
    return SNC_OK;
}

/* No row is longer than the model's positions. */
static snc_err fit_length(snc_task *task, const snc_ctx *ctx, const snc_options *o, const char *model)
{
    snc_encoder_config c;
    int most = snc_task_max_length(task);
    SNC_TRY(snc_model_config(&c, model));
    if (most <= snc_family_length(&c)) return SNC_OK;
    SNC_CHECK(!o->rows.max_length, SNC_E_ARG, "--max-length %d: %s has %d positions", o->rows.max_length, model, snc_family_length(&c));
    snc_log(ctx, SNC_LOG_INFO, "%s: rows end at %d tokens, the positions of %s (the task allows %d)", snc_task_name(task),
            snc_family_length(&c), model, most);
    return snc_task_set_max_length(task, snc_family_length(&c));
}

static snc_err fit_width(snc_task *task, const snc_options *o, const char *model)
{
    int width;
    if (!snc_task_vectors(task)) return SNC_OK;
    SNC_CHECK(o->targets.max_drop < 0, SNC_E_UNSUPPORTED,
              "--max-drop: vectors have no score on rows that are held out: name a latency or a size");
    SNC_TRY(snc_model_vector_width(&width, model));
    snc_task_set_width(task, width);
    return SNC_OK;
}

static snc_err check_own(const snc_options *o, snc_hold_out hold_out)
{
    SNC_CHECK(!o->rows.rank == !o->rows.select, SNC_E_ARG, "--%s: --%s is missing: both splits are files, or none",
              o->rows.rank ? "rank" : "select", o->rows.rank ? "select" : "rank");
    SNC_CHECK(!o->rows.rank || hold_out != SNC_HOLD_NOTHING, SNC_E_ARG, "--rank %s: has no use beside --hold-out 0", o->rows.rank);
    return SNC_OK;
}

snc_err snc_inputs_open(snc_inputs *out, const snc_ctx *ctx, const snc_options *o, const char *verb, const char *model,
                        snc_hold_out hold_out, const char *unlabeled)
{
    snc_err err = SNC_OK;
    snc_tok_assets assets = {0};
    bool balanced;
    *out = (snc_inputs){0};
    SNC_GOTO(snc_load_tokenizer(&assets, model));
    SNC_GOTO(snc_option_need(verb, "--task", snc_inputs_task_name(o)));
    SNC_GOTO(snc_option_need(verb, "--data", o->rows.data));
    SNC_GOTO(snc_inputs_task(&out->task, o, snc_inputs_task_name(o)));
    SNC_GOTO(snc_inputs_balanced(&balanced, &o->training, out->task));
    SNC_GOTO(fit_length(out->task, ctx, o, model));
    SNC_GOTO(fit_width(out->task, o, model));
    SNC_GOTO(snc_tok_new(&out->tok, &assets));
    SNC_GOTO(check_own(o, hold_out));
    const snc_splits_ask ask = {hold_out, o->rows.max_train_samples, unlabeled, o->rows.rank, o->rows.select};
    SNC_GOTO(snc_splits_load(&out->splits, ctx, out->task, out->tok, o->rows.data, &ask));
    out->taught = out->splits.train;
    snc_log(ctx, SNC_LOG_INFO, "%s: train %d rows, rank %d, select %d (%d rows contained in those left train)", snc_task_name(out->task),
            out->splits.train->n, hold_out ? out->splits.rank->n : 0, hold_out ? out->splits.select->n : 0, out->splits.removed);
out:
    snc_tok_assets_dispose(&assets);
    if (err) snc_inputs_close(out);
    return err;
}

snc_err snc_inputs_dev(snc_inputs *in, const snc_ctx *ctx, const snc_options *o)
{
    SNC_TRY(snc_dataset_load(&in->dev, ctx, in->task, in->tok, o->rows.data, "dev", 0));
    if (o->rows.rank) SNC_TRY(snc_dataset_apart(in->splits.rank, o->rows.rank, in->dev, "dev"));
    return o->rows.select ? snc_dataset_apart(in->splits.select, o->rows.select, in->dev, "dev") : SNC_OK;
}

void snc_inputs_teach(snc_inputs *in, const snc_options *o, bool fine_tuned)
{
    const bool held_out = o->targets.max_drop >= 0 || o->exporting.cascade || snc_task_multilabel(in->task);
    in->taught = fine_tuned ? NULL : held_out ? in->splits.train : in->splits.all;
}

bool snc_inputs_taught_all(const snc_inputs *in) { return in->taught && in->taught != in->splits.train; }

void snc_inputs_close(snc_inputs *in)
{
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

static snc_err permute_head(snc_model *m, const int *from)
{
    int K = m->cfg.classes, C = m->arch.hidden;
    snc_lin head = snc_model_lin(m, SNC_ROLE_CLASSIFIER, 0);
    float *w = snc_params_w(&m->params, head.w), *b = snc_params_w(&m->params, head.b), *old = NULL;
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
    for (int k = 0; k < m->cfg.classes && !snc_task_regression(task); k++) { /* numbers have no names */
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
    SNC_GOTO(snc_need_plain(&m->cfg, path));
    *fine_tuned = m->has_head && m->cfg.classes == K && snc_meaning_of(&m->cfg) == problem;
    if (!*fine_tuned) {
        SNC_GOTO(snc_model_set_head(m, K, problem, NULL, ctx->seed));
        *fine_tuned = m->cfg.vector; /* any encoder has vectors */
    } else if (!snc_task_regression(task)) {
        const char *const *labels = (const char *const *)m->labels;
        if (labels && snc_class_names_match(from, labels, K, task)) SNC_GOTO(permute_head(m, from));
        snc_class_names_warn(ctx, path, labels, K, task);
    }
    SNC_GOTO(name_classes(m, task));
    *out = m;
    m = NULL;
out:
    snc_model_free(m);
    return err;
}

snc_err snc_inputs_balanced(bool *out, const snc_training_opts *o, const snc_task *task)
{
    *out = o->class_weights && strcmp(o->class_weights, "balanced") == 0;
    SNC_CHECK(!*out || !task || !snc_task_regression(task), SNC_E_ARG, "--class-weights balanced: %s is a regression, without classes",
              snc_task_name(task));
    return SNC_OK;
}

snc_compute snc_inputs_compute(const snc_job_opts *o)
{
    if (strcmp(o->compute, "bf16") == 0) return SNC_COMPUTE_BF16;
    if (strcmp(o->compute, "f32") == 0) return SNC_COMPUTE_F32;
    return snc_gemm_best_compute();
}

snc_dtype snc_inputs_fp(const snc_job_opts *o)
{
    if (strcmp(o->fp, "bf16") == 0) return SNC_BF16;
    if (strcmp(o->fp, "f32") == 0) return SNC_F32;
    return snc_isa_covers(snc_isa_now(), SNC_ISA_AMX) ? SNC_BF16 : SNC_F32;
}
