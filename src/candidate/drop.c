/* Exact where accuracy alone is asked, a paired bootstrap elsewhere, a reason where neither says anything. */
#include "candidate/drop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/task_score.h"
#include "base/mem.h"
#include "train/evaluate.h"

enum {
    DRAWS = 2000,
    FEW_ROWS = 10,  /* a bootstrap of fewer rows says little but about itself */
    FEW_DIFFER = 5, /* nor does one of fewer predictions that differ */
    DEFINED = DRAWS * 19 / 20
};

/* ---- what is compared ----------------------------------------------------------------------------------------------- */

typedef struct pair {
    const snc_ctx *ctx;
    const snc_task *task;
    const snc_dataset *d;
    const float *to, *of;     /* logits */
    float *to_says, *of_says; /* predictions [answers] */
    snc_redraw again;
    int K, n; /* answers */
} pair;

static bool accuracy_alone(const snc_task *t)
{
    return !snc_task_tags(t) && snc_task_metrics(t) == 1 && strcmp(snc_task_metric(t, 0), "accuracy") == 0;
}

static bool constant(const float *v, int n)
{
    for (int i = 1; i < n; i++)
        if (v[i] != v[0]) return false;
    return true;
}

static snc_err resampled_drop(double *out, void *user, const int32_t *rows, int n)
{
    pair *p = user;
    double to = 0, of = 0;
    SNC_TRY(snc_go_on(p->ctx));
    SNC_TRY(snc_redraw_score(&to, &p->again, p->to, rows, n));
    SNC_TRY(snc_redraw_score(&of, &p->again, p->of, rows, n));
    *out = 100 * (to - of);
    return SNC_OK;
}

/* ---- what is said of it --------------------------------------------------------------------------------------------- */

static void exact(snc_drop *out, const pair *p)
{
    int worse = 0, better = 0, n = p->n;
    for (int i = 0; i < n; i++) {
        bool to = p->to_says[i] == p->d->target[i], of = p->of_says[i] == p->d->target[i];
        worse += to && !of;
        better += of && !to;
    }
    snc_interval share = snc_pairs_interval(worse, better, n);
    out->points.low = 100 * share.low;
    out->points.high = 100 * share.high;
    out->bound = 100 * snc_pairs_bound(worse, better, n, 0.05);
    out->least = -100 * snc_pairs_bound(better, worse, n, 0.05);
    out->error = 100 * sqrt(((double)(worse + better) / n - share.value * share.value) / n);
}

static snc_err resampled(snc_drop *out, pair *p, const snc_ctx *ctx)
{
    double *draw = NULL;
    int defined = 0;
    SNC_TRY(snc_alloc(&draw, DRAWS, sizeof *draw));
    snc_err err = snc_bootstrap(draw, &defined, DRAWS, resampled_drop, p, p->d->n, ctx->seed, 0x626f6f74);
    if (!err && defined < DEFINED)
        snprintf(out->unsaid, sizeof out->unsaid, "%.0f%% of resamples of the rows have no score", 100 - 100.0 * defined / DRAWS);
    else if (!err) {
        snc_drawn_interval(&out->points, draw, defined);
        out->bound = draw[defined - 1 - defined / 20];
        out->least = draw[defined / 20];
        out->error = snc_standard_error(draw, defined) * sqrt(defined);
    }
    snc_free(draw);
    return err;
}

/* Whether the rows can say anything of others; if not, why. */
static bool says_something(snc_drop *out, const pair *p)
{
    int n = p->n;
    bool classes = !snc_task_regression(p->task);
    if (n < 2) snprintf(out->unsaid, sizeof out->unsaid, "one row says nothing of others");
    else if (constant(p->d->target, n)) snprintf(out->unsaid, sizeof out->unsaid, "every row has the same %s", classes ? "label" : "value");
    else if (isnan(out->points.value)) snprintf(out->unsaid, sizeof out->unsaid, "a score has no value: the predictions are all the same");
    else if (!accuracy_alone(p->task) && n < FEW_ROWS) snprintf(out->unsaid, sizeof out->unsaid, "%d rows are too few", n);
    else if (!accuracy_alone(p->task) && classes && out->differ < FEW_DIFFER)
        snprintf(out->unsaid, sizeof out->unsaid,
                 "%d of %d predictions differ, too few for an interval; at 95%% they do on at most %.2f%% of rows", out->differ, n,
                 100 * snc_pairs_bound(out->differ, 0, n, 0.05));
    return !out->unsaid[0];
}

snc_err snc_drop_of(snc_drop *out, const snc_ctx *ctx, const snc_task *task, const snc_dataset *d, const float *to, double to_score,
                    const float *of, double of_score, int K)
{
    snc_err err = SNC_OK;
    size_t n = (size_t)snc_dataset_answers(d);
    snc_sets *seen = NULL;
    pair p = {.ctx = ctx, .task = task, .d = d, .to = to, .of = of, .K = K, .n = (int)n};
    *out = (snc_drop){.points = {100 * (to_score - of_score), NAN, NAN}, .bound = NAN, .least = NAN, .error = NAN, .n = (int)n};
    SNC_GOTO(snc_alloc(&p.to_says, n, sizeof *p.to_says));
    SNC_GOTO(snc_alloc(&p.of_says, n, sizeof *p.of_says));
    SNC_GOTO(snc_redraw_init(&p.again, task, d, K));
    if (d->sets) SNC_GOTO(snc_sets_dup(&seen, d->sets));
    SNC_GOTO(snc_task_answers(p.to_says, seen, to, p.n, K));
    SNC_GOTO(snc_task_answers(p.of_says, seen, of, p.n, K));
    for (int i = 0; i < p.n; i++) out->differ += p.to_says[i] != p.of_says[i];
    if (to == of) { /* a model is no worse than itself, on any row */
        out->points = (snc_interval){0, 0, 0};
        out->bound = out->least = out->error = 0;
    } else if (says_something(out, &p)) {
        if (accuracy_alone(task)) exact(out, &p);
        else SNC_GOTO(resampled(out, &p, ctx));
    }
out:
    snc_sets_free(seen);
    snc_free(p.to_says);
    snc_free(p.of_says);
    snc_redraw_dispose(&p.again);
    return err;
}

/* ---- margins -------------------------------------------------------------------------------------------------------- */

snc_margin snc_drop_margin(const snc_drop *d, double margin)
{
    return d->bound <= margin ? SNC_MARGIN_SHOWN : d->least > margin ? SNC_MARGIN_REFUTED : SNC_MARGIN_OPEN;
}

double snc_drop_rows(const snc_drop *d, double margin)
{
    double rows = snc_rows_needed(d->error, d->n, margin), three = margin > 0 && margin < 100 ? log(0.05) / log1p(-margin / 100) : 1;
    if (!(d->bound > margin) || d->points.value > margin || !isfinite(rows)) return (double)NAN;
    rows = ceil(fmax(rows, three));
    double tidy = pow(10, fmax(floor(log10(rows)) - 1, 0));
    rows = ceil(rows / tidy) * tidy;
    return rows > d->n ? rows : (double)NAN;
}

/* "9,900". */
static void with_commas(char buf[32], double v)
{
    char digits[32];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%.0f", v), at = 0;
    for (size_t i = 0; i < n && at + 2 < 32; i++) {
        if (i && (n - i) % 3 == 0) buf[at++] = ',';
        buf[at++] = digits[i];
    }
    buf[at] = 0;
}

void snc_drop_say_rows(char buf[SNC_DROP_SAID], const snc_drop *d, double margin)
{
    char have[32], need[32];
    double rows = snc_drop_rows(d, margin);
    buf[0] = 0;
    if (isnan(rows)) return;
    with_commas(have, d->n);
    with_commas(need, rows);
    snprintf(buf, SNC_DROP_SAID, "%s rows are too few to show it of an equal model that differs as often: that needs about %s rows", have,
             need);
}
