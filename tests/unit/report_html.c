/* The page of a search whose finalists are known: what it says of their targets, of few evaluations, and which files lie beside it. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"
#include "files.h"
#include "report/html_report.h"

static void write_text(const char *path, const char *text) { assert_int_equal(snc_file_write(path, text, strlen(text)), SNC_OK); }

/* A latency that was found, asked 0.7x and held to 0.672x. */
static void finalist(char *buf, size_t size, double found)
{
    snprintf(
        buf, size,
        "{\"arch\":{\"hidden\":32,\"layers\":[{\"source\":0,\"heads\":2,\"ffn\":64}]},\"policy\":{\"embed\":\"int8\",\"pooler\":\"f32\","
        "\"classifier\":\"f32\",\"layers\":[{\"qkv\":\"int8\",\"o\":\"int8\",\"ffn_in\":\"int8\",\"ffn_out\":\"f32\"}]},"
        "\"loss\":0.1,\"metric\":0.9,\"latency_us\":100,\"bytes\":1e5,\"measured_us\":90,\"measured_ratio\":%g,\"meets\":%s,"
        "\"targets\":{\"latency\":{\"share_of_full_int8\":0.7,\"found\":%g,\"bound\":%g,\"holds\":%s,\"inner\":0.672,\"holds_inner\":%s}}}",
        found, found <= 0.672 ? "true" : "false", found, found, found <= 0.7 ? "true" : "false", found <= 0.672 ? "true" : "false");
}

/* The page of a search that asked for nothing yet, with these two finalists; freed with snc_free. */
static char *page_of(scratch *s, double first, double second)
{
    char front[8192], a[2048], b[2048], *text;
    size_t n;
    cJSON *made =
        cJSON_Parse("{\"command\":\"compress search 'a<b'\",\"date\":\"now\",\"options\":{\"evals\":7,\"seed\":42,\"space\":null},"
                    "\"given\":[\"evals\"],\"versions\":{\"snc\":\"1\"}}");
    finalist(a, sizeof a, first);
    finalist(b, sizeof b, second);
    snprintf(front, sizeof front,
             "{\"chosen\":%s,\"finalists\":[%s,%s],\"front\":[],\"limits\":{\"latency_us\":95},\"teacher\":{\"rank_score\":0.95,"
             "\"select_score\":0.95},\"full_int8\":{\"metric\":0.92,\"loss\":0.2,\"latency_us\":140,\"bytes\":2e5},\"full_int8_us\":140,"
             "\"full_int8_bytes\":2e5,\"full\":{\"hidden\":32,\"layers\":[{\"heads\":4,\"ffn\":128}]}}",
             a, a, b);
    char journal[512];
    snprintf(journal, sizeof journal, "%s", scratch_path(s, "search.sqlite"));
    write_text(journal, "");
    write_text(scratch_path(s, "front.json"), front);
    assert_int_equal(snc_html_report_write(s->dir, journal, NULL, made), SNC_OK);
    cJSON_Delete(made);
    assert_int_equal(snc_file_read(&text, &n, scratch_path(s, "report.html")), SNC_OK);
    assert_true(n > 0 && text[n - 1] == '\n');
    text[n - 1] = 0;
    return text;
}

static void a_finalist_within_what_was_asked_is_no_miss(void **state)
{
    (void)state;
    scratch s;
    scratch_init(&s, "report_html");
    char *page = page_of(&s, 0.66, 0.69);
    assert_non_null(strstr(page, "<span class=\"badge yes\">every target holds</span>"));
    assert_non_null(strstr(page, "<td>1</td><td>met</td>"));
    assert_non_null(strstr(page, "<td>2</td><td>met, without the margin</td>"));
    assert_non_null(strstr(page, "A latency of at most 0.700x of full INT8 was asked."));
    assert_non_null(strstr(page, "held to an inner bound, 0.672x of full INT8: a margin of 4%,"));
    assert_null(strstr(page, "<td>missed</td>"));
    snc_free(page);
    page = page_of(&s, 0.69, 0.71);
    assert_non_null(strstr(page, "<span class=\"badge near\">every target holds, without the margin for the proof</span>"));
    assert_non_null(strstr(page, "<td>2</td><td>missed</td>"));
    snc_free(page);
    page = page_of(&s, 0.71, 0.72);
    assert_non_null(strstr(page, "<span class=\"badge no\">a target was missed</span>"));
    snc_free(page);
}

static void the_command_and_its_options_are_there(void **state)
{
    (void)state;
    scratch s;
    scratch_init(&s, "report_html");
    char *page = page_of(&s, 0.66, 0.69);
    assert_non_null(strstr(page, "<pre>compress search 'a&lt;b'</pre>"));
    const char *given = strstr(page, "<dt>evals</dt><dd>7</dd>"), *others = strstr(page, "<summary>All others"),
               *seed = strstr(page, "<dt>seed</dt><dd>42</dd>");
    assert_true(given && others && seed && given < others && others < seed);
    assert_non_null(strstr(page, "<dt>space</dt><dd>-</dd>"));
    snc_free(page);
}

/* One that an earlier page had and this one has not is gone. */
static void pictures_are_those_of_the_page(void **state)
{
    (void)state;
    scratch s;
    scratch_init(&s, "report_html");
    write_text(scratch_path(&s, "report-importance.svg"), "old");
    write_text(scratch_path(&s, "report-latency.svg"), "old");
    char *page = page_of(&s, 0.66, 0.69), *svg;
    size_t n;
    assert_false(snc_is_there(scratch_path(&s, "report-importance.svg")));
    assert_false(snc_is_there(scratch_path(&s, "report-loss.svg")));
    assert_true(snc_is_file(scratch_path(&s, "report-size.svg")));
    assert_int_equal(snc_file_read(&svg, &n, scratch_path(&s, "report-latency.svg")), SNC_OK);
    assert_true(n > 1000);
    assert_non_null(strstr(page, "beside this page: <code>report-latency.svg</code>, <code>report-size.svg</code></p>"));
    snc_free(svg);
    snc_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finalist_within_what_was_asked_is_no_miss),
        cmocka_unit_test(the_command_and_its_options_are_there),
        cmocka_unit_test(pictures_are_those_of_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
