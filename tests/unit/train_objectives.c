/* Every objective that a recipe can switch on, by a walk over the list: weight 0 is as if it were not there, another is not; same seed
 * same bits; a run that was stopped goes on from its checkpoint. And what is each one's own: whose logits it is given, what it refuses,
 * and how what is not finite is named. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "models/source_mos.h"
#include "nano.h"
#include "train/trainer.h"
#include "unit/train_support.h"

enum { BATCH = 16, STEPS = SMALL_ROWS / BATCH };

static snc_ctx ctx = SNC_CTX_INIT;
static snc_dataset data;
static small_rows rows;
static snc_space *space;
static snc_model *teacher;
static char checkpoint[64];

static void quiet(void *user, snc_log_level level, const char *text) { (void)user, (void)level, (void)text; }

static snc_model *model(uint64_t seed)
{
    snc_model *m;
    assert_int_equal(nano_model(&m, seed), SNC_OK);
    return m;
}

static int set_up(void **state)
{
    (void)state;
    data = small_rows_draw(&rows, NANO_V);
    ctx.log = quiet;
    ctx.backend = SNC_BACKEND_REF; /* one order of sums, whatever the strides */
    snprintf(checkpoint, sizeof checkpoint, "train_objectives.%ld.ckpt", (long)getpid());
    teacher = model(3);
    space = space_in_quarters(&teacher->cfg, &teacher->arch);
    return snc_ctx_check(&ctx);
}

static int tear_down(void **state)
{
    (void)state;
    remove(checkpoint);
    snc_space_free(space);
    snc_model_free(teacher);
    return 0;
}

static snc_train_opts options(void)
{
    snc_train_opts o = recipe_of_tests();
    o.epochs = 1;
    o.batch_size = BATCH;
    o.lr = 2e-3;
    o.dropout = false;
    return o;
}

static snc_train_opts with(const char *key, double weight)
{
    snc_train_opts o = options();
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, key, weight);
    assert_int_equal(snc_train_opts_from_json(&o, j, "test"), SNC_OK);
    cJSON_Delete(j);
    return o;
}

static double train(snc_model *m, const snc_train_opts *o)
{
    snc_train_result r;
    assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &data, space, o), SNC_OK);
    return r.loss;
}

static snc_model *trained(const snc_train_opts *o)
{
    snc_model *m = model(4);
    train(m, o);
    return m;
}

static bool same(const snc_model *a, const snc_model *b) { return memcmp(a->params.w, b->params.w, a->params.total * sizeof(float)) == 0; }

static void check_resumed(const snc_model *whole, snc_train_opts o)
{
    remove(checkpoint);
    o.checkpoint = checkpoint;
    o.max_steps = STEPS - 2;
    snc_model *part = trained(&o);
    assert_false(same(whole, part));
    o.max_steps = 0;
    o.resume = true;
    snc_model *rest = trained(&o);
    assert_true(same(whole, rest));
    snc_model_free(part);
    snc_model_free(rest);
}

extern const snc_objective snc_objective_hard, snc_objective_soft; /* rows of objective.c */
static const snc_objective *const by_logits[] = {&snc_objective_hard, &snc_objective_soft, NULL};

static void each_changes_what_is_learnt_and_weight_0_nothing(void **state)
{
    (void)state;
    snc_train_opts o = options();
    int n = 0;
    snc_model *zero = trained(&o);
    o.objectives = by_logits;
    snc_model *without = trained(&o);
    assert_true(same(zero, without));
    for (const snc_objective *const *f = snc_objectives; *f; f++) {
        if (!(*f)->key) continue;
        o = with((*f)->key, 0.5);
        snc_model *once = trained(&o), *again = trained(&o);
        if (same(once, zero)) fail_msg("%s changes nothing", (*f)->name);
        assert_true(same(once, again));
        check_resumed(once, o);
        snc_model_free(once);
        snc_model_free(again);
        n++;
    }
    assert_true(n >= 5);
    snc_model_free(zero);
    snc_model_free(without);
}

/* ---- whose logits ------------------------------------------------------------------------------------------------------- */

/* A copy that keeps nothing of itself is the largest net of the step, and teaches what that teaches in place. */
static void a_momentum_of_0_is_the_largest_net_in_place(void **state)
{
    (void)state;
    static const snc_objective *const in_place[] = {&snc_objective_soft, NULL};
    const snc_objective *momentum[2] = {NULL, NULL};
    for (const snc_objective *const *f = snc_objectives; *f; f++)
        if ((*f)->reads & SNC_READS_COPY) momentum[0] = *f;
    snc_model *m[3] = {model(4), model(4), model(4)};
    snc_train_result r;
    for (int i = 0; i < 3; i++) {
        snc_train_opts o = options();
        o.objectives = i ? momentum : in_place;
        o.alpha = 0;
        o.in_place = i == 0;
        o.momentum_weight = i ? 1 : 0;
        o.momentum = i == 2 ? 0.9 : 0;
        o.lazy_rows = false; /* whose rows the copy has as they stand */
        assert_int_equal(snc_train_run(&r, &ctx, m[i], NULL, &data, space, &o), SNC_OK);
    }
    assert_true(same(m[0], m[1]));
    assert_false(same(m[0], m[2]));
    for (int i = 0; i < 3; i++) snc_model_free(m[i]);
}

static int nets, others, slows;
static float before[BATCH * NANO_K];

static double any_weight(const snc_train_opts *o, bool soft)
{
    (void)o, (void)soft;
    return 1;
}

static double look(snc_objective_net *n, double scale)
{
    (void)scale;
    nets++;
    others += n->other != NULL;
    slows += n->slow != NULL;
    if (n->other) assert_memory_equal(n->other, before, (size_t)(n->x->B * n->K) * sizeof(float));
    memcpy(before, n->logits, (size_t)(n->x->B * n->K) * sizeof(float));
    return 0;
}

static const snc_objective objective_look = {.name = "look", .reads = SNC_READS_COPY, .weight = any_weight, .loss = look};
static const snc_objective *const looks[] = {&objective_look, NULL};

static void random_nets_are_given_the_one_before_and_subnets_the_copy(void **state)
{
    (void)state;
    static const struct {
        const char *sampler;
        int random, others, nets, slows;
    } steps[] = {{"sandwich", 2, 1, 4, 3}, {"sandwich", 3, 2, 5, 4}, {"instatune", 1, 0, 2, 1},
                 {"near", 3, 2, 4, 3},     {"fair", 3, 2, 3, 3},     {"subbatch", 2, 0, 2, 2}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        snc_train_opts o = options();
        assert_int_equal(snc_sampler_find(&o.sampler, steps[i].sampler), SNC_OK);
        o.random_nets = steps[i].random;
        o.objectives = looks;
        nets = others = slows = 0;
        snc_model_free(trained(&o));
        assert_int_equal(nets, STEPS * steps[i].nets);
        assert_int_equal(others, STEPS * steps[i].others);
        assert_int_equal(slows, STEPS * steps[i].slows);
    }
}

/* ---- experts ------------------------------------------------------------------------------------------------------------ */

/* A copy of a model with experts mixes its own; units of one have no weights of their own. */
static void a_model_with_experts_has_a_copy_and_no_group_penalty(void **state)
{
    (void)state;
    const snc_mixture two = {.experts = 2};
    snc_train_opts o = with("momentum_weight", 0.5);
    snc_train_result r;
    snc_model *m[2] = {model(4), model(4)};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(snc_model_mix(m[i], &ctx, &two, 1), SNC_OK);
        train(m[i], &o);
        o.momentum = 0.9;
    }
    assert_false(same(m[0], m[1]));
    o = with("group_weight", 1);
    assert_int_equal(snc_train_run(&r, &ctx, m[0], teacher, &data, space, &o), SNC_E_UNSUPPORTED);
    assert_non_null(strstr(snc_err_text(), "group weight 1: units of a model that mixes experts"));
    for (int i = 0; i < 2; i++) snc_model_free(m[i]);
}

/* Of FFN neurons and heads, all layers. */
static double sizes(const snc_model *m)
{
    double sum = 0;
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        const snc_spec *s = snc_spec_of(p);
        const float *w = m->params.w + p->offset;
        if (!s->layer || s->half == SNC_AXIS_ONE) continue;
        for (int k = 0; k < p->rows * p->cols; k++) sum += fabs((double)w[k]);
    }
    return sum;
}

static void a_penalty_makes_units_smaller(void **state)
{
    (void)state;
    snc_train_opts o = with("group_weight", 100);
    o.epochs = 4;
    snc_model *small = trained(&o);
    o.group_weight = 0;
    snc_model *plain = trained(&o);
    assert_true(sizes(small) < 0.95 * sizes(plain));
    snc_model_free(small);
    snc_model_free(plain);
}

/* ---- what is not finite ------------------------------------------------------------------------------------------------- */

static int calls;

static double lost(snc_objective_net *n, double scale)
{
    (void)n, (void)scale;
    return calls++ < 4 ? 0 : NAN; /* in the second step */
}

static double lost_weights(const snc_ctx *c, snc_model *m, double scale)
{
    (void)c, (void)m, (void)scale;
    return calls++ < 1 ? 0 : INFINITY;
}

static void what_is_not_finite_is_named_with_its_step(void **state)
{
    (void)state;
    static const snc_objective by_net = {.name = "lost", .weight = any_weight, .loss = lost},
                               by_weights = {.name = "lost weights", .weight = any_weight, .of_weights = lost_weights};
    static const snc_objective *const lists[][3] = {{&snc_objective_hard, &by_net, NULL}, {&by_weights, &snc_objective_hard, NULL}};
    static const char *const says[] = {"step 2: the loss of 'lost' is not finite; try", "step 2: the loss of 'lost weights' is not finite"};
    for (int i = 0; i < 2; i++) {
        snc_train_opts o = options();
        snc_train_result r;
        snc_model *m = model(4);
        o.objectives = lists[i];
        calls = 0;
        assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &data, space, &o), SNC_E_DIVERGED);
        assert_non_null(strstr(snc_err_text(), says[i]));
        snc_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_changes_what_is_learnt_and_weight_0_nothing),
        cmocka_unit_test(a_momentum_of_0_is_the_largest_net_in_place),
        cmocka_unit_test(random_nets_are_given_the_one_before_and_subnets_the_copy),
        cmocka_unit_test(a_model_with_experts_has_a_copy_and_no_group_penalty),
        cmocka_unit_test(a_penalty_makes_units_smaller),
        cmocka_unit_test(what_is_not_finite_is_named_with_its_step),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
