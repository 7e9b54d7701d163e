/* What distillation learns from: the mean of what several teachers say of each row. */
#include "artifact/distillation.h"

#include <math.h>
#include <stdio.h>

#include "artifact/option.h"
#include "base/mem.h"
#include "unit/data_support.h"
#include "unit/train_toy.h"

static const char folder[] = "artifact_distillation_files";
static const char task_text[] = "{\"name\":\"t\",\"files\":{\"train\":\"train.tsv\",\"dev\":\"dev.tsv\"},\"text_a\":\"a\","
                                "\"label\":\"y\",\"labels\":[\"n\",\"p\"],\"metrics\":[\"accuracy\"],\"max_length\":32}";

static void several_teachers_are_averaged(void **state)
{
    (void)state;
    static const char *const names[] = {"a.snc", "b.snc", "c.snc"};
    char path[3][512];
    float *z[3];
    snc_options o = snc_options_defaults;
    snc_inputs in = {0};
    snc_teachers teachers = {.n = 3};
    snc_distillation_set set = {0}, one = {0};
    assert_int_equal(toy_set_up(state), 0);
    o.supernet.augment = 0;
    o.exporting.repair_epochs = 1;
    OK(snc_task_parse(&in.task, task_text, strlen(task_text), "task.json"));
    OK(snc_mkdir(folder));
    for (int k = 0; k < 3; k++) {
        snc_model *m = model(11 + (uint64_t)k);
        OK(snc_path_join(path[k], sizeof path[k], folder, names[k]));
        OK(snc_model_save(m, path[k]));
        OK(snc_train_sweep(&z[k], &ctx, m, SNC_COMPUTE_F32, &data.d, NULL, "test"));
        teachers.path[k] = path[k];
        snc_model_free(m);
    }
    OK(snc_distillation_average(&set, &ctx, &in, &data.d, &o, &teachers, SNC_COMPUTE_F32));
    teachers.n = 1;
    OK(snc_distillation_average(&one, &ctx, &in, &data.d, &o, &teachers, SNC_COMPUTE_F32));
    assert_int_equal(set.rows->n, ROWS);
    for (int i = 0; i < ROWS * NANO_K; i++) {
        assert_true(one.logits[i] == z[0][i]);
        assert_true(fabsf(set.logits[i] - (z[0][i] + z[1][i] + z[2][i]) / 3) < 1e-5f);
        assert_true(set.logits[i] != z[0][i]);
    }
    for (int k = 0; k < 3; k++) snc_free(z[k]);
    snc_distillation_dispose(&set);
    snc_distillation_dispose(&one);
    snc_task_close(in.task);
}

/* A part of an epoch meets a part of the rows: what the teacher says of the others changes nothing, so it is not asked. */
static void rows_that_are_not_met_are_not_asked_about(void **state)
{
    (void)state;
    uint8_t met[ROWS];
    float *all, *some;
    assert_int_equal(toy_set_up(state), 0);
    snc_model *teacher = model(11), *with[2] = {model(12), model(12)};
    snc_train_opts o = options();
    snc_train_result r;
    o.epochs = 1;
    OK(snc_train_rows_met(met, &ctx, &data.d, &o));
    for (int i = 0; i < ROWS; i++) assert_int_equal(met[i], 1);
    o.epochs = 0.3;
    OK(snc_train_rows_met(met, &ctx, &data.d, &o));
    OK(snc_train_sweep(&all, &ctx, teacher, SNC_COMPUTE_F32, &data.d, NULL, "test"));
    OK(snc_train_sweep(&some, &ctx, teacher, SNC_COMPUTE_F32, &data.d, met, "test"));
    int n = 0;
    for (int i = 0; i < ROWS; i++) {
        n += met[i];
        for (int k = 0; k < NANO_K; k++) assert_true(met[i] ? some[i * NANO_K + k] == all[i * NANO_K + k] : isnan(some[i * NANO_K + k]));
    }
    assert_int_equal(n, 4 * BATCH); /* of 12 batches 3.6 */
    for (int k = 0; k < 2; k++) {
        o.teacher_logits = k ? some : all;
        OK(snc_train_run(&r, &ctx, with[k], NULL, &data.d, NULL, &o));
        assert_int_equal(r.step, 4);
    }
    assert_memory_equal(with[0]->params.w, with[1]->params.w, with[0]->params.total * sizeof(float));
    snc_free(all);
    snc_free(some);
    for (int k = 0; k < 2; k++) snc_model_free(with[k]);
    snc_model_free(teacher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(several_teachers_are_averaged),
                                       cmocka_unit_test(rows_that_are_not_met_are_not_asked_about)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
