/* A registry's names: found by the letter, and all of them in a message, cut where they do not fit. */
#include <string.h>

#include "base/names.h"
#include "check.h"

static const char *name(int i)
{
    static const char *const of[] = {"linas", "nsga2", "random"};
    return i >= 0 && i < 3 ? of[i] : NULL;
}

static const char *one(int i) { return i == 0 ? "bert" : NULL; }

static void a_name_is_found_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_int_equal(snc_names_find(name, "linas"), 0);
    assert_int_equal(snc_names_find(name, "random"), 2);
    assert_int_equal(snc_names_find(name, "rand"), -1);
    assert_int_equal(snc_names_find(name, ""), -1);
}

static void the_nearest_is_told(void **state)
{
    (void)state;
    assert_string_equal(snc_names_nearest(name, "lina"), "linas");
    assert_string_equal(snc_names_nearest(name, "nsag2"), "nsga2");
    assert_string_equal(snc_names_nearest(name, "randoms"), "random");
    assert_string_equal(snc_names_nearest(name, "radnom"), "random");
    assert_string_equal(snc_names_nearest(name, "linas"), "linas");
    assert_null(snc_names_nearest(name, "epochs"));
    assert_null(snc_names_nearest(name, ""));
    assert_null(snc_names_nearest(name, "a name of more than forty letters, of which those behind are not looked at"));
}

static void all_are_told(void **state)
{
    (void)state;
    char text[32], narrow[8];
    snc_names_join(text, sizeof text, name, " or ");
    assert_string_equal(text, "linas, nsga2 or random");
    snc_names_join(text, sizeof text, name, ", ");
    assert_string_equal(text, "linas, nsga2, random");
    snc_names_join(text, sizeof text, one, " or ");
    assert_string_equal(text, "bert");
    snc_names_join(narrow, sizeof narrow, name, ", ");
    assert_string_equal(narrow, "linas, ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_name_is_found_whole_or_not_at_all), cmocka_unit_test(the_nearest_is_told),
                                       cmocka_unit_test(all_are_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
