/* A recipe for tests of training, and a small space: half to all of the layers, quarters of heads and FFN, eighths of the hidden width. */
#ifndef SNC_TESTS_TRAIN_SUPPORT_H
#define SNC_TESTS_TRAIN_SUPPORT_H

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
