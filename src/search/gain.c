/* Each candidate is put on the front in turn and the hypervolume computed anew: on short fronts nothing cleverer pays. */
#include "search/gain.h"

#include <math.h>

#include "base/mem.h"

static const double BEYOND = 0.02; /* of the front's range */
static const double LEAST = 1e-12; /* what a later value that is not positive counts as */

bool snc_point_counts(const snc_point *p, int m)
{
    for (int k = 0; k < m; k++)
        if (!isfinite(p->f[k])) return false;
    return p->violation <= 0;
}

snc_scale snc_scale_of(const snc_point *p, int n, int m)
{
    snc_scale s = {.m = m};
    for (int k = 0; k < m; k++) {
        s.log[k] = true;
        for (int i = 0; i < n; i++) s.log[k] = s.log[k] && (!snc_point_counts(&p[i], m) || p[i].f[k] > 0);
    }
    return s;
}

snc_point snc_scaled(const snc_scale *s, const snc_point *p)
{
    snc_point q = *p;
    for (int k = 0; k < s->m; k++)
        if (s->log[k]) q.f[k] = log(fmax(p->f[k], LEAST));
    return q;
}

double snc_scaled_end(const snc_scale *s, double worst, double best, double otherwise)
{
    double end = snc_scaled(s, &(snc_point){.f = {worst}}).f[0];
    return worst != 0 && best < end ? end : otherwise;
}

static snc_err push(snc_gain *g, snc_point p)
{
    SNC_TRY(snc_grow(&g->front, &g->cap, (size_t)g->n + 2, sizeof *g->front)); /* and one on trial */
    g->front[g->n++] = p;
    return SNC_OK;
}

static void set_reference(snc_gain *g, double worst)
{
    double best = INFINITY; /* of the first objective */
    for (int k = 0; k < g->scale.m; k++) {
        double low = INFINITY, high = -INFINITY;
        for (int i = 0; i < g->n; i++) {
            low = fmin(low, g->front[i].f[k]);
            high = fmax(high, g->front[i].f[k]);
        }
        if (k == 0) best = low;
        g->ref[k] = high > low ? high + BEYOND * (high - low) : high + BEYOND * fabs(high) + 1e-12;
    }
    g->ref[0] = snc_scaled_end(&g->scale, worst, best, g->ref[0]);
}

snc_err snc_gain_init(snc_gain *g, const snc_point *measured, int n, int m, double worst)
{
    snc_err err = SNC_OK;
    int *rank = NULL;
    double *crowding = NULL;
    *g = (snc_gain){.scale = snc_scale_of(measured, n, m)};
    SNC_GOTO(snc_alloc(&rank, (size_t)n, sizeof *rank));
    SNC_GOTO(snc_alloc(&crowding, (size_t)n, sizeof *crowding));
    SNC_GOTO(snc_pareto_rank(rank, crowding, measured, n, m));
    for (int i = 0; i < n; i++)
        if (rank[i] == 0 && snc_point_counts(&measured[i], m)) SNC_GOTO(push(g, snc_scaled(&g->scale, &measured[i])));
    set_reference(g, worst);
out:
    snc_free(rank);
    snc_free(crowding);
    if (err) snc_gain_dispose(g);
    return err;
}

void snc_gain_dispose(snc_gain *g)
{
    snc_free(g->front);
    *g = (snc_gain){0};
}

snc_err snc_gain_best(int *at, snc_gain *g, const snc_point *p, const int *order, int n)
{
    double most = -1;
    *at = -1;
    if (g->n == 0) { /* nothing to compare with: the order decides */
        *at = n > 0 ? 0 : -1;
        return SNC_OK;
    }
    for (int i = 0; i < n; i++) {
        double v;
        g->front[g->n] = snc_scaled(&g->scale, &p[order[i]]);
        SNC_TRY(snc_hypervolume(&v, g->front, g->n + 1, g->scale.m, g->ref));
        if (v <= most) continue;
        most = v;
        *at = i;
    }
    return SNC_OK;
}

snc_err snc_gain_add(snc_gain *g, const snc_point *p) { return push(g, snc_scaled(&g->scale, p)); }
