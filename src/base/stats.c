/* Order statistics and binomials where there is a formula, which hold at the edges too; a seeded bootstrap where there is none. */
#include "base/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

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

double snc_median(double *v, int n)
{
    snc_sort(v, n);
    return snc_quantile(v, n, 0.5);
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

double snc_standard_error_of_sums(double sum, double squares, int n)
{
    double mean = sum / n, var = n > 1 ? (squares - n * mean * mean) / (n - 1) : 0;
    return sqrt(var > 0 ? var / n : 0);
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

typedef struct keyed {
    double key;
    int row;
} keyed;

static int by_key(const void *a, const void *b)
{
    const double x = ((const keyed *)a)->key, y = ((const keyed *)b)->key;
    return (x > y) - (x < y);
}

snc_err snc_average_ranks(double *rank, const double *v, int n)
{
    keyed *order = NULL;
    SNC_TRY(snc_alloc(&order, (size_t)n, sizeof *order));
    for (int i = 0; i < n; i++) order[i] = (keyed){v[i], i};
    qsort(order, (size_t)n, sizeof *order, by_key);
    for (int i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && order[end].key == order[i].key;) end++;
        for (int j = i; j < end; j++) rank[order[j].row] = 0.5 * (i + 1.0 + end);
    }
    snc_free(order);
    return SNC_OK;
}

double snc_kendall_tau(const double *a, const double *b, int n)
{
    double same = 0, pairs_a = 0, pairs_b = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            int x = (a[i] > a[j]) - (a[i] < a[j]), y = (b[i] > b[j]) - (b[i] < b[j]);
            same += x * y;
            pairs_a += x != 0;
            pairs_b += y != 0;
        }
    return pairs_a > 0 && pairs_b > 0 ? same / sqrt(pairs_a * pairs_b) : 0;
}

/* ---- pairs --------------------------------------------------------------------------------------------------------------- */

static double binomial(int k, int n, double p)
{
    if (k < 0 || k > n) return 0;
    if (p <= 0 || p >= 1) return k == (p <= 0 ? 0 : n);
    return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(p) + (n - k) * log1p(-p));
}

/* P(worse - better <= d) over n rows with these probabilities: over their sum m, which is binomial, worse is binomial within m.
 * P(K <= k) of the latter goes along with m by two terms a step. */
static double difference_at_most(int d, int n, double worse, double better)
{
    double open = fmin(worse + better, 1), share = open > 0 ? worse / open : 0, mean = n * open, wide = 9 * (sqrt(mean * (1 - open)) + 1);
    int first = (int)fmax(mean - wide, 0), last = (int)fmin(ceil(mean + wide), n);
    int k = d + first < 0 ? -1 : (d + first) / 2;
    double below = 0, sum = 0;
    for (int i = 0; i <= k; i++) below += binomial(i, first, share);
    for (int m = first;; m++) {
        sum += binomial(m, n, open) * below;
        if (m == last) return sum;
        below -= share * binomial(k, m, share);
        int next = d + m + 1 < 0 ? -1 : (d + m + 1) / 2;
        if (next > k) below += binomial(next, m + 1, share);
        k = next;
    }
}

/* The likeliest probability of a better row when that of a worse one is larger by d. */
static double likeliest_better(int worse, int better, int n, double d)
{
    double a = 2.0 * n, b = (2.0 * n - worse + better) * d - worse - better, c = -better * d * (1 - d);
    double p = (sqrt(fmax(b * b - 4 * a * c, 0)) - b) / (2 * a);
    return fmin(fmax(p, fmax(-d, 0)), (1 - d) / 2);
}

double snc_pairs_bound(int worse, int better, int n, double alpha)
{
    double low = (double)(worse - better) / n, high = 1;
    for (int i = 0; i < 50; i++) {
        double d = (low + high) / 2, p = likeliest_better(worse, better, n, d);
        if (difference_at_most(worse - better, n, p + d, p) > alpha) low = d;
        else high = d;
    }
    return high;
}

snc_interval snc_pairs_interval(int worse, int better, int n)
{
    return (snc_interval){(double)(worse - better) / n, -snc_pairs_bound(better, worse, n, TAIL), snc_pairs_bound(worse, better, n, TAIL)};
}

static double log_choose(int n, int k) { return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0); }

double snc_shares_alike(int a, int n, int b, int m)
{
    const int s = a + b, first = s > m ? s - m : 0, last = s < n ? s : n;
    const double all = log_choose(n + m, s), seen = log_choose(n, a) + log_choose(m, b) - all;
    double sum = 0;
    for (int x = first; x <= last; x++) {
        const double p = log_choose(n, x) + log_choose(m, s - x) - all;
        if (p <= seen + 1e-7) sum += exp(p);
    }
    return fmin(sum, 1);
}

double snc_rows_needed(double error, int n, double margin)
{
    static const double Z = 1.644854 + 0.841621; /* the normal at 95 and at 80 % */
    return margin > 0 ? n * (Z * error / margin) * (Z * error / margin) : (double)INFINITY;
}

/* ---- bootstrap ----------------------------------------------------------------------------------------------------------- */

snc_err snc_bootstrap(double *draw, int *defined, int draws, snc_statistic f, void *user, int n, uint64_t seed, uint64_t stream)
{
    snc_err err = SNC_OK;
    snc_rng rng;
    int32_t *rows = NULL;
    snc_rng_init(&rng, seed, stream);
    *defined = 0;
    SNC_GOTO(snc_alloc(&rows, (size_t)n, sizeof *rows));
    for (int b = 0; b < draws; b++) {
        double v = 0;
        for (int i = 0; i < n; i++) rows[i] = (int32_t)snc_rng_below(&rng, (uint32_t)n);
        SNC_GOTO(f(&v, user, rows, n));
        if (!isnan(v)) draw[(*defined)++] = v;
    }
    snc_sort(draw, *defined);
out:
    snc_free(rows);
    return err;
}

void snc_drawn_interval(snc_interval *out, const double *draw, int draws)
{
    out->low = draw[draws / 40];
    out->high = draw[draws - 1 - draws / 40];
}
