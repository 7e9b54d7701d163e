/* Rows of CSV, TSV and JSON as people write them: columns, quotes, labels, scores, and what is wrong named by line. */
#include "unit/data_support.h"

#include "data/rows_priv.h"

static const char pair_task[] =
    "{\"name\":\"p\",\"folder\":\"P\",\"format\":\"auto\",\"files\":{\"train\":[\"train.tsv\",\"train.jsonl\"],\"dev\":\"dev.tsv\","
    "\"test\":\"test.tsv\"},\"text_a\":[\"s1\",\"first\"],\"text_b\":\"s2\",\"label\":[\"label\",\"gold\"],"
    "\"labels\":[\"no\",\"yes\"],\"metrics\":[\"f1\"]%s}";

static snc_task *open_text(const char *text)
{
    snc_task *t = NULL;
    OK(snc_task_parse(&t, text, strlen(text), "task.json"));
    return t;
}

static snc_task *open_pair(const char *more)
{
    char text[1024];
    snprintf(text, sizeof text, pair_task, more);
    return open_text(text);
}

static snc_err parse(snc_rows **r, const snc_task *t, const char *split, const char *path, const char *text)
{
    return snc_rows__parse(r, t, split, path, text, strlen(text));
}

static void assert_span(snc_span s, const char *text)
{
    assert_int_equal(s.n, strlen(text));
    assert_memory_equal(s.p, text, s.n);
}

static void columns_are_found_by_header_name(void **state)
{
    (void)state;
    snc_task *t = open_pair("");
    snc_rows *r;
    /* BOM, CRLF, an empty line, a quote that opens nothing, control characters inside a text, no final newline. */
    OK(parse(&r, t, "dev", "dev.tsv", "\xef\xbb\xbfid\tgold\ts2\tfirst\r\n7\tyes\t\"b\ta \b\x12 a\r\n\r\n8\tno\t\tx"));
    assert_int_equal(r->n, 2);
    assert_span(r->row[0].a, "a \b\x12 a");
    assert_span(r->row[0].b, "\"b");
    assert_true(r->row[0].target == 1.0f && r->row[0].line == 2);
    assert_span(r->row[1].b, "");
    assert_span(r->row[1].a, "x");
    assert_non_null(r->row[1].b.p);
    assert_true(r->row[1].target == 0.0f && r->row[1].line == 4);
    snc_rows__free(r);
    snc_task_close(t);
}

static void headerless_files_use_indices(void **state)
{
    (void)state;
    snc_task *t = open_text("{\"name\":\"c\",\"files\":{\"train\":\"a\",\"test\":\"b\"},\"header\":{\"train\":false,\"test\":true},"
                            "\"text_a\":[\"sentence\",-1],\"label\":[\"label\",1],\"labels\":[\"0\",\"1\"],"
                            "\"metrics\":[\"matthews\"]}");
    snc_rows *r;
    OK(parse(&r, t, "train", "a", "src\t1\t*\tone two\nsrc\t0\t\tthree\n"));
    assert_int_equal(r->n, 2);
    assert_span(r->row[1].a, "three");
    assert_true(r->row[0].target == 1.0f && r->row[1].target == 0.0f && r->row[0].b.p == NULL);
    snc_rows__free(r);
    OK(parse(&r, t, "test", "b", "index\tsentence\n0\tfour\n"));
    assert_span(r->row[0].a, "four");
    assert_true(isnan(r->row[0].target));
    snc_rows__free(r);
    FAILS(SNC_E_FORMAT, "a:2: 1 column, expected at least 2", parse(&r, t, "train", "a", "src\t1\tx\nsrc\n"));
    snc_task_close(t);
}

static const char any_text[] =
    "{\"name\":\"t\",\"format\":\"auto\",\"files\":{\"train\":\"a\",\"dev\":\"b\"},\"text_a\":[\"text\"],\"label\":\"label\","
    "\"labels\":[\"no\",\"yes\"],\"metrics\":[\"accuracy\"]}";

/* RFC 4180: separators, line feeds and doubled quotes inside quotes; lines are counted through them. */
static void csv_quotes_are_undone(void **state)
{
    (void)state;
    snc_task *t = open_text(any_text);
    snc_rows *r;
    OK(parse(&r, t, "train", "a.csv",
             "id,Text ,label\r\n1,\"one, two\",no\r\n\r\n2,\"he said \"\"so\"\"\nand left\",yes\n3,5\" disk,\"no\""));
    assert_int_equal(r->n, 3);
    assert_span(r->row[0].a, "one, two");
    assert_span(r->row[1].a, "he said \"so\"\nand left");
    assert_span(r->row[2].a, "5\" disk");
    assert_true(r->row[1].line == 4 && r->row[2].line == 6 && r->row[2].target == 0.0f);
    snc_rows__free(r);
    OK(parse(&r, t, "train", "a.csv", "text;label\na, b;yes\n")); /* as spreadsheets write it where the comma is a decimal point */
    assert_span(r->row[0].a, "a, b");
    snc_rows__free(r);
    /* rows of nothing, and a blank behind a closing quote */
    OK(parse(&r, t, "train", "a.csv", "text,label\n,\n   \n\"a\" ,no\n , \n\"b, \",yes\r\n"));
    assert_int_equal(r->n, 2);
    assert_span(r->row[0].a, "a");
    assert_span(r->row[1].a, "b, ");
    assert_true(r->row[0].line == 4 && r->row[1].line == 6);
    snc_rows__free(r);
    FAILS(SNC_E_FORMAT, "a.csv:3: a quote opens here and never closes",
          parse(&r, t, "train", "a.csv", "text,label\na,no\n\"b,yes\nc,no\n"));
    FAILS(SNC_E_FORMAT, "a.csv:2: text after a closing quote", parse(&r, t, "train", "a.csv", "text,label\n\"a\" b,no\n"));
    FAILS(SNC_E_FORMAT, "a.csv:4: 3 columns, the header has 2", parse(&r, t, "train", "a.csv", "text,label\n\"a\nb\",no\nc,d,no\n"));
    FAILS(SNC_E_FORMAT, "a.csv:1: columns 'Text' and 'TEXT ' may both be 'text'",
          parse(&r, t, "train", "a.csv", "Text,TEXT ,label\na,b,no\n"));
    OK(parse(&r, t, "train", "a.csv", "Text,text,label\na,b,no\n"));
    assert_span(r->row[0].a, "b");
    snc_rows__free(r);
    FAILS(SNC_E_FORMAT, "a.csv:1: column 'label' appears twice", parse(&r, t, "train", "a.csv", "text,label,label\na,no,no\n"));
    snc_task_close(t);
}

/* TSV as pandas writes it has quotes where a text needs them; elsewhere a quote is a character. */
static void tsv_quotes_are_undone_where_a_text_needs_them(void **state)
{
    (void)state;
    snc_task *t = open_text(any_text);
    snc_rows *r;
    OK(parse(&r, t, "train", "a.tsv", "\"text\"\t\"label\"\n\"plain\"\t\"no\"\n")); /* all in quotes, the header too */
    assert_span(r->row[0].a, "plain");
    snc_rows__free(r);
    OK(snc_task_set_quoting(t, "csv"));
    OK(parse(&r, t, "train", "a.tsv", "text\tlabel\n\"plain\"\tno\n"));
    assert_span(r->row[0].a, "plain");
    snc_rows__free(r);
    OK(snc_task_set_quoting(t, "none"));
    OK(parse(&r, t, "train", "a.csv", "text,label\n\"a \"\"b\"\"\",no\n"));
    assert_span(r->row[0].a, "\"a \"\"b\"\"\"");
    snc_rows__free(r);
    OK(snc_task_set_quoting(t, "auto"));
    OK(parse(&r, t, "train", "a.tsv", "text\tlabel\n\"a \"\"b\"\" c\"\tno\nplain\tyes\n"));
    assert_span(r->row[0].a, "a \"b\" c");
    snc_rows__free(r);
    OK(parse(&r, t, "train", "a.tsv", "text\tlabel\n\"quoted\" he said\tno\n\"all of it\"\tyes\n"));
    assert_span(r->row[0].a, "\"quoted\" he said");
    assert_span(r->row[1].a, "\"all of it\"");
    snc_rows__free(r);
    snc_task_close(t);
}

static void a_list_of_objects_is_read(void **state)
{
    (void)state;
    snc_task *t = open_text(any_text);
    snc_rows *r;
    OK(parse(&r, t, "train", "a.json",
             "\n[\n {\"text\": \"a } \\\" ] b\", \"label\": \"no\"},\n {\"label\":\"yes\",\n\"text\":\"c\",\"x\":[{}]}\n]\n"));
    assert_int_equal(r->n, 2);
    assert_span(r->row[0].a, "a } \" ] b");
    assert_true(r->row[0].line == 3 && r->row[1].line == 4);
    snc_rows__free(r);
    OK(parse(&r, t, "train", "a.json", "{\"text\":\"a\",\"label\":\"no\"}\n"));
    snc_rows__free(r);
    FAILS(SNC_E_FORMAT, "a.json: no rows", parse(&r, t, "train", "a.json", "[]"));
    FAILS(SNC_E_FORMAT, "a.json:1: the list of rows never ends", parse(&r, t, "train", "a.json", "[{\"text\":\"a\",\"label\":\"no\"}"));
    FAILS(SNC_E_FORMAT, "a.json:2: the object that begins here never ends",
          parse(&r, t, "train", "a.json", "[\n{\"text\":\"a\",\n\"label\":\"no\"\n"));
    FAILS(SNC_E_FORMAT, "a.json:1: expected ',' or ']' after a row",
          parse(&r, t, "train", "a.json", "[{\"text\":\"a\",\"label\":\"no\"} {\"text\":1}]"));
    FAILS(SNC_E_FORMAT, "a.json:1: text after the list", parse(&r, t, "train", "a.json", "[{\"text\":\"a\",\"label\":\"no\"}] x"));
    FAILS(SNC_E_FORMAT, "a.json:1: expected a JSON object", parse(&r, t, "train", "a.json", "[1,2]"));
    snc_task_close(t);
}

static void wrong_rows_are_named_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *split, *text, *message;
    } wrong[] = {
        {"dev", "", "f.tsv: no rows"},
        {"dev", "\xef\xbb\xbf", "f.tsv: no rows"},
        {"dev", "s1\ts2\tlabel\n", "f.tsv: no rows"},
        {"dev", "s1\ts2\tlabel\n\n\r\n", "f.tsv: no rows"},
        {"dev", "s1\tlabel\na\tyes\n", "f.tsv:1: no column 's2' in the header; it has 's1', 'label'"},
        {"dev", "s1\ts2\na\tb\n", "f.tsv:1: no column 'label'"},
        {"dev", "s1\ts2\tlabel\na\tb\tyes\na\tb\n", "f.tsv:3: 2 columns, the header has 3"},
        {"dev", "s1\ts2\tlabel\n\na\tb\tmaybe\n", "f.tsv:3: label 'maybe' is not one of the task's 2: no, yes"},
        {"dev", "s1\ts2\tlabel\na\tb\t\n", "f.tsv:2: label ''"},
        {"test", "s1\ts2\tlabel\na\tb\t1\n", "f.tsv:2: label '1'"},
    };
    snc_task *t = open_pair("");
    snc_rows *r;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(SNC_E_FORMAT, wrong[i].message, parse(&r, t, wrong[i].split, "f.tsv", wrong[i].text));
    FAILS(SNC_E_NOTFOUND, "no split 'dev_mm'", parse(&r, t, "dev_mm", "f.tsv", ""));
    OK(parse(&r, t, "test", "f.tsv", "s1\ts2\na\tb\n"));
    assert_true(isnan(r->row[0].target));
    snc_rows__free(r);
    snc_task_close(t);
}

static void short_rows_are_skipped_on_request(void **state)
{
    (void)state;
    snc_task *t = open_pair(",\"skip_short_rows\":true");
    snc_rows *r;
    OK(parse(&r, t, "dev", "f.tsv", "s1\ts2\tlabel\nbroken\na\tb\tyes\nbroken\ttoo\n"));
    assert_int_equal(r->n, 1);
    assert_int_equal(r->skipped, 2);
    snc_rows__free(r);
    FAILS(SNC_E_FORMAT, "f.tsv: no rows", parse(&r, t, "dev", "f.tsv", "s1\ts2\tlabel\nbroken\n"));
    snc_task_close(t);
}

static void scores_are_finite_decimals(void **state)
{
    (void)state;
    snc_task *t = open_text("{\"name\":\"r\",\"files\":{\"train\":\"a\"},\"text_a\":\"s\",\"label\":\"y\",\"type\":\"regression\","
                            "\"metrics\":[\"pearson\"]}");
    snc_rows *r;
    static const char *const wrong[] = {"nan", "inf", "-inf", "1e999", "0x10", "3,5", "five", "", "1 ", "1e39", "--1", "1\t"};
    assert_int_equal(snc_task_classes(t), 1);
    for (size_t i = 0; i + 1 < sizeof wrong / sizeof *wrong; i++) {
        char text[64];
        snprintf(text, sizeof text, "y\ts\n1\ta\n%s\tb\n", wrong[i]);
        FAILS(SNC_E_FORMAT, "f:3: '", parse(&r, t, "train", "f", text));
    }
    OK(parse(&r, t, "train", "f", "y\ts\n5.000\ta\n-2.5e-1\tb\n.5\tc\n"));
    assert_true(r->row[0].target == 5.0f && r->row[1].target == -0.25f && r->row[2].target == 0.5f);
    snc_rows__free(r);
    snc_task_close(t);
}

static void jsonl_rows_read_keys(void **state)
{
    (void)state;
    snc_task *t = open_pair("");
    snc_rows *r;
    OK(parse(&r, t, "dev", "f.jsonl",
             "{\"s1\":\"a\\tb \\u00e9\",\"s2\":\"\",\"label\":\"yes\",\"other\":[1]}\r\n\n{\"first\":\"c\",\"s2\":\"d\",\"gold\":\"no\"}"));
    assert_int_equal(r->n, 2);
    assert_span(r->row[0].a, "a\tb \xc3\xa9");
    assert_span(r->row[0].b, "");
    assert_span(r->row[1].a, "c");
    assert_true(r->row[0].target == 1.0f && r->row[1].target == 0.0f && r->row[1].line == 3);
    snc_rows__free(r);
    static const char *const wrong[][2] = {
        {"{\"s1\":\"a\"", "f.jsonl:1: not valid JSON at byte 8"},
        {"{\"s1\":\"a\",\"s2\":\"b\",\"label\":\"no\"}{}", "f.jsonl:1: text after the JSON value at byte 32"},
        {"{\"s1\":\"a\",\"s2\":\"b\",\"label\":\"no\",\"s1\":\"c\"}", "f.jsonl:1: key 's1' appears twice"},
        {"[1]", "f.jsonl:1: expected a JSON object"},
        {"{\"s1\":\"a\",\"s2\":\"b\",\"label\":\"no\"}\n{\"s1\":\"a\",\"label\":\"no\"}",
         "f.jsonl:2: no key 's2'; the row has 's1', 'label'"},
        {"{\"s1\":5,\"s2\":\"b\",\"label\":\"no\"}", "f.jsonl:1: 's1' must be a string"},
        {"{\"s1\":\"a\",\"s2\":\"b\"}", "f.jsonl:1: no key 'label'"},
        {"{\"s1\":\"a\",\"s2\":\"b\",\"label\":null}", "f.jsonl:1: no key 'label'"},
        {"{\"s1\":\"a\",\"s2\":\"b\",\"label\":[0]}", "f.jsonl:1: 'label' must be a string or a number"},
        {"{\"s1\":\"a\",\"s2\":\"b\",\"label\":1}", "f.jsonl:1: label '1'"},
        {"{\"s1\":\"a\\u0000b\",\"s2\":\"b\",\"label\":\"no\"}", "f.jsonl:1: a NUL character"},
        {"\n\n", "f.jsonl: no rows"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) FAILS(SNC_E_FORMAT, wrong[i][1], parse(&r, t, "dev", "f.jsonl", wrong[i][0]));
    snc_task_close(t);
}

static void jsonl_labels_may_be_numbers(void **state)
{
    (void)state;
    snc_task *t = open_text("{\"name\":\"j\",\"format\":\"jsonl\",\"files\":{\"train\":\"a\"},\"text_a\":\"t\",\"label\":\"l\","
                            "\"labels\":[\"0\",\"1\",\"true\"],\"metrics\":[\"accuracy\"]}");
    snc_rows *r;
    OK(parse(&r, t, "train", "f", "{\"t\":\"a\",\"l\":1}\n{\"t\":\"b\",\"l\":\"0\"}\n{\"t\":\"c\",\"l\":true}\n"));
    assert_true(r->row[0].target == 1.0f && r->row[1].target == 0.0f && r->row[2].target == 2.0f);
    snc_rows__free(r);
    snc_task_close(t);
}

static void folder_or_files_are_both_found(void **state)
{
    (void)state;
    snc_task *t = open_pair("");
    snc_rows *r;
    write_text("data_rows_files/P", "train.jsonl", "{\"s1\":\"a\",\"s2\":\"b\",\"label\":\"yes\"}");
    OK(snc_rows__load(&r, t, "data_rows_files", "train"));
    assert_int_equal(r->n, 1);
    assert_span(r->row[0].a, "a");
    snc_rows__free(r);
    OK(snc_rows__load(&r, t, "data_rows_files/P", "train"));
    snc_rows__free(r);
    write_text("data_rows_files", "train.tsv", "s1\ts2\tlabel\nx\ty\tno\nx\tz\tno\n"); /* first of the list wins */
    OK(snc_rows__load(&r, t, "data_rows_files", "train"));
    assert_int_equal(r->n, 2);
    snc_rows__free(r);
    FAILS(SNC_E_NOTFOUND, "no dev file of task p (dev.tsv) in it or its folder P", snc_rows__load(&r, t, "data_rows_files", "dev"));
    FAILS(SNC_E_IO, "no such folder", snc_rows__load(&r, t, "data_rows_nowhere", "dev"));
    remove("data_rows_files/P/train.jsonl");
    remove("data_rows_files/train.tsv");
    remove("data_rows_files/P");
    remove("data_rows_files");
    snc_task_close(t);
}

static void unlabelled_text_has_the_task_s_shape(void **state)
{
    (void)state;
    snc_task *t = open_pair("");
    snc_rows *r;
    write_text("data_rows_text", "u.txt", "a b\tc\r\n\nd\t\n");
    OK(snc_rows__load_unlabeled(&r, t, "data_rows_text/u.txt"));
    assert_int_equal(r->n, 2);
    assert_span(r->row[0].b, "c");
    assert_span(r->row[1].b, "");
    assert_true(isnan(r->row[0].target) && r->row[1].line == 3);
    snc_rows__free(r);
    write_text("data_rows_text", "u.txt", "a\tb\nc\n");
    FAILS(SNC_E_FORMAT, "u.txt:2: expected two texts", snc_rows__load_unlabeled(&r, t, "data_rows_text/u.txt"));
    write_text("data_rows_text", "u.txt", "a\tb\tc\n");
    FAILS(SNC_E_FORMAT, "u.txt:1: more than one TAB", snc_rows__load_unlabeled(&r, t, "data_rows_text/u.txt"));
    write_text("data_rows_text", "u.txt", "\n");
    FAILS(SNC_E_FORMAT, "u.txt: no rows", snc_rows__load_unlabeled(&r, t, "data_rows_text/u.txt"));
    remove("data_rows_text/u.txt");
    remove("data_rows_text");
    snc_task_close(t);
}

static void sets_of_labels_are_numbered(void **state)
{
    (void)state;
    snc_task *t = open_text("{\"name\":\"m\",\"format\":\"auto\",\"files\":{\"train\":[\"a.tsv\",\"a.jsonl\"],\"test\":\"t.jsonl\"},\"text_"
                            "a\":\"s\",\"label\":\"y\",\"type\":\"multilabel\","
                            "\"label_separator\":\";\",\"labels\":[\"x\",\"y\",\"7\"],\"metrics\":[\"micro_f1\"]}");
    static const char tsv[] = "s\ty\na\tx\nb\t\nc\ty ; x\nd\tx;y\ne\t7\n";
    static const char json[] = "{\"s\":\"a\",\"y\":[\"x\"]}\n{\"s\":\"b\",\"y\":[]}\n{\"s\":\"c\",\"y\":[\"y\",\"x\",\"y\"]}\n{\"s\":\"d\","
                               "\"y\":\"x; y\"}\n{\"s\":\"e\",\"y\":[7]}\n";
    static const uint8_t has[] = {1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1};
    for (int form = 0; form < 2; form++) {
        snc_rows *r;
        OK(parse(&r, t, "train", form ? "a.jsonl" : "a.tsv", form ? json : tsv));
        assert_int_equal(r->n, 5);
        assert_int_equal(r->sets->n, 4);
        assert_memory_equal(r->sets->has, has, sizeof has);
        const float numbers[] = {0, 1, 2, 2, 3};
        for (int i = 0; i < 5; i++) assert_true(r->row[i].target == numbers[i]);
        snc_rows__free(r);
    }
    snc_rows *r = NULL;
    OK(parse(&r, t, "test", "t.jsonl", "{\"s\":\"a\"}\n"));
    assert_true(isnan((double)r->row[0].target));
    snc_rows__free(r);
    FAILS(SNC_E_FORMAT, "a.tsv:2: label 'z' is not one of the task's 3", parse(&r, t, "train", "a.tsv", "s\ty\na\tx;z\n"));
    FAILS(SNC_E_FORMAT, "a.tsv:2: an empty label in a list of labels", parse(&r, t, "train", "a.tsv", "s\ty\na\tx;\n"));
    FAILS(SNC_E_FORMAT, "a.jsonl:1: 'y' must be a string or a number, or a list of those",
          parse(&r, t, "train", "a.jsonl", "{\"s\":\"a\",\"y\":[null]}\n"));
    FAILS(SNC_E_FORMAT, "every row has an empty list of labels", parse(&r, t, "train", "a.jsonl", "{\"s\":\"a\",\"y\":[]}\n"));
    snc_task_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_of_labels_are_numbered),
        cmocka_unit_test(columns_are_found_by_header_name),
        cmocka_unit_test(headerless_files_use_indices),
        cmocka_unit_test(csv_quotes_are_undone),
        cmocka_unit_test(tsv_quotes_are_undone_where_a_text_needs_them),
        cmocka_unit_test(a_list_of_objects_is_read),
        cmocka_unit_test(wrong_rows_are_named_by_line),
        cmocka_unit_test(short_rows_are_skipped_on_request),
        cmocka_unit_test(scores_are_finite_decimals),
        cmocka_unit_test(jsonl_rows_read_keys),
        cmocka_unit_test(jsonl_labels_may_be_numbers),
        cmocka_unit_test(folder_or_files_are_both_found),
        cmocka_unit_test(unlabelled_text_has_the_task_s_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
