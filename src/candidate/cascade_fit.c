/* Every net answers select and dev; what a row takes is by its length. */
#include "candidate/cascade_fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/cascaded.h"
#include "artifact/parse.h"
#include "artifact/say.h"
#include "artifact/task_score.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/stats.h"
#include "candidate/cascade_choice.h"
#include "candidate/drop.h"
#include "candidate/speeds_clock.h"

static const double LIMIT = 0.5; /* points, where --max-drop does not say */

/* ---- asked --------------------------------------------------------------------------------------------------------------- */

typedef struct asked {
    int n;
    snc_cascade_limit limit[SNC_CASCADE_LIMITS];
    bool relative[SNC_CASCADE_LIMITS];
    bool mean; /* among them */
} asked;

/* "mean", or "p99" and the like. */
static bool read_share(double *share, const char *p, size_t n)
{
    char *end;
    *share = 0;
    if (n == 4 && strncmp(p, "mean", n) == 0) return true;
    if (n < 2 || *p != 'p') return false;
    *share = strtod(p + 1, &end) / 100;
    return end == p + n && *share > 0 && *share < 1;
}

static snc_err parse(asked *out, const char *text)
{
    static const char expected[] = "such as mean=0.35x,p99=1.5ms: the mean or a percentile, and a time or a share of the largest net's";
    char value[64];
    *out = (asked){.n = 0};
    for (const char *p = text; p; p = snc_list_next(p)) {
        const size_t n = strcspn(p, ","), name = strcspn(p, "=,");
        snc_cascade_limit *l = &out->limit[out->n];
        SNC_CHECK(out->n < SNC_CASCADE_LIMITS, SNC_E_ARG, "--cascade-limits '%.60s': more than %d", text, SNC_CASCADE_LIMITS);
        SNC_CHECK(read_share(&l->share, p, name) && name < n && n - name < sizeof value, SNC_E_ARG, "--cascade-limits '%.60s': expected %s",
                  text, expected);
        for (int i = 0; i < out->n; i++)
            SNC_CHECK(out->limit[i].share != l->share, SNC_E_ARG, "--cascade-limits '%.60s': '%.*s' twice", text, (int)name, p);
        snprintf(value, sizeof value, "%.*s", (int)(n - name - 1), p + name + 1);
        SNC_TRY(snc_parse_unit(&l->us, &out->relative[out->n], "--cascade-limits", value, snc_units_time, expected));
        out->mean = out->mean || l->share == 0;
        out->n++;
    }
    return SNC_OK;
}

snc_err snc_cascade_limits_check(const snc_options *o)
{
    asked a;
    SNC_CHECK(o->exporting.cascade || !o->exporting.cascade_limits, SNC_E_ARG, "--cascade-limits: has no use without --cascade");
    return parse(&a, o->exporting.cascade_limits);
}

double snc_cascade_mean(const snc_options *o, double largest_us)
{
    asked a;
    if (parse(&a, o->exporting.cascade_limits) != SNC_OK) return 0;
    for (int i = 0; i < a.n; i++)
        if (a.limit[i].share == 0) return a.relative[i] ? a.limit[i].us * largest_us : a.limit[i].us;
    return 0;
}

double snc_cascade_points(const snc_options *o)
{
    asked a;
    if (o->targets.max_drop >= 0) return o->targets.max_drop;
    return parse(&a, o->exporting.cascade_limits) == SNC_OK && a.mean ? (double)INFINITY : LIMIT;
}

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
    const char *path; /* where it lies */
    double limit;     /* points */
    asked asked;      /* of time */
    answered select, dev;
    snc_speeds speeds;
    snc_steps steps;
    double *row_us[SNC_NETS_MOST];                /* [n] of each row of select by each net */
    double *behind[SNC_NETS_MOST][SNC_NETS_MOST]; /* the same behind another one that it goes on from; NULL: it starts anew */
    double us[SNC_NETS_MOST];                     /* means of row_us */
    double p50, p99;                              /* of the cascade on them */
    snc_cascade_rows rows;                        /* of select, as thresholds are chosen on them */
    snc_cascade_choice choice;
} fit;

/* ---- time ---------------------------------------------------------------------------------------------------------------- */

/* What so large a share of rows keeps; 0: their mean. */
static double time_of(const double *us, int n, double share)
{
    double *sorted = NULL, sum = 0;
    for (int i = 0; i < n; i++) sum += us[i] / n;
    if (share <= 0 || snc_alloc(&sorted, (size_t)n, sizeof *sorted) != SNC_OK) return sum;
    memcpy(sorted, us, (size_t)n * sizeof *sorted);
    snc_sort(sorted, n);
    sum = sorted[(int)ceil(share * n) - 1];
    snc_free(sorted);
    return sum;
}

/* Of the rows of select, by net k behind net `before`, -1: as the first. */
static snc_err row_times(double **out, const fit *j, int k, int before)
{
    const snc_dataset *d = j->in->splits.select;
    SNC_TRY(snc_alloc(out, (size_t)d->n, sizeof **out));
    for (int i = 0; i < d->n; i++) (*out)[i] = snc_steps_median(&j->speeds, &j->steps, k, before, snc_dataset_len(d, i));
    return SNC_OK;
}

static snc_err measure(fit *j)
{
    SNC_TRY(snc_speeds_measure(&j->speeds, &j->steps, j->clock, j->l, j->path));
    for (int k = 0; k < j->speeds.nets; k++) {
        SNC_TRY(row_times(&j->row_us[k], j, k, -1));
        j->us[k] = time_of(j->row_us[k], j->in->splits.select->n, 0);
        for (int before = k + 1; before < j->speeds.nets; before++)
            if (j->steps.from[k][before]) SNC_TRY(row_times(&j->behind[k][before], j, k, before));
    }
    return SNC_OK;
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

static void set_rows(fit *j)
{
    const answered *s = &j->select;
    snc_cascade_rows *out = &j->rows;
    *out = (snc_cascade_rows){.nets = s->all.nets,
                              .n = s->d->n,
                              .K = j->l->classes,
                              .z = (const float *const *)s->all.z,
                              .label = s->d->target,
                              .us = (const double *const *)j->row_us,
                              .limits = j->asked.n,
                              .most_right = isinf(j->limit)};
    memcpy(out->behind, j->behind, sizeof out->behind);
    for (int i = 0; i < j->asked.n; i++) {
        out->limit[i] = j->asked.limit[i];
        if (j->asked.relative[i]) out->limit[i].us *= time_of(j->row_us[0], s->d->n, out->limit[i].share);
    }
}

/* Right answers are counted; a score that is another is asked behind, and the limit of right answers lowered until it keeps its own. */
static snc_err choose(fit *j)
{
    enum { TRIES = 6 };
    answered *s = &j->select;
    double share = j->limit / 100;
    set_rows(j);
    for (int i = 0; i < TRIES; i++) {
        SNC_TRY(snc_cascade_choose(&j->choice, &j->rows, share));
        if (isinf(j->choice.us))
            return snc_err_set(SNC_E_NOTFOUND,
                               "--cascade-limits %.60s: no thresholds keep them%s: the smallest net alone has a mean of %.1f us",
                               j->o->exporting.cascade_limits, isinf(j->limit) ? "" : " and the drop", j->us[s->all.nets - 1]);
        if (!j->choice.c.nets) break;
        SNC_TRY(deliver(s, j, &j->choice.c));
        if (!(s->drop.bound > j->limit)) return SNC_OK;
        share /= 2;
    }
    SNC_CHECK(isfinite(j->limit), SNC_E_NOTFOUND, "--cascade-limits %.60s: the largest net alone keeps them, and has the most right",
              j->o->exporting.cascade_limits);
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

/* Nets that go on from the hidden state of the one before. */
static void say_steps(const fit *j)
{
    const snc_cascade *c = &j->choice.c;
    for (int k = c->nets - 1; k >= 0; k--) {
        const int before = snc_cascade_asks(c, k) ? snc_cascade_before(c, k) : -1;
        if (before >= 0 && j->steps.from[k][before])
            snc_say(j->h, "net %d goes on with its layer %d behind net %d: %.1f us", k, j->steps.from[k][before], before,
                    time_of(j->behind[k][before], j->select.d->n, 0));
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
    say_steps(j);
    snc_say(j->h, "mean of a text %.1f us, %.3fx of the largest net alone; p50 %.1f us, p99 %.1f us, %.3fx of its", j->choice.us,
            j->choice.us / j->us[0], j->p50, j->p99, j->p99 / time_of(j->row_us[0], s->d->n, 0.99));
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
    cJSON_AddNumberToObject(o, "p50_us", j->p50);
    cJSON_AddNumberToObject(o, "p99_us", j->p99);
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
              snc_meaning_of(c) == SNC_MEANS_CLASSES ? "one class alone" : snc_meaning_says(snc_meaning_of(c)));
    return SNC_OK;
}

/* Over rows of what all nets that read them take. */
static snc_err look_at_tails(fit *j)
{
    const answered *s = &j->select;
    const double *step[SNC_NETS_MOST];
    double *us;
    snc_cascade_steps(step, &j->rows, &j->choice.c);
    SNC_TRY(snc_alloc(&us, (size_t)s->d->n, sizeof *us));
    for (int i = 0; i < s->d->n; i++)
        for (int k = s->all.nets - 1; k >= s->by[i]; k--)
            if (step[k]) us[i] += step[k][i];
    j->p50 = time_of(us, s->d->n, 0.5);
    j->p99 = time_of(us, s->d->n, 0.99);
    snc_free(us);
    return SNC_OK;
}

static snc_err run(cJSON **cascade, fit *j)
{
    SNC_TRY(parse(&j->asked, j->o->exporting.cascade_limits));
    SNC_TRY(snc_loaded_open_nets(j->l));
    SNC_TRY(measure(j));
    SNC_TRY(answer(&j->select, j, j->in->splits.select));
    SNC_TRY(answer(&j->dev, j, j->in->dev));
    SNC_TRY(choose(j));
    SNC_TRY(look_at_tails(j));
    SNC_TRY(deliver(&j->dev, j, &j->choice.c));
    *cascade = snc_cascade_json(&j->choice.c);
    cJSON_AddItemToObject(*cascade, "select", found(j));
    say(j);
    return SNC_OK;
}

snc_err snc_cascade_fit(cJSON **cascade, const snc_ctx *ctx, const snc_ctx *clock, const snc_options *o, const snc_host *h, snc_loaded *l,
                        const char *path, const snc_inputs *in)
{
    fit j = {.ctx = ctx, .clock = clock, .o = o, .h = h, .in = in, .l = l, .path = path, .limit = snc_cascade_points(o)};
    *cascade = NULL;
    snc_err err = run(cascade, &j);
    for (int k = 0; k < SNC_NETS_MOST; k++) {
        snc_free(j.row_us[k]);
        for (int before = 0; before < SNC_NETS_MOST; before++) snc_free(j.behind[k][before]);
    }
    dispose(&j.select);
    dispose(&j.dev);
    return err;
}
