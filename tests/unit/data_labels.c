/* Spellings of one label are one class, and said; labels that a task lists are taken as they are. */
#include "unit/data_support.h"

#include "data/labels_priv.h"

static snc_span span(const char *s) { return (snc_span){s, strlen(s)}; }

static void assert_fold(snc_arena *arena, const char *label, const char *folded)
{
    snc_span s;
    OK(snc_label__fold(&s, arena, span(label)));
    if (s.n != strlen(folded) || memcmp(s.p, folded, s.n) != 0)
        fail_msg("'%s' folds to '%.*s', expected '%s'", label, (int)s.n, s.p, folded);
}

static void spellings_of_one_label_fold_alike(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"Positive", "positive"},
        {" positive\t", "positive"},
        {"\"positive\"", "positive"},
        {"\" Positive \"", "positive"},
        {"\xc2\xa0positive\xc2\xa0", "positive"},
        {"very \t good", "very good"},
        {"1.0", "1"},
        {"-1.00", "-1"},
        {"10", "10"},
        {"1.05", "1.05"},
        {".0", ".0"},
        {"-.0", "-.0"},
        {"v1.0", "v1.0"},
        {"\"", "\""},
        {"\"\"", ""},
        {" ", ""},
        {"", ""},
        {"n\xc3\xa9g", "n\xc3\xa9g"},
        {"a\"b", "a\"b"},
        {"01", "01"},
        {"x\xc2", "x\xc2"},
    };
    snc_arena *arena;
    OK(snc_arena_new(&arena));
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) assert_fold(arena, pairs[i][0], pairs[i][1]);
    snc_arena_free(arena);
}

static snc_task *open_task(const char *labels)
{
    char text[512];
    snc_task *t = NULL;
    snprintf(text, sizeof text,
             "{\"name\":\"t\",\"format\":\"auto\",\"files\":{\"train\":\"train.csv\",\"dev\":\"dev.csv\"},\"text_a\":\"text\",\"label\":"
             "\"label\",\"labels\":%s,"
             "\"metrics\":[\"accuracy\"]}",
             labels);
    OK(snc_task_parse(&t, text, strlen(text), "task.json"));
    return t;
}

static const char *warning(const snc_rows *r, const char *name)
{
    const cJSON *w;
    cJSON_ArrayForEach(w, cJSON_GetObjectItemCaseSensitive(
                              r->source, "warnings")) if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(w, "name")), name) ==
                                                          0) return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(w, "text"));
    return NULL;
}

/* Six spellings, three classes, each called as most rows call it; said by name. */
static void a_messy_file_has_the_classes_it_means(void **state)
{
    (void)state;
    static const char folder[] = "data_labels_files";
    snc_task *t = open_task("\"auto\"");
    snc_rows *r;
    write_text(folder, "train.csv", "text,label\na,Good\nb,Good\nc,good \nd,BAD\ne,bad\nf,bad\ng,so  so\nh, So So\ni,so  so\n");
    OK(snc_task_discover(t, folder));
    assert_int_equal(snc_task_classes(t), 3);
    assert_string_equal(snc_task_label(t, 0), "Good");
    assert_string_equal(snc_task_label(t, 1), "bad");
    assert_string_equal(snc_task_label(t, 2), "so  so");
    OK(snc_rows__load(&r, t, folder, "train"));
    for (int i = 0; i < 9; i++) assert_true(r->row[i].target == (float)(i / 3));
    assert_non_null(strstr(warning(r, "labels-alike"), "'good ' (1) is 'Good', 'BAD' (1) is 'bad', ' So So' (1) is 'so  so'"));
    snc_rows__free(r);
    write_text(folder, "train.csv", "text,label\na,Good\nb,\" \"\n");
    snc_task_close(t);
    t = open_task("\"auto\"");
    FAILS(SNC_E_FORMAT, "train.csv:3: an empty label", snc_task_discover(t, folder));
    remove("data_labels_files/train.csv");
    remove(folder);
    snc_task_close(t);
}

static snc_err parse(snc_rows **r, const snc_task *t, const char *text)
{
    return snc_rows__parse(r, t, "dev", "f.csv", text, strlen(text));
}

/* A list says what is a class of its own. */
static void listed_labels_are_taken_as_they_are(void **state)
{
    (void)state;
    snc_task *t = open_task("[\"a\",\"A\",\"b\"]");
    snc_rows *r;
    OK(parse(&r, t, "text,label,more\nx,A,1\ny,a,2\nz,B ,3\n"));
    assert_true(r->row[0].target == 1.0f && r->row[1].target == 0.0f && r->row[2].target == 2.0f);
    assert_non_null(strstr(warning(r, "labels-alike"), "'B ' (1) is 'b'"));
    assert_null(warning(r, "quoted-texts"));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(r->source, "ignored"), 0)), "more");
    snc_rows__free(r);
    FAILS(SNC_E_FORMAT, "f.csv:2: label ' a' is not one of the task's 3", parse(&r, t, "text,label\nx, a\n"));
    OK(snc_task_set_quoting(t, "none"));
    OK(parse(&r, t, "text,label,Text_B\n\"x\",a,p\n\"y\",b,q\n"));
    assert_null(warning(r, "labels-alike"));
    assert_non_null(warning(r, "quoted-texts"));
    assert_non_null(strstr(warning(r, "second-text-ignored"), "column 'Text_B' is not read"));
    snc_rows__free(r);
    snc_task_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(spellings_of_one_label_fold_alike),
                                       cmocka_unit_test(a_messy_file_has_the_classes_it_means),
                                       cmocka_unit_test(listed_labels_are_taken_as_they_are)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
