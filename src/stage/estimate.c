#include "stage/estimate.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "stage/steps.h"

enum { STEPS = 12 };
static const double STEPS_FOR = 3, WORK = 5e10; /* seconds; token weights of a step that takes a second or two on a slow machine */

/* Sentences of a step that is cheap enough to be tried. */
static int trial_batch(const snc_options *o, const snc_dataset *d, const snc_model *m)
{
    int b = o->batch_size;
    double one = (double)d->start[d->n] / d->n * (double)(m->params.total - (size_t)m->cfg.vocab * (size_t)m->arch.hidden);
    while (b > 1 && b * one > WORK) b /= 2;
    return b;
}

/* Seconds of one full-net training step, from up to a dozen real ones that are thrown away. */
static snc_err step_seconds(double *out, bool *fine_tuned, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from)
{
    snc_model *m = NULL;
    snc_train_opts t = SNC_TRAIN_OPTS_INIT;
    snc_train_result r;
    snc_ctx quiet = *ctx;
    snc_err err = SNC_OK;
    quiet.progress = NULL;
    quiet.meter = NULL;
    quiet.level = SNC_LOG_ERROR;
    SNC_TRY(snc_inputs_compute(&t.compute, o));
    SNC_GOTO(snc_inputs_model(&m, fine_tuned, &quiet, from, in->task));
    t.batch_size = trial_batch(o, in->splits.train, m);
    t.epochs = 1;
    t.max_steps = STEPS;
    t.max_seconds = STEPS_FOR;
    SNC_GOTO(snc_train_run(&r, &quiet, m, NULL, in->splits.train, NULL, &t));
    *out = r.seconds / (double)(r.step > 0 ? r.step : 1) * o->batch_size / t.batch_size;
out:
    snc_model_free(m);
    return err;
}

/* What has been seen to take about as long for every model, each with its own limit: seconds. */
static const double TABLE = 8, CALIBRATION = 12, FINALISTS = 10, SCORES = 5, PROOF = 35;

snc_err snc_estimate_say(const snc_ctx *ctx, const snc_host *h, const snc_options *o, const snc_inputs *in, const char *from)
{
    const snc_dataset *train = in->splits.train, *rank = in->splits.rank;
    double step = 0, limit = 0, steps_per_epoch = (double)train->n / o->batch_size;
    bool fine_tuned;
    SNC_TRY(step_seconds(&step, &fine_tuned, ctx, o, in, from));
    /* a sandwich step runs the largest, the smallest and two random nets, and updates once: 1.8 steps of fine-tuning, as measured */
    double lesson = (1 + 1.3 * snc_step_made(o, train->n)) * steps_per_epoch * step; /* made rows are longer */
    double tokens = (double)train->start[train->n] / train->n * o->batch_size;
    double search = (double)rank->start[rank->n] / tokens * step * 0.12 * o->evals; /* forward only, in INT8 */
    if (o->time_budget) SNC_TRY(snc_parse_seconds(&limit, "--time-budget", o->time_budget));
    if (limit > 0 && search > limit) search = limit;
    const struct {
        const char *name;
        double seconds;
    } part[] = {
        {"latency table", TABLE},
        {"calibration", CALIBRATION},
        {"finetune", fine_tuned ? 0 : o->epochs * steps_per_epoch * step},
        {"teacher logits", 0.25 * lesson},
        {"importance", (train->n < 4096 ? train->n : 4096) / (double)o->batch_size * step},
        {"depth rule", 2 * (double)rank->start[rank->n] / tokens * step}, /* seven nets of half the depth and more, forward */
        {"supernet", o->supernet_epochs * lesson * 1.8},
        {"search", search},
        {"second look", 0.6 * search}, /* at what rank cannot tell from its lowest */
        {"finalists", FINALISTS},
        {"repair", o->repair && strcmp(o->repair, "off") == 0 ? 0 : o->repair_epochs * 0.5 * lesson},
        {"scores", SCORES},
        {"proof", PROOF},
    };
    enum { PARTS = sizeof part / sizeof *part };
    double all = 0, shown = 0;
    for (int i = 0; i < PARTS; i++) {
        if (ctx->meter) snc_meter_plan(ctx->meter, part[i].name, part[i].seconds);
        all += part[i].seconds;
    }
    double teach = part[3].seconds + part[4].seconds + part[5].seconds + part[6].seconds, look = part[7].seconds + part[8].seconds;
    shown = part[2].seconds + teach + look;
    snc_stage_say(h, "estimate: finetune %.0f s, supernet %.0f s, search %.0f s, the rest %.0f s; %.1f minutes in all", part[2].seconds, teach, look,
                  all - shown, all / 60);
    return SNC_OK;
}
