/* How far a job is: times are handed in, so nothing here waits. */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "check.h"

static snc_meter planned(void)
{
    snc_meter m = {0};
    snc_meter_plan(&m, "finetune", 100);
    snc_meter_plan(&m, "search", 50);
    snc_meter_plan(&m, "proof", 50);
    return m;
}

static snc_status at(snc_meter *m, const char *what, double done, double total, double now)
{
    snc_status s;
    snc_meter_note(m, what, done, total, "", now);
    snc_meter_read(&s, m, now);
    return s;
}

static void the_whole_is_known_before_the_pace_is(void **state)
{
    (void)state;
    snc_meter m = planned();
    snc_status s = at(&m, "finetune", 0, 1000, 10);
    assert_true(isnan(s.per_second) && s.left_s == 100 && s.share == 0 && s.all_left_s == 200 && s.part == 1 && s.parts == 3);
    s = at(&m, "finetune", 100, 1000, 15); /* twice as fast as planned */
    assert_true(s.per_second == 20 && s.left_s == 45 && s.share == 0.05 && s.all_left_s == 145);
}

/* Most of the part was done by another process: the pace counts what this one did. */
static void a_resumed_part_has_the_pace_of_this_process(void **state)
{
    (void)state;
    snc_meter m = planned();
    snc_status s = at(&m, "finetune", 900, 1000, 0);
    assert_true(isnan(s.per_second) && fabs(s.left_s - 10) < 1e-9 && fabs(s.all_left_s - 110) < 1e-9);
    s = at(&m, "finetune", 910, 1000, 10);
    assert_true(s.per_second == 1 && s.left_s == 90 && s.all_left_s == 190);
}

static void what_is_there_already_counts_as_done(void **state)
{
    (void)state;
    snc_meter m = planned();
    snc_status s = at(&m, "proof", 0, 9, 3); /* finetune and search were reused, and said nothing */
    assert_true(s.part == 3 && s.share == 0.75 && s.all_left_s == 50);
    s = at(&m, "proof", 9, 9, 50);
    assert_true(s.share == 1 && s.left_s == 0 && s.all_left_s == 0);
}

static void the_pace_is_that_of_late(void **state)
{
    (void)state;
    snc_meter m = planned();
    for (int i = 0; i <= 100; i++) at(&m, "search", i * 10, 10000, i); /* 10 a second */
    snc_status s = {0};
    for (int i = 1; i <= 100; i++) s = at(&m, "search", 1000 + i, 10000, 100 + i); /* then 1 */
    assert_true(s.per_second < 1.5);
}

static void what_was_not_planned_has_no_place_in_the_whole(void **state)
{
    (void)state;
    snc_meter none = {0}, m = planned();
    snc_status s = at(&none, "bench", 1, 4, 0);
    assert_true(isnan(s.left_s) && isnan(s.share) && isnan(s.all_left_s) && s.parts == 0);
    at(&m, "search", 50, 50, 1);
    s = at(&m, "something else", 1, 4, 2);
    assert_true(s.part == 2 && s.all_left_s == 50);
    for (int i = 0; i < 2 * SNC_METER_PARTS; i++) snc_meter_plan(&m, "a name that is much longer than the room that there is for names", 1);
    assert_int_equal(m.n, SNC_METER_PARTS);
}

static int told;
static void count(void *user, const snc_status *s)
{
    (void)user;
    told++;
    assert_string_equal(s->what, "slow");
}

/* A loop that only asks whether to go on is heard of all the same. */
static void silence_is_broken_by_whoever_asks_to_go_on(void **state)
{
    (void)state;
    volatile int cancel = 0;
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.status = count;
    ctx.meter = &ctx.own;
    ctx.cancel = &cancel;
    assert_int_equal(snc_go_on(&ctx), SNC_OK);
    assert_int_equal(told, 0); /* nothing to say yet */
    snc_progress(&ctx, "slow", 0, 1, "%s", "");
    assert_int_equal(snc_go_on(&ctx), SNC_OK);
    assert_int_equal(told, 1);
    ctx.own.shown -= 1; /* a second later */
    assert_int_equal(snc_go_on(&ctx), SNC_OK);
    assert_int_equal(told, 2);
    cancel = 1;
    assert_int_equal(snc_go_on(&ctx), SNC_E_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_is_known_before_the_pace_is),          cmocka_unit_test(a_resumed_part_has_the_pace_of_this_process),
        cmocka_unit_test(what_is_there_already_counts_as_done),           cmocka_unit_test(the_pace_is_that_of_late),
        cmocka_unit_test(what_was_not_planned_has_no_place_in_the_whole), cmocka_unit_test(silence_is_broken_by_whoever_asks_to_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
