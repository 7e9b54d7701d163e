/* Task files: the shipped ones say what GLUE says, wrong fields are named, labels and pairs are discovered. */
#include "unit/data_support.h"

#include "base/ctx.h"
#include "data/task.h"

static snc_err parse(snc_task **t, const char *text) { return snc_task_parse(t, text, strlen(text), "task.json"); }

/* A good task with one member of it replaced or added. */
static const char *with(const char *key, const char *value)
{
    static char text[2048];
    static const char *const members[][2] = {{"name", "\"t\""},           {"files", "{\"train\":\"a.tsv\",\"dev\":\"b.tsv\"}"},
                                             {"text_a", "\"text\""},      {"label", "\"label\""},
                                             {"labels", "[\"x\",\"y\"]"}, {"metrics", "[\"accuracy\"]"}};
    size_t at = 0;
    int found = 0;
    at += (size_t)snprintf(text, sizeof text, "{");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        int same = strcmp(members[i][0], key) == 0;
        const char *v = same ? value : members[i][1];
        found |= same;
        if (v) at += (size_t)snprintf(text + at, sizeof text - at, "%s\"%s\":%s", at > 1 ? "," : "", members[i][0], v);
    }
    if (!found && value) at += (size_t)snprintf(text + at, sizeof text - at, ",\"%s\":%s", key, value);
    snprintf(text + at, sizeof text - at, "}");
    return text;
}

static void shipped_tasks_say_what_glue_says(void **state)
{
    (void)state;
    static const struct {
        const char *name, *label0, *metrics;
        int classes, pair;
    } tasks[] = {{"sst2", "negative", "accuracy", 2, 0},        {"mrpc", "not_equivalent", "f1 accuracy", 2, 1},
                 {"cola", "unacceptable", "matthews", 2, 0},    {"rte", "entailment", "accuracy", 2, 1},
                 {"stsb", NULL, "pearson spearman", 1, 1},      {"wnli", "not_entailment", "accuracy", 2, 1},
                 {"qnli", "entailment", "accuracy", 2, 1},      {"mnli", "entailment", "accuracy", 3, 1},
                 {"qqp", "not_duplicate", "f1 accuracy", 2, 1}, {"custom", NULL, "accuracy", 0, 0},
                 {"custom-pair", NULL, "accuracy", 0, 1},       {"custom-multilabel", NULL, "micro_f1 macro_f1", 0, 0}};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        char path[512], metrics[64] = "";
        snc_task *t;
        snprintf(path, sizeof path, SNC_ROOT_DIR "/configs/tasks/%s.json", tasks[i].name);
        OK(snc_task_open(&t, path));
        assert_string_equal(snc_task_name(t), tasks[i].name);
        assert_int_equal(snc_task_classes(t), tasks[i].classes);
        assert_int_equal(snc_task_pair(t), tasks[i].pair);
        assert_int_equal(snc_task_max_length(t), 128);
        assert_int_equal(snc_task_regression(t), tasks[i].classes == 1);
        assert_string_equal(snc_task_split(t, 0), "train");
        if (tasks[i].label0) assert_string_equal(snc_task_label(t, 0), tasks[i].label0);
        else assert_null(snc_task_label(t, 0));
        assert_null(snc_task_label(t, tasks[i].classes));
        for (int k = 0; k < snc_task_metrics(t); k++) {
            strcat(metrics, k ? " " : "");
            strcat(metrics, snc_task_metric(t, k));
        }
        assert_string_equal(metrics, tasks[i].metrics);
        snc_task_close(t);
    }
}

static void name_is_found_through_the_working_folder(void **state)
{
    (void)state;
    snc_task *t;
    write_text("configs/tasks", "data_task_here.json", with("name", "\"here\""));
    OK(snc_task_open(&t, "data_task_here"));
    assert_string_equal(snc_task_name(t), "here");
    snc_task_close(t);
    remove("configs/tasks/data_task_here.json");
    FAILS(SNC_E_NOTFOUND, "task 'data_task_here'", snc_task_open(&t, "data_task_here"));
    FAILS(SNC_E_IO, "data_task_here.json", snc_task_open(&t, "data_task_here.json"));
    FAILS(SNC_E_ARG, "expected a name", snc_task_open(&t, ""));
}

static void effective_json_is_the_same_task(void **state)
{
    (void)state;
    snc_task *t, *u, *v;
    char *json;
    OK(parse(&t, with("header", "{\"train\":true,\"dev\":true}")));
    OK(snc_task_json(&json, t));
    OK(parse(&u, json));
    OK(parse(&v, with("max_length", "64")));
    assert_true(snc_task_hash(t) == snc_task_hash(u));
    assert_true(snc_task_hash(t) != snc_task_hash(v));
    snc_free(json);
    snc_task_close(t);
    snc_task_close(u);
    snc_task_close(v);
    snc_task_close(NULL);
}

static void wrong_fields_are_named(void **state)
{
    (void)state;
    static const char *const wrong[][3] = {
        {"nmae", "1", "unknown key 'nmae'"},
        {"name", NULL, "'name'"},
        {"name", "\"a/b\"", "'name'"},
        {"name", "7", "'name' must be a string"},
        {"files", NULL, "'files'"},
        {"files", "{}", "'files'"},
        {"files", "{\"train\":7}", "'train' must be a string or a list"},
        {"files", "{\"train\":[]}", "'train' must be a string or a list"},
        {"files", "{\"train\":[\"\"]}", "not empty"},
        {"files", "{\"train\":\"a\",\"train\":\"b\"}", "key 'train' appears twice"},
        {"format", "\"xml\"", "'format' must be"},
        {"type", "\"ranking\"", "'type' must be"},
        {"type", "\"regression\"", "'labels' make no sense"},
        {"header", "1", "'header' must be true or false"},
        {"header", "{\"train\":true}", "'header' must have the keys"},
        {"header", "{\"train\":true,\"test\":true}", "'header' must say"},
        {"header", "false", "'text_a' needs an index: the train file"},
        {"text_a", NULL, "'text_a' is missing"},
        {"text_a", "[]", "'text_a' names no column"},
        {"text_a", "[1.5]", "'text_a' must be a column name"},
        {"text_a", "-2", "'text_a' must be a column name"},
        {"text_b", "null", "'text_b' must be a column name"},
        {"label", NULL, "'label' is missing"},
        {"labels", NULL, "'labels' must be a list"},
        {"labels", "\"x\"", "'labels' must be a list"},
        {"labels", "[\"x\"]", "one label, 'x', expected 2"},
        {"labels", "[\"x\",\"x\"]", "'labels' holds 'x' twice"},
        {"labels", "[\"x\",1]", "'labels' must hold strings"},
        {"label_names", "[\"x\"]", "1 'label_names' for 2"},
        {"metrics", NULL, "'metrics' must be a list"},
        {"labels", "[]", "'labels' is an empty list, expected 2 to 1000, or \"auto\""},
        {"quoting", "\"rfc\"", "'quoting' must be"},
        {"pair", "\"auto\"", "'pair' can only be"},
        {"metrics", "[]", "'metrics' must be"},
        {"metrics", "[\"bleu\"]", "'bleu', expected accuracy"},
        {"metrics", "[\"pearson\"]", "'pearson', expected accuracy"},
        {"metrics", "[\"accuracy\",\"accuracy\"]", "twice"},
        {"max_length", "4", "'max_length' must be a whole number from 8 to 8192"},
        {"skip_short_rows", "\"yes\"", "'skip_short_rows' must be true or false"},
        {"phrases", "1", "'phrases' must be true or false"},
    };
    snc_task *t;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) FAILS(SNC_E_FORMAT, wrong[i][2], parse(&t, with(wrong[i][0], wrong[i][1])));
    FAILS(SNC_E_FORMAT, "task.json: not valid JSON", parse(&t, "{"));
    FAILS(SNC_E_FORMAT, "expected a JSON object", parse(&t, "[]"));
}

static const char auto_task[] = "{\"name\":\"t\",\"files\":{\"train\":\"train.tsv\",\"dev\":\"dev.tsv\"},\"text_a\":\"text\","
                                "\"label\":\"label\",\"labels\":\"auto\",\"metrics\":[\"%s\"]}";

static snc_task *open_auto(const char *metric)
{
    char text[512];
    snc_task *t = NULL;
    snprintf(text, sizeof text, auto_task, metric);
    OK(parse(&t, text));
    return t;
}

static void labels_are_discovered_in_order(void **state)
{
    (void)state;
    static const char folder[] = "data_task_files";
    snc_task *t = open_auto("accuracy");
    uint64_t before = snc_task_hash(t);
    write_text(folder, "train.tsv", "text\tlabel\na\tzebra\nb\tant\nc\tzebra\nd\tcat\n");
    OK(snc_task_discover(t, folder));
    assert_int_equal(snc_task_classes(t), 3);
    assert_string_equal(snc_task_label(t, 0), "ant");
    assert_string_equal(snc_task_label(t, 2), "zebra");
    assert_true(snc_task_hash(t) != before);
    static const char *const others[] = {"p", "q"};
    OK(snc_task_set_labels(t, others, 2)); /* labels are known: nothing happens */
    assert_int_equal(snc_task_classes(t), 3);
    snc_task_close(t);

    write_text(folder, "train.tsv", "text\tlabel\na\t10\nb\t9\nc\t-1\n");
    t = open_auto("accuracy");
    OK(snc_task_discover(t, folder));
    assert_string_equal(snc_task_label(t, 0), "-1");
    assert_string_equal(snc_task_label(t, 1), "9");
    assert_string_equal(snc_task_label(t, 2), "10");
    snc_task_close(t);

    t = open_auto("f1");
    FAILS(SNC_E_FORMAT, "f1 is for two labels, there are 3", snc_task_discover(t, folder));
    assert_int_equal(snc_task_classes(t), 0);
    OK(snc_task_set_labels(t, others, 2));
    assert_string_equal(snc_task_label(t, 1), "q");
    snc_task_close(t);

    t = open_auto("accuracy");
    write_text(folder, "train.tsv", "text\tlabel\na\tx\nb\tx\n");
    FAILS(SNC_E_FORMAT, "train.tsv: one label, 'x', expected 2", snc_task_discover(t, folder));
    write_text(folder, "train.tsv", "text\tlabel\na\tx\nb\t\n");
    FAILS(SNC_E_FORMAT, "train.tsv:3: an empty label", snc_task_discover(t, folder));
    remove("data_task_files/train.tsv");
    FAILS(SNC_E_NOTFOUND, "no train file of task t (train.tsv)", snc_task_discover(t, folder));
    FAILS(SNC_E_IO, "data_task_nowhere: no such folder", snc_task_discover(t, "data_task_nowhere"));
    remove(folder);
    snc_task_close(t);
}

static void pairs_are_discovered_and_columns_replaced(void **state)
{
    (void)state;
    static const char folder[] = "data_task_pairs";
    static const char text[] = "{\"name\":\"t\",\"format\":\"auto\",\"files\":{\"train\":[\"train.tsv\",\"train.jsonl\"]},\"text_a\":["
                               "\"text\",\"a\"],\"text_b\":\"b\","
                               "\"pair\":\"auto\",\"label\":\"label\",\"labels\":[\"x\",\"y\"],\"metrics\":[\"accuracy\"]}";
    static const struct {
        const char *name, *rows;
        bool pair;
    } files[] = {{"train.tsv", "text\tlabel\np\tx\n", false},
                 {"train.tsv", "a\tB \tlabel\np\tq\tx\n", true},
                 {"train.jsonl", "{\"text\":\"p\",\"label\":\"x\"}\n", false},
                 {"train.jsonl", "{\"a\":\"p\",\"b\":\"q\",\"label\":\"x\"}\n", true}};
    snc_task *t, *again;
    char *json;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        OK(parse(&t, text));
        assert_false(snc_task_pair(t));
        OK(snc_task_json(&json, t));
        OK(parse(&again, json));
        assert_true(snc_task_hash(again) == snc_task_hash(t));
        snc_free(json);
        snc_task_close(again);
        write_text(folder, files[i].name, files[i].rows);
        OK(snc_task_discover(t, folder));
        assert_int_equal(snc_task_pair(t), files[i].pair);
        OK(snc_task_json(&json, t)); /* what was found out is part of it */
        OK(parse(&again, json));
        assert_int_equal(snc_task_pair(again), files[i].pair);
        snc_free(json);
        snc_task_close(again);
        uint64_t before = snc_task_hash(t);
        OK(snc_task_set_columns(t, NULL, NULL, NULL));
        assert_true(snc_task_hash(t) == before);
        OK(snc_task_set_columns(t, "one", NULL, "three"));
        assert_false(snc_task_pair(t));
        OK(snc_task_set_columns(t, "one", "two", NULL));
        assert_true(snc_task_pair(t) && snc_task_hash(t) != before);
        snc_task_close(t);
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        remove(path);
    }
    OK(parse(&t, text));
    OK(snc_task_set_quoting(t, "none"));
    OK(snc_task_json(&json, t));
    OK(parse(&again, json));
    assert_true(snc_task_hash(again) == snc_task_hash(t));
    FAILS(SNC_E_ARG, "--quoting 'maybe': expected auto, none or csv", snc_task_set_quoting(t, "maybe"));
    snc_free(json);
    snc_task_close(again);
    snc_task_close(t);
    remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_tasks_say_what_glue_says), cmocka_unit_test(name_is_found_through_the_working_folder),
        cmocka_unit_test(effective_json_is_the_same_task),  cmocka_unit_test(wrong_fields_are_named),
        cmocka_unit_test(labels_are_discovered_in_order),   cmocka_unit_test(pairs_are_discovered_and_columns_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
