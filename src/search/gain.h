/* search/gain.h: what a point would add to a front: the hypervolume between it and what is there.
 *
 * Objectives whose measured values are all positive are compared by their logarithm: a tenth less loss is worth as much at the
 * cheap end of a front as at the good end, where the same tenth is a small number. The volume reaches to the worst that is of
 * use where a problem says so, else to the worst of the front and a fiftieth of its range, so that points beyond either end
 * count for little and the middle for most.
 */
#ifndef SNC_SEARCH_GAIN_H
#define SNC_SEARCH_GAIN_H

#include "search/pareto.h"

/* Which objectives are compared by their logarithm: those that are positive in every point that counts. */
typedef struct snc_scale {
    int m;
    bool log[SNC_MAX_OBJECTIVES];
} snc_scale;
snc_scale snc_scale_of(const snc_point *p, int n, int m);
snc_point snc_scaled(const snc_scale *s, const snc_point *p);
/* Where a volume ends in the first objective, scaled: at `worst` (of use; 0: none) when `best`, which is scaled, lies before it, else
 * at `otherwise`. */
double snc_scaled_end(const snc_scale *s, double worst, double best, double otherwise);
/* Within the limits, and every objective a number. */
bool snc_point_counts(const snc_point *p, int m);

typedef struct snc_gain {
    snc_scale scale;
    int n;
    size_t cap;
    double ref[SNC_MAX_OBJECTIVES];
    snc_point *front; /* [n] scaled */
} snc_gain;

/* The front of n measured points, those that miss a limit or are not numbers left out. worst: of the first objective, 0 for
 * none; it counts when some point is better. */
snc_err snc_gain_init(snc_gain *g, const snc_point *measured, int n, int m, double worst) SNC_MUST_USE;
void snc_gain_dispose(snc_gain *g);
/* Position in order [n] of the point that adds most, the first of equals; -1 when n is 0. */
snc_err snc_gain_best(int *at, snc_gain *g, const snc_point *p, const int *order, int n) SNC_MUST_USE;
/* From now on the point counts as part of the front. */
snc_err snc_gain_add(snc_gain *g, const snc_point *p) SNC_MUST_USE;

#endif
