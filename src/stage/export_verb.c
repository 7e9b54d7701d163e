/* compress export: a model, or a subnet of it, as a deployable file or a folder for other programs; several files as one, and one net of
 * such a file. */
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/load.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "artifact/stamp.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "candidate/cascade_fit.h"
#include "candidate/deploy.h"
#include "candidate/offer.h"
#include "candidate/preflight.h"
#include "models/bundle.h"
#include "stage/export_cascade.h"
#include "stage/export_exe.h"
#include "stage/export_folder.h"
#include "stage/export_measure.h"
#include "stage/verbs.h"

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
    d->p = o->exporting.to && strcmp(o->exporting.to, "hf") == 0 ? snc_policy_uniform(SNC_F32, SNC_F32) : snc_policy_int8();
    if (o->exporting.config) SNC_TRY(read_config(&d->a, &has_arch, &d->p, &has_policy, o->exporting.config, &d->m->arch));
    if (o->exporting.policy) has_policy = snc_offer_policy(&d->p, o->exporting.policy);
    if (o->exporting.policy && !has_policy) SNC_TRY(read_config(&d->a, &has_arch, &d->p, &has_policy, o->exporting.policy, &d->m->arch));
    return SNC_OK;
}

static snc_err choose_pieces(deploy *d)
{
    if (!d->o->exporting.trim_vocab) return SNC_OK;
    SNC_TRY(snc_inputs_open(&d->in, &d->ctx, d->o, "export --trim-vocab", d->from, SNC_HOLD_OUT, d->o->rows.unlabeled));
    SNC_TRY(snc_inputs_dev(&d->in, &d->ctx, d->o));
    SNC_TRY(snc_trim_new(&d->trim, &d->m->tokenizer, d->m->cfg.vocab));
    return snc_trim_see(&d->trim, d->in.splits.train->ids, d->in.splits.train->start[d->in.splits.train->n]);
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

/* The file, by way of a draft where its vocabulary is cut. */
static snc_err make_file(const char *out, deploy *d, const cJSON *stamp)
{
    const cJSON *lengths = cJSON_GetObjectItemCaseSensitive(d->m->meta, "lengths");
    char draft[4096 + 8];
    snprintf(draft, sizeof draft, "%s.draft", out);
    cJSON *meta = snc_deploy_meta(d->m, d->o, NULL, cJSON_Duplicate(stamp, 1));
    if (lengths) cJSON_AddItemToObject(meta, "lengths", cJSON_Duplicate(lengths, 1));
    snc_err err = snc_deploy_write(d->trim.rows ? draft : out, &d->ctx, d->m, NULL, &d->a, &d->p, meta);
    cJSON_Delete(meta);
    if (err || !d->trim.rows) return err;
    err = snc_deploy_trim(draft, &d->ctx, d->in.dev, &d->trim);
    if (!err) err = snc_file_move(out, draft);
    if (err) remove(draft);
    return err;
}

/* Nothing to do when the very file is there. */
static snc_err write_deployed(deploy *d)
{
    snc_err err = SNC_OK;
    cJSON *stamp = NULL;
    char why[SNC_WHY], out[4096];
    bool current;
    SNC_TRY(snc_write_target(out, sizeof out, d->o->output.path));
    SNC_GOTO(export_stamp(&stamp, d));
    SNC_GOTO(snc_stamp_allow(&current, d->o->output.path, snc_stamp_state(why, d->o->output.path, stamp), why, d->o->output.overwrite));
    if (!current) err = make_file(out, d, stamp);
out:
    cJSON_Delete(stamp);
    return err;
}

static snc_err write_other(deploy *d, const char *file)
{
    return snc_is_exe_asked(d->o) ? snc_exe_export(d->o, file, d->from) : snc_folder_export(&d->ctx, d->o, file, d->from);
}

/* The same file, which goes when what is made of it is written. */
static snc_err write_by_way(deploy *d)
{
    char file[4096];
    size_t n = (size_t)snprintf(file, sizeof file, "%s.draft.snc", d->o->output.path);
    SNC_CHECK(n < sizeof file, SNC_E_ARG, "--output %.80s...: the path is too long", d->o->output.path);
    snc_err err = make_file(file, d, NULL);
    snc_model_free(d->m); /* the file has it now: not twice in memory */
    d->m = NULL;
    if (!err) err = write_other(d, file);
    remove(file);
    return err;
}

static bool is_other(const snc_options *o) { return snc_is_folder_asked(o) || snc_is_exe_asked(o); }

/* A net of a file goes as it is, unless something of it is to be another. */
static bool is_as_it_is(const deploy *d)
{
    const snc_export_opts *x = &d->o->exporting;
    return is_other(d->o) && snc_path_is_snc(d->from) && !x->policy && !x->config && !x->trim_vocab;
}

/* ---- files as they are ---------------------------------------------------------------------------------------------------- */

/* *current: the draft is what is at out. */
static snc_err look_there(bool *current, const snc_options *o, const char *out, const char *draft)
{
    char there[SNC_DIGEST_TEXT] = "", made[SNC_DIGEST_TEXT];
    SNC_TRY(snc_sncfile_digest_read(made, draft));
    snc_state state = snc_file_size(out) == 0 ? SNC_ABSENT : SNC_STALE;
    if (state == SNC_STALE && snc_path_is_snc(out) && snc_sncfile_digest_read(there, out) == SNC_OK && strcmp(there, made) == 0)
        state = SNC_CURRENT;
    return snc_stamp_allow(current, o->output.path, state, "is another file", o->output.overwrite);
}

/* The draft becomes one that escalates; *current: what is at out is one already. */
static snc_err add_cascade(bool *current, const snc_ctx *ctx, const snc_options *o, const snc_host *h, snc_sncfile *const *f,
                           const char *out, const char *draft)
{
    cJSON *cascade = NULL;
    SNC_TRY(snc_cascade_make(&cascade, current, ctx, o, h, draft, out));
    if (*current) return SNC_OK;
    snc_err err = snc_bundle_save(draft, (const snc_sncfile *const *)f, o->input.models, o->input.n_models, cascade);
    cJSON_Delete(cascade);
    return err;
}

/* The file at `from` without its times. */
static snc_err copy_bare(const char *draft, const char *from)
{
    snc_sncfile *f = NULL;
    SNC_TRY(snc_sncfile_open(&f, from));
    snc_err err = snc_sncfile_nets(f) > 1 ? snc_bundle_set_speeds(draft, f, NULL)
                                          : snc_err_set(SNC_E_ARG, "export --measure: %s has one net, and nothing to choose from", from);
    snc_sncfile_close(f);
    return err;
}

/* The draft takes its place, with what is asked for beside the nets, if it is not there already or may not. */
static snc_err settle_nets(const snc_ctx *ctx, const snc_options *o, const snc_host *h, snc_sncfile *const *f, const char *out,
                           const char *draft)
{
    const snc_export_opts *x = &o->exporting;
    bool current = false;
    if (x->cascade) SNC_TRY(add_cascade(&current, ctx, o, h, f, out, draft));
    if (x->measure && current) SNC_TRY(copy_bare(draft, out));
    if (x->measure) SNC_TRY(snc_measure_nets(&current, ctx, o, h, draft, out));
    if (!x->cascade && !x->measure) SNC_TRY(look_there(&current, o, out, draft));
    return current ? SNC_OK : snc_file_move(out, draft);
}

/* Nothing of them changes: neither numbers nor what they say of themselves. */
static snc_err copy_nets(const snc_ctx *ctx, const snc_options *o, const snc_host *h, snc_sncfile **f)
{
    const snc_input_opts *in = &o->input;
    char out[4096], draft[4096 + 8];
    SNC_TRY(snc_write_target(out, sizeof out, o->output.path));
    snprintf(draft, sizeof draft, "%s.draft", out);
    for (int i = 0; i < in->n_models; i++) {
        SNC_CHECK(snc_path_is_snc(in->models[i]), SNC_E_ARG, "%s: expected a .snc file", in->models[i]);
        SNC_TRY(snc_sncfile_open(&f[i], in->models[i]));
    }
    snc_err err = SNC_OK;
    if (in->n_models > 1) err = snc_bundle_save(draft, (const snc_sncfile *const *)f, in->models, in->n_models, NULL);
    else if (in->net < 0) err = copy_bare(draft, in->models[0]); /* to measure it */
    else {
        SNC_TRY(snc_bundle_need_net(in->net, snc_sncfile_nets(f[0]), in->models[0]));
        err = snc_bundle_cut(draft, f[0], in->net);
    }
    if (!err) err = settle_nets(ctx, o, h, f, out, draft);
    remove(draft);
    return err;
}

static snc_err export_nets(const snc_ctx *ctx, const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_sncfile **f = NULL;
    const snc_export_opts *x = &o->exporting;
    const char *who = o->input.n_models > 1 ? "export of several models" : x->measure ? "export --measure" : "export --net";
    SNC_CHECK(o->input.n_models == 1 || o->input.net < 0, SNC_E_ARG, "export --net: expected one model");
    SNC_CHECK(o->input.net < 0 || !x->measure, SNC_E_ARG, "export --measure: without --net: a net alone leaves nothing to choose from");
    SNC_CHECK(!x->policy && !x->config && !x->trim_vocab && !x->seeded_head, SNC_E_ARG,
              "%s: %s as it is: without --policy, --config, "
              "--trim-vocab and --seeded-head",
              who,
              o->input.n_models > 1 ? "each goes"
              : x->measure          ? "the file stays"
                                    : "it is cut out");
    SNC_TRY(snc_alloc(&f, (size_t)o->input.n_models, sizeof(snc_sncfile *)));
    err = copy_nets(ctx, o, h, f);
    for (int i = 0; i < o->input.n_models; i++) snc_sncfile_close(f[i]);
    snc_free(f);
    if (!err) snc_say(h, "%s", o->output.path);
    return err;
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------- */

snc_err snc_verb_export(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    const char *from = o->input.n_models ? o->input.models[0] : o->input.pretrained ? o->input.pretrained : o->input.teacher;
    deploy d = {.o = o, .from = from};
    SNC_TRY(snc_option_need("export", "a model or --pretrained", from));
    if (o->exporting.trim_vocab) SNC_TRY(snc_option_need("export --trim-vocab", "--task", snc_inputs_task_name(o)));
    if (o->exporting.trim_vocab) SNC_TRY(snc_option_need("export --trim-vocab", "--data", o->rows.data));
    if (o->exporting.cascade) SNC_TRY(snc_cascade_need(o));
    SNC_TRY(snc_cascade_limits_check(o));
    SNC_CHECK(o->exporting.cascade || o->targets.max_drop < 0, SNC_E_ARG, "export --max-drop: has no use without --cascade");
    if (snc_is_folder_asked(o)) SNC_TRY(snc_folder_need(o));
    else SNC_TRY(snc_output_need("export", o));
    if (snc_is_exe_asked(o)) SNC_TRY(snc_exe_need(o));
    SNC_TRY(snc_context_init(&d.ctx, o, h, o->job.threads, 0));
    SNC_TRY(snc_preflight_options(&d.ctx, o, SNC_VERB_EXPORT));
    if (is_as_it_is(&d)) {
        SNC_TRY(write_other(&d, from));
        snc_say(h, "%s", o->output.path);
        return SNC_OK;
    }
    if (o->exporting.measure) SNC_TRY(snc_option_need("export --measure", "a model", o->input.n_models ? from : NULL));
    if (o->input.n_models > 1 || o->input.net >= 0 || o->exporting.measure) return export_nets(&d.ctx, o, h);
    SNC_GOTO(snc_model_load(&d.m, &d.ctx, from, 0, SNC_MEANS_CLASSES));
    SNC_GOTO(choose_net(&d));
    SNC_GOTO(snc_need_head(&d.ctx, o, from, d.m->has_head));
    if (snc_path_is_snc(from) && !d.m->tokenizer.kind) /* other readers have said it already */
        snc_log(&d.ctx, SNC_LOG_WARN, "%s: no tokenizer inside: the file is for bench alone", from);
    SNC_GOTO(choose_pieces(&d));
    SNC_GOTO(is_other(o) ? write_by_way(&d) : write_deployed(&d));
    snc_say(h, "%s", o->output.path);
out:
    snc_trim_dispose(&d.trim);
    snc_inputs_close(&d.in);
    snc_model_free(d.m);
    return err;
}
