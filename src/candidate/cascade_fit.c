/* Every net answers select and dev; what they take is measured on the lengths of rank. */
#include "candidate/cascade_fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/cascaded.h"
#include "artifact/say.h"
#include "artifact/task_score.h"
#include "base/mem.h"
#include "candidate/cascade_choice.h"
#include "candidate/drop.h"
#include "candidate/workload.h"

static const double LIMIT = 0.5; /* points, where --max-drop does not say */

double snc_cascade_limit(const snc_options *o) { return o->targets.max_drop < 0 ? LIMIT : o->targets.max_drop; }

/* A split as all nets answer it, and as the cascade does. */
typedef struct answered {
    const snc_dataset *d;
    snc_cascaded all;           /* classes in the task's order, which no confidence depends on */
    float *largest, *delivered; /* [n, K] in the task's order of classes */
    uint8_t *by;
    snc_cascaded_share share[SNC_NETS_MOST];
    double score, alone; /* delivered, and of the largest net */
    snc_drop drop;
} answered;

typedef struct fit {
    const snc_ctx *ctx, *clock;
    const snc_options *o;
    const snc_host *h;
    const snc_inputs *in;
    snc_loaded *l;
    double limit; /* points */
    answered select, dev;
    double us[SNC_NETS_MOST];
    snc_cascade_choice choice;
} fit;

/* ---- time ---------------------------------------------------------------------------------------------------------------- */

/* A text at a time, of real lengths. */
static snc_err measure(fit *j)
{
    snc_err err = SNC_OK;
    snc_workload w = {0};
    snc_measured m[SNC_NETS_MOST] = {{0}};
    const snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    const int n = snc_loaded_nets(j->l);
    _Static_assert((int)SNC_NETS_MOST <= (int)SNC_MEASURED_MOST, "all nets of a file can be measured beside each other");
    SNC_TRY(snc_workload_of_options(&w, j->clock, &j->o->workload, j->in->splits.rank, snc_weights_config(j->l->weights)));
    const snc_net_opts no = {.max_tokens = w.max_tokens, .max_seqs = w.batch, .max_len = w.max_len};
    for (int k = 0; k < n; k++) {
        SNC_GOTO(snc_net_create(&m[k].net, j->clock, j->l->net[k], NULL, NULL, &no));
        m[k].batches = w.batches;
        m[k].count = w.count;
    }
    SNC_GOTO(snc_measure_beside(m, n, &mo));
    for (int k = 0; k < n; k++) j->us[k] = m[k].t.mean;
out:
    for (int k = 0; k < n; k++) snc_net_free(m[k].net);
    snc_workload_free(&w);
    return err;
}

/* ---- answers ------------------------------------------------------------------------------------------------------------- */

static snc_err answer(answered *a, const fit *j, const snc_dataset *d)
{
    const size_t all = (size_t)d->n * (size_t)j->l->classes;
    a->d = d;
    SNC_TRY(snc_cascaded_answer(&a->all, j->ctx, j->l, d, "answers"));
    SNC_TRY(snc_alloc(&a->largest, all, sizeof *a->largest));
    SNC_TRY(snc_alloc(&a->delivered, all, sizeof *a->delivered));
    SNC_TRY(snc_alloc(&a->by, (size_t)d->n, sizeof *a->by));
    for (int k = 0; k < a->all.nets; k++) snc_loaded_order_classes(a->all.z[k], j->l, j->in->task, d->n);
    memcpy(a->largest, a->all.z[0], all * sizeof *a->largest);
    return snc_task_score(&a->alone, NULL, j->in->task, a->largest, d, j->l->classes);
}

static snc_err deliver(answered *a, const fit *j, const snc_cascade *c)
{
    const int K = j->l->classes;
    snc_cascaded_pick(a->delivered, a->by, &a->all, c);
    snc_cascaded_shares(a->share, &a->all, a->by);
    SNC_TRY(snc_task_score(&a->score, NULL, j->in->task, a->delivered, a->d, K));
    return snc_drop_of(&a->drop, j->ctx, j->in->task, a->d, a->largest, a->alone, a->delivered, a->score, K);
}

static void dispose(answered *a)
{
    snc_cascaded_dispose(&a->all);
    snc_free(a->largest);
    snc_free(a->delivered);
    snc_free(a->by);
}

/* Right answers are counted; a score that is another is asked behind, and the limit of right answers lowered until it keeps its own. */
static snc_err choose(fit *j)
{
    enum { TRIES = 6 };
    answered *s = &j->select;
    const float *z[SNC_NETS_MOST];
    double share = j->limit / 100;
    for (int k = 0; k < s->all.nets; k++) z[k] = s->all.z[k];
    const snc_cascade_rows rows = {.nets = s->all.nets, .n = s->d->n, .K = j->l->classes, .z = z, .label = s->d->target, .us = j->us};
    for (int i = 0; i < TRIES; i++) {
        SNC_TRY(snc_cascade_choose(&j->choice, &rows, share));
        if (!j->choice.c.nets) break;
        SNC_TRY(deliver(s, j, &j->choice.c));
        if (!(s->drop.bound > j->limit)) return SNC_OK;
        share /= 2;
    }
    return snc_err_set(SNC_E_NOTFOUND,
                       "--cascade: the largest net alone keeps its score within %g points at 95%% on the %d rows of select: more "
                       "rows, or a larger --max-drop",
                       j->limit, s->d->n);
}

/* ---- what is said -------------------------------------------------------------------------------------------------------- */

static void say_split(const fit *j, const char *name, const answered *a)
{
    char at_most[200];
    if (a->drop.unsaid[0]) snprintf(at_most, sizeof at_most, "%s", a->drop.unsaid);
    else snprintf(at_most, sizeof at_most, "at 95%% at most %.2f", a->drop.bound);
    snc_say(j->h, "%s: score %.2f, %.2f under that of the largest net alone (%s)", name, 100 * a->score, a->drop.points.value, at_most);
}

/* Each net's share is its own test: the chance that any of them is off is shared among them. */
static void compare_shares(const fit *j)
{
    const answered *s = &j->select, *d = &j->dev;
    for (int k = s->all.nets - 1; k > 0; k--) {
        if (!snc_cascade_asks(&j->choice.c, k)) continue;
        const double alike = snc_shares_alike(s->share[k].rows, s->d->n, d->share[k].rows, d->d->n);
        if (alike * (s->all.nets - 1) < 0.05)
            snc_log(j->ctx, SNC_LOG_WARN,
                    "net %d answers %.1f%% of select and %.1f%% of dev, more apart than by chance (p %.2g): mean time "
                    "and score on dev's texts are others",
                    k, 100.0 * s->share[k].rows / s->d->n, 100.0 * d->share[k].rows / d->d->n, alike);
    }
}

static void say(const fit *j)
{
    const snc_cascade *c = &j->choice.c;
    const answered *s = &j->select, *d = &j->dev;
    for (int k = c->nets - 1; k >= 0; k--) {
        char from[96] = "takes no part";
        if (k == 0) snprintf(from, sizeof from, "answers what is left");
        else if (snc_cascade_asks(c, k))
            snprintf(from, sizeof from, "answers from %s %.4f on, at temperature %.3f", snc_cascade_rule_name((int)c->rule),
                     c->threshold[k], c->temperature[k]);
        snc_say(j->h, "net %d %s: %.1f us, %.2f%% of select, %.2f%% of dev", k, from, j->us[k], 100.0 * s->share[k].rows / s->d->n,
                100.0 * d->share[k].rows / d->d->n);
    }
    snc_say(j->h, "mean of a text %.1f us, %.3fx of the largest net alone", j->choice.us, j->choice.us / j->us[0]);
    say_split(j, "select, on which thresholds were chosen", s);
    say_split(j, "dev", d);
    if (s->drop.unsaid[0])
        snc_log(j->ctx, SNC_LOG_WARN, "select says nothing of the score (%s): right answers alone were counted", s->drop.unsaid);
    compare_shares(j);
}

static cJSON *found(const fit *j)
{
    const answered *s = &j->select;
    cJSON *o = cJSON_CreateObject(), *shares;
    cJSON_AddNumberToObject(o, "rows", s->d->n);
    shares = cJSON_AddArrayToObject(o, "share");
    for (int k = 0; k < s->all.nets; k++) cJSON_AddItemToArray(shares, cJSON_CreateNumber((double)s->share[k].rows / s->d->n));
    cJSON_AddItemToObject(o, "us", cJSON_CreateDoubleArray(j->us, s->all.nets));
    cJSON_AddNumberToObject(o, "mean_us", j->choice.us);
    cJSON_AddNumberToObject(o, "score", s->score);
    cJSON_AddNumberToObject(o, "drop", s->drop.points.value);
    cJSON_AddNumberToObject(o, "drop_bound", s->drop.bound); /* null where nothing is said */
    return o;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------------- */

snc_err snc_cascade_able(const snc_encoder_config *c, const char *path)
{
    SNC_CHECK(snc_meaning_of(c) == SNC_MEANS_CLASSES && c->classes >= 2, SNC_E_UNSUPPORTED,
              "--cascade: %s: gives %s, which has no confidence to go by", path,
              c->regression   ? "a value"
              : c->multilabel ? "any number of labels"
                              : "one class alone");
    return SNC_OK;
}

static snc_err run(cJSON **cascade, fit *j)
{
    SNC_TRY(snc_loaded_open_nets(j->l));
    SNC_TRY(measure(j));
    SNC_TRY(answer(&j->select, j, j->in->splits.select));
    SNC_TRY(answer(&j->dev, j, j->in->dev));
    SNC_TRY(choose(j));
    SNC_TRY(deliver(&j->dev, j, &j->choice.c));
    *cascade = snc_cascade_json(&j->choice.c);
    cJSON_AddItemToObject(*cascade, "select", found(j));
    say(j);
    return SNC_OK;
}

snc_err snc_cascade_fit(cJSON **cascade, const snc_ctx *ctx, const snc_ctx *clock, const snc_options *o, const snc_host *h, snc_loaded *l,
                        const snc_inputs *in, double limit)
{
    fit j = {.ctx = ctx, .clock = clock, .o = o, .h = h, .in = in, .l = l, .limit = limit};
    *cascade = NULL;
    snc_err err = run(cascade, &j);
    dispose(&j.select);
    dispose(&j.dev);
    return err;
}
