/* A file is written beside its name, repaired and trimmed there, and gets the name when it is final. */
#include "candidate/deploy.h"

#include <stdio.h>
#include <string.h>

#include "artifact/depends.h"
#include "artifact/load.h"
#include "artifact/recipes.h"
#include "artifact/stamp.h"
#include "artifact/threshold.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "base/mem.h"
#include "candidate/workload.h"
#include "models/export.h"

cJSON *snc_deploy_meta(const snc_model *m, const snc_options *o, const snc_inputs *in, cJSON *stamp)
{
    cJSON *meta = cJSON_CreateObject();
    const snc_dataset *rank = in ? in->splits.rank : NULL;
    const cJSON *max_length = cJSON_GetObjectItemCaseSensitive(m->meta, "max_length");
    const cJSON *threshold = m->cfg.multilabel ? cJSON_GetObjectItemCaseSensitive(m->meta, "threshold") : NULL;
    if (stamp) cJSON_AddItemToObject(meta, "inputs", stamp);
    if (in) cJSON_AddStringToObject(meta, "task", snc_task_name(in->task));
    if (in) cJSON_AddNumberToObject(meta, "max_length", snc_task_max_length(in->task));
    else if (max_length) cJSON_AddItemToObject(meta, "max_length", cJSON_Duplicate(max_length, 1));
    if (threshold) cJSON_AddItemToObject(meta, "threshold", cJSON_Duplicate(threshold, 1));
    cJSON_AddNumberToObject(meta, "seed", (double)o->job.seed);
    if (rank) cJSON_AddItemToObject(meta, "lengths", snc_inputs_lengths(rank));
    return meta;
}

snc_err snc_deploy_write(const char *path, const snc_ctx *ctx, const snc_model *m, snc_weights *w, const snc_arch *a, const snc_policy *p,
                         const cJSON *meta)
{
    const snc_export_info info = {.labels = m->labels, .has_head = m->has_head, .tokenizer = &m->tokenizer, .meta = meta};
    snc_weights *own = NULL;
    snc_err err = SNC_OK;
    if (!w) err = snc_weights_from_model(&own, ctx, m);
    if (!err) err = snc_export(path, w ? w : own, a, p, &info);
    snc_weights_free(own);
    return err;
}

/* The same, with a threshold chosen for the very file where a task has any number of labels. */
static snc_err write_file(const char *path, const snc_ctx *ctx, const snc_inputs *in, const snc_model *m, snc_weights *w, const snc_arch *a,
                          const snc_policy *p, cJSON *meta)
{
    snc_err err = SNC_OK;
    snc_loaded l = {0};
    const snc_dataset *d = in->splits.select;
    float *logits = NULL;
    double threshold = 0.5;
    SNC_TRY(snc_deploy_write(path, ctx, m, w, a, p, meta));
    if (!m->cfg.multilabel || !d) return SNC_OK;
    SNC_GOTO(snc_alloc(&logits, (size_t)d->n * (size_t)m->cfg.classes, sizeof *logits));
    SNC_GOTO(snc_loaded_open(&l, ctx, path, 0, SNC_MEANS_CLASSES));
    SNC_GOTO(snc_loaded_answer(logits, ctx, &l, d, NULL));
    SNC_GOTO(snc_threshold_choose(&threshold, ctx, in->task, logits, d, l.classes));
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "threshold");
    cJSON_AddNumberToObject(meta, "threshold", threshold);
    SNC_GOTO(snc_deploy_write(path, ctx, m, w, a, p, meta));
out:
    snc_loaded_close(&l);
    snc_free(logits);
    return err;
}

snc_err snc_deploy_full(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher, const char *out)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    cJSON *stamp = NULL, *meta = NULL;
    char why[SNC_WHY];
    SNC_GOTO(snc_depends_int8(&stamp, o, in, teacher));
    if (snc_stamp_state(why, out, stamp) == SNC_CURRENT) goto out;
    SNC_GOTO(snc_model_load(&m, ctx, teacher, 0, SNC_MEANS_CLASSES));
    snc_policy int8 = snc_policy_int8();
    meta = snc_deploy_meta(m, o, in, cJSON_Duplicate(stamp, 1));
    SNC_GOTO(snc_deploy_write(out, ctx, m, NULL, NULL, &int8, meta));
out:
    cJSON_Delete(stamp);
    cJSON_Delete(meta);
    snc_model_free(m);
    return err;
}

/* ---- fewer word pieces --------------------------------------------------------------------------------------------- */

snc_err snc_deploy_trim(const char *path, const snc_ctx *ctx, const snc_dataset *dev, const snc_trim *t)
{
    double all = (double)dev->start[dev->n], lost = 100.0 * (double)snc_trim_lost(t, dev->ids, dev->start[dev->n]) / (all > 0 ? all : 1);
    cJSON *note = cJSON_CreateObject();
    cJSON_AddNumberToObject(note, "pieces", t->kept);
    cJSON_AddNumberToObject(note, "of", t->rows);
    cJSON_AddNumberToObject(note, "dev_lost_percent", lost);
    snc_log(ctx, SNC_LOG_INFO, "vocabulary: %d of %d pieces kept; %.2f%% of dev's tokens are others", t->kept, t->rows, lost);
    return snc_trim_file(path, path, t, note);
}

/* ---- the finalist -------------------------------------------------------------------------------------------------- */

/* How far the file at path is from what the teachers say of the set's first rows: a refit must have come nearer to what it learnt. */
static snc_err distance(double *loss, const snc_evaluator *e, const snc_distillation_set *set, const char *path)
{
    snc_dataset few = *set->rows;
    snc_loaded l;
    float *z = NULL;
    if (few.n > SNC_DISTILLATION_JUDGED) few.n = SNC_DISTILLATION_JUDGED;
    SNC_TRY(snc_loaded_open(&l, e->ctx, path, 0, SNC_MEANS_CLASSES));
    snc_err err = snc_alloc(&z, (size_t)few.n * (size_t)l.classes, sizeof *z);
    if (!err) err = snc_loaded_answer(z, e->ctx, &l, &few, NULL);
    if (!err) *loss = snc_loss_to_teacher(z, set->logits, few.n, l.classes, l.problem);
    snc_free(z);
    snc_loaded_close(&l);
    return err;
}

/* Distils the cut-out net for a short while, its INT8 matrices rounded in every forward; meta says how. */
static snc_err distil(snc_model *m, cJSON *meta, const snc_evaluator *e, const snc_options *o, const snc_distillation_set *set,
                      const snc_policy *policy)
{
    snc_train_result r;
    snc_train_opts t;
    SNC_TRY(snc_recipe_repair(&t, o));
    cJSON_AddItemToObject(meta, "recipe", snc_train_opts_in_use(&t));
    t.fake_quant = policy;
    t.teacher_logits = set->logits;
    return snc_train_run(&r, e->ctx, m, NULL, set->rows, NULL, &t);
}

/* Nothing that a clock said: equal decisions give equal bytes. */
static cJSON *finalist_meta(const snc_evaluator *e, const snc_options *o, const snc_finalist *f, const cJSON *stamp)
{
    cJSON *meta = snc_deploy_meta(e->supernet, o, e->in, cJSON_Duplicate(stamp, 1)), *s;
    s = cJSON_AddObjectToObject(meta, "search");
    cJSON_AddNumberToObject(s, "rank_loss", f->o.loss);
    cJSON_AddNumberToObject(s, "select_loss", f->select_loss);
    cJSON_AddNumberToObject(s, "select_score", f->select_score);
    cJSON_AddItemToObject(meta, "workload", snc_workload_json(&o->workload));
    cJSON_AddStringToObject(meta, "isa", snc_isa_name(snc_isa_now()));
    return meta;
}

/* The net of `draft` after a refit, in its place when that is kept. Its threshold stays: no row is left to choose another on. */
static snc_err try_refit(char said[SNC_SENTENCE], const snc_evaluator *e, const snc_options *o, snc_refit *refit, const snc_arch *a,
                         const snc_policy *policy, cJSON *meta, const char *draft)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    double before = 0, after = 0;
    char path[4096];
    SNC_CHECK(snprintf(path, sizeof path, "%s.repaired", draft) < (int)sizeof path, SNC_E_ARG, "path too long: %.80s...", draft);
    SNC_TRY(snc_distillation_average(&refit->set, e->ctx, e->in, refit->rows, o, &refit->teachers, snc_inputs_compute(&o->job)));
    SNC_GOTO(distance(&before, e, &refit->set, draft));
    SNC_GOTO(snc_model_extract(&m, e->supernet, a));
    SNC_GOTO(distil(m, meta, e, o, &refit->set, policy));
    SNC_GOTO(snc_deploy_write(path, e->ctx, m, NULL, NULL, policy, meta));
    SNC_GOTO(distance(&after, e, &refit->set, path));
    bool keep = strcmp(o->exporting.repair, "on") == 0 || after < before;
    if (keep) SNC_GOTO(snc_file_move(draft, path));
    snprintf(said, SNC_SENTENCE,
             "%s: loss to the teacher%s of all %d rows %.4f before, %.4f after %g epochs of distillation under fake quantization",
             keep ? "kept" : "dropped", refit->teachers.n > 1 ? "s" : "", refit->rows->n, before, after, o->exporting.repair_epochs);
    snc_log(e->ctx, SNC_LOG_INFO, "repair %s", said);
out:
    remove(path);
    snc_model_free(m);
    return err;
}

/* The file gets its name when it is whole and final: one that is there under that name stays until then. */
snc_err snc_deploy_finalist(char said[SNC_SENTENCE], snc_evaluator *e, const snc_options *o, const snc_finalist *f, snc_refit *refit,
                            const cJSON *stamp, const char *out)
{
    snc_err err = SNC_OK;
    snc_arch a;
    snc_policy policy;
    char draft[4096];
    cJSON *meta = finalist_meta(e, o, f, stamp);
    bool off = strcmp(o->exporting.repair, "off") == 0;
    snc_cfg_decode(&a, &policy, e->space, &f->o.cfg);
    snprintf(said, SNC_SENTENCE, "off");
    if (snprintf(draft, sizeof draft, "%s.draft", out) >= (int)sizeof draft) {
        cJSON_Delete(meta);
        return snc_err_set(SNC_E_ARG, "path too long: %.80s...", out);
    }
    SNC_GOTO(write_file(draft, e->ctx, e->in, e->supernet, e->weights, &a, &policy, meta));
    if (!off && o->exporting.repair_epochs > 0) SNC_GOTO(try_refit(said, e, o, refit, &a, &policy, meta, draft));
    if (e->trim.rows) SNC_GOTO(snc_deploy_trim(draft, e->ctx, e->in->dev, &e->trim));
    SNC_GOTO(snc_file_move(out, draft));
out:
    remove(draft);
    cJSON_Delete(meta);
    return err;
}
