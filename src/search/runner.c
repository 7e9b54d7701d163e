#include "search/runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { ASK = 8 };

/* Under a limit, being far below it is worth nothing: evaluations go to the neighbourhood of the limit. */
static const double NEAR = 0.9;

void snc_obs_point(snc_obs *o, const snc_run_opts *opts)
{
    double over_latency = opts->limits.latency_us > 0 ? o->latency_us / opts->limits.latency_us - 1 : 0;
    double over_macs = opts->limits.macs > 0 ? o->macs / opts->limits.macs - 1 : 0;
    double over_bytes = opts->limits.bytes > 0 ? o->bytes / opts->limits.bytes - 1 : 0;
    o->point.f[0] = o->loss;
    double latency = fmax(o->latency_us, NEAR * opts->limits.latency_us), bytes = fmax(o->bytes, NEAR * opts->limits.bytes);
    o->point.f[1] = opts->cost_is_size ? bytes : latency;
    o->point.f[2] = opts->objectives == 3 ? bytes : 0;
    o->point.violation = fmax(over_latency, 0) + fmax(over_bytes, 0) + fmax(over_macs, 0);
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

typedef struct run_state {
    const snc_ctx *ctx;
    snc_journal *journal;
    const snc_run_opts *opts;
    const snc_run_hooks *hooks;
    snc_run_report *report;
    snc_obs best;
    bool have_best;
    double start;
} run_state;

static bool spent(const run_state *r)
{
    if (r->report->evaluated + r->report->reused >= r->opts->evals) return true;
    return r->opts->seconds > 0 && snc_now() - r->start >= r->opts->seconds;
}

static snc_err note_best(run_state *r, const snc_obs *o)
{
    if (isnan(o->loss) || (r->have_best && !snc_obs_better(o, &r->best))) return SNC_OK;
    r->best = *o;
    r->have_best = true;
    return r->hooks->best ? r->hooks->best(r->hooks->user, o) : SNC_OK;
}

/* A config beyond a limit is never evaluated: its costs are known, and the search needs no more than how far it is off. */
static snc_err observe(run_state *r, snc_obs *o)
{
    bool known = false;
    o->loss = o->metric = NAN;
    r->hooks->cost(r->hooks->user, o);
    snc_obs_point(o, r->opts);
    if (o->point.violation > 0) {
        o->point.f[0] = INFINITY;
        return SNC_OK;
    }
    SNC_TRY(snc_journal_get(o, &known, r->journal, &o->cfg));
    if (known) r->report->reused++;
    else {
        SNC_TRY(r->hooks->score(r->hooks->user, o));
        SNC_TRY(snc_journal_put(r->journal, o));
        r->report->evaluated++;
    }
    snc_obs_point(o, r->opts);
    snc_progress(r->ctx, "search", r->report->evaluated + r->report->reused, r->opts->evals, "best loss %.4f at %.0f us",
                 r->have_best ? r->best.loss : o->loss, r->have_best ? r->best.latency_us : o->latency_us);
    return note_best(r, o);
}

snc_err snc_search_run(snc_run_report *out, const snc_ctx *ctx, snc_search *s, snc_journal *j, const snc_run_opts *o,
                       const snc_run_hooks *h)
{
    enum { IDLE_MAX = 20000 }; /* proposals in a row beyond a limit: the space holds nothing within it */
    run_state r = {.ctx = ctx, .journal = j, .opts = o, .hooks = h, .report = out, .start = snc_now()};
    int idle = 0;
    *out = (snc_run_report){0};
    while (!spent(&r) && idle < IDLE_MAX) {
        snc_cfg cfg[ASK];
        snc_obs obs[ASK];
        int n = 0;
        int left = o->evals - out->evaluated - out->reused;
        SNC_TRY(snc_search_ask(cfg, &n, s, left < ASK ? left : ASK));
        if (n == 0) break;
        for (int i = 0; i < n; i++) {
            int before = out->evaluated + out->reused;
            if (snc_cancelled(ctx)) return snc_err_set(SNC_E_CANCELLED, "search interrupted after %d evaluations", before);
            obs[i] = (snc_obs){.cfg = cfg[i]};
            SNC_TRY(observe(&r, &obs[i]));
            idle = out->evaluated + out->reused > before ? 0 : idle + 1;
        }
        SNC_TRY(snc_search_tell(s, obs, n));
    }
    out->seconds = snc_now() - r.start;
    return SNC_OK;
}
