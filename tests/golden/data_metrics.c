/* Metrics against scikit-learn and SciPy: tests/ref/metrics_golden.py. */
#include "unit/data_support.h"

#include "base/json.h"
#include "data/metrics.h"

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
            bool undefined = cJSON_IsNull(score);
            double off = undefined ? 0.0 : fabs(out - score->valuedouble);
            if (undefined != (isnan(out) != 0) || !(off <= TOLERANCE)) fail_msg("%s: %s is %.17g, expected %.17g", name, score->string, out, score->valuedouble);
            if (off > worst) worst = off;
            checked++;
        }
        free(p);
        free(t);
    }
    cJSON_Delete(golden);
    assert_true(checked >= 60);
    printf("%d scores, largest difference %.1e\n", checked, worst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scores_equal_the_references)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
