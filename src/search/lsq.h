/* search/lsq.h: the one linear solve of the predictors; LAPACKE where it was built in, a Cholesky of ours where not. */
#ifndef SNC_SEARCH_LSQ_H
#define SNC_SEARCH_LSQ_H

#include <stdbool.h>

#include "base/error.h"

/* Solves A x = b for a symmetric positive definite A. x [n]: b before, the solution after. A [n, n]: the lower triangle
 * (row-major) is read, all of it is destroyed. SNC_E_BACKEND: A is not positive definite. */
snc_err snc_lsq_solve(double *x, double *A, int n) SNC_MUST_USE;
/* Our own Cholesky, always built: what snc_lsq_solve is without LAPACKE. */
snc_err snc_lsq_solve_ref(double *x, double *A, int n) SNC_MUST_USE;
/* LAPACK's version into buf; false where it was not built in. */
bool snc_lsq_library(char buf[32]);

#endif
