/* Metrics against scikit-learn and SciPy: tests/ref/metrics_golden.py. */
#include "unit/data_support.h"

#include "base/json.h"
#include "data/metrics.h"
#include "data/balance.h"

#define TOLERANCE 1e-9 /* what the project promises; measured: below 1e-13 */

static float *read_floats(const cJSON *list)
{
    float *v = calloc((size_t)cJSON_GetArraySize(list), sizeof *v);
    const cJSON *it;
    int n = 0;
    assert_non_null(v);
    cJSON_ArrayForEach(it, list) v[n++] = (float)it->valuedouble;
    return v;
}

/* How far from the reference, which is null where there is none; fails beyond the tolerance. */
static double off_by(double out, const cJSON *score, const char *name)
{
    bool undefined = cJSON_IsNull(score);
    double off = undefined ? 0.0 : fabs(out - score->valuedouble);
    if (undefined != (isnan(out) != 0) || !(off <= TOLERANCE))
        fail_msg("%s: %s is %.17g, expected %.17g", name, score->string, out, score->valuedouble);
    return off;
}

static void scores_equal_the_references(void **state)
{
    (void)state;
    cJSON *golden;
    int checked = 0;
    double worst = 0;
    OK(snc_json_load(&golden, SNC_TEST_DIR "/golden/data_metrics.json"));
    const cJSON *c, *score;
    cJSON_ArrayForEach(c, cJSON_GetObjectItem(golden, "cases"))
    {
        const char *name = cJSON_GetObjectItem(c, "name")->valuestring;
        const cJSON *target = cJSON_GetObjectItem(c, "target");
        float *p = read_floats(cJSON_GetObjectItem(c, "pred")), *t = read_floats(target);
        cJSON_ArrayForEach(score, cJSON_GetObjectItem(c, "scores"))
        {
            double out;
            OK(snc_metric(&out, score->string, p, t, cJSON_GetArraySize(target)));
            worst = fmax(worst, off_by(out, score, name));
            checked++;
        }
        free(p);
        free(t);
    }
    cJSON_Delete(golden);
    assert_true(checked >= 120);
    printf("%d scores, largest difference %.1e\n", checked, worst);
}

static uint8_t *read_bytes(const cJSON *list)
{
    uint8_t *v = calloc((size_t)cJSON_GetArraySize(list), sizeof *v);
    const cJSON *it;
    int n = 0;
    assert_non_null(v);
    cJSON_ArrayForEach(it, list) v[n++] = (uint8_t)it->valuedouble;
    return v;
}

static void scores_of_sets_equal_the_references(void **state)
{
    (void)state;
    cJSON *golden;
    int checked = 0;
    double worst = 0;
    OK(snc_json_load(&golden, SNC_TEST_DIR "/golden/data_metrics.json"));
    const cJSON *c, *score;
    cJSON_ArrayForEach(c, cJSON_GetObjectItem(golden, "sets"))
    {
        const cJSON *target = cJSON_GetObjectItem(c, "target");
        int K = cJSON_GetObjectItem(c, "labels")->valueint;
        uint8_t *p = read_bytes(cJSON_GetObjectItem(c, "pred")), *t = read_bytes(target);
        cJSON_ArrayForEach(score, cJSON_GetObjectItem(c, "scores"))
        {
            double out;
            OK(snc_metric_sets(&out, score->string, p, t, cJSON_GetArraySize(target) / K, K));
            worst = fmax(worst, off_by(out, score, cJSON_GetObjectItem(c, "name")->valuestring));
            checked++;
        }
        free(p);
        free(t);
    }
    cJSON_Delete(golden);
    assert_int_equal(checked, 21);
    printf("%d scores of sets, largest difference %.1e\n", checked, worst);
}

static void balanced_weights_equal_the_references(void **state)
{
    (void)state;
    cJSON *golden;
    int checked = 0;
    OK(snc_json_load(&golden, SNC_TEST_DIR "/golden/data_metrics.json"));
    const cJSON *c;
    cJSON_ArrayForEach(c, cJSON_GetObjectItem(golden, "weights"))
    {
        enum { K = 9 };
        const cJSON *target = cJSON_GetObjectItem(c, "target"), *class = cJSON_GetObjectItem(c, "classes"),
                    *balanced = cJSON_GetObjectItem(c, "balanced");
        float *t = read_floats(target);
        double w[K], sum = 0, expected = 0;
        snc_balance_classes(w, t, cJSON_GetArraySize(target), K);
        for (int i = 0; i < cJSON_GetArraySize(class); i++, checked++) {
            double of = cJSON_GetArrayItem(balanced, i)->valuedouble;
            assert_true(fabs(w[cJSON_GetArrayItem(class, i)->valueint] - of) <= TOLERANCE);
            expected += of;
        }
        for (int k = 0; k < K; k++) sum += w[k];
        assert_true(fabs(sum - expected) <= TOLERANCE); /* classes without rows have none */
        free(t);
    }
    cJSON_Delete(golden);
    assert_int_equal(checked, 15);
}

/* Of labels: each is a task of two classes of its own, weighed as those are. */
static void balanced_labels_are_classes_each(void **state)
{
    (void)state;
    enum { N = 60, K = 3 };
    snc_sets *sets;
    float target[N];
    double *w;
    OK(snc_sets_new(&sets, K));
    for (int i = 0; i < N; i++) {
        const uint8_t has[K] = {i % 3 == 0, i % 20 == 7, 0};
        int number;
        OK(snc_sets_number(&number, sets, has));
        target[i] = i == 59 ? NAN : (float)number;
    }
    OK(snc_balance_new(&w, target, N, sets, K));
    const double expected[2 * K] = {59.0 / (2 * 39), 59.0 / (2 * 20), 59.0 / (2 * 56), 59.0 / (2 * 3), 1, 0};
    for (int i = 0; i < 2 * K; i++) assert_true(fabs(w[i] - expected[i]) <= TOLERANCE);
    snc_free(w);
    snc_sets_free(sets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_the_references),
        cmocka_unit_test(scores_of_sets_equal_the_references),
        cmocka_unit_test(balanced_weights_equal_the_references),
        cmocka_unit_test(balanced_labels_are_classes_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
