/* Any text comes out of Markdown as it went in. */
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "report/markdown.h"

static void gives(void (*put)(snc_textbuf *, const char *), const char *text, const char *expected)
{
    snc_textbuf t = {0};
    put(&t, text);
    assert_string_equal(t.p ? t.p : "", expected);
    snc_free(t.p);
}

static void markup_is_escaped(void **state)
{
    (void)state;
    gives(snc_md_text, "a|b", "a\\|b");
    gives(snc_md_text, "<b>&amp; [x](y) *z* ~~w~~ `v` \\", "\\<b>\\&amp; \\[x\\](y) \\*z\\* \\~\\~w\\~\\~ \\`v\\` \\\\");
    gives(snc_md_text, "target_latency _u_ _", "target_latency \\_u\\_ \\_");
    gives(snc_md_text, "two\nlines\tand \303\244", "two lines and \303\244");
    gives(snc_md_text, "", "");
}

static void code_is_fenced_by_more_than_it_has(void **state)
{
    (void)state;
    gives(snc_md_code, "a|b\n_c_", "`a\\|b _c_`");
    gives(snc_md_code, "a ``b`` c", "```a ``b`` c```");
    gives(snc_md_code, "`", "`` ` ``");
    snc_textbuf t = {0};
    snc_md_block(&t, "sh", "echo ````\n");
    assert_string_equal(t.p, "`````sh\necho ````\n`````\n");
    snc_free(t.p);
    t = (snc_textbuf){0};
    snc_md_block(&t, "", "x");
    assert_string_equal(t.p, "```\nx\n```\n");
    snc_free(t.p);
}

static void pairs_are_a_table(void **state)
{
    (void)state;
    snc_textbuf t = {0};
    cJSON *j = cJSON_Parse("{\"a|b\":\"c|d\",\"n\":1.5,\"no\":null,\"yes\":true,\"list\":[\"|\"],\"empty\":[]}");
    snc_md_pairs(&t, "key", "value", j);
    assert_string_equal(t.p,
                        "| key | value |\n|---|---|\n| a\\|b | c\\|d |\n| n | 1.5 |\n| no | - |\n| yes | true |\n| list | `[\"\\|\"]` |\n"
                        "| empty | \\[\\] |\n");
    cJSON_Delete(j);
    snc_free(t.p);
    t = (snc_textbuf){0};
    snc_md_pairs(&t, "key", "value", NULL);
    assert_null(t.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(markup_is_escaped), cmocka_unit_test(code_is_fenced_by_more_than_it_has),
                                       cmocka_unit_test(pairs_are_a_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
