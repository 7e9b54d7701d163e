/* search/ridge.h: ridge regression on features: minimises sum_i v_i (y_i - b - w.x_i)^2 + alpha |w|^2.
 *
 * The sums over rows are made once and solved for as many alphas as wanted. Row weights v are 0 and 1 for cross-validation
 * and counts for a bootstrap. With fewer rows than features the dual is solved: cheap while a search is young.
 */
#ifndef SNC_SEARCH_RIDGE_H
#define SNC_SEARCH_RIDGE_H

#include "search/features.h"

typedef struct snc_ridge snc_ridge;

/* X [n, d] and y [n] are borrowed; weight [n] whole numbers >= 0, or NULL for ones; at least one is positive. */
snc_err snc_ridge_new(snc_ridge **out, const double *X, const double *y, const int *weight, int n, int d) SNC_MUST_USE;
void snc_ridge_free(snc_ridge *r);
/* w [d] and *bias; alpha > 0. */
snc_err snc_ridge_solve(double *w, double *bias, snc_ridge *r, double alpha) SNC_MUST_USE;

#endif
