/* compress supernet: a teacher's weights in importance order, trained so that every prefix works. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/depends.h"
#include "artifact/distillation.h"
#include "artifact/folder.h"
#include "artifact/option.h"
#include "artifact/recipes.h"
#include "artifact/say.h"
#include "artifact/settle.h"
#include "artifact/spaces.h"
#include "artifact/task_score.h"
#include "artifact/threshold.h"
#include "artifact/training.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "candidate/depth_rule.h"
#include "candidate/needs.h"
#include "candidate/preflight.h"
#include "models/cost.h"
#include "models/cutoff.h"
#include "models/elastic.h"
#include "models/snc_file.h"
#include "models/source_mos.h"
#include "models/space.h"
#include "report/reading.h"
#include "stage/steps.h"
#include "stage/verbs.h"
#include "train/evaluate.h"
#include "train/loss.h"

static snc_err log_scores(const snc_ctx *ctx, snc_model *m, const snc_inputs *in, const float *logits, snc_compute compute,
                          const snc_space *space)
{
    snc_arch smallest;
    double full = 0, small = 0, threshold;
    if (!logits || m->cfg.vector) return SNC_OK; /* vectors by themselves have no score */
    snc_space_smallest(&smallest, space);
    SNC_TRY(snc_threshold_of(&threshold, m->meta, snc_task_name(in->task)));
    SNC_TRY(snc_task_score_at(&full, in->task, logits, in->splits.select, m->cfg.classes, threshold));
    SNC_TRY(snc_training_score(&small, ctx, m, &smallest, compute, in->task, in->splits.select));
    snc_log(ctx, SNC_LOG_INFO, "supernet: score on select: largest net %.2f, smallest %.2f", 100 * full, 100 * small);
    return SNC_OK;
}

static const double DEAD_APART = 1.1 * SNC_EXPERT_NOISE, DEAD_SPREAD = 0.05;
enum { WATCHED = 20 };

/* Whether experts have parted and routers tell nets from each other: else the generator cost its time for nothing. */
static snc_err watch(const snc_ctx *ctx, snc_model *m, const snc_space *space)
{
    snc_rng r;
    snc_arch nets[WATCHED];
    double spread, apart;
    if (!snc_mixture_any(&m->cfg)) return SNC_OK;
    snc_rng_init(&r, ctx->seed, WATCHED);
    for (int i = 0; i < WATCHED; i++) snc_space_random(&nets[i], space, &r);
    SNC_TRY(snc_mos_spread(&spread, m, nets, WATCHED));
    apart = snc_mos_apart(m);
    snc_log(ctx, SNC_LOG_INFO, "supernet: experts are %.2g apart, the routing of %d nets spreads by %.3f", apart, WATCHED, spread);
    cJSON *j = cJSON_AddObjectToObject(m->meta, "generator");
    cJSON_AddNumberToObject(j, "apart", apart);
    cJSON_AddNumberToObject(j, "spread", spread);
    return SNC_OK;
}

/* The sentence for people where one of the two came to nothing. */
static void judge_generator(char said[SNC_GENERATOR], const cJSON *meta)
{
    const cJSON *j = snc_json_at(meta, "generator");
    const double apart = snc_json_number(j, "apart"), spread = snc_json_number(j, "spread");
    if (j && (apart < DEAD_APART || spread < DEAD_SPREAD))
        snprintf(said, SNC_GENERATOR, "the generator is dead: its experts are %.2g apart, the routing of %d nets spreads by %.3f", apart,
                 WATCHED, spread);
}

static snc_err judge_file(char said[SNC_GENERATOR], const char *path)
{
    snc_sncfile *f;
    SNC_TRY(snc_sncfile_open(&f, path));
    judge_generator(said, snc_sncfile_meta_view(f));
    snc_sncfile_close(f);
    return SNC_OK;
}

/* Trains m (teacher weights in importance order), with experts where they are asked for, against a frozen copy of itself. */
static snc_err train(snc_train_result *r, const snc_ctx *ctx, snc_model *m, const snc_distillation_set *set, const snc_options *o,
                     const snc_space *space, const char *checkpoint, cJSON **recipe)
{
    snc_train_opts t;
    snc_augment a;
    snc_weights_asked w;
    double soft;
    snc_model *teacher = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_recipe_supernet(&t, o, checkpoint));
    SNC_TRY(snc_recipe_augment(&a, o));
    SNC_TRY(snc_recipe_number(&soft, o, SNC_SECTION_IMPORTANCE, "soft"));
    SNC_TRY(snc_recipe_weights(&w, o));
    t.teacher_logits = set->logits;
    *recipe = snc_train_opts_in_use(&t);
    cJSON_AddItemToObject(*recipe, "space", snc_space_trained_to_json(space));
    cJSON_AddItemToObject(*recipe, "augment", snc_augment_to_json(&a));
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(*recipe, "importance"), "soft", soft);
    cJSON_AddItemToObject(*recipe, "weights", snc_weights_asked_json(&w));
    SNC_GOTO(snc_model_extract(&teacher, m, &m->arch));
    if (w.kind->experts) SNC_GOTO(snc_model_mix(m, ctx, &w.mixture, ctx->seed));
    SNC_GOTO(snc_train_run(r, ctx, m, teacher, set->rows, space, &t));
out:
    snc_model_free(teacher);
    return err;
}

snc_err snc_step_supernet(snc_step_report *report, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in,
                          snc_distillation_set *set, const char *teacher, const char *out)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    snc_space *space = NULL;
    cJSON *stamp = NULL, *recipe = NULL;
    float *logits = NULL;
    char checkpoint[4096], rule[8], why[SNC_WHY];
    snc_train_result r = {0};
    const snc_compute compute = snc_inputs_compute(&o->job);
    bool fine_tuned = false;
    *report = (snc_step_report){0};
    SNC_GOTO(snc_training_checkpoint_path(checkpoint, sizeof checkpoint, out));
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, ctx, teacher, in->task));
    SNC_GOTO(snc_preflight_supernet(o, m));
    if (!fine_tuned) {
        err = snc_err_set(SNC_E_SHAPE, "%s: is not fine-tuned for %s: it has no matching classifier", teacher, snc_task_name(in->task));
        goto out;
    }
    SNC_GOTO(snc_depends_supernet(&stamp, o, in, m, teacher));
    SNC_GOTO(snc_stamp_allow(&report->reused, out, snc_stamp_state(why, out, stamp), why, o->output.overwrite));
    if (report->reused) {
        snc_log(ctx, SNC_LOG_INFO, "supernet: %s is up to date", out);
        err = judge_file(report->generator, out);
        goto out;
    }
    const snc_needs needs = {ctx, o, in, m, SNC_VERB_SUPERNET, 0};
    SNC_GOTO(snc_needs_check(&needs, out, snc_file_size(out) + snc_file_size(checkpoint)));
    SNC_GOTO(snc_distillation_fill(set, ctx, in, o, m, compute)); /* the order of channels moves the last bits of logits: ask before */
    SNC_GOTO(snc_training_order(ctx, m, in, set->rows, o, compute));
    SNC_GOTO(snc_depth_rule_find(rule, ctx, m, in, compute, o->supernet.depth_rule));
    SNC_GOTO(snc_space_asked(&space, o, m, rule));
    SNC_GOTO(train(&r, ctx, m, set, o, space, checkpoint, &recipe));
    report->sentences_per_s = r.sentences_per_s;
    report->seconds = r.seconds;
    report->all_seconds = snc_train_result_whole(&r);
    report->unfinished = !r.finished;
    if (r.finished) {
        SNC_GOTO(snc_training_select_logits(&logits, ctx, m, compute, in));
        SNC_GOTO(log_scores(ctx, m, in, logits, compute, space));
        SNC_GOTO(snc_threshold_note(m, ctx, in, logits));
        SNC_GOTO(watch(ctx, m, space));
        judge_generator(report->generator, m->meta);
        SNC_GOTO(snc_training_finish(m, stamp, recipe, &r, in, out));
        remove(checkpoint);
    }
out:
    cJSON_Delete(stamp);
    cJSON_Delete(recipe);
    snc_free(logits);
    snc_space_free(space);
    snc_model_free(m);
    return err;
}

snc_err snc_verb_supernet(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    snc_inputs in = {0};
    snc_lock *lock = NULL;
    snc_distillation_set set = {0};
    snc_step_report r;
    snc_options mine = *o;
    const char *from = o->input.teacher ? o->input.teacher : o->input.pretrained;
    SNC_TRY(snc_option_need("supernet", "--teacher", from));
    SNC_TRY(snc_output_need("supernet", o));
    SNC_TRY(snc_context_init(&ctx, o, h, o->job.threads, 0));
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_SUPERNET));
    SNC_GOTO(snc_output_lock(&lock, o->output.path));
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "supernet", from, SNC_HOLD_OUT, o->rows.unlabeled));
    SNC_GOTO(snc_reading_log(&ctx, &in));
    SNC_GOTO(snc_settle(&mine, in.splits.train));
    SNC_GOTO(snc_step_supernet(&r, &ctx, &mine, &in, &set, from, o->output.path));
    if (*r.generator) snc_log(&ctx, SNC_LOG_WARN, "%s", r.generator);
    if (r.unfinished) snc_say(h, "stopped early; the same command without --max-steps goes on from the checkpoint");
    else if (!r.reused) snc_say(h, "%s: %.1f sentences/s, %.1f s", o->output.path, r.sentences_per_s, r.seconds);
out:
    snc_distillation_dispose(&set);
    snc_inputs_close(&in);
    snc_lock_release(lock);
    return err;
}
