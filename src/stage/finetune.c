/* compress finetune: a teacher, fine-tuned on the task; and the teachers of all rows that a job compares with. */
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/depends.h"
#include "artifact/folder.h"
#include "artifact/option.h"
#include "artifact/recipes.h"
#include "artifact/say.h"
#include "artifact/settle.h"
#include "artifact/task_score.h"
#include "artifact/threshold.h"
#include "artifact/training.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "candidate/needs.h"
#include "candidate/preflight.h"
#include "models/cutoff.h"
#include "models/snc_file.h"
#include "report/breakdown.h"
#include "report/reading.h"
#include "stage/steps.h"
#include "stage/verbs.h"
#include "train/evaluate.h"
#include "train/trainer.h"

/* What a teacher learns from. */
typedef struct lesson {
    const char *what;  /* of progress and log lines */
    snc_dataset rows;  /* text without labels is for the supernet alone */
    const char *judge; /* a teacher whose threshold it takes: none of the rows is left to choose one on; NULL: select is */
} lesson;

static snc_err train(snc_train_result *r, const snc_ctx *ctx, snc_model *m, const lesson *l, const snc_options *o, const char *checkpoint,
                     cJSON **recipe)
{
    snc_train_opts t;
    SNC_TRY(snc_recipe_finetune(&t, o, checkpoint));
    t.what = l->what;
    *recipe = snc_train_opts_in_use(&t);
    return snc_train_run(r, ctx, m, NULL, &l->rows, NULL, &t);
}

/* A head that fits by its number of classes alone may be of another task, and one that was trained may tell nothing apart: the score
 * on select tells, beside that of one answer to every row (a correlation has none with it, and 0 is as little). */
static snc_err say_teacher(const snc_ctx *ctx, const snc_inputs *in, const snc_model *m, float *logits, const char *path, bool adopted)
{
    snc_err err = SNC_OK;
    const snc_dataset *d = in->splits.select;
    snc_breakdown b = {0};
    double score, threshold;
    if (!logits) return SNC_OK;
    if (m->cfg.vector) {
        snc_log(ctx, SNC_LOG_INFO, "teacher: %s as it is: vectors of %d numbers, of %s", path, m->cfg.classes,
                m->cfg.mean ? "the mean of all tokens" : "the first token");
        return SNC_OK;
    }
    SNC_TRY(snc_threshold_of(&threshold, m->meta, path));
    SNC_TRY(snc_task_score_at(&score, in->task, logits, d, m->cfg.classes, threshold));
    for (int64_t i = 0; i < (int64_t)d->n * m->cfg.classes && m->cfg.multilabel; i++) logits[i] -= (float)snc_threshold_logit(threshold);
    SNC_GOTO(snc_breakdown_make(&b, in->task, logits, d, m->cfg.classes));
    snc_log(ctx, SNC_LOG_INFO, "teacher: %s%s: score on select %.2f%s", path, adopted ? " as it is, fine-tuned already" : "", 100 * score,
            snc_inputs_taught_all(in) ? ", whose rows it has learnt" : "");
    snc_breakdown_warn(ctx, &b, path, "select");
    if (adopted && !(score > b.majority_score))
        snc_log(ctx, SNC_LOG_WARN, "%s: on select no better than one answer to every row (%.2f): was it fine-tuned for %s?", path,
                100 * b.majority_score, snc_task_name(in->task));
out:
    snc_breakdown_dispose(&b);
    return err;
}

/* Writes a teacher, with its threshold where it has one, and says what it is worth. */
static snc_err finish_teacher(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, snc_model *m, cJSON *stamp, cJSON *recipe,
                              const snc_train_result *r, const char *from, const char *out)
{
    snc_err err = SNC_OK;
    float *logits = NULL;
    SNC_TRY(snc_training_select_logits(&logits, ctx, m, snc_inputs_compute(&o->job), in));
    SNC_GOTO(snc_threshold_note(m, ctx, in, logits));
    SNC_GOTO(snc_training_finish(m, stamp, recipe, r, in, out));
    SNC_GOTO(say_teacher(ctx, in, m, logits, from ? from : out, from != NULL));
out:
    snc_free(logits);
    return err;
}

/* The same of one that has seen every row. */
static snc_err finish_baseline(snc_model *m, const lesson *l, const snc_inputs *in, cJSON *stamp, cJSON *recipe, const snc_train_result *r,
                               const char *out)
{
    snc_sncfile *f = NULL;
    if (m->cfg.multilabel) {
        SNC_TRY(snc_sncfile_open(&f, l->judge));
        const cJSON *threshold = cJSON_GetObjectItemCaseSensitive(snc_sncfile_meta_view(f), "threshold");
        cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "threshold");
        if (threshold) cJSON_AddItemToObject(m->meta, "threshold", cJSON_Duplicate(threshold, 1));
        snc_sncfile_close(f);
    }
    return snc_training_finish(m, stamp, recipe, r, in, out);
}

static snc_err make(snc_step_report *report, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const lesson *l, cJSON *stamp,
                    const char *from, const char *out)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    cJSON *recipe = NULL;
    char checkpoint[4096], why[SNC_WHY];
    snc_train_result r = {0};
    bool fine_tuned;
    *report = (snc_step_report){0};
    SNC_TRY(snc_training_checkpoint_path(checkpoint, sizeof checkpoint, out));
    SNC_TRY(snc_stamp_allow(&report->reused, out, snc_stamp_state(why, out, stamp), why, o->output.overwrite));
    if (report->reused) {
        snc_log(ctx, SNC_LOG_INFO, "%s: %s is up to date", l->what, out);
        return SNC_OK;
    }
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, ctx, from, in->task));
    if (fine_tuned) snc_log(ctx, SNC_LOG_INFO, "%s: %s is fine-tuned already; its classifier is trained on", l->what, from);
    const snc_needs needs = {ctx, o, in, m, SNC_VERB_FINETUNE, 0};
    SNC_GOTO(snc_needs_check(&needs, out, snc_file_size(out) + snc_file_size(checkpoint)));
    SNC_GOTO(train(&r, ctx, m, l, o, checkpoint, &recipe));
    report->sentences_per_s = r.sentences_per_s;
    report->seconds = r.seconds;
    report->all_seconds = snc_train_result_whole(&r);
    report->unfinished = !r.finished;
    if (r.finished) {
        SNC_GOTO(l->judge ? finish_baseline(m, l, in, stamp, recipe, &r, out)
                          : finish_teacher(ctx, o, in, m, stamp, recipe, &r, NULL, out));
        remove(checkpoint);
    }
out:
    cJSON_Delete(recipe);
    snc_model_free(m);
    return err;
}

snc_err snc_step_finetune(snc_step_report *report, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from,
                          const char *out)
{
    const lesson l = {"finetune", snc_dataset_labelled_view(in->taught), NULL};
    cJSON *stamp = NULL;
    SNC_TRY(snc_depends_finetuned(&stamp, o, in, from));
    snc_err err = make(report, ctx, o, in, &l, stamp, from, out);
    cJSON_Delete(stamp);
    return err;
}

snc_err snc_step_baseline(snc_step_report *report, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from,
                          const char *teacher, int number, const char *out)
{
    const lesson l = {"baseline", snc_dataset_labelled_view(in->splits.all), teacher};
    cJSON *stamp = NULL;
    snc_ctx own = *ctx;
    own.seed = snc_baseline_seed(ctx->seed, number);
    SNC_TRY(snc_depends_baseline(&stamp, o, in, from, number));
    snc_err err = make(report, &own, o, in, &l, stamp, from, out);
    cJSON_Delete(stamp);
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
    SNC_GOTO(snc_stamp_allow(&current, out, snc_stamp_state(why, out, stamp), why, o->output.overwrite));
    if (current) {
        snc_log(ctx, SNC_LOG_INFO, "teacher: %s is up to date", out);
        goto out;
    }
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, ctx, from, in->task));
    SNC_GOTO(finish_teacher(ctx, o, in, m, stamp, NULL, NULL, from, out));
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
    snc_options mine = *o;
    SNC_TRY(snc_option_need("finetune", "--pretrained", o->input.pretrained));
    SNC_TRY(snc_output_need("finetune", o));
    SNC_TRY(snc_context_init(&ctx, o, h, o->job.threads, 0));
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_FINETUNE));
    SNC_GOTO(snc_output_lock(&lock, o->output.path));
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "finetune", o->input.pretrained, o->rows.hold_out ? SNC_HOLD_OUT : SNC_HOLD_NOTHING, NULL));
    if (snc_task_vectors(in.task))
        SNC_GOTO(snc_err_set(SNC_E_UNSUPPORTED, "finetune: task %s has no labels to learn: compress takes %s as the teacher that it is",
                             snc_task_name(in.task), o->input.pretrained));
    SNC_GOTO(snc_reading_log(&ctx, &in));
    SNC_GOTO(snc_settle(&mine, in.splits.train));
    SNC_GOTO(snc_step_finetune(&r, &ctx, &mine, &in, o->input.pretrained, o->output.path));
    if (r.unfinished) snc_say(h, "stopped early; the same command without --max-steps goes on from the checkpoint");
    else if (!r.reused)
        snc_say(h, "%s: %.1f sentences/s, %.1f s, peak memory %.0f MB", o->output.path, r.sentences_per_s, r.seconds, snc_peak_rss_mb());
out:
    snc_inputs_close(&in);
    snc_lock_release(lock);
    return err;
}
