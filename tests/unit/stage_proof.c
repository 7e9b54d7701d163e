/* The interval of a proof's rounds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "stage/proof.h"

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

/* How often the median's upper bound stays under a target: seldom where the target is under the median, looked at once or twice. */
static void a_target_inside_the_interval_is_looked_at_again(void **state)
{
    (void)state;
    enum { CASES = 20000 };
    const snc_target none = {.given = false}, share = {.given = true, .relative = true, .value = 1};
    snc_proof_model m = {.latency_us = {400, 390, 410}, .ratio = {0.98, 0.95, 1.02}};
    snc_rng r;
    int passed = 0, open = 0;
    assert_true(snc_proof_decided(&m, &none) && !snc_proof_decided(&m, &share));
    assert_true(snc_proof_decided(&m, &(snc_target){.given = true, .value = 410}));
    assert_true(snc_proof_decided(&m, &(snc_target){.given = true, .value = 380}));
    assert_false(snc_proof_decided(&m, &(snc_target){.given = true, .value = 390}));
    snc_rng_init(&r, 7, 8);
    for (int c = 0; c < CASES; c++) {
        for (int k = 0; k < SNC_PROOF_MOST_ROUNDS; k++) m.round_us[k] = 1.0001 * exp(3 * snc_rng_normal(&r));
        m.ratio = snc_interval_of(m.round_us, SNC_PROOF_ROUNDS);
        open += !snc_proof_decided(&m, &share);
        if (!snc_proof_decided(&m, &share)) m.ratio = snc_interval_of(m.round_us, SNC_PROOF_MOST_ROUNDS);
        passed += m.ratio.high <= 1;
    }
    assert_in_range(open, (int)(0.94 * CASES), CASES);
    assert_in_range(passed, (int)(0.02 * CASES), (int)(0.05 * CASES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nine_rounds_forgive_one_at_either_end),
        cmocka_unit_test(few_rounds_are_a_mean),
        cmocka_unit_test(the_median_is_covered),
        cmocka_unit_test(a_target_inside_the_interval_is_looked_at_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
