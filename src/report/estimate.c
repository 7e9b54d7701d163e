/* A step, a call and a packing are timed for moments, and each part of the job is so many of them. */
#include "report/estimate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/distillation.h"
#include "artifact/load.h"
#include "artifact/parse.h"
#include "artifact/say.h"
#include "base/clock.h"
#include "base/mem.h"
#include "candidate/depth_rule.h"
#include "candidate/finalists.h"
#include "candidate/workload.h"
#include "models/cost.h"
#include "report/proof.h"
#include "train/importance.h"
#include "train/trainer.h"

enum { STEPS = 12, SCORED = 64 };
static const double STEPS_FOR = 3, WORK = 5e10; /* seconds; token weights of a step that takes a second or two on a slow machine */

/* Seconds of what a job is made of. */
typedef struct pace {
    double step;             /* one of training, of the full net */
    double call;             /* of the workload, of full-size INT8, on its threads */
    double token;            /* scored in INT8 on all cores */
    double pack;             /* a net, from its weights to the first answer */
    double importance, rule; /* rows and tokens that these are found by */
    bool fine_tuned;
} pace;

/* Sentences of a step that is cheap enough to be tried. */
static int trial_batch(const snc_options *o, const snc_dataset *d, const snc_model *m)
{
    int b = o->training.batch_size;
    double one = (double)d->start[d->n] / d->n * (double)snc_cost_encoder_macs(&m->cfg, &m->arch, 1);
    while (b > 1 && b * one > WORK) b /= 2;
    return b;
}

static snc_err time_steps(pace *p, const snc_ctx *quiet, const snc_options *o, const snc_inputs *in, snc_model *m)
{
    snc_train_opts t = SNC_TRAIN_OPTS_INIT;
    snc_train_result r;
    t.compute = snc_inputs_compute(&o->job);
    t.batch_size = trial_batch(o, in->splits.train, m);
    t.epochs = 1;
    t.max_steps = STEPS;
    t.max_seconds = STEPS_FOR;
    SNC_TRY(snc_train_run(&r, quiet, m, NULL, in->splits.train, NULL, &t));
    p->step = r.seconds / (double)(r.step > 0 ? r.step : 1) * o->training.batch_size / t.batch_size;
    return SNC_OK;
}

static snc_err time_calls(pace *p, const snc_ctx *quiet, const snc_ctx *work, const snc_options *o, const snc_inputs *in, snc_model *m)
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
    SNC_GOTO(snc_alloc(&logits, SCORED * (size_t)m->cfg.classes, sizeof *logits));
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

static snc_err find_pace(pace *p, const snc_ctx *ctx, const snc_ctx *work, const snc_options *o, const snc_inputs *in, const char *from)
{
    snc_model *m = NULL;
    snc_ctx quiet = *ctx;
    quiet.progress = NULL;
    quiet.meter = NULL;
    quiet.level = SNC_LOG_ERROR;
    SNC_TRY(snc_inputs_model(&m, &p->fine_tuned, &quiet, from, in->task));
    snc_err err = time_steps(p, &quiet, o, in, m);
    if (!err) err = time_calls(p, &quiet, work, o, in, m);
    const snc_importance_opts io = SNC_IMPORTANCE_OPTS_INIT;
    p->importance = snc_importance_rows(m, in->splits.train, &io);
    p->rule = snc_depth_rule_tokens(m, in->splits.select);
    snc_model_free(m);
    return err;
}

/* Nets on the clock beside each other, each for `seconds` a round or a few calls. */
static double clocked(const pace *p, double nets, double rounds, double seconds, double calls)
{
    return nets * p->pack + nets * rounds * fmax(seconds, calls * p->call);
}

static const double FULL = 10; /* times INT8: what F32 takes on one thread, at most */

/* Each process starts and packs for itself; the teacher runs in F32. */
static double proof(const pace *p)
{
    double one = 0.3 + p->pack + fmax(1.1, 5 * p->call), teacher = 0.3 + p->pack + fmax(1.1, 5 * FULL * p->call);
    return 2 * SNC_PROOF_ROUNDS * one + SNC_PROOF_TEACHER_ROUNDS * teacher;
}

snc_err snc_estimate_say(const snc_ctx *ctx, const snc_ctx *work, const snc_host *h, const snc_options *o, const snc_inputs *in,
                         const snc_folder *there, const char *from)
{
    const snc_dataset *train = in->splits.train, *rank = in->splits.rank, *dev = in->dev;
    double limit = 0, steps_per_epoch = (double)train->n / o->training.batch_size;
    pace p;
    SNC_TRY(find_pace(&p, ctx, work, o, in, from));
    bool teacher = p.fine_tuned || there->item[SNC_ITEM_TEACHER].state == SNC_CURRENT,
         supernet = there->item[SNC_ITEM_SUPERNET].state == SNC_CURRENT, table = there->item[SNC_ITEM_TABLE].state == SNC_CURRENT,
         repair = strcmp(o->exporting.repair, "off") != 0;
    /* a sandwich step runs the largest, the smallest and two random nets, and updates once: 1.8 steps of fine-tuning, as measured */
    double distilled = (1 + 1.3 * snc_distillation_made(o, train->n)) * steps_per_epoch * p.step; /* made rows are longer */
    double tokens = (double)train->start[train->n] / train->n * o->training.batch_size;
    double look = 0.03 + 0.75 * (double)rank->start[rank->n] * p.token; /* at one net of the space, on rank */
    double search = look * o->search.evals;
    if (o->search.time_budget) SNC_TRY(snc_parse_seconds(&limit, "--time-budget", o->search.time_budget));
    if (limit > 0 && search > limit) search = limit;
    const struct {
        const char *name;
        double seconds;
    } part[] = {
        {"latency table", table ? 0 : 4 + 2 * p.pack + fmax(3, 500 * p.call)},
        {"calibration", table ? 0 : clocked(&p, 8, 5, 0.3, 4)},
        {"finetune", teacher ? 0 : o->training.epochs * steps_per_epoch * p.step},
        {"teacher logits", supernet && !repair ? 0 : 0.25 * distilled},
        {"importance", supernet ? 0 : p.importance / o->training.batch_size * p.step},
        {"depth rule", supernet ? 0 : 0.35 * p.rule / tokens * p.step}, /* forward alone */
        {"supernet", supernet ? 0 : o->supernet.epochs * distilled * 1.8},
        {"search", search},
        {"second look", 0.6 * search}, /* at what rank cannot tell from its lowest */
        {"finalists", clocked(&p, SNC_FINALISTS + 1, 5, 0.3, 4)},
        {"repair", repair ? o->exporting.repair_epochs * 0.85 * distilled : 0},
        {"scores", 2 + (dev ? (double)dev->start[dev->n] * p.token * (2 + FULL) : 0)},
        {"proof", proof(&p)},
    };
    enum { PARTS = sizeof part / sizeof *part };
    double all = 0, shown = 0;
    for (int i = 0; i < PARTS; i++) {
        if (ctx->meter) snc_meter_plan(ctx->meter, part[i].name, part[i].seconds);
        all += part[i].seconds;
    }
    double teach = part[3].seconds + part[4].seconds + part[5].seconds + part[6].seconds, find = part[7].seconds + part[8].seconds;
    shown = part[2].seconds + teach + find;
    snc_log(ctx, SNC_LOG_DEBUG, "estimate: a step %.4f s, a call %.6f s, a scored token %.3g s, packing %.2f s", p.step, p.call, p.token,
            p.pack);
    snc_say(h, "estimate: finetune %.0f s, supernet %.0f s, search %.0f s, the rest %.0f s; %.1f minutes in all", part[2].seconds, teach,
            find, all - shown, all / 60);
    return SNC_OK;
}
