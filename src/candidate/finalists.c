/* Looks on select, the clock, ties by a paired bootstrap, and an order. */
#include "candidate/finalists.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum { BOOTSTRAP = 2000, LOOKS = 400 };

static const double AS_GOOD = 1.15; /* times the lowest loss on rank: what the rows of rank alone cannot tell from it */

/* ---- the second look ------------------------------------------------------------------------------------------------ */

/* Loss and score on select; row [n] the loss of each row there. */
static snc_err look(snc_finalist *f, double *row, snc_evaluator *e, const snc_obs *o)
{
    const snc_dataset *d = e->in->splits.select;
    size_t K = (size_t)e->supernet->cfg.classes;
    *f = (snc_finalist){.o = *o};
    SNC_TRY(snc_evaluator_score(&f->select_loss, &f->select_score, e, &o->cfg, d, e->teacher_select));
    for (size_t i = 0; i < (size_t)d->n; i++)
        row[i] = snc_loss_to_teacher(e->logits + i * K, e->teacher_select + i * K, 1, (int)K, snc_meaning_of(&e->supernet->cfg));
    return SNC_OK;
}

static double drop_of(const snc_evaluator *e, const snc_finalist *f) { return 100 * (e->teacher_select_score - f->select_score); }

static double of_both(const snc_finalist *f) { return f->o.loss + f->select_loss; }

/* Within the limits, and on rank as good as the lowest; at least as many as there are finalists. obs: by ascending loss. */
static int candidates(const snc_obs *out[LOOKS], const snc_obs *obs, int n_obs)
{
    int n = 0;
    for (int i = 0; i < n_obs && n < LOOKS; i++) {
        if (isnan(obs[i].loss) || obs[i].point.violation > 0) continue;
        if (n >= SNC_FINALISTS && obs[i].loss > AS_GOOD * out[0]->loss) break;
        out[n++] = &obs[i];
    }
    return n;
}

static bool late(const snc_search_run *r) { return r->look_until > 0 && snc_now() >= r->look_until; }

/* Under limits on costs: of the lowest losses on rank within them, the lowest on rank and select together. A search takes what its
 * configs gain by chance on the rows of rank for gains: the very lowest there are alike, and need not be the best on other rows.
 * row: the slot after the finalists' is scratch. */
static snc_err lowest_losses(snc_finalist *out, int *n, double *row, const snc_search_run *r, const snc_obs *obs, int n_obs)
{
    const snc_obs *near[LOOKS];
    size_t rows = (size_t)r->e->in->splits.select->n;
    double *scratch = row + SNC_FINALISTS * rows;
    int looks = candidates(near, obs, n_obs);
    *n = 0;
    snc_progress(r->e->ctx, "second look", 0, looks, "%s", "");
    for (int i = 0; i < looks; i++) {
        snc_finalist f;
        int worst = 0;
        if (i >= SNC_FINALISTS && late(r)) break;
        SNC_TRY(look(&f, scratch, r->e, near[i]));
        snc_progress(r->e->ctx, "second look", i + 1, looks, "loss %.4f on rank, %.4f on select", f.o.loss, f.select_loss);
        for (int k = 1; k < *n; k++)
            if (of_both(&out[k]) > of_both(&out[worst])) worst = k;
        if (isnan(of_both(&f))) continue;
        if (*n < SNC_FINALISTS) worst = (*n)++;
        else if (!(of_both(&f) < of_both(&out[worst]))) continue;
        out[worst] = f;
        memcpy(row + (size_t)worst * rows, scratch, rows * sizeof *row);
    }
    return SNC_OK;
}

/* With a drop alone: along the front from the fast end, those that keep the drop on rank and on select as well; where none does,
 * the lowest loss. obs: by ascending loss, so that a config is on the front when it is faster than all before it. */
static snc_err fastest_within_drop(snc_finalist *out, int *n, double *row, const snc_search_run *r, const snc_obs *obs, int n_obs)
{
    const snc_obs **front = NULL;
    double fastest = INFINITY;
    int on = 0, looks = 0;
    snc_err err = SNC_OK;
    *n = 0;
    SNC_TRY(snc_alloc(&front, (size_t)n_obs, sizeof *front));
    for (int i = 0; i < n_obs; i++) {
        if (isnan(obs[i].loss) || obs[i].latency_us >= fastest) continue;
        fastest = obs[i].latency_us;
        front[on++] = &obs[i];
    }
    for (int i = on - 1; i >= 0 && *n < SNC_FINALISTS && looks < LOOKS; i--) {
        if (i > 0 && 100 * (r->e->teacher_rank_score - front[i]->metric) > r->targets->of[SNC_TARGET_DROP].value) continue;
        if (*n > 0 && late(r)) break;
        SNC_GOTO(look(&out[*n], row + (size_t)*n * (size_t)r->e->in->splits.select->n, r->e, front[i]));
        snc_progress(r->e->ctx, "second look", ++looks, on, "loss %.4f on select", out[*n].select_loss);
        if (drop_of(r->e, &out[*n]) <= r->targets->of[SNC_TARGET_DROP].value || i == 0) ++*n;
    }
    if (*n == 0 && on > 0) { /* all looks are spent on nets that lose more than rank had promised */
        SNC_GOTO(look(&out[0], row, r->e, front[0]));
        *n = 1;
    }
out:
    snc_free(front);
    return err;
}

void snc_finalist_attained(snc_attained found[SNC_TARGETS], const snc_evaluator *e, const snc_finalist *f)
{
    for (int k = 0; k < SNC_COSTS; k++) found[k] = snc_attained_exactly(snc_obs_cost(&f->o, k), e->full[k]);
    found[SNC_TARGET_LATENCY] = (snc_attained){{f->us, f->us, f->us}, {f->ratio, f->ratio, f->ratio}};
    found[SNC_TARGET_DROP] = snc_attained_exactly(drop_of(e, f), NAN);
}

static snc_err clock_finalists(snc_finalist *f, int n, const snc_search_run *r)
{
    const snc_net_clock clock = {r->work, r->o, r->e->in->splits.rank, r->e->supernet, r->e->space};
    snc_clocked net[SNC_FINALISTS];
    for (int i = 0; i < n; i++) net[i] = (snc_clocked){.cfg = f[i].o.cfg, .predicted_us = f[i].o.latency_us};
    SNC_TRY(snc_net_clock_run(net, n, &clock, "finalists"));
    for (int i = 0; i < n; i++) {
        f[i].us = net[i].us;
        f[i].ratio = net[i].ratio;
    }
    return SNC_OK;
}

static void judge(snc_finalist *f, const snc_search_run *r)
{
    snc_attained found[SNC_TARGETS];
    snc_finalist_attained(found, r->e, f);
    f->miss = 0;
    for (int k = 0; k < SNC_TARGETS; k++) f->miss += snc_target_miss(k, &r->targets->of[k], &found[k]);
    f->meets = f->miss <= 0;
}

typedef struct pair {
    const double *a, *b;
} pair;

static snc_err mean_difference(double *out, void *user, const int32_t *rows, int n)
{
    const pair *p = user;
    *out = 0;
    for (int i = 0; i < n; i++) *out += p->a[rows[i]] - p->b[rows[i]];
    return SNC_OK;
}

/* Whether the mean of a - b, row by row, may be zero: 95% of its bootstrap covers it. */
static snc_err same_loss(bool *out, const double *a, const double *b, int n, uint64_t seed)
{
    double draw[BOOTSTRAP];
    int drawn;
    snc_interval i = {0, 0, 0};
    SNC_TRY(snc_bootstrap(draw, &drawn, BOOTSTRAP, mean_difference, &(pair){a, b}, n, seed, 0x73616d65));
    if (drawn) snc_drawn_interval(&i, draw, drawn);
    *out = i.low <= 0 && i.high >= 0;
    return SNC_OK;
}

/* Marks those that the best is no better than. */
static snc_err mark_ties(snc_finalist *f, int n, const double *row, const snc_search_run *r)
{
    int best = -1, rows = r->e->in->splits.select->n;
    for (int i = 0; i < n; i++)
        if (f[i].meets && (best < 0 || f[i].select_loss < f[best].select_loss)) best = i;
    for (int i = 0; i < n; i++) {
        f[i].tied = i == best;
        if (i == best || best < 0 || !f[i].meets) continue;
        SNC_TRY(same_loss(&f[i].tied, row + (size_t)i * (size_t)rows, row + (size_t)best * (size_t)rows, rows, r->e->ctx->seed));
    }
    return SNC_OK;
}

/* Before b. Clocks agree to a percent: below that, size decides. */
static bool before(const snc_finalist *a, const snc_finalist *b, const snc_search_run *r)
{
    int cost = snc_targets_cost(r->targets);
    bool by_drop = cost < 0, by_size = cost == SNC_COST_SIZE;
    if (a->meets != b->meets) return a->meets;
    if (!a->meets) return a->miss < b->miss;
    if (by_drop) return a->us < b->us;
    if (a->tied != b->tied) return a->tied;
    if (!a->tied) return a->select_loss < b->select_loss;
    if (!by_size && fabs(a->us / b->us - 1) > 0.01) return a->us < b->us;
    return a->o.bytes < b->o.bytes;
}

static void say_finalists(const snc_search_run *r, const snc_finalist *f, int n)
{
    for (int i = 0; i < n; i++)
        snc_log(r->e->ctx, SNC_LOG_INFO,
                "finalist %d: loss %.4f on rank, %.4f on select, score %.2f (teacher %.2f), %.0f us = %.3fx (predicted %.0f us)%s", i + 1,
                f[i].o.loss, f[i].select_loss, 100 * f[i].select_score, 100 * r->e->teacher_select_score, f[i].us, f[i].ratio,
                snc_search_run_predicted_us(r, &f[i].o),
                !f[i].meets ? ", misses a limit"
                : f[i].tied ? ", no different from the best"
                            : "");
}

snc_err snc_finalists_select(snc_finalist out[SNC_FINALISTS], int *n, const snc_search_run *r, snc_obs *obs, int n_obs)
{
    bool limited = snc_targets_cost(r->targets) >= 0;
    double *row = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&row, (SNC_FINALISTS + 1) * (size_t)r->e->in->splits.select->n, sizeof *row));
    snc_obs_sort(obs, n_obs);
    if (limited) SNC_GOTO(lowest_losses(out, n, row, r, obs, n_obs));
    else SNC_GOTO(fastest_within_drop(out, n, row, r, obs, n_obs));
    if (*n == 0) {
        snc_obs least;
        snc_log(r->e->ctx, SNC_LOG_WARN, "no config is within the limits: the smallest net of the space is the nearest");
        SNC_GOTO(snc_evaluator_observe(&least, r->e, &(snc_cfg){{0}}));
        SNC_GOTO(look(&out[(*n)++], row, r->e, &least));
    }
    SNC_GOTO(clock_finalists(out, *n, r));
    for (int i = 0; i < *n; i++) judge(&out[i], r);
    SNC_GOTO(mark_ties(out, *n, row, r));
    for (int i = 1; i < *n; i++)
        for (int k = i; k > 0 && before(&out[k], &out[k - 1], r); k--) {
            snc_finalist t = out[k];
            out[k] = out[k - 1];
            out[k - 1] = t;
        }
    say_finalists(r, out, *n);
out:
    snc_free(row);
    return err;
}
