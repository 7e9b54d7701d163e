/* What a net learns from beside labels and logits: relations, the largest net of the step; and importance without labels. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "train/importance.h"
#include "unit/train_toy.h"

extern const snc_objective snc_objective_relation; /* a row of objective.c */

/* Relations alone, of whole nets and of subnets, whose heads are the first of the teacher's. */
static void relations_of_the_teacher_are_learnt(void **state)
{
    (void)state;
    static const snc_objective *const relations[] = {&snc_objective_relation, NULL};
    snc_model *teacher = trained_teacher();
    snc_space *s = space_in_quarters(&teacher->cfg, &teacher->arch);
    snc_train_opts o = options();
    snc_train_result once, often;
    o.relation_weight = 2;
    o.objectives = relations;
    for (int elastic = 0; elastic < 2; elastic++) {
        snc_model *m[2] = {model(4), model(4)};
        o.compute = elastic ? SNC_COMPUTE_F32 : SNC_COMPUTE_BF16;
        o.epochs = 1;
        assert_int_equal(snc_train_run(&once, &ctx, m[0], teacher, &data.d, elastic ? s : NULL, &o), SNC_OK);
        o.epochs = 8;
        assert_int_equal(snc_train_run(&often, &ctx, m[1], teacher, &data.d, elastic ? s : NULL, &o), SNC_OK);
        assert_true(once.loss > 0 && often.loss < 0.7 * once.loss);
        for (int i = 0; i < 2; i++) snc_model_free(m[i]);
    }
    /* of itself nothing, at any number of threads and in any arithmetic */
    for (int compute = 0; compute < 2; compute++) {
        snc_model *same = trained_teacher();
        o.compute = compute ? SNC_COMPUTE_BF16 : SNC_COMPUTE_F32;
        o.dropout = false;
        o.epochs = 0.1;
        o.lr = 1e-9;
        assert_int_equal(snc_train_run(&once, &ctx, same, teacher, &data.d, NULL, &o), SNC_OK);
        assert_true(once.loss < 1e-6);
        snc_model_free(same);
    }
    snc_model *alone = model(4);
    assert_int_equal(snc_train_run(&once, &ctx, alone, NULL, &data.d, NULL, &o), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "relations need a teacher"));
    snc_model_free(alone);
    snc_space_free(s);
    snc_model_free(teacher);
}

/* In place, the largest net learns from the frozen teacher, or by the labels alone: of rows without any, nothing. */
static void the_largest_net_learns_from_the_teacher_unless_by_labels_alone(void **state)
{
    (void)state;
    toy bare = data;
    bare.d.target = bare.target;
    for (int i = 0; i < ROWS; i++) bare.target[i] = NAN;
    snc_model *teacher = trained_teacher();
    snc_space *s = space_in_quarters(&teacher->cfg, &teacher->arch);
    snc_train_opts o = options();
    snc_train_result r;
    o.in_place = true, o.epochs = 1;
    for (int labels = 0; labels < 2; labels++) {
        snc_model *m = model(4);
        o.largest_by_labels = labels;
        assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &bare.d, s, &o), SNC_OK);
        assert_true(labels ? r.full_loss == 0 && r.loss > 0 : r.full_loss > 0.01);
        assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &data.d, s, &o), SNC_OK);
        assert_true(r.full_loss > 0.001);
        snc_model_free(m);
    }
    snc_space_free(s);
    snc_model_free(teacher);
}

static double sum_of(const snc_importance *s)
{
    double sum = 0;
    for (int h = 0; h < NANO_H; h++) sum += s->heads[0][h] + s->heads[1][h];
    return sum;
}

/* Rows without a label count by what the model says of them; of rows that have one nothing changes. */
static void importance_is_found_without_labels(void **state)
{
    (void)state;
    snc_model *m = trained_teacher();
    snc_importance plain, soft, none, half;
    snc_importance_opts o = SNC_IMPORTANCE_OPTS_INIT;
    toy bare = data;
    bare.d.target = bare.target;
    for (int i = 0; i < ROWS; i++) bare.target[i] = NAN;
    float *out_w = snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_FFN_OUT, 1));
    for (int c = 0; c < NANO_C; c++) out_w[c * NANO_F + 9] = 0;
    assert_int_equal(snc_importance_score(&none, &ctx, m, &bare.d, &o), SNC_E_ARG);
    assert_int_equal(snc_importance_score(&plain, &ctx, m, &data.d, &o), SNC_OK);
    o.soft = 1;
    assert_int_equal(snc_importance_score(&soft, &ctx, m, &data.d, &o), SNC_OK);
    assert_memory_equal(plain.heads[0], soft.heads[0], NANO_H * sizeof *plain.heads[0]);
    assert_int_equal(snc_importance_score(&none, &ctx, m, &bare.d, &o), SNC_OK);
    assert_int_equal(none.rows, ROWS);
    assert_true(none.ffn[1][9] == 0 && none.ffn[0][9] > 0 && sum_of(&none) > 0);
    assert_true(fabs(sum_of(&none) - sum_of(&plain)) > 1e-9);
    /* Labels that are drawn as the model says have gradients that come to nothing on average: those of all rows are far less than
     * the sum of each. */
    snc_importance each, whole;
    snc_model *unsure = model(4);
    o.batch_size = 1;
    assert_int_equal(snc_importance_score(&each, &ctx, unsure, &bare.d, &o), SNC_OK);
    o.batch_size = ROWS;
    assert_int_equal(snc_importance_score(&whole, &ctx, unsure, &bare.d, &o), SNC_OK);
    assert_true(ROWS * sum_of(&whole) < 0.3 * sum_of(&each));
    snc_importance_dispose(&each);
    snc_importance_dispose(&whole);
    snc_model_free(unsure);
    o.batch_size = 32;
    o.soft = 0.5; /* a weight */
    assert_int_equal(snc_importance_score(&half, &ctx, m, &bare.d, &o), SNC_OK);
    assert_true(fabs(2 * sum_of(&half) / sum_of(&none) - 1) < 1e-4);
    snc_importance *all[] = {&plain, &soft, &none, &half};
    for (int i = 0; i < 4; i++) snc_importance_dispose(all[i]);
    snc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_of_the_teacher_are_learnt),
        cmocka_unit_test(the_largest_net_learns_from_the_teacher_unless_by_labels_alone),
        cmocka_unit_test(importance_is_found_without_labels),
    };
    return cmocka_run_group_tests(tests, toy_set_up, NULL);
}
