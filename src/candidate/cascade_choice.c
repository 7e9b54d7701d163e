/* Thresholds are numbers of six digits, as a file says them without a loss, when they are tried. */
#include "candidate/cascade_choice.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "base/stats.h"
#include "models/cutoff.h"

enum { FINE = 256, COARSE = 64, EXHAUSTIVE = 3, ROUNDS = 8, SEEN = 64 };

/* ---- temperature ----------------------------------------------------------------------------------------------------------- */

/* Of the labels, less what does not change with it. */
static double unlikely(const float *z, const float *label, int n, int K, double temperature)
{
    double sum = 0;
    for (int i = 0; i < n; i++, z += K) {
        const int best = snc_class_best(z, K);
        double all = 0;
        for (int k = 0; k < K; k++) all += exp(((double)z[k] - (double)z[best]) / temperature);
        sum += log(all) - ((double)z[(int)label[i]] - (double)z[best]) / temperature;
    }
    return sum;
}

double snc_cascade_temperature(const float *z, const float *label, int n, int K)
{
    static const double golden = 0.6180339887498949;
    double low = log(0.05), high = log(20), a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = unlikely(z, label, n, K, exp(a)), at_b = unlikely(z, label, n, K, exp(b));
    while (high - low > 1e-5) {
        if (at_a <= at_b) {
            high = b, b = a, at_b = at_a;
            at_a = unlikely(z, label, n, K, exp(a = high - golden * (high - low)));
        } else {
            low = a, a = b, at_a = at_b;
            at_b = unlikely(z, label, n, K, exp(b = low + golden * (high - low)));
        }
    }
    return round(exp((low + high) / 2) * 1e4) / 1e4;
}

/* ---- thresholds ------------------------------------------------------------------------------------------------------------ */

typedef struct chooser {
    const snc_cascade_rows *r;
    double share;
    bool *right[SNC_NETS_MOST];  /* [n] */
    double *sure[SNC_NETS_MOST]; /* [n] by the rule under way */
    double *grid[SNC_NETS_MOST]; /* thresholds that are tried, infinity the last */
    int points[SNC_NETS_MOST];
    double bound[SEEN][SEEN]; /* that were computed, by worse and better; NaN: not yet */
    snc_cascade_choice best;
} chooser;

static double bound_of(chooser *s, int worse, int better)
{
    if (worse >= SEEN || better >= SEEN) return snc_pairs_bound(worse, better, s->r->n, 0.05);
    double *b = &s->bound[worse][better];
    if (isnan(*b)) *b = snc_pairs_bound(worse, better, s->r->n, 0.05);
    return *b;
}

void snc_cascade_steps(const double *us[SNC_NETS_MOST], const snc_cascade_rows *r, const snc_cascade *c)
{
    for (int k = 0; k < r->nets; k++) {
        const int before = snc_cascade_before(c, k);
        us[k] = before >= 0 && r->behind[k][before] ? r->behind[k][before] : r->us[k];
        if (!snc_cascade_asks(c, k)) us[k] = NULL;
    }
}

/* Fills in what comes of the thresholds; false: a limit of time is broken. */
static bool count(snc_cascade_choice *x, const chooser *s)
{
    const snc_cascade_rows *r = s->r;
    int late[SNC_CASCADE_LIMITS] = {0};
    const double *step[SNC_NETS_MOST];
    bool kept = true;
    snc_cascade_steps(step, r, &x->c);
    x->us = x->worse = x->better = 0;
    memset(x->rows, 0, sizeof x->rows);
    for (int i = 0; i < r->n; i++) {
        int k = x->c.nets - 1;
        double us = step[k] ? step[k][i] : 0;
        while (k && !(s->sure[k][i] >= x->c.threshold[k]))
            if (step[--k]) us += step[k][i];
        x->rows[k]++;
        x->us += us / r->n;
        x->worse += s->right[0][i] && !s->right[k][i];
        x->better += s->right[k][i] && !s->right[0][i];
        for (int j = 0; j < r->limits; j++) late[j] += us > r->limit[j].us;
    }
    for (int j = 0; j < r->limits && kept; j++)
        kept = r->limit[j].share > 0 ? late[j] <= (1 - r->limit[j].share) * r->n + 1e-9 : x->us <= r->limit[j].us;
    return kept;
}

/* By right answers where these are what counts, then by time, then by how few answers are others. */
static bool before(const snc_cascade_choice *a, const snc_cascade_choice *b, bool most_right)
{
    const int lost = (a->worse - a->better) - (b->worse - b->better);
    if (isinf(b->us)) return true; /* nothing keeps the limits so far */
    if (most_right && lost) return lost < 0;
    if (a->us != b->us) return a->us < b->us;
    return a->worse + a->better < b->worse + b->better;
}

static bool try_one(chooser *s, snc_cascade_choice *x)
{
    if (!count(x, s) || !before(x, &s->best, s->r->most_right)) return false;
    if (x->worse - x->better > s->share * s->r->n) return false;
    x->bound = bound_of(s, x->worse, x->better);
    if (x->bound > s->share) return false;
    s->best = *x;
    return true;
}

/* What there is before any threshold: the largest net alone, where it keeps the limits. */
static void begin(chooser *s)
{
    snc_cascade_choice x = {.c = {.nets = s->r->nets}};
    for (int k = 1; k < s->r->nets; k++) x.c.threshold[k] = (double)INFINITY;
    const bool kept = count(&x, s);
    x.c = (snc_cascade){.nets = 0};
    if (!kept) x.us = (double)INFINITY;
    s->best = x;
}

/* Every combination of the nets from k on. */
static void try_all(chooser *s, snc_cascade_choice *x, int k)
{
    for (int i = 0; k < x->c.nets && i < s->points[k]; i++) {
        x->c.threshold[k] = s->grid[k][i];
        if (k + 1 < x->c.nets) try_all(s, x, k + 1);
        else try_one(s, x);
    }
}

/* One net after the other, from all that take no part on. */
static void try_in_turn(chooser *s, snc_cascade_choice *x)
{
    bool changed = true;
    for (int k = 1; k < x->c.nets; k++) x->c.threshold[k] = (double)INFINITY;
    for (int round = 0; changed && round < ROUNDS; round++) {
        changed = false;
        for (int k = 1; k < x->c.nets; k++) {
            double kept = x->c.threshold[k];
            for (int i = 0; i < s->points[k]; i++) {
                x->c.threshold[k] = s->grid[k][i];
                if (try_one(s, x)) kept = x->c.threshold[k], changed = true;
            }
            x->c.threshold[k] = kept;
        }
    }
}

/* Of as many rows as there are, evenly. */
static void make_grid(chooser *s, int k, int most)
{
    double *g = s->grid[k];
    int used = 0;
    const int n = s->r->n, points = snc_min(n, most);
    memcpy(g, s->sure[k], (size_t)n * sizeof *g);
    snc_sort(g, n);
    for (int i = 0; i < points; i++) {
        const double v = floor(g[points > 1 ? (int)((double)i * (n - 1) / (points - 1)) : 0] * 1e6) / 1e6;
        if (used == 0 || v > g[used - 1]) g[used++] = v; /* never beyond the point that it comes from */
    }
    g[used++] = (double)INFINITY;
    s->points[k] = used;
}

static void choose(chooser *s, const double *temperature)
{
    const snc_cascade_rows *r = s->r;
    const int most = r->nets == 2 ? FINE : COARSE;
    for (int rule = 0; rule < SNC_CASCADE_RULES; rule++) {
        snc_cascade_choice x = {.c = {.nets = r->nets, .rule = (snc_cascade_rule)rule}};
        memcpy(x.c.temperature, temperature, (size_t)r->nets * sizeof *temperature);
        for (int k = 1; k < r->nets; k++) {
            for (int i = 0; i < r->n; i++)
                s->sure[k][i] = snc_cascade_sure(x.c.rule, r->z[k] + (size_t)i * (size_t)r->K, r->K, temperature[k]);
            make_grid(s, k, most);
        }
        if (r->nets <= EXHAUSTIVE) try_all(s, &x, 1);
        else try_in_turn(s, &x);
    }
}

snc_err snc_cascade_choose(snc_cascade_choice *out, const snc_cascade_rows *r, double share)
{
    snc_err err = SNC_OK;
    chooser s = {.r = r, .share = share};
    double temperature[SNC_NETS_MOST];
    const size_t n = (size_t)r->n;
    for (int i = 0; i < SEEN * SEEN; i++) s.bound[i / SEEN][i % SEEN] = (double)NAN;
    for (int k = 0; k < r->nets; k++) {
        SNC_GOTO(snc_alloc(&s.right[k], n, sizeof **s.right));
        SNC_GOTO(snc_alloc(&s.sure[k], n, sizeof **s.sure));
        SNC_GOTO(snc_alloc(&s.grid[k], n + 1, sizeof **s.grid));
        for (int i = 0; i < r->n; i++) s.right[k][i] = snc_class_best(r->z[k] + (size_t)i * (size_t)r->K, r->K) == (int)r->label[i];
        temperature[k] = snc_cascade_temperature(r->z[k], r->label, r->n, r->K);
    }
    begin(&s);
    choose(&s, temperature);
    *out = s.best;
out:
    for (int k = 0; k < r->nets; k++) {
        snc_free(s.right[k]);
        snc_free(s.sure[k]);
        snc_free(s.grid[k]);
    }
    return err;
}
