/* Every objective through the whole engine, at a point where nothing is like anything else, against central differences along random
 * directions. */
#include <string.h>

#include "check.h"
#include "grad/central.h"
#include "nano.h"
#include "train/objective.h"
#include "train/trainer.h"

/* f32 with the ref backend, directions of length 1, step 0.05. Measured 6e-5 (1 + size) at most. */
static const double TOLERANCE = 2e-4, STEP = 0.05;

enum { B = 4, T_MAX = 64, MOST = T_MAX * NANO_C, LOGITS = B * NANO_K };
static const int lens[B] = {1, 7, 13, 20};

typedef struct setup {
    snc_ctx ctx;
    snc_model *m, *teacher;
    snc_engine *e, *te;
    nano_batch batch;
    snc_arch arch;
    snc_train_opts o;
    const snc_objective *f;
    snc_objective_net n;
    snc_loss_labels labels;
    snc_objective_attention attention;
    float *x, *d, room[3][MOST], block[(NANO_L + 1) * MOST];
    float target[B], logits[LOGITS], dlogits[LOGITS], soft[LOGITS], other[LOGITS], slow[LOGITS];
    double sums[B * NANO_H], scratch[2 * NANO_P];
} setup;

static double loss_at(void *user, double e)
{
    setup *s = user;
    for (size_t k = 0; k < s->m->params.total; k++) s->m->params.w[k] = (float)((double)s->x[k] + e * (double)s->d[k]);
    if (s->f->of_weights) return s->f->of_weights(&s->ctx, s->m, 0);
    snc_engine_sync(s->e);
    assert_int_equal(snc_engine_forward(s->e, s->logits, &s->arch, &s->batch.x, NULL), SNC_OK);
    s->attention.asked = false;
    memset(s->dlogits, 0, sizeof s->dlogits);
    s->n = (snc_objective_net){.ctx = &s->ctx,
                               .o = &s->o,
                               .arch = &s->arch,
                               .x = &s->batch.x,
                               .labels = &s->labels,
                               .K = NANO_K,
                               .answers = B,
                               .of_answers = 1,
                               .of_texts = 1,
                               .of_tokens = 1,
                               .logits = s->logits,
                               .soft = s->soft,
                               .other = s->other,
                               .slow = s->slow,
                               .student = s->e,
                               .teacher = s->te,
                               .teacher_arch = &s->teacher->arch,
                               .dlogits = s->dlogits,
                               .block = s->block,
                               .attention = &s->attention};
    return s->f->loss(&s->n, 1);
}

static void open_setup(setup *s, const snc_objective *f)
{
    const snc_engine_opts o = {
        .compute = SNC_COMPUTE_F32, .max_tokens = T_MAX, .max_seqs = B, .max_len = NANO_P, .train = true, .first_only = true};
    float logits[LOGITS];
    memset(s, 0, sizeof *s);
    s->f = f;
    s->ctx = (snc_ctx)SNC_CTX_INIT;
    s->ctx.backend = SNC_BACKEND_REF;
    s->o = (snc_train_opts)SNC_TRAIN_OPTS_INIT;
    s->o.temperature = 2;
    s->attention = (snc_objective_attention){.sums = s->sums, .scratch = s->scratch, .longest = NANO_P};
    for (int i = 0; i < 3; i++) s->attention.d[i] = s->room[i];
    for (int b = 0; b < B; b++) s->target[b] = (float)(b % 2);
    s->labels = (snc_loss_labels){.problem = SNC_MEANS_CLASSES, .target = s->target};
    normals(s->soft, LOGITS, 1.0, 2, 1);
    normals(s->other, LOGITS, 1.0, 2, 2);
    normals(s->slow, LOGITS, 1.0, 2, 3);
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
    if (s->f->of_weights) s->f->of_weights(&s->ctx, s->m, 1);
    else {
        if (s->attention.asked) snc_engine_add_attention(s->e, d[0], d[1], d[2]);
        assert_int_equal(snc_engine_backward(s->e, s->dlogits, s->n.dhidden, s->arch.layers + 1), SNC_OK);
    }
    const double analytic = dot_of(s->m->params.g, s->d, n);
    if (!(fabs(analytic - numeric) <= TOLERANCE * (1.0 + fabs(numeric))))
        fail_msg("%s, %s: %.6g by the backward pass, %.6g by differences", s->f->name, p->name, analytic, numeric);
}

/* Every `every`-th parameter. */
static void check_all(setup *s, int every)
{
    assert_true(loss_at(s, 0.0) > 1e-3);
    for (int i = 0; i < s->m->params.n; i += every) check_direction(s, i);
}

static const snc_objective *row_of(const char *key)
{
    for (const snc_objective *const *f = snc_objectives; *f; f++)
        if ((*f)->key && strcmp((*f)->key, key) == 0) return *f;
    fail_msg("no objective has the key %s", key);
    return NULL;
}

static void narrow(snc_arch *a) { a->hidden = 19, a->heads[1] = 3, a->ffn[0] = 37; }

static void every_objective_has_the_gradient_of_its_loss(void **state)
{
    (void)state;
    for (const snc_objective *const *f = snc_objectives; *f; f++) {
        setup s;
        open_setup(&s, *f);
        assert_true(!(*f)->loss != !(*f)->of_weights);
        if ((*f)->of_weights) assert_int_equal(snc_params_alloc_grad(&s.m->params), SNC_OK);
        else narrow(&s.arch);
        check_all(&s, (*f)->reads || (*f)->of_weights ? 1 : 7);
        close_setup(&s);
    }
}

/* Each by itself and all with weights that differ; whole, and with the first head alone in a last layer that another follows without
 * any. */
static void relations_reach_every_parameter(void **state)
{
    (void)state;
    static const double weights[][SNC_RELATES] = {{1, 0, 1}, {0, 3, 0}, {0.3, 1, 2}};
    for (int elastic = 0; elastic < 3; elastic++) {
        setup s;
        open_setup(&s, row_of("relation_weight"));
        memcpy(s.o.relations, weights[elastic], sizeof weights[elastic]);
        if (elastic) narrow(&s.arch), s.arch.heads[2] = elastic == 1 ? 1 : 0;
        check_all(&s, 1);
        close_setup(&s);
    }
}

/* Two of three layers are kept. A state that is no other's has no gradient: `last` gives none to those below. */
static void hidden_states_are_mapped(void **state)
{
    (void)state;
    double loss[SNC_HIDDEN_LAST + 1];
    for (int map = 0; snc_hidden_map_name(map); map++) {
        setup s;
        open_setup(&s, row_of("hidden_weight"));
        s.o.hidden_map = (snc_hidden_map)map;
        narrow(&s.arch);
        s.arch.layers = 2, s.arch.source[0] = 1, s.arch.source[1] = 2;
        check_all(&s, 5);
        loss[map] = loss_at(&s, 0);
        assert_true(!s.n.dhidden[1] == (map == SNC_HIDDEN_LAST) && s.n.dhidden[2]);
        close_setup(&s);
    }
    assert_true(loss[SNC_HIDDEN_SOURCE] == loss[SNC_HIDDEN_TOP]); /* the layers that are kept are the top ones */
    assert_true(loss[SNC_HIDDEN_UNIFORM] != loss[SNC_HIDDEN_SOURCE] && loss[SNC_HIDDEN_LAST] != loss[SNC_HIDDEN_SOURCE]);
}

/* Of equals there is nothing to learn, and a unit of zeros stays. */
static void what_is_alike_has_no_loss_and_no_gradient(void **state)
{
    (void)state;
    static const char *const keys[] = {"hidden_weight", "relation_weight", "consistency_weight", "momentum_weight"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        setup s;
        open_setup(&s, row_of(keys[i]));
        memcpy(s.x, s.teacher->params.w, s.m->params.total * sizeof *s.x);
        loss_at(&s, 0);
        memcpy(s.other, s.logits, sizeof s.logits);
        memcpy(s.slow, s.logits, sizeof s.logits);
        assert_true(fabs(loss_at(&s, 0)) < 1e-12);
        for (int k = 0; k < LOGITS; k++) assert_true(fabs((double)s.dlogits[k]) < 1e-12);
        s.n.other = s.n.slow = NULL; /* a net that has no such */
        assert_true(fabs(s.f->loss(&s.n, 1)) < 1e-12);
        close_setup(&s);
    }
    setup s;
    open_setup(&s, row_of("group_weight"));
    assert_int_equal(snc_params_alloc_grad(&s.m->params), SNC_OK);
    memset(s.x, 0, s.m->params.total * sizeof *s.x);
    assert_true(loss_at(&s, 0) == 0 && s.f->of_weights(&s.ctx, s.m, 1) == 0);
    for (size_t k = 0; k < s.m->params.total; k++) assert_true(s.m->params.g[k] == 0);
    close_setup(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_objective_has_the_gradient_of_its_loss),
        cmocka_unit_test(relations_reach_every_parameter),
        cmocka_unit_test(hidden_states_are_mapped),
        cmocka_unit_test(what_is_alike_has_no_loss_and_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
