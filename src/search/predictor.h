/* search/predictor.h: what a config will score, learnt from the configs that were measured.
 *
 * Two candidates, as in LINAS (arXiv 2205.10358, section 3): ridge over the features with alpha from a grid, and an RBF-SVR
 * with C and width from a grid. The one with the smaller squared error out of fold, over five folds drawn by seed, is kept.
 * How sure it is comes from a bootstrap: the deviation between ridge models of resampled rows.
 *
 * Costs that can be computed are nobody's business here: a predictor is for what takes an evaluation to know.
 */
#ifndef SNC_SEARCH_PREDICTOR_H
#define SNC_SEARCH_PREDICTOR_H

#include "search/features.h"

typedef struct snc_predictor_opts {
    bool onehot;   /* one-hot features instead of steps */
    bool log;      /* learn the logarithm of the targets, which are positive */
    bool svr;      /* let an RBF-SVR compete, where LIBSVM is built in */
    int svr_from;  /* but not on fewer rows */
    int bootstrap; /* models behind snc_predictor_spread; 0: none */
    uint64_t seed;
} snc_predictor_opts;
/* On journals of real searches an RBF-SVR was first ahead of ridge at 100 to 400 rows (tests/bench/RESULTS.md, "Search methods"). */
#define SNC_PREDICTOR_OPTS_INIT                                  \
    {                                                            \
        .svr = true, .svr_from = 100, .bootstrap = 8, .seed = 42 \
    }

/* The grid search of the SVR is the dear part: it is repeated when the rows have grown by a quarter. Zero it before the first fit. */
typedef struct snc_predictor_memory {
    int rows;
    double C, width;
} snc_predictor_memory;

typedef struct snc_predictor snc_predictor;

/* x [n] canonical, y [n] finite, n >= 2. memory may be NULL. */
snc_err snc_predictor_fit(snc_predictor **out, const snc_space *s, const snc_cfg *x, const double *y, int n, const snc_predictor_opts *o,
                          snc_predictor_memory *memory) SNC_MUST_USE;
void snc_predictor_free(snc_predictor *p);

double snc_predictor_value(const snc_predictor *p, const snc_cfg *c);
/* Standard deviation of the bootstrap's predictions, of the logarithm where that is learnt; 0 without one. */
double snc_predictor_spread(const snc_predictor *p, const snc_cfg *c);
/* The prediction less so many of these deviations. */
double snc_predictor_lower(const snc_predictor *p, const snc_cfg *c, double deviations);

typedef struct snc_predictor_quality {
    const char *kind;            /* "ridge" or "svr" */
    double mape, tau;            /* out of fold: mean |error| / |value| in percent, Kendall's tau-b */
    double rmse;                 /* out of fold */
    double rmse_ridge, rmse_svr; /* of both candidates; NaN: not tried */
} snc_predictor_quality;
void snc_predictor_report(snc_predictor_quality *out, const snc_predictor *p);

#endif
