/* What each class got, and what one answer to every row scores. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "report/breakdown.h"

enum { MOST = 64 };

typedef struct rows {
    int n, K;
    float target[MOST], z[MOST * MOST];
} rows;

static snc_task *task_of(int K, const char *metrics)
{
    char text[4096];
    size_t at = (size_t)snprintf(
        text, sizeof text, "{\"name\":\"t\",\"files\":{\"train\":\"t\"},\"text_a\":\"a\",\"label\":\"b\",\"metrics\":[%s],\"labels\":[",
        metrics);
    for (int k = 0; k < K; k++) at += (size_t)snprintf(text + at, sizeof text - at, "%s\"c|%d\"", k ? "," : "", k);
    at += (size_t)snprintf(text + at, sizeof text - at, "]}");
    snc_task *t = NULL;
    assert_int_equal(snc_task_parse(&t, text, at, "test"), SNC_OK);
    return t;
}

static void add(rows *r, int is, int said)
{
    r->target[r->n] = (float)is;
    for (int k = 0; k < r->K; k++) r->z[r->n * r->K + k] = k == said ? 2.0f : 0.0f;
    r->n++;
}

static snc_breakdown breakdown_of(rows *r, const snc_task *t)
{
    snc_breakdown b;
    const snc_dataset d = {.n = r->n, .target = r->target};
    assert_int_equal(snc_breakdown_make(&b, t, r->z, &d, r->K), SNC_OK);
    return b;
}

static void classes_have_the_scores_of_their_rows(void **state)
{
    (void)state;
    rows r = {.K = 3};
    snc_task *t = task_of(3, "\"accuracy\"");
    const int is[] = {0, 0, 0, 0, 1, 1, 2}, said[] = {0, 0, 0, 1, 1, 0, 0};
    for (int i = 0; i < 7; i++) add(&r, is[i], said[i]);
    snc_breakdown b = breakdown_of(&r, t);
    assert_int_equal(b.class[0].rows, 4);
    assert_int_equal(b.class[0].answered, 5);
    assert_true(fabs(snc_class_precision(&b.class[0]) - 0.6) < 1e-12 && fabs(snc_class_recall(&b.class[0]) - 0.75) < 1e-12);
    assert_true(fabs(snc_class_f1(&b.class[0]) - 2.0 / 3) < 1e-12);
    assert_true(snc_class_precision(&b.class[2]) == 0 && snc_class_recall(&b.class[2]) == 0 && snc_class_f1(&b.class[2]) == 0);
    const int64_t matrix[] = {3, 1, 0, 1, 1, 0, 1, 0, 0};
    assert_memory_equal(b.matrix, matrix, sizeof matrix);
    assert_string_equal(b.majority, "c|0");
    assert_null(b.only);
    assert_true(fabs(b.majority_share - 4.0 / 7) < 1e-12 && fabs(b.majority_score - 4.0 / 7) < 1e-12);
    snc_breakdown_dispose(&b);
    snc_task_close(t);
}

static void the_majority_is_scored_by_the_task(void **state)
{
    (void)state;
    rows r = {.K = 2};
    snc_task *t = task_of(2, "\"macro_f1\",\"matthews\"");
    for (int i = 0; i < 20; i++) add(&r, i < 2, 0);
    snc_breakdown b = breakdown_of(&r, t);
    assert_true(fabs(b.majority_score - (36.0 / 38 / 2 + 0) / 2) < 1e-9);
    assert_string_equal(b.only, "c|0");
    assert_true(snc_breakdown_blind(&b));
    snc_breakdown_dispose(&b);
    snc_task_close(t);
}

static void a_regression_has_no_classes(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\":\"t\",\"files\":{\"train\":\"t\"},\"text_a\":\"a\",\"label\":\"b\",\"type\":\"regression\",\"metrics\":[\"pearson\"]}";
    snc_task *t = NULL;
    rows r = {.n = 3, .K = 1, .target = {1, 2, 3}, .z = {1, 1, 1}};
    cJSON *j = cJSON_CreateObject();
    snc_textbuf md = {0};
    assert_int_equal(snc_task_parse(&t, text, sizeof text - 1, "test"), SNC_OK);
    snc_breakdown b = breakdown_of(&r, t);
    const snc_breakdown *const both[] = {&b};
    const char *const names[] = {"m"};
    snc_breakdown_majority_json(j, &b);
    snc_breakdown_json(j, &b, t);
    snc_breakdown_md(&md, both, names, 1, t);
    snc_breakdown_html(&md, j);
    assert_true(b.K == 0 && !b.only && !j->child && !md.p);
    snc_breakdown_dispose(&b);
    cJSON_Delete(j);
    snc_task_close(t);
}

static void large_matrices_are_for_machines(void **state)
{
    (void)state;
    static const int sizes[] = {20, 21};
    for (int s = 0; s < 2; s++) {
        rows r = {.K = sizes[s]};
        snc_task *t = task_of(r.K, "\"accuracy\"");
        snc_textbuf md = {0};
        cJSON *j = cJSON_CreateObject();
        for (int i = 0; i < 40; i++) add(&r, i % r.K, i % 7);
        snc_breakdown b = breakdown_of(&r, t);
        const snc_breakdown *const both[] = {&b, &b};
        const char *const names[] = {"teacher", "file"};
        snc_breakdown_md(&md, both, names, 2, t);
        assert_non_null(strstr(md.p, s ? "| c\\|3 | 2 | 6 | 33.33 | 100.00 | 50.00 | 6 |"
                                       : "| c\\|3 | 2 | 6 | 16.67 | 50.00 | 25.00 | 6 |")); /* a bar in a label parts no cells */
        assert_int_equal(strstr(md.p, "file: label, then what was answered") != NULL, s == 0);
        assert_int_equal(strstr(md.p, "Which of the 21 classes") != NULL, s == 1);
        snc_breakdown_json(j, &b, t);
        const cJSON *rows_of = cJSON_GetObjectItem(j, "confusion");
        assert_int_equal(cJSON_GetArraySize(rows_of), r.K);
        assert_int_equal(cJSON_GetArrayItem(cJSON_GetArrayItem(rows_of, 10), 3)->valueint, (int)b.matrix[10 * r.K + 3]);
        cJSON_Delete(j);
        snc_free(md.p);
        snc_breakdown_dispose(&b);
        snc_task_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_have_the_scores_of_their_rows),
        cmocka_unit_test(the_majority_is_scored_by_the_task),
        cmocka_unit_test(a_regression_has_no_classes),
        cmocka_unit_test(large_matrices_are_for_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
