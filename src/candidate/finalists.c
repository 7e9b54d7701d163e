/* Looks on fresh rows, select, the clock, and an order by bounds. */
#include "candidate/finalists.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/stats.h"
#include "candidate/far_clock.h"
#include "models/cutoff.h"

enum { LOOKS = 400, SEQUENCE = 12 };

static const double ONE_SIDED = 1.645; /* standard errors to a bound at 95 % */
static const double AS_GOOD = 1.15;    /* times the lowest loss on rank: what the rows of rank alone cannot tell from it */

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

snc_err snc_finalists_fresh_loss(double *loss, double *most, snc_evaluator *e, const snc_arch *a, const snc_policy *policy)
{
    const int from = e->fresh.n / SNC_FRESH;
    const size_t K = (size_t)e->supernet->cfg.classes;
    const snc_dataset d = snc_evaluator_fresh_rows(e, true);
    const float *teacher = e->teacher_fresh + (size_t)snc_dataset_answer(&e->fresh, from) * K;
    double sum = 0, squares = 0;
    SNC_TRY(snc_evaluator_loss(loss, e, a, policy, &d, teacher));
    for (size_t i = 0; i < (size_t)snc_dataset_answers(&d); i++) {
        double row = snc_loss_to_teacher(e->logits + i * K, teacher + i * K, 1, (int)K, snc_meaning_of(&e->supernet->cfg));
        sum += row;
        squares += row * row;
    }
    *most = *loss + ONE_SIDED * snc_standard_error_of_sums(sum, squares, (int)snc_dataset_answers(&d));
    return SNC_OK;
}

static snc_err on_fresh(snc_finalist *f, snc_evaluator *e)
{
    snc_arch a;
    snc_policy policy;
    snc_cfg_decode(&a, &policy, e->space, &f->o.cfg);
    return snc_finalists_fresh_loss(&f->fresh_loss, &f->fresh_most, e, &a, &policy);
}

/* As the task's threshold cuts them, of a multilabel task. */
static snc_err drop_on_select(snc_drop *out, const snc_evaluator *e, double score)
{
    const snc_dataset *d = e->in->splits.select;
    const int K = e->supernet->cfg.classes;
    const size_t n = snc_dataset_logits(d, K);
    const float cut = d->sets ? (float)snc_threshold_logit(e->threshold) : 0;
    float *to = NULL;
    if (e->supernet->cfg.vector) { /* of the teacher's vectors to themselves: no row differs by chance */
        out->points.value = 100 * (e->teacher_select_score - score);
        return SNC_OK;
    }
    SNC_TRY(snc_alloc(&to, 2 * n, sizeof *to));
    for (size_t i = 0; i < n; i++) {
        to[i] = e->teacher_select[i] - cut;
        to[n + i] = e->logits[i] - cut;
    }
    snc_err err = snc_drop_of(out, e->ctx, e->in->task, d, to, e->teacher_select_score, to + n, score, K);
    snc_free(to);
    return err;
}

static snc_err on_select(snc_finalist *f, snc_evaluator *e)
{
    SNC_TRY(snc_evaluator_score(&f->select_loss, &f->select_score, e, &f->o.cfg, e->in->splits.select, e->teacher_select));
    f->drop = (snc_drop){.points = {NAN, NAN, NAN}, .bound = NAN, .least = NAN, .error = NAN};
    return isnan(f->select_loss) ? SNC_OK : drop_on_select(&f->drop, e, f->select_score);
}

/* ---- the second look ------------------------------------------------------------------------------------------------ */

static double of_both(const snc_finalist *f) { return f->o.loss + f->look_loss; }

/* Within the limits and most_us, and on rank as good as the lowest; at least as many as there are finalists. obs: by ascending loss. */
static int candidates(const snc_obs *out[LOOKS], const snc_obs *obs, int n_obs, double most_us)
{
    int n = 0;
    for (int i = 0; i < n_obs && n < LOOKS; i++) {
        if (isnan(obs[i].loss) || obs[i].point.violation > 0 || obs[i].latency_us > most_us) continue;
        if (n >= SNC_FINALISTS && obs[i].loss > AS_GOOD * out[0]->loss) break;
        out[n++] = &obs[i];
    }
    return n;
}

static bool late(const snc_search_run *r) { return r->look_until > 0 && snc_now() >= r->look_until; }

/* Under limits on costs: of the lowest losses on rank within them, the lowest on rank and fresh rows together. A search takes what its
 * configs gain by chance on the rows of rank for gains: the very lowest there are alike, and need not be the best on other rows. */
static snc_err lowest_losses(snc_finalist *out, int *n, const snc_search_run *r, const snc_obs *obs, int n_obs, double most_us)
{
    const snc_obs *near[LOOKS];
    const snc_dataset fresh = snc_evaluator_fresh_rows(r->e, false);
    int looks = candidates(near, obs, n_obs, most_us);
    *n = 0;
    snc_progress(r->e->ctx, "second look", 0, looks, "%s", "");
    for (int i = 0; i < looks; i++) {
        snc_finalist f = {.o = *near[i]};
        snc_arch a;
        snc_policy policy;
        int worst = 0;
        if (i >= SNC_FINALISTS && late(r)) break;
        snc_cfg_decode(&a, &policy, r->e->space, &f.o.cfg);
        SNC_TRY(snc_evaluator_loss(&f.look_loss, r->e, &a, &policy, &fresh, r->e->teacher_fresh));
        snc_progress(r->e->ctx, "second look", i + 1, looks, "loss %.4f on rank, %.4f on fresh rows", f.o.loss, f.look_loss);
        for (int k = 1; k < *n; k++)
            if (of_both(&out[k]) > of_both(&out[worst])) worst = k;
        if (isnan(of_both(&f))) continue;
        if (*n < SNC_FINALISTS) worst = (*n)++;
        else if (!(of_both(&f) < of_both(&out[worst]))) continue;
        out[worst] = f;
    }
    for (int i = 0; i < *n; i++) SNC_TRY(on_select(&out[i], r->e));
    return SNC_OK;
}

/* Those of a front that keep the drop by their score on rank, evenly over it, the lowest loss first: at most SEQUENCE. obs: by ascending
 * loss, so that a config is on the front when it is faster than all before it. */
static int sequence(const snc_obs *out[SEQUENCE], const snc_obs **front, const snc_search_run *r, const snc_obs *obs, int n_obs)
{
    double fastest = INFINITY;
    int on = 0, n;
    for (int i = 0; i < n_obs; i++) {
        if (isnan(obs[i].loss) || obs[i].latency_us >= fastest) continue;
        fastest = obs[i].latency_us;
        if (on == 0 || 100 * (r->e->teacher_rank_score - obs[i].metric) <= r->targets->of[SNC_TARGET_DROP].value) front[on++] = &obs[i];
    }
    n = snc_min(on, SEQUENCE);
    for (int i = 0; i < n; i++) out[i] = front[n > 1 ? i * (on - 1) / (n - 1) : 0];
    return n;
}

/* With a drop alone: along the front from the lowest loss, as long as each keeps it on select by its bound; the last of those. Where the
 * first does not, that one. */
static snc_err fastest_within_drop(snc_finalist *out, int *n, const snc_search_run *r, const snc_obs *obs, int n_obs)
{
    const snc_obs **front = NULL, *asked[SEQUENCE];
    snc_err err = SNC_OK;
    *n = 0;
    SNC_TRY(snc_alloc(&front, (size_t)n_obs, sizeof *front));
    int looks = sequence(asked, front, r, obs, n_obs);
    for (int i = 0; i < looks && !(*n > 0 && late(r)); i++) {
        snc_finalist f = {.o = *asked[i]};
        SNC_GOTO(on_select(&f, r->e));
        snc_progress(r->e->ctx, "second look", i + 1, looks, "at most %.2f points worse on select", f.drop.bound);
        bool keeps = f.drop.bound <= r->targets->of[SNC_TARGET_DROP].value;
        if (i > 0 && !keeps) break;
        if (*n == SNC_FINALISTS) memmove(out, out + 1, (size_t)-- * n * sizeof *out);
        out[(*n)++] = f;
        if (!keeps) break;
    }
out:
    snc_free(front);
    return err;
}

void snc_finalist_attained(snc_attained found[SNC_TARGETS], const snc_evaluator *e, const snc_finalist *f)
{
    for (int k = 0; k < SNC_COSTS; k++) found[k] = snc_attained_exactly(snc_obs_cost(&f->o, k), e->full[k]);
    found[SNC_TARGET_LATENCY] = (snc_attained){{f->us, f->us, f->us}, {f->ratio, f->ratio, f->ratio}};
    found[SNC_TARGET_DROP] = (snc_attained){.value = {f->drop.points.value, f->drop.points.low, f->drop.bound}};
}

/* By who measures k-th. */
static snc_err clock_on(snc_finalist *f, int n, const snc_search_run *r, int k)
{
    const snc_net_clock clock = {r->work, &r->o->workload, r->e->in->splits.rank, r->e->supernet, r->e->space};
    snc_clocked net[SNC_FINALISTS];
    snc_far_clock *far;
    for (int i = 0; i < n; i++) {
        snc_arch a;
        snc_policy policy;
        snc_cfg_decode(&a, &policy, r->e->space, &f[i].o.cfg);
        net[i] = (snc_clocked){.cfg = f[i].o.cfg, .predicted_us = snc_latency_predict(r->e->table[k], &a, &policy)};
    }
    SNC_TRY(snc_far_clock_open(&far, r->work, k));
    snc_err err = far ? snc_far_clock_nets(net, n, far, &clock, "finalists") : snc_net_clock_run(net, n, &clock, "finalists");
    snc_far_clock_close(far);
    for (int i = 0; i < n && !err; i++) {
        f[i].on[k].us = net[i].us;
        f[i].on[k].ratio = net[i].ratio;
        f[i].us = k ? fmax(f[i].us, net[i].us) : net[i].us;
        f[i].ratio = k ? fmax(f[i].ratio, net[i].ratio) : net[i].ratio;
    }
    return err;
}

/* Who scores cannot be called to measure. */
static snc_err clock_finalists(snc_finalist *f, int n, const snc_search_run *r)
{
    const bool far = snc_clock_host(r->work->comm, 0) != NULL, shared = r->e->shared != NULL;
    if (far && shared) snc_evaluator_release(r->e);
    for (int k = 0; k < r->e->tables; k++) SNC_TRY(clock_on(f, n, r, k));
    return far && shared ? snc_evaluator_share(r->e) : SNC_OK;
}

static void judge(snc_finalist *f, const snc_search_run *r)
{
    snc_attained found[SNC_TARGETS];
    snc_finalist_attained(found, r->e, f);
    f->miss = 0;
    for (int k = 0; k < SNC_COSTS; k++) f->miss += snc_target_miss(k, &r->targets->of[k], &found[k]);
    f->meets = f->miss <= 0 && snc_target_holds(&r->targets->of[SNC_TARGET_DROP], &found[SNC_TARGET_DROP]);
}

/* A drop on select is not among it: to choose by it would be to choose by chance. */
static bool before(const snc_finalist *a, const snc_finalist *b, bool by_drop)
{
    if (a->miss != b->miss) return a->miss < b->miss;
    if (!by_drop && a->fresh_most != b->fresh_most) return a->fresh_most < b->fresh_most;
    return a->us != b->us ? a->us < b->us : a->o.bytes < b->o.bytes;
}

static void say_finalists(const snc_search_run *r, const snc_finalist *f, int n)
{
    for (int i = 0; i < n; i++)
        snc_log(r->e->ctx, SNC_LOG_INFO,
                "finalist %d: loss %.4f on rank, %.4f on fresh rows (at most %.4f), %.4f on select, score %.2f (teacher %.2f), %.0f us = "
                "%.3fx (predicted %.0f us)%s",
                i + 1, f[i].o.loss, f[i].fresh_loss, f[i].fresh_most, f[i].select_loss, 100 * f[i].select_score,
                100 * r->e->teacher_select_score, f[i].us, f[i].ratio, snc_search_run_predicted_us(r, &f[i].o),
                f[i].meets ? "" : ", misses a limit");
}

/* Of those that were looked at the first is the choice. */
static snc_err put_in_order(snc_finalist *out, int n, const snc_search_run *r, bool by_drop)
{
    for (int i = 0; i < n; i++) SNC_TRY(on_fresh(&out[i], r->e));
    SNC_TRY(clock_finalists(out, n, r));
    for (int i = 0; i < n; i++) judge(&out[i], r);
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && before(&out[k], &out[k - 1], by_drop); k--) {
            snc_finalist t = out[k];
            out[k] = out[k - 1];
            out[k - 1] = t;
        }
    say_finalists(r, out, n);
    return SNC_OK;
}

/* What a net may take by the table so that it keeps the latency on the clock, by what the finalists take of what the table says. */
static double latency_by_clock(const snc_finalist *f, int n, const snc_search_run *r)
{
    const snc_target *t = &r->targets->of[SNC_TARGET_LATENCY];
    const double full = r->e->full[SNC_COST_LATENCY];
    double of[SNC_FINALISTS];
    for (int i = 0; i < n; i++) of[i] = (t->relative ? f[i].ratio * full : f[i].us) / f[i].o.latency_us;
    return snc_target_limit(SNC_TARGET_LATENCY, t, full) / snc_median(of, n);
}

/* Where the clock shows that all of them miss the latency, the table was wrong for what the search took to be near it: once more, among
 * those that keep it by the clock. */
static snc_err look_again(snc_finalist *out, int *n, const snc_search_run *r, const snc_obs *obs, int n_obs)
{
    snc_finalist f[SNC_FINALISTS];
    const double most_us = latency_by_clock(out, *n, r);
    int found;
    if (most_us >= r->limits.latency_us || late(r)) return SNC_OK;
    SNC_TRY(lowest_losses(f, &found, r, obs, n_obs, most_us));
    if (found == 0) return SNC_OK;
    snc_log(r->e->ctx, SNC_LOG_INFO, "finalists: none keeps the latency on the clock; %d more, of at most %.0f us by the table", found,
            most_us);
    SNC_TRY(put_in_order(f, found, r, false));
    if (!before(&f[0], &out[0], false)) return SNC_OK;
    memcpy(out, f, sizeof f);
    *n = found;
    return SNC_OK;
}

snc_err snc_finalists_select(snc_finalist out[SNC_FINALISTS], int *n, const snc_search_run *r, snc_obs *obs, int n_obs)
{
    const bool limited = snc_targets_cost(r->targets) >= 0;
    bool any;
    assert(r->e->teacher_fresh);
    snc_obs_sort(obs, n_obs);
    SNC_TRY(limited ? lowest_losses(out, n, r, obs, n_obs, INFINITY) : fastest_within_drop(out, n, r, obs, n_obs));
    any = *n > 0;
    if (!any) {
        snc_log(r->e->ctx, SNC_LOG_WARN, "no config is within the limits: the smallest net of the space is the nearest");
        out[*n] = (snc_finalist){.look_loss = NAN};
        SNC_TRY(snc_evaluator_observe(&out[*n].o, r->e, &(snc_cfg){{0}}));
        SNC_TRY(on_select(&out[(*n)++], r->e));
    }
    SNC_TRY(put_in_order(out, *n, r, !limited));
    return any && r->targets->of[SNC_TARGET_LATENCY].given && out[0].miss > 0 ? look_again(out, n, r, obs, n_obs) : SNC_OK;
}
