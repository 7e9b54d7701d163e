/* Thresholds from made logits whose best is known. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "candidate/cascade_choice.h"
#include "candidate/pairing.h"
#include "check.h"

enum { N = 1000, NETS = 4 };

static float z[NETS][N][2], label[N];
static double us[NETS][N]; /* of each row: 100, 40, 10, 1 */

/* Class 0 in every row, said by net k with this difference of its logits. */
static void says(int k, int i, double difference)
{
    z[k][i][0] = (float)difference;
    z[k][i][1] = 0;
}

static snc_cascade_choice limited(int nets, int n, double share, const snc_cascade_limit *limit, int limits, bool most_right)
{
    static const double each[NETS] = {100, 40, 10, 1};
    const float *const all[NETS] = {z[0][0], z[1][0], z[2][0], z[3][0]};
    const double *const times[NETS] = {us[0], us[1], us[2], us[3]};
    snc_cascade_rows r = {.nets = nets, .n = n, .K = 2, .z = all, .label = label, .us = times, .limits = limits, .most_right = most_right};
    snc_cascade_choice out;
    for (int i = 0; i < NETS * N; i++) us[i / N][i % N] = each[i / N];
    for (int i = 0; i < limits; i++) r.limit[i] = limit[i];
    assert_int_equal(snc_cascade_choose(&out, &r, share), SNC_OK);
    return out;
}

static snc_cascade_choice choice_of(int nets, int n, double share) { return limited(nets, n, share, NULL, 0, false); }

/* The small net is right where its logits are 3 apart, and wrong in every other row where they are 1 apart: the first 700 it answers. */
static void two_nets_part_where_the_small_one_is_sure(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        says(0, i, 4);
        says(1, i, i < 700 ? 3 : i % 2 ? 1 : -1);
    }
    const snc_cascade_choice c = choice_of(2, N, 0.005); /* 3.0 / 1000 are lost of none that differ */
    assert_true(c.c.nets == 2 && c.rows[1] == 700 && c.rows[0] == 300 && c.worse == 0 && c.better == 0);
    assert_true(fabs(c.us - (40 + 0.3 * 100)) < 1e-6 && c.bound > 0.0029 && c.bound < 0.0031);
    for (int i = 0; i < N; i++) {
        const bool sure = snc_cascade_sure(c.c.rule, z[1][i], 2, c.c.temperature[1]) >= c.c.threshold[1];
        assert_true(sure == (i < 700));
    }
    assert_int_equal(choice_of(2, N, 0.002).c.nets, 0); /* so many rows do not show as little as that */
    assert_int_equal(choice_of(2, N, 0.2).rows[1], N);  /* 150 wrong ones are allowed */
    assert_true(fabs(choice_of(2, N, 0.2).us - 40) < 1e-6);
    for (int i = 0; i < N; i++) says(1, i, i % 2 ? 3 : -3); /* sure, and as often wrong as not */
    const snc_cascade_choice none = choice_of(2, N, 0.01);
    assert_true(none.c.nets == 0 && fabs(none.us - 100) < 1e-6);
}

/* 400 rows the smallest has right, 400 the next, which is no surer of the others; a net that is as good as a smaller one takes no part. */
static void three_nets_and_one_in_the_way(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        says(0, i, 4);
        says(1, i, i >= 400 && i < 800 ? 3 : i % 2 ? 1 : -1);
        says(2, i, i < 400 ? 3 : i % 2 ? 1 : -1);
    }
    snc_cascade_choice c = choice_of(3, N, 0.005);
    assert_true(c.rows[2] == 400 && c.rows[1] == 400 && c.rows[0] == 200 && c.worse == 0);
    assert_true(fabs(c.us - (0.4 * 10 + 0.4 * 50 + 0.2 * 150)) < 1e-6);
    for (int i = 0; i < N; i++) says(1, i, i < 400 ? 3 : i % 2 ? 1 : -1);
    c = choice_of(3, N, 0.005);
    assert_true(c.rows[2] == 400 && c.rows[1] == 0 && c.rows[0] == 600 && !snc_cascade_asks(&c.c, 1));
    assert_true(fabs(c.us - (0.4 * 10 + 0.6 * 110)) < 1e-6);
}

/* The small net of two: right in the first 700 rows, where it is sure; surer in 100 of these than in the others. */
static void limits_of_time_are_kept(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        says(0, i, 4);
        says(1, i, i < 700 ? 3 : i % 2 ? 1 : -1);
    }
    const snc_cascade_limit mean = {0, 60}, tight = {0, 39}, most = {0.7, 100}, nearly_all = {0.71, 100}, p99 = {0.99, 139},
                            slow = {0.99, 141};
    assert_int_equal(limited(2, N, 0.005, &slow, 1, false).rows[1], 700); /* 140 of those that go on */
    assert_int_equal(limited(2, N, 0.005, &most, 1, false).rows[1], 700); /* so many are under it */
    snc_cascade_choice c = limited(2, N, 0.005, &nearly_all, 1, false);   /* one in a hundred more would be wrong: the largest alone */
    assert_true(c.c.nets == 0 && fabs(c.us - 100) < 1e-6);
    c = limited(2, N, 0.005, &mean, 1, false); /* a mean of 60 has 200 rows go on at most, of the 300 of which half are wrong */
    assert_true(c.c.nets == 0 && isinf(c.us));
    c = limited(2, N, INFINITY, &mean, 1, true); /* by right answers: all that it has time for go on */
    assert_true(c.c.nets == 2 && c.us <= 60 && c.rows[0] <= 200);
    assert_true(isinf(limited(2, N, INFINITY, &tight, 1, true).us)); /* the small net alone takes 40 */
    c = limited(2, N, INFINITY, &p99, 1, true);                      /* nobody may go on, or nobody be asked first */
    assert_true(c.c.nets == 0 && fabs(c.us - 100) < 1e-6 && c.rows[0] == N);
    const snc_cascade_limit both[] = {{0, 60}, {0.99, 139}};
    c = limited(2, N, INFINITY, both, 2, true);
    assert_true(c.c.nets == 2 && c.rows[1] == N && c.worse == 150);
}

/* What goes on takes what is left of it: behind the net that is asked before it, whichever that is. */
static void a_net_that_goes_on_takes_the_rest(void **state)
{
    static double rest[2][N]; /* of net 0 behind net 1, and behind net 2 */
    const float *const all[] = {z[0][0], z[1][0], z[2][0]};
    const double *const times[] = {us[0], us[1], us[2]}, *step[SNC_NETS_MOST];
    snc_cascade_rows r = {.nets = 3, .n = N, .K = 2, .z = all, .label = label, .us = times};
    snc_cascade_choice c;
    (void)state;
    three_nets_and_one_in_the_way(state); /* the middle one */
    for (int i = 0; i < N; i++) rest[0][i] = 60, rest[1][i] = 95;
    r.behind[0][1] = rest[0];
    r.behind[0][2] = rest[1];
    assert_int_equal(snc_cascade_choose(&c, &r, 0.005), SNC_OK);
    assert_true(c.rows[2] == 400 && c.rows[0] == 600 && fabs(c.us - (0.4 * 10 + 0.6 * 105)) < 1e-6);
    snc_cascade_steps(step, &r, &c.c);
    assert_true(step[2] == us[2] && !step[1] && step[0] == rest[1]);
    c.c.threshold[1] = 0.5;
    snc_cascade_steps(step, &r, &c.c);
    assert_true(step[2] == us[2] && step[1] == us[1] && step[0] == rest[0]);
    for (int i = 0; i < N; i++) rest[0][i] = 1; /* then all three are worth asking */
    for (int i = 0; i < N; i++) says(1, i, i >= 400 && i < 800 ? 3 : i % 2 ? 1 : -1);
    assert_int_equal(snc_cascade_choose(&c, &r, 0.005), SNC_OK);
    assert_true(c.rows[1] == 400 && fabs(c.us - (0.4 * 10 + 0.4 * 50 + 0.2 * 51)) < 1e-6);
}

/* One threshold at a time finds the same. */
static void more_nets_are_searched_in_turn(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        says(0, i, 4);
        for (int k = 1; k < NETS; k++) says(k, i, i >= 900 ? (i % 2 ? 1 : -1) : i / 300 <= NETS - 1 - k ? 3 : i % 2 ? 1 : -1);
    }
    const snc_cascade_choice c = choice_of(NETS, N, 0.005);
    assert_true(c.rows[3] == 300 && c.rows[2] == 300 && c.rows[1] == 300 && c.rows[0] == 100 && c.worse == 0);
}

/* Labels drawn by logits that were multiplied since. */
static void a_temperature_is_found_again(void **state)
{
    snc_rng rng;
    static float noisy[20 * N], drawn[10 * N];
    (void)state;
    snc_rng_init(&rng, 7, 1);
    for (int i = 0; i < 10 * N; i++) {
        const double d = 2 * snc_rng_normal(&rng);
        drawn[i] = snc_rng_uniform(&rng) < 1 / (1 + exp(-d)) ? 0 : 1;
        noisy[2 * i] = (float)(3 * d);
        noisy[2 * i + 1] = 0;
    }
    assert_true(fabs(snc_cascade_temperature(noisy, drawn, 10 * N, 2) - 3) < 0.2);
    for (int i = 0; i < 10 * N; i++) noisy[2 * i] = drawn[i] == 0 ? 5 : -5; /* never wrong: as cold as can be */
    assert_true(fabs(snc_cascade_temperature(noisy, drawn, 10 * N, 2) - 0.05) < 1e-3);
}

/* The least sure go on, as many as there is time for; of equal ones all stay. */
static void a_pair_spends_the_time_that_it_has(void **state)
{
    float small[N][2], before[N][2];
    (void)state;
    for (int i = 0; i < N; i++) {
        says(0, i, -9);
        small[i][0] = (float)(i + 1) / N; /* the later, the surer */
        small[i][1] = 0;
    }
    memcpy(before, small, sizeof small);
    assert_int_equal(snc_pairing_put(small[0], z[0][0], N, 2, 40, 100, 60), 200); /* 40 + 0.2 x 100 */
    for (int i = 0; i < N; i++) assert_true(memcmp(small[i], i < 200 ? z[0][i] : before[i], sizeof small[i]) == 0);
    memcpy(small, before, sizeof small);
    assert_int_equal(snc_pairing_put(small[0], z[0][0], N, 2, 60, 100, 60), 0);
    assert_int_equal(snc_pairing_put(small[0], z[0][0], N, 2, 80, 100, 60), 0);
    assert_memory_equal(small, before, sizeof small);
    assert_int_equal(snc_pairing_put(small[0], z[0][0], N, 2, 40, 100, 200), N);
    assert_memory_equal(small, z[0], sizeof small);
    for (int i = 0; i < N; i++) small[i][0] = i < 150 ? 0.1F : 1;
    assert_int_equal(snc_pairing_put(small[0], z[0][0], N, 2, 40, 100, 60), 150);
}

/* Another larger net, another share of its time, another teacher. */
static void what_is_said_of_a_pair_hangs_on_it(void **state)
{
    (void)state;
    snc_pairing p = {.arch = {.layers = 1, .hidden = 32, .heads = {2}, .ffn = {64}}, .policy = snc_policy_int8(), .us = 100, .mean_us = 50};
    const uint64_t h = snc_pairing_hash(&p, 1);
    assert_true(h != snc_pairing_hash(&p, 2));
    p.us = 200, p.mean_us = 100; /* another clock */
    assert_true(h == snc_pairing_hash(&p, 1));
    p.mean_us = 90;
    assert_true(h != snc_pairing_hash(&p, 1));
    p.mean_us = 100, p.arch.ffn[0] = 32;
    assert_true(h != snc_pairing_hash(&p, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nets_part_where_the_small_one_is_sure),
        cmocka_unit_test(three_nets_and_one_in_the_way),
        cmocka_unit_test(a_net_that_goes_on_takes_the_rest),
        cmocka_unit_test(limits_of_time_are_kept),
        cmocka_unit_test(more_nets_are_searched_in_turn),
        cmocka_unit_test(a_temperature_is_found_again),
        cmocka_unit_test(a_pair_spends_the_time_that_it_has),
        cmocka_unit_test(what_is_said_of_a_pair_hangs_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
