/* search/surrogate.h: a problem with its evaluations replaced by predictors: what searches that learn have in common.
 *
 * It keeps what was told, fits a predictor to the score (to its logarithm, where all are positive), and answers any config in well
 * under a microsecond to a few microseconds. Costs stay exact where the problem can compute them; only without a cost function are
 * they learnt too.
 */
#ifndef SNC_SEARCH_SURROGATE_H
#define SNC_SEARCH_SURROGATE_H

#include "search/gain.h"
#include "search/predictor.h"
#include "search/proposals.h"

typedef struct snc_surrogate {
    const snc_problem *problem; /* borrowed */
    snc_predictor_opts opts;
    snc_predictor_memory memory[SNC_MAX_OBJECTIVES];
    snc_predictor *of[SNC_MAX_OBJECTIVES]; /* NULL: exact, or not fitted yet */
    snc_obs *told;                         /* everything, in order */
    size_t n, cap;
    int rows; /* of them behind the predictors: within the limits, with a number */
    int round;
    bool have_ref;
    snc_scale scale;
    double ref[SNC_MAX_OBJECTIVES], hypervolume;
} snc_surrogate;

/* Reads "features" ("steps" or "one-hot") and "predictor" ("auto" or "ridge") from params. */
snc_err snc_surrogate_init(snc_surrogate *s, const snc_problem *problem, const cJSON *params, const char *where) SNC_MUST_USE;
void snc_surrogate_dispose(snc_surrogate *s);
snc_err snc_surrogate_tell(snc_surrogate *s, const snc_obs *obs, int n) SNC_MUST_USE;
/* Learns from all that was told, and measures its hypervolume. *ready = false: fewer than two rows, nothing was learnt. */
snc_err snc_surrogate_fit(bool *ready, snc_surrogate *s) SNC_MUST_USE;
/* Costs, violation and predicted objectives. After a fit that was ready. */
snc_obs snc_surrogate_predict(const snc_surrogate *s, const snc_cfg *c);
/* The predicted score less so many deviations between resampled models. */
double snc_surrogate_lower(const snc_surrogate *s, const snc_cfg *c, double deviations);
/* Told observations best first, at most cap; *n of them. order is an index into told. */
snc_err snc_surrogate_best(int *order, int *n, const snc_surrogate *s, int cap) SNC_MUST_USE;
void snc_surrogate_report(const snc_surrogate *s, snc_search_note *out);

#endif
