/* compress supernet: a teacher's weights in importance order, trained so that every prefix works. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "models/cost.h"
#include "models/elastic.h"
#include "models/reorder.h"
#include "search/space.h"
#include "stage/depends.h"
#include "stage/folder.h"
#include "stage/needs.h"
#include "stage/preflight.h"
#include "stage/reading.h"
#include "stage/steps.h"
#include "stage/threshold.h"
#include "stage/verbs.h"
#include "train/evaluate.h"
#include "train/importance.h"
#include "train/loss.h"

enum { RULES = 3, RULE_ROWS = 128 };
static const double RULE_MACS = 4e12; /* of all forward passes that choose a rule for depth */

void snc_step_subspace(snc_subspace *out, const snc_space *s, const char *rule)
{
    const snc_gene *depth = &s->gene[0], *hidden = &s->gene[1], *heads = &s->gene[2], *ffn = &s->gene[3];
    *out = (snc_subspace){.per_layer = true};
    snprintf(out->rule, sizeof out->rule, "%s", rule);
    out->n_depth = depth->n;
    out->n_hidden = hidden->n;
    out->n_heads = heads->n;
    out->n_ffn = ffn->n;
    memcpy(out->depth, depth->value, sizeof out->depth);
    memcpy(out->hidden, hidden->value, sizeof out->hidden);
    memcpy(out->heads, heads->value, sizeof out->heads);
    memcpy(out->ffn, ffn->value, sizeof out->ffn);
    memcpy(out->kept, s->kept, sizeof out->kept);
}

snc_err snc_step_space(snc_space **out, const snc_options *o, const snc_model *m, const char *rule)
{
    snc_space_opts so = {.path = o->space, .depth_rule = rule, .int4 = o->target_size != NULL};
    SNC_TRY(snc_inputs_fp(&so.fp, o));
    return snc_space_new(out, &m->cfg, &m->arch, &so);
}

const char *snc_step_rule(const snc_options *o, const char *otherwise)
{
    return o->depth_rule && strcmp(o->depth_rule, "auto") != 0 ? o->depth_rule : otherwise;
}

static bool holds(const cJSON *list, int v)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, list) if (it->valuedouble == v) return true;
    return false;
}

static bool keeps(const cJSON *lists, const int *kept, int depth)
{
    const cJSON *list;
    cJSON_ArrayForEach(list, lists)
    {
        bool same = cJSON_GetArraySize(list) == depth;
        for (int i = 0; same && i < depth; i++) same = cJSON_GetArrayItem(list, i)->valuedouble == kept[i];
        if (same) return true;
    }
    return false;
}

static snc_err check_trained(const snc_space *s, const cJSON *trained, const char *path)
{
    static const char *const widths[] = {"hidden", "heads", "ffn"};
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(trained, "depth_layers");
    for (int d = 0; d < s->gene[0].n; d++)
        SNC_CHECK(keeps(lists, s->kept[d], s->gene[0].value[d]), SNC_E_ARG,
                  "%s: was not trained for these layers at depth %d: search with the --space and --depth-rule it was trained with", path, s->gene[0].value[d]);
    for (int i = 0; i < 3; i++) {
        const snc_gene *g = &s->gene[1 + i];
        for (int k = 0; k < g->n; k++)
            SNC_CHECK(holds(cJSON_GetObjectItemCaseSensitive(trained, widths[i]), g->value[k]), SNC_E_ARG,
                      "%s: was not trained for %s %d: search with the --space it was trained with", path, widths[i], g->value[k]);
    }
    return SNC_OK;
}

snc_err snc_step_trained_space(snc_space **out, const snc_options *o, const snc_model *m, const char *path)
{
    const cJSON *recipe = cJSON_GetObjectItemCaseSensitive(m->meta, "recipe"), *trained = cJSON_GetObjectItemCaseSensitive(recipe, "space");
    const char *rule = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(trained, "rule"));
    SNC_TRY(snc_step_space(out, o, m, snc_step_rule(o, rule ? rule : "even")));
    snc_err err = trained ? check_trained(*out, trained, path) : SNC_OK; /* a model that is no supernet may be searched as well */
    if (err) snc_space_free(*out);
    if (err) *out = NULL;
    return err;
}

/* Puts heads, neurons and channels in order of falling importance; the function the model computes stays. */
static snc_err order_by_importance(const snc_ctx *ctx, snc_model *m, const snc_inputs *in, const snc_options *o, snc_compute compute)
{
    snc_importance s = {0};
    snc_order order = {0};
    snc_importance_opts io = SNC_IMPORTANCE_OPTS_INIT;
    snc_err err = SNC_OK;
    double t0 = snc_now();
    io.compute = compute;
    SNC_TRY(snc_inputs_balanced(&io.balanced, o, in->task));
    SNC_GOTO(snc_importance_score(&s, ctx, m, in->splits.train, &io));
    SNC_GOTO(snc_importance_order(&order, &s, &m->arch));
    SNC_GOTO(snc_model_reorder(m, &order));
    snc_log(ctx, SNC_LOG_INFO, "importance: first-order scores on %lld train rows, %.1f s", (long long)s.rows, snc_now() - t0);
out:
    snc_importance_dispose(&s);
    snc_order_dispose(&order);
    return err;
}

/* Mean KL to the teacher on the rows of d when the net keeps `depth` layers by the rule, before any training. */
static snc_err rule_loss(double *loss, const snc_ctx *ctx, snc_model *m, const snc_dataset *d, snc_compute compute, const float *teacher,
                         const char *rule, int depth)
{
    snc_arch arch = m->arch;
    float *z = NULL;
    arch.layers = depth;
    SNC_TRY(snc_elastic_keep(arch.source, rule, depth, m->arch.layers));
    SNC_TRY(snc_alloc(&z, (size_t)d->n * (size_t)m->cfg.classes, sizeof *z));
    snc_err err = snc_train_eval_model(z, ctx, m, &arch, compute, d, 64, NULL);
    if (!err) *loss = snc_step_distance(z, teacher, d->n, m->cfg.classes, snc_meaning_of(&m->cfg));
    snc_free(z);
    return err;
}

double snc_step_distance(const float *z, const float *teacher, int n, int K, snc_meaning problem)
{
    return snc_loss_soft(NULL, z, teacher, problem, n, K, 1, 1);
}

/* Every depth of a small model, three of a large one. */
static int depth_stride(int layers) { return layers > 8 ? (layers + 4) / 6 : 1; }

/* Full nets' worth of a rule's loss, by which rows are counted. */
static double rule_passes(int layers)
{
    double sum = layers;
    for (int d = (layers + 1) / 2; d < layers; d += depth_stride(layers)) sum += RULES * d;
    return sum / layers;
}

int snc_step_rule_rows(const snc_model *m, const snc_dataset *select)
{
    double row = (double)select->start[select->n] / select->n * (double)snc_cost_encoder_macs(&m->cfg, &m->arch, 1) * rule_passes(m->arch.layers);
    return (int)fmin(select->n, fmax(RULE_MACS / row, RULE_ROWS));
}

double snc_step_rule_tokens(const snc_model *m, const snc_dataset *select)
{
    return (double)select->start[select->n] / select->n * snc_step_rule_rows(m, select) * rule_passes(m->arch.layers);
}

snc_err snc_step_depth_rule(char rule[8], const snc_ctx *ctx, snc_model *m, const snc_inputs *in, snc_compute compute, const char *wanted)
{
    static const char *const rules[RULES] = {"even", "first", "last"};
    const int L = m->arch.layers, least = (L + 1) / 2, stride = depth_stride(L), all = RULES * ((L - least + stride - 1) / stride);
    int nets = 0;
    float *teacher = NULL;
    double best = 0;
    snc_err err = SNC_OK;
    if (wanted && strcmp(wanted, "auto") != 0) {
        int kept[SNC_MAX_LAYERS];
        SNC_TRY(snc_elastic_keep(kept, wanted, 1, m->arch.layers)); /* is it a rule? */
        snprintf(rule, 8, "%s", wanted);
        return SNC_OK;
    }
    snprintf(rule, 8, "%s", rules[0]);
    if (!in->splits.select || L < 2) return SNC_OK;
    snc_dataset d = *in->splits.select;
    d.n = snc_step_rule_rows(m, &d);
    SNC_GOTO(snc_alloc(&teacher, (size_t)d.n * (size_t)m->cfg.classes, sizeof *teacher));
    snc_progress(ctx, "depth rule", 0, all, "%s", "");
    SNC_GOTO(snc_train_eval_model(teacher, ctx, m, &m->arch, compute, &d, 64, NULL));
    for (int i = 0; i < RULES; i++) {
        double sum = 0, one = 0;
        for (int depth = least; depth < L; depth += stride) {
            SNC_GOTO(rule_loss(&one, ctx, m, &d, compute, teacher, rules[i], depth));
            snc_progress(ctx, "depth rule", ++nets, all, "%s", rules[i]);
            sum += one;
        }
        snc_log(ctx, SNC_LOG_INFO, "depth rule %s: loss %.4f on select, summed over depths, untrained", rules[i], sum);
        if (i > 0 && sum >= best) continue;
        best = sum;
        snprintf(rule, 8, "%s", rules[i]);
    }
out:
    snc_free(teacher);
    return err;
}

static snc_err log_scores(const snc_ctx *ctx, snc_model *m, const snc_inputs *in, snc_compute compute, const snc_subspace *sub)
{
    snc_arch smallest;
    double full = 0, small = 0;
    if (!in->splits.select) return SNC_OK;
    snc_subspace_pick(&smallest, sub, SNC_SUBSPACE_SMALLEST);
    SNC_TRY(snc_step_score(&full, ctx, m, &m->arch, compute, in->task, in->splits.select));
    SNC_TRY(snc_step_score(&small, ctx, m, &smallest, compute, in->task, in->splits.select));
    snc_log(ctx, SNC_LOG_INFO, "supernet: score on select: largest net %.2f, smallest %.2f", 100 * full, 100 * small);
    return SNC_OK;
}

/* Trains m (teacher weights in importance order) against a frozen copy of itself. */
static snc_err train(snc_train_result *r, const snc_ctx *ctx, snc_model *m, const snc_inputs *in, const snc_options *o, snc_compute compute,
                     const snc_subspace *sub, const char *checkpoint, cJSON **recipe)
{
    snc_train_opts t = SNC_TRAIN_OPTS_INIT;
    snc_model *teacher = NULL;
    snc_err err = SNC_OK;
    snc_step_train_opts(&t, o, compute, checkpoint);
    t.teacher_logits = in->lesson->logits;
    t.epochs = o->supernet_epochs;
    t.lr = o->supernet_lr;
    t.alpha = o->alpha;
    t.temperature = o->temperature;
    t.hidden_weight = o->hidden_weight;
    t.in_place = o->inplace_teacher;
    t.what = "supernet";
    if (o->sampler) snprintf(t.sampler, sizeof t.sampler, "%s", o->sampler);
    if (strcmp(t.sampler, "instatune") == 0) t.random_nets = 1;
    SNC_TRY(snc_train_opts_check(&t));
    *recipe = snc_train_opts_to_json(&t);
    cJSON_AddItemToObject(*recipe, "space", snc_subspace_to_json(sub));
    cJSON_AddNumberToObject(*recipe, "augment", o->augment);
    SNC_GOTO(snc_model_extract(&teacher, m, &m->arch));
    SNC_GOTO(snc_train_run(r, ctx, m, teacher, in->lesson->rows, sub, &t));
out:
    snc_model_free(teacher);
    return err;
}

snc_err snc_step_supernet(snc_step_report *report, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                          const char *out)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    snc_space *space = NULL;
    cJSON *stamp = NULL, *recipe = NULL;
    char checkpoint[4096], rule[8], why[SNC_WHY];
    snc_train_result r = {0};
    snc_compute compute;
    snc_subspace sub;
    bool fine_tuned = false;
    *report = (snc_step_report){0};
    SNC_GOTO(snc_step_checkpoint_path(checkpoint, sizeof checkpoint, out));
    SNC_GOTO(snc_inputs_compute(&compute, o));
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, ctx, teacher, in->task));
    SNC_GOTO(snc_preflight_supernet(o, m));
    if (!fine_tuned) {
        err = snc_err_set(SNC_E_SHAPE, "%s: is not fine-tuned for %s: it has no matching classifier", teacher, snc_task_name(in->task));
        goto out;
    }
    SNC_GOTO(snc_depends_supernet(&stamp, o, in, m, teacher));
    SNC_GOTO(snc_stamp_allow(&report->reused, out, snc_stamp_state(why, out, stamp), why, o->overwrite));
    if (report->reused) {
        snc_log(ctx, SNC_LOG_INFO, "supernet: %s is up to date", out);
        goto out;
    }
    const snc_needs needs = {ctx, o, in, m, SNC_VERB_SUPERNET};
    SNC_GOTO(snc_needs_check(&needs, out, snc_file_size(out) + snc_file_size(checkpoint)));
    SNC_GOTO(snc_step_teach(ctx, in, o, m, compute)); /* the order of channels moves the last bits of logits: ask before */
    SNC_GOTO(order_by_importance(ctx, m, in, o, compute));
    SNC_GOTO(snc_step_depth_rule(rule, ctx, m, in, compute, o->depth_rule));
    SNC_GOTO(snc_step_space(&space, o, m, rule));
    snc_step_subspace(&sub, space, rule);
    SNC_GOTO(snc_subspace_check(&sub, &m->arch));
    SNC_GOTO(train(&r, ctx, m, in, o, compute, &sub, checkpoint, &recipe));
    report->sentences_per_s = r.sentences_per_s;
    report->seconds = r.seconds;
    report->unfinished = !r.finished;
    if (r.finished) {
        SNC_GOTO(log_scores(ctx, m, in, compute, &sub));
        SNC_GOTO(snc_threshold_note(m, ctx, o, in));
        SNC_GOTO(snc_step_finish_model(m, stamp, recipe, &r, in, out));
        remove(checkpoint);
    }
out:
    cJSON_Delete(stamp);
    cJSON_Delete(recipe);
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
    snc_step_report r;
    const char *from = o->teacher ? o->teacher : o->pretrained;
    SNC_TRY(snc_stage_need("supernet", "--teacher", from));
    SNC_TRY(snc_stage_need_output("supernet", o));
    SNC_TRY(snc_stage_ctx(&ctx, o, h, 0));
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_SUPERNET));
    SNC_GOTO(snc_output_lock(&lock, o->output));
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "supernet", from, true, o->unlabeled));
    SNC_GOTO(snc_reading_log(&ctx, &in));
    SNC_GOTO(snc_step_supernet(&r, &ctx, o, &in, from, o->output));
    if (r.unfinished) snc_stage_say(h, "stopped early; the same command without --max-steps goes on from the checkpoint");
    else if (!r.reused) snc_stage_say(h, "%s: %.1f sentences/s, %.1f s", o->output, r.sentences_per_s, r.seconds);
out:
    snc_inputs_close(&in);
    snc_lock_release(lock);
    return err;
}
