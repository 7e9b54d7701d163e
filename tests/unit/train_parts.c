/* A step whose rows are computed in parts, some at a time or by several ranks: what a step of all rows at once comes to, whatever its nets
 * learn from. */
#include <math.h>

#include "check.h"
#include "toy_family.h"
#include "unit/train_crew.h"

/* Rows at a time, 0: all of this rank's; and ranks. */
typedef struct parts {
    int at_once, ranks;
} parts;

/* The teacher's loss and the nets' are of an epoch with dropout. */
static double loss_of(const snc_family *family, const snc_train_opts *given, bool distilled, const snc_dataset *d, parts p)
{
    snc_encoder_config cfg = nano_family_config(family);
    snc_train_opts o = *given;
    snc_model *m = NULL, *teacher = NULL;
    snc_space *space = NULL;
    cfg.hidden_dropout = cfg.attention_dropout = 0.2f;
    cfg.tags = d->answers != NULL;
    assert_int_equal(nano_model_of(&m, &cfg, 3), SNC_OK);
    assert_int_equal(nano_model_of(&teacher, &cfg, 5), SNC_OK);
    if (distilled) space = space_in_quarters(&m->cfg, &m->arch);
    o.epochs = 1;
    o.batch_size = BATCH;
    o.lr = 1e-3;
    o.dropout = o.subnet_dropout = true;
    o.at_once = p.at_once;
    job j = {.m = m, .teacher = distilled ? teacher : NULL, .d = d, .space = space, .o = &o};
    assert_int_equal(run_on(p.ranks, &j), SNC_OK);
    snc_space_free(space);
    snc_model_free(teacher);
    snc_model_free(m);
    return j.r.loss;
}

static void check_parts_of(const snc_family *family, const snc_train_opts *o, bool distilled, const snc_dataset *d)
{
    static const parts all[] = {{7, 1}, {1, 1}, {0, 2}, {3, 4}};
    const double whole = loss_of(family, o, distilled, d, (parts){0, 1});
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const double loss = loss_of(family, o, distilled, d, all[i]);
        if (fabs(loss / whole - 1) > 1e-5)
            fail_msg("%s, %d ranks, %d rows at once: %.9g, all: %.9g", family->type, all[i].ranks, all[i].at_once, loss, whole);
    }
}

static void check_parts(const snc_family *family, const snc_train_opts *o, bool distilled)
{
    check_parts_of(family, o, distilled, &data.d);
}

static void fine_tuning_of_every_kind_of_dropout(void **state)
{
    (void)state;
    const char *const names[] = {"bert", "modernbert", "deberta-v2", "mpnet"};
    const snc_train_opts o = options();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) check_parts(snc_family_find(names[i]), &o, false);
}

static void nets_that_learn_from_everything(void **state)
{
    (void)state;
    snc_train_opts o = options();
    o.alpha = 0.3;
    o.hidden_weight = 1;
    o.relation_weight = 1;
    o.relations[SNC_RELATE_KK] = 1;
    o.consistency_weight = 0.5;
    o.momentum_weight = 0.5;
    o.momentum = 0.9;
    o.group_weight = 1e-3;
    o.random_nets = 2;
    o.in_place = true;
    assert_int_equal(snc_sampler_find(&o.sampler, "sandwich"), SNC_OK);
    check_parts(snc_family_find("bert"), &o, true);
}

static void nets_with_a_part_of_the_batch_each(void **state)
{
    (void)state;
    snc_train_opts o = options();
    o.random_nets = 3;
    o.hidden_weight = 1;
    assert_int_equal(snc_sampler_find(&o.sampler, "subbatch"), SNC_OK);
    check_parts(snc_family_find("bert"), &o, true);
}

static void rows_that_are_drawn_by_what_was_seen(void **state)
{
    (void)state;
    snc_train_opts o = options();
    assert_int_equal(snc_data_sampler_find(&o.data_sampler, "focal"), SNC_OK);
    check_parts(snc_family_find("bert"), &o, false);
}

/* Words of a text are answers, as many as it has; every third text has none, so that some parts have none. */
static void tags_of_words(void **state)
{
    (void)state;
    static int64_t answers[ROWS + 1];
    static int32_t read[ROWS * 16];
    static float target[ROWS * 16];
    snc_dataset d = data.d;
    snc_train_opts o = options();
    for (int i = 0; i < ROWS; i++) {
        const int n = i % 3 ? snc_dataset_len(&d, i) - 1 : 0;
        answers[i + 1] = answers[i] + n;
        for (int k = 0; k < n; k++) {
            read[answers[i] + k] = k + 1;
            target[answers[i] + k] = (float)(d.ids[d.start[i] + k + 1] % 2);
        }
    }
    d.answers = answers;
    d.read = read;
    d.target = target;
    check_parts_of(snc_family_find("bert"), &o, false, &d);
    o.hidden_weight = 1;
    assert_int_equal(snc_sampler_find(&o.sampler, "sandwich"), SNC_OK);
    check_parts_of(snc_family_find("bert"), &o, true, &d);
}

/* Less than the process has already. */
static void memory_decides_where_nobody_says(void **state)
{
    (void)state;
    snc_ctx tight = ctx;
    snc_train_opts o = options();
    snc_train_result r;
    snc_model *m = model(3);
    o.max_steps = 2;
    tight.max_memory = 1; /* a row at a time */
    assert_int_equal(snc_train_run(&r, &tight, m, NULL, &data.d, NULL, &o), SNC_OK);
    assert_true(r.made == 2);
    snc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fine_tuning_of_every_kind_of_dropout),
        cmocka_unit_test(nets_that_learn_from_everything),
        cmocka_unit_test(nets_with_a_part_of_the_batch_each),
        cmocka_unit_test(rows_that_are_drawn_by_what_was_seen),
        cmocka_unit_test(tags_of_words),
        cmocka_unit_test(memory_decides_where_nobody_says),
    };
    return cmocka_run_group_tests(tests, toy_set_up, NULL);
}
