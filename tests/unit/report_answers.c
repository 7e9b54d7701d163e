/* Answers of models as a file: what is written is read back, what others hand in is taken, and nothing else is. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "files.h"
#include "report/answers_file.h"

static scratch dir;

static int setup(void **state)
{
    (void)state;
    scratch_init(&dir, "report_answers");
    return 0;
}

static snc_task *task_of(const char *kind)
{
    char text[512];
    snc_task *t = NULL;
    snprintf(text, sizeof text, "{\"name\":\"x\",\"files\":{\"dev\":\"dev.tsv\"},\"text_a\":\"a\",\"label\":\"b\",%s}", kind);
    assert_int_equal(snc_task_open(&t, scratch_write(&dir, "task.json", text, strlen(text))), SNC_OK);
    return t;
}

static const char *const CLASSES = "\"labels\":[\"0\",\"1\",\"2\"],\"label_names\":[\"bad\",\"so so\",\"good\"],\"metrics\":[\"accuracy\"]";

static void classes_are_read_back_by_either_name(void **state)
{
    float target[] = {0, 1, 2}, one[] = {3, 1, 2, 0, 0, 1, -1, 5, 4}, other[] = {0, 1, 0, 1, 0, 0, 0, 0, 1}, z[9];
    const snc_dataset d = {.n = 3, .target = target};
    const snc_answer_column c[] = {{"file", one}, {"full INT8", other}};
    snc_task *t = task_of(CLASSES);
    char path[512];
    size_t n;
    char *text;
    (void)state;
    assert_int_equal(snc_answers_write(dir.dir, t, &d, 3, c, 2), SNC_OK);
    snprintf(path, sizeof path, "%s/answers.tsv", dir.dir);
    assert_int_equal(snc_file_read(&text, &n, path), SNC_OK);
    assert_string_equal(text, "index\tlabel\tfile\tfull INT8\n0\tbad\tbad\tso so\n1\tso so\tgood\tbad\n2\tgood\tso so\tgood\n");
    snc_free(text);
    assert_int_equal(snc_answers_read(z, path, "file", t, &d), SNC_OK);
    assert_memory_equal(z, ((float[]){1, 0, 0, 0, 0, 1, 0, 1, 0}), sizeof z);
    assert_int_equal(snc_answers_read(z, path, "full INT8", t, &d), SNC_OK);
    assert_memory_equal(z, other, sizeof z);
    assert_fails(snc_answers_read(z, path, "none", t, &d), SNC_E_FORMAT, "no column 'none'");
    static const char *const same[] = {"index\tprediction\n2\t1\n0\t0\n1\t2\n", "0\tbad\r\n1\tgood\r\n2\tso so\r\n",
                                       "\357\273\2770\n2\n1\n", /* behind a byte order mark */
                                       "prediction\nbad\ngood\nso so", "id\tanswer\tscore\n0\t0\t.5\n\n1\t2\t.1\n2\t1\t.2\n"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_int_equal(snc_answers_read(z, scratch_write(&dir, "a.tsv", same[i], strlen(same[i])), NULL, t, &d), SNC_OK);
        assert_memory_equal(z, ((float[]){1, 0, 0, 0, 0, 1, 0, 1, 0}), sizeof z);
    }
    snc_task_close(t);
}

static void what_does_not_fit_is_named_by_its_line(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {{"index\tprediction\n0\t1\n1\t2\n", "2 answers, and x has 3 dev rows"},
               {"", "0 answers"},
               {"0\n1\n2\n2\n", "4 answers"},
               {"index\tprediction\n0\t1\n1\t3\n2\t2\n", ":3: '3' is no label of x (bad, so so, good)"},
               {"0\t1\n1\t1\n1\t2\n", ":3: index 1 stands there twice"},
               {"0\t1\n1\t1\n3\t2\n", ":3: index 3, and the 3 dev rows of x are 0 to 2"},
               {"0\t1\n-1\t1\n2\t2\n", ":2: index -1"},
               {"0\t1\nb\t1\n2\t2\n", ":2: expected index TAB prediction"},
               {"0\t1\n1\n2\t2\n", ":2: expected index TAB prediction"},
               {"0\n\n1\n", "2 answers"}};
    float target[3] = {0}, z[9];
    const snc_dataset d = {.n = 3, .target = target};
    snc_task *t = task_of(CLASSES);
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(snc_answers_read(z, scratch_write(&dir, "a.tsv", bad[i].text, strlen(bad[i].text)), NULL, t, &d), SNC_E_FORMAT,
                     bad[i].why);
    snc_task_close(t);
}

static void values_keep_their_bits(void **state)
{
    float target[] = {0, 5}, one[] = {1.0F / 3, -7.25e-9F}, z[2];
    const snc_dataset d = {.n = 2, .target = target};
    const snc_answer_column c = {"file", one};
    snc_task *t = task_of("\"type\":\"regression\",\"metrics\":[\"pearson\"]");
    char path[512];
    (void)state;
    assert_int_equal(snc_answers_write(dir.dir, t, &d, 1, &c, 1), SNC_OK);
    snprintf(path, sizeof path, "%s/answers.tsv", dir.dir);
    assert_int_equal(snc_answers_read(z, path, "file", t, &d), SNC_OK);
    assert_memory_equal(z, one, sizeof z);
    assert_fails(snc_answers_read(z, scratch_write(&dir, "a.tsv", "1\nhigh\n", 7), NULL, t, &d), SNC_E_FORMAT,
                 ":2: 'high': expected a number");
    assert_fails(snc_answers_read(z, scratch_write(&dir, "a.tsv", "1\nnan\n", 6), NULL, t, &d), SNC_E_FORMAT,
                 ":2: 'nan': expected a number");
    snc_task_close(t);
}

static void sets_of_labels_may_be_empty(void **state)
{
    float target[2], one[] = {2, -1, 1, -1, -2, -3}, z[6];
    snc_sets *sets = NULL;
    int number;
    (void)state;
    assert_int_equal(snc_sets_new(&sets, 3), SNC_OK);
    assert_int_equal(snc_sets_number(&number, sets, (const uint8_t[]){0, 1, 1}), SNC_OK);
    target[0] = target[1] = (float)number;
    const snc_dataset d = {.n = 2, .target = target, .sets = sets};
    const snc_answer_column c = {"file", one};
    snc_task *t = task_of("\"type\":\"multilabel\",\"label_separator\":\";\",\"labels\":[\"a\",\"b, c\",\"d\"],\"metrics\":[\"micro_f1\"]");
    char path[512];
    assert_int_equal(snc_answers_write(dir.dir, t, &d, 3, &c, 1), SNC_OK);
    snprintf(path, sizeof path, "%s/answers.tsv", dir.dir);
    assert_int_equal(snc_answers_read(z, path, "file", t, &d), SNC_OK);
    assert_memory_equal(z, ((float[]){1, -1, 1, -1, -1, -1}), sizeof z);
    assert_int_equal(snc_answers_read(z, path, "label", t, &d), SNC_OK);
    assert_memory_equal(z, ((float[]){-1, 1, 1, -1, 1, 1}), sizeof z);
    assert_int_equal(snc_answers_read(z, scratch_write(&dir, "a.tsv", "a;d\n\n", 5), NULL, t, &d), SNC_OK);
    assert_memory_equal(z, ((float[]){1, -1, 1, -1, -1, -1}), sizeof z);
    assert_fails(snc_answers_read(z, scratch_write(&dir, "a.tsv", "a;e\n\n", 5), NULL, t, &d), SNC_E_FORMAT, ":1: 'e' is no label");
    snc_task_close(t);
    snc_sets_free(sets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_read_back_by_either_name),
        cmocka_unit_test(what_does_not_fit_is_named_by_its_line),
        cmocka_unit_test(values_keep_their_bits),
        cmocka_unit_test(sets_of_labels_may_be_empty),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
