/* The difference of two scores on the same rows: exact for accuracy, drawn for the others, and what is not said at the edges. */
#include <math.h>
#include <string.h>

#include "artifact/task_score.h"
#include "base/rng.h"
#include "candidate/drop.h"
#include "check.h"
#include "files.h"

enum { MOST = 400 };

static scratch dir;

static int setup(void **state)
{
    (void)state;
    scratch_init(&dir, "candidate_drop");
    return 0;
}

static snc_task *task_of(const char *metrics, bool classes)
{
    char text[512];
    snc_task *t = NULL;
    snprintf(text, sizeof text, "{\"name\":\"x\",\"files\":{\"dev\":\"dev.tsv\"},\"text_a\":\"a\",\"label\":\"b\",%s,\"metrics\":[%s]}",
             classes ? "\"labels\":[\"no\",\"yes\"]" : "\"type\":\"regression\"", metrics);
    assert_int_equal(snc_task_open(&t, scratch_write(&dir, "task.json", text, strlen(text))), SNC_OK);
    return t;
}

/* Of n rows: targets, and what two models say; for classes as logits of two. */
typedef struct rows {
    int n, K;
    float target[MOST], to[2 * MOST], of[2 * MOST];
} rows;

static void says(float *logits, int i, int K, float v)
{
    if (K == 1) logits[i] = v;
    else {
        logits[2 * i] = 1 - v;
        logits[2 * i + 1] = v;
    }
}

/* Classes in turn; the first `worse` rows are wrong in the second alone, the next `better` in the first alone. */
static rows classes_of(int n, int worse, int better)
{
    rows r = {.n = n, .K = 2};
    for (int i = 0; i < n; i++) {
        r.target[i] = (float)(i % 2);
        says(r.to, i, 2, i >= worse && i < worse + better ? 1 - r.target[i] : r.target[i]);
        says(r.of, i, 2, i < worse ? 1 - r.target[i] : r.target[i]);
    }
    return r;
}

static snc_drop drop_of(const rows *r, const char *metrics)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_task *t = task_of(metrics, r->K == 2);
    float target[MOST];
    double to, of;
    snc_drop drop;
    memcpy(target, r->target, sizeof target);
    const snc_dataset d = {.n = r->n, .target = target};
    assert_int_equal(snc_task_score(&to, NULL, t, r->to, &d, r->K), SNC_OK);
    assert_int_equal(snc_task_score(&of, NULL, t, r->of, &d, r->K), SNC_OK);
    assert_int_equal(snc_drop_of(&drop, &ctx, t, &d, r->to, to, r->of, of, r->K), SNC_OK);
    snc_drop itself;
    assert_int_equal(snc_drop_of(&itself, &ctx, t, &d, r->to, to, r->to, to, r->K), SNC_OK);
    assert_true(itself.points.low == 0 && itself.points.high == 0 && itself.bound == 0 && !itself.unsaid[0]);
    snc_task_close(t);
    return drop;
}

/* 400 equal rows of 400: 3.0/400 of all rows may differ at 95 % on one side, 3.7/400 on two. */
static void equal_rows_know_the_rule_of_three(void **state)
{
    (void)state;
    rows r = classes_of(400, 0, 0);
    snc_drop d = drop_of(&r, "\"accuracy\"");
    assert_string_equal(d.unsaid, "");
    assert_true(d.points.value == 0 && d.differ == 0);
    assert_true(fabs(d.bound - 0.7461) < 1e-3 && fabs(d.points.high - 0.9180) < 1e-3 && d.points.low == -d.points.high);
    r = classes_of(400, 12, 3);
    d = drop_of(&r, "\"accuracy\"");
    assert_true(fabs(d.points.value - 2.25) < 1e-9 && d.differ == 15 && d.points.low > 0 && d.points.low < 1 && d.bound > 3 &&
                d.bound < d.points.high);
}

static void unsaid(const rows *r, const char *metrics, double points, const char *why)
{
    snc_drop d = drop_of(r, metrics);
    if (!strstr(d.unsaid, why)) fail_msg("'%s' does not hold '%s'", d.unsaid, why);
    assert_true(isnan(d.points.low) && isnan(d.points.high) && isnan(d.bound));
    assert_true(isnan(points) ? isnan(d.points.value) : fabs(d.points.value - points) < 1e-6);
}

static void what_rows_cannot_say_is_not_said(void **state)
{
    (void)state;
    rows r = classes_of(1, 0, 0);
    unsaid(&r, "\"accuracy\"", 0, "one row");
    r = classes_of(1, 1, 0);
    unsaid(&r, "\"accuracy\"", 100, "one row");
    r = classes_of(50, 5, 0);
    for (int i = 0; i < 50; i++) r.target[i] = 1;
    unsaid(&r, "\"accuracy\"", drop_of(&r, "\"accuracy\"").points.value, "every row has the same label");
    r = classes_of(400, 0, 0);
    unsaid(&r, "\"f1\"", 0, "0 of 400 predictions differ, too few for an interval; at 95% they do on at most 0.75% of rows");
    unsaid(&r, "\"matthews\"", 0, "0 of 400");
    unsaid(&r, "\"accuracy\",\"f1\"", 0, "0 of 400");
    r = classes_of(8, 6, 0);
    unsaid(&r, "\"f1\"", drop_of(&r, "\"f1\"").points.value, "8 rows are too few");
}

static rows values_of(int n, double noise)
{
    rows r = {.n = n, .K = 1};
    snc_rng rng;
    snc_rng_init(&rng, 5, 6);
    for (int i = 0; i < n; i++) {
        r.target[i] = (float)snc_rng_normal(&rng);
        r.to[i] = r.target[i] + (float)(0.3 * snc_rng_normal(&rng));
        r.of[i] = r.to[i] + (float)(noise * snc_rng_normal(&rng));
    }
    return r;
}

static void other_scores_are_drawn(void **state)
{
    (void)state;
    rows r = classes_of(400, 20, 4);
    snc_drop d = drop_of(&r, "\"f1\""), again = drop_of(&r, "\"f1\"");
    assert_string_equal(d.unsaid, "");
    assert_true(d.points.low < d.points.value && d.points.value < d.bound && d.bound < d.points.high && d.points.low > 0);
    assert_true(again.points.low == d.points.low && again.bound == d.bound);
    r = values_of(200, 0.5);
    d = drop_of(&r, "\"pearson\",\"spearman\"");
    assert_string_equal(d.unsaid, "");
    assert_true(d.points.low < d.points.value && d.points.value < d.points.high && d.points.low > 0);
    for (int i = 0; i < 200; i++) r.of[i] = 1;
    unsaid(&r, "\"pearson\"", NAN, "the predictions are all the same");
    for (int i = 0; i < 200; i++) r.target[i] = 2;
    unsaid(&r, "\"pearson\"", NAN, "every row has the same value");
}

/* 400 rows that hardly differ show two points and not half a one; 40 worse rows refute one. */
static void a_margin_is_shown_open_or_refuted(void **state)
{
    (void)state;
    char said[SNC_DROP_SAID];
    rows r = classes_of(400, 0, 0);
    snc_drop d = drop_of(&r, "\"accuracy\"");
    assert_int_equal(snc_drop_margin(&d, 1), SNC_MARGIN_SHOWN);
    assert_int_equal(snc_drop_margin(&d, 0.5), SNC_MARGIN_OPEN);
    snc_drop_say_rows(said, &d, 0.5); /* the rule of three: log 0.05 / log 0.995 = 597.6 */
    assert_string_equal(said, "400 rows are too few to show it of an equal model that differs as often: that needs about 600 rows");
    snc_drop_say_rows(said, &d, 1);
    assert_string_equal(said, "");
    r = classes_of(400, 8, 8);
    d = drop_of(&r, "\"accuracy\"");
    assert_true(fabs(d.error - 1) < 1e-9 && d.n == 400);
    assert_true(snc_drop_rows(&d, 0.5) == 9900); /* 400 (2.4865 x 1 / 0.5)^2 = 9892 */
    assert_true(isnan(snc_drop_rows(&d, 0)) && isnan(snc_drop_rows(&d, 5)));
    r = classes_of(400, 40, 0);
    d = drop_of(&r, "\"accuracy\"");
    assert_int_equal(snc_drop_margin(&d, 1), SNC_MARGIN_REFUTED);
    assert_true(d.least > 5 && d.least < d.points.value && isnan(snc_drop_rows(&d, 1)));
    r = classes_of(400, 0, 0);
    d = drop_of(&r, "\"f1\"");
    assert_int_equal(snc_drop_margin(&d, 50), SNC_MARGIN_OPEN);
    r = classes_of(400, 20, 4);
    d = drop_of(&r, "\"f1\"");
    assert_true(d.least > d.points.low && d.least < d.points.value && d.error > 0.5 && d.error < 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_rows_know_the_rule_of_three),
        cmocka_unit_test(what_rows_cannot_say_is_not_said),
        cmocka_unit_test(other_scores_are_drawn),
        cmocka_unit_test(a_margin_is_shown_open_or_refuted),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
