/* A cmocka program of which one test fails: tests/lint/failing.sh holds that such a program says so by its exit code. */
#include "check.h"

static void this_holds(void **state)
{
    (void)state;
    assert_int_equal(1, 1);
}

static void this_does_not(void **state)
{
    (void)state;
    assert_int_equal(1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(this_holds), cmocka_unit_test(this_does_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
