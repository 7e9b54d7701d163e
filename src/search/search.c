#include "search/search.h"

#include <string.h>

#include "base/mem.h"

static const snc_search_kind *const registry[] = {&snc_search_nsga2, &snc_search_random};
enum { KINDS = sizeof registry / sizeof registry[0] };

struct snc_search {
    const snc_search_kind *kind;
    void *state;
};

snc_err snc_search_new(snc_search **out, const char *name, const cJSON *params, const snc_space *space, int objectives,
                       const snc_cfg *seeds, int n_seeds, uint64_t seed)
{
    const snc_search_kind *kind = NULL;
    for (int i = 0; i < KINDS; i++)
        if (strcmp(registry[i]->name, name) == 0) kind = registry[i];
    SNC_CHECK(kind, SNC_E_NOTFOUND, "search '%s': expected nsga2 or random", name);
    SNC_TRY(snc_alloc(out, 1, sizeof **out));
    (*out)->kind = kind;
    snc_err err = kind->create(&(*out)->state, params, space, objectives, seeds, n_seeds, seed);
    if (err) {
        snc_free(*out);
        *out = NULL;
    }
    return err;
}

void snc_search_free(snc_search *s)
{
    if (!s) return;
    s->kind->destroy(s->state);
    snc_free(s);
}

snc_err snc_search_ask(snc_cfg *cfg, int *n, snc_search *s, int cap) { return s->kind->ask(s->state, cfg, n, cap); }
snc_err snc_search_tell(snc_search *s, const snc_obs *obs, int n) { return s->kind->tell(s->state, obs, n); }

snc_cfg snc_cfg_random(const snc_space *s, snc_rng *r)
{
    snc_cfg c = {{0}};
    for (int i = 0; i < s->genes; i++) c.o[i] = (uint8_t)snc_rng_below(r, (uint32_t)s->gene[i].n);
    snc_cfg_canonical(&c, s);
    return c;
}
