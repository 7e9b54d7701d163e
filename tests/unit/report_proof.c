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

/* By a share or by time, each net by its own; what no latency is asked of goes with the first net. */
static void the_worst_host_decides(void **state)
{
    (void)state;
    enum { NEXT = SNC_PROOF_MODELS };
    const snc_comm_host host[2] = {{.name = "fast"}, {.name = "slow"}};
    static snc_proof one[2];
    const double us[2][NEXT + 1] = {{60, 100, 400, 20}, {120, 240, 300, 90}}; /* compressed, full INT8, teacher, net 1 */
    for (int h = 0; h < 2; h++) {
        one[h].n = NEXT + 1;
        for (int i = 0; i <= NEXT; i++) {
            const double share = us[h][i] / us[h][1];
            one[h].m[i] = (snc_proof_model){.rounds = h + 18, .latency_us = {us[h][i], us[h][i], us[h][i]}, .ratio = {share, share, share}};
        }
    }
    for (int relative = 0; relative < 2; relative++) {
        const snc_target latency[SNC_LATENCIES] = {{true, relative, 0.7}, {true, relative, 0.3}};
        static snc_proof p;
        p = (snc_proof){.n = NEXT + 1};
        for (int h = 0; h < 2; h++) snc_proof_add_host(&p, &one[h], latency, &host[h]);
        const int first = relative ? 0 : 1; /* 0.6x of fast against 0.5x of slow; net 1: 0.2x against 0.375x */
        assert_int_equal(p.hosts, 2);
        assert_int_equal(p.m[SNC_PROOF_COMPRESSED].host, first);
        assert_int_equal(p.m[NEXT].host, 1);
        for (int i = SNC_PROOF_INT8; i <= SNC_PROOF_TEACHER; i++) {
            assert_int_equal(p.m[i].host, first);
            assert_true(p.m[i].latency_us.value == us[first][i] && p.m[i].rounds == first + 18);
        }
        assert_true(snc_proof_decides(&p, SNC_PROOF_COMPRESSED, first) && !snc_proof_decides(&p, SNC_PROOF_COMPRESSED, !first));
        assert_true(snc_proof_decides(&p, NEXT, 1) && !snc_proof_decides(&p, SNC_PROOF_TEACHER, first));
        for (int h = 0; h < 2; h++)
            for (int i = 0; i <= NEXT; i++) assert_true(p.on[h].m[i].latency_us.value == us[h][i] && p.on[h].host == &host[h]);
    }
    static snc_proof here;
    here = (snc_proof){.n = NEXT + 1};
    snc_proof_add_host(&here, &one[0], (const snc_target[SNC_LATENCIES]){{.given = false}}, NULL);
    assert_true(here.hosts == 0 && here.m[SNC_PROOF_COMPRESSED].latency_us.value == 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_inside_the_interval_is_looked_at_again),
        cmocka_unit_test(the_worst_host_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
