#include "base/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_SAMPLES = 6, MOST_SAMPLES = 64 };

static const double TAIL = 0.025; /* on either side of an interval */

static int ascending(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

void snc_sort(double *v, int n) { qsort(v, (size_t)n, sizeof *v, ascending); }

double snc_quantile(const double *sorted, int n, double q)
{
    double at = q * (n - 1);
    int i = (int)at;
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

double snc_mean(const double *v, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += v[i];
    return sum / n;
}

double snc_standard_error(const double *v, int n)
{
    double mean = snc_mean(v, n), square = 0;
    for (int i = 0; i < n; i++) square += (v[i] - mean) * (v[i] - mean);
    return n > 1 ? sqrt(square / (n - 1) / n) : 0;
}

double snc_student(int freedom)
{
    static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131};
    int most = (int)(sizeof t / sizeof *t);
    return freedom < 1 ? (double)NAN : freedom <= most ? t[freedom - 1] : 1.96 + 2.4 / freedom;
}

/* Ranks lo, hi (from 0) whose samples enclose the q-quantile. */
static void enclose(int *lo, int *hi, int n, double q)
{
    double log_p = n * log1p(-q), sum = 0;
    *lo = 0;
    *hi = n - 1;
    for (int k = 0; k <= n; k++) { /* P(K = k), K ~ Binomial(n, q) */
        double before = sum;
        sum += exp(log_p);
        if (before <= TAIL && k >= 1) *lo = k - 1; /* P(K < k) <= 2.5%: sample k - 1 lies below the quantile */
        if (sum >= 1 - TAIL) {
            *hi = k < n ? k : n - 1;
            break;
        }
        log_p += log((double)(n - k) / (k + 1)) + log(q) - log1p(-q);
    }
}

snc_interval snc_quantile_interval(const double *sorted, int n, double q)
{
    int lo, hi;
    enclose(&lo, &hi, n, q);
    return (snc_interval){snc_quantile(sorted, n, q), sorted[lo], sorted[hi]};
}

snc_interval snc_interval_of(const double *v, int n)
{
    double s[MOST_SAMPLES];
    if (n < LEAST_SAMPLES) {
        double mean = snc_mean(v, n), half = n > 1 ? snc_student(n - 1) * snc_standard_error(v, n) : 0;
        return (snc_interval){mean, mean - half, mean + half};
    }
    memcpy(s, v, (size_t)n * sizeof *s);
    snc_sort(s, n);
    return snc_quantile_interval(s, n, 0.5);
}
