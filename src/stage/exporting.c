#include "models/export.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "base/mem.h"
#include "stage/depends.h"
#include "stage/exporting.h"
#include "stage/preflight.h"
#include "stage/threshold.h"
#include "stage/verbs.h"

/* What a deployable file says about itself, beside what every .snc says. */
static cJSON *deploy_meta(const snc_model *m, const snc_options *o, const snc_inputs *in, cJSON *stamp)
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
    cJSON_AddNumberToObject(meta, "seed", (double)o->seed);
    if (rank) cJSON_AddItemToObject(meta, "lengths", snc_inputs_lengths(rank));
    return meta;
}

static snc_err write_model(const char *path, const snc_ctx *ctx, const snc_model *m, snc_weights *w, const snc_arch *a, const snc_policy *p,
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
static snc_err write_file(const char *path, const snc_ctx *ctx, const snc_inputs *in, const snc_model *m, snc_weights *w, const snc_arch *a, const snc_policy *p,
                          cJSON *meta)
{
    snc_err err = SNC_OK;
    snc_loaded l = {0};
    const snc_dataset *d = in->splits.select;
    float *logits = NULL;
    double threshold = 0.5;
    SNC_TRY(write_model(path, ctx, m, w, a, p, meta));
    if (!m->cfg.multilabel || !d) return SNC_OK;
    SNC_GOTO(snc_alloc(&logits, (size_t)d->n * (size_t)m->cfg.classes, sizeof *logits));
    SNC_GOTO(snc_loaded_open(&l, ctx, path, 0, SNC_MEANS_CLASSES));
    SNC_GOTO(snc_loaded_answer(logits, ctx, &l, d, NULL));
    SNC_GOTO(snc_threshold_choose(&threshold, ctx, in->task, logits, d, l.classes));
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "threshold");
    cJSON_AddNumberToObject(meta, "threshold", threshold);
    SNC_GOTO(write_model(path, ctx, m, w, a, p, meta));
out:
    snc_loaded_close(&l);
    snc_free(logits);
    return err;
}

snc_policy snc_policy_int8(void)
{
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    p.classifier = SNC_F32; /* a few hundred numbers */
    return p;
}

/* Four bits for all but the head: its two matrices are small, and the last to see the numbers. */
static snc_policy policy_int4(void)
{
    snc_policy p = snc_policy_uniform(SNC_I4, SNC_I4);
    p.pooler = SNC_I8;
    p.classifier = SNC_F32;
    return p;
}

snc_err snc_step_export_full(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher, const char *out)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    cJSON *stamp = NULL, *meta = NULL;
    char why[SNC_WHY];
    SNC_GOTO(snc_depends_int8(&stamp, o, in, teacher));
    if (snc_stamp_state(why, out, stamp) == SNC_CURRENT) goto out;
    SNC_GOTO(snc_model_load(&m, ctx, teacher, 0, SNC_MEANS_CLASSES));
    snc_policy int8 = snc_policy_int8();
    meta = deploy_meta(m, o, in, cJSON_Duplicate(stamp, 1));
    SNC_GOTO(write_file(out, ctx, in, m, NULL, NULL, &int8, meta));
out:
    cJSON_Delete(stamp);
    cJSON_Delete(meta);
    snc_model_free(m);
    return err;
}

/* ---- fewer word pieces --------------------------------------------------------------------------------------------- */

/* The share of dev's tokens that are lost is told, and decides nothing. */
static snc_err trim_in_place(const char *path, const snc_ctx *ctx, const snc_dataset *dev, const snc_trim *t)
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

static snc_err select_loss(double *loss, snc_pick *p, const char *path)
{
    const snc_dataset *d = p->in->splits.select;
    snc_loaded l;
    SNC_TRY(snc_loaded_open(&l, p->ctx, path, 0, SNC_MEANS_CLASSES));
    snc_err err = snc_loaded_answer(p->logits, p->ctx, &l, d, NULL);
    if (!err) *loss = snc_step_distance(p->logits, p->teacher_select, d->n, l.classes, l.problem);
    snc_loaded_close(&l);
    return err;
}

/* Distils the cut-out net from the whole supernet's teacher for a short while, its INT8 matrices rounded in every forward. */
static snc_err repair(snc_model *m, snc_pick *p, const snc_policy *policy, const char *teacher_path)
{
    snc_model *teacher = NULL;
    snc_train_result r;
    snc_train_opts t = SNC_TRAIN_OPTS_INIT;
    snc_err err = SNC_OK;
    bool fine_tuned;
    snc_step_train_opts(&t, p->o, SNC_COMPUTE_F32, NULL);
    SNC_TRY(snc_inputs_compute(&t.compute, p->o));
    t.max_steps = 0;
    t.epochs = p->o->repair_epochs;
    t.lr = p->o->supernet_lr;
    t.alpha = 0; /* the teacher alone: hard labels pull away from it what the supernet has learnt */
    t.temperature = p->o->temperature;
    t.fake_quant = policy;
    t.what = "repair";
    snprintf(t.sampler, sizeof t.sampler, "full");
    SNC_GOTO(snc_inputs_model(&teacher, &fine_tuned, p->ctx, teacher_path, p->in->task));
    SNC_GOTO(snc_step_teach(p->ctx, p->in, p->o, teacher, t.compute));
    t.teacher_logits = p->in->lesson->logits;
    SNC_GOTO(snc_train_run(&r, p->ctx, m, teacher, p->in->lesson->rows, NULL, &t));
out:
    snc_model_free(teacher);
    return err;
}

/* Nothing that a clock said: equal decisions give equal bytes. */
static cJSON *finalist_meta(const snc_pick *p, const snc_finalist *f, const cJSON *stamp)
{
    cJSON *meta = deploy_meta(p->supernet, p->o, p->in, cJSON_Duplicate(stamp, 1)), *s;
    s = cJSON_AddObjectToObject(meta, "search");
    cJSON_AddNumberToObject(s, "rank_loss", f->o.loss);
    cJSON_AddNumberToObject(s, "select_loss", f->select_loss);
    cJSON_AddNumberToObject(s, "select_score", f->select_score);
    s = cJSON_AddObjectToObject(meta, "workload");
    cJSON_AddStringToObject(s, "batch", p->o->batch ? p->o->batch : "1");
    cJSON_AddStringToObject(s, "seq_len", p->o->seq_len ? p->o->seq_len : "data");
    cJSON_AddStringToObject(s, "threads", p->o->threads ? p->o->threads : "1");
    cJSON_AddNumberToObject(s, "percentile", p->o->percentile);
    cJSON_AddStringToObject(meta, "isa", snc_isa_name(snc_isa_now()));
    return meta;
}

/* The net of `draft` after a repair, in its place when that is kept. */
static snc_err try_repair(char said[SNC_SENTENCE], snc_pick *p, const snc_arch *a, const snc_policy *policy, const char *teacher, cJSON *meta,
                          const char *draft)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    double before = 0, after = 0;
    char repaired[4096];
    SNC_CHECK(snprintf(repaired, sizeof repaired, "%s.repaired", draft) < (int)sizeof repaired, SNC_E_ARG, "path too long: %.80s...", draft);
    SNC_TRY(select_loss(&before, p, draft));
    SNC_GOTO(snc_model_extract(&m, p->supernet, a));
    SNC_GOTO(repair(m, p, policy, teacher));
    SNC_GOTO(write_file(repaired, p->ctx, p->in, m, NULL, NULL, policy, meta));
    SNC_GOTO(select_loss(&after, p, repaired));
    bool keep = (p->o->repair && strcmp(p->o->repair, "on") == 0) || after < before;
    if (keep) SNC_GOTO(snc_file_move(draft, repaired));
    snprintf(said, SNC_SENTENCE, "%s: loss on select %.4f before, %.4f after %g epochs of distillation under fake quantization",
             keep ? "kept" : "dropped", before, after, p->o->repair_epochs);
    snc_log(p->ctx, SNC_LOG_INFO, "repair %s", said);
out:
    remove(repaired);
    snc_model_free(m);
    return err;
}

/* The file gets its name when it is whole and final: one that is there under that name stays until then. */
snc_err snc_export_finalist(char said[SNC_SENTENCE], snc_pick *p, const snc_finalist *f, const char *teacher, const cJSON *stamp, const char *out)
{
    snc_err err = SNC_OK;
    snc_arch a;
    snc_policy policy;
    char draft[4096];
    cJSON *meta = finalist_meta(p, f, stamp);
    bool off = p->o->repair && strcmp(p->o->repair, "off") == 0;
    snc_cfg_decode(&a, &policy, p->space, &f->o.cfg);
    snprintf(said, SNC_SENTENCE, "off");
    if (snprintf(draft, sizeof draft, "%s.draft", out) >= (int)sizeof draft) {
        cJSON_Delete(meta);
        return snc_err_set(SNC_E_ARG, "path too long: %.80s...", out);
    }
    SNC_GOTO(write_file(draft, p->ctx, p->in, p->supernet, p->weights, &a, &policy, meta));
    if (!off && p->o->repair_epochs > 0) SNC_GOTO(try_repair(said, p, &a, &policy, teacher, meta, draft));
    if (p->trim.rows) SNC_GOTO(trim_in_place(draft, p->ctx, p->in->dev, &p->trim));
    SNC_GOTO(snc_file_move(out, draft));
out:
    remove(draft);
    cJSON_Delete(meta);
    return err;
}

/* ---- the verb ------------------------------------------------------------------------------------------------------ */

static snc_err read_config(snc_arch *a, bool *has_arch, snc_policy *p, bool *has_policy, const char *path, const snc_arch *full)
{
    cJSON *j = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_json_load(&j, path));
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(j, "chosen"); /* front.json as it is */
    const cJSON *top = inner ? inner : j, *arch = cJSON_GetObjectItemCaseSensitive(top, "arch");
    const cJSON *policy = cJSON_GetObjectItemCaseSensitive(top, "policy");
    if (!arch && !policy && (cJSON_HasObjectItem(top, "layers") || cJSON_HasObjectItem(top, "linear"))) policy = top; /* a bare policy */
    if (arch) SNC_GOTO(snc_arch_from_json(a, arch, path));
    if (arch) SNC_GOTO(snc_arch_check(a, full));
    *has_arch = *has_arch || arch;
    if (policy) SNC_GOTO(snc_policy_from_json(p, policy, *has_arch ? a->layers : full->layers, path));
    *has_policy = *has_policy || policy;
    if (!arch && !policy) err = snc_err_set(SNC_E_FORMAT, "%s: expected 'arch', 'policy' or both", path);
out:
    cJSON_Delete(j);
    return err;
}

static snc_err pick_policy(snc_policy *p, bool *given, const char *name)
{
    *given = true;
    if (strcmp(name, "int8") == 0) *p = snc_policy_int8();
    else if (strcmp(name, "int4") == 0) *p = policy_int4();
    else if (strcmp(name, "bf16") == 0) *p = snc_policy_uniform(SNC_BF16, SNC_BF16);
    else if (strcmp(name, "f32") == 0) *p = snc_policy_uniform(SNC_F32, SNC_F32);
    else *given = false;
    return SNC_OK;
}

/* One run of the verb. */
typedef struct deploy {
    const snc_options *o;
    const char *from;
    snc_ctx ctx;
    snc_model *m;
    snc_arch a;
    snc_policy p;
    snc_inputs in; /* --trim-vocab: what the task's train rows and --unlabeled hold */
    snc_trim trim;
} deploy;

static snc_err choose_net(deploy *d)
{
    const snc_options *o = d->o;
    bool has_arch = false, has_policy = false;
    d->a = d->m->arch;
    d->p = snc_policy_int8();
    if (o->config) SNC_TRY(read_config(&d->a, &has_arch, &d->p, &has_policy, o->config, &d->m->arch));
    if (o->policy) SNC_TRY(pick_policy(&d->p, &has_policy, o->policy));
    if (o->policy && !has_policy) SNC_TRY(read_config(&d->a, &has_arch, &d->p, &has_policy, o->policy, &d->m->arch));
    return SNC_OK;
}

static snc_err choose_pieces(deploy *d)
{
    if (!d->o->trim_vocab) return SNC_OK;
    SNC_TRY(snc_inputs_open(&d->in, &d->ctx, d->o, "export --trim-vocab", d->from, true, d->o->unlabeled));
    SNC_TRY(snc_inputs_dev(&d->in, &d->ctx, d->o));
    SNC_TRY(snc_trim_new(&d->trim, &d->m->tokenizer, d->m->cfg.vocab));
    snc_trim_see(&d->trim, d->in.splits.train->ids, d->in.splits.train->start[d->in.splits.train->n]);
    return SNC_OK;
}

/* Of what is in the files that options name, and of what comes of them. */
static snc_err export_stamp(cJSON **out, const deploy *d)
{
    uint64_t model, net = snc_json_hash(snc_json_hash(0, snc_arch_to_json(&d->a)), snc_policy_to_json(&d->p, d->a.layers));
    SNC_TRY(snc_path_hash(&model, d->from));
    *out = snc_stamp_new("export", 0, d->o);
    snc_stamp_hash(*out, "model", model);
    snc_stamp_hash(*out, "net", net);
    if (!d->m->has_head) snc_stamp_hash(*out, "seed", d->ctx.seed);
    if (d->trim.rows) snc_stamp_hash(*out, "vocabulary", snc_bytes_hash(0, d->trim.keep, (size_t)d->trim.rows * sizeof *d->trim.keep));
    return SNC_OK;
}

/* Nothing to do when the very file is there. */
static snc_err write_deployed(deploy *d)
{
    snc_err err = SNC_OK;
    cJSON *stamp = NULL, *meta = NULL;
    const cJSON *lengths = cJSON_GetObjectItemCaseSensitive(d->m->meta, "lengths");
    char why[SNC_WHY], out[4096], draft[4096 + 8];
    bool current;
    SNC_TRY(snc_write_target(out, sizeof out, d->o->output));
    snprintf(draft, sizeof draft, "%s.draft", out);
    SNC_GOTO(export_stamp(&stamp, d));
    SNC_GOTO(snc_stamp_allow(&current, d->o->output, snc_stamp_state(why, d->o->output, stamp), why, d->o->overwrite));
    if (current) goto out;
    meta = deploy_meta(d->m, d->o, NULL, cJSON_Duplicate(stamp, 1));
    if (lengths) cJSON_AddItemToObject(meta, "lengths", cJSON_Duplicate(lengths, 1));
    SNC_GOTO(write_model(d->trim.rows ? draft : out, &d->ctx, d->m, NULL, &d->a, &d->p, meta));
    if (!d->trim.rows) goto out;
    err = trim_in_place(draft, &d->ctx, d->in.dev, &d->trim);
    if (!err) err = snc_file_move(out, draft);
    if (err) remove(draft);
out:
    cJSON_Delete(stamp);
    cJSON_Delete(meta);
    return err;
}

snc_err snc_verb_export(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    const char *from = o->n_models ? o->models[0] : o->pretrained ? o->pretrained : o->teacher;
    deploy d = {.o = o, .from = from};
    SNC_TRY(snc_stage_need("export", "a model or --pretrained", from));
    if (o->trim_vocab) SNC_TRY(snc_stage_need("export --trim-vocab", "--task", snc_inputs_task_name(o)));
    if (o->trim_vocab) SNC_TRY(snc_stage_need("export --trim-vocab", "--data", o->data));
    SNC_CHECK(!o->to || strcmp(o->to, "snc") == 0, SNC_E_UNSUPPORTED, "--to %s: not built yet; snc is", o->to);
    SNC_TRY(snc_stage_ctx(&d.ctx, o, h, 0));
    SNC_TRY(snc_preflight_options(&d.ctx, o, SNC_VERB_EXPORT));
    SNC_TRY(snc_stage_need_output("export", o));
    SNC_GOTO(snc_model_load(&d.m, &d.ctx, from, 2, SNC_MEANS_CLASSES));
    SNC_GOTO(choose_net(&d));
    SNC_GOTO(snc_need_head(&d.ctx, o, from, d.m->has_head));
    if (snc_path_is_snc(from) && !d.m->tokenizer.vocab) /* other readers have said it already */
        snc_log(&d.ctx, SNC_LOG_WARN, "%s: no tokenizer inside: the file is for bench alone", from);
    SNC_GOTO(choose_pieces(&d));
    SNC_GOTO(write_deployed(&d));
    snc_stage_say(h, "%s", o->output);
out:
    snc_trim_dispose(&d.trim);
    snc_inputs_close(&d.in);
    snc_model_free(d.m);
    return err;
}
