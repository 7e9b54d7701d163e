/* Costs first, then the journal, then an evaluation: what a limit forbids or a row answers is never computed. */
#include "search/runner.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum { LEAST = 3 * SNC_ROUND /* evaluations, be it late */ };

/* Under a limit, being far below it is worth nothing: evaluations go to the neighbourhood of the limit. */
static const double NEAR = 0.9;

const char *snc_cost_name(snc_cost_kind kind)
{
    static const char *const names[SNC_COSTS] = {"latency", "size", "macs"};
    return names[kind];
}

const char *snc_cost_key(snc_cost_kind kind)
{
    static const char *const keys[SNC_COSTS] = {"latency_us", "bytes", "macs"};
    return keys[kind];
}

double snc_obs_cost(const snc_obs *o, snc_cost_kind kind)
{
    return kind == SNC_COST_LATENCY ? o->latency_us : kind == SNC_COST_SIZE ? o->bytes : o->macs;
}

double *snc_limit(snc_limits *l, snc_cost_kind kind)
{
    return kind == SNC_COST_LATENCY ? &l->latency_us : kind == SNC_COST_SIZE ? &l->bytes : &l->macs;
}

void snc_obs_point(snc_obs *o, const snc_run_opts *opts)
{
    snc_limits limits = opts->limits;
    o->point = (snc_point){.f = {opts->by_score && !isnan(o->loss) ? -o->metric : o->loss}};
    for (int i = 1; i < opts->objectives; i++) {
        snc_cost_kind kind = opts->cost[i - 1];
        o->point.f[i] = fmax(snc_obs_cost(o, kind), NEAR * *snc_limit(&limits, kind));
    }
    for (snc_cost_kind kind = 0; kind < SNC_COSTS; kind++) {
        double limit = *snc_limit(&limits, kind);
        if (limit > 0) o->point.violation += fmax(snc_obs_cost(o, kind) / limit - 1, 0);
    }
}

bool snc_obs_beats(const snc_obs *a, const snc_obs *b)
{
    const snc_point p = {.f = {a->loss, a->latency_us, a->bytes}}, q = {.f = {b->loss, b->latency_us, b->bytes}};
    return snc_dominates(&p, &q, 3);
}

bool snc_obs_better(const snc_obs *a, const snc_obs *b)
{
    if (isnan(a->loss) || isnan(b->loss)) return !isnan(a->loss) && isnan(b->loss);
    if (a->point.violation > 0 || b->point.violation > 0) return a->point.violation < b->point.violation;
    return a->loss < b->loss;
}

/* A total order, so that qsort gives the same result everywhere. */
static int compare(const void *a, const void *b)
{
    const snc_obs *x = a, *y = b;
    if (snc_obs_better(x, y)) return -1;
    if (snc_obs_better(y, x)) return 1;
    return memcmp(&x->cfg, &y->cfg, sizeof x->cfg);
}

void snc_obs_sort(snc_obs *o, int n) { qsort(o, (size_t)n, sizeof *o, compare); }

/* What becomes of a proposal. A config beyond a limit is never evaluated: its costs are known, and the search needs no more than how far it
 * is off. */
typedef enum fate { BEYOND, KNOWN, SCORED } fate;

typedef struct run_state {
    const snc_ctx *ctx;
    snc_journal *journal;
    const snc_run_opts *opts;
    const snc_run_hooks *hooks;
    snc_run_report *report;
    snc_obs best;
    bool have_best;
    double start;
    int told;               /* evaluations that the host knows of */
    int idle;               /* proposals in a row beyond a limit */
    snc_obs obs[SNC_ROUND]; /* of the round under way: n, the first `noted` of them written down */
    fate fate[SNC_ROUND];
    int n, noted;
    char objectives[32]; /* their names */
} run_state;

static bool spent(const run_state *r)
{
    const int made = r->report->evaluated + r->report->reused;
    if (made >= r->opts->evals || (r->ctx->until > 0 && made >= LEAST && snc_now() >= r->ctx->until)) return true;
    return r->opts->seconds > 0 && snc_now() - r->start >= r->opts->seconds;
}

static const char *objective(const snc_run_opts *o, int i) { return i ? snc_cost_name(o->cost[i - 1]) : o->by_score ? "score" : "loss"; }

static void tell_host(run_state *r, const snc_obs *o)
{
    if (!r->ctx->evaluation) return;
    const snc_evaluation e = {++r->told, r->objectives, o->loss, o->metric, o->latency_us, o->bytes, o->macs};
    r->ctx->evaluation(r->ctx->user, &e);
}

/* What the journal has already. */
static snc_err tell_all(run_state *r)
{
    snc_obs *all = NULL;
    int n = 0;
    if (!r->ctx->evaluation) return SNC_OK;
    for (int i = 0; i < r->opts->objectives; i++) {
        const size_t at = strlen(r->objectives);
        snprintf(r->objectives + at, sizeof r->objectives - at, "%s%s", i ? "," : "", objective(r->opts, i));
    }
    SNC_TRY(snc_journal_all(&all, &n, r->journal));
    for (int i = 0; i < n; i++) {
        r->hooks->cost(r->hooks->user, &all[i]);
        tell_host(r, &all[i]);
    }
    snc_free(all);
    return SNC_OK;
}

static snc_err note_best(run_state *r, const snc_obs *o)
{
    if (isnan(o->loss) || (r->have_best && !snc_obs_better(o, &r->best))) return SNC_OK;
    r->best = *o;
    r->have_best = true;
    return r->hooks->best ? r->hooks->best(r->hooks->user, o) : SNC_OK;
}

static snc_err look_up(fate *out, run_state *r, snc_obs *o)
{
    bool known = false;
    *out = BEYOND;
    o->loss = o->metric = NAN;
    r->hooks->cost(r->hooks->user, o);
    snc_obs_point(o, r->opts);
    if (o->point.violation > 0) {
        o->point.f[0] = INFINITY;
        return SNC_OK;
    }
    SNC_TRY(snc_journal_get(o, &known, r->journal, &o->cfg));
    *out = known ? KNOWN : SCORED;
    return SNC_OK;
}

/* The next observation of the round, which has its scores. */
static snc_err note(run_state *r)
{
    const fate f = r->fate[r->noted];
    snc_obs *o = &r->obs[r->noted++];
    r->idle = f == BEYOND ? r->idle + 1 : 0;
    if (f == BEYOND) return SNC_OK;
    if (f == KNOWN) r->report->reused++;
    else {
        SNC_TRY(snc_journal_put(r->journal, o));
        r->report->evaluated++;
        tell_host(r, o);
    }
    snc_obs_point(o, r->opts);
    snc_progress(r->ctx, "search", r->report->evaluated, r->opts->evals - r->report->reused, "best loss %.4f at %.0f us",
                 r->have_best ? r->best.loss : o->loss, r->have_best ? r->best.latency_us : o->latency_us);
    return note_best(r, o);
}

/* Up to the next that waits for its score. */
static snc_err note_known(run_state *r)
{
    while (r->noted < r->n && r->fate[r->noted] != SCORED) SNC_TRY(note(r));
    return SNC_OK;
}

static snc_err scored(void *user)
{
    run_state *r = user;
    SNC_TRY(note(r));
    SNC_TRY(note_known(r));
    return r->noted < r->n && snc_cancelled(r->ctx) ? SNC_E_CANCELLED : SNC_OK;
}

static snc_err observe(run_state *r, const snc_cfg *cfg, int n)
{
    snc_obs *wanted[SNC_ROUND];
    int wants = 0;
    if (snc_cancelled(r->ctx)) return SNC_E_CANCELLED;
    r->n = n;
    r->noted = 0;
    for (int i = 0; i < n; i++) {
        r->obs[i] = (snc_obs){.cfg = cfg[i]};
        SNC_TRY(look_up(&r->fate[i], r, &r->obs[i]));
        if (r->fate[i] == SCORED) wanted[wants++] = &r->obs[i];
    }
    SNC_TRY(note_known(r));
    if (wants) SNC_TRY(r->hooks->score(r->hooks->user, wanted, wants, scored, r));
    assert(r->noted == n);
    return SNC_OK;
}

/* What a search that learns says about its latest round: to the journal, and to people. */
static snc_err note_round(run_state *r, const snc_search *s, int *said)
{
    snc_search_note note;
    char line[160] = "";
    snc_search_report(&note, s);
    if (note.round <= *said) return SNC_OK;
    *said = note.round;
    cJSON *j = cJSON_CreateObject(), *list;
    cJSON_AddNumberToObject(j, "round", note.round);
    cJSON_AddNumberToObject(j, "told", note.told);
    cJSON_AddNumberToObject(j, "hypervolume", note.hypervolume);
    list = cJSON_AddArrayToObject(j, "predictors");
    for (int i = 0; i < r->opts->objectives; i++) {
        const char *name = objective(r->opts, i);
        size_t at = strlen(line);
        if (!note.predictor[i].kind) continue;
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "objective", name);
        cJSON_AddStringToObject(one, "model", note.predictor[i].kind);
        cJSON_AddNumberToObject(one, "mape", note.predictor[i].mape);
        cJSON_AddNumberToObject(one, "tau", note.predictor[i].tau);
        cJSON_AddItemToArray(list, one);
        snprintf(line + at, sizeof line - at, "; %s by %s: MAPE %.1f%%, tau %.2f", name, note.predictor[i].kind, note.predictor[i].mape,
                 note.predictor[i].tau);
    }
    snc_err err = snc_journal_note(r->journal, "predictor", r->report->evaluated + r->report->reused, j);
    cJSON_Delete(j);
    snc_log(r->ctx, SNC_LOG_INFO, "round %d: %d observations%s", note.round, note.told, line);
    return err;
}

snc_err snc_run_search(snc_run_report *out, const snc_ctx *ctx, snc_search *s, snc_journal *j, const snc_run_opts *o,
                       const snc_run_hooks *h)
{
    enum { IDLE_MAX = 20000 }; /* proposals in a row beyond a limit: the space holds nothing within it */
    run_state r = {.ctx = ctx, .journal = j, .opts = o, .hooks = h, .report = out, .start = snc_now()};
    int said = 0;
    *out = (snc_run_report){0};
    SNC_TRY(tell_all(&r));
    while (!spent(&r) && r.idle < IDLE_MAX) {
        snc_cfg cfg[SNC_ROUND];
        int n = 0;
        int left = o->evals - out->evaluated - out->reused;
        SNC_TRY(snc_search_ask(cfg, &n, s, left < SNC_ROUND ? left : SNC_ROUND));
        if (n == 0) break;
        snc_err err = observe(&r, cfg, n);
        if (err == SNC_E_CANCELLED) return snc_err_set(err, "search interrupted after %d evaluations", out->evaluated + out->reused);
        SNC_TRY(err);
        SNC_TRY(snc_search_tell(s, r.obs, n));
        SNC_TRY(note_round(&r, s, &said));
    }
    out->seconds = snc_now() - r.start;
    return SNC_OK;
}
