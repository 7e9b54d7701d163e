/* Uniform random search: the baseline every other search is held against. */
#include "base/mem.h"
#include "search/search.h"

typedef struct random_search {
    const snc_space *space;
    snc_rng rng;
    snc_cfg *seeds;
    int n_seeds, given;
} random_search;

static snc_err create(void **state, const cJSON *params, const snc_space *space, int objectives, const snc_cfg *seeds, int n_seeds,
                      uint64_t seed)
{
    static const char *const keys[] = {"name", NULL};
    random_search *s = NULL;
    (void)objectives;
    if (params) SNC_TRY(snc_json_check_keys(params, keys, "search random"));
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    snc_err err = snc_alloc(&s->seeds, (size_t)n_seeds, sizeof *s->seeds);
    if (err) {
        snc_free(s);
        return err;
    }
    for (int i = 0; i < n_seeds; i++) s->seeds[i] = seeds[i];
    s->n_seeds = n_seeds;
    s->space = space;
    snc_rng_init(&s->rng, seed, 0x72616e64);
    *state = s;
    return SNC_OK;
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    random_search *s = state;
    for (*n = 0; *n < cap; ++*n) cfg[*n] = s->given < s->n_seeds ? s->seeds[s->given++] : snc_cfg_random(s->space, &s->rng);
    return SNC_OK;
}

static snc_err tell(void *state, const snc_obs *obs, int n)
{
    (void)state, (void)obs, (void)n;
    return SNC_OK;
}

static void destroy(void *state)
{
    random_search *s = state;
    snc_free(s->seeds);
    snc_free(s);
}

const snc_search_kind snc_search_random = {"random", create, ask, tell, destroy};
