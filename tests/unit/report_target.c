/* The table of targets: read, limited, judged and said alike for every row. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "report/proof.h"

static snc_options given(void)
{
    snc_options o;
    snc_options_init(&o);
    return o;
}

static void every_row_is_read(void **state)
{
    (void)state;
    snc_targets a;
    snc_options o = given();
    o.targets.latency = "1.5ms";
    o.targets.size = "0.5x";
    o.targets.macs = "0.25x";
    o.targets.max_drop = 0;
    assert_int_equal(snc_targets_parse(&a, &o.targets, "compress"), SNC_OK);
    assert_true(a.of[SNC_TARGET_LATENCY].given && !a.of[SNC_TARGET_LATENCY].relative && a.of[SNC_TARGET_LATENCY].value == 1500);
    assert_true(a.of[SNC_TARGET_SIZE].given && a.of[SNC_TARGET_SIZE].relative && a.of[SNC_TARGET_SIZE].value == 0.5);
    assert_true(a.of[SNC_TARGET_MACS].given && a.of[SNC_TARGET_MACS].relative && a.of[SNC_TARGET_MACS].value == 0.25);
    assert_true(a.of[SNC_TARGET_DROP].given && !a.of[SNC_TARGET_DROP].relative && a.of[SNC_TARGET_DROP].value == 0);
    assert_int_equal(snc_targets_cost(&a), SNC_COST_LATENCY);
}

static void several_latencies_fall(void **state)
{
    (void)state;
    snc_targets a;
    snc_options o = given();
    o.targets.latency = "0.6x,0.4x,0.25x";
    assert_int_equal(snc_targets_parse(&a, &o.targets, "compress"), SNC_OK);
    assert_true(a.of[SNC_TARGET_LATENCY].given && a.of[SNC_TARGET_LATENCY].value == 0.6 && a.n_faster == 2);
    assert_true(a.faster[0].relative && a.faster[0].value == 0.4 && a.faster[1].value == 0.25);
    const snc_targets least = snc_targets_least(&a);
    assert_true(least.n_faster == 0 && least.of[SNC_TARGET_LATENCY].value == 0.25);
    o.targets.latency = "1.5ms,800us";
    assert_int_equal(snc_targets_parse(&a, &o.targets, "compress"), SNC_OK);
    assert_true(a.of[SNC_TARGET_LATENCY].value == 1500 && a.n_faster == 1 && a.faster[0].value == 800 && !a.faster[0].relative);
}

static void refused(snc_options o, const char *says)
{
    snc_targets a;
    assert_int_equal(snc_targets_parse(&a, &o.targets, "compress"), SNC_E_ARG);
    if (!strstr(snc_err_text(), says)) fail_msg("'%s' does not hold '%s'", snc_err_text(), says);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    snc_options o = given();
    refused(o, "compress: no target: give --target-latency, --target-size, --target-macs or --max-drop");
    o.targets.macs = "5";
    refused(o, "--target-macs '5': expected a share such as 0.5x");
    o.targets.macs = "nanx";
    refused(o, "--target-macs 'nanx'");
    o.targets.macs = NULL;
    o.targets.latency = "3x";
    refused(o, "--target-latency 3x: more than 2 times the full-size INT8 model");
    o.targets.latency = "0.4x,0.6x";
    refused(o, "--target-latency '0.4x,0.6x': expected each to be less than the one before");
    o.targets.latency = "0.4x,0.4x";
    refused(o, "expected each to be less than the one before");
    o.targets.latency = "0.4x,1ms";
    refused(o, "--target-latency '0.4x,1ms': expected times alone or shares alone");
    o.targets.latency = "0.4x,";
    refused(o, "--target-latency '0.4x,': expected a time");
    o.targets.latency = "0.9x,0.8x,0.7x,0.6x,0.5x,0.4x,0.3x,0.2x,0.1x";
    refused(o, "more than 8");
    o.targets.latency = "0.6x,0.4x";
    snc_targets a;
    assert_int_equal(snc_targets_parse(&a, &o.targets, "search"), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "search takes one; compress takes several"));
    o.targets.latency = "-1ms";
    refused(o, "--target-latency '-1ms': expected a time");
}

/* Each row by itself: asked a little more and a little less than what the file has. */
static void each_is_judged(void **state)
{
    (void)state;
    snc_proof p = {.classes = 2};
    snc_proof_model *c = &p.m[SNC_PROOF_COMPRESSED], *full = &p.m[SNC_PROOF_INT8];
    snc_attained found[SNC_TARGETS];
    *c = (snc_proof_model){.bytes = 4e6,
                           .macs = 30,
                           .latency_us = {380, 370, 390},
                           .ratio = {0.50, 0.49, 0.52},
                           .all = {.drop = {.points = {0.4, -0.2, 1.1}, .bound = 0.9}}};
    *full = (snc_proof_model){.bytes = 8e6, .macs = 100};
    snc_proof_attained(found, &p);
    const struct {
        snc_target_kind kind;
        snc_target holds, missed;
        double miss; /* of the second */
    } cases[] = {
        {SNC_TARGET_LATENCY, {true, true, 0.52}, {true, true, 0.51}, (0.50 - 0.96 * 0.51) / (0.96 * 0.51)},
        {SNC_TARGET_LATENCY, {true, false, 390}, {true, false, 389}, (380 - 0.96 * 389) / (0.96 * 389)},
        {SNC_TARGET_SIZE, {true, true, 0.5}, {true, true, 0.4}, 0.25},
        {SNC_TARGET_SIZE, {true, false, 4e6}, {true, false, 3.2e6}, 0.25},
        {SNC_TARGET_MACS, {true, true, 0.3}, {true, true, 0.24}, 0.25},
        {SNC_TARGET_DROP, {true, false, 0.9}, {true, false, 0.8}, 0.1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snc_target_kind k = cases[i].kind;
        snc_targets a = {.n_faster = 0};
        assert_true(snc_targets_hold(&a, found));
        a.of[k] = cases[i].holds;
        assert_true(snc_target_holds(&a.of[k], &found[k]) && snc_targets_hold(&a, found));
        a.of[k] = cases[i].missed;
        assert_false(snc_target_holds(&a.of[k], &found[k]) || snc_targets_hold(&a, found));
        assert_true(fabs(snc_target_miss(k, &a.of[k], &found[k]) - cases[i].miss) < 1e-9);
    }
    c->all.drop.bound = NAN; /* a correlation with a constant side: nothing holds of it */
    snc_proof_attained(found, &p);
    assert_false(snc_target_holds(&(snc_target){true, false, 100}, &found[SNC_TARGET_DROP]));
    assert_true(isinf(snc_target_miss(SNC_TARGET_DROP, &(snc_target){true, false, 100}, &found[SNC_TARGET_DROP])));
}

static void each_is_said(void **state)
{
    (void)state;
    const snc_attained latency = {{380, 370, 390}, {0.5, 0.49, 0.52}}, macs = snc_attained_exactly(30e6, 100e6),
                       drop = snc_attained_exactly(0.4, 1);
    char said[256];
    snc_target_say(said, sizeof said, SNC_TARGET_LATENCY, &(snc_target){true, true, 0.7}, &latency, "");
    assert_string_equal(said, "0.500x (0.380 ms) with upper bound 0.520x, asked 0.700x of the full-size INT8 model");
    snc_target_say(said, sizeof said, SNC_TARGET_LATENCY, &(snc_target){true, false, 400}, &latency, "");
    assert_string_equal(said, "0.380 ms with upper bound 0.390 ms, asked 0.400 ms");
    snc_target_say(said, sizeof said, SNC_TARGET_MACS, &(snc_target){true, true, 0.25}, &macs, "");
    assert_string_equal(said, "0.300x (30.0 M), asked 0.250x of the full-size INT8 model");
    snc_target_say(said, sizeof said, SNC_TARGET_DROP, &(snc_target){true, false, 0.5}, &drop, " on select");
    assert_string_equal(said, "0.40 points on select, asked at most 0.50 points");
    const snc_attained bounded = {.value = {0.4, -0.2, 0.9}};
    snc_target_say(said, sizeof said, SNC_TARGET_DROP, &(snc_target){true, false, 0.5}, &bounded, "");
    assert_string_equal(said, "0.40 points with upper bound 0.90 points, asked at most 0.50 points");

    snc_attained found[SNC_TARGETS] = {latency, snc_attained_exactly(1, 2), macs, drop};
    snc_targets a = {.of = {[SNC_TARGET_MACS] = {true, true, 0.25}, [SNC_TARGET_DROP] = {true, false, 0.5}}};
    cJSON *j = snc_targets_json(&a, found);
    char *text = cJSON_PrintUnformatted(j);
    assert_string_equal(text, "{\"macs\":{\"share_of_full_int8\":0.25,\"found\":0.3,\"bound\":0.3,\"holds\":false},"
                              "\"max_drop\":{\"value\":0.5,\"found\":0.4,\"bound\":0.4,\"holds\":true},\"all\":false}");
    cJSON_free(text);
    cJSON_Delete(j);
}

/* The search keeps to each cost that is asked for, whatever the kind: within it no violation, twice it a violation of 1. */
static void each_cost_limits_the_search(void **state)
{
    (void)state;
    for (snc_cost_kind k = 0; k < SNC_COSTS; k++) {
        snc_run_opts o = {.objectives = 2};
        snc_obs x = {.latency_us = 50, .bytes = 50, .macs = 50};
        *snc_limit(&o.limits, k) =
            snc_target_limit((snc_target_kind)k, &(snc_target){true, true, 0.5}, k == SNC_COST_LATENCY ? 100 / 0.95 : 100);
        snc_obs_point(&x, &o);
        assert_true(x.point.violation < 1e-12);
        *snc_limit(&o.limits, k) /= 2;
        snc_obs_point(&x, &o);
        assert_true(fabs(x.point.violation - 1) < 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_read), cmocka_unit_test(several_latencies_fall), cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(each_is_judged),    cmocka_unit_test(each_is_said),           cmocka_unit_test(each_cost_limits_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
