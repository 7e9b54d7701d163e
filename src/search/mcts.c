/* Monte Carlo tree search with node communication (MCT-NAS, Su et al. 2021): genes in order are the levels of a tree. A child
 * is drawn by softmax(u / tau) of
 *
 *   u = Q/n + C1 sqrt(log N / n) + C2 G(gene, option)
 *
 * with Q/n the mean reward of what was measured below the child, N the parent's visits, and G the mean reward of that option
 * of that gene anywhere in the tree: what nodes tell each other, so that rarely seen ones are not blind. "sharing": false
 * leaves G out. A child without visits has its parent's mean and the bonus of one visit. Reward: the share of
 * all measured configs that are worse, by rank, crowding and violation, so that it has one scale for any loss and any number
 * of objectives. tau 0.05, C1 0.5 and C2 0.5 are among the best of a grid on NAS-Bench-Macro.
 *
 * The tree is not stored: the visits below a node are the measured configs that begin with its options, and a descent narrows
 * that list level by level. Options whose cheapest completion misses a limit are not entered. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "search/surrogate.h"

enum { TRIES = 40 };

typedef struct mcts {
    snc_proposals made;
    snc_features f; /* which genes matter under which depth */
    bool sharing;
    double tau, c1, c2;
    snc_obs *told;
    size_t n, cap, work_cap, point_cap, order_cap, reward_cap;
    snc_point *point; /* [n] */
    int *order, *below;
    double *reward;                   /* [n] */
    size_t fresh;                     /* observations behind reward */
    snc_feature_table *shared, *seen; /* [genes] G, and how often */
} mcts;

static void destroy(void *state)
{
    mcts *s = state;
    snc_proposals_dispose(&s->made);
    snc_free(s->told);
    snc_free(s->point);
    snc_free(s->order);
    snc_free(s->below);
    snc_free(s->reward);
    snc_free(s->shared);
    snc_free(s->seen);
    snc_free(s);
}

static snc_err create(void **state, const cJSON *params, const snc_problem *p)
{
    static const char *const keys[] = {"name", "sharing", "tau", "c1", "c2", NULL};
    static const char where[] = "search mcts";
    mcts *s = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    SNC_GOTO(snc_proposals_init(&s->made, p, 0x6d637473));
    if (params) SNC_GOTO(snc_json_check_keys(params, keys, where));
    SNC_GOTO(snc_json_bool(&s->sharing, params, "sharing", true, where));
    SNC_GOTO(snc_json_double(&s->tau, params, "tau", 0.05, 1e-6, 1e6, where));
    SNC_GOTO(snc_json_double(&s->c1, params, "c1", 0.5, 0, 1e6, where));
    SNC_GOTO(snc_json_double(&s->c2, params, "c2", 0.5, 0, 1e6, where));
    snc_features_init(&s->f, p->space, true);
    SNC_GOTO(snc_alloc(&s->shared, (size_t)s->f.genes, sizeof *s->shared));
    SNC_GOTO(snc_alloc(&s->seen, (size_t)s->f.genes, sizeof *s->seen));
    *state = s;
    return SNC_OK;
out:
    destroy(s);
    return err;
}

/* Rewards of everything told, and what each option earned anywhere. */
static snc_err learn(mcts *s)
{
    double mean = 0.5;
    if (s->fresh == s->n) return SNC_OK;
    SNC_TRY(snc_grow(&s->point, &s->point_cap, s->n, sizeof *s->point));
    SNC_TRY(snc_grow(&s->order, &s->order_cap, s->n, sizeof *s->order));
    SNC_TRY(snc_grow(&s->below, &s->work_cap, s->n, sizeof *s->below));
    SNC_TRY(snc_grow(&s->reward, &s->reward_cap, s->n, sizeof *s->reward));
    for (size_t i = 0; i < s->n; i++) s->point[i] = s->told[i].point;
    SNC_TRY(snc_pareto_order(s->order, s->point, (int)s->n, s->made.problem.objectives));
    for (size_t i = 0; i < s->n; i++) s->reward[s->order[i]] = s->n > 1 ? 1 - (double)i / (double)(s->n - 1) : mean;
    memset(s->shared, 0, (size_t)s->f.genes * sizeof *s->shared);
    memset(s->seen, 0, (size_t)s->f.genes * sizeof *s->seen);
    for (size_t i = 0; i < s->n; i++) {
        const uint8_t *o = s->told[i].cfg.o;
        bool buffer[SNC_MAX_GENES];
        const bool *masked = snc_features_masked(buffer, &s->f, &s->told[i].cfg);
        for (int g = 0; g < s->f.genes; g++) {
            if (masked[g]) continue;
            s->shared[g][o[s->f.gene[g]]] += s->reward[i];
            s->seen[g][o[s->f.gene[g]]] += 1;
        }
    }
    for (int g = 0; g < s->f.genes; g++)
        for (int o = 0; o < s->f.options[g]; o++) s->shared[g][o] = s->seen[g][o] > 0 ? s->shared[g][o] / s->seen[g][o] : mean;
    s->fresh = s->n;
    return SNC_OK;
}

static bool hopeless(const mcts *s, const snc_cfg *prefix)
{
    snc_cfg c = *prefix;
    snc_cfg_canonical(&c, s->made.problem.space);
    return s->made.problem.cost && snc_problem_cost(&s->made.problem, &c).point.violation > 0;
}

/* Draws the option of gene g (a position in f) below the visits `below` [visits]. */
static int step(mcts *s, const snc_cfg *prefix, int g, int visits)
{
    int options = s->f.options[g], gene = s->f.gene[g], count[SNC_MAX_OPTIONS] = {0}, choice = 0;
    double sum[SNC_MAX_OPTIONS] = {0}, u[SNC_MAX_OPTIONS], total = 0, most = -INFINITY;
    for (int i = 0; i < visits; i++) {
        int o = s->told[s->below[i]].cfg.o[gene];
        count[o]++;
        sum[o] += s->reward[s->below[i]];
        total += s->reward[s->below[i]];
    }
    double mean = visits ? total / visits : 0, spread = visits > 1 ? log((double)visits) : 0;
    for (int o = 0; o < options; o++) {
        snc_cfg c = *prefix;
        c.o[gene] = (uint8_t)o;
        u[o] = (count[o] ? sum[o] / count[o] : mean) + s->c1 * sqrt(spread / (count[o] ? count[o] : 1));
        if (s->sharing) u[o] += s->c2 * s->shared[g][o];
        if (o > 0 && hopeless(s, &c)) u[o] = -INFINITY; /* option 0 is what every completion has at the least */
        most = fmax(most, u[o]);
    }
    total = 0;
    for (int o = 0; o < options; o++) total += u[o] = exp((u[o] - most) / s->tau);
    double at = snc_rng_uniform(&s->made.rng) * total;
    while (choice + 1 < options && (at -= u[choice]) >= 0) choice++;
    return choice;
}

static void descend(snc_cfg *c, mcts *s)
{
    int visits = (int)s->n;
    const snc_space *space = s->made.problem.space;
    memset(c, 0, sizeof *c);
    if (space->single) c->o[0] = (uint8_t)(space->gene[0].n - 1); /* layers have genes of their own */
    for (int i = 0; i < visits; i++) s->below[i] = i;
    for (int g = 0; g < s->f.genes; g++) {
        int gene = s->f.gene[g], kept = 0;
        bool buffer[SNC_MAX_GENES];
        if (snc_features_masked(buffer, &s->f, c)[g]) continue;
        c->o[gene] = (uint8_t)step(s, c, g, visits);
        for (int i = 0; i < visits; i++)
            if (s->told[s->below[i]].cfg.o[gene] == c->o[gene]) s->below[kept++] = s->below[i];
        visits = kept;
    }
    snc_cfg_canonical(c, space);
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    mcts *s = state;
    bool found = snc_proposals_seed(cfg, &s->made);
    *n = 0;
    if (cap < 1) return SNC_OK;
    SNC_TRY(learn(s));
    for (int t = 0; t < TRIES && !found; t++) {
        descend(cfg, s);
        found = !snc_proposals_made(&s->made, cfg);
    }
    if (!found && !snc_proposals_random(cfg, &s->made)) return SNC_OK;
    *n = 1; /* one by one: every descent knows all earlier ones */
    return snc_proposals_add(&s->made, cfg);
}

static snc_err tell(void *state, const snc_obs *obs, int n)
{
    mcts *s = state;
    SNC_TRY(snc_grow(&s->told, &s->cap, s->n + (size_t)n, sizeof *s->told));
    for (int i = 0; i < n; i++) s->told[s->n++] = obs[i];
    return SNC_OK;
}

const snc_search_kind snc_search_mcts = {"mcts", create, ask, tell, destroy, NULL};
