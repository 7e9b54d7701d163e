/* Row and label counts of the real GLUE files, and the splits carved from them. Skipped where ../shared/glue is absent. */
#include "unit/data_support.h"

#include "base/clock.h"
#include "data/contain_priv.h"
#include "data/splits_priv.h"

#define GLUE SNC_ROOT_DIR "/../shared/glue"

static snc_task *open_task(const char *name)
{
    char path[512];
    snc_task *t = NULL;
    snprintf(path, sizeof path, SNC_ROOT_DIR "/configs/tasks/%s.json", name);
    OK(snc_task_open(&t, path));
    return t;
}

static const struct counts {
    const char *task, *split;
    int rows, label[3]; /* label[0] -1: no labels in the file */
    double mean;        /* of a regression */
} files[] = {
    {"sst2", "train", 67349, {29780, 37569, 0}, 0}, {"sst2", "dev", 872, {428, 444, 0}, 0},  {"sst2", "test", 1821, {-1, 0, 0}, 0},
    {"mrpc", "train", 3668, {1194, 2474, 0}, 0},    {"mrpc", "dev", 408, {129, 279, 0}, 0},  {"mrpc", "test", 1725, {-1, 0, 0}, 0},
    {"cola", "train", 8551, {2528, 6023, 0}, 0},    {"cola", "dev", 1043, {322, 721, 0}, 0}, {"cola", "test", 1063, {-1, 0, 0}, 0},
    {"rte", "train", 2490, {1249, 1241, 0}, 0},     {"rte", "dev", 277, {146, 131, 0}, 0},   {"rte", "test", 3000, {-1, 0, 0}, 0},
    {"stsb", "train", 5749, {0, 0, 0}, 2.701},      {"stsb", "dev", 1500, {0, 0, 0}, 2.364}, {"stsb", "test", 1379, {-1, 0, 0}, 0},
    {"wnli", "train", 635, {323, 312, 0}, 0},       {"wnli", "dev", 71, {40, 31, 0}, 0},     {"wnli", "test", 146, {-1, 0, 0}, 0},
    {"qnli", "dev", 5463, {2702, 2761, 0}, 0},      {"qnli", "test", 5463, {-1, 0, 0}, 0},   {"mnli", "dev", 1000, {373, 311, 316}, 0},
    {"mnli", "dev_mm", 1000, {346, 319, 335}, 0},
};

static void files_hold_the_rows_and_labels_of_the_table(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        const struct counts *c = &files[f];
        snc_task *t = open_task(c->task);
        snc_rows *r;
        OK(snc_rows__load(&r, t, GLUE, c->split));
        assert_int_equal(r->n, c->rows);
        assert_int_equal(r->skipped, 0);
        int label[3] = {0};
        double sum = 0;
        for (int i = 0; i < r->n; i++) {
            assert_true(r->row[i].a.p && (r->row[i].b.p != NULL) == snc_task_pair(t));
            if (c->label[0] < 0) assert_true(isnan(r->row[i].target));
            else if (snc_task_regression(t)) sum += (double)r->row[i].target;
            else label[(int)r->row[i].target]++;
        }
        if (snc_task_regression(t)) {
            if (c->mean > 0) assert_true(fabs(sum / r->n - c->mean) < 5e-4);
        } else if (c->label[0] >= 0) {
            assert_memory_equal(label, c->label, sizeof label);
        }
        snc_rows__free(r);
        snc_task_close(t);
    }
}

static int hold_out_of(int rows) { return rows / 10 > 1000 ? 1000 : rows / 10 < 50 ? 50 : rows / 10; }

static void held_out_rows_share_no_text_with_train(void **state)
{
    (void)state;
    static const char *const tasks[] = {"sst2", "mrpc", "cola", "rte", "stsb", "wnli"};
    for (size_t k = 0; k < sizeof tasks / sizeof *tasks; k++) {
        snc_task *t = open_task(tasks[k]);
        snc_rows *r;
        snc_carve c;
        OK(snc_rows__load(&r, t, GLUE, "train"));
        double start = snc_now();
        OK(snc_carve__make(&c, r, NULL, t->phrases, 42));
        printf("%s: train %d, rank %d, select %d, removed %d, %.3f s\n", tasks[k], c.n_train, c.n_rank, c.n_select, c.removed,
               snc_now() - start);
        int want = hold_out_of(r->n);
        assert_int_equal(c.n_rank, want);
        assert_int_equal(c.n_select, want);
        assert_int_equal(c.n_train + c.n_rank + c.n_select + c.removed, r->n);

        /* Looked up the other way round: no held-out row lies in a row of another part, no train row in a held-out one. */
        snc_contain *in;
        int32_t *held;
        OK(snc_contain__new(&in));
        OK(snc_contain__add(in, r->row, r->n));
        OK(snc_contain__index(in, c.train, c.n_train));
        for (int i = 0; i < want; i++) {
            assert_false(snc_contain__in(in, c.rank[i], false));
            assert_false(snc_contain__in(in, c.select[i], false));
            if (t->phrases) assert_true(snc_contain__words(in, c.rank[i]) >= 8 && snc_contain__words(in, c.select[i]) >= 8);
        }
        OK(snc_alloc(&held, 2 * (size_t)want, sizeof *held));
        memcpy(held, c.rank, (size_t)want * sizeof *held);
        memcpy(held + want, c.select, (size_t)want * sizeof *held);
        OK(snc_contain__index(in, held, 2 * want));
        for (int i = 0; i < 2 * want; i++) assert_false(snc_contain__in(in, held[i], false));
        for (int i = 0; i < c.n_train; i++) assert_false(snc_contain__in(in, c.train[i], false));
        snc_free(held);
        snc_contain__free(in);
        snc_carve__dispose(&c);
        snc_rows__free(r);
        snc_task_close(t);
    }
}

int main(void)
{
    if (!snc_is_file(GLUE "/SST-2/train.tsv")) {
        puts("skipped: no ../shared/glue");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_hold_the_rows_and_labels_of_the_table),
        cmocka_unit_test(held_out_rows_share_no_text_with_train),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
