/* Drops over seeds: two sources of variance, each with its own degrees of freedom, and an interval that holds what is true. */
#include <math.h>
#include <string.h>

#include "artifact/task_score.h"
#include "base/rng.h"
#include "check.h"
#include "files.h"
#include "candidate/drop.h"
#include "report/pooled.h"

enum { ROWS = 100, SEEDS = 3 };

static scratch dir;
static snc_task *task;

static int setup(void **state)
{
    static const char text[] =
        "{\"name\":\"x\",\"files\":{\"dev\":\"dev.tsv\"},\"text_a\":\"a\",\"label\":\"b\",\"labels\":[\"no\",\"yes\"],"
        "\"metrics\":[\"accuracy\"]}";
    (void)state;
    scratch_init(&dir, "report_pooled");
    assert_int_equal(snc_task_open(&task, scratch_write(&dir, "task.json", text, strlen(text))), SNC_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    snc_task_close(task);
    return 0;
}

typedef struct nets {
    float target[ROWS], to[SEEDS][2 * ROWS], of[SEEDS][2 * ROWS];
} nets;

static void answer(float *logits, int i, int class) { logits[2 * i] = (float)!class, logits[2 * i + 1] = (float)class; }

/* The first are right on every row; those of the s-th seed wrong on rows from s * apart on, `wrong[s]` of them. */
static void make(nets *x, const int wrong[SEEDS], int apart)
{
    for (int i = 0; i < ROWS; i++) {
        x->target[i] = (float)(i % 2);
        for (int s = 0; s < SEEDS; s++) {
            answer(x->to[s], i, i % 2);
            answer(x->of[s], i, i >= s * apart && i < s * apart + wrong[s] ? !(i % 2) : i % 2);
        }
    }
}

static snc_pooled pool(nets *x, int seeds)
{
    const snc_ctx ctx = SNC_CTX_INIT;
    const snc_dataset d = {.n = ROWS, .target = x->target};
    const float *to[SEEDS], *of[SEEDS];
    snc_pooled p;
    for (int s = 0; s < SEEDS; s++) to[s] = x->to[s], of[s] = x->of[s];
    assert_int_equal(snc_pooled_drop(&p, &ctx, task, &d, to, of, seeds, 2), SNC_OK);
    return p;
}

static void one_seed_has_the_interval_of_its_rows(void **state)
{
    static nets x;
    const snc_ctx ctx = SNC_CTX_INIT;
    snc_drop one;
    (void)state;
    make(&x, (int[]){8, 0, 0}, 0);
    const snc_dataset d = {.n = ROWS, .target = x.target};
    snc_pooled p = pool(&x, 1);
    assert_int_equal(snc_drop_of(&one, &ctx, task, &d, x.to[0], 1, x.of[0], 1 - 8.0 / ROWS, 2), SNC_OK);
    assert_true(p.points.value == one.points.value && p.points.low == one.points.low && p.points.high == one.points.high);
    assert_true(p.rows_se > 0 && isnan(p.seeds_se));
    assert_string_equal(p.unsaid, "");
}

/* Rows alone vary: three seeds that agree say of rows what one says, those that err on other rows more. */
static void seeds_that_agree_leave_the_rows(void **state)
{
    static nets x;
    (void)state;
    make(&x, (int[]){8, 8, 8}, 0);
    snc_pooled one = pool(&x, 1), same = pool(&x, SEEDS);
    assert_true(same.seeds_se == 0);
    assert_true(fabs(same.points.value - 8) < 1e-6);
    double half = (same.points.high - same.points.low) / 2, alone = (one.points.high - one.points.low) / 2;
    assert_true(half > 0.8 * alone && half < 1.2 * alone);
    make(&x, (int[]){8, 8, 8}, 20);
    snc_pooled apart = pool(&x, SEEDS);
    assert_true(apart.rows_se < 0.8 * same.rows_se);
    /* And no row that differs is no proof of none: the seeds' own intervals stay. */
    make(&x, (int[]){0, 0, 0}, 0);
    snc_pooled none = pool(&x, SEEDS);
    assert_true(none.points.value == 0 && none.points.high > 0.5 && none.points.low < -0.5);
}

static void seeds_that_differ_are_student_s(void **state)
{
    static nets x;
    (void)state;
    make(&x, (int[]){2, 8, 14}, 30);
    snc_pooled p = pool(&x, SEEDS);
    assert_true(fabs(p.points.value - 8) < 1e-6);
    assert_true(fabs(p.seeds_se - 6 / sqrt(3)) < 1e-6); /* drops of 2, 8 and 14 points */
    double rows = p.rows_se * p.rows_se, seeds = p.seeds_se * p.seeds_se;
    double freedom = (rows + seeds) * (rows + seeds) / (rows * rows / (ROWS - 1) + seeds * seeds / (SEEDS - 1));
    assert_true(freedom >= 2 && freedom < 4);
    assert_true(fabs(p.points.high - p.points.value - snc_student((int)freedom) * sqrt(rows + seeds)) < 1e-9);
}

/* Scores that have no exact interval, and a model whose answers are no labels. */
static void other_scores_are_drawn(void **state)
{
    static const char classes[] =
        "{\"name\":\"x\",\"files\":{\"dev\":\"dev.tsv\"},\"text_a\":\"a\",\"label\":\"b\",\"labels\":[\"no\",\"yes\"],"
        "\"metrics\":[\"f1\",\"accuracy\"]}",
                      values[] = "{\"name\":\"x\",\"files\":{\"dev\":\"dev.tsv\"},\"text_a\":\"a\",\"label\":\"b\",\"type\":\"regression\","
                                 "\"metrics\":[\"pearson\"]}";
    static nets x;
    const snc_ctx ctx = SNC_CTX_INIT;
    const snc_dataset d = {.n = ROWS, .target = x.target};
    const float *const to[] = {x.to[0], x.to[1], x.to[2]}, *const of[] = {x.of[0], x.of[1], x.of[2]};
    snc_task *t = NULL;
    snc_pooled p;
    double f1, score, mean = 0;
    (void)state;
    make(&x, (int[]){4, 8, 12}, 30);
    assert_int_equal(snc_task_open(&t, scratch_write(&dir, "f1.json", classes, strlen(classes))), SNC_OK);
    assert_int_equal(snc_pooled_drop(&p, &ctx, t, &d, to, of, SEEDS, 2), SNC_OK);
    for (int s = 0; s < SEEDS; s++) {
        assert_int_equal(snc_task_score(&f1, NULL, t, to[s], &d, 2), SNC_OK);
        assert_int_equal(snc_task_score(&score, NULL, t, of[s], &d, 2), SNC_OK);
        mean += 100 * (f1 - score) / SEEDS;
    }
    assert_true(fabs(p.points.value - mean) < 1e-9 && p.points.low < mean && p.points.high > mean && p.rows_se > 0 && p.seeds_se > 0);
    snc_task_close(t);
    for (int i = 0; i < ROWS; i++) {
        x.target[i] = (float)i;
        for (int s = 0; s < SEEDS; s++) x.to[s][i] = (float)i, x.of[s][i] = (float)(i + (i * 7 + s) % 50);
    }
    assert_int_equal(snc_task_open(&t, scratch_write(&dir, "values.json", values, strlen(values))), SNC_OK);
    assert_int_equal(snc_pooled_drop(&p, &ctx, t, &d, to, of, SEEDS, 1), SNC_OK);
    assert_true(p.points.value > 1 && p.points.low > 0 && p.points.low < p.points.value && p.points.high > p.points.value);
    snc_task_close(t);
}

static void tasks_add_their_variances(void **state)
{
    snc_pooled v[2] = {{.points = {1, 0, 2}, .rows_se = 0.3, .seeds_se = 0.4, .rows_free = 99, .seeds_free = 2},
                       {.points = {3, 2, 4}, .rows_se = 0.4, .seeds_se = NAN, .rows_free = 199, .seeds_free = 0}};
    snc_pooled all;
    (void)state;
    snc_pooled_average(&all, v, 2);
    assert_true(fabs(all.points.value - 2) < 1e-12 && fabs(all.rows_se - 0.25) < 1e-12 && fabs(all.seeds_se - 0.2) < 1e-12);
    assert_true(all.points.low < 2 - 1.96 * hypot(0.25, 0.2) && all.points.high > 2 + 1.96 * hypot(0.25, 0.2));
    snprintf(v[1].unsaid, sizeof v[1].unsaid, "few rows");
    snc_pooled_average(&all, v, 2);
    assert_true(all.points.value == 2 && isnan(all.points.low));
    assert_string_equal(all.unsaid, "few rows");
}

/* Nets and rows of a world whose drop is known: the interval has it in at least 95 of 100, less what chance makes of 60. */
static void the_interval_holds_the_truth(void **state)
{
    enum { WORLDS = 60 };
    static nets x;
    snc_rng r;
    int held = 0;
    (void)state;
    snc_rng_init(&r, 3, 1);
    for (int w = 0; w < WORLDS; w++) {
        int least[ROWS];
        for (int i = 0; i < ROWS; i++) least[i] = snc_rng_below(&r, 4) == 0; /* hard rows, where alone a net may be wrong: with 32 % */
        for (int s = 0; s < SEEDS; s++) {
            const int share = 16 + (int)snc_rng_below(&r, 33); /* percent, of this seed */
            for (int i = 0; i < ROWS; i++) {
                x.target[i] = (float)(i % 2);
                answer(x.to[s], i, i % 2);
                answer(x.of[s], i, least[i] && (int)snc_rng_below(&r, 100) < share ? !(i % 2) : i % 2);
            }
        }
        snc_pooled p = pool(&x, SEEDS);
        held += p.points.low <= 8 && p.points.high >= 8;
    }
    assert_true(held >= WORLDS * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_seed_has_the_interval_of_its_rows),
        cmocka_unit_test(seeds_that_agree_leave_the_rows),
        cmocka_unit_test(seeds_that_differ_are_student_s),
        cmocka_unit_test(other_scores_are_drawn),
        cmocka_unit_test(tasks_add_their_variances),
        cmocka_unit_test(the_interval_holds_the_truth),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
