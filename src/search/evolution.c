/* Regularised evolution (Real et al. 2019): a queue of the youngest `population` nets; the best of a random sample of it is
 * mutated in one gene, the child joins the queue and the oldest leaves, however good it is. The paper's population of
 * 100 and sample of 25 are for twenty thousand nets; 20 and 10 suit a hundred (chosen on
 * NAS-Bench-Macro, where larger samples did better still). "Best" is
 * by constrained dominance, then by crowding. */
#include "base/mem.h"
#include "search/proposals.h"

enum { TRIES = 40 }; /* mutants that were proposed before, until a random config takes their place */

typedef struct evolution {
    snc_proposals made;
    int population, sample;
    snc_obs *queue; /* [population], a ring */
    int64_t told;
    snc_point *point; /* [sample] */
    int *order, *drawn;
} evolution;

static void destroy(void *state)
{
    evolution *s = state;
    snc_proposals_dispose(&s->made);
    snc_free(s->queue);
    snc_free(s->point);
    snc_free(s->order);
    snc_free(s->drawn);
    snc_free(s);
}

static snc_err read_params(evolution *s, const cJSON *j)
{
    static const char *const keys[] = {"name", "population", "sample", NULL};
    static const char where[] = "search evolution";
    if (j) SNC_TRY(snc_json_check_keys(j, keys, where));
    SNC_TRY(snc_json_int(&s->population, j, "population", 20, 2, 10000, where));
    return snc_json_int(&s->sample, j, "sample", 10, 1, 10000, where);
}

static snc_err create(void **state, const cJSON *params, const snc_problem *p)
{
    evolution *s = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    SNC_GOTO(snc_proposals_init(&s->made, p, 0x65766f6c));
    SNC_GOTO(read_params(s, params));
    SNC_GOTO(snc_alloc(&s->queue, (size_t)s->population, sizeof *s->queue));
    SNC_GOTO(snc_alloc(&s->point, (size_t)s->sample, sizeof *s->point));
    SNC_GOTO(snc_alloc(&s->order, (size_t)s->sample, sizeof *s->order));
    SNC_GOTO(snc_alloc(&s->drawn, (size_t)s->sample, sizeof *s->drawn));
    *state = s;
    return SNC_OK;
out:
    destroy(s);
    return err;
}

/* The best of `sample` draws with replacement. */
static snc_err parent(snc_cfg *out, evolution *s)
{
    for (int i = 0; i < s->sample; i++) {
        s->drawn[i] = (int)snc_rng_below(&s->made.rng, (uint32_t)s->population);
        s->point[i] = s->queue[s->drawn[i]].point;
    }
    SNC_TRY(snc_pareto_order(s->order, s->point, s->sample, s->made.problem.objectives));
    *out = s->queue[s->drawn[s->order[0]]].cfg;
    return SNC_OK;
}

/* Another option for one gene that matters in this config: a dropped layer's do not. */
static void mutate(snc_cfg *c, evolution *s)
{
    const snc_space *space = s->made.problem.space;
    const snc_cfg from = *c;
    for (int t = 0; t < TRIES; t++) {
        int g = (int)snc_rng_below(&s->made.rng, (uint32_t)space->genes), n = space->gene[g].n;
        if (n < 2) continue;
        *c = from;
        c->o[g] = (uint8_t)((c->o[g] + 1 + (int)snc_rng_below(&s->made.rng, (uint32_t)n - 1)) % n);
        snc_cfg_canonical(c, space);
        if (!snc_cfg_equal(c, &from)) return;
    }
}

static snc_err propose(bool *found, snc_cfg *c, evolution *s)
{
    *found = snc_proposals_seed(c, &s->made);
    for (int t = 0; t < TRIES && !*found && s->told >= s->population; t++) {
        if (t == 0 || t == TRIES / 2) SNC_TRY(parent(c, s));
        mutate(c, s); /* where all neighbours were proposed, it walks on from one of them */
        *found = !snc_proposals_made(&s->made, c);
    }
    if (!*found) *found = snc_proposals_random(c, &s->made);
    return SNC_OK;
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    evolution *s = state;
    int64_t want = s->told < s->population ? s->population - s->told : 1; /* then one by one: each child knows its elders */
    for (*n = 0; *n < cap && *n < want; ++*n) {
        bool found;
        SNC_TRY(propose(&found, &cfg[*n], s));
        if (!found) break;
        SNC_TRY(snc_proposals_add(&s->made, &cfg[*n]));
    }
    return SNC_OK;
}

static snc_err tell(void *state, const snc_obs *obs, int n)
{
    evolution *s = state;
    for (int i = 0; i < n; i++) s->queue[s->told++ % s->population] = obs[i];
    return SNC_OK;
}

const snc_search_kind snc_search_evolution = {"evolution", create, ask, tell, destroy, NULL};
