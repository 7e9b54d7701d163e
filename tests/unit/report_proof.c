/* When a proof looks again. */
#include <math.h>

#include "base/rng.h"
#include "check.h"
#include "report/proof.h"

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
        cmocka_unit_test(a_target_inside_the_interval_is_looked_at_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
