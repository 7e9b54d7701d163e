/* search/features.h: a config as numbers for a predictor.
 *
 * Genes with one option say nothing and are left out, and so is depth where each layer has a gene; the genes of a layer that the config
 * drops, and dtypes of a half that it skips, are masked to zero, so that a predictor never learns from what is not there. Two encodings:
 *
 *   one-hot   one feature an option; a masked gene has none
 *   steps     for options in ascending order, one feature of size 1/sqrt(n-1) for each option that is reached or passed: a
 *             gene between two known options is predicted between them. For genes that are choices without an order, one-hot.
 *
 * Features of a dtype gene are a quarter as large: under a ridge, which prefers small effects, a matrix is taken to lose less
 * by its dtype than by its width until measurements say otherwise. (With equal sizes, predictors of joint searches were 2 to
 * 6 % further off, and took noise for gains of FP; tests/bench/RESULTS.md, "Joint search".)
 *
 * An additive model over either is a table of one number per gene and option. Between two configs there is also a
 * whole-number distance for kernels, the squared distance of their features in units of 1/SNC_FEATURE_UNIT: steps: the share of the
 * options that lie between, summed over genes; one-hot: one for each gene that differs.
 */
#ifndef SNC_SEARCH_FEATURES_H
#define SNC_SEARCH_FEATURES_H

#include "models/config.h"

enum { SNC_FEATURE_UNIT = 60, SNC_FEATURE_DTYPE_UNIT = 4 }; /* of a gene's whole range; 60 is divisible by 1 to 6, 10, 12, 15, 20, 30 */

typedef struct snc_features {
    bool onehot;
    const snc_space *space;  /* borrowed */
    int genes;               /* with more than one option */
    int gene[SNC_MAX_GENES]; /* which of the space's they are */
    int options[SNC_MAX_GENES];
    int first[SNC_MAX_GENES];                    /* feature index of a gene's first feature */
    int unit[SNC_MAX_GENES];                     /* the distance between its ends */
    double size[SNC_MAX_GENES];                  /* of one feature */
    int d;                                       /* features */
    bool by_depth;                               /* alone it says what is masked: */
    bool masked[SNC_MAX_OPTIONS][SNC_MAX_GENES]; /* by depth option and position in gene[] */
} snc_features;

/* The positions in gene[] that c masks; `buffer` [genes] is written where depth does not say it. */
const bool *snc_features_masked(bool buffer[SNC_MAX_GENES], const snc_features *f, const snc_cfg *c);
void snc_features_init(snc_features *f, const snc_space *s, bool onehot);
/* x [d], dense. */
void snc_features_encode(double *x, const snc_features *f, const snc_cfg *c);
/* code [genes]: what the distance compares. */
void snc_features_code(uint8_t *code, const snc_features *f, const snc_cfg *c);
int snc_features_distance(const snc_features *f, const uint8_t *a, const uint8_t *b);

/* An additive model: table [genes][SNC_MAX_OPTIONS] of weights w [d]. */
typedef double snc_feature_table[SNC_MAX_OPTIONS];
void snc_features_table(snc_feature_table *table, const snc_features *f, const double *w);
double snc_features_sum(const snc_features *f, const snc_feature_table *table, const snc_cfg *c);

#endif
