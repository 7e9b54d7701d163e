/* The training loop on the nano model and a generated task: learning, resuming, refusing, distilling. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"
#include "models/cost.h"
#include "nano.h"
#include "train/evaluate.h"
#include "train/importance.h"
#include "train/touched.h"
#include "train/trainer.h"
#include "unit/train_toy.h"

static char checkpoint[128];

static int set_up(void **state)
{
    snprintf(checkpoint, sizeof checkpoint, "train_trainer.%ld.ckpt", (long)getpid());
    return toy_set_up(state);
}

static int tear_down(void **state)
{
    (void)state;
    remove(checkpoint);
    return 0;
}

/* With nothing else dropped, and nothing of the head, a run is one without dropout; with a rate of the head's own it is another. */
static void the_heads_own_dropout_is_trained_with(void **state)
{
    (void)state;
    snc_model *none = model(4), *m[2] = {model(4), model(4)};
    snc_train_opts o = options();
    snc_train_result r;
    o.epochs = 1, o.max_steps = 3, o.dropout = false;
    assert_int_equal(snc_train_run(&r, &ctx, none, NULL, &data.d, NULL, &o), SNC_OK);
    o.dropout = true;
    for (int i = 0; i < 2; i++) {
        m[i]->cfg.hidden_dropout = m[i]->cfg.attention_dropout = 0;
        m[i]->cfg.own_head_dropout = true;
        m[i]->cfg.head_dropout = i ? 0.5f : 0;
        assert_int_equal(snc_train_run(&r, &ctx, m[i], NULL, &data.d, NULL, &o), SNC_OK);
    }
    assert_memory_equal(none->params.w, m[0]->params.w, none->params.total * sizeof(float));
    assert_memory_not_equal(none->params.w, m[1]->params.w, none->params.total * sizeof(float));
    for (int i = 0; i < 2; i++) snc_model_free(m[i]);
    snc_model_free(none);
}

/* Of steps that take hours as many are made as there is time for, and the run is finished: it has learnt with the rates of a short one. */
static void a_run_that_is_late_is_shortened(void **state)
{
    (void)state;
    snc_model *m = model(3), *part = model(3), *rest = model(3);
    snc_train_opts o = options();
    snc_train_result r;
    snc_ctx timed = ctx;
    timed.threads = 1; /* on a busy machine a step of two threads may take a hundred times as long */
    o.epochs = 1e5;
    timed.until = snc_now() + 1;
    assert_int_equal(snc_train_run(&r, &timed, m, NULL, &data.d, NULL, &o), SNC_OK);
    assert_true(r.finished && r.step > 0 && r.step < r.total_steps && r.seconds < 30);
    for (size_t i = 0; i < m->params.total; i++) assert_true(isfinite((double)m->params.w[i]));
    timed.until = snc_now() - 1; /* too late for any */
    assert_int_equal(snc_train_run(&r, &timed, m, NULL, &data.d, NULL, &o), SNC_OK);
    assert_true(r.finished && r.step == 1);
    o.checkpoint = checkpoint; /* which knows: resumed with all the time in the world, what was given up is not made */
    o.max_steps = 12;          /* the pace is known after eight */
    r.finished = true;
    for (double seconds = 0.2; r.finished && seconds < 100; seconds *= 4) { /* on a busy machine twelve steps may take some */
        snc_model_free(part);
        part = model(3);
        timed.until = snc_now() + seconds;
        assert_int_equal(snc_train_run(&r, &timed, part, NULL, &data.d, NULL, &o), SNC_OK);
    }
    assert_true(!r.finished && r.step == 12);
    timed.until = 0;
    o.max_steps = 0, o.max_seconds = 120, o.resume = true;
    assert_int_equal(snc_train_run(&r, &timed, rest, NULL, &data.d, NULL, &o), SNC_OK);
    assert_true(r.finished && r.step < r.total_steps);
    timed.until = snc_now() + 3600; /* with time to spare nothing changes */
    o.epochs = 1, o.checkpoint = NULL;
    assert_int_equal(snc_train_run(&r, &timed, m, NULL, &data.d, NULL, &o), SNC_OK);
    assert_true(r.finished && r.step == r.total_steps);
    snc_model_free(m);
    snc_model_free(part);
    snc_model_free(rest);
}

/* Runs to the end in two processes' worth of calls and once through; compares every bit. */
static void check_resume(snc_train_opts o, snc_model *teacher, const snc_space *space, int stop)
{
    snc_model *whole = model(4), *part = model(4), *rest = model(4);
    snc_train_result r;
    o.checkpoint_every = 5;
    o.checkpoint = checkpoint;
    remove(checkpoint);
    assert_int_equal(snc_train_run(&r, &ctx, whole, teacher, &data.d, space, &o), SNC_OK);
    remove(checkpoint);
    double loss = r.loss;
    o.max_steps = stop;
    assert_int_equal(snc_train_run(&r, &ctx, part, teacher, &data.d, space, &o), SNC_OK);
    assert_true(!r.finished && r.step == stop);
    o.max_steps = 0;
    o.resume = true;
    assert_int_equal(snc_train_run(&r, &ctx, rest, teacher, &data.d, space, &o), SNC_OK);
    assert_true(r.finished);
    assert_true(r.loss == loss);
    assert_memory_equal(whole->params.w, rest->params.w, whole->params.total * sizeof(float));
    snc_model_free(whole);
    snc_model_free(part);
    snc_model_free(rest);
}

static void a_resumed_run_has_the_bits_of_an_uninterrupted_one(void **state)
{
    (void)state;
    snc_train_opts o = options();
    check_resume(o, NULL, NULL, 7);  /* between two checkpoints */
    check_resume(o, NULL, NULL, 12); /* at the end of an epoch */
    o.half_state = true;
    o.lazy_rows = false;
    check_resume(o, NULL, NULL, 17);
    snc_model *teacher = model(9);
    snc_space *s = space_in_quarters(&teacher->cfg, &teacher->arch);
    check_resume(options(), teacher, s, 8);
    snc_space_free(s);
    snc_model_free(teacher);
}

static volatile int cancel;

static void cancel_soon(void *user, const char *what, double done, double total, const char *note)
{
    (void)user, (void)what, (void)total, (void)note;
    if (done >= 5) cancel = 1;
}

static void count_saved(void *user, const char *what, double done, double total, const char *note)
{
    (void)what, (void)total, (void)note;
    if (done >= 1 && snc_is_file(checkpoint)) ++*(int *)user;
}

/* Without a number of steps the clock decides, and five minutes are long here. */
static void checkpoints_come_by_time(void **state)
{
    (void)state;
    int seen = 0;
    snc_train_result r;
    snc_ctx watched = ctx;
    watched.progress = count_saved;
    watched.user = &seen;
    for (int often = 0; often < 2; often++) {
        snc_model *m = model(4);
        snc_train_opts o = options();
        remove(checkpoint);
        o.checkpoint = checkpoint;
        o.epochs = 0.5;
        if (often) o.checkpoint_seconds = 0;
        seen = 0;
        assert_int_equal(snc_train_run(&r, &watched, m, NULL, &data.d, NULL, &o), SNC_OK);
        assert_int_equal(seen > 0, often);
        snc_model_free(m);
    }
    remove(checkpoint);
}

static void a_cancelled_run_is_saved_and_continues_to_the_same_bits(void **state)
{
    (void)state;
    snc_model *whole = model(4), *part = model(4), *rest = model(4);
    snc_train_opts o = options();
    snc_train_result r;
    remove(checkpoint);
    assert_int_equal(snc_train_run(&r, &ctx, whole, NULL, &data.d, NULL, &o), SNC_OK);
    snc_ctx stopping = ctx;
    o.checkpoint = checkpoint;
    cancel = 0;
    stopping.cancel = &cancel;
    stopping.progress = cancel_soon;
    assert_int_equal(snc_train_run(&r, &stopping, part, NULL, &data.d, NULL, &o), SNC_E_CANCELLED);
    assert_non_null(strstr(snc_err_text(), "checkpoint is saved"));
    o.resume = true;
    assert_int_equal(snc_train_run(&r, &ctx, rest, NULL, &data.d, NULL, &o), SNC_OK);
    assert_memory_equal(whole->params.w, rest->params.w, whole->params.total * sizeof(float));
    snc_model_free(whole);
    snc_model_free(part);
    snc_model_free(rest);
}

static void expect_refusal(snc_train_opts o, const snc_dataset *d, snc_err code, const char *word)
{
    snc_model *m = model(4), *copy = model(4);
    snc_train_result r;
    assert_int_equal(snc_train_run(&r, &ctx, m, NULL, d, NULL, &o), code);
    assert_non_null(strstr(snc_err_text(), word));
    assert_memory_equal(m->params.w, copy->params.w, m->params.total * sizeof(float));
    snc_model_free(m);
    snc_model_free(copy);
}

static void a_checkpoint_of_other_inputs_or_damaged_is_refused_by_name(void **state)
{
    (void)state;
    snc_model *m = model(4);
    snc_train_opts o = options(), other;
    snc_train_result r;
    remove(checkpoint);
    o.checkpoint = checkpoint;
    o.max_steps = 3;
    assert_int_equal(snc_train_run(&r, &ctx, m, NULL, &data.d, NULL, &o), SNC_OK);
    snc_model_free(m);
    o.resume = true;
    other = o;
    other.lr = 1e-3;
    expect_refusal(other, &data.d, SNC_E_ARG, "lr was 0.002, now 0.001");
    expect_refusal(o, &held_out.d, SNC_E_ARG, "another training data");
    char *bytes;
    size_t n;
    assert_int_equal(snc_file_read(&bytes, &n, checkpoint), SNC_OK);
    bytes[n / 2] ^= 1;
    assert_int_equal(snc_file_write(checkpoint, bytes, n), SNC_OK);
    expect_refusal(o, &data.d, SNC_E_FORMAT, "damaged");
    assert_int_equal(snc_file_write(checkpoint, bytes, n - 9), SNC_OK);
    expect_refusal(o, &data.d, SNC_E_FORMAT, "a whole checkpoint has");
    assert_int_equal(snc_file_write(checkpoint, bytes, 40), SNC_OK);
    expect_refusal(o, &data.d, SNC_E_FORMAT, "cut short");
    assert_int_equal(snc_file_write(checkpoint, "hello", 5), SNC_OK);
    expect_refusal(o, &data.d, SNC_E_FORMAT, "not a training checkpoint");
    snc_free(bytes);
}

static void a_loss_that_is_not_finite_stops_and_names_the_step(void **state)
{
    (void)state;
    snc_model *m = model(4);
    snc_train_opts o = options();
    snc_train_result r;
    snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER_BIAS, 0))[1] = NAN;
    assert_int_equal(snc_train_run(&r, &ctx, m, NULL, &data.d, NULL, &o), SNC_E_DIVERGED);
    assert_non_null(strstr(snc_err_text(), "step 1"));
    snc_model_free(m);
}

static double off_grid(const snc_model *m, int param)
{
    const snc_param *p = &m->params.p[param];
    const float *w = snc_params_w(&m->params, param);
    double worst = 0;
    for (int r = 0; r < p->rows; r++, w += p->cols) {
        double top = 0;
        for (int c = 0; c < p->cols; c++) top = fmax(top, fabs((double)w[c]));
        for (int c = 0; c < p->cols; c++) {
            double q = (double)w[c] * 127 / top;
            worst = fmax(worst, fabs(q - nearbyint(q)));
        }
    }
    return worst;
}

static snc_err expect_grid(void *user, int epoch, snc_engine *e)
{
    (void)epoch, (void)e;
    const snc_model *m = user;
    assert_true(off_grid(m, snc_model_at(m, SNC_ROLE_FFN_IN, 1)) < 1e-3);
    assert_true(off_grid(m, snc_model_at(m, SNC_ROLE_O, 0)) > 0.3); /* f32 in this policy */
    return SNC_OK;
}

static void a_net_is_repaired_under_its_int8_grid_and_keeps_its_master(void **state)
{
    (void)state;
    snc_model *teacher = trained_teacher(), *m = trained_teacher();
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_train_opts o = options();
    snc_train_result r;
    p.linear[0][SNC_SITE_O] = SNC_F32;
    o.fake_quant = &p;
    o.on_epoch = expect_grid;
    o.user = m;
    o.epochs = 2;
    o.lr = 1e-4;
    assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &data.d, NULL, &o), SNC_OK);
    assert_true(off_grid(m, snc_model_at(m, SNC_ROLE_FFN_IN, 1)) > 0.3);
    assert_true(accuracy(m, NULL, &held_out) > 0.95);
    snc_model_free(m);
    o.on_epoch = NULL;
    o.epochs = 3;
    check_resume(o, teacher, NULL, 8);
    snc_model_free(teacher);
}

/* Mean KL of a net's logits to the teacher's. */
/* The nets of a file: one of them, named, is the whole model, bit for bit; of two the smaller one learns as well. */
/* Largest distance of a row's weights to the INT8 grid of that row, in steps of the grid. */
static snc_err count_epochs(void *user, int epoch, snc_engine *e)
{
    (void)e;
    int *seen = user;
    return epoch == ++*seen ? SNC_OK : snc_err_set(SNC_E_ARG, "epoch %d", epoch);
}

static void parts_of_an_epoch_and_the_epoch_callback_count_right(void **state)
{
    (void)state;
    snc_model *m = model(4);
    snc_train_opts o = options();
    snc_train_result r;
    int seen = 0;
    o.epochs = 1.5;
    o.on_epoch = count_epochs;
    o.user = &seen;
    assert_int_equal(snc_train_run(&r, &ctx, m, NULL, &data.d, NULL, &o), SNC_OK);
    assert_int_equal(seen, 2);
    assert_int_equal(r.step, ROWS / BATCH * 3 / 2);
    snc_model_free(m);
}

static void wrong_inputs_are_named(void **state)
{
    (void)state;
    toy bad = data;
    snc_train_opts o = options();
    bad.d.target = bad.target;
    bad.target[7] = 5;
    expect_refusal(o, &bad.d, SNC_E_SHAPE, "row 7: class 5");
    o.hidden_weight = 1;
    expect_refusal(o, &data.d, SNC_E_ARG, "need a teacher");
    bad.d.n = 0;
    expect_refusal(options(), &bad.d, SNC_E_ARG, "no rows");
}

static void evaluation_does_not_depend_on_the_batch_size(void **state)
{
    (void)state;
    snc_model *m = model(4);
    float a[ROWS * NANO_K], b[ROWS * NANO_K];
    assert_int_equal(snc_train_eval_model(a, &ctx, m, NULL, SNC_COMPUTE_F32, &data.d, 1, NULL), SNC_OK);
    assert_int_equal(snc_train_eval_model(b, &ctx, m, NULL, SNC_COMPUTE_F32, &data.d, 500, NULL), SNC_OK);
    for (int i = 0; i < ROWS * NANO_K; i++) assert_true(fabs((double)a[i] - (double)b[i]) < 1e-5);
    snc_model_free(m);
}

/* Two tables in place of three, positions behind row 0, another head or none, tables of another width, biases by distance,
 * distances apart. */
/* Of a type table with one row, whatever the segment is. */
static void rows_that_are_touched_are_rows_of_the_table(void **state)
{
    (void)state;
    const snc_encoder_config cfg = nano_family_config(snc_family_find("roberta"));
    int32_t ids[] = {5, 7, 7}, types[] = {0, 1, 1}, offsets[] = {0, 3};
    const snc_tokens x = {.B = 1, .T = 3, .ids = ids, .types = types, .offsets = offsets};
    static const int32_t want[3][3] = {{5, 7}, {2, 3, 4}, {0}};
    static const int rows[] = {2, 3, 1};
    snc_model *m;
    snc_touched *t;
    int n;
    assert_int_equal(nano_model_of(&m, &cfg, 3), SNC_OK);
    assert_int_equal(snc_touched_new(&t, m), SNC_OK);
    const snc_row_set *set = snc_touched_scan(&n, t, &x);
    assert_int_equal(n, 3);
    for (int i = 0; i < n; i++) {
        assert_int_equal(set[i].n, rows[i]);
        assert_memory_equal(set[i].rows, want[i], (size_t)rows[i] * sizeof want[0][0]);
    }
    snc_touched_free(t);
    snc_model_free(m);
}

/* Work bounds the rows, whatever the machine; a few hundred are always read. */
static void importance_reads_as_many_rows_as_its_work_allows(void **state)
{
    (void)state;
    snc_model *m = trained_teacher();
    snc_importance_opts o = SNC_IMPORTANCE_OPTS_INIT;
    snc_dataset many = data.d;
    int64_t *start;
    assert_int_equal(snc_alloc(&start, 5001, sizeof *start), SNC_OK);
    for (int i = 0; i <= 5000; i++) start[i] = 10 * (int64_t)i;
    many.n = 5000;
    many.start = start;
    double row = 10 * (double)snc_cost_encoder_macs(&m->cfg, &m->arch, 1);
    assert_int_equal(snc_importance_rows(m, &data.d, &o), ROWS);
    assert_int_equal(snc_importance_rows(m, &many, &o), 1024);
    o.max_macs = 1000.5 * row;
    assert_int_equal(snc_importance_rows(m, &many, &o), 1000);
    o.max_macs = row;
    assert_int_equal(snc_importance_rows(m, &many, &o), 256);
    assert_int_equal(snc_importance_rows(m, &data.d, &o), ROWS < 256 ? ROWS : 256);
    snc_free(start);
    snc_model_free(m);
}

static void importance_without_labels_is_refused(void **state)
{
    (void)state;
    toy bare = data;
    snc_model *m = model(4);
    snc_importance s;
    snc_importance_opts o = SNC_IMPORTANCE_OPTS_INIT;
    bare.d.target = bare.target;
    for (int i = 0; i < ROWS; i++) bare.target[i] = NAN;
    assert_int_equal(snc_importance_score(&s, &ctx, m, &bare.d, &o), SNC_E_ARG);
    assert_null(s.block);
    snc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heads_own_dropout_is_trained_with),
        cmocka_unit_test(a_run_that_is_late_is_shortened),
        cmocka_unit_test(a_resumed_run_has_the_bits_of_an_uninterrupted_one),
        cmocka_unit_test(a_cancelled_run_is_saved_and_continues_to_the_same_bits),
        cmocka_unit_test(checkpoints_come_by_time),
        cmocka_unit_test(a_checkpoint_of_other_inputs_or_damaged_is_refused_by_name),
        cmocka_unit_test(a_loss_that_is_not_finite_stops_and_names_the_step),
        cmocka_unit_test(a_net_is_repaired_under_its_int8_grid_and_keeps_its_master),
        cmocka_unit_test(parts_of_an_epoch_and_the_epoch_callback_count_right),
        cmocka_unit_test(wrong_inputs_are_named),
        cmocka_unit_test(evaluation_does_not_depend_on_the_batch_size),
        cmocka_unit_test(rows_that_are_touched_are_rows_of_the_table),
        cmocka_unit_test(importance_reads_as_many_rows_as_its_work_allows),
        cmocka_unit_test(importance_without_labels_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
