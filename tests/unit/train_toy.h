/* A generated task, small enough that every test of the training loop can learn it, and the nano model that does. */
#ifndef SNC_TESTS_TRAIN_TOY_H
#define SNC_TESTS_TRAIN_TOY_H

#include <string.h>

#include "nano.h"
#include "train/evaluate.h"
#include "train/trainer.h"
#include "unit/train_support.h"

enum { ROWS = 192, BATCH = 16 };

/* The task: the class is whether piece 10 or piece 11 stands somewhere between random others. */
typedef struct toy {
    snc_dataset d;
    int64_t start[ROWS + 1], line[ROWS];
    int32_t ids[ROWS * 16], types[ROWS * 16];
    float target[ROWS];
} toy;

static inline void toy_make(toy *t, uint64_t seed)
{
    snc_rng r;
    snc_rng_init(&r, seed, 1);
    memset(t, 0, sizeof *t);
    for (int i = 0; i < ROWS; i++) {
        int n = 4 + (int)snc_rng_below(&r, 12), y = (int)snc_rng_below(&r, 2);
        int64_t at = t->start[i];
        for (int k = 0; k < n; k++) t->ids[at + k] = 20 + (int32_t)snc_rng_below(&r, NANO_V - 20);
        t->ids[at] = 2;
        t->ids[at + 1 + snc_rng_below(&r, (uint32_t)n - 1)] = 10 + y;
        t->target[i] = (float)y;
        t->start[i + 1] = at + n;
        if (n > t->d.max_len) t->d.max_len = n;
    }
    t->d.n = ROWS;
    t->d.start = t->start;
    t->d.ids = t->ids;
    t->d.types = t->types;
    t->d.target = t->target;
    t->d.line = t->line;
}

static toy data, held_out;
static snc_ctx ctx = SNC_CTX_INIT;

static inline void quiet(void *user, snc_log_level level, const char *line) { (void)user, (void)level, (void)line; }

static inline int toy_set_up(void **state)
{
    (void)state;
    toy_make(&data, 1);
    toy_make(&held_out, 2);
    ctx.threads = 2;
    ctx.log = quiet;
    return snc_ctx_check(&ctx);
}

static inline snc_train_opts options(void)
{
    snc_train_opts o = recipe_of_tests();
    o.epochs = 3;
    o.batch_size = BATCH;
    o.lr = 2e-3;
    return o;
}

static inline snc_model *model(uint64_t seed)
{
    snc_model *m;
    assert_int_equal(nano_model(&m, seed), SNC_OK);
    return m;
}

static inline double accuracy(snc_model *m, const snc_arch *arch, const toy *t)
{
    float z[ROWS * NANO_K], pred[ROWS];
    int right = 0;
    assert_int_equal(snc_train_eval_model(z, &ctx, m, arch, SNC_COMPUTE_F32, &t->d, BATCH, NULL), SNC_OK);
    snc_train_predictions(pred, z, ROWS, NANO_K);
    for (int i = 0; i < ROWS; i++) right += pred[i] == t->target[i];
    return (double)right / ROWS;
}

static inline snc_model *trained_teacher(void)
{
    snc_model *m = model(3);
    snc_train_opts o = options();
    snc_train_result r;
    o.epochs = 12;
    assert_int_equal(snc_train_run(&r, &ctx, m, NULL, &data.d, NULL, &o), SNC_OK);
    assert_true(r.finished && r.step == r.total_steps && r.step == 12 * ROWS / BATCH);
    return m;
}

#endif
