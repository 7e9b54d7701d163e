#include "stage/estimate.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "stage/steps.h"

enum { STEPS = 12 };

/* Seconds of one full-net training step, from a dozen real ones that are thrown away. */
static snc_err step_seconds(double *out, bool *fine_tuned, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from)
{
    snc_model *m = NULL;
    snc_train_opts t = SNC_TRAIN_OPTS_INIT;
    snc_train_result r;
    snc_ctx quiet = *ctx;
    snc_err err = SNC_OK;
    quiet.progress = NULL;
    quiet.level = SNC_LOG_ERROR;
    SNC_TRY(snc_inputs_compute(&t.compute, o));
    SNC_GOTO(snc_inputs_model(&m, fine_tuned, &quiet, from, in->task));
    t.batch_size = o->batch_size;
    t.epochs = 1;
    t.max_steps = STEPS;
    SNC_GOTO(snc_train_run(&r, &quiet, m, NULL, in->splits.train, NULL, &t));
    *out = r.seconds / (double)(r.step > 0 ? r.step : 1);
out:
    snc_model_free(m);
    return err;
}

snc_err snc_estimate_say(const snc_ctx *ctx, const snc_host *h, const snc_options *o, const snc_inputs *in, const char *from)
{
    double step = 0, steps_per_epoch = (double)in->splits.train->n / o->batch_size;
    bool fine_tuned;
    SNC_TRY(step_seconds(&step, &fine_tuned, ctx, o, in, from));
    double finetune = fine_tuned ? 0 : o->epochs * steps_per_epoch * step;
    /* a sandwich step runs the largest, the smallest and two random nets, and updates once: 1.8 steps of fine-tuning, as measured */
    double rows = 1 + 1.3 * snc_step_made(o, in->splits.train->n); /* made rows are longer */
    double supernet = o->supernet_epochs * rows * steps_per_epoch * step * 1.8 + 0.25 * rows * steps_per_epoch * step; /* and the teacher's logits */
    double rest = 90 + (o->repair && strcmp(o->repair, "off") == 0 ? 0 : o->repair_epochs * 0.5 * rows * steps_per_epoch * step);
    const snc_dataset *rank = in->splits.rank;
    double tokens = (double)in->splits.train->start[in->splits.train->n] / in->splits.train->n * o->batch_size;
    double eval = (double)rank->start[rank->n] / tokens * step * 0.12; /* forward only, in INT8 */
    double search = eval * o->evals, limit = 0;
    if (o->time_budget) SNC_TRY(snc_parse_seconds(&limit, "--time-budget", o->time_budget));
    if (limit > 0 && search > limit) search = limit;
    rest += 0.6 * search; /* the second look at what rank cannot tell from its lowest */
    snc_stage_say(h, "estimate: finetune %.0f s, supernet %.0f s, search %.0f s, the rest %.0f s; %.1f minutes in all", finetune, supernet, search, rest,
                  (finetune + supernet + search + rest) / 60);
    return SNC_OK;
}
