/* Training on several ranks: the bits of a run, and every way to end one, which all ranks take together. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "check.h"
#include "files.h"
#include "unit/train_crew.h"

static scratch files;

static snc_train_opts sandwich(void)
{
    snc_train_opts o = options();
    o.epochs = 1;
    o.random_nets = 1;
    o.dropout = true;
    assert_int_equal(snc_sampler_find(&o.sampler, "sandwich"), SNC_OK);
    return o;
}

static job job_of(const snc_train_opts *o, const snc_space *space, snc_model *teacher)
{
    return (job){.m = model(3), .teacher = teacher, .d = &data.d, .space = space, .o = o};
}

/* Weights after a run, which the caller frees. */
static snc_model *weights_of(int ranks, const snc_train_opts *o, const snc_space *space, snc_model *teacher)
{
    job j = job_of(o, space, teacher);
    assert_int_equal(run_on(ranks, &j), SNC_OK);
    return j.m;
}

static void as_many_ranks_the_same_bits(void **state)
{
    (void)state;
    const snc_train_opts o = sandwich();
    snc_model *teacher = model(5), *first = model(3);
    snc_space *space = space_in_quarters(&first->cfg, &first->arch);
    for (int ranks = 2; ranks <= 3; ranks++) {
        snc_model *a = weights_of(ranks, &o, space, teacher), *b = weights_of(ranks, &o, space, teacher);
        assert_memory_equal(a->params.w, b->params.w, a->params.total * sizeof(float));
        assert_memory_not_equal(a->params.w, first->params.w, a->params.total * sizeof(float));
        snc_model_free(a);
        snc_model_free(b);
    }
    snc_space_free(space);
    snc_model_free(first);
    snc_model_free(teacher);
}

static double distance(const snc_model *a, const snc_model *b)
{
    double d = 0, n = 0;
    for (size_t i = 0; i < a->params.total; i++) {
        const double x = (double)a->params.w[i], y = (double)b->params.w[i];
        d += (x - y) * (x - y);
        n += x * x;
    }
    return sqrt(d / n);
}

/* 192 rows are eight batches of 24; of 20 the last has 12, of which eight ranks have one or two each; of 95 it has two. */
static void batches_that_ranks_do_not_divide(void **state)
{
    (void)state;
    static const int sizes[] = {24, 20, 95};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snc_train_opts o = options();
        o.epochs = 1;
        o.batch_size = sizes[i];
        snc_model *one = weights_of(1, &o, NULL, NULL), *eight = weights_of(8, &o, NULL, NULL);
        if (distance(one, eight) >= 1e-4) fail_msg("batches of %d: %g apart", sizes[i], distance(one, eight));
        snc_model_free(one);
        snc_model_free(eight);
    }
}

static void half_the_bytes_nearly_the_same_weights(void **state)
{
    (void)state;
    snc_train_opts o = options();
    o.epochs = 1;
    snc_model *one = weights_of(1, &o, NULL, NULL);
    job j = job_of(&o, NULL, NULL);
    j.half = true;
    assert_int_equal(run_on(3, &j), SNC_OK);
    const double d = distance(one, j.m);
    assert_true(d > 1e-7 && d < 2e-2);
    snc_model_free(one);
    snc_model_free(j.m);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------- */

static void stopped_and_resumed_on_other_ranks(void **state)
{
    (void)state;
    static const int ranks[][2] = {{2, 2}, {2, 3}, {3, 1}, {1, 2}};
    char path[4096];
    snc_train_opts o = sandwich();
    snc_model *teacher = model(5), *m = model(3);
    snc_space *space = space_in_quarters(&m->cfg, &m->arch);
    snprintf(path, sizeof path, "%s", scratch_path(&files, "ranks.checkpoint"));
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        snc_train_opts cut = o;
        unlink(path);
        cut.checkpoint = path;
        cut.resume = true;
        cut.max_steps = 7;
        snc_model *whole = weights_of(ranks[i][0], &o, space, teacher);
        snc_model_free(weights_of(ranks[i][0], &cut, space, teacher));
        cut.max_steps = 0;
        snc_model *parts = weights_of(ranks[i][1], &cut, space, teacher);
        if (ranks[i][0] == ranks[i][1]) assert_memory_equal(whole->params.w, parts->params.w, whole->params.total * sizeof(float));
        else assert_true(distance(whole, parts) < 1e-4);
        snc_model_free(whole);
        snc_model_free(parts);
    }
    unlink(path);
    snc_space_free(space);
    snc_model_free(m);
    snc_model_free(teacher);
}

/* Steps of a run that is cut there, on so many ranks; bytes of all messages. */
static size_t cut_at(int steps, int ranks, const char *checkpoint)
{
    snc_train_opts o = options();
    o.max_steps = steps;
    o.checkpoint = checkpoint;
    o.resume = checkpoint != NULL;
    job j = job_of(&o, NULL, NULL);
    assert_int_equal(run_on(ranks, &j), SNC_OK);
    snc_model_free(j.m);
    return j.bytes;
}

/* Rank 0 alone has all moments for it; what it reads of one other ranks have again, each its own. */
static void a_checkpoint_is_rank_0s(void **state)
{
    (void)state;
    char path[4096];
    uint64_t first, again;
    snc_model *m = model(3);
    const double dense = (double)m->params.total - snc_adamw_tables(&m->params), all = 2 * dense * sizeof(float);
    snc_model_free(m);
    snprintf(path, sizeof path, "%s", scratch_path(&files, "first.checkpoint"));
    for (int ranks = 1; ranks <= 4; ranks++) {
        unlink(path);
        const double sent = (double)cut_at(5, ranks, path) - (double)cut_at(5, ranks, NULL);
        assert_true(ranks == 1 ? sent == 0 : fabs(sent / (all * (ranks - 1) / ranks) - 1) < 0.2);
        assert_int_equal(snc_file_hash(&first, path), SNC_OK);
        for (int others = 1; others <= 4; others++) { /* no step, and saved again */
            cut_at(5, others, path);
            assert_int_equal(snc_file_hash(&again, path), SNC_OK);
            assert_true(again == first);
        }
    }
    unlink(path);
}

static volatile int cancel;

static void cancel_at_five(void *user, const char *what, double done, double total, const char *note)
{
    (void)user, (void)what, (void)total, (void)note;
    if (done >= 5) cancel = 1;
}

static void cancelled_by_rank_0(void **state)
{
    (void)state;
    char path[4096];
    snc_train_opts o = options();
    snc_ctx watched = ctx;
    snprintf(path, sizeof path, "%s", scratch_path(&files, "cancelled.checkpoint"));
    unlink(path);
    watched.progress = cancel_at_five;
    watched.cancel = &cancel;
    o.epochs = 40;
    o.checkpoint = path;
    o.resume = true;
    job j = job_of(&o, NULL, NULL);
    j.ctx = &watched;
    cancel = 0;
    assert_int_equal(run_on(3, &j), SNC_E_CANCELLED);
    assert_true(strstr(j.text, "interrupted at step") && strstr(j.text, "the checkpoint is saved"));
    snc_model_free(j.m);
    o.max_steps = 6;
    j = job_of(&o, NULL, NULL);
    assert_int_equal(run_on(2, &j), SNC_OK);
    assert_true(j.r.made < 6);
    snc_model_free(j.m);
    unlink(path);
}

static void a_loss_that_is_no_number(void **state)
{
    (void)state;
    snc_train_opts o = options();
    o.lr = 1e30;
    o.weight_decay = 0;
    job j = job_of(&o, NULL, NULL);
    assert_int_equal(run_on(3, &j), SNC_E_DIVERGED);
    assert_true(strstr(j.text, "is not finite; try a smaller learning rate"));
    snc_model_free(j.m);
}

static snc_err refuse(void *user, int epoch, snc_engine *e)
{
    (void)e;
    return epoch == *(const int *)user ? snc_err_set(SNC_E_IO, "no room for the epoch") : SNC_OK;
}

static void a_caller_that_ends_it_after_an_epoch(void **state)
{
    (void)state;
    snc_train_opts o = options();
    o.on_epoch = refuse;
    for (int epoch = 1; epoch <= 3; epoch++) { /* behind the last one the other ranks have ended */
        o.user = &epoch;
        o.max_steps = epoch == 1 ? ROWS / BATCH : 0;
        job j = job_of(&o, NULL, NULL);
        assert_int_equal(run_on(2, &j), SNC_E_IO);
        assert_string_equal(j.text, "no room for the epoch");
        snc_model_free(j.m);
    }
}

/* A pace is told after eight steps; 4,000 epochs take longer than what is left. */
static void shortened_to_end_in_time(void **state)
{
    (void)state;
    snc_train_opts o = options();
    snc_ctx hurried = ctx;
    o.epochs = 4000;
    hurried.until = snc_now() + 1;
    job j = job_of(&o, NULL, NULL);
    j.ctx = &hurried;
    assert_int_equal(run_on(2, &j), SNC_OK);
    assert_true(j.r.finished && j.r.step < j.r.total_steps && j.r.step > 8);
    snc_model_free(j.m);
    o.max_seconds = 0.3;
    j = job_of(&o, NULL, NULL);
    assert_int_equal(run_on(2, &j), SNC_OK);
    assert_true(!j.r.finished && j.r.step > 1);
    snc_model_free(j.m);
}

static void fewer_rows_than_ranks(void **state)
{
    (void)state;
    snc_train_opts o = options();
    o.batch_size = 3;
    job j = job_of(&o, NULL, NULL);
    assert_int_equal(run_on(4, &j), SNC_E_ARG);
    assert_string_equal(j.text, "batches of 3 rows for 4 ranks: expected at least a row for each");
    snc_model_free(j.m);
}

/* Rank 0 cannot read its checkpoint: none begins. */
static void a_checkpoint_of_something_else(void **state)
{
    (void)state;
    char path[4096];
    snc_train_opts o = options();
    snprintf(path, sizeof path, "%s", scratch_path(&files, "other.checkpoint"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("no checkpoint", f);
    fclose(f);
    o.checkpoint = path;
    o.resume = true;
    job j = job_of(&o, NULL, NULL);
    assert_int_equal(run_on(3, &j), SNC_E_FORMAT);
    snc_model_free(j.m);
    unlink(path);
}

/* ---- what else is shared ------------------------------------------------------------------------------------------------ */

enum { TIMES = 3, SWEPT = TIMES * ROWS };

/* The rows of the task, three times over: enough to be shared. */
static snc_dataset many_rows(void)
{
    static int64_t start[SWEPT + 1], line[SWEPT];
    static int32_t ids[TIMES * ROWS * 16], types[TIMES * ROWS * 16];
    static float target[SWEPT];
    for (int i = 0; i < SWEPT; i++) {
        const int n = snc_dataset_len(&data.d, i % ROWS);
        memcpy(ids + start[i], data.ids + data.start[i % ROWS], (size_t)n * sizeof *ids);
        target[i] = i % 5 ? data.target[i % ROWS] : NAN;
        start[i + 1] = start[i] + n;
    }
    return (snc_dataset){.n = SWEPT, .start = start, .ids = ids, .types = types, .target = target, .line = line, .max_len = data.d.max_len};
}

static uint8_t met[SWEPT];

static void sweep_rows(job *j, const snc_ctx *own)
{
    float **z = j->user;
    j->err = snc_train_sweep(&z[0], own, j->m, SNC_COMPUTE_F32, j->d, met, NULL);
    if (j->err) return;
    j->err = snc_alloc(&z[1], SWEPT * NANO_K, sizeof(float));
    if (!j->err) j->err = snc_train_eval_model(z[1], own, j->m, NULL, SNC_COMPUTE_F32, j->d, 10, NULL);
}

static void logits_are_the_same_bits(void **state)
{
    (void)state;
    const snc_dataset d = many_rows();
    float *one[2] = {NULL}, *more[2] = {NULL};
    for (int i = 0; i < SWEPT; i++) met[i] = i % 7 != 0;
    for (int ranks = 1; ranks <= 4; ranks++) {
        job j = {.m = model(3), .d = &d, .what = sweep_rows, .user = ranks > 1 ? more : one};
        assert_int_equal(run_on(ranks, &j), SNC_OK);
        snc_model_free(j.m);
        if (ranks == 1) continue;
        for (int i = 0; i < SWEPT; i++) {
            const size_t at = (size_t)i * NANO_K;
            assert_memory_equal(one[1] + at, more[1] + at, NANO_K * sizeof(float));
            if (met[i]) assert_memory_equal(one[0] + at, more[0] + at, NANO_K * sizeof(float));
            else assert_true(isnan((double)more[0][at]));
        }
        for (int k = 0; k < 2; k++) snc_free(more[k]);
    }
    for (int k = 0; k < 2; k++) snc_free(one[k]);
}

static void score_units(job *j, const snc_ctx *own)
{
    snc_importance_opts o = SNC_IMPORTANCE_OPTS_INIT;
    o.batch_size = 8;
    o.max_rows = 200;
    o.soft = 0.5;
    j->err = snc_importance_score(j->user, own, j->m, j->d, &o);
}

static void importance_is_the_same(void **state)
{
    (void)state;
    const snc_dataset d = many_rows();
    snc_importance one, more;
    for (int ranks = 1; ranks <= 3; ranks++) {
        job j = {.m = model(3), .d = &d, .what = score_units, .user = ranks > 1 ? &more : &one};
        assert_int_equal(run_on(ranks, &j), SNC_OK);
        snc_model_free(j.m);
        if (ranks == 1) continue;
        assert_true(more.rows == one.rows);
        for (int c = 0; c < NANO_C; c++) assert_true(one.hidden[c] > 0 && fabs(more.hidden[c] / one.hidden[c] - 1) < 1e-9);
        for (int i = 0; i < NANO_F; i++) assert_true(fabs(more.ffn[1][i] / one.ffn[1][i] - 1) < 1e-9);
        snc_importance_dispose(&more);
    }
    snc_importance_dispose(&one);
}

static int set_up(void **state)
{
    scratch_init(&files, "train_ranks");
    return toy_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_ranks_the_same_bits),
        cmocka_unit_test(batches_that_ranks_do_not_divide),
        cmocka_unit_test(half_the_bytes_nearly_the_same_weights),
        cmocka_unit_test(stopped_and_resumed_on_other_ranks),
        cmocka_unit_test(a_checkpoint_is_rank_0s),
        cmocka_unit_test(cancelled_by_rank_0),
        cmocka_unit_test(a_loss_that_is_no_number),
        cmocka_unit_test(a_caller_that_ends_it_after_an_epoch),
        cmocka_unit_test(shortened_to_end_in_time),
        cmocka_unit_test(fewer_rows_than_ranks),
        cmocka_unit_test(a_checkpoint_of_something_else),
        cmocka_unit_test(logits_are_the_same_bits),
        cmocka_unit_test(importance_is_the_same),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
