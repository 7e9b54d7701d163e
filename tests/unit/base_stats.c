/* Medians, quantiles and intervals: against constants from SciPy 1.17 and NumPy, and by how often they cover what is true. */
#include <math.h>

#include "base/rng.h"
#include "base/stats.h"
#include "check.h"

static void nine_rounds_forgive_one_at_either_end(void **state)
{
    (void)state;
    const double v[] = {5, 3, 90, 4, 6, 0.1, 7, 8, 2};
    snc_interval i = snc_interval_of(v, 9);
    assert_true(i.value == 5 && i.low == 2 && i.high == 8);
    const double six[] = {6, 1, 2, 3, 4, 5};
    i = snc_interval_of(six, 6);
    assert_true(i.value == 3.5 && i.low == 1 && i.high == 6);
}

static void few_rounds_are_a_mean(void **state)
{
    (void)state;
    const double v[] = {1, 2, 3};
    snc_interval i = snc_interval_of(v, 3);
    assert_true(i.value == 2 && fabs(i.high - 2 - 4.303 / sqrt(3)) < 1e-9 && fabs(i.low - 2 + 4.303 / sqrt(3)) < 1e-9);
    i = snc_interval_of(v, 1);
    assert_true(i.value == 1 && i.low == 1 && i.high == 1);
}

/* Of a skewed distribution with known median: not covered in at most 5% of cases, nor in far fewer than its 3.9%. */
static void the_median_is_covered(void **state)
{
    (void)state;
    enum { CASES = 20000 };
    snc_rng r;
    int missed = 0;
    snc_rng_init(&r, 5, 6);
    for (int c = 0; c < CASES; c++) {
        double v[9];
        for (int k = 0; k < 9; k++) v[k] = exp(3 * snc_rng_normal(&r));
        snc_interval i = snc_interval_of(v, 9);
        missed += i.low > 1 || i.high < 1;
    }
    assert_in_range(missed, (int)(0.033 * CASES), (int)(0.045 * CASES));
}

/* scipy.stats.t.ppf(0.975, k), numpy.quantile(x, q). */
static void constants_of_others(void **state)
{
    (void)state;
    const struct {
        int freedom;
        double t;
    } student[] = {{1, 12.706205}, {2, 4.302653}, {5, 2.570582}, {15, 2.131450}};
    for (int i = 0; i < 4; i++) assert_true(fabs(snc_student(student[i].freedom) - student[i].t) < 1e-3);
    assert_true(isnan(snc_student(0)));
    double v[] = {5, 3, 90, 4, 6, 0.1, 7, 8, 2};
    const double q[] = {0.1, 0.5, 0.9, 0.99}, want[] = {1.62, 5, 24.4, 83.44};
    snc_sort(v, 9);
    for (int i = 0; i < 4; i++) assert_true(fabs(snc_quantile(v, 9, q[i]) - want[i]) < 1e-9);
}

/* ---- pairs --------------------------------------------------------------------------------------------------------------- */

/* scipy.stats.beta.ppf(1 - alpha, worse + 1, n - worse) where nothing is better; 1 - 0.05^(1/n), the rule of three, where nothing
 * differs. The others: bisection in NumPy of sum_m binom.pmf(m, n, p) binom.cdf((worse - better + m) // 2, m, q) = alpha. */
static void bounds_of_pairs(void **state)
{
    (void)state;
    const struct {
        int worse, better, n;
        double alpha, bound;
    } cases[] = {
        {3, 0, 100, 0.025, 0.08517605297428002},       {1, 0, 50, 0.05, 0.09139813071969738},    {25, 0, 872, 0.025, 0.042032613332185886},
        {0, 0, 400, 0.05, 0.007461355528799602},       {30, 20, 872, 0.05, 0.02581436970460737}, {20, 30, 872, 0.05, 0.002483025768968368},
        {7, 7, 400, 0.025, 0.021363604681027937},      {0, 5, 60, 0.05, -0.020566005446198684},  {40, 10, 50, 0.025, 0.7993955250549335},
        {300, 280, 40000, 0.05, 0.001505446244169889},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(fabs(snc_pairs_bound(cases[i].worse, cases[i].better, cases[i].n, cases[i].alpha) - cases[i].bound) < 1e-9);
    for (int n = 1; n < 3000; n = 2 * n + 1) {
        assert_true(fabs(snc_pairs_bound(0, 0, n, 0.05) - (1 - pow(0.05, 1.0 / n))) < 1e-9);
        assert_true(snc_pairs_bound(n, 0, n, 0.05) == 1);
        assert_true(snc_pairs_bound(0, n, n, 0.05) < 0 || n < 5);
    }
    snc_interval i = snc_pairs_interval(30, 20, 872), back = snc_pairs_interval(20, 30, 872);
    assert_true(i.value == 10.0 / 872 && i.low == -back.high && i.high == -back.low && i.low < 0 && i.high > i.value);
}

enum { MOST = 60 };

/* How often bounds are above the true difference: by all outcomes of n rows that weigh anything. */
static void covered(double *upper, double *both, int n, double open, double share, double bound[2][MOST + 1][MOST + 1])
{
    /* bound[1]: at 5%, [0]: at 2.5%; NaN until needed */
    double d = open * (2 * share - 1);
    *upper = *both = 0;
    for (int m = 0; m <= n && m <= MOST; m++)
        for (int w = 0; w <= m; w++) {
            double p = exp(lgamma(n + 1.0) - lgamma(n - m + 1.0) - lgamma(w + 1.0) - lgamma(m - w + 1.0)) * pow(open * share, w) *
                       pow(open * (1 - share), m - w) * pow(1 - open, n - m);
            if (p < 1e-9) continue;
            double *one = &bound[1][w][m - w], *high = &bound[0][w][m - w], *low = &bound[0][m - w][w];
            if (isnan(*one)) *one = snc_pairs_bound(w, m - w, n, 0.05);
            if (isnan(*high)) *high = snc_pairs_bound(w, m - w, n, 0.025);
            if (isnan(*low)) *low = snc_pairs_bound(m - w, w, n, 0.025);
            *upper += p * (*one >= d - 1e-9);
            *both += p * (*high >= d - 1e-9 && -*low <= d + 1e-9);
        }
}

/* At least 95%, at the edges too: no row differs but by a hair, all of them do, all one way. */
static void pairs_are_covered(void **state)
{
    (void)state;
    static double bound[2][MOST + 1][MOST + 1];
    const int sizes[] = {2, 10, 400, 3000};
    const double rows[] = {0, 0.05, 0.5, 1, 3, 3.69, 20}, shares[] = {0, 0.1, 0.5, 0.75, 1}; /* rows that differ, in the mean */
    for (int s = 0; s < 4; s++) {
        for (int w = 0; w <= MOST; w++)
            for (int b = 0; b <= MOST; b++) bound[0][w][b] = bound[1][w][b] = NAN;
        for (int r = 0; r < 7; r++)
            for (int k = 0; k < 5; k++) {
                double upper, both, open = fmin(rows[r] / sizes[s], 1);
                covered(&upper, &both, sizes[s], open, shares[k], bound);
                if (upper < 0.9499 || both < 0.9499)
                    fail_msg("n %d, %g differ, %g of them worse: %.4f, %.4f", sizes[s], open, shares[k], upper, both);
            }
    }
}

/* (1.644854 + 0.841621)^2 p / margin^2: 4 % of rows and half a point; and what it promises, by draws of equal pairs. */
static void so_many_rows_show_an_equal_pair(void **state)
{
    (void)state;
    enum { CASES = 150 };
    const double p = 0.1, margin = 0.05;
    int n = (int)snc_rows_needed(sqrt(p / 1000), 1000, margin), shown = 0;
    snc_rng r;
    assert_true(fabs(snc_rows_needed(sqrt(0.04 / 872), 872, 0.005) - 9892) < 1 && isinf(snc_rows_needed(0.1, 10, 0)));
    snc_rng_init(&r, 11, 12);
    for (int c = 0; c < CASES; c++) {
        int worse = 0, better = 0;
        for (int i = 0; i < n; i++) {
            double u = snc_rng_uniform(&r);
            worse += u < p / 2;
            better += u >= p / 2 && u < p;
        }
        shown += snc_pairs_bound(worse, better, n, 0.05) <= margin;
    }
    assert_in_range(shown, (int)(0.7 * CASES), (int)(0.9 * CASES));
}

/* ---- bootstrap ----------------------------------------------------------------------------------------------------------- */

static snc_err mean_of(double *out, void *user, const int32_t *rows, int n)
{
    const double *v = user;
    *out = 0;
    for (int i = 0; i < n; i++) *out += v[rows[i]] / n;
    if (v[rows[0]] > 2.5) *out = NAN; /* some resamples have none */
    return SNC_OK;
}

static void a_bootstrap_covers_the_mean(void **state)
{
    (void)state;
    enum { ROWS = 60, CASES = 300, DRAWS = 400 };
    snc_rng r;
    int missed = 0;
    double draw[DRAWS], again[DRAWS];
    snc_rng_init(&r, 3, 4);
    for (int c = 0; c < CASES; c++) {
        double v[ROWS];
        int defined, same;
        snc_interval i;
        for (int k = 0; k < ROWS; k++) v[k] = snc_rng_normal(&r);
        assert_int_equal(snc_bootstrap(draw, &defined, DRAWS, mean_of, v, ROWS, 1, 2), SNC_OK);
        assert_in_range(defined, DRAWS / 2, DRAWS);
        for (int k = 1; k < defined; k++) assert_true(draw[k] >= draw[k - 1]);
        snc_drawn_interval(&i, draw, defined);
        missed += i.low > 0 || i.high < 0;
        if (c) continue;
        assert_int_equal(snc_bootstrap(again, &same, DRAWS, mean_of, v, ROWS, 1, 2), SNC_OK);
        assert_true(same == defined);
        for (int k = 0; k < defined; k++) assert_true(again[k] == draw[k]);
    }
    assert_in_range(missed, CASES * 2 / 100, CASES * 10 / 100);
}

static void kendall_knows_order_and_ties(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3, 4}, up[] = {10, 20, 30, 40}, down[] = {4, 3, 2, 1}, flat[] = {1, 1, 1, 1}, tied[] = {1, 1, 2, 3};
    assert_true(snc_kendall_tau(a, up, 4) == 1 && snc_kendall_tau(a, down, 4) == -1 && snc_kendall_tau(a, flat, 4) == 0);
    assert_true(fabs(snc_kendall_tau(a, tied, 4) - 5 / sqrt(30)) < 1e-12);
}

/* scipy.stats.rankdata of the same. */
static void equal_values_share_their_ranks(void **state)
{
    (void)state;
    double v[] = {3, -1, 3, 0.5, 3, 0.5, -0.0, 0}, rank[8];
    const double want[] = {7, 1, 7, 4.5, 7, 4.5, 2.5, 2.5};
    assert_int_equal(snc_average_ranks(rank, v, 8), SNC_OK);
    for (int i = 0; i < 8; i++) assert_true(rank[i] == want[i]);
    assert_int_equal(snc_average_ranks(v, v, 8), SNC_OK); /* in place */
    for (int i = 0; i < 8; i++) assert_true(v[i] == want[i]);
    assert_int_equal(snc_average_ranks(rank, (const double[]){5}, 1), SNC_OK);
    assert_true(rank[0] == 1);
}

static void sums_say_what_samples_say(void **state)
{
    (void)state;
    const double v[] = {3, 1, 4, 1, 5, 9};
    double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 2}, sum = 0, squares = 0;
    for (int i = 0; i < 6; i++) sum += v[i], squares += v[i] * v[i];
    assert_true(fabs(snc_standard_error_of_sums(sum, squares, 6) - snc_standard_error(v, 6)) < 1e-12);
    assert_true(snc_standard_error_of_sums(3, 9, 1) == 0);
    assert_true(snc_median(odd, 3) == 5 && snc_median(even, 4) == 2.5);
}

/* The lady who tasted tea (Fisher 1935): three of four cups are right by chance in 34 of 70 ways, counted on both sides. */
static void shares_are_alike_by_chance(void **state)
{
    (void)state;
    assert_true(fabs(snc_shares_alike(3, 4, 1, 4) - 34.0 / 70) < 1e-9);
    assert_true(fabs(snc_shares_alike(4, 4, 0, 4) - 2.0 / 70) < 1e-9);
    assert_true(fabs(snc_shares_alike(500, 1000, 400, 800) - 1) < 1e-9);
    assert_true(fabs(snc_shares_alike(0, 10, 0, 3) - 1) < 1e-9 && fabs(snc_shares_alike(10, 10, 3, 3) - 1) < 1e-9);
    assert_true(snc_shares_alike(500, 1000, 560, 1000) < 0.01 && snc_shares_alike(500, 1000, 530, 1000) > 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nine_rounds_forgive_one_at_either_end),
        cmocka_unit_test(few_rounds_are_a_mean),
        cmocka_unit_test(the_median_is_covered),
        cmocka_unit_test(constants_of_others),
        cmocka_unit_test(bounds_of_pairs),
        cmocka_unit_test(pairs_are_covered),
        cmocka_unit_test(so_many_rows_show_an_equal_pair),
        cmocka_unit_test(a_bootstrap_covers_the_mean),
        cmocka_unit_test(kendall_knows_order_and_ties),
        cmocka_unit_test(equal_values_share_their_ranks),
        cmocka_unit_test(sums_say_what_samples_say),
        cmocka_unit_test(shares_are_alike_by_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
