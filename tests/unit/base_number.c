/* base/number: a number is read whole, and what is none or too large for an int is not one. */
#include <limits.h>

#include "base/number.h"
#include "check.h"

static void numbers_end_where_their_digits_do(void **state)
{
    (void)state;
    const char *end = NULL;
    int v = 0;
    assert_true(snc_int_read(&v, "12", NULL));
    assert_int_equal(v, 12);
    assert_true(snc_int_read(&v, "-7.weight", &end));
    assert_int_equal(v, -7);
    assert_string_equal(end, ".weight");
    assert_false(snc_int_read(&v, "-7.weight", NULL));
    assert_int_equal(v, -7);
}

static void what_no_int_holds_is_no_number(void **state)
{
    (void)state;
    static const char *const none[] = {"", "x1", "-", " ", "2147483648", "-2147483649", "99999999999999999999", "1 "};
    int v = 5;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(snc_int_read(&v, none[i], NULL));
    assert_int_equal(v, 5);
    assert_true(snc_int_read(&v, "2147483647", NULL) && v == INT_MAX);
    assert_true(snc_int_read(&v, "-2147483648", NULL) && v == INT_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_end_where_their_digits_do),
                                       cmocka_unit_test(what_no_int_holds_is_no_number)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
