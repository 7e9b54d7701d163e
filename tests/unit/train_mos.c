/* A supernet of mixtures is trained: experts part, routers go on telling nets from each other, a resumed run has the bits of a whole one,
 * and what is not finite is named. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "models/source_mos.h"
#include "nano.h"
#include "train/trainer.h"
#include "unit/train_support.h"

enum { ROWS = SMALL_ROWS, BATCH = 8, STEPS = ROWS / BATCH, NETS = 20 };

static snc_ctx ctx = SNC_CTX_INIT;
static snc_dataset data;
static small_rows rows;
static char checkpoint[64];

static void quiet(void *user, snc_log_level level, const char *text) { (void)user, (void)level, (void)text; }

static int set_up(void **state)
{
    (void)state;
    data = small_rows_draw(&rows, NANO_V);
    ctx.log = quiet;
    snprintf(checkpoint, sizeof checkpoint, "train_mos.%ld.ckpt", (long)getpid());
    return snc_ctx_check(&ctx);
}

static int tear_down(void **state)
{
    (void)state;
    remove(checkpoint);
    return 0;
}

static snc_model *model(const snc_mixture *x)
{
    snc_model *m;
    assert_int_equal(nano_model(&m, 3), SNC_OK);
    if (x) assert_int_equal(snc_model_mix(m, &ctx, x, 5), SNC_OK);
    return m;
}

static snc_train_opts options(double epochs)
{
    snc_train_opts o = recipe_of_tests();
    o.epochs = epochs;
    o.batch_size = BATCH;
    o.lr = 2e-3;
    o.temperature = 2;
    return o;
}

static snc_err train(snc_model *m, const snc_train_opts *o)
{
    snc_model *teacher = model(NULL);
    snc_space *s = space_in_quarters(&m->cfg, &m->arch);
    snc_train_result r;
    snc_err err = snc_train_run(&r, &ctx, m, teacher, &data, s, o);
    snc_space_free(s);
    snc_model_free(teacher);
    return err;
}

static double spread_of(const snc_model *m)
{
    snc_arch nets[NETS];
    snc_rng r;
    double spread;
    snc_space *s = space_in_quarters(&m->cfg, &m->arch);
    snc_rng_init(&r, 1, 1);
    for (int i = 0; i < NETS; i++) snc_space_random(&nets[i], s, &r);
    assert_int_equal(snc_mos_spread(&spread, m, nets, NETS), SNC_OK);
    snc_space_free(s);
    return spread;
}

/* After 100 steps, and not by noise alone. */
static void experts_part_and_routers_tell_nets_apart(void **state)
{
    (void)state;
    static const snc_mixture kinds[] = {{.experts = 2}, {.experts = 4, .neuron = true}, {.experts = 2, .rank = 4, .attention = true}};
    for (int k = 0; k < 3; k++) {
        snc_model *m = model(&kinds[k]);
        const double before = snc_mos_apart(m);
        const snc_train_opts o = options(100.0 / STEPS);
        assert_int_equal(train(m, &o), SNC_OK);
        assert_true(snc_mos_apart(m) > 2 * before && snc_mos_apart(m) > 2 * SNC_EXPERT_NOISE);
        assert_true(spread_of(m) > 0.05);
        snc_model_free(m);
    }
}

/* A step that does not move them: what the report's line is for. */
static void a_generator_that_is_dead_is_told_from_one_that_lives(void **state)
{
    (void)state;
    snc_model *m = model(&(snc_mixture){.experts = 2});
    snc_train_opts o = options(1);
    o.lr = 1e-9;
    assert_int_equal(train(m, &o), SNC_OK);
    assert_true(snc_mos_apart(m) < 1.1 * SNC_EXPERT_NOISE);
    for (int i = 0; i < m->params.n; i++) /* routers that hear nothing */
        if (strstr(m->params.p[i].name, "router.weight"))
            memset(snc_params_w(&m->params, i), 0, (size_t)m->params.p[i].cols * 2 * sizeof(float));
    assert_true(spread_of(m) < 0.05);
    snc_model_free(m);
}

static void a_resumed_run_has_the_bits_of_a_whole_one(void **state)
{
    (void)state;
    const snc_mixture x = {.experts = 2, .neuron = true};
    snc_model *whole = model(&x), *part = model(&x), *rest = model(&x);
    snc_train_opts o = options(2);
    assert_int_equal(train(whole, &o), SNC_OK);
    o.checkpoint = checkpoint;
    o.max_steps = STEPS + 3;
    assert_int_equal(train(part, &o), SNC_OK);
    o.max_steps = 0;
    o.resume = true;
    assert_int_equal(train(rest, &o), SNC_OK);
    assert_memory_equal(whole->params.w, rest->params.w, whole->params.total * sizeof(float));
    snc_model_free(whole);
    snc_model_free(part);
    snc_model_free(rest);
}

static void check_broken(const char *param, float value, const char *named)
{
    snc_model *m = model(&(snc_mixture){.experts = 2});
    const snc_train_opts o = options(1);
    int at = 0;
    while (strcmp(m->params.p[at].name, param) != 0) at++;
    for (int i = 0; i < m->params.p[at].rows * m->params.p[at].cols; i++) snc_params_w(&m->params, at)[i] = value;
    assert_int_equal(train(m, &o), SNC_E_DIVERGED);
    assert_non_null(strstr(snc_err_text(), "step 1: "));
    assert_non_null(strstr(snc_err_text(), named));
    snc_model_free(m);
}

static void a_router_that_is_not_finite_is_named_with_step_and_source(void **state)
{
    (void)state;
    check_broken("layer.1.router.weight", NAN, "nor layer.1.router.weight (weights mos)");
    check_broken("layer.0.router.hidden.bias", INFINITY, "nor layer.0.router.hidden.bias (weights mos)");
    check_broken("layer.0.router.weight", 3e38f, "nor layer.0.router.bias (weights mos)"); /* all are finite, what comes of them is not */
    check_broken("classifier.bias", NAN, "the loss of 'hard', 'soft' is not finite; try");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(experts_part_and_routers_tell_nets_apart),
        cmocka_unit_test(a_generator_that_is_dead_is_told_from_one_that_lives),
        cmocka_unit_test(a_resumed_run_has_the_bits_of_a_whole_one),
        cmocka_unit_test(a_router_that_is_not_finite_is_named_with_step_and_source),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
