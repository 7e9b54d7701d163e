/* LINAS (Cummings et al. 2022, arXiv 2205.10358, algorithm 1): measure a population, learn predictors from all that was
 * measured, search on the predictors, measure the best of what that found, repeat.
 *
 * As published: a first population of 50, ridge or RBF-SVR by cross-validated error, an inner NSGA-II of 20,000 predicted
 * evaluations. Ours: costs are exact, never predicted; a round proposes only what was never measured, and of that the configs
 * which together widen the measured front most (gain.h), up to the worst that is of use; the first population is 32 and rounds
 * are of 5, since learning costs less than measuring; a share of each goes to the configs that the bootstrap is least sure to
 * be worse; a space of no more configs than inner evaluations is predicted whole; and it stops when the hypervolume of what was
 * measured stalls.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "search/surrogate.h"

enum { INNER_ASK = 50, SEEDS = 50, SHORT_LIST = 300 };
static const double NEARBY = 0.2;   /* genes of a seed that are drawn anew */
static const double OPTIMISM = 2.0; /* deviations below the prediction at which an unsure config is judged */

typedef struct linas {
    snc_proposals made;
    snc_surrogate model;
    int population, batch, inner, stall;
    bool small; /* few enough configs to predict them all */
    double explore, gain;
    const char *inner_name; /* the registry's */
    snc_cfg *queue;         /* [batch] */
    int queued, taken;
    double level;    /* hypervolume that counts as the last progress */
    size_t level_at; /* told by then */
} linas;

/* What the inner search saw: every config within the limits that was never measured. */
typedef struct findings {
    snc_cfg_set cfg;
    snc_point *point;
    size_t cap;
} findings;

static void destroy(void *state)
{
    linas *s = state;
    snc_proposals_dispose(&s->made);
    snc_surrogate_dispose(&s->model);
    snc_free(s->queue);
    snc_free(s);
}

static snc_err read_params(linas *s, const cJSON *j)
{
    static const char *const keys[] = {"name",  "population", "batch",    "inner",     "inner_evals", "explore",
                                       "stall", "stall_gain", "features", "predictor", NULL};
    static const char where[] = "search linas";
    const char *inner;
    snc_features f;
    if (j) SNC_TRY(snc_json_check_keys(j, keys, where));
    SNC_TRY(snc_surrogate_init(&s->model, &s->made.problem, j, where));
    /* A small space needs no more rows than its models have numbers. */
    snc_features_init(&f, s->made.problem.space, s->model.opts.onehot);
    int enough = f.d < 20 ? 20 : f.d < 32 ? f.d : 32;
    SNC_TRY(snc_json_int(&s->population, j, "population", enough, 4, 10000, where));
    SNC_TRY(snc_json_int(&s->batch, j, "batch", 5, 1, 10000, where));
    SNC_TRY(snc_json_int(&s->inner, j, "inner_evals", 20000, 100, 10000000, where));
    s->small = snc_space_count(s->made.problem.space, s->inner) > 0;
    SNC_TRY(snc_json_double(&s->explore, j, "explore", 0.2, 0, 1, where));
    SNC_TRY(snc_json_int(&s->stall, j, "stall", 200, 0, 10000000, where));
    SNC_TRY(snc_json_double(&s->gain, j, "stall_gain", 0.001, 0, 1, where));
    SNC_TRY(snc_json_str(&inner, j, "inner", "nsga2", where));
    for (int i = 0; snc_search_name(i); i++)
        if (strcmp(inner, snc_search_name(i)) == 0) s->inner_name = snc_search_name(i);
    SNC_CHECK(s->inner_name, SNC_E_NOTFOUND, "%s: 'inner': there is no search '%.60s'", where, inner);
    return SNC_OK;
}

static snc_err create(void **state, const cJSON *params, const snc_problem *p)
{
    linas *s = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    SNC_GOTO(snc_proposals_init(&s->made, p, 0x6c696e61));
    SNC_GOTO(read_params(s, params));
    SNC_GOTO(snc_alloc(&s->queue, (size_t)s->batch, sizeof *s->queue));
    *state = s;
    return SNC_OK;
out:
    destroy(s);
    return err;
}

static snc_err note(findings *f, const linas *s, const snc_obs *o)
{
    bool fresh;
    if (o->point.violation > 0 || snc_proposals_made(&s->made, &o->cfg)) return SNC_OK;
    SNC_TRY(snc_cfg_set_add(&fresh, &f->cfg, &o->cfg));
    if (!fresh) return SNC_OK;
    SNC_TRY(snc_grow(&f->point, &f->cap, f->cfg.n, sizeof *f->point));
    f->point[f->cfg.n - 1] = o->point;
    return SNC_OK;
}

/* Predicts the whole of a small space. */
static snc_err sweep(findings *f, const linas *s)
{
    snc_cfg c = snc_cfg_first(s->made.problem.space);
    do {
        snc_obs o = snc_surrogate_predict(&s->model, &c);
        SNC_TRY(note(f, s, &o));
    } while (snc_cfg_next(&c, s->made.problem.space));
    return SNC_OK;
}

/* Another search on the predictors, started from the best that was measured. */
static snc_err search_within(findings *f, linas *s)
{
    snc_err err = SNC_OK;
    snc_search *inner = NULL;
    snc_cfg seeds[SEEDS], cfg[INNER_ASK];
    int best[SEEDS], n_seeds = 0;
    SNC_TRY(snc_surrogate_best(best, &n_seeds, &s->model, SEEDS));
    for (int i = 0; i < n_seeds; i++) seeds[i] = s->model.told[best[i]].cfg;
    snc_problem p = s->made.problem;
    p.seeds = seeds;
    p.n_seeds = n_seeds;
    p.seed = snc_rng_u64(&s->made.rng);
    SNC_GOTO(snc_search_create(&inner, s->inner_name, NULL, &p));
    for (int done = 0, n = 1; done < s->inner && n > 0; done += n) {
        snc_obs obs[INNER_ASK];
        SNC_GOTO(snc_search_ask(cfg, &n, inner, INNER_ASK));
        for (int i = 0; i < n; i++) {
            obs[i] = snc_surrogate_predict(&s->model, &cfg[i]);
            SNC_GOTO(note(f, s, &obs[i]));
            if (p.worst != 0) obs[i].point.violation += fmax(obs[i].point.f[0] - p.worst, 0); /* its population stays where it is of use */
        }
        SNC_GOTO(snc_search_tell(inner, obs, n));
    }
out:
    snc_search_free(inner);
    return err;
}

/* Takes up to `want` of the findings, each time the one that would widen the front most if it kept what is predicted. */
static snc_err take(linas *s, findings *f, snc_gain *front, bool *taken, int want)
{
    snc_err err = SNC_OK;
    int *order = NULL, n = 0;
    SNC_GOTO(snc_alloc(&order, f->cfg.n, sizeof *order));
    SNC_GOTO(snc_pareto_order(order, f->point, (int)f->cfg.n, front->scale.m));
    for (size_t i = 0; i < f->cfg.n && n < SHORT_LIST; i++)
        if (!taken[order[i]]) order[n++] = order[i];
    for (; n > 0 && s->queued < want; n--) {
        int at;
        SNC_GOTO(snc_gain_best(&at, front, f->point, order, n));
        SNC_GOTO(snc_gain_add(front, &f->point[order[at]]));
        taken[order[at]] = true;
        s->queue[s->queued++] = f->cfg.item[order[at]];
        memmove(order + at, order + at + 1, (size_t)(n - 1 - at) * sizeof *order);
    }
out:
    snc_free(order);
    return err;
}

/* The round: by prediction, then, for the share that explores, by prediction less its uncertainty. */
static snc_err choose(linas *s, findings *f)
{
    snc_err err = SNC_OK;
    snc_gain front = {0};
    snc_point *measured = NULL;
    bool *taken = NULL;
    SNC_GOTO(snc_alloc(&measured, s->model.n, sizeof *measured));
    SNC_GOTO(snc_alloc(&taken, f->cfg.n, sizeof *taken));
    for (size_t i = 0; i < s->model.n; i++) measured[i] = s->model.told[i].point;
    SNC_GOTO(snc_gain_init(&front, measured, (int)s->model.n, s->made.problem.objectives, s->made.problem.worst));
    SNC_GOTO(take(s, f, &front, taken, s->batch - (int)lround(s->explore * s->batch)));
    for (size_t i = 0; i < f->cfg.n; i++) f->point[i].f[0] = snc_surrogate_lower(&s->model, &f->cfg.item[i], OPTIMISM);
    SNC_GOTO(take(s, f, &front, taken, s->batch));
out:
    snc_gain_dispose(&front);
    snc_free(measured);
    snc_free(taken);
    return err;
}

/* No progress worth the name for `stall` evaluations. */
static bool stalled(linas *s)
{
    if (s->model.hypervolume > s->level * (1 + s->gain)) {
        s->level = s->model.hypervolume;
        s->level_at = s->model.n;
    }
    return s->stall > 0 && s->model.n - s->level_at >= (size_t)s->stall;
}

static snc_err plan(linas *s)
{
    snc_err err = SNC_OK;
    findings f = {.cfg = {.genes = s->made.problem.space->genes}};
    bool ready;
    s->queued = s->taken = 0;
    SNC_TRY(snc_surrogate_fit(&ready, &s->model));
    while (!ready && s->queued < s->batch && snc_proposals_random(&s->queue[s->queued], &s->made)) s->queued++;
    if (!ready || stalled(s)) return SNC_OK;
    if (s->small) SNC_GOTO(sweep(&f, s));
    else SNC_GOTO(search_within(&f, s));
    SNC_GOTO(choose(s, &f));
out:
    snc_cfg_set_dispose(&f.cfg);
    snc_free(f.point);
    return err;
}

/* The seeds, then their surroundings: in a large space what is drawn at random is far worse than them and teaches little of
 * what is near the front. */
static bool first_config(snc_cfg *out, snc_proposals *p)
{
    return snc_proposals_seed(out, p) || snc_proposals_near(out, p, NEARBY) || snc_proposals_random(out, p);
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    linas *s = state;
    for (*n = 0; *n < cap; ++*n) {
        bool first = s->made.made.n < (size_t)s->population, waiting = s->model.n < s->made.made.n;
        if (first) {
            if (!first_config(&cfg[*n], &s->made)) break;
        } else {
            if (s->taken == s->queued && !waiting) SNC_TRY(plan(s));
            if (s->taken == s->queued) break; /* answers are out, or there is nothing left worth asking */
            cfg[*n] = s->queue[s->taken++];
        }
        SNC_TRY(snc_proposals_add(&s->made, &cfg[*n]));
    }
    return SNC_OK;
}

static snc_err tell(void *state, const snc_obs *obs, int n)
{
    linas *s = state;
    return snc_surrogate_tell(&s->model, obs, n);
}

static void report(const void *state, snc_search_note *out)
{
    const linas *s = state;
    snc_surrogate_report(&s->model, out);
}

const snc_search_kind snc_search_linas = {"linas", create, ask, tell, destroy, report};
