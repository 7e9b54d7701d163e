/* A step, a call and a packing are timed for moments, on the very model, rows and workload. */
#include "report/estimate.h"

#include <math.h>
#include <string.h>

#include "artifact/load.h"
#include "artifact/parse.h"
#include "artifact/recipes.h"
#include "artifact/settle.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "candidate/chain.h"
#include "candidate/depth_rule.h"
#include "candidate/workload.h"
#include "models/cost.h"
#include "models/source_mos.h"
#include "train/importance.h"
#include "train/trainer.h"

enum { SCORED = 64 };
static const double STEPS_FOR = 3, WORK = 5e10; /* seconds; token weights of a step that takes a second or two on a slow machine */

int snc_estimate_batch(const snc_options *o, const snc_dataset *d, const snc_model *m)
{
    int b = o->training.batch_size;
    double one = (double)d->start[d->n] / d->n * (double)snc_cost_encoder_macs(&m->cfg, &m->arch, 1);
    while (b > 1 && b * one > WORK) b /= 2;
    return b;
}

/* Tokens of the batches that steps [from, to) of a first epoch read, where rows are met as they are shuffled. */
static snc_err tokens_of(double *out, const snc_ctx *quiet, const snc_dataset *d, int batch, int from, int to)
{
    snc_batcher *b = NULL;
    *out = 0;
    SNC_TRY(snc_batcher_new(&b, d, batch));
    snc_batcher_epoch(b, quiet->seed, 0);
    for (int i = from; i < to && i < snc_batcher_count(b); i++) {
        snc_tokens x;
        const int32_t *rows;
        snc_batcher_get(&x, &rows, b, i);
        *out += x.T;
    }
    snc_batcher_free(b);
    return SNC_OK;
}

/* The first step finds its memory untouched; the others count by the tokens that they met, as a few batches are longer or shorter than
 * most. */
snc_err snc_estimate_step(double *out, const snc_ctx *quiet, const snc_options *o, const snc_dataset *rows, snc_model *m, int batch,
                          int steps, double seconds)
{
    snc_train_opts t;
    snc_train_result r;
    double tokens;
    SNC_TRY(snc_recipe_finetune(&t, o, NULL));
    t.batch_size = batch;
    t.epochs = 1;
    t.max_steps = steps;
    t.max_seconds = seconds;
    SNC_TRY(snc_train_run(&r, quiet, m, NULL, rows, NULL, &t));
    const int first = r.made > 1, made = (int)r.made;
    SNC_TRY(tokens_of(&tokens, quiet, rows, batch, first, made));
    *out = (r.seconds - first * r.first_seconds) / fmax(made - first, 1);
    if (t.data_sampler == &snc_data_sampler_shuffle && tokens > 0)
        *out *= (double)rows->start[rows->n] / rows->n * fmin(batch, rows->n) * (made - first) / tokens;
    return SNC_OK;
}

static snc_err time_steps(snc_pace *p, const snc_ctx *quiet, const snc_options *o, const snc_inputs *in, snc_model *m)
{
    const int batch = snc_estimate_batch(o, in->splits.train, m);
    SNC_TRY(snc_estimate_step(&p->step, quiet, o, in->splits.train, m, batch, SNC_ESTIMATE_STEPS, STEPS_FOR));
    p->step *= (double)o->training.batch_size / batch;
    return SNC_OK;
}

/* Steps of a supernet with experts, against those of the model without. */
static snc_err time_mixture(snc_pace *p, const snc_ctx *quiet, const snc_options *o, const snc_inputs *in, snc_model *m)
{
    const double dense = p->step;
    snc_weights_asked w;
    SNC_TRY(snc_recipe_weights(&w, o));
    p->mixed = w.kind->experts && w.mixture.experts > 1;
    if (!p->mixed) return SNC_OK;
    p->last = 0; /* gradients of experts are there behind the whole pass alone */
    SNC_TRY(snc_model_mix(m, quiet, &w.mixture, quiet->seed));
    SNC_TRY(time_steps(p, quiet, o, in, m));
    p->nets *= fmax(1, p->step / dense);
    p->step = dense;
    return SNC_OK;
}

/* With a teacher that runs in every step, for hidden states or relations, and a momentum copy: a forward pass alone of each. */
static snc_err cost_of_nets(snc_pace *p, const snc_options *o)
{
    snc_train_opts t;
    SNC_TRY(snc_recipe_supernet(&t, o, NULL));
    const unsigned reads = snc_objectives_reads(t.objectives, &t);
    const snc_sampler_opts all = {.random = t.random_nets, .near = t.near}, but_one = {.random = t.random_nets - 1, .near = t.near};
    const double nets = snc_sampler_cost(t.sampler, &all);
    p->nets = nets + (reads & (SNC_READS_HIDDEN | SNC_READS_ATTENTION) ? SNC_FORWARD : 0) + (reads & SNC_READS_COPY ? SNC_FORWARD : 0);
    p->last = t.sampler->largest_alone ? 1 : t.random_nets > 0 ? (nets - snc_sampler_cost(t.sampler, &but_one)) / p->nets : 0;
    return SNC_OK;
}

static snc_err time_calls(snc_pace *p, const snc_ctx *quiet, const snc_ctx *work, const snc_options *o, const snc_inputs *in, snc_model *m)
{
    snc_err err = SNC_OK;
    snc_workload load = {0};
    snc_weights *w = NULL;
    snc_net *one = NULL, *many = NULL;
    float *logits = NULL;
    snc_timing t;
    snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    snc_dataset few = *in->splits.rank;
    snc_policy int8 = snc_policy_int8();
    if (few.n > SCORED) few.n = SCORED;
    mo.seconds = mo.whole = 0.2;
    mo.min_samples = 3;
    mo.warmup = 0;
    SNC_TRY(snc_workload_of_options(&load, work, &o->workload, in->splits.rank, &m->cfg));
    snc_net_opts no = {.max_tokens = load.max_tokens, .max_seqs = load.batch, .max_len = load.max_len},
                 all = {.max_tokens = SCORED * few.max_len, .max_seqs = SCORED, .max_len = few.max_len};
    double t0 = snc_now();
    SNC_GOTO(snc_weights_from_model(&w, work, m));
    SNC_GOTO(snc_net_create(&one, work, w, NULL, &int8, &no));
    p->pack = snc_now() - t0;
    SNC_GOTO(snc_measure(&t, one, load.batches, load.count, &mo));
    p->call = 1e-6 * t.median;
    SNC_GOTO(snc_net_create(&many, quiet, w, NULL, &int8, &all));
    SNC_GOTO(snc_alloc(&logits, snc_dataset_logits(&few, m->cfg.classes), sizeof *logits));
    SNC_GOTO(snc_loaded_logits(logits, many, m->cfg.classes, &few, SCORED, NULL, NULL));
    t0 = snc_now();
    SNC_GOTO(snc_loaded_logits(logits, many, m->cfg.classes, &few, SCORED, NULL, NULL));
    p->token = (snc_now() - t0) / (double)few.start[few.n];
out:
    snc_free(logits);
    snc_net_free(many);
    snc_net_free(one);
    snc_weights_free(w);
    snc_workload_free(&load);
    return err;
}

snc_err snc_estimate_pace(snc_pace *p, const snc_ctx *ctx, const snc_ctx *work, const snc_options *o, const snc_inputs *in,
                          const snc_eval_sets *scored, const snc_folder *there, const char *from)
{
    const snc_dataset *train = in->splits.train, *rank = in->splits.rank;
    snc_model *m = NULL;
    snc_ctx quiet = *ctx;
    snc_targets targets;
    bool fine_tuned = false;
    quiet.progress = NULL;
    quiet.meter = NULL;
    quiet.level = SNC_LOG_ERROR;
    *p = (snc_pace){.rows = train->n,
                    .tokens = (double)train->start[train->n],
                    .taught = in->taught ? in->taught->n : 0,
                    .all = in->splits.all->n,
                    .rank = (double)rank->start[rank->n],
                    .ranked = rank->n,
                    .batch = o->training.batch_size,
                    .elastic = o->supernet.batch_size,
                    .repairs = strcmp(o->exporting.repair, "off") != 0,
                    .must = strcmp(o->exporting.repair, "on") == 0};
    SNC_TRY(snc_targets_parse(&targets, &o->targets, "compress"));
    p->hosts = snc_clocks(ctx->comm);
    p->faster = snc_chain_length(o, &targets) - 1;
    p->both = p->faster > 0 && snc_share(o) == SNC_SHARE_AUTO;
    for (int i = 0; i < scored->n; i++) p->scored += (double)scored->of[i].rows->start[scored->of[i].rows->n];
    snc_least least;
    SNC_TRY(cost_of_nets(p, o));
    SNC_TRY(snc_settle_least(&least, o, train));
    p->need[SNC_KNOB_EPOCHS] = least.epochs, p->need[SNC_KNOB_SUPERNET] = least.supernet_epochs;
    p->need[SNC_KNOB_MADE] = least.augment, p->need[SNC_KNOB_REPAIR] = least.repair_epochs;
    if (o->search.time_budget) SNC_TRY(snc_parse_seconds(&p->search, "--time-budget", o->search.time_budget));
    SNC_TRY(snc_inputs_model(&m, &fine_tuned, &quiet, from, in->task));
    snc_err err = time_steps(p, &quiet, o, in, m);
    if (!err) err = time_calls(p, &quiet, work, o, in, m);
    const double forward = SNC_FORWARD * p->step / (p->batch * p->tokens / p->rows); /* of a token */
    if (!err && snc_inputs_compute(&o->job) == SNC_COMPUTE_F32) p->full = fmax(1, forward / p->token);
    if (!err) err = time_mixture(p, &quiet, o, in, m);
    const snc_importance_opts io = SNC_IMPORTANCE_OPTS_INIT;
    p->importance = snc_importance_rows(m, train, &io);
    p->rule = snc_depth_rule_tokens(m, in->splits.select);
    p->rule_rows = snc_depth_rule_rows(m, in->splits.select);
    snc_model_free(m);
    p->done[SNC_JOB_TABLE] = p->done[SNC_JOB_CALIBRATION] = there->item[SNC_ITEM_TABLE].state == SNC_CURRENT;
    p->teachers = there->baselines.n;
    for (int i = 0; i < there->baselines.n; i++)
        p->baselines += there->baselines.path[i] != there->teacher && there->item[SNC_ITEM_BASELINE + 2 * i].state != SNC_CURRENT;
    p->done[SNC_JOB_BASELINE] = p->baselines == 0;
    p->done[SNC_JOB_FINETUNE] = fine_tuned || there->item[SNC_ITEM_TEACHER].state == SNC_CURRENT;
    for (int k = SNC_JOB_IMPORTANCE; k <= SNC_JOB_SUPERNET; k++) p->done[k] = there->item[SNC_ITEM_SUPERNET].state == SNC_CURRENT;
    p->done[SNC_JOB_LOGITS] = p->done[SNC_JOB_SUPERNET];
    snc_log(ctx, SNC_LOG_DEBUG, "estimate: a step %.4f s, a call %.6f s, a scored token %.3g s, packing %.2f s", p->step, p->call, p->token,
            p->pack);
    return err;
}
