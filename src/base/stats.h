/* base/stats.h: the statistics of the project: quantiles, means, and 95% intervals that hold at the edges too.
 *
 * All samples are n >= 1 numbers without NaN. Draws are seeded: the same samples give the same interval everywhere.
 */
#ifndef SNC_BASE_STATS_H
#define SNC_BASE_STATS_H

typedef struct snc_interval {
    double value, low, high;
} snc_interval;

void   snc_sort(double *v, int n);                         /* ascending */
double snc_quantile(const double *sorted, int n, double q); /* linear between order statistics, as numpy's default */

double snc_mean(const double *v, int n);
double snc_standard_error(const double *v, int n);         /* of the mean; 0 for one sample */
/* Student's t at 97.5 %; NaN without a degree of freedom. */
double snc_student(int freedom);

/* The q-quantile of sorted samples between the order statistics that enclose the true one with at least 95%, 2.5% left out on each
 * side of the binomial number of samples below it; the outermost samples where n is too small for that. */
snc_interval snc_quantile_interval(const double *sorted, int n, double q);
/* Median of n <= 64 samples with that interval. Fewer than six cannot say as much: their mean, and Student's t; n = 1: the
 * interval is the value. */
snc_interval snc_interval_of(const double *v, int n);

#endif
