/* Thresholds from made logits whose best is known. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "candidate/cascade_choice.h"
#include "check.h"

enum { N = 1000, NETS = 4 };

static float z[NETS][N][2], label[N];
static const double us[NETS] = {100, 40, 10, 1};

/* Class 0 in every row, said by net k with this difference of its logits. */
static void says(int k, int i, double difference)
{
    z[k][i][0] = (float)difference;
    z[k][i][1] = 0;
}

static snc_cascade_choice choice_of(int nets, int n, double share)
{
    const float *const all[NETS] = {z[0][0], z[1][0], z[2][0], z[3][0]};
    const snc_cascade_rows r = {.nets = nets, .n = n, .K = 2, .z = all, .label = label, .us = us};
    snc_cascade_choice out;
    assert_int_equal(snc_cascade_choose(&out, &r, share), SNC_OK);
    return out;
}

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
    assert_true(fabs(c.us - (40 + 0.3 * 100)) < 1e-9 && c.bound > 0.0029 && c.bound < 0.0031);
    for (int i = 0; i < N; i++) {
        const bool sure = snc_cascade_sure(c.c.rule, z[1][i], 2, c.c.temperature[1]) >= c.c.threshold[1];
        assert_true(sure == (i < 700));
    }
    assert_int_equal(choice_of(2, N, 0.002).c.nets, 0); /* so many rows do not show as little as that */
    assert_int_equal(choice_of(2, N, 0.2).rows[1], N);  /* 150 wrong ones are allowed */
    assert_true(choice_of(2, N, 0.2).us == 40);
    for (int i = 0; i < N; i++) says(1, i, i % 2 ? 3 : -3); /* sure, and as often wrong as not */
    const snc_cascade_choice none = choice_of(2, N, 0.01);
    assert_true(none.c.nets == 0 && none.us == 100);
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
    assert_true(fabs(c.us - (0.4 * 10 + 0.4 * 50 + 0.2 * 150)) < 1e-9);
    for (int i = 0; i < N; i++) says(1, i, i < 400 ? 3 : i % 2 ? 1 : -1);
    c = choice_of(3, N, 0.005);
    assert_true(c.rows[2] == 400 && c.rows[1] == 0 && c.rows[0] == 600 && !snc_cascade_asks(&c.c, 1));
    assert_true(fabs(c.us - (0.4 * 10 + 0.6 * 110)) < 1e-9);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nets_part_where_the_small_one_is_sure),
        cmocka_unit_test(three_nets_and_one_in_the_way),
        cmocka_unit_test(more_nets_are_searched_in_turn),
        cmocka_unit_test(a_temperature_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
