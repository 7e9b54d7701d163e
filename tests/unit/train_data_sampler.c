/* Data samplers: every one of the registry draws the same rows of the same seed and what it was told, and goes on from its block in the
 * middle of a chunk; a training run does likewise from its checkpoint. And what each is for: rows that lose much, that have long
 * gradients, of classes that are confused. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"
#include "nano.h"
#include "train/trainer.h"
#include "unit/train_support.h"

enum { N = 600, K = 3, BATCH = 4, STEPS = N / BATCH, CHUNK = 50 };

static snc_ctx ctx = SNC_CTX_INIT;
static int64_t start[N + 1];
static int32_t ids[N], types[N];
static float target[N], taught[N * K], logits[N * K]; /* of the largest net, whatever it learns */
static snc_dataset data = {.n = N, .max_len = 1, .start = start, .ids = ids, .types = types, .target = target};
static char checkpoint[64];

static void quiet(void *user, snc_log_level level, const char *text) { (void)user, (void)level, (void)text; }

/* Rows of one token. Class i % 3; every fifth has no label but a teacher that says so. Class 0 and 1 are confused. */
static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        const int k = i % K;
        start[i + 1] = i + 1;
        ids[i] = 2 + i % 50;
        target[i] = i % 5 ? (float)k : NAN;
        for (int c = 0; c < K; c++) {
            taught[i * K + c] = c == k ? 3 : 0;
            logits[i * K + c] = k == 2 ? (c == 2 ? 6 : 0) : (c == 2 ? -6 : c == k ? 0.3f : 0);
        }
    }
    ctx.log = quiet;
    ctx.threads = 1;
    ctx.backend = SNC_BACKEND_REF;
    snprintf(checkpoint, sizeof checkpoint, "train_data_sampler.%ld.ckpt", (long)getpid());
    return snc_ctx_check(&ctx);
}

static int tear_down(void **state)
{
    (void)state;
    remove(checkpoint);
    return 0;
}

typedef struct run {
    snc_data_view v;
    snc_batcher *b;
    snc_data_sampler *s;
} run;

static void open_run(run *r, const snc_data_sampler_kind *kind)
{
    *r = (run){.v = {.d = &data, .taught = taught, .K = K, .problem = SNC_MEANS_CLASSES}};
    assert_int_equal(snc_batcher_new(&r->b, &data, BATCH), SNC_OK);
    assert_int_equal(snc_data_sampler_create(&r->s, kind, 7, r->b, &r->v, 4 * STEPS), SNC_OK);
}

static void close_run(run *r)
{
    snc_data_sampler_free(r->s);
    snc_batcher_free(r->b);
}

/* One step of one net, whose gradient by the logits is that of its loss; drawn [BATCH] are its rows. */
static void step(int32_t *drawn, run *r, int64_t at)
{
    snc_tokens x;
    const int32_t *rows;
    float z[BATCH * K], d[BATCH * K] = {0}, soft[BATCH * K], y[BATCH];
    snc_data_sampler_batch(&x, &rows, r->s, at);
    assert_int_equal(x.B, BATCH);
    memcpy(drawn, rows, BATCH * sizeof *drawn);
    for (int b = 0; b < BATCH; b++) {
        assert_int_equal(x.ids[b], ids[rows[b]]);
        memcpy(z + b * K, logits + rows[b] * K, K * sizeof *z);
        memcpy(soft + b * K, taught + rows[b] * K, K * sizeof *z);
        y[b] = target[rows[b]];
    }
    const snc_loss_labels labels = {.problem = SNC_MEANS_CLASSES, .target = y};
    snc_loss_hard(d, z, &labels, BATCH, K, 0.5);
    snc_loss_soft(d, z, soft, SNC_MEANS_CLASSES, BATCH, K, 1, 0.5);
    const snc_data_seen seen = {.anew = true, .B = BATCH, .dlogits = d, .logits = z, .soft = soft, .y = &labels};
    snc_data_sampler_see(r->s, &seen);
    snc_data_sampler_tell(r->s);
}

static const snc_data_sampler_kind *kind_of(const char *name)
{
    const snc_data_sampler_kind *kind;
    assert_int_equal(snc_data_sampler_find(&kind, name), SNC_OK);
    return kind;
}

static void rows_depend_on_seed_and_what_was_told_alone(void **state)
{
    (void)state;
    static int32_t once[2 * STEPS][BATCH], again[2 * STEPS][BATCH];
    for (int i = 0; snc_data_sampler_name(i); i++) {
        const snc_data_sampler_kind *kind = kind_of(snc_data_sampler_name(i));
        run r, other, rest;
        open_run(&r, kind);
        open_run(&other, kind);
        open_run(&rest, kind);
        for (int k = 0; k < 2 * STEPS; k++) {
            step(once[k], &r, k);
            step(again[k], &other, k);
            const snc_block from = snc_data_sampler_block(other.s), to = snc_data_sampler_block(rest.s);
            assert_int_equal(from.bytes, to.bytes);
            assert_true((from.bytes > 0) == (kind->draw != NULL));
            if (k == STEPS + 17 && from.bytes) memcpy(to.data, from.data, from.bytes); /* in the middle of a chunk */
        }
        assert_memory_equal(once, again, sizeof once);
        for (int k = STEPS + 18; k < 2 * STEPS; k++) step(again[k], &rest, k);
        assert_memory_equal(once, again, sizeof once);
        close_run(&r);
        close_run(&other);
        close_run(&rest);
    }
}

static void shuffle_is_the_batchers_own_order(void **state)
{
    (void)state;
    run r;
    snc_batcher *b;
    open_run(&r, kind_of("shuffle"));
    assert_int_equal(snc_batcher_new(&b, &data, BATCH), SNC_OK);
    for (int k = 0; k < 2 * STEPS; k++) {
        int32_t drawn[BATCH];
        snc_tokens x;
        const int32_t *rows;
        if (k % STEPS == 0) snc_batcher_epoch(b, 7, k / STEPS);
        snc_batcher_get(&x, &rows, b, k % STEPS);
        step(drawn, &r, k);
        assert_memory_equal(drawn, rows, sizeof drawn);
    }
    snc_batcher_free(b);
    close_run(&r);
}

/* How often rows of each class are drawn in the fourth epoch, as a share. */
static void shares(double *share, const char *name)
{
    run r;
    int32_t drawn[BATCH];
    open_run(&r, kind_of(name));
    for (int c = 0; c < K; c++) share[c] = 0;
    for (int k = 0; k < 4 * STEPS; k++) {
        step(drawn, &r, k);
        for (int b = 0; b < BATCH && k >= 3 * STEPS; b++) share[drawn[b] % K] += 1.0 / (STEPS * BATCH);
    }
    close_run(&r);
}

static void rows_are_met_by_what_they_lose(void **state)
{
    (void)state;
    double share[K];
    shares(share, "shuffle");
    for (int c = 0; c < K; c++) assert_true(fabs(share[c] - 1.0 / K) < 1e-9);
    shares(share, "focal"); /* class 2 loses next to nothing: a third of the uniform fifth is left */
    assert_true(share[2] < 0.12 && share[0] > 0.35 && share[1] > 0.35);
    shares(share, "pada"); /* a little more of it: uniform at first */
    assert_true(share[2] < 0.25 && share[0] > 0.3 && share[1] > 0.3);
    shares(share, "confusion"); /* its pair is drawn as one of three, of a fifth */
    assert_true(share[2] < 0.12 && share[0] > 0.4 && share[1] > 0.4);
}

/* Row i has the number sin(i) and a gradient of 1 to 4: the weighted mean over draws is the plain mean over rows. */
static void weights_take_back_what_draws_favour(void **state)
{
    (void)state;
    static float met[N], weight[N];
    static double scratch[N + 1];
    static int32_t rows[200 * N];
    const snc_data_sampler_kind *pada = kind_of("pada");
    const snc_data_view v = {.d = &data, .K = K};
    double plain = 0, weighed = 0, tilted = 0, most = 0;
    snc_rng rng;
    snc_rng_init(&rng, 1, 1);
    for (int i = 0; i < N; i++) {
        met[i] = i % 7 == 0 ? 0 : (float)(2.5 + 1.5 * sin(i));
        plain += sin(i) / N;
    }
    assert_true(pada->weighs);
    pada->draw(rows, weight, met, &v, 200 * N, 1, scratch, &rng);
    for (int k = 0; k < 200 * N; k++) {
        tilted += sin(rows[k]) / (200.0 * N);
        weighed += (double)weight[rows[k]] * sin(rows[k]) / (200.0 * N);
        most = fmax(most, (double)weight[rows[k]]);
    }
    assert_true(fabs(tilted - plain) > 0.1);
    assert_true(fabs(weighed - plain) < 0.01);
    assert_true(most > 1 && most <= 5); /* no row is drawn less often than a fifth of the uniform */
    pada->draw(rows, weight, met, &v, N, 0, scratch, &rng);
    for (int i = 0; i < N; i++) assert_true(fabs((double)weight[i] - 1) < 1e-6); /* at the beginning it is uniform */
}

static void confusion_is_of_classes(void **state)
{
    (void)state;
    const snc_data_sampler_kind *kind = kind_of("confusion");
    assert_int_equal(kind->check(SNC_MEANS_REGRESSION), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "data sampler 'confusion': needs classes of which a row has one"));
    assert_int_equal(kind->check(SNC_MEANS_MULTILABEL), SNC_E_ARG);
    assert_int_equal(kind->check(SNC_MEANS_CLASSES), SNC_OK);
    /* rows of no class are drawn by their share; of one class there is no pair */
    static double scratch[N + 1];
    static float none[K * K];
    static int32_t rows[40 * N];
    float was[N];
    const snc_data_view v = {.d = &data, .K = K};
    int unlabelled = 0;
    snc_rng rng;
    snc_rng_init(&rng, 1, 1);
    kind->draw(rows, NULL, none, &v, 40 * N, 0, scratch, &rng);
    for (int k = 0; k < 40 * N; k++) unlabelled += rows[k] % 5 == 0;
    assert_true(fabs(unlabelled / (40.0 * N) - 0.2) < 0.02);
    memcpy(was, target, sizeof was);
    for (int i = 0; i < N; i++) target[i] = 1;
    kind->draw(rows, NULL, none, &v, N, 0, scratch, &rng);
    for (int k = 0; k < N; k++) assert_true(rows[k] >= 0 && rows[k] < N);
    memcpy(target, was, sizeof was);
}

/* ---- in the training loop ------------------------------------------------------------------------------------------------ */

static double train(snc_model *m, const char *name, const snc_dataset *d, int batch, snc_train_opts o)
{
    snc_train_result r;
    snc_model *teacher;
    assert_int_equal(nano_model(&teacher, 3), SNC_OK);
    snc_space *s = space_in_quarters(&m->cfg, &m->arch);
    o.epochs = 3;
    o.batch_size = batch;
    o.lr = 2e-3;
    o.data_sampler = kind_of(name);
    assert_int_equal(snc_train_run(&r, &ctx, m, teacher, d, s, &o), SNC_OK);
    snc_space_free(s);
    snc_model_free(teacher);
    return r.loss;
}

static void a_run_goes_on_from_its_checkpoint(void **state)
{
    (void)state;
    small_rows rows;
    const snc_dataset d = small_rows_draw(&rows, NANO_V);
    uint8_t met[SMALL_ROWS];
    snc_model *m[4];
    uint64_t came_to[16];
    for (int i = 0; snc_data_sampler_name(i); i++) {
        const char *name = snc_data_sampler_name(i);
        snc_train_opts o = recipe_of_tests();
        double loss[3];
        for (int k = 0; k < 4; k++) assert_int_equal(nano_model(&m[k], 4), SNC_OK);
        loss[0] = train(m[0], name, &d, 16, o);
        loss[1] = train(m[1], name, &d, 16, o);
        remove(checkpoint);
        o.checkpoint = checkpoint;
        o.max_steps = 6; /* in the middle of the second chunk, which here is an epoch */
        train(m[2], name, &d, 16, o);
        o.max_steps = 0;
        o.resume = true;
        loss[2] = train(m[3], name, &d, 16, o);
        assert_true(loss[0] == loss[1] && loss[0] == loss[2]);
        for (int k = 1; k < 4; k++)
            assert_true((memcmp(m[0]->params.w, m[k]->params.w, m[0]->params.total * sizeof(float)) == 0) == (k != 2));
        assert_true(train(m[1], name, &d, SMALL_ROWS - 4, recipe_of_tests()) > 0); /* a large batch and a small one */
        const bool draws = kind_of(name)->draw != NULL;
        assert_true(i < 16);
        came_to[i] = snc_bytes_hash(0, m[0]->params.w, m[0]->params.total * sizeof(float));
        for (int k = 0; k < i; k++) assert_true(came_to[k] != came_to[i]); /* what it was told made it draw as no other */
        for (int k = 0; k < 4; k++) snc_model_free(m[k]);
        o.data_sampler = kind_of(name);
        o.epochs = 0.5;
        o.batch_size = 16;
        assert_int_equal(snc_train_rows_met(met, &ctx, &d, &o), SNC_OK);
        int n = 0;
        for (int k = 0; k < SMALL_ROWS; k++) n += met[k];
        assert_int_equal(n, draws ? SMALL_ROWS : SMALL_ROWS / 2); /* one that learns may draw any */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_depend_on_seed_and_what_was_told_alone),
        cmocka_unit_test(shuffle_is_the_batchers_own_order),
        cmocka_unit_test(rows_are_met_by_what_they_lose),
        cmocka_unit_test(weights_take_back_what_draws_favour),
        cmocka_unit_test(confusion_is_of_classes),
        cmocka_unit_test(a_run_goes_on_from_its_checkpoint),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
