/* What a job gives up for its time: rates are made up, one machine beside another that trains five times slower. */
#include "report/plan.h"

#include <string.h>

#include "check.h"

/* SST-2 from MiniLM as on two cores with AMX: about a quarter of an hour. */
static snc_pace machine(double slower)
{
    return (snc_pace){.step = 0.0225 * slower,
                      .call = 0.00057 * slower,
                      .token = 8e-6 * slower,
                      .pack = 0.1,
                      .importance = 3000,
                      .rule = 60000,
                      .rows = 65000,
                      .taught = 65000,
                      .all = 67000,
                      .baselines = 1,
                      .teachers = 1,
                      .tokens = 65000 * 13.0,
                      .rank = 13000,
                      .ranked = 1000,
                      .scored = 22000,
                      .batch = 32,
                      .nets = 1.8,
                      .repairs = true};
}

static const snc_plan normal = {.v = {3, 1, 3, 400, 1, 18, 1}}, thorough = {.v = {3, 2, 5, 800, 2, 18, 1}};
static const bool none[SNC_KNOBS];

static double seconds(const snc_pace *p, const snc_plan *plan)
{
    double part[SNC_JOB_PARTS], sum = 0, all = snc_plan_seconds(part, p, plan);
    for (int i = 0; i < SNC_JOB_PARTS; i++) sum += part[i];
    assert_true(sum == all);
    return all;
}

static void what_fits_is_left_as_it_is(void **state)
{
    (void)state;
    const snc_pace p = machine(1);
    const double all = seconds(&p, &normal);
    snc_pace mixed = p; /* every net of the search is packed anew */
    mixed.mixed = true;
    assert_true(all > 600 && all < 1500 && seconds(&mixed, &normal) > all + 0.7 * 400 * p.pack);
    snc_plan plan = normal;
    assert_true(snc_plan_fit(&plan, &p, none, all));
    assert_memory_equal(&plan, &normal, sizeof plan);
    char said[256];
    snc_plan_words(said, sizeof said, &normal, &plan);
    assert_string_equal(said, "");
}

/* The first rung, then the second and so on; no more of one than it must. */
static void rungs_go_in_their_order(void **state)
{
    (void)state;
    const snc_pace p = machine(1);
    snc_plan plan = normal, want = normal;
    want.v[SNC_KNOB_EVALS] = 300;
    assert_true(snc_plan_fit(&plan, &p, none, seconds(&p, &want)));
    assert_memory_equal(&plan, &want, sizeof plan);
    want.v[SNC_KNOB_EVALS] = 200;
    want.v[SNC_KNOB_SUPERNET] = 0.8;
    plan = normal;
    assert_true(snc_plan_fit(&plan, &p, none, seconds(&p, &want) + 1e-6));
    assert_memory_equal(&plan, &want, sizeof plan);
    char said[256];
    snc_plan_words(said, sizeof said, &normal, &plan);
    assert_string_equal(said, "0.8 supernet epochs instead of 1, 200 evaluations instead of 400");
    snc_plan_words(said, 10, &normal, &plan);
    assert_string_equal(said, "0.8 super");
    want.v[SNC_KNOB_SUPERNET] = 0.5;
    want.v[SNC_KNOB_MADE] = 1;
    want.v[SNC_KNOB_EPOCHS] = 2.5;
    plan = normal;
    assert_true(snc_plan_fit(&plan, &p, none, seconds(&p, &want) + 1e-6));
    assert_memory_equal(&plan, &want, sizeof plan);
}

/* Less time never brings more of anything that comes before it on the ladder, and the sum always holds. */
static void every_limit_down_to_the_least_is_kept(void **state)
{
    (void)state;
    for (int slower = 1; slower <= 5; slower += 4) {
        const snc_pace p = machine(slower);
        snc_plan least = normal;
        assert_false(snc_plan_fit(&least, &p, none, 0));
        const double floor = seconds(&p, &least);
        assert_true(least.v[SNC_KNOB_EVALS] == 50 && least.v[SNC_KNOB_MADE] == 0 && least.v[SNC_KNOB_REPAIR] == 0 &&
                    least.v[SNC_KNOB_ROUNDS] == 9 && least.v[SNC_KNOB_RANK] == 0.25);
        assert_true(least.v[SNC_KNOB_EPOCHS] > 0.04 && least.v[SNC_KNOB_EPOCHS] < 0.06); /* a hundred steps */
        const double most = seconds(&p, &normal);
        double before = most;
        for (int i = 100; i >= 0; i--) {
            const double limit = floor + (most - floor) * i / 100;
            snc_plan plan = normal;
            assert_true(snc_plan_fit(&plan, &p, none, limit));
            const double takes = seconds(&p, &plan);
            assert_true(takes <= limit && takes <= before);
            before = takes;
        }
    }
}

static void a_slow_machine_has_a_quarter_of_an_hour(void **state)
{
    (void)state;
    const snc_pace p = machine(5);
    snc_plan plan = normal;
    assert_true(seconds(&p, &normal) > 3000);
    assert_true(snc_plan_fit(&plan, &p, none, 840));
    assert_true(plan.v[SNC_KNOB_EPOCHS] >= 0.5 && plan.v[SNC_KNOB_SUPERNET] >= 0.2 && plan.v[SNC_KNOB_EVALS] >= 50);
}

/* Few rows: epochs go down to a hundred steps, whose number made rows add to, and made rows to what is left of that. */
static void few_rows_are_trained_on_for_a_hundred_steps(void **state)
{
    (void)state;
    snc_pace p = machine(1);
    p.rows = 1600; /* 50 steps */
    p.tokens = 1600 * 13.0;
    snc_plan plan = normal;
    assert_false(snc_plan_fit(&plan, &p, none, 0));
    assert_true(plan.v[SNC_KNOB_EPOCHS] == 2 && plan.v[SNC_KNOB_SUPERNET] == 0.5 && plan.v[SNC_KNOB_MADE] == 3);
    p.ranked = 300; /* two hundred rows to compare on are what a hundred steps are to training */
    plan = (snc_plan){.v = {3, 4, 0, 400, 1, 18, 1}};
    assert_false(snc_plan_fit(&plan, &p, none, 0));
    assert_true(plan.v[SNC_KNOB_SUPERNET] == 2 && plan.v[SNC_KNOB_RANK] == 0.667);
    p.ranked = 50;
    assert_false(snc_plan_fit(&plan, &p, none, 0));
    assert_true(plan.v[SNC_KNOB_RANK] == 0.667);
    plan.v[SNC_KNOB_RANK] = 1;
    assert_false(snc_plan_fit(&plan, &p, none, 0));
    assert_true(plan.v[SNC_KNOB_RANK] == 1);
}

/* Where few rows need more epochs, the ladder is of so many more: evaluations go first there as well. */
static void few_rows_have_a_ladder_of_their_own(void **state)
{
    (void)state;
    snc_pace p = machine(1);
    p.rows = 3600;
    p.tokens = 3600 * 13.0;
    p.need[SNC_KNOB_EPOCHS] = 27;
    p.need[SNC_KNOB_SUPERNET] = 8;
    const snc_plan want = {.v = {27, 8, 3, 400, 1, 18, 1}};
    snc_plan plan = want, half = want;
    half.v[SNC_KNOB_EVALS] = 200;
    assert_true(snc_plan_fit(&plan, &p, none, seconds(&p, &half) + 1e-6));
    assert_memory_equal(&plan, &half, sizeof plan);
    half.v[SNC_KNOB_SUPERNET] = 4; /* the half of what is needed, as 0.5 is of 1 */
    half.v[SNC_KNOB_MADE] = 1;
    half.v[SNC_KNOB_EPOCHS] = 18;
    plan = want;
    assert_true(snc_plan_fit(&plan, &p, none, seconds(&p, &half) + 1e-6));
    assert_memory_equal(&plan, &half, sizeof plan);
    p.need[SNC_KNOB_SUPERNET] = 0;
    plan = want;
    assert_true(snc_plan_fit(&plan, &p, none, seconds(&p, &half) + 1e-6));
    assert_true(plan.v[SNC_KNOB_SUPERNET] < 4); /* more than is needed goes before everything else */
}

static void what_was_asked_for_is_kept(void **state)
{
    (void)state;
    const snc_pace p = machine(1);
    const bool kept[SNC_KNOBS] = {[SNC_KNOB_EVALS] = true, [SNC_KNOB_EPOCHS] = true};
    snc_plan plan = normal;
    assert_false(snc_plan_fit(&plan, &p, kept, 60));
    assert_true(plan.v[SNC_KNOB_EVALS] == 400 && plan.v[SNC_KNOB_EPOCHS] == 3 && plan.v[SNC_KNOB_SUPERNET] < 0.1);
    snc_pace must = machine(1);
    must.must = true; /* --repair on */
    plan = normal;
    assert_false(snc_plan_fit(&plan, &must, none, 60));
    assert_true(plan.v[SNC_KNOB_REPAIR] > 0);
}

static void what_is_there_takes_no_time_and_stays(void **state)
{
    (void)state;
    snc_pace p = machine(1);
    const double all = seconds(&p, &normal);
    for (int i = 0; i <= SNC_JOB_SUPERNET; i++) p.done[i] = true;
    const double rest = seconds(&p, &normal);
    assert_true(rest < 0.6 * all);
    snc_plan plan = normal;
    assert_false(snc_plan_fit(&plan, &p, none, 1));
    assert_true(plan.v[SNC_KNOB_EPOCHS] == 3 && plan.v[SNC_KNOB_SUPERNET] == 1 && plan.v[SNC_KNOB_MADE] == 3);
    /* With time again the rest is as it was wanted, and what is there as it was made. */
    plan.v[SNC_KNOB_SUPERNET] = 0.7;
    snc_plan_restore(&plan, &normal, &p, none);
    assert_true(plan.v[SNC_KNOB_SUPERNET] == 0.7 && plan.v[SNC_KNOB_EVALS] == 400 && plan.v[SNC_KNOB_REPAIR] == 1);
}

/* More than the defaults comes down to them before anything of them goes. */
static void a_thorough_job_comes_down_to_the_defaults_first(void **state)
{
    (void)state;
    const snc_pace p = machine(1);
    snc_plan plan = thorough;
    assert_true(snc_plan_fit(&plan, &p, none, seconds(&p, &normal)));
    assert_memory_equal(&plan, &normal, sizeof plan);
}

static void times_are_said_short(void **state)
{
    (void)state;
    char buf[SNC_CLOCK];
    assert_string_equal(snc_clock_words(buf, 9.6), "10s");
    assert_string_equal(snc_clock_words(buf, 60), "1m");
    assert_string_equal(snc_clock_words(buf, 219.7), "3m40s");
    assert_string_equal(snc_clock_words(buf, 3900), "1h05m");
    assert_string_equal(snc_clock_words(buf, -3), "0s");
    for (int k = 0; k < SNC_KNOBS; k++) assert_non_null(snc_knob_why((snc_knob)k));
    for (int i = 0; i < SNC_JOB_PARTS; i++) assert_true(strlen(snc_job_part_name((snc_job_part)i)) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_left_as_it_is),
        cmocka_unit_test(rungs_go_in_their_order),
        cmocka_unit_test(every_limit_down_to_the_least_is_kept),
        cmocka_unit_test(a_slow_machine_has_a_quarter_of_an_hour),
        cmocka_unit_test(few_rows_are_trained_on_for_a_hundred_steps),
        cmocka_unit_test(few_rows_have_a_ladder_of_their_own),
        cmocka_unit_test(what_was_asked_for_is_kept),
        cmocka_unit_test(what_is_there_takes_no_time_and_stays),
        cmocka_unit_test(a_thorough_job_comes_down_to_the_defaults_first),
        cmocka_unit_test(times_are_said_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
