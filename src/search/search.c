/* A registry of function tables: a search is made known by its row here, and used through nothing but the table. */
#include "search/search.h"

#include <assert.h>

#include "base/mem.h"
#include "base/names.h"

/* A new search is a file that defines snc_search_NAME, and its NAME here. */
/* clang-format off */
#define SEARCHES(X) \
    X(linas) \
    X(nsga2) \
    X(weaknas) \
    X(evolution) \
    X(mcts) \
    X(greedy) \
    X(random)
/* clang-format on */

#define DECLARE(name) extern const snc_search_kind snc_search_##name;
#define ROW(name)     &snc_search_##name,
SEARCHES(DECLARE)
static const snc_search_kind *const registry[] = {SEARCHES(ROW)};
enum { KINDS = sizeof registry / sizeof registry[0] };

struct snc_search {
    const snc_search_kind *kind;
    void *state;
};

const char *snc_search_name(int i) { return i >= 0 && i < KINDS ? registry[i]->name : NULL; }

snc_err snc_search_create(snc_search **out, const char *name, const cJSON *params, const snc_problem *p)
{
    char expected[320];
    int i = snc_names_find(snc_search_name, name);
    snc_names_expected(expected, sizeof expected, snc_search_name, name, "one");
    SNC_CHECK(i >= 0, SNC_E_NOTFOUND, "search '%.60s': %s", name, expected);
    SNC_TRY(snc_alloc(out, 1, sizeof **out));
    (*out)->kind = registry[i];
    snc_err err = registry[i]->create(&(*out)->state, params, p);
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

snc_err snc_search_ask(snc_cfg *cfg, int *n, snc_search *s, int cap)
{
    assert(cap >= 1);
    return s->kind->ask(s->state, cfg, n, cap);
}
snc_err snc_search_tell(snc_search *s, const snc_obs *obs, int n)
{
    assert(n >= 0);
    return s->kind->tell(s->state, obs, n);
}

void snc_search_report(snc_search_note *out, const snc_search *s)
{
    *out = (snc_search_note){0};
    if (s->kind->report) s->kind->report(s->state, out);
}
