/* How products are shared out: every cell once, and how much of the threads' time the busiest one leaves unused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <string.h>

#include "quant/qlinear_priv.h"

typedef struct shape {
    int n, k, count;
} shape;

static const shape shapes[] = {{384, 384, 3}, {384, 384, 1}, {1536, 384, 1}, {384, 1536, 1},  /* MiniLM */
                               {768, 768, 3}, {768, 768, 1}, {3072, 768, 1}, {768, 3072, 1}}; /* BERT-base */
enum { SHAPES = sizeof shapes / sizeof *shapes, MOST_UNITS = 3 * 256 * 64 };

static const snc_qkernel amx = {.isa = SNC_ISA_AMX, .rows = 256, .blocks_us = 1500};
static const snc_qkernel vnni = {.isa = SNC_ISA_VNNI, .rows = 48, .blocks_us = 300};

static void check_cover(const snc_cut *cut, const snc_cut_work *w)
{
    static uint8_t seen[MOST_UNITS];
    size_t units = (size_t)w->count * (size_t)w->rows * (size_t)w->cols;
    assert_true(units <= MOST_UNITS);
    memset(seen, 0, units);
    assert_int_equal(cut->cells, w->count * cut->row_parts * cut->col_parts);
    for (int i = 0; i < cut->cells; i++) {
        snc_cut_cell c = snc_cut_at(cut, w, i);
        assert_true(c.r0 < c.r1 && c.c0 < c.c1);
        for (int r = c.r0; r < c.r1; r++)
            for (int k = c.c0; k < c.c1; k++) seen[((size_t)c.product * (size_t)w->rows + (size_t)r) * (size_t)w->cols + (size_t)k]++;
    }
    for (size_t i = 0; i < units; i++) assert_int_equal(seen[i], 1);
}

static void every_unit_is_computed_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 64; threads += threads < 9 ? 1 : 11)
        for (int T = 1; T <= 4096; T += T < 70 ? 7 : 671)
            for (int s = 0; s < SHAPES; s++) {
                snc_cut_work w = snc_qgrid__work(&amx, T, shapes[s].n, shapes[s].k / SNC_QBLOCK, shapes[s].count, threads);
                snc_cut cut = snc_cut_plan(&w, threads);
                check_cover(&cut, &w);
                assert_true(cut.shared ? threads > 1 : cut.cells == w.count);
            }
}

/* Mean over shapes of the work of a thread over that of the busiest. No shared product keeps it waiting for one that has more than half
 * as much again as whole units allow. */
static double efficiency(const snc_qkernel *kernel, int T, int threads)
{
    double sum = 0;
    for (int s = 0; s < SHAPES; s++) {
        snc_cut_work w = snc_qgrid__work(kernel, T, shapes[s].n, shapes[s].k / SNC_QBLOCK, shapes[s].count, threads);
        snc_cut cut = snc_cut_plan(&w, threads);
        long units = (long)w.count * w.rows * w.cols, busiest = snc_cut_busiest(&cut, &w, threads);
        if (cut.shared && 2 * busiest > 3 * ((units + threads - 1) / threads))
            fail_msg("T %d n %d k %d on %d threads: %ld of %ld units", T, shapes[s].n, shapes[s].k, threads, busiest, units);
        sum += (double)units / (double)busiest / threads;
    }
    return sum / SHAPES;
}

static void threads_share_evenly(void **state)
{
    static const struct {
        int T;
        double least[2][6]; /* AMX and VNNI, by 2, 4 .. 64 threads */
    } rows[] = {
        {16, {{1.00, 0.90, 0.80, 0.65, 0.44, 0.30}, {1.00, 0.90, 0.80, 0.65, 0.46, 0.30}}}, /* 6 to 48 units */
        {64, {{1.00, 0.95, 0.87, 0.80, 0.75, 0.55}, {1.00, 0.98, 0.95, 0.87, 0.80, 0.65}}},
        {128, {{1.00, 0.95, 0.93, 0.87, 0.77, 0.74}, {1.00, 0.98, 0.98, 0.95, 0.87, 0.80}}},
        {256, {{1.00, 0.95, 0.95, 0.92, 0.87, 0.77}, {1.00, 0.98, 0.98, 0.98, 0.95, 0.87}}},
        {1000, {{0.98, 0.98, 0.97, 0.96, 0.96, 0.94}, {0.98, 0.98, 0.98, 0.97, 0.97, 0.97}}},
        {4096, {{1.00, 0.98, 0.98, 0.97, 0.97, 0.97}, {1.00, 0.98, 0.98, 0.98, 0.98, 0.98}}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int k = 0; k < 2; k++)
            for (int t = 0; t < 6; t++) {
                double e = efficiency(k ? &vnni : &amx, rows[i].T, 2 << t);
                print_message("%s, %d rows, %d threads: %.2f\n", k ? "vnni" : "amx", rows[i].T, 2 << t, e);
                assert_true(e >= rows[i].least[k][t] - 1e-9);
            }
}

/* Microseconds of work stay with one thread; more work takes more of them. */
static void small_work_takes_few_threads(void **state)
{
    int cells[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        int T = 16 << 3 * i; /* 16, 128, 1024 */
        snc_cut_work w = snc_qgrid__work(&amx, T, 128, 8, 1, 64);
        snc_cut cut = snc_cut_plan(&w, 64);
        assert_true(cut.shared == (i > 1));
        w.fork = 1;
        cut = snc_cut_plan(&w, 64);
        cells[i] = cut.cells;
    }
    print_message("%d, %d, %d cells\n", cells[0], cells[1], cells[2]);
    assert_true(cells[0] < cells[1] && cells[1] < cells[2] && cells[1] <= 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_is_computed_once),
        cmocka_unit_test(threads_share_evenly),
        cmocka_unit_test(small_work_takes_few_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
