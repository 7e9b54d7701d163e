/* search/search.h: the ask/tell interface, the one observation record, and the registry of searches.
 *
 * A search proposes configs and is told what they scored; it never evaluates anything itself, and it draws from a generator
 * of its own, so the same seed and the same answers give the same proposals. That is also how a killed run resumes: the
 * journal answers the configs it knows, and the search walks the same road again.
 *
 *     snc_search_new(&s, "nsga2", NULL, space, seeds, n, 42);
 *     while (budget) { snc_search_ask(cfg, &n, s, cap); evaluate; snc_search_tell(s, obs, n); }
 */
#ifndef SNC_SEARCH_SEARCH_H
#define SNC_SEARCH_SEARCH_H

#include "base/rng.h"
#include "search/pareto.h"
#include "search/space.h"

typedef struct snc_obs {
    snc_cfg cfg;
    double loss;       /* on the rank split; NaN: failed */
    double metric;     /* the task's score there; NaN: not measured */
    double latency_us; /* the workload's, from the latency table */
    double bytes, macs;
    snc_point point;   /* what the search minimises, and by how much a limit is missed */
} snc_obs;

typedef struct snc_search snc_search;

/* One implementation: a row in the registry. */
typedef struct snc_search_kind {
    const char *name;
    snc_err (*create)(void **state, const cJSON *params, const snc_space *space, int objectives, const snc_cfg *seeds, int n_seeds,
                      uint64_t seed);
    snc_err (*ask)(void *state, snc_cfg *cfg, int *n, int cap);
    snc_err (*tell)(void *state, const snc_obs *obs, int n);
    void (*destroy)(void *state);
} snc_search_kind;

extern const snc_search_kind snc_search_nsga2, snc_search_random;

/* params: the JSON object of a configs/search file, or NULL for the defaults. seeds: first proposals. SNC_E_NOTFOUND lists the names. */
snc_err snc_search_new(snc_search **out, const char *name, const cJSON *params, const snc_space *space, int objectives,
                       const snc_cfg *seeds, int n_seeds, uint64_t seed) SNC_MUST_USE;
void    snc_search_free(snc_search *s);
/* At most cap configs, canonical; *n = 0: nothing new to propose. */
snc_err snc_search_ask(snc_cfg *cfg, int *n, snc_search *s, int cap) SNC_MUST_USE;
snc_err snc_search_tell(snc_search *s, const snc_obs *obs, int n) SNC_MUST_USE;

/* Uniform over the options of every gene, canonical. */
snc_cfg snc_cfg_random(const snc_space *s, snc_rng *r);

#endif
