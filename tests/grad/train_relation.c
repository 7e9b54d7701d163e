/* The objective of relations through the whole engine, against central differences along random directions. */
#include <string.h>

#include "check.h"
#include "grad/central.h"
#include "nano.h"
#include "train/objective.h"
#include "train/trainer.h"

/* f32 with the ref backend, directions of length 1, step 0.05. Measured 6e-5 (1 + size) at most. */
static const double TOLERANCE = 2e-4, STEP = 0.05;

enum { B = 4, T_MAX = 64, MOST = T_MAX * NANO_C };
static const int lens[B] = {1, 7, 13, 20};
extern const snc_objective snc_objective_relation; /* a row of objective.c */

typedef struct setup {
    snc_ctx ctx;
    snc_model *m, *teacher;
    snc_engine *e, *te;
    nano_batch batch;
    snc_arch arch;
    snc_train_opts o;
    snc_objective_attention attention;
    float *x, *d, room[3][MOST];
    double sums[B * NANO_H], scratch[2 * NANO_P];
} setup;

static double loss_at(void *user, double e)
{
    setup *s = user;
    float logits[B * NANO_K];
    for (size_t k = 0; k < s->m->params.total; k++) s->m->params.w[k] = (float)((double)s->x[k] + e * (double)s->d[k]);
    snc_engine_sync(s->e);
    assert_int_equal(snc_engine_forward(s->e, logits, &s->arch, &s->batch.x, NULL), SNC_OK);
    snc_objective_net n = {.ctx = &s->ctx,
                           .o = &s->o,
                           .arch = &s->arch,
                           .x = &s->batch.x,
                           .student = s->e,
                           .teacher = s->te,
                           .teacher_arch = &s->teacher->arch,
                           .attention = &s->attention};
    return snc_objective_relation.loss(&n, 1);
}

static void open_setup(setup *s)
{
    const snc_engine_opts o = {
        .compute = SNC_COMPUTE_F32, .max_tokens = T_MAX, .max_seqs = B, .max_len = NANO_P, .train = true, .first_only = true};
    float logits[B * NANO_K];
    memset(s, 0, sizeof *s);
    s->ctx = (snc_ctx)SNC_CTX_INIT;
    s->ctx.backend = SNC_BACKEND_REF;
    s->attention = (snc_objective_attention){.sums = s->sums, .scratch = s->scratch, .longest = NANO_P};
    for (int i = 0; i < 3; i++) s->attention.d[i] = s->room[i];
    assert_int_equal(nano_model(&s->m, 5), SNC_OK);
    assert_int_equal(nano_model(&s->teacher, 6), SNC_OK);
    assert_int_equal(snc_engine_create(&s->e, &s->ctx, s->m, &o), SNC_OK);
    assert_int_equal(snc_engine_create(&s->te, &s->ctx, s->teacher, &o), SNC_OK);
    nano_batch_make(&s->batch, lens, B, NANO_V, 3);
    s->arch = s->m->arch;
    assert_int_equal(snc_engine_forward(s->te, logits, &s->teacher->arch, &s->batch.x, NULL), SNC_OK);
    assert_int_equal(snc_alloc(&s->x, s->m->params.total, sizeof *s->x), SNC_OK);
    assert_int_equal(snc_alloc(&s->d, s->m->params.total, sizeof *s->d), SNC_OK);
    memcpy(s->x, s->m->params.w, s->m->params.total * sizeof *s->x);
}

static void close_setup(setup *s)
{
    snc_engine_free(s->e);
    snc_engine_free(s->te);
    snc_model_free(s->m);
    snc_model_free(s->teacher);
    snc_free(s->x);
    snc_free(s->d);
}

static void check_direction(setup *s, int i)
{
    const snc_param *p = &s->m->params.p[i];
    const size_t n = s->m->params.total;
    float *const *d = s->attention.d;
    memset(s->d, 0, n * sizeof *s->d);
    normals(s->d + p->offset, (size_t)p->rows * (size_t)p->cols, 1.0, 9, (uint64_t)i);
    const double length = sqrt(dot_of(s->d, s->d, n));
    for (size_t k = 0; k < n; k++) s->d[k] = (float)((double)s->d[k] / length);
    const double numeric = central(loss_at, s, STEP);
    loss_at(s, 0.0);
    snc_params_zero_grad(&s->m->params);
    snc_engine_add_attention(s->e, d[0], d[1], d[2]);
    assert_int_equal(snc_engine_backward(s->e, NULL, NULL, 0), SNC_OK);
    const double analytic = dot_of(s->m->params.g, s->d, n);
    if (!(fabs(analytic - numeric) <= TOLERANCE * (1.0 + fabs(numeric))))
        fail_msg("%s: %.6g by the backward pass, %.6g by differences", p->name, analytic, numeric);
}

/* Whole, and with the first head alone in a last layer that another follows without any. */
static void relations_reach_every_parameter(void **state)
{
    (void)state;
    for (int elastic = 0; elastic < 3; elastic++) {
        setup s;
        open_setup(&s);
        if (elastic) s.arch.hidden = 19, s.arch.heads[2] = elastic == 1 ? 1 : 0, s.arch.heads[1] = 3, s.arch.ffn[0] = 37;
        s.d[0] = 0;
        assert_true(loss_at(&s, 0.0) > 1e-3);
        for (int i = 0; i < s.m->params.n; i++) check_direction(&s, i);
        close_setup(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_reach_every_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
