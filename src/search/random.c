/* Uniform random search without repeats: the baseline every other search is held against. */
#include "base/mem.h"
#include "search/proposals.h"

static void destroy(void *state)
{
    snc_proposals_dispose(state);
    snc_free(state);
}

static snc_err create(void **state, const cJSON *params, const snc_problem *p)
{
    static const char *const keys[] = {"name", NULL};
    snc_proposals *s = NULL;
    if (params) SNC_TRY(snc_json_check_keys(params, keys, "search random"));
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    snc_err err = snc_proposals_init(s, p, 0x72616e64);
    if (err) destroy(s);
    else *state = s;
    return err;
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    snc_proposals *s = state;
    for (*n = 0; *n < cap && snc_proposals_first(&cfg[*n], s); ++*n) SNC_TRY(snc_proposals_add(s, &cfg[*n]));
    return SNC_OK;
}

static snc_err tell(void *state, const snc_obs *obs, int n)
{
    (void)state, (void)obs, (void)n;
    return SNC_OK;
}

const snc_search_kind snc_search_random = {"random", create, ask, tell, destroy, NULL};
