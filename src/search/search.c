#include "search/search.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const snc_search_kind *const registry[] = {&snc_search_linas, &snc_search_nsga2,  &snc_search_weaknas, &snc_search_evolution,
                                                  &snc_search_mcts,  &snc_search_greedy, &snc_search_random};
enum { KINDS = sizeof registry / sizeof registry[0] };

struct snc_search {
    const snc_search_kind *kind;
    void *state;
};

const char *snc_search_name(int i) { return i >= 0 && i < KINDS ? registry[i]->name : NULL; }

snc_err snc_search_create(snc_search **out, const char *name, const cJSON *params, const snc_problem *p)
{
    const snc_search_kind *kind = NULL;
    char names[256] = "";
    for (int i = 0; i < KINDS; i++) {
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%s", i == 0 ? "" : i == KINDS - 1 ? " or " : ", ", registry[i]->name);
        if (strcmp(registry[i]->name, name) == 0) kind = registry[i];
    }
    SNC_CHECK(kind, SNC_E_NOTFOUND, "search '%.60s': expected %s", name, names);
    SNC_TRY(snc_alloc(out, 1, sizeof **out));
    (*out)->kind = kind;
    snc_err err = kind->create(&(*out)->state, params, p);
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

void snc_search_report(snc_search_note *out, const snc_search *s)
{
    *out = (snc_search_note){0};
    if (s->kind->report) s->kind->report(s->state, out);
}

snc_cfg snc_cfg_random(const snc_space *s, snc_rng *r)
{
    snc_cfg c = {{0}};
    for (int i = 0; i < s->genes; i++) c.o[i] = (uint8_t)snc_rng_below(r, (uint32_t)s->gene[i].n);
    snc_cfg_canonical(&c, s);
    return c;
}
