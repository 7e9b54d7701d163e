/* compress finetune: a teacher, fine-tuned on the task. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "models/cutoff.h"
#include "stage/breakdown.h"
#include "stage/depends.h"
#include "stage/folder.h"
#include "stage/needs.h"
#include "stage/preflight.h"
#include "stage/reading.h"
#include "stage/steps.h"
#include "stage/threshold.h"
#include "stage/verbs.h"
#include "train/evaluate.h"
#include "train/trainer.h"

/* What all training steps take from the options. */
void snc_step_train_opts(snc_train_opts *t, const snc_options *o, snc_compute compute, const char *checkpoint)
{
    t->batch_size = o->batch_size;
    t->weight_decay = o->weight_decay;
    t->warmup = o->warmup;
    t->compute = compute;
    t->half_state = compute == SNC_COMPUTE_BF16;
    t->balanced = o->class_weights && strcmp(o->class_weights, "balanced") == 0;
    t->checkpoint = checkpoint;
    t->checkpoint_every = o->checkpoint_every;
    t->max_steps = o->max_steps;
    t->resume = true;
    t->discard = o->overwrite;
}

snc_err snc_step_score(double *score, const snc_ctx *ctx, snc_model *m, const snc_arch *arch, snc_compute compute, const snc_task *task,
                       const snc_dataset *d)
{
    float *logits = NULL;
    double threshold;
    SNC_TRY(snc_alloc(&logits, (size_t)d->n * (size_t)m->cfg.classes, sizeof *logits));
    snc_err err = snc_train_eval_model(logits, ctx, m, arch, compute, d, 64, NULL);
    if (!err) err = snc_threshold_of(&threshold, m->meta, snc_task_name(task));
    if (!err) err = snc_inputs_score_at(score, task, logits, d, m->cfg.classes, threshold);
    snc_free(logits);
    return err;
}

static snc_err train(snc_train_result *r, const snc_ctx *ctx, snc_model *m, const snc_dataset *rows, const snc_options *o,
                     const char *checkpoint, cJSON **recipe)
{
    snc_train_opts t = SNC_TRAIN_OPTS_INIT;
    snc_compute compute;
    SNC_TRY(snc_inputs_compute(&compute, o));
    snc_step_train_opts(&t, o, compute, checkpoint);
    t.epochs = o->epochs;
    t.lr = o->lr;
    t.what = "finetune";
    SNC_TRY(snc_train_opts_check(&t));
    *recipe = snc_train_opts_to_json(&t);
    return snc_train_run(r, ctx, m, NULL, rows, NULL, &t);
}

/* A file path beside the output, for the state of an unfinished run. */
snc_err snc_step_checkpoint_path(char *buf, size_t size, const char *out)
{
    int n = snprintf(buf, size, "%s.checkpoint", out);
    SNC_CHECK(n > 0 && (size_t)n < size, SNC_E_ARG, "path too long: %.80s...", out);
    return SNC_OK;
}

snc_err snc_step_finish_model(snc_model *m, cJSON *stamp, cJSON *recipe, const snc_train_result *r, const snc_inputs *in, const char *out)
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

/* A head that fits by its number of classes alone may be of another task, and one that was trained may tell nothing apart: the score
 * on select tells, beside that of one answer to every row (a correlation has none with it, and 0 is as little). */
static snc_err say_teacher(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, snc_model *m, const char *path, bool adopted)
{
    snc_err err = SNC_OK;
    snc_compute compute;
    const snc_dataset *d = in->splits.select;
    snc_breakdown b = {0};
    float *logits = NULL;
    double score, threshold;
    if (!d) return SNC_OK;
    SNC_TRY(snc_inputs_compute(&compute, o));
    SNC_TRY(snc_alloc(&logits, (size_t)d->n * (size_t)m->cfg.classes, sizeof *logits));
    SNC_GOTO(snc_train_eval_model(logits, ctx, m, &m->arch, compute, d, 64, NULL));
    SNC_GOTO(snc_threshold_of(&threshold, m->meta, path));
    SNC_GOTO(snc_inputs_score_at(&score, in->task, logits, d, m->cfg.classes, threshold));
    for (int64_t i = 0; i < (int64_t)d->n * m->cfg.classes && m->cfg.multilabel; i++) logits[i] -= (float)snc_threshold_logit(threshold);
    SNC_GOTO(snc_breakdown_make(&b, in->task, logits, d, m->cfg.classes));
    snc_log(ctx, SNC_LOG_INFO, "teacher: %s%s: score on select %.2f", path, adopted ? " as it is, fine-tuned already" : "", 100 * score);
    snc_breakdown_warn(ctx, &b, path, "select");
    if (adopted && !(score > b.majority_score))
        snc_log(ctx, SNC_LOG_WARN, "%s: on select no better than one answer to every row (%.2f): was it fine-tuned for %s?", path, 100 * b.majority_score,
                snc_task_name(in->task));
out:
    snc_breakdown_dispose(&b);
    snc_free(logits);
    return err;
}

snc_err snc_step_finetune(snc_step_report *report, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from,
                          const char *out)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    snc_dataset rows = snc_dataset_labelled_view(in->splits.train); /* text without labels is for the supernet alone */
    cJSON *stamp = NULL, *recipe = NULL;
    char checkpoint[4096], why[SNC_WHY];
    snc_train_result r = {0};
    bool fine_tuned;
    *report = (snc_step_report){0};
    SNC_GOTO(snc_step_checkpoint_path(checkpoint, sizeof checkpoint, out));
    SNC_GOTO(snc_depends_finetuned(&stamp, o, in, from));
    SNC_GOTO(snc_stamp_allow(&report->reused, out, snc_stamp_state(why, out, stamp), why, o->overwrite));
    if (report->reused) {
        snc_log(ctx, SNC_LOG_INFO, "finetune: %s is up to date", out);
        goto out;
    }
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, ctx, from, in->task));
    if (fine_tuned) snc_log(ctx, SNC_LOG_INFO, "finetune: %s is fine-tuned already; its classifier is trained on", from);
    const snc_needs needs = {ctx, o, in, m, SNC_VERB_FINETUNE};
    SNC_GOTO(snc_needs_check(&needs, out, snc_file_size(out) + snc_file_size(checkpoint)));
    SNC_GOTO(train(&r, ctx, m, &rows, o, checkpoint, &recipe));
    report->sentences_per_s = r.sentences_per_s;
    report->seconds = r.seconds;
    report->unfinished = !r.finished;
    if (r.finished) {
        SNC_GOTO(snc_threshold_note(m, ctx, o, in));
        SNC_GOTO(snc_step_finish_model(m, stamp, recipe, &r, in, out));
        remove(checkpoint);
        SNC_GOTO(say_teacher(ctx, o, in, m, out, false));
    }
out:
    cJSON_Delete(stamp);
    cJSON_Delete(recipe);
    snc_model_free(m);
    return err;
}

snc_err snc_step_adopt(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from, const char *out)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    cJSON *stamp = NULL;
    char why[SNC_WHY];
    bool fine_tuned, current;
    SNC_GOTO(snc_depends_adopted(&stamp, o, in, from));
    SNC_GOTO(snc_stamp_allow(&current, out, snc_stamp_state(why, out, stamp), why, o->overwrite));
    if (current) {
        snc_log(ctx, SNC_LOG_INFO, "teacher: %s is up to date", out);
        goto out;
    }
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, ctx, from, in->task));
    SNC_GOTO(snc_threshold_note(m, ctx, o, in));
    SNC_GOTO(snc_step_finish_model(m, stamp, NULL, NULL, in, out));
    SNC_GOTO(say_teacher(ctx, o, in, m, from, true));
out:
    cJSON_Delete(stamp);
    snc_model_free(m);
    return err;
}

snc_err snc_verb_finetune(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    snc_inputs in = {0};
    snc_lock *lock = NULL;
    snc_step_report r;
    SNC_TRY(snc_stage_need("finetune", "--pretrained", o->pretrained));
    SNC_TRY(snc_stage_need_output("finetune", o));
    SNC_TRY(snc_stage_ctx(&ctx, o, h, 0));
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_FINETUNE));
    SNC_GOTO(snc_output_lock(&lock, o->output));
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "finetune", o->pretrained, o->hold_out, NULL));
    SNC_GOTO(snc_reading_log(&ctx, &in));
    SNC_GOTO(snc_step_finetune(&r, &ctx, o, &in, o->pretrained, o->output));
    if (r.unfinished) snc_stage_say(h, "stopped early; the same command without --max-steps goes on from the checkpoint");
    else if (!r.reused) snc_stage_say(h, "%s: %.1f sentences/s, %.1f s, peak memory %.0f MB", o->output, r.sentences_per_s, r.seconds, snc_peak_rss_mb());
out:
    snc_inputs_close(&in);
    snc_lock_release(lock);
    return err;
}
