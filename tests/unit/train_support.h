/* A recipe for tests of training, and a small space: half to all of the layers, quarters of heads and FFN, eighths of the hidden width. */
#ifndef SNC_TESTS_TRAIN_SUPPORT_H
#define SNC_TESTS_TRAIN_SUPPORT_H

#include "base/rng.h"
#include "data/dataset.h"
#include "models/space.h"
#include "train/trainer.h"

/* A recipe for tests, which say what of it they change. */
static inline snc_train_opts recipe_of_tests(void)
{
    snc_train_opts o = SNC_TRAIN_OPTS_INIT;
    o.epochs = 3, o.batch_size = 32, o.lr = 5e-5;
    o.warmup = 0.06, o.weight_decay = 0.01, o.clip = 1, o.alpha = 0.3;
    o.dropout = o.lazy_rows = true;
    o.random_nets = 2;
    assert_int_equal(snc_sampler_find(&o.sampler, "sandwich"), SNC_OK);
    return o;
}

/* 64 rows of six drawn words and two labels in turn, in memory that the caller keeps. vocab: of the model. */
enum { SMALL_ROWS = 64, SMALL_WORDS = 6 };
typedef struct small_rows {
    int64_t start[SMALL_ROWS + 1], line[SMALL_ROWS];
    int32_t ids[SMALL_ROWS * SMALL_WORDS], types[SMALL_ROWS * SMALL_WORDS];
    float target[SMALL_ROWS];
} small_rows;

static inline snc_dataset small_rows_draw(small_rows *s, int vocab)
{
    snc_rng r;
    *s = (small_rows){0};
    snc_rng_init(&r, 1, 1);
    for (int i = 0; i < SMALL_ROWS * SMALL_WORDS; i++) s->ids[i] = 2 + (int32_t)snc_rng_below(&r, (uint32_t)vocab - 2);
    for (int i = 0; i < SMALL_ROWS; i++) {
        s->target[i] = (float)(i % 2);
        s->start[i + 1] = s->start[i] + SMALL_WORDS;
    }
    return (snc_dataset){
        .n = SMALL_ROWS, .max_len = SMALL_WORDS, .start = s->start, .ids = s->ids, .types = s->types, .target = s->target, .line = s->line};
}

/* Parts of `full` from `first` to `of` eighths (or quarters ...), rounded down to `step` units, without repeats. */
static inline void add_parts(cJSON *j, const char *key, int full, int first, int of, int step)
{
    cJSON *list = cJSON_AddArrayToObject(j, key);
    for (int i = first, last = 0; i <= of; i++) {
        int x = i == of ? full : full * i / of / step * step;
        if (x > last) cJSON_AddItemToArray(list, cJSON_CreateNumber(last = x));
    }
}

static inline snc_space *space_in_quarters(const snc_encoder_config *c, const snc_arch *parent)
{
    const snc_space_opts o = {.depth_rule = "even", .fp = SNC_F32};
    cJSON *j = cJSON_CreateObject();
    snc_space *s = NULL;
    add_parts(j, "hidden", parent->hidden, 4, 8, 16);
    add_parts(j, "heads", parent->heads[0], 1, 4, 1);
    add_parts(j, "ffn", parent->ffn[0], 1, 4, parent->ffn[0] >= 64 ? 16 : 1);
    assert_int_equal(snc_space_from_json(&s, c, parent, &o, j, "quarters"), SNC_OK);
    assert_int_equal(snc_space_check(s, parent), SNC_OK);
    cJSON_Delete(j);
    return s;
}

#endif
