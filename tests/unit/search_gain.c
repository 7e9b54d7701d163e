/* What a point adds to a front: scale, reference, choice. */
#include <math.h>

#include "check.h"
#include "search/gain.h"

static int best_of(snc_gain *g, const snc_point *p, int n)
{
    int order[16], at;
    for (int i = 0; i < n; i++) order[i] = i;
    assert_int_equal(snc_gain_best(&at, g, p, order, n), SNC_OK);
    return at;
}

static void the_widest_gap_is_filled_first_and_then_the_next(void **state)
{
    (void)state;
    const snc_point measured[] = {{.f = {1, 64}}, {.f = {4, 16}}, {.f = {64, 1}}, {.f = {70, 70}}, {.f = {0.1, 0.1}, .violation = 1},
                                  {.f = {NAN, 1}}};
    const snc_point p[] = {{.f = {2, 32}}, {.f = {16, 4}}, {.f = {63, 0.9}}, {.f = {80, 80}}};
    snc_gain g;
    assert_int_equal(snc_gain_init(&g, measured, 6, 2, 0), SNC_OK);
    assert_int_equal(g.n, 3); /* the dominated, the one over a limit and the one that is no number are not of the front */
    assert_true(g.scale.log[0] && g.scale.log[1]);
    assert_int_equal(best_of(&g, p, 4), 1);
    assert_int_equal(snc_gain_add(&g, &p[1]), SNC_OK);
    assert_int_equal(best_of(&g, p, 4), 0);
    snc_gain_dispose(&g);
}

/* In plain numbers the gap at large values is the wider one; by ratio the one at small values is. */
static void a_value_that_is_not_positive_ends_the_logarithm(void **state)
{
    (void)state;
    snc_point measured[] = {{.f = {1, 100}}, {.f = {10, 60}}, {.f = {100, 1}}};
    const snc_point p[] = {{.f = {3, 70}}, {.f = {60, 20}}};
    snc_gain g;
    assert_int_equal(snc_gain_init(&g, measured, 3, 2, 0), SNC_OK);
    assert_int_equal(best_of(&g, p, 2), 1);
    snc_gain_dispose(&g);
    measured[2].f[1] = 0;
    assert_int_equal(snc_gain_init(&g, measured, 3, 2, 0), SNC_OK);
    assert_true(g.scale.log[0] && !g.scale.log[1]);
    snc_gain_dispose(&g);
}

/* What lies beyond the worst that is of use adds nothing, however wide the gap there; where all lies beyond, the front's own end. */
static void the_volume_ends_at_the_worst_of_use(void **state)
{
    (void)state;
    const snc_point measured[] = {{.f = {1, 64}}, {.f = {4, 16}}, {.f = {64, 1}}};
    const snc_point p[] = {{.f = {2, 40}}, {.f = {16, 4}}};
    snc_gain g;
    assert_int_equal(snc_gain_init(&g, measured, 3, 2, 0), SNC_OK);
    assert_int_equal(best_of(&g, p, 2), 1);
    snc_gain_dispose(&g);
    assert_int_equal(snc_gain_init(&g, measured, 3, 2, 8), SNC_OK);
    assert_int_equal(best_of(&g, p, 2), 0);
    snc_gain_dispose(&g);
    assert_int_equal(snc_gain_init(&g, measured, 3, 2, 0.5), SNC_OK);
    assert_int_equal(best_of(&g, p, 2), 1);
    snc_gain_dispose(&g);
}

static void one_objective_takes_the_least(void **state)
{
    (void)state;
    const snc_point measured[] = {{.f = {5}}, {.f = {3}}}, p[] = {{.f = {4}}, {.f = {2}}, {.f = {1}}};
    snc_gain g;
    assert_int_equal(snc_gain_init(&g, measured, 2, 1, 0), SNC_OK);
    assert_int_equal(best_of(&g, p, 3), 2);
    assert_int_equal(snc_gain_add(&g, &p[2]), SNC_OK);
    assert_int_equal(best_of(&g, p, 3), 0); /* nothing adds anything now: the order decides */
    snc_gain_dispose(&g);
}

static void without_a_front_the_order_decides(void **state)
{
    (void)state;
    const snc_point p[] = {{.f = {4, 1}}, {.f = {2, 1}}};
    const int order[] = {1, 0};
    snc_gain g;
    int at;
    assert_int_equal(snc_gain_init(&g, NULL, 0, 2, 0), SNC_OK);
    assert_int_equal(snc_gain_best(&at, &g, p, order, 2), SNC_OK);
    assert_int_equal(at, 0);
    assert_int_equal(snc_gain_best(&at, &g, p, order, 0), SNC_OK);
    assert_int_equal(at, -1);
    snc_gain_dispose(&g);
}

static void three_objectives_are_a_volume(void **state)
{
    (void)state;
    const snc_point measured[] = {{.f = {1, 8, 8}}, {.f = {8, 1, 8}}, {.f = {8, 8, 1}}},
                    p[] = {{.f = {7, 7, 7}}, {.f = {3, 3, 3}}, {.f = {1, 8, 7}}};
    snc_gain g;
    assert_int_equal(snc_gain_init(&g, measured, 3, 3, 0), SNC_OK);
    assert_int_equal(best_of(&g, p, 3), 1);
    snc_gain_dispose(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_widest_gap_is_filled_first_and_then_the_next),
        cmocka_unit_test(a_value_that_is_not_positive_ends_the_logarithm),
        cmocka_unit_test(the_volume_ends_at_the_worst_of_use),
        cmocka_unit_test(one_objective_takes_the_least),
        cmocka_unit_test(without_a_front_the_order_decides),
        cmocka_unit_test(three_objectives_are_a_volume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
