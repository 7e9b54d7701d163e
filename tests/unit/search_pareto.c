/* Dominance, ranks, order and hypervolume against definitions worked out the slow way. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "search/pareto.h"

enum { N = 120 };

static void draw(snc_point p[N], snc_rng *r, int levels, bool odd)
{
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++) p[i].f[k] = snc_rng_below(r, (uint32_t)levels);
        p[i].violation = odd && snc_rng_below(r, 4) == 0 ? snc_rng_below(r, 3) : 0;
        if (odd && snc_rng_below(r, 10) == 0) p[i].f[snc_rng_below(r, 3)] = (double)NAN;
    }
}

/* Rank 0 is what nobody dominates; take it away, and so on. */
static void ranks_are_those_of_the_definition(void **state)
{
    (void)state;
    snc_rng r;
    snc_rng_init(&r, 3, 4);
    for (int m = 1; m <= 3; m++)
        for (int odd = 0; odd < 2; odd++) {
            snc_point p[N];
            int rank[N], want[N];
            double crowding[N];
            draw(p, &r, 12, odd);
            assert_int_equal(snc_pareto_rank(rank, crowding, p, N, m), SNC_OK);
            for (int i = 0; i < N; i++) want[i] = -1;
            for (int level = 0, left = N; left > 0; level++) {
                bool front[N] = {false};
                for (int i = 0; i < N; i++) {
                    front[i] = want[i] < 0;
                    for (int j = 0; j < N && front[i]; j++) front[i] = want[j] >= 0 || !snc_dominates(&p[j], &p[i], m);
                }
                for (int i = 0; i < N; i++)
                    if (front[i]) {
                        want[i] = level;
                        left--;
                    }
            }
            for (int i = 0; i < N; i++) {
                assert_int_equal(rank[i], want[i]);
                assert_false(isnan(crowding[i]));
            }
        }
}

static void order_is_by_rank_then_crowding(void **state)
{
    (void)state;
    snc_rng r;
    snc_point p[N];
    int rank[N], order[N];
    bool there[N] = {false};
    double crowding[N];
    snc_rng_init(&r, 5, 6);
    draw(p, &r, 1000, true);
    assert_int_equal(snc_pareto_rank(rank, crowding, p, N, 2), SNC_OK);
    assert_int_equal(snc_pareto_order(order, p, N, 2), SNC_OK);
    for (int i = 0; i < N; i++) {
        there[order[i]] = true;
        if (i == 0) continue;
        int a = order[i - 1], b = order[i];
        assert_true(rank[a] < rank[b] || (rank[a] == rank[b] && crowding[a] >= crowding[b]));
    }
    for (int i = 0; i < N; i++) assert_true(there[i]);
}

/* On a grid of whole numbers the volume is a count of cells. */
static void hypervolume_counts_the_dominated_cells(void **state)
{
    (void)state;
    enum { G = 9 };
    const double ref[] = {G, G, G};
    snc_rng r;
    snc_rng_init(&r, 7, 8);
    for (int m = 1; m <= 3; m++)
        for (int t = 0; t < 5; t++) {
            snc_point p[N];
            double hv;
            int cells = 0;
            draw(p, &r, 12, true); /* some outside ref, some infeasible, some NaN */
            assert_int_equal(snc_hypervolume(&hv, p, N, m, ref), SNC_OK);
            for (int x = 0; x < G; x++)
                for (int y = 0; y < (m > 1 ? G : 1); y++)
                    for (int z = 0; z < (m > 2 ? G : 1); z++) {
                        bool in = false;
                        for (int i = 0; i < N && !in; i++)
                            in = p[i].violation <= 0 && p[i].f[0] <= x && (m < 2 || p[i].f[1] <= y) && (m < 3 || p[i].f[2] <= z) &&
                                 (m < 2 || !isnan(p[i].f[1])) && (m < 3 || !isnan(p[i].f[2]));
                        cells += in;
                    }
            assert_true(hv == cells);
        }
}

static void no_points_have_no_volume(void **state)
{
    (void)state;
    double hv = 1;
    const double ref[] = {1, 1, 1};
    assert_int_equal(snc_hypervolume(&hv, NULL, 0, 3, ref), SNC_OK);
    assert_true(hv == 0);
    const snc_point one = {{0.5, 0.25, 0}, 0};
    assert_int_equal(snc_hypervolume(&hv, &one, 1, 3, ref), SNC_OK);
    assert_true(hv == 0.375);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_those_of_the_definition),
        cmocka_unit_test(order_is_by_rank_then_crowding),
        cmocka_unit_test(hypervolume_counts_the_dominated_cells),
        cmocka_unit_test(no_points_have_no_volume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
