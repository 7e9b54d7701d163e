/* What metrics refuse, and what they say of one row; their values are compared with scikit-learn's by tests/golden/data_metrics.c. */
#include "unit/data_support.h"

#include "data/metrics.h"

static void wrong_input_is_refused_by_name(void **state)
{
    (void)state;
    double out;
    float good[] = {0, 1, 2}, unlabelled[] = {0, NAN, 1}, infinite[] = {0, 1, INFINITY}, half[] = {0, 0.5f, 1}, minus[] = {0, -1, 1};
    FAILS(SNC_E_NOTFOUND, "metric 'bleu': expected accuracy", snc_metric(&out, "bleu", good, good, 3));
    FAILS(SNC_E_ARG, "accuracy: no rows", snc_metric(&out, "accuracy", good, good, 0));
    FAILS(SNC_E_ARG, "pearson: row 1 has no label", snc_metric(&out, "pearson", good, unlabelled, 3));
    FAILS(SNC_E_DIVERGED, "accuracy: the prediction of row 1", snc_metric(&out, "accuracy", unlabelled, good, 3));
    FAILS(SNC_E_DIVERGED, "row 2 is not finite", snc_metric(&out, "spearman", infinite, good, 3));
    FAILS(SNC_E_ARG, "row 1 holds no class", snc_metric(&out, "accuracy", good, half, 3));
    FAILS(SNC_E_ARG, "row 1 holds no class", snc_metric(&out, "matthews", minus, good, 3));
    const uint8_t set[] = {1, 0};
    FAILS(SNC_E_NOTFOUND, "metric 'matthews': expected accuracy, micro_f1 or macro_f1", snc_metric_sets(&out, "matthews", set, set, 1, 2));
    FAILS(SNC_E_ARG, "micro_f1: no rows", snc_metric_sets(&out, "micro_f1", set, set, 0, 2));
    FAILS(SNC_E_ARG, "f1: row 2: expected class 0 or 1", snc_metric(&out, "f1", good, good, 3));
}

static void names_tell_classes_from_values(void **state)
{
    (void)state;
    bool of_classes = false;
    assert_true(snc_metric_known(&of_classes, "f1"));
    assert_true(of_classes);
    assert_true(snc_metric_known(&of_classes, "spearman"));
    assert_false(of_classes);
    assert_false(snc_metric_known(&of_classes, "F1"));
}

static void one_row_has_a_score(void **state)
{
    (void)state;
    double out;
    float one[] = {1}, zero[] = {0};
    OK(snc_metric(&out, "accuracy", one, one, 1));
    assert_true(out == 1.0);
    OK(snc_metric(&out, "f1", zero, zero, 1));
    assert_true(out == 0.0);
    OK(snc_metric(&out, "matthews", one, one, 1));
    assert_true(out == 0.0);
    OK(snc_metric(&out, "macro_f1", one, one, 1));
    assert_true(out == 1.0);
    OK(snc_metric(&out, "balanced_accuracy", one, zero, 1));
    assert_true(out == 0.0);
    OK(snc_metric(&out, "pearson", one, zero, 1));
    assert_true(isnan(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_input_is_refused_by_name),
        cmocka_unit_test(names_tell_classes_from_values),
        cmocka_unit_test(one_row_has_a_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
