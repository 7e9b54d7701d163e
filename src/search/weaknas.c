/* WeakNAS (Wu et al. 2021): a fresh weak predictor each round; of the `top` configs it likes best, `batch` that were not
 * measured yet are drawn evenly. What it may like: every config of a small space; of a large one, random configs and all
 * one-gene neighbours of the best measured. Several objectives: by predicted rank and crowding. Constants: first 20, batch 10
 * and top 100 are the published code's. */
#include <math.h>

#include "base/mem.h"
#include "search/surrogate.h"

enum { POOL = 20000, PARENTS = 50 };

typedef struct weaknas {
    snc_proposals made;
    snc_surrogate model;
    int first, batch, top;
    bool small;       /* few enough configs to predict them all */
    snc_cfg_set pool; /* of a small space: all of it, kept; of a large one: a round's */
    snc_cfg *queue;   /* [batch] */
    int queued, taken;
} weaknas;

static void destroy(void *state)
{
    weaknas *s = state;
    snc_proposals_dispose(&s->made);
    snc_surrogate_dispose(&s->model);
    snc_cfg_set_dispose(&s->pool);
    snc_free(s->queue);
    snc_free(s);
}

static snc_err create(void **state, const cJSON *params, const snc_problem *p)
{
    static const char *const keys[] = {"name", "first", "batch", "top", "features", "predictor", NULL};
    static const char where[] = "search weaknas";
    weaknas *s = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    SNC_GOTO(snc_proposals_init(&s->made, p, 0x7765616b));
    if (params) SNC_GOTO(snc_json_check_keys(params, keys, where));
    SNC_GOTO(snc_json_int(&s->first, params, "first", 20, 2, 10000, where));
    SNC_GOTO(snc_json_int(&s->batch, params, "batch", 10, 1, 10000, where));
    SNC_GOTO(snc_json_int(&s->top, params, "top", 100, 1, POOL, where));
    SNC_GOTO(snc_surrogate_init(&s->model, &s->made.problem, params, where));
    s->model.opts.bootstrap = 0;
    s->small = snc_space_count(p->space, POOL) > 0;
    s->pool.genes = p->space->genes;
    SNC_GOTO(snc_alloc(&s->queue, (size_t)s->batch, sizeof *s->queue));
    *state = s;
    return SNC_OK;
out:
    destroy(s);
    return err;
}

static snc_err add(weaknas *s, const snc_cfg *c)
{
    bool fresh;
    const snc_problem *p = &s->made.problem;
    if (p->cost && snc_problem_cost(p, c).point.violation > 0) return SNC_OK;
    return snc_cfg_set_add(&fresh, &s->pool, c);
}

/* Every other option of every gene of one config. */
static snc_err neighbours(weaknas *s, const snc_cfg *from)
{
    const snc_space *space = s->made.problem.space;
    for (int g = 0; g < space->genes; g++)
        for (int o = 0; o < space->gene[g].n; o++) {
            snc_cfg c = *from;
            c.o[g] = (uint8_t)o;
            snc_cfg_canonical(&c, space);
            SNC_TRY(add(s, &c));
        }
    return SNC_OK;
}

static snc_err fill(weaknas *s)
{
    const snc_space *space = s->made.problem.space;
    if (s->small) {
        snc_cfg c = snc_cfg_first(space);
        if (s->pool.n > 0) return SNC_OK;
        do SNC_TRY(add(s, &c));
        while (snc_cfg_next(&c, space));
        return SNC_OK;
    }
    int best[PARENTS], n = 0;
    snc_cfg_set_dispose(&s->pool);
    SNC_TRY(snc_surrogate_best(best, &n, &s->model, PARENTS));
    for (int i = 0; i < n; i++) SNC_TRY(neighbours(s, &s->model.told[best[i]].cfg));
    for (int i = 0; i < POOL; i++) {
        snc_cfg c = snc_cfg_random(space, &s->made.rng);
        SNC_TRY(add(s, &c));
    }
    return SNC_OK;
}

/* The top configs that are new, in the order of the ranking; the batch is drawn from them, then filled from the ranking. */
static snc_err draw(weaknas *s, const int *order)
{
    const snc_cfg_set *pool = &s->pool;
    int32_t *fresh = NULL;
    size_t n = 0, top = 0;
    SNC_TRY(snc_alloc(&fresh, pool->n, sizeof *fresh));
    for (size_t i = 0; i < pool->n; i++) {
        if (!snc_proposals_made(&s->made, &pool->item[order[i]])) fresh[n++] = order[i];
        if (i + 1 == (size_t)s->top) top = n;
    }
    if (pool->n < (size_t)s->top) top = n;
    snc_rng_shuffle(&s->made.rng, fresh, top);
    for (s->queued = s->taken = 0; s->queued < s->batch && (size_t)s->queued < n; s->queued++)
        s->queue[s->queued] = pool->item[fresh[s->queued]];
    snc_free(fresh);
    return SNC_OK;
}

static snc_err plan(weaknas *s)
{
    snc_err err = SNC_OK;
    snc_point *point = NULL;
    int *order = NULL;
    bool ready;
    s->queued = s->taken = 0;
    SNC_TRY(snc_surrogate_fit(&ready, &s->model));
    if (!ready) return SNC_OK;
    SNC_GOTO(fill(s));
    SNC_GOTO(snc_alloc(&point, s->pool.n, sizeof *point));
    SNC_GOTO(snc_alloc(&order, s->pool.n, sizeof *order));
    for (size_t i = 0; i < s->pool.n; i++) point[i] = snc_surrogate_predict(&s->model, &s->pool.item[i]).point;
    SNC_GOTO(snc_pareto_order(order, point, (int)s->pool.n, s->made.problem.objectives));
    SNC_GOTO(draw(s, order));
out:
    snc_free(point);
    snc_free(order);
    return err;
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    weaknas *s = state;
    for (*n = 0; *n < cap; ++*n) {
        bool first = s->made.made.n < (size_t)s->first, waiting = s->model.n < s->made.made.n;
        if (!first && s->taken == s->queued && !waiting) SNC_TRY(plan(s));
        if (!first && s->taken < s->queued) cfg[*n] = s->queue[s->taken++];
        else if ((!first && waiting) || !snc_proposals_first(&cfg[*n], &s->made)) break; /* the round is out, its answers are not */
        SNC_TRY(snc_proposals_add(&s->made, &cfg[*n]));
    }
    return SNC_OK;
}

static snc_err tell(void *state, const snc_obs *obs, int n)
{
    weaknas *s = state;
    return snc_surrogate_tell(&s->model, obs, n);
}

static void report(const void *state, snc_search_note *out)
{
    const weaknas *s = state;
    snc_surrogate_report(&s->model, out);
}

const snc_search_kind snc_search_weaknas = {"weaknas", create, ask, tell, destroy, report};
