/* base/stats.h: the statistics of the project: quantiles, means, and 95% intervals that hold at the edges too.
 *
 * All samples are n >= 1 numbers without NaN. Draws are seeded: the same samples give the same interval everywhere.
 */
#ifndef SNC_BASE_STATS_H
#define SNC_BASE_STATS_H

#include "base/error.h"

typedef struct snc_interval {
    double value, low, high;
} snc_interval;

void snc_sort(double *v, int n);                            /* ascending */
double snc_quantile(const double *sorted, int n, double q); /* linear between order statistics, as numpy's default */

double snc_median(double *v, int n); /* sorts them */

double snc_mean(const double *v, int n);
double snc_standard_error(const double *v, int n); /* of the mean; 0 for one sample */
/* The same of samples that were added up, and their squares. */
double snc_standard_error_of_sums(double sum, double squares, int n);
/* Student's t at 97.5 %; NaN without a degree of freedom. */
double snc_student(int freedom);

/* The q-quantile of sorted samples between the order statistics that enclose the true one with at least 95%, 2.5% left out on each
 * side of the binomial number of samples below it; the outermost samples where n is too small for that. */
snc_interval snc_quantile_interval(const double *sorted, int n, double q);
/* Median of n <= 64 samples with that interval. Fewer than six cannot say as much: their mean, and Student's t; n = 1: the
 * interval is the value. */
snc_interval snc_interval_of(const double *v, int n);

/* rank [n] from 1, equal values sharing the mean of their ranks; may be v itself. */
snc_err snc_average_ranks(double *rank, const double *v, int n) SNC_MUST_USE;
/* Rank correlation of n pairs, ties allowed (tau-b); 0 where one side is constant. */
double snc_kendall_tau(const double *a, const double *b, int n);

/* ---- pairs: of n rows, `worse` are right by the first alone and `better` by the second alone --------------------------- */

/* The largest difference of the two shares of right rows, first minus second, under which worse - better would come out as small as
 * it did with a probability of alpha: an upper bound at 1 - alpha. Exact for the difference of the counts; the share of rows that
 * is left open is its maximum likelihood under that difference (Tango 1998). Its coverage is at least 1 - alpha at every n and
 * share that was looked at (tests/unit/base_stats.c), and without a single such row it is the rule of three: 0.05^(1/n) of rows
 * stay equal, 3/n do not. better = 0: Clopper and Pearson's bound of a share. n >= 1. */
double snc_pairs_bound(int worse, int better, int n, double alpha);
/* The difference between two such bounds at 2.5 %. */
snc_interval snc_pairs_interval(int worse, int better, int n);

/* Fisher's exact test, two-sided: how likely shares at least as unlikely as a of n and b of m are where both samples have one share. */
double snc_shares_alike(int a, int n, int b, int m);

/* How many rows a bound at 95 % takes to lie under `margin` in four of five samples, of two models that are equally good and differ as
 * often as those whose difference has the standard error `error` on n rows: n ((z_0.95 + z_0.80) error / margin)^2. Of shares that is
 * (1.645 + 0.842)^2 p / margin^2, p the share of rows that one of the two alone has right (Liu, Hsueh, Hsieh and Chen 2002, Statistics
 * in Medicine 21, 231-245): 4 % of them and half a point take 9,900 rows. Not a number of rows will do for margin <= 0: infinity. */
double snc_rows_needed(double error, int n, double margin);

/* ---- bootstrap (Efron 1979) -------------------------------------------------------------------------------------------- */

/* A statistic of n rows, drawn with replacement; NaN where they have none. */
typedef snc_err (*snc_statistic)(double *out, void *user, const int32_t *rows, int n);
/* draw [draws]: the statistic of each resample, ascending, those without one left out: *defined of them. */
snc_err snc_bootstrap(double *draw, int *defined, int draws, snc_statistic f, void *user, int n, uint64_t seed,
                      uint64_t stream) SNC_MUST_USE;
/* low and high of sorted draws, 2.5 % of them beyond either; value is not written. */
void snc_drawn_interval(snc_interval *out, const double *draw, int draws);

#endif
