/* What training comes to on a generated task: nets that answer, distilled, repaired and put in order. Long, and of code that other tests
 * run too: not under sanitizers. */
#include <math.h>

#include "check.h"
#include "nano.h"
#include "toy_family.h"
#include "train/evaluate.h"
#include "train/importance.h"
#include "train/loss.h"
#include "train/trainer.h"
#include "unit/train_toy.h"

static void fine_tuning_learns_the_task(void **state)
{
    (void)state;
    snc_model *m = model(3);
    assert_true(accuracy(m, NULL, &held_out) < 0.8);
    snc_model_free(m);
    m = trained_teacher();
    assert_true(accuracy(m, NULL, &held_out) > 0.95);
    for (size_t i = 0; i < m->params.total; i++) assert_true(m->params.g[i] == 0.0f);
    snc_model_free(m);
}

static double distance(snc_model *m, const snc_arch *arch, snc_model *teacher, const toy *t)
{
    float z[ROWS * NANO_K], q[ROWS * NANO_K];
    assert_int_equal(snc_train_eval_model(z, &ctx, m, arch, SNC_COMPUTE_F32, &t->d, BATCH, NULL), SNC_OK);
    assert_int_equal(snc_train_eval_model(q, &ctx, teacher, NULL, SNC_COMPUTE_F32, &t->d, BATCH, NULL), SNC_OK);
    return snc_loss_kl(NULL, z, q, ROWS, NANO_K, 1.0, 1.0);
}

static void unlabelled_rows_are_learnt_from_the_teacher_alone(void **state)
{
    (void)state;
    toy bare = data;
    bare.d = data.d;
    bare.d.target = bare.target;
    for (int i = 0; i < ROWS; i++) bare.target[i] = NAN;
    snc_model *teacher = trained_teacher(), *m = model(4);
    snc_train_opts o = options();
    snc_train_result r;
    o.epochs = 10;
    double before = distance(m, NULL, teacher, &held_out);
    assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &bare.d, NULL, &o), SNC_OK);
    assert_true(distance(m, NULL, teacher, &held_out) < 0.5 * before);
    snc_model_free(m);
    snc_model_free(teacher);
}

static void a_supernet_serves_its_smallest_net(void **state)
{
    (void)state;
    snc_model *teacher = trained_teacher();
    snc_space *s = space_in_quarters(&teacher->cfg, &teacher->arch);
    snc_arch small;
    snc_space_smallest(&small, s);
    const char *samplers[] = {"sandwich", "instatune", "near"};
    for (int i = 0; i < 3; i++) {
        snc_model *m = trained_teacher();
        snc_train_opts o = options();
        snc_train_result r;
        o.epochs = 6;
        o.in_place = i == 1;
        o.hidden_weight = i == 0 ? 0.1 : 0;
        o.near = 0.3;
        assert_int_equal(snc_sampler_find(&o.sampler, samplers[i]), SNC_OK);
        double untrained = distance(m, &small, teacher, &data);
        assert_int_equal(snc_train_run(&r, &ctx, m, i == 0 ? teacher : NULL, &data.d, s, &o), SNC_OK);
        assert_true(accuracy(m, NULL, &held_out) > 0.95);
        assert_true(distance(m, &small, teacher, &data) < (i == 2 ? 0.9 : 0.6) * untrained);
        snc_model_free(m);
    }
    snc_space_free(s);
    snc_model_free(teacher);
}

static void named_nets_are_trained_on_the_same_rows(void **state)
{
    (void)state;
    snc_model *teacher = trained_teacher(), *alone = trained_teacher(), *named = trained_teacher(), *both = trained_teacher();
    snc_arch net[2] = {teacher->arch, teacher->arch};
    snc_train_opts o = options();
    snc_train_result r;
    net[1].layers = 1, net[1].source[0] = teacher->arch.layers - 1;
    net[1].heads[0] = teacher->arch.heads[0] / 2, net[1].ffn[0] = teacher->arch.ffn[0] / 2;
    o.epochs = 3;
    assert_int_equal(snc_train_run(&r, &ctx, alone, teacher, &data.d, NULL, &o), SNC_OK);
    o.nets = net, o.n_nets = 1;
    assert_int_equal(snc_train_run(&r, &ctx, named, teacher, &data.d, NULL, &o), SNC_OK);
    assert_memory_equal(alone->params.w, named->params.w, alone->params.total * sizeof(float));
    o.n_nets = 2;
    assert_int_equal(snc_train_run(&r, &ctx, both, teacher, &data.d, NULL, &o), SNC_OK);
    assert_true(distance(both, &net[1], teacher, &data) < 0.7 * distance(alone, &net[1], teacher, &data));
    assert_true(accuracy(both, NULL, &held_out) > 0.95);
    snc_model *const all[] = {teacher, alone, named, both};
    for (int i = 0; i < 4; i++) snc_model_free(all[i]);
}

static void importance_puts_dead_units_last(void **state)
{
    (void)state;
    snc_model *m = trained_teacher();
    snc_importance s;
    snc_importance_opts o = SNC_IMPORTANCE_OPTS_INIT;
    float *o_w = snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_O, 1));
    float *out_w = snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_FFN_OUT, 1));
    for (int c = 0; c < NANO_C; c++) {
        for (int j = 0; j < NANO_D; j++) o_w[c * NANO_C + 2 * NANO_D + j] = 0;
        out_w[c * NANO_F + 9] = 0;
    }
    for (int k = 0; k < NANO_K; k++) snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER, 0))[k * NANO_C + 4] = 0;
    o.batch_size = BATCH;
    assert_int_equal(snc_importance_score(&s, &ctx, m, &data.d, &o), SNC_OK);
    assert_int_equal(s.rows, ROWS);
    assert_true(s.heads[1][2] == 0 && s.ffn[1][9] == 0 && s.pooler[4] == 0);
    assert_true(s.heads[0][2] > 0 && s.ffn[0][9] > 0);
    for (int c = 0; c < NANO_C; c++) assert_true(isfinite(s.hidden[c]) && s.hidden[c] > 0);
    for (size_t i = 0; i < m->params.total; i++) assert_true(m->params.g[i] == 0.0f);
    snc_order order;
    assert_int_equal(snc_importance_order(&order, &s, &m->arch), SNC_OK);
    assert_int_equal(order.heads[1][NANO_H - 1], 2);
    assert_int_equal(order.ffn[1][NANO_F - 1], 9);
    assert_int_equal(order.pooler[NANO_C - 1], 4);
    double before = accuracy(m, NULL, &held_out);
    assert_int_equal(snc_model_reorder(m, &order), SNC_OK);
    assert_true(accuracy(m, NULL, &held_out) == before);
    snc_order_dispose(&order);
    snc_importance_dispose(&s);
    snc_model_free(m);
}

static void other_families_are_trained_and_put_in_order(void **state)
{
    (void)state;
    const snc_family *const family[] = {&toy_dense,
                                        &toy_headless,
                                        snc_family_find("electra"),
                                        snc_family_find("mpnet"),
                                        snc_family_find("modernbert"),
                                        snc_family_find("deberta-v2")};
    for (size_t f = 0; f < sizeof family / sizeof *family; f++) {
        snc_encoder_config cfg = nano_family_config(family[f]);
        snc_model *m;
        snc_train_opts o = options();
        snc_importance_opts io = SNC_IMPORTANCE_OPTS_INIT;
        snc_train_result r;
        snc_importance s;
        snc_order order;
        assert_int_equal(nano_model_of(&m, &cfg, 3), SNC_OK);
        o.epochs = 12;
        assert_int_equal(snc_train_run(&r, &ctx, m, NULL, &data.d, NULL, &o), SNC_OK);
        double before = accuracy(m, NULL, &held_out);
        assert_true(before > 0.9);
        io.batch_size = BATCH;
        assert_int_equal(snc_importance_score(&s, &ctx, m, &data.d, &io), SNC_OK);
        for (size_t i = 0; i < m->params.total; i++) assert_true(m->params.g[i] == 0.0f);
        for (int c = 0; c < NANO_C; c++) assert_true(s.hidden[c] > 0 && (s.pooler[c] == 0 || cfg.family->head != SNC_HEAD_NONE));
        assert_int_equal(snc_importance_order(&order, &s, &m->arch), SNC_OK);
        assert_int_equal(snc_model_reorder(m, &order), SNC_OK);
        assert_true(accuracy(m, NULL, &held_out) == before);
        snc_order_dispose(&order);
        snc_importance_dispose(&s);
        snc_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fine_tuning_learns_the_task),        cmocka_unit_test(unlabelled_rows_are_learnt_from_the_teacher_alone),
        cmocka_unit_test(a_supernet_serves_its_smallest_net), cmocka_unit_test(named_nets_are_trained_on_the_same_rows),
        cmocka_unit_test(importance_puts_dead_units_last),    cmocka_unit_test(other_families_are_trained_and_put_in_order),
    };
    return cmocka_run_group_tests(tests, toy_set_up, NULL);
}
