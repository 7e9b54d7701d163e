/* Cholesky, which needs no pivots on a positive definite matrix: LAPACK's, or a right-looking one in passes over contiguous rows. */
#include "search/lsq.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "base/par.h"

#ifdef SNC_WITH_LAPACKE
#include <lapacke.h>
#endif

/* Right-looking: column j is finished, then taken out of all rows below it, each in one pass over contiguous memory. The
 * upper triangle of row j keeps a copy of the column. */
snc_err snc_lsq_solve_ref(double *x, double *A, int n)
{
    for (int j = 0; j < n; j++) {
        double *col = A + (size_t)j * (size_t)n, d = col[j];
        SNC_CHECK(d > 0 && isfinite(d), SNC_E_BACKEND, "least squares: the matrix is not positive definite at row %d of %d", j, n);
        d = sqrt(d);
        col[j] = d;
        for (int i = j + 1; i < n; i++) col[i] = A[(size_t)i * (size_t)n + (size_t)j] /= d;
        for (int i = j + 1; i < n; i++) {
            double *row = A + (size_t)i * (size_t)n, l = row[j];
            for (int k = j + 1; k <= i; k++) row[k] -= l * col[k];
        }
    }
    for (int i = 0; i < n; i++) {
        const double *row = A + (size_t)i * (size_t)n;
        for (int k = 0; k < i; k++) x[i] -= row[k] * x[k];
        x[i] /= row[i];
    }
    for (int i = n - 1; i >= 0; i--) {
        const double *row = A + (size_t)i * (size_t)n; /* its upper triangle: column i of L */
        for (int k = i + 1; k < n; k++) x[i] -= row[k] * x[k];
        x[i] /= row[i];
    }
    return SNC_OK;
}

snc_err snc_lsq_solve(double *x, double *A, int n)
{
#ifdef SNC_WITH_LAPACKE
    int before = snc_par_lend(1); /* a team gains nothing on so few rows, and waits forever where another program has its core */
    lapack_int info = LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', n, 1, A, n, x, 1);
    snc_par_return(before);
    SNC_CHECK(info == 0, SNC_E_BACKEND, "least squares: the matrix is not positive definite at row %d of %d", (int)info - 1, n);
    return SNC_OK;
#else
    return snc_lsq_solve_ref(x, A, n);
#endif
}

bool snc_lsq_library(char buf[32])
{
#ifdef SNC_WITH_LAPACKE
    lapack_int major = 0, minor = 0, patch = 0;
    LAPACKE_ilaver(&major, &minor, &patch);
    snprintf(buf, 32, "%d.%d.%d", (int)major, (int)minor, (int)patch);
    return true;
#else
    buf[0] = 0;
    return false;
#endif
}
