/* Seeds and rows: each has its variance, and the degrees of freedom that it is known with. */
#include "report/pooled.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/task_score.h"
#include "base/mem.h"
#include "candidate/drop.h"

enum { DRAWS = 1000 };
static const double NORMAL = 1.959964; /* half of a 95 % interval in standard errors */

typedef struct seeds {
    const snc_ctx *ctx;
    const snc_task *task;
    const snc_dataset *d;
    const float *const *to, *const *of;
    int S, K;
    snc_redraw again;
} seeds;

static snc_err mean_drop(double *out, void *user, const int32_t *rows, int n)
{
    seeds *p = user;
    *out = 0;
    SNC_TRY(snc_go_on(p->ctx));
    for (int s = 0; s < p->S; s++) {
        double to, of;
        SNC_TRY(snc_redraw_score(&to, &p->again, p->to[s], rows, n));
        SNC_TRY(snc_redraw_score(&of, &p->again, p->of[s], rows, n));
        *out += 100 * (to - of) / p->S;
    }
    return SNC_OK;
}

/* Of the mean drop, over resamples of the rows that have one. */
static snc_err bootstrapped(double *se, seeds *p)
{
    double draw[DRAWS], mean;
    int n = 0;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_redraw_init(&p->again, p->task, p->d, p->K));
    SNC_GOTO(snc_bootstrap(draw, &n, DRAWS, mean_drop, p, p->d->n, p->ctx->seed, 0x706f6f6c));
    *se = n > 1 ? snc_standard_error(draw, n) * sqrt(n) : (double)NAN;
    mean = n ? snc_mean(draw, n) : (double)NAN;
    if (!isfinite(mean)) *se = (double)NAN;
out:
    snc_redraw_dispose(&p->again);
    return err;
}

static void settle(snc_pooled *p)
{
    const double rows = p->rows_se * p->rows_se, other = isfinite(p->seeds_se) ? p->seeds_se * p->seeds_se : 0, all = rows + other;
    const double per = rows * rows / p->rows_free + (other > 0 ? other * other / p->seeds_free : 0);
    const double half = all > 0 ? snc_student((int)fmin(all * all / per + 1e-9, 1e6)) * sqrt(all) : 0;
    p->points.low = p->points.value - half;
    p->points.high = p->points.value + half;
}

/* Each seed by itself: its drop, and the mean half of the intervals of those that say something; where none does, or a drop has no
 * value, why. */
static snc_err each_seed(double *drop, double *half, snc_pooled *out, const seeds *p)
{
    int said = 0;
    bool valued = true;
    *half = 0;
    for (int s = 0; s < p->S; s++) {
        snc_drop one;
        double to, of;
        SNC_TRY(snc_task_score(&to, NULL, p->task, p->to[s], p->d, p->K));
        SNC_TRY(snc_task_score(&of, NULL, p->task, p->of[s], p->d, p->K));
        SNC_TRY(snc_drop_of(&one, p->ctx, p->task, p->d, p->to[s], to, p->of[s], of, p->K));
        drop[s] = one.points.value;
        valued = valued && !isnan(drop[s]);
        if (s == 0) out->points = one.points;
        if (one.unsaid[0] && (!out->unsaid[0] || isnan(drop[s]))) snprintf(out->unsaid, sizeof out->unsaid, "%s", one.unsaid);
        if (one.unsaid[0]) continue;
        *half += (one.points.high - one.points.low) / 2;
        said++;
    }
    if (said && valued) out->unsaid[0] = 0;
    *half /= said ? said : 1;
    return SNC_OK;
}

snc_err snc_pooled_drop(snc_pooled *out, const snc_ctx *ctx, const snc_task *task, const snc_dataset *d, const float *const *to,
                        const float *const *of, int S, int K)
{
    seeds p = {.ctx = ctx, .task = task, .d = d, .to = to, .of = of, .S = S, .K = K};
    double *drop = NULL, half;
    snc_err err = SNC_OK;
    *out = (snc_pooled){.rows_se = NAN, .seeds_se = NAN, .rows_free = fmax(1, d->n - 1), .seeds_free = S - 1};
    SNC_GOTO(snc_alloc(&drop, (size_t)S, sizeof *drop));
    SNC_GOTO(each_seed(drop, &half, out, &p));
    if (S == 1 && !out->unsaid[0]) out->rows_se = half / NORMAL;
    if (S == 1) goto out;
    out->points = (snc_interval){snc_mean(drop, S), NAN, NAN};
    if (out->unsaid[0]) goto out;
    SNC_GOTO(bootstrapped(&out->rows_se, &p));
    out->rows_se = fmax(out->rows_se, half / NORMAL / sqrt(S));
    out->seeds_se = snc_standard_error(drop, S);
    settle(out);
out:
    snc_free(drop);
    return err;
}

void snc_pooled_average(snc_pooled *out, const snc_pooled *v, int n)
{
    double value = 0, rows = 0, others = 0, rows_free = 0, others_free = 0;
    *out = (snc_pooled){.rows_se = NAN, .seeds_se = NAN};
    for (int i = 0; i < n; i++) {
        const double r = v[i].rows_se * v[i].rows_se, s = isfinite(v[i].seeds_se) ? v[i].seeds_se * v[i].seeds_se : 0;
        value += v[i].points.value / n;
        rows += r;
        others += s;
        rows_free += r * r / v[i].rows_free;
        others_free += s > 0 ? s * s / v[i].seeds_free : 0;
        if (v[i].unsaid[0] && !out->unsaid[0]) snprintf(out->unsaid, sizeof out->unsaid, "%s", v[i].unsaid);
    }
    out->points = (snc_interval){value, NAN, NAN};
    if (out->unsaid[0]) return;
    out->rows_se = sqrt(rows) / n;
    out->seeds_se = others > 0 ? sqrt(others) / n : (double)NAN;
    out->rows_free = rows_free > 0 ? rows * rows / rows_free : 1;
    out->seeds_free = others_free > 0 ? others * others / others_free : 0;
    settle(out);
}
