/* Every fit starts anew from all that was told; only the setting of the kernel is remembered, as the grid over it is what takes time. */
#include "search/surrogate.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

snc_err snc_surrogate_init(snc_surrogate *s, const snc_problem *problem, const cJSON *params, const char *where)
{
    const char *features, *predictor;
    *s = (snc_surrogate){.problem = problem, .opts = SNC_PREDICTOR_OPTS_INIT};
    s->opts.seed = problem->seed;
    SNC_TRY(snc_json_str(&features, params, "features", "steps", where));
    SNC_TRY(snc_json_str(&predictor, params, "predictor", "auto", where));
    s->opts.onehot = strcmp(features, "one-hot") == 0;
    SNC_CHECK(s->opts.onehot || strcmp(features, "steps") == 0, SNC_E_FORMAT, "%s: 'features' must be \"steps\" or \"one-hot\"", where);
    s->opts.svr = strcmp(predictor, "auto") == 0;
    SNC_CHECK(s->opts.svr || strcmp(predictor, "ridge") == 0, SNC_E_FORMAT, "%s: 'predictor' must be \"auto\" or \"ridge\"", where);
    return SNC_OK;
}

void snc_surrogate_dispose(snc_surrogate *s)
{
    for (int k = 0; k < SNC_MAX_OBJECTIVES; k++) snc_predictor_free(s->of[k]);
    snc_free(s->told);
    *s = (snc_surrogate){0};
}

snc_err snc_surrogate_tell(snc_surrogate *s, const snc_obs *obs, int n)
{
    SNC_TRY(snc_grow(&s->told, &s->cap, s->n + (size_t)n, sizeof *s->told));
    for (int i = 0; i < n; i++) s->told[s->n++] = obs[i];
    return SNC_OK;
}

static bool counts(const snc_surrogate *s, const snc_obs *o) { return snc_point_counts(&o->point, s->problem->objectives); }

/* Scale and reference point are set once, by what the first round saw: curves of one search compare along their length. */
static void set_reference(snc_surrogate *s, const snc_point *p)
{
    int m = s->problem->objectives;
    double best = INFINITY; /* of the first objective */
    s->scale = snc_scale_of(p, (int)s->n, m);
    for (int k = 0; k < m; k++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < s->n; i++) {
            if (!snc_point_counts(&p[i], m)) continue;
            double v = snc_scaled(&s->scale, &p[i]).f[k];
            low = fmin(low, v);
            high = fmax(high, v);
        }
        if (k == 0) best = low;
        s->ref[k] = high > low ? high + 0.1 * (high - low) : high + fabs(high) * 0.1 + 1e-12;
    }
    s->ref[0] = snc_scaled_end(&s->scale, s->problem->worst, best, s->ref[0]);
    s->have_ref = true;
}

static snc_err measure(snc_surrogate *s)
{
    snc_point *p = NULL;
    SNC_TRY(snc_alloc(&p, s->n, sizeof *p));
    for (size_t i = 0; i < s->n; i++) p[i] = s->told[i].point;
    if (!s->have_ref) set_reference(s, p);
    for (size_t i = 0; i < s->n; i++) p[i] = snc_scaled(&s->scale, &p[i]);
    snc_err err = snc_hypervolume(&s->hypervolume, p, (int)s->n, s->problem->objectives, s->ref);
    snc_free(p);
    return err;
}

snc_err snc_surrogate_fit(bool *ready, snc_surrogate *s)
{
    snc_err err = SNC_OK;
    snc_cfg *x = NULL;
    double *y = NULL;
    int learnt = s->problem->cost ? 1 : s->problem->objectives;
    SNC_GOTO(snc_alloc(&x, s->n, sizeof *x));
    SNC_GOTO(snc_alloc(&y, s->n, sizeof *y));
    s->rows = 0;
    for (size_t i = 0; i < s->n; i++)
        if (counts(s, &s->told[i])) x[s->rows++] = s->told[i].cfg;
    *ready = s->rows >= 2;
    if (!*ready) goto out;
    for (int k = 0; k < learnt; k++) {
        int c = 0;
        for (size_t i = 0; i < s->n; i++)
            if (counts(s, &s->told[i])) y[c++] = s->told[i].point.f[k];
        s->opts.log = true;
        for (int i = 0; i < c; i++) s->opts.log = s->opts.log && y[i] > 0;
        snc_predictor_free(s->of[k]);
        s->of[k] = NULL;
        SNC_GOTO(snc_predictor_fit(&s->of[k], s->problem->space, x, y, s->rows, &s->opts, &s->memory[k]));
    }
    SNC_GOTO(measure(s));
    s->round++;
out:
    snc_free(x);
    snc_free(y);
    return err;
}

snc_obs snc_surrogate_predict(const snc_surrogate *s, const snc_cfg *c)
{
    snc_obs o = snc_problem_cost(s->problem, c);
    for (int k = 0; k < s->problem->objectives; k++)
        if (s->of[k]) o.point.f[k] = snc_predictor_value(s->of[k], c);
    return o;
}

double snc_surrogate_lower(const snc_surrogate *s, const snc_cfg *c, double deviations)
{
    return snc_predictor_lower(s->of[0], c, deviations);
}

snc_err snc_surrogate_best(int *order, int *n, const snc_surrogate *s, int cap)
{
    snc_err err = SNC_OK;
    snc_point *p = NULL;
    int *all = NULL;
    SNC_GOTO(snc_alloc(&p, s->n, sizeof *p));
    SNC_GOTO(snc_alloc(&all, s->n, sizeof *all));
    for (size_t i = 0; i < s->n; i++) p[i] = s->told[i].point;
    SNC_GOTO(snc_pareto_order(all, p, (int)s->n, s->problem->objectives));
    *n = (int)s->n < cap ? (int)s->n : cap;
    for (int i = 0; i < *n; i++) order[i] = all[i];
out:
    snc_free(p);
    snc_free(all);
    return err;
}

void snc_surrogate_report(const snc_surrogate *s, snc_search_note *out)
{
    *out = (snc_search_note){.round = s->round, .told = s->rows, .hypervolume = s->hypervolume};
    for (int k = 0; k < SNC_MAX_OBJECTIVES; k++) {
        snc_predictor_quality q;
        if (!s->of[k]) continue;
        snc_predictor_report(&q, s->of[k]);
        out->predictor[k].kind = q.kind;
        out->predictor[k].mape = q.mape;
        out->predictor[k].tau = q.tau;
    }
}
