/* search/pareto.h: dominance among points that are minimised in every objective.
 *
 * A point is `m` objectives and one constraint violation v >= 0 (0: feasible). Constrained dominance (Deb et al. 2002): a
 * feasible point beats an infeasible one, of two infeasible ones the smaller violation wins, two feasible ones compare by
 * Pareto dominance. NaN objectives lose against everything.
 */
#ifndef SNC_SEARCH_PARETO_H
#define SNC_SEARCH_PARETO_H

#include <stdbool.h>

#include "base/error.h"

enum { SNC_MAX_OBJECTIVES = 3 };

typedef struct snc_point {
    double f[SNC_MAX_OBJECTIVES];
    double violation;
} snc_point;

bool snc_dominates(const snc_point *a, const snc_point *b, int m);
/* rank[i]: 0 for the front, 1 for the next ...; crowding[i]: distance within its rank, infinity at the ends. Efficient
 * non-dominated sort with binary search (Zhang et al. 2015): cheap for tens of thousands of points. */
snc_err snc_pareto_rank(int *rank, double *crowding, const snc_point *p, int n, int m) SNC_MUST_USE;
/* order [n]: indices best first: by rank, then by crowding (large first), then by index: a total order. */
snc_err snc_pareto_order(int *order, const snc_point *p, int n, int m) SNC_MUST_USE;
/* Length, area or volume dominated up to ref, m = 1, 2, 3; feasible points only; points outside ref do not count. */
snc_err snc_hypervolume(double *out, const snc_point *p, int n, int m, const double *ref) SNC_MUST_USE;

#endif
