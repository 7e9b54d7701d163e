/* NSGA-II (Deb et al. 2002) over option indices: simulated binary crossover (p 0.9, eta 15) and polynomial mutation
 * (p 1/genes, eta 20) with rounding, constrained dominance, no config proposed twice. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "search/search.h"

enum { TRIES = 40 }; /* draws before a duplicate is given up for a random config */

typedef struct nsga2 {
    const snc_space *space;
    int objectives, population;
    double p_cross, eta_cross, p_mutate, eta_mutate;
    snc_rng rng;
    snc_obs *parent;  /* [2 * population]: survivors, then the generation being told */
    int parents, told;
    snc_cfg *seen;    /* every proposal so far */
    size_t n_seen, cap_seen;
    snc_cfg *seeds;
    int n_seeds, given;
    int *rank;        /* [2 * population] */
    double *crowding;
} nsga2;

static void destroy(void *state)
{
    nsga2 *s = state;
    if (!s) return;
    snc_free(s->parent);
    snc_free(s->seen);
    snc_free(s->seeds);
    snc_free(s->rank);
    snc_free(s->crowding);
    snc_free(s);
}

static snc_err read_params(nsga2 *s, const cJSON *j)
{
    static const char *const keys[] = {"name", "population", "crossover", "crossover_eta", "mutation", "mutation_eta", NULL};
    static const char where[] = "search nsga2";
    cJSON *none = NULL;
    if (!j) j = none = cJSON_CreateObject();
    snc_err err = SNC_OK;
    SNC_GOTO(snc_json_check_keys(j, keys, where));
    SNC_GOTO(snc_json_int(&s->population, j, "population", 50, 4, 10000, where));
    SNC_GOTO(snc_json_double(&s->p_cross, j, "crossover", 0.9, 0, 1, where));
    SNC_GOTO(snc_json_double(&s->eta_cross, j, "crossover_eta", 15, 0.1, 1000, where));
    SNC_GOTO(snc_json_double(&s->p_mutate, j, "mutation", 1.0 / s->space->genes, 0, 1, where));
    SNC_GOTO(snc_json_double(&s->eta_mutate, j, "mutation_eta", 20, 0.1, 1000, where));
out:
    cJSON_Delete(none);
    return err;
}

static snc_err create(void **state, const cJSON *params, const snc_space *space, int objectives, const snc_cfg *seeds, int n_seeds,
                      uint64_t seed)
{
    nsga2 *s = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    s->space = space;
    s->objectives = objectives;
    snc_rng_init(&s->rng, seed, 0x6e736761);
    SNC_GOTO(read_params(s, params));
    size_t cap = 2 * (size_t)s->population;
    SNC_GOTO(snc_alloc(&s->parent, cap, sizeof *s->parent));
    SNC_GOTO(snc_alloc(&s->rank, cap, sizeof *s->rank));
    SNC_GOTO(snc_alloc(&s->crowding, cap, sizeof *s->crowding));
    SNC_GOTO(snc_alloc(&s->seeds, (size_t)n_seeds, sizeof *s->seeds));
    if (n_seeds) memcpy(s->seeds, seeds, (size_t)n_seeds * sizeof *seeds);
    s->n_seeds = n_seeds;
    *state = s;
    return SNC_OK;
out:
    destroy(s);
    return err;
}

static bool was_seen(const nsga2 *s, const snc_cfg *c)
{
    for (size_t i = 0; i < s->n_seen; i++)
        if (snc_cfg_equal(&s->seen[i], c)) return true;
    return false;
}

static int clamp_round(double v, int n)
{
    int i = (int)lround(v);
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* One child of SBX: spread factor beta of Deb and Agrawal 1995, applied to the genes that differ, with probability 1/2. */
static void cross(nsga2 *s, snc_cfg *c, const snc_cfg *a, const snc_cfg *b)
{
    *c = *a;
    if (snc_rng_uniform(&s->rng) >= s->p_cross) return;
    for (int i = 0; i < s->space->genes; i++) {
        double u = snc_rng_uniform(&s->rng), half = snc_rng_uniform(&s->rng), side = snc_rng_uniform(&s->rng);
        if (a->o[i] == b->o[i] || half < 0.5) continue;
        double e = 1.0 / (s->eta_cross + 1), beta = u <= 0.5 ? pow(2 * u, e) : pow(1 / (2 * (1 - u)), e);
        if (side < 0.5) beta = -beta;
        c->o[i] = (uint8_t)clamp_round(0.5 * ((1 + beta) * a->o[i] + (1 - beta) * b->o[i]), s->space->gene[i].n);
    }
}

static void mutate(nsga2 *s, snc_cfg *c)
{
    for (int i = 0; i < s->space->genes; i++) {
        int n = s->space->gene[i].n;
        double p = snc_rng_uniform(&s->rng), u = snc_rng_uniform(&s->rng), e = 1.0 / (s->eta_mutate + 1);
        if (n < 2 || p >= s->p_mutate) continue;
        double d = u < 0.5 ? pow(2 * u, e) - 1 : 1 - pow(2 * (1 - u), e);
        int v = clamp_round(c->o[i] + d * (n - 1), n);
        if (v == c->o[i]) v += u < 0.5 ? -1 : 1; /* a mutation that rounds away is none */
        c->o[i] = (uint8_t)clamp_round(v, n);
    }
}

static const snc_cfg *tournament(nsga2 *s)
{
    int a = (int)snc_rng_below(&s->rng, (uint32_t)s->parents), b = (int)snc_rng_below(&s->rng, (uint32_t)s->parents);
    bool first = s->rank[a] != s->rank[b] ? s->rank[a] < s->rank[b] : s->crowding[a] >= s->crowding[b];
    return &s->parent[first ? a : b].cfg;
}

static void propose(nsga2 *s, snc_cfg *c)
{
    for (int t = 0; t < TRIES; t++) {
        if (s->given < s->n_seeds) *c = s->seeds[s->given++];
        else if (s->parents < s->population || t == TRIES - 1) *c = snc_cfg_random(s->space, &s->rng);
        else {
            cross(s, c, tournament(s), tournament(s));
            mutate(s, c);
        }
        snc_cfg_canonical(c, s->space);
        if (!was_seen(s, c)) return;
    }
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    nsga2 *s = state;
    int room = s->population - s->told;
    *n = 0;
    for (int i = 0; i < cap && i < room; i++) {
        propose(s, &cfg[i]);
        SNC_TRY(snc_grow(&s->seen, &s->cap_seen, s->n_seen + 1, sizeof *s->seen));
        s->seen[s->n_seen++] = cfg[i];
        ++*n;
    }
    return SNC_OK;
}

static snc_err rank_all(nsga2 *s, int n)
{
    snc_point *p = NULL;
    SNC_TRY(snc_alloc(&p, (size_t)n, sizeof *p));
    for (int i = 0; i < n; i++) p[i] = s->parent[i].point;
    snc_err err = snc_pareto_rank(s->rank, s->crowding, p, n, s->objectives);
    snc_free(p);
    return err;
}

static bool before(const nsga2 *s, int a, int b)
{
    if (s->rank[a] != s->rank[b]) return s->rank[a] < s->rank[b];
    return s->crowding[a] > s->crowding[b];
}

/* Keeps the `population` best of parents and children: stable selection, best first. */
static snc_err survive(nsga2 *s)
{
    int n = s->parents + s->told, keep = n < s->population ? n : s->population;
    SNC_TRY(rank_all(s, n));
    for (int i = 0; i < keep; i++) {
        int best = i;
        for (int j = i + 1; j < n; j++)
            if (before(s, j, best)) best = j;
        snc_obs o = s->parent[best];
        int r = s->rank[best];
        double c = s->crowding[best];
        memmove(&s->parent[i + 1], &s->parent[i], (size_t)(best - i) * sizeof *s->parent);
        memmove(&s->rank[i + 1], &s->rank[i], (size_t)(best - i) * sizeof *s->rank);
        memmove(&s->crowding[i + 1], &s->crowding[i], (size_t)(best - i) * sizeof *s->crowding);
        s->parent[i] = o;
        s->rank[i] = r;
        s->crowding[i] = c;
    }
    s->parents = keep;
    s->told = 0;
    return rank_all(s, keep);
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

const snc_search_kind snc_search_nsga2 = {"nsga2", create, ask, tell, destroy};
