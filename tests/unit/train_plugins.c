/* A path sampler, an objective and a source of weights that the program does not have, each a row as its own are: the training loop
 * calls them, keeps what the sampler has learnt in the checkpoint, learns what the objective says, and trains what the source makes.
 * They are handed in where the rows of sampler.c and objective.c and the dense source stand: to add one to the program is its file and
 * that one line. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/isa.h"
#include "base/mem.h"
#include "check.h"
#include "nano.h"
#include "toy_source.h"
#include "train/evaluate.h"
#include "train/trainer.h"
#include "unit/train_support.h"

enum { ROWS = SMALL_ROWS, BATCH = 8, STEPS = ROWS / BATCH };

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
    snprintf(checkpoint, sizeof checkpoint, "train_plugins.%ld.ckpt", (long)getpid());
    return snc_ctx_check(&ctx);
}

static int tear_down(void **state)
{
    (void)state;
    remove(checkpoint);
    return 0;
}

static snc_model *model(void)
{
    snc_model *m;
    assert_int_equal(nano_model(&m, 3), SNC_OK);
    return m;
}

static snc_train_opts options(void)
{
    snc_train_opts o = recipe_of_tests();
    o.epochs = 1;
    o.batch_size = BATCH;
    o.lr = 2e-3;
    return o;
}

/* ---- a sampler: the depth that lost the most so far ---------------------------------------------------------------------- */

typedef struct worst {
    int64_t steps;
    double lost[SNC_MAX_LAYERS + 1]; /* the latest loss of a net of so many layers */
} worst;

static int at_all;                    /* steps of the run */
static int alive;                     /* states that are created and not destroyed */
static double drawn_after[4 * STEPS]; /* depths, by steps told before */

static snc_err worst_create(void **state, const snc_space *s, const snc_sampler_opts *o)
{
    (void)s, (void)o;
    SNC_TRY(snc_alloc(state, 1, sizeof(worst)));
    alive++;
    return SNC_OK;
}

static void worst_destroy(void *state)
{
    alive--;
    snc_free(state);
}

static int worst_draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    const worst *w = state;
    const snc_space *s = at->space;
    const int *depths = s->gene[0].value;
    int n = 1, depth = depths[0];
    for (int d = 1; d < s->gene[0].n; d++)
        if (w->lost[depths[d]] > w->lost[depth]) depth = depths[d];
    snc_space_largest(&nets[0], s);
    do snc_space_random(&nets[n], s, rng);
    while (nets[n].layers != depth);
    drawn_after[w->steps] = depth;
    return snc_sampler_fill(nets, n + 1, s, at->random - 1, rng);
}

static void worst_tell(void *state, const snc_sampler_at *at, const snc_sampler_seen *seen)
{
    worst *w = state;
    assert_true(at->done == (double)w->steps / at_all);
    w->steps++;
    for (int i = 0; i < seen->n; i++) w->lost[seen->nets[i].layers] = seen->loss[i];
}

static snc_block worst_block(void *state) { return (snc_block){state, sizeof(worst)}; }

static const snc_sampler_kind sampler_worst = {.name = "worst",
                                               .random_nets = 2,
                                               .create = worst_create,
                                               .destroy = worst_destroy,
                                               .draw = worst_draw,
                                               .tell = worst_tell,
                                               .block = worst_block};

static void train_worst(snc_model *m, snc_train_opts o, double *loss)
{
    snc_space *s = space_in_quarters(&m->cfg, &m->arch);
    snc_model *teacher = model();
    snc_train_result r;
    o.sampler = &sampler_worst;
    at_all = (int)o.epochs * STEPS;
    assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &data, s, &o), SNC_OK);
    assert_int_equal(alive, 0);
    *loss = r.loss;
    snc_space_free(s);
    snc_model_free(teacher);
}

static void a_sampler_that_learns_goes_on_from_the_checkpoint(void **state)
{
    (void)state;
    snc_model *whole = model(), *part = model(), *rest = model();
    snc_train_opts o = options();
    double once, twice, depths[2 * STEPS];
    bool varied = false;
    o.epochs = 2;
    train_worst(whole, o, &once);
    memcpy(depths, drawn_after, sizeof depths);
    for (int i = 1; i < 2 * STEPS; i++) varied = varied || depths[i] != depths[0];
    assert_true(varied); /* it was told, and went by it */

    memset(drawn_after, 0, sizeof drawn_after);
    o.checkpoint = checkpoint;
    o.max_steps = STEPS + 3;
    train_worst(part, o, &twice);
    assert_true(drawn_after[STEPS + 2] > 0 && drawn_after[STEPS + 3] == 0);
    o.max_steps = 0;
    o.resume = true;
    train_worst(rest, o, &twice);
    assert_memory_equal(depths, drawn_after, sizeof depths);
    assert_true(once == twice);
    assert_memory_equal(whole->params.w, rest->params.w, whole->params.total * sizeof(float));
    snc_model_free(whole);
    snc_model_free(part);
    snc_model_free(rest);
}

static void a_checkpoint_of_another_sampler_is_refused(void **state)
{
    (void)state;
    snc_model *m = model(), *teacher = model();
    snc_space *s = space_in_quarters(&m->cfg, &m->arch);
    snc_train_opts o = options();
    snc_train_result r;
    double loss = 0;
    remove(checkpoint);
    o.checkpoint = checkpoint;
    o.max_steps = 3;
    train_worst(m, o, &loss);
    snc_model_free(m);
    m = model();
    o.resume = true;
    assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &data, s, &o), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "another sampler"));
    snc_model_free(m);
    snc_space_free(s);
    snc_model_free(teacher);
}

/* ---- an objective: small logits ----------------------------------------------------------------------------------------- */

static int asked;

static double small_weight(const snc_train_opts *o, bool soft)
{
    (void)o;
    return soft ? 0 : 50;
}

/* 1/(B K) sum z^2 */
static double small_loss(snc_objective_net *n, double scale)
{
    double sum = 0;
    int all = n->x->B * n->K;
    for (int i = 0; i < all; i++) {
        sum += (double)(n->logits[i] * n->logits[i]);
        n->dlogits[i] += (float)(scale * 2 / all) * n->logits[i];
    }
    asked++;
    return sum / all;
}

static const snc_objective objective_small = {.name = "small logits", .weight = small_weight, .loss = small_loss};
extern const snc_objective snc_objective_hard, snc_objective_soft; /* rows of objective.c */
static const snc_objective *const with_small[] = {&snc_objective_hard, &snc_objective_soft, &objective_small, NULL};

static double size_of_logits(snc_model *m)
{
    float z[ROWS * NANO_K];
    double sum = 0;
    assert_int_equal(snc_train_eval_model(z, &ctx, m, NULL, SNC_COMPUTE_F32, &data, BATCH, NULL), SNC_OK);
    for (int i = 0; i < ROWS * NANO_K; i++) sum += fabs((double)z[i]);
    return sum;
}

static void an_objective_is_asked_where_it_applies_and_moves_the_model(void **state)
{
    (void)state;
    snc_model *plain = model(), *small = model(), *teacher = model();
    snc_train_opts o = options();
    snc_train_result r, with;
    o.epochs = 4;
    assert_int_equal(snc_train_run(&r, &ctx, plain, NULL, &data, NULL, &o), SNC_OK);
    o.objectives = with_small;
    asked = 0;
    assert_int_equal(snc_train_run(&with, &ctx, small, NULL, &data, NULL, &o), SNC_OK);
    assert_int_equal(asked, 4 * STEPS);
    assert_true(size_of_logits(small) < 0.5 * size_of_logits(plain));
    asked = 0;
    assert_int_equal(snc_train_run(&with, &ctx, small, teacher, &data, NULL, &o), SNC_OK);
    assert_int_equal(asked, 0); /* its weight is 0 beside a teacher */
    snc_model_free(plain);
    snc_model_free(small);
    snc_model_free(teacher);
}

/* ---- a source of weights ------------------------------------------------------------------------------------------------ */

static void check_source(snc_model *teacher, const snc_space *s)
{
    snc_model *m[2] = {model(), model()};
    snc_train_opts o = options();
    snc_ctx plain = ctx; /* a library's order of sums may depend on strides */
    plain.backend = snc_isa_now() == SNC_ISA_SCALAR ? SNC_BACKEND_REF : SNC_BACKEND_NATIVE;
    toy_source *toy = toy_source_set(m[1], true);
    double loss[2];
    for (int i = 0; i < 2; i++) {
        snc_train_result r;
        assert_int_equal(snc_train_run(&r, &plain, m[i], teacher, &data, s, &o), SNC_OK);
        loss[i] = r.loss;
    }
    assert_true(toy->made > STEPS && toy->returned > STEPS);
    assert_true(loss[0] == loss[1]);
    assert_memory_equal(m[0]->params.w, m[1]->params.w, m[0]->params.total * sizeof(float));
    for (int i = 0; i < 2; i++) snc_model_free(m[i]);
}

static void a_net_and_a_supernet_are_trained_alike_from_any_source(void **state)
{
    (void)state;
    snc_model *teacher = model();
    snc_space *s = space_in_quarters(&teacher->cfg, &teacher->arch);
    check_source(NULL, NULL); /* the same arch in every step: the weights alone change */
    check_source(teacher, s);
    snc_space_free(s);
    snc_model_free(teacher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sampler_that_learns_goes_on_from_the_checkpoint),
        cmocka_unit_test(a_checkpoint_of_another_sampler_is_refused),
        cmocka_unit_test(an_objective_is_asked_where_it_applies_and_moves_the_model),
        cmocka_unit_test(a_net_and_a_supernet_are_trained_alike_from_any_source),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
