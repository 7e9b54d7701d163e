/* Z'Z, or ZZ' while rows are fewer than features, is made once; an alpha changes its diagonal and costs one solve. */
#include "search/ridge.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "search/lsq.h"

struct snc_ridge {
    int d, m; /* features; order of the system: d, or the rows that count when they are fewer */
    int rows;
    bool dual;
    double *Z; /* [rows, d]: sqrt(v) (x - mean), rows of weight 0 left out */
    double *t; /* [rows]: sqrt(v) (y - mean) */
    double *mean_x, mean_y;
    double *G, *b; /* [m, m] lower triangle, [m] */
    double *A, *x; /* the copies a solve destroys */
};

void snc_ridge_free(snc_ridge *r)
{
    if (!r) return;
    snc_free(r->Z);
    snc_free(r->t);
    snc_free(r->mean_x);
    snc_free(r->G);
    snc_free(r->b);
    snc_free(r->A);
    snc_free(r->x);
    snc_free(r);
}

static void centre(snc_ridge *r, const double *X, const double *y, const int *weight, int n)
{
    double total = 0;
    int d = r->d;
    for (int i = 0; i < n; i++) {
        double v = weight ? weight[i] : 1;
        total += v;
        r->mean_y += v * y[i];
        for (int k = 0; k < d; k++) r->mean_x[k] += v * X[(size_t)i * (size_t)d + (size_t)k];
    }
    r->mean_y /= total;
    for (int k = 0; k < d; k++) r->mean_x[k] /= total;
    for (int i = 0, row = 0; i < n; i++) {
        double v = sqrt(weight ? weight[i] : 1);
        if (v == 0) continue;
        double *z = r->Z + (size_t)row * (size_t)d;
        for (int k = 0; k < d; k++) z[k] = v * (X[(size_t)i * (size_t)d + (size_t)k] - r->mean_x[k]);
        r->t[row++] = v * (y[i] - r->mean_y);
    }
}

/* G = Z'Z and b = Z't, or G = ZZ' and b = t. */
static void sums(snc_ridge *r)
{
    int d = r->d;
    for (int i = 0; i < r->rows; i++) {
        const double *z = r->Z + (size_t)i * (size_t)d;
        if (r->dual) {
            r->b[i] = r->t[i];
            for (int j = 0; j <= i; j++) {
                const double *o = r->Z + (size_t)j * (size_t)d;
                double s = 0;
                for (int k = 0; k < d; k++) s += z[k] * o[k];
                r->G[(size_t)i * (size_t)r->m + (size_t)j] = s;
            }
            continue;
        }
        for (int j = 0; j < d; j++) {
            double *g = r->G + (size_t)j * (size_t)d, zj = z[j];
            r->b[j] += zj * r->t[i];
            for (int k = 0; k <= j; k++) g[k] += zj * z[k];
        }
    }
}

snc_err snc_ridge_new(snc_ridge **out, const double *X, const double *y, const int *weight, int n, int d)
{
    assert(n >= 1 && d >= 1);
    snc_ridge *r = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&r, 1, sizeof *r));
    r->d = d;
    for (int i = 0; i < n; i++) r->rows += !weight || weight[i] > 0;
    r->dual = r->rows < d;
    r->m = r->dual ? r->rows : d;
    size_t m = (size_t)r->m;
    SNC_GOTO(snc_alloc(&r->Z, (size_t)r->rows * (size_t)d, sizeof *r->Z));
    SNC_GOTO(snc_alloc(&r->t, (size_t)r->rows, sizeof *r->t));
    SNC_GOTO(snc_alloc(&r->mean_x, (size_t)d, sizeof *r->mean_x));
    SNC_GOTO(snc_alloc(&r->G, m * m, sizeof *r->G));
    SNC_GOTO(snc_alloc(&r->A, m * m, sizeof *r->A));
    SNC_GOTO(snc_alloc(&r->b, m, sizeof *r->b));
    SNC_GOTO(snc_alloc(&r->x, m, sizeof *r->x));
    centre(r, X, y, weight, n);
    sums(r);
    *out = r;
    return SNC_OK;
out:
    snc_ridge_free(r);
    return err;
}

snc_err snc_ridge_solve(double *w, double *bias, snc_ridge *r, double alpha)
{
    assert(alpha >= 0);
    size_t m = (size_t)r->m;
    if (m) {
        memcpy(r->A, r->G, m * m * sizeof *r->A);
        memcpy(r->x, r->b, m * sizeof *r->x);
    }
    for (size_t i = 0; i < m; i++) r->A[i * m + i] += alpha;
    if (m) SNC_TRY(snc_lsq_solve(r->x, r->A, r->m));
    memset(w, 0, (size_t)r->d * sizeof *w);
    if (!r->dual && m) memcpy(w, r->x, m * sizeof *w);
    for (int i = 0; r->dual && i < r->rows; i++)
        for (int k = 0; k < r->d; k++) w[k] += r->x[i] * r->Z[(size_t)i * (size_t)r->d + (size_t)k];
    *bias = r->mean_y;
    for (int k = 0; k < r->d; k++) *bias -= w[k] * r->mean_x[k];
    return SNC_OK;
}
