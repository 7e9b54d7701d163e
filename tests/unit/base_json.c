/* JSON is read strictly: a key once, a value the whole text, whole numbers in their range, no text that a NUL would cut. */

#include "base/json.h"
#include "check.h"
#include "files.h"

static cJSON *parsed(const char *text)
{
    cJSON *j = NULL;
    assert_ok(snc_json_parse(&j, text, strlen(text), "f"));
    return j;
}

static void refuses(const char *text, const char *fragment)
{
    cJSON *j = NULL;
    assert_fails(snc_json_parse(&j, text, strlen(text), "f"), SNC_E_FORMAT, fragment);
    assert_null(j);
}

static void a_key_stands_once_in_its_object(void **state)
{
    (void)state;
    refuses("{\"a\":1,\"a\":1}", "f: key 'a' appears twice");
    refuses("{\"b\":0,\"x\":[0,{\"y\":{\"c\":1,\"d\":2,\"c\":3}}]}", "f: key 'c' appears twice");
    refuses("{\"\\u0061\":1,\"a\":2}", "f: key 'a' appears twice");
    cJSON_Delete(parsed("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}],\"A\":0,\"\":0}"));
    char *text = NULL; /* more keys than fit on the stack, the last one twice */
    size_t n = 0, keys = 500;
    assert_ok(snc_alloc(&text, keys * 16, 1));
    for (size_t i = 0; i <= keys; i++) n += (size_t)sprintf(text + n, "%s\"k%zu\":0", i ? "," : "{", i < keys ? i : keys - 1);
    text[n++] = '}';
    refuses(text, "f: key 'k499' appears twice");
    snc_free(text);
}

static void one_value_is_the_whole_text(void **state)
{
    (void)state;
    refuses("{} {}", "f: text after the JSON value at byte 3");
    refuses("{},", "f: text after the JSON value at byte 2");
    refuses("{", "f: not valid JSON at byte");
    refuses("", "f: not valid JSON at byte 0");
    cJSON_Delete(parsed("{} \r\n\t"));
}

/* cJSON would end the text there. */
static void a_nul_in_a_text_is_refused(void **state)
{
    (void)state;
    refuses("{\"a\":\"x\\u0000y\"}", "f: the NUL character \\u0000 in a text at byte 7");
    refuses("{\"\\\\\\u0000\":1}", "f: the NUL character \\u0000 in a text at byte 4");
    cJSON *j = parsed("{\"a\":\"\\\\u0000\",\"b\":\"\\u0001\"}");
    assert_string_equal(cJSON_GetObjectItem(j, "a")->valuestring, "\\u0000");
    cJSON_Delete(j);
    refuses("{\"a\":\"\\", "f: not valid JSON");
}

static void whole_numbers_are_whole_and_in_range(void **state)
{
    (void)state;
    static const char *const wrong[] = {"0.5", "-1", "11", "1e300", "-1e300", "\"5\"", "true", "[5]", "{}", "1.0000001"};
    int v = 77;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"n\":%s}", wrong[i]);
        cJSON *j = parsed(text);
        assert_fails(snc_json_int(&v, j, "n", 5, 0, 10, "f"), SNC_E_FORMAT, "f: 'n' must be a whole number from 0 to 10");
        assert_fails(snc_json_whole(&v, cJSON_GetObjectItem(j, "n"), 0, 10, "n", "f"), SNC_E_FORMAT, "f: 'n' must be a whole number");
        cJSON_Delete(j);
    }
    assert_fails(snc_json_whole(&v, NULL, 0, 10, "n", "f"), SNC_E_FORMAT, "f: 'n' must be");
    cJSON *j = parsed("{\"a\":10,\"b\":1e1,\"c\":null}");
    assert_ok(snc_json_int(&v, j, "a", 5, 0, 10, "f"));
    assert_int_equal(v, 10);
    assert_ok(snc_json_int(&v, j, "b", 5, 0, 10, "f"));
    assert_int_equal(v, 10);
    assert_ok(snc_json_int(&v, j, "c", 5, 0, 10, "f"));
    assert_int_equal(v, 5);
    cJSON_Delete(j);
}

static void lists_are_read_whole_or_refused(void **state)
{
    (void)state;
    int v[3] = {0}, n = 7;
    cJSON *j = parsed("{\"a\":[1,2,3],\"long\":[1,2,3,4],\"none\":[],\"one\":5,\"half\":[1,2.5],\"big\":[1,99]}");
    assert_ok(snc_json_ints(v, &n, 3, j, "absent", 0, 9, "f"));
    assert_int_equal(n, 7);
    assert_ok(snc_json_ints(v, &n, 3, j, "a", 0, 9, "f"));
    assert_int_equal(n, 3);
    assert_int_equal(v[2], 3);
    assert_fails(snc_json_ints(v, &n, 3, j, "long", 0, 9, "f"), SNC_E_FORMAT, "f: 'long' must be a list of 1 to 3 whole numbers");
    assert_fails(snc_json_ints(v, &n, 3, j, "none", 0, 9, "f"), SNC_E_FORMAT, "'none' must be a list");
    assert_fails(snc_json_ints(v, &n, 3, j, "one", 0, 9, "f"), SNC_E_FORMAT, "'one' must be a list");
    assert_fails(snc_json_ints(v, &n, 3, j, "half", 0, 9, "f"), SNC_E_FORMAT, "f: 'half' must hold whole numbers from 0 to 9");
    assert_fails(snc_json_ints(v, &n, 3, j, "big", 0, 9, "f"), SNC_E_FORMAT, "f: 'big' must hold whole numbers from 0 to 9");
    cJSON_Delete(j);
}

static void a_line_has_no_control_characters(void **state)
{
    static const char *const fine[] = {
        "", "good", "\xc3\xa9t\xc3\xa9 \"x\" \\ |,;", "\xc2\xa0", "\xe2\x80\xa7", "\xe2\x80\xaa", "\xf0\x9f\x99\x82"};
    static const struct {
        const char *text, *said;
    } bad[] = {{"a\tb", "f: label 'a...' goes on with the control character 0x09"},
               {"a\n", "0x0a"},
               {"\r", "0x0d"},
               {"a\x7f", "0x7f"},
               {"a\xc2\x85", "'a...' goes on with the control character 0x85"},
               {"\xe2\x80\xa8", "0x2028"},
               {"x\xe2\x80\xa9y", "0x2029"},
               {"bad\xff", "f: label 'bad...' goes on with the byte 0xff, which is no UTF-8"},
               {"\xc3", "0xc3"},
               {"\xed\xa0\x80", "0xed"}};
    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) assert_ok(snc_json_check_line(fine[i], "label", "f"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(snc_json_check_line(bad[i].text, "label", "f"), SNC_E_FORMAT, bad[i].said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_stands_once_in_its_object), cmocka_unit_test(one_value_is_the_whole_text),
        cmocka_unit_test(a_nul_in_a_text_is_refused),      cmocka_unit_test(whole_numbers_are_whole_and_in_range),
        cmocka_unit_test(lists_are_read_whole_or_refused), cmocka_unit_test(a_line_has_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
