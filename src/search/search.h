/* search/search.h: the ask/tell interface, the one observation record, and the registry of searches.
 *
 * A search proposes configs and is told what they scored; it never evaluates anything itself, and it draws from a generator
 * of its own, so the same seed and the same answers give the same proposals. That is also how a killed run resumes: the
 * journal answers the configs it knows, and the search walks the same road again.
 *
 *     snc_problem p = {.space = space, .objectives = 2, .cost = cost, .user = me, .seeds = cfg, .n_seeds = n, .seed = 42};
 *     snc_search_create(&s, "linas", NULL, &p);
 *     while (budget) { snc_search_ask(cfg, &n, s, cap); evaluate; snc_search_tell(s, obs, n); }
 */
#ifndef SNC_SEARCH_SEARCH_H
#define SNC_SEARCH_SEARCH_H

#include "models/config.h"
#include "search/pareto.h"

typedef struct snc_obs {
    snc_cfg cfg;
    double loss;       /* on the rank split; NaN: failed */
    double metric;     /* the task's score there; NaN: not measured */
    double latency_us; /* the workload's, from the latency table */
    double bytes, macs;
    snc_point point; /* what the search minimises, and by how much a limit is missed */
} snc_obs;

/* What is searched. The first objective is the score's and costs an evaluation; the others are costs. */
typedef struct snc_problem {
    const snc_space *space; /* outlives the search */
    int objectives;         /* 1 to SNC_MAX_OBJECTIVES */
    /* Exact and cheap: fills the costs of o->cfg, point.f[1...] and point.violation, leaves loss and point.f[0] alone. Inner
     * loops call it tens of thousands of times. NULL: nothing is computable; no limits, and other objectives are learnt. */
    void (*cost)(void *user, snc_obs *o);
    void *user;
    double worst;         /* of the first objective: nobody has a use for more of it, however cheap; 0: not known */
    const snc_cfg *seeds; /* proposed first; copied */
    int n_seeds;
    uint64_t seed;
} snc_problem;

/* How well a search that learns knows what it learns, after its latest round. */
typedef struct snc_search_note {
    int round;          /* from 1; 0: nothing to say yet */
    int told;           /* observations behind the predictors */
    double hypervolume; /* of all that was told, up to the problem's worst, else that of the first round plus a tenth of the range; see
                        gain.h for the scale */
    struct {
        const char *kind; /* "ridge" or "svr"; NULL: exact, not predicted */
        double mape, tau; /* out of fold: mean absolute error in percent of the value, Kendall's tau */
    } predictor[SNC_MAX_OBJECTIVES];
} snc_search_note;

typedef struct snc_search snc_search;

/* One implementation, snc_search_NAME of NAME.c: a row in the registry of search.c. */
typedef struct snc_search_kind {
    const char *name;
    snc_err (*create)(void **state, const cJSON *params /* or NULL */, const snc_problem *p);
    snc_err (*ask)(void *state, snc_cfg *cfg, int *n, int cap);
    snc_err (*tell)(void *state, const snc_obs *obs, int n);
    void (*destroy)(void *state);
    void (*report)(const void *state, snc_search_note *out); /* NULL: it does not learn */
} snc_search_kind;

/* params: the JSON object of a configs/search file, or NULL for the defaults. SNC_E_NOTFOUND lists the names. */
snc_err snc_search_create(snc_search **out, const char *name, const cJSON *params, const snc_problem *p) SNC_MUST_USE;
void snc_search_free(snc_search *s);
/* At most cap configs, canonical; *n = 0: nothing new to propose. Asked and not yet told configs are not proposed again. */
snc_err snc_search_ask(snc_cfg *cfg, int *n, snc_search *s, int cap) SNC_MUST_USE;
snc_err snc_search_tell(snc_search *s, const snc_obs *obs, int n) SNC_MUST_USE;
/* round 0 from searches that do not learn. */
void snc_search_report(snc_search_note *out, const snc_search *s);
/* The i-th registered name, or NULL after the last. */
const char *snc_search_name(int i);

#endif
