/* NSGA-II (Deb et al. 2002) over option indices: simulated binary crossover (p 0.9, eta 15) and polynomial mutation
 * (p 1/genes in the mean, in proportion to the bits of a gene's choice, eta 20) with rounding, constrained dominance, no config
 * proposed twice. */
#include <math.h>

#include "base/mem.h"
#include "search/proposals.h"

enum { TRIES = 40 }; /* children that were proposed before, until a random config takes their place */

typedef struct nsga2 {
    snc_proposals made;
    int population;
    double p_cross, eta_cross, p_mutate, eta_mutate;
    double p_gene[SNC_MAX_GENES]; /* of mutation: in proportion to the bits of a gene's choice */
    snc_obs *parent, *next;       /* [2 * population]: survivors best first, then the generation being told */
    int parents, told;
    snc_point *point; /* [2 * population] */
    int *order;       /* [2 * population] */
} nsga2;

static void destroy(void *state)
{
    nsga2 *s = state;
    snc_proposals_dispose(&s->made);
    snc_free(s->parent);
    snc_free(s->next);
    snc_free(s->point);
    snc_free(s->order);
    snc_free(s);
}

static snc_err read_params(nsga2 *s, const cJSON *j)
{
    static const char *const keys[] = {"name", "population", "crossover", "crossover_eta", "mutation", "mutation_eta", NULL};
    static const char where[] = "search nsga2";
    int free = snc_space_free_genes(s->made.problem.space);
    if (free < 1) free = 1;
    if (j) SNC_TRY(snc_json_check_keys(j, keys, where));
    SNC_TRY(snc_json_int(&s->population, j, "population", 50, 4, 10000, where));
    SNC_TRY(snc_json_double(&s->p_cross, j, "crossover", 0.9, 0, 1, where));
    SNC_TRY(snc_json_double(&s->eta_cross, j, "crossover_eta", 15, 0.1, 1000, where));
    SNC_TRY(snc_json_double(&s->p_mutate, j, "mutation", 1.0 / free, 0, 1, where));
    double p_bit = s->p_mutate * free / fmax(snc_space_log10_size(s->made.problem.space) / log10(2), 1);
    for (int i = 0; i < s->made.problem.space->genes; i++) s->p_gene[i] = p_bit * log2(s->made.problem.space->gene[i].n);
    return snc_json_double(&s->eta_mutate, j, "mutation_eta", 20, 0.1, 1000, where);
}

static snc_err create(void **state, const cJSON *params, const snc_problem *p)
{
    nsga2 *s = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    SNC_GOTO(snc_proposals_init(&s->made, p, 0x6e736761));
    SNC_GOTO(read_params(s, params));
    size_t cap = 2 * (size_t)s->population;
    SNC_GOTO(snc_alloc(&s->parent, cap, sizeof *s->parent));
    SNC_GOTO(snc_alloc(&s->next, cap, sizeof *s->next));
    SNC_GOTO(snc_alloc(&s->point, cap, sizeof *s->point));
    SNC_GOTO(snc_alloc(&s->order, cap, sizeof *s->order));
    *state = s;
    return SNC_OK;
out:
    destroy(s);
    return err;
}

static int clamp_round(double v, int n)
{
    int i = (int)lround(v);
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* One of the two children of SBX: spread factor beta of Deb and Agrawal 1995, for each gene that differs with probability 1/2. */
static void cross(nsga2 *s, snc_cfg *c, const snc_cfg *a, const snc_cfg *b)
{
    const snc_space *space = s->made.problem.space;
    snc_rng *rng = &s->made.rng;
    *c = *a;
    if (snc_rng_uniform(rng) >= s->p_cross) return;
    for (int i = 0; i < space->genes; i++) {
        if (a->o[i] == b->o[i] || snc_rng_uniform(rng) < 0.5) continue;
        double u = snc_rng_uniform(rng), e = 1.0 / (s->eta_cross + 1), beta = u <= 0.5 ? pow(2 * u, e) : pow(1 / (2 * (1 - u)), e);
        if (snc_rng_uniform(rng) < 0.5) beta = -beta;
        c->o[i] = (uint8_t)clamp_round(0.5 * ((1 + beta) * a->o[i] + (1 - beta) * b->o[i]), space->gene[i].n);
    }
}

/* Polynomial mutation; a step that rounds away or leaves the options becomes the nearest one that does not. */
static void mutate(nsga2 *s, snc_cfg *c)
{
    const snc_space *space = s->made.problem.space;
    snc_rng *rng = &s->made.rng;
    for (int i = 0; i < space->genes; i++) {
        int n = space->gene[i].n, from = c->o[i];
        if (n < 2 || snc_rng_uniform(rng) >= s->p_gene[i]) continue;
        double u = snc_rng_uniform(rng), e = 1.0 / (s->eta_mutate + 1), d = u < 0.5 ? pow(2 * u, e) - 1 : 1 - pow(2 * (1 - u), e);
        int v = clamp_round(from + d * (n - 1), n);
        if (v == from) v += u < 0.5 ? -1 : 1;
        if (v < 0 || v >= n) v = from == 0 ? 1 : n - 2;
        c->o[i] = (uint8_t)v;
    }
}

/* Parents stand best first, so of two the one in front wins. */
static const snc_cfg *tournament(nsga2 *s)
{
    uint32_t a = snc_rng_below(&s->made.rng, (uint32_t)s->parents), b = snc_rng_below(&s->made.rng, (uint32_t)s->parents);
    return &s->parent[a < b ? a : b].cfg;
}

static bool propose(nsga2 *s, snc_cfg *c)
{
    if (snc_proposals_seed(c, &s->made)) return true;
    for (int t = 0; t < TRIES && s->parents == s->population; t++) {
        const snc_cfg *a = tournament(s), *b = tournament(s);
        cross(s, c, a, b);
        mutate(s, c);
        snc_cfg_canonical(c, s->made.problem.space);
        if (!snc_proposals_made(&s->made, c)) return true;
    }
    return snc_proposals_random(c, &s->made);
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    nsga2 *s = state;
    int room = s->population - s->told;
    for (*n = 0; *n < cap && *n < room && propose(s, &cfg[*n]); ++*n) SNC_TRY(snc_proposals_add(&s->made, &cfg[*n]));
    return SNC_OK;
}

/* Keeps the `population` best of parents and children, best first. */
static snc_err survive(nsga2 *s)
{
    int n = s->parents + s->told, keep = n < s->population ? n : s->population;
    for (int i = 0; i < n; i++) s->point[i] = s->parent[i].point;
    SNC_TRY(snc_pareto_order(s->order, s->point, n, s->made.problem.objectives));
    for (int i = 0; i < keep; i++) s->next[i] = s->parent[s->order[i]];
    snc_obs *old = s->parent;
    s->parent = s->next;
    s->next = old;
    s->parents = keep;
    s->told = 0;
    return SNC_OK;
}

static snc_err tell(void *state, const snc_obs *obs, int n)
{
    nsga2 *s = state;
    for (int i = 0; i < n; i++) {
        s->parent[s->parents + s->told++] = obs[i];
        if (s->told == s->population) SNC_TRY(survive(s));
    }
    return SNC_OK;
}

const snc_search_kind snc_search_nsga2 = {"nsga2", create, ask, tell, destroy, NULL};
