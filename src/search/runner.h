/* search/runner.h: the loop around a search: ask, evaluate what the journal does not know, write it down, tell.
 *
 * Scores come through a callback; costs that can be computed are computed by a second one before, so that a config which
 * misses a limit by far is told to the search without an evaluation. The best feasible config so far is handed to `best`
 * whenever it changes, so that a usable result is on disk at any moment.
 *
 * The callback is given all configs of a round that the journal does not know, so that it may score them beside each other. They are
 * written down in the order of the proposals, each as soon as it and all before it in the round have their scores: what a killed run has
 * to score again is what was under way, and what waited for it.
 */
#ifndef SNC_SEARCH_RUNNER_H
#define SNC_SEARCH_RUNNER_H

#include "base/ctx.h"
#include "search/journal.h"

enum { SNC_ROUND = 8 }; /* configs that a search is asked for at a time, at most */

typedef struct snc_limits {
    double latency_us, bytes, macs; /* 0: none */
} snc_limits;

typedef enum snc_cost_kind { SNC_COST_LATENCY, SNC_COST_SIZE, SNC_COST_MACS, SNC_COSTS } snc_cost_kind;

const char *snc_cost_name(snc_cost_kind kind); /* "latency", "size", "macs", as --objectives has them */
const char *snc_cost_key(snc_cost_kind kind);  /* "latency_us", "bytes", "macs", as files have them */
double snc_obs_cost(const snc_obs *o, snc_cost_kind kind);
double *snc_limit(snc_limits *l, snc_cost_kind kind);

typedef struct snc_run_opts {
    snc_limits limits;
    int evals;      /* evaluations in all, those of an earlier run included */
    double seconds; /* 0: no time budget */
    int objectives; /* 2 or 3: quality, then the costs */
    snc_cost_kind cost[SNC_MAX_OBJECTIVES - 1];
    bool by_score; /* quality is the task's score instead of the loss */
} snc_run_opts;

typedef struct snc_run_hooks {
    void *user;
    void (*cost)(void *user, snc_obs *o); /* fills latency_us, bytes, macs */
    /* Fills loss and metric of n observations of a round, in whatever order; scored(run) says that the next of them, in their order, has
     * them, and hands out an error that ends the search. */
    snc_err (*score)(void *user, snc_obs *const *o, int n, snc_err (*scored)(void *run), void *run);
    snc_err (*best)(void *user, const snc_obs *o); /* a new best; NULL: not wanted */
} snc_run_hooks;

typedef struct snc_run_report {
    int evaluated, reused; /* fresh evaluations, and those answered by the journal */
    double seconds;
} snc_run_report;

/* Stops at the budget, when the search has no proposals left, or when cancelled (SNC_E_CANCELLED; the journal is whole). The context's
 * host is told of every evaluation, first of those that the journal has, with the costs of these hooks. */
snc_err snc_run_search(snc_run_report *out, const snc_ctx *ctx, snc_search *s, snc_journal *j, const snc_run_opts *o,
                       const snc_run_hooks *h) SNC_MUST_USE;

/* Objectives and constraint violation of an observation under the options. With a limit, a cost below 0.9 of it counts as
 * 0.9 of it: the user asked for the best net within the limit, not for faster ones. */
void snc_obs_point(snc_obs *o, const snc_run_opts *opts);
/* a is nowhere worse than b in loss, latency and bytes, and somewhere better. NaN loses. */
bool snc_obs_beats(const snc_obs *a, const snc_obs *b);
/* true when a is the better result: fewer violations first, then the lower loss. */
bool snc_obs_better(const snc_obs *a, const snc_obs *b);
/* Best first by snc_obs_better, ties by config. */
void snc_obs_sort(snc_obs *o, int n);

#endif
