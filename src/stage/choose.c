/* The second look at the best of a search: another split, a real clock, then one is chosen. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "stage/exporting.h"

enum { ROUNDS = 5, LEAST_ROUNDS = 3, LEAST_SAMPLES = 3, BOOTSTRAP = 2000, LOOKS = 400 };

static const double CLOCKS_FOR = 20; /* seconds, of nets beside each other */

static const double AS_GOOD = 1.15; /* times the lowest loss on rank: what the rows of rank alone cannot tell from it */

static const double SLOW = 1.15; /* against its prediction and the others': measured once more, in new memory */

snc_err snc_pick_workload_check(int *batch, int *seq, const snc_options *o, const snc_bert_config *c)
{
    snc_int_list b, s;
    SNC_TRY(snc_parse_list(&b, "--batch", o->batch ? o->batch : "1", false));
    SNC_TRY(snc_parse_list(&s, "--seq-len", o->seq_len ? o->seq_len : "data", true));
    SNC_CHECK(b.n == 1, SNC_E_ARG, "--batch '%s': a target has one batch", o->batch);
    SNC_CHECK(s.n == 1, SNC_E_ARG, "--seq-len '%s': a target has one length", o->seq_len);
    SNC_CHECK(s.v[0] <= c->positions, SNC_E_ARG, "--seq-len %d: the model has %d positions", s.v[0], c->positions);
    *batch = b.v[0];
    *seq = s.v[0];
    return SNC_OK;
}

snc_err snc_pick_workload(snc_workload *out, const snc_ctx *ctx, const snc_options *o, const snc_dataset *rank, const snc_bert_config *c)
{
    int batch, seq;
    int32_t *lengths = NULL;
    SNC_TRY(snc_pick_workload_check(&batch, &seq, o, c));
    SNC_TRY(snc_alloc(&lengths, (size_t)rank->n, sizeof *lengths));
    for (int i = 0; i < rank->n; i++) lengths[i] = snc_dataset_len(rank, i);
    snc_err err = snc_workload_new(out, batch, seq, lengths, rank->n, c->vocab, ctx->seed);
    snc_free(lengths);
    return err;
}

/* A net as it will be delivered: cut out and packed by itself, not a view of the supernet. */
typedef struct entrant {
    snc_model *m;
    snc_weights *w;
    snc_net *net;
} entrant;

static void dismiss(entrant *e)
{
    snc_net_free(e->net);
    snc_weights_free(e->w);
    snc_model_free(e->m);
}

/* f NULL: the full-size INT8 net. */
static snc_err enter(entrant *e, const snc_pick *p, const snc_finalist *f, const snc_net_opts *no)
{
    snc_arch a = p->supernet->arch;
    snc_policy policy = snc_policy_int8();
    if (f) snc_cfg_decode(&a, &policy, p->space, &f->o.cfg);
    SNC_TRY(snc_model_extract(&e->m, p->supernet, &a));
    SNC_TRY(snc_weights_from_model(&e->w, p->work, e->m));
    return snc_net_create(&e->net, p->work, e->w, NULL, &policy, no);
}

/* Interleaved: in each round every finalist and the full-size INT8 net are timed once, each round in the other direction, so
 * that neither a drift nor a disturbance with the rounds' period falls on one of them; medians of rounds, of which a slow net has fewer. */
static snc_err clock_once(snc_finalist *f, int n, snc_pick *p, const char *what)
{
    snc_err err = SNC_OK;
    snc_workload w = {0};
    entrant e[SNC_FINALISTS + 1] = {{0}};
    double us[SNC_FINALISTS + 1][ROUNDS];
    snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    int rounds = 0;
    mo.seconds = 0.25;
    mo.min_samples = LEAST_SAMPLES;
    mo.warmup = 0.05;
    mo.max_samples = 2000;
    mo.percentile = p->o->percentile / 100;
    SNC_GOTO(snc_pick_workload(&w, p->work, p->o, p->in->splits.rank, &p->supernet->cfg));
    snc_net_opts no = {.max_tokens = w.max_tokens, .max_seqs = w.batch, .max_len = w.max_len};
    snc_progress(p->work, what, 0, ROUNDS * (n + 1), "%s", "");
    for (int i = 0; i <= n; i++) SNC_GOTO(enter(&e[i], p, i < n ? &f[i] : NULL, &no));
    for (double t0 = snc_now(); rounds < ROUNDS && (rounds < LEAST_ROUNDS || snc_now() - t0 < CLOCKS_FOR); rounds++)
        for (int k = 0; k <= n; k++) {
            snc_timing t;
            int i = rounds % 2 ? n - k : k;
            SNC_GOTO(snc_measure(&t, e[i].net, w.batches, w.count, &mo));
            us[i][rounds] = t.value;
            snc_progress(p->work, what, rounds * (n + 1) + k + 1, ROUNDS * (n + 1), "%.0f us", t.value);
        }
    for (int i = 0; i < n; i++) {
        snc_timing t;
        double ratio[ROUNDS];
        for (int r = 0; r < rounds; r++) ratio[r] = us[i][r] / us[n][r];
        snc_timing_of(&t, ratio, rounds, 0.5);
        f[i].ratio = t.median;
        snc_timing_of(&t, us[i], rounds, 0.5);
        f[i].us = t.median;
    }
out:
    for (int i = 0; i <= n; i++) dismiss(&e[i]);
    snc_workload_free(&w);
    return err;
}

/* A finalist far slower than its prediction, when the others are not, may have met a disturbance or unlucky pages: once seen,
 * 1.17x of the full net against a prediction of 0.65x, and 0.65x in every later process. The second reading counts. */
static snc_err clock_finalists(snc_finalist *f, int n, snc_pick *p, const char *what)
{
    SNC_TRY(clock_once(f, n, p, what));
    double off[SNC_FINALISTS];
    snc_timing t;
    for (int i = 0; i < n; i++) off[i] = f[i].us / f[i].o.latency_us;
    snc_timing_of(&t, off, n, 0.5);
    for (int i = 0; i < n; i++) {
        if (n < 3 || f[i].us / f[i].o.latency_us <= SLOW * t.median) continue;
        double first = f[i].us;
        SNC_TRY(clock_once(&f[i], 1, p, what));
        snc_log(p->ctx, SNC_LOG_INFO, "a net predicted at %.0f us took %.0f us; measured again: %.0f us", f[i].o.latency_us, first, f[i].us);
    }
    return SNC_OK;
}

/* Even shares of every width at full and at less depth: what searches end near. */
static int probes(snc_finalist *f, snc_pick *p)
{
    static const double share[] = {0.85, 0.7, 0.55};
    int n = 0, deepest = p->space->gene[0].n - 1;
    for (int d = deepest; d >= 0 && d >= deepest - 1; d--)
        for (int i = d < deepest; i < 3; i++) {
            snc_obs o = {.cfg = snc_cfg_uniform(p->space, share[i], d)};
            snc_pick_cost(p, &o);
            f[n++] = (snc_finalist){.o = o};
        }
    return n;
}

snc_err snc_pick_calibrate(cJSON **out, snc_pick *p)
{
    snc_finalist f[SNC_FINALISTS];
    int n = probes(f, p);
    SNC_TRY(clock_finalists(f, n, p, "calibration"));
    *out = cJSON_CreateArray();
    for (int i = 0; i < n; i++) {
        const double v[] = {f[i].o.latency_us, f[i].us, f[i].ratio};
        cJSON_AddItemToArray(*out, cJSON_CreateDoubleArray(v, 3));
    }
    return SNC_OK;
}

double snc_pick_factor(const cJSON *probed, double limit_us, bool relative, double full_us)
{
    const cJSON *it;
    double sum = 0, weights = 0;
    cJSON_ArrayForEach(it, probed)
    {
        double predicted = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 0)), us = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 1));
        double ratio = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 2)), off = fabs(predicted / limit_us - 1);
        double w = 1 / (0.05 + off);
        if (!(predicted > 0 && us > 0 && ratio > 0)) continue;
        sum += w * (relative ? ratio * full_us : us) / predicted;
        weights += w;
    }
    return weights > 0 ? sum / weights : 1;
}

/* ---- the second look ------------------------------------------------------------------------------------------------ */

/* Loss and score on select; row [n] the loss of each row there. */
static snc_err look(snc_finalist *f, double *row, snc_pick *p, const snc_obs *o)
{
    const snc_dataset *d = p->in->splits.select;
    size_t K = (size_t)p->supernet->cfg.classes;
    *f = (snc_finalist){.o = *o};
    SNC_TRY(snc_pick_look(&f->select_loss, &f->select_score, p, &o->cfg, d, p->teacher_select));
    for (size_t i = 0; i < (size_t)d->n; i++)
        row[i] = snc_step_distance(p->logits + i * K, p->teacher_select + i * K, 1, (int)K, snc_meaning_of(&p->supernet->cfg));
    return SNC_OK;
}

static double drop_of(const snc_pick *p, const snc_finalist *f) { return 100 * (p->teacher_select_score - f->select_score); }

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

/* Under limits on costs: of the lowest losses on rank within them, the lowest on rank and select together. A search takes what its
 * configs gain by chance on the rows of rank for gains: the very lowest there are alike, and need not be the best on other rows.
 * row: the slot after the finalists' is scratch. */
static snc_err lowest_losses(snc_finalist *out, int *n, double *row, snc_pick *p, const snc_obs *obs, int n_obs)
{
    const snc_obs *near[LOOKS];
    size_t rows = (size_t)p->in->splits.select->n;
    double *scratch = row + SNC_FINALISTS * rows;
    int looks = candidates(near, obs, n_obs);
    *n = 0;
    snc_progress(p->ctx, "second look", 0, looks, "%s", "");
    for (int i = 0; i < looks; i++) {
        snc_finalist f;
        int worst = 0;
        SNC_TRY(look(&f, scratch, p, near[i]));
        snc_progress(p->ctx, "second look", i + 1, looks, "loss %.4f on rank, %.4f on select", f.o.loss, f.select_loss);
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
static snc_err fastest_within_drop(snc_finalist *out, int *n, double *row, snc_pick *p, const snc_obs *obs, int n_obs)
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
        if (i > 0 && 100 * (p->teacher_rank_score - front[i]->metric) > p->asked.of[SNC_TARGET_DROP].value) continue;
        SNC_GOTO(look(&out[*n], row + (size_t)*n * (size_t)p->in->splits.select->n, p, front[i]));
        snc_progress(p->ctx, "second look", ++looks, on, "loss %.4f on select", out[*n].select_loss);
        if (drop_of(p, &out[*n]) <= p->asked.of[SNC_TARGET_DROP].value || i == 0) ++*n;
    }
    if (*n == 0 && on > 0) { /* all looks are spent on nets that lose more than rank had promised */
        SNC_GOTO(look(&out[0], row, p, front[0]));
        *n = 1;
    }
out:
    snc_free(front);
    return err;
}

double snc_pick_predicted(const snc_pick *p, const snc_obs *o) { return o->latency_us * p->factor; }

void snc_found_in_search(snc_found_of found[SNC_TARGETS], const snc_pick *p, const snc_finalist *f)
{
    for (int k = 0; k < SNC_COSTS; k++) found[k] = snc_found_exactly(snc_obs_cost(&f->o, k), p->full[k]);
    found[SNC_TARGET_LATENCY] = (snc_found_of){{f->us, f->us, f->us}, {f->ratio, f->ratio, f->ratio}};
    found[SNC_TARGET_DROP] = snc_found_exactly(drop_of(p, f), NAN);
}

static void judge(snc_finalist *f, const snc_pick *p)
{
    snc_found_of found[SNC_TARGETS];
    snc_found_in_search(found, p, f);
    f->miss = 0;
    for (int k = 0; k < SNC_TARGETS; k++) f->miss += snc_target_miss(k, &p->asked.of[k], &found[k]);
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
static snc_err mark_ties(snc_finalist *f, int n, const double *row, const snc_pick *p)
{
    int best = -1, rows = p->in->splits.select->n;
    for (int i = 0; i < n; i++)
        if (f[i].meets && (best < 0 || f[i].select_loss < f[best].select_loss)) best = i;
    for (int i = 0; i < n; i++) {
        f[i].tied = i == best;
        if (i == best || best < 0 || !f[i].meets) continue;
        SNC_TRY(same_loss(&f[i].tied, row + (size_t)i * (size_t)rows, row + (size_t)best * (size_t)rows, rows, p->ctx->seed));
    }
    return SNC_OK;
}

/* Before b. Clocks agree to a percent: below that, size decides. */
static bool before(const snc_finalist *a, const snc_finalist *b, const snc_pick *p)
{
    int cost = snc_asked_cost(&p->asked);
    bool by_drop = cost < 0, by_size = cost == SNC_COST_SIZE;
    if (a->meets != b->meets) return a->meets;
    if (!a->meets) return a->miss < b->miss;
    if (by_drop) return a->us < b->us;
    if (a->tied != b->tied) return a->tied;
    if (!a->tied) return a->select_loss < b->select_loss;
    if (!by_size && fabs(a->us / b->us - 1) > 0.01) return a->us < b->us;
    return a->o.bytes < b->o.bytes;
}

static void say_finalists(const snc_pick *p, const snc_finalist *f, int n)
{
    for (int i = 0; i < n; i++)
        snc_log(p->ctx, SNC_LOG_INFO, "finalist %d: loss %.4f on rank, %.4f on select, score %.2f (teacher %.2f), %.0f us = %.3fx (predicted %.0f us)%s",
                i + 1, f[i].o.loss, f[i].select_loss, 100 * f[i].select_score, 100 * p->teacher_select_score, f[i].us, f[i].ratio,
                snc_pick_predicted(p, &f[i].o), !f[i].meets ? ", misses a limit" : f[i].tied ? ", no different from the best" : "");
}

snc_err snc_pick_choose(snc_finalist out[SNC_FINALISTS], int *n, snc_pick *p, snc_obs *obs, int n_obs)
{
    bool limited = snc_asked_cost(&p->asked) >= 0;
    double *row = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&row, (SNC_FINALISTS + 1) * (size_t)p->in->splits.select->n, sizeof *row));
    snc_obs_sort(obs, n_obs);
    if (limited) SNC_GOTO(lowest_losses(out, n, row, p, obs, n_obs));
    else SNC_GOTO(fastest_within_drop(out, n, row, p, obs, n_obs));
    if (*n == 0) {
        snc_obs least;
        snc_log(p->ctx, SNC_LOG_WARN, "no config is within the limits: the smallest net of the space is the nearest");
        SNC_GOTO(snc_pick_observe(&least, p, &(snc_cfg){{0}}));
        SNC_GOTO(look(&out[(*n)++], row, p, &least));
    }
    SNC_GOTO(clock_finalists(out, *n, p, "finalists"));
    for (int i = 0; i < *n; i++) judge(&out[i], p);
    SNC_GOTO(mark_ties(out, *n, row, p));
    for (int i = 1; i < *n; i++)
        for (int k = i; k > 0 && before(&out[k], &out[k - 1], p); k--) {
            snc_finalist t = out[k];
            out[k] = out[k - 1];
            out[k - 1] = t;
        }
    say_finalists(p, out, *n);
out:
    snc_free(row);
    return err;
}
