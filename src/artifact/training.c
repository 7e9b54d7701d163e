/* What every training step takes from the options, and what every trained model says of itself. */
#include "artifact/training.h"

#include <math.h>
#include <stdio.h>

#include "artifact/recipes.h"
#include "artifact/task_score.h"
#include "base/clock.h"
#include "base/mem.h"
#include "models/cutoff.h"
#include "models/reorder.h"
#include "train/evaluate.h"
#include "train/importance.h"

snc_err snc_training_select_logits(float **logits, const snc_ctx *ctx, snc_model *m, snc_compute compute, const snc_inputs *in)
{
    const snc_dataset *d = in->splits.select;
    float *z = NULL;
    *logits = NULL;
    if (!d) return SNC_OK;
    SNC_TRY(snc_alloc(&z, snc_dataset_logits(d, m->cfg.classes), sizeof *z));
    snc_err err = snc_train_eval_model(z, ctx, m, &m->arch, compute, d, 64, NULL);
    if (err) snc_free(z);
    else *logits = z;
    return err;
}

snc_err snc_training_score(double *score, const snc_ctx *ctx, snc_model *m, const snc_arch *arch, snc_compute compute, const snc_task *task,
                           const snc_dataset *d)
{
    float *logits = NULL;
    double threshold;
    SNC_TRY(snc_alloc(&logits, snc_dataset_logits(d, m->cfg.classes), sizeof *logits));
    snc_err err = snc_train_eval_model(logits, ctx, m, arch, compute, d, 64, NULL);
    if (!err) err = snc_threshold_of(&threshold, m->meta, snc_task_name(task));
    if (!err) err = snc_task_score_at(score, task, logits, d, m->cfg.classes, threshold);
    snc_free(logits);
    return err;
}

/* A file path beside the output, for the state of an unfinished run. */
snc_err snc_training_checkpoint_path(char *buf, size_t size, const char *out)
{
    int n = snprintf(buf, size, "%s.checkpoint", out);
    SNC_CHECK(n > 0 && (size_t)n < size, SNC_E_ARG, "path too long: %.80s...", out);
    return SNC_OK;
}

snc_err snc_training_finish(snc_model *m, cJSON *stamp, cJSON *recipe, const snc_train_result *r, const snc_inputs *in, const char *out)
{
    cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "inputs");
    cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "task");
    cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "max_length");
    cJSON_AddItemToObject(m->meta, "inputs", cJSON_Duplicate(stamp, 1));
    if (recipe) {
        cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "recipe");
        cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "training");
        cJSON_AddItemToObject(m->meta, "recipe", cJSON_Duplicate(recipe, 1));
    }
    cJSON_AddStringToObject(m->meta, "task", snc_task_name(in->task));
    cJSON_AddNumberToObject(m->meta, "max_length", snc_task_max_length(in->task));
    snc_long_put(m->meta, snc_task_long_texts(in->task));
    if (in->splits.rank) {
        cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "lengths");
        cJSON_AddItemToObject(m->meta, "lengths", snc_inputs_lengths(in->splits.rank));
    }
    if (r) {
        cJSON *t = cJSON_AddObjectToObject(m->meta, "training");
        cJSON_AddNumberToObject(t, "steps", (double)r->step);
        cJSON_AddNumberToObject(t, "loss", r->loss);
    }
    m->has_head = true;
    return snc_model_save(m, out);
}

snc_err snc_training_order(const snc_ctx *ctx, snc_model *m, const snc_inputs *in, const snc_dataset *rows, const snc_options *o,
                           snc_compute compute)
{
    snc_importance s = {0};
    snc_order order = {0};
    snc_importance_opts io = SNC_IMPORTANCE_OPTS_INIT;
    snc_err err = SNC_OK;
    double t0 = snc_now();
    io.compute = compute;
    SNC_TRY(snc_inputs_balanced(&io.balanced, &o->training, in->task));
    SNC_TRY(snc_recipe_number(&io.soft, o, SNC_SECTION_IMPORTANCE, "soft"));
    if (m->cfg.vector) io.soft = fmax(io.soft, 1); /* there are no labels */
    SNC_GOTO(snc_importance_score(&s, ctx, m, io.soft > 0 ? rows : in->splits.train, &io));
    SNC_GOTO(snc_importance_order(&order, &s, &m->arch));
    SNC_GOTO(snc_model_reorder(m, &order));
    snc_log(ctx, SNC_LOG_INFO, "importance: first-order scores on %lld train rows, %.1f s", (long long)s.rows, snc_now() - t0);
out:
    snc_importance_dispose(&s);
    snc_order_dispose(&order);
    return err;
}
