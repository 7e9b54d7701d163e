/* Training that computes activations twice has the bits of training that keeps them, whatever its nets learn from; and where memory is so
 * short that parts of a step would be a row each, it does so by itself. */
#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "check.h"
#include "models/source_mos.h"
#include "train/adamw_kernel.h"
#include "unit/train_toy.h"

typedef struct trial {
    snc_train_opts o;
    snc_encoder_config cfg;
    const snc_dataset *d;
    bool supernet, mixed;
} trial;

/* Returns the model as trained, with a teacher of random weights where there is a space. */
static snc_model *trained(snc_train_result *r, const trial *x, snc_recompute recompute)
{
    snc_ctx c = ctx;
    snc_model *m = NULL, *teacher = NULL;
    snc_space *space = NULL;
    c.recompute = recompute;
    assert_int_equal(nano_model_of(&m, &x->cfg, 3), SNC_OK);
    assert_int_equal(nano_model_of(&teacher, &x->cfg, 5), SNC_OK);
    if (x->mixed) assert_int_equal(snc_model_mix(m, &c, &(snc_mixture){.experts = 2}, 5), SNC_OK);
    if (x->supernet) space = space_in_quarters(&m->cfg, &m->arch);
    assert_int_equal(snc_train_run(r, &c, m, x->supernet ? teacher : NULL, x->d, space, &x->o), SNC_OK);
    snc_space_free(space);
    snc_model_free(teacher);
    return m;
}

static void check_bits(trial x)
{
    snc_train_result kept, twice;
    x.o.max_steps = 3;
    x.o.lr = 1e-3;
    x.o.dropout = x.o.subnet_dropout = true;
    x.cfg.hidden_dropout = x.cfg.attention_dropout = 0.2f;
    for (int at_once = 0; at_once <= 7; at_once += 7) {
        x.o.at_once = at_once;
        snc_model *a = trained(&kept, &x, SNC_RECOMPUTE_OFF), *b = trained(&twice, &x, SNC_RECOMPUTE_ON);
        assert_true(kept.loss == twice.loss && kept.full_loss == twice.full_loss);
        assert_memory_equal(a->params.w, b->params.w, a->params.total * sizeof(float));
        snc_model_free(a);
        snc_model_free(b);
    }
}

static trial trial_of(const char *family)
{
    return (trial){.o = options(), .cfg = nano_family_config(snc_family_find(family)), .d = &data.d};
}

static void fine_tuning_has_the_same_bits(void **state)
{
    (void)state;
    static const char *const names[] = {"bert", "modernbert", "deberta-v2", "mpnet"};
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        trial x = trial_of(names[i / 2]);
        x.o.compute = i % 2 ? SNC_COMPUTE_BF16 : SNC_COMPUTE_F32;
        x.o.half_state = i % 2;
        check_bits(x);
    }
}

/* Hidden states, relations of attention, the net before, a momentum copy, and groups of weights. */
static trial everything(const char *sampler)
{
    trial x = trial_of("bert");
    x.supernet = true;
    x.o.alpha = 0.3;
    x.o.hidden_weight = x.o.relation_weight = 1;
    x.o.relations[SNC_RELATE_KK] = 1;
    x.o.momentum_weight = 0.5;
    x.o.momentum = 0.9;
    x.o.group_weight = 1e-3;
    x.o.random_nets = 2;
    assert_int_equal(snc_sampler_find(&x.o.sampler, sampler), SNC_OK);
    return x;
}

static void nets_that_learn_from_everything_have_the_same_bits(void **state)
{
    (void)state;
    trial x = everything("sandwich");
    x.o.in_place = true;
    x.o.consistency_weight = 0.5;
    check_bits(x);
    check_bits(everything("subbatch"));
    x.o.compute = SNC_COMPUTE_BF16;
    check_bits(x);
}

static void mixtures_have_the_same_bits(void **state)
{
    (void)state;
    trial x = everything("sandwich");
    x.o.group_weight = 0;
    x.mixed = true;
    check_bits(x);
}

/* Each word but the first is an answer. */
static void tags_have_the_same_bits(void **state)
{
    (void)state;
    static int64_t answers[ROWS + 1];
    static int32_t read[ROWS * 16];
    static float target[ROWS * 16];
    snc_dataset d = data.d;
    for (int i = 0; i < ROWS; i++) {
        answers[i + 1] = answers[i] + snc_dataset_len(&d, i) - 1;
        for (int64_t k = answers[i]; k < answers[i + 1]; k++) {
            read[k] = (int32_t)(k - answers[i]) + 1;
            target[k] = (float)(d.ids[d.start[i] + read[k]] % 2);
        }
    }
    d.answers = answers;
    d.read = read;
    d.target = target;
    trial x = trial_of("bert");
    x.supernet = x.cfg.tags = true;
    x.o.hidden_weight = 1;
    x.d = &d;
    check_bits(x);
}

/* ---- what is chosen ------------------------------------------------------------------------------------------------------- */

enum { LONG_ROWS = 16, LONG = 32 };

typedef struct heard {
    int at_once;
    bool twice;
    volatile int cancel;
} heard;

static void hear(void *user, snc_log_level level, const char *line)
{
    heard *h = user;
    const char *rows = strstr(line, "train: ");
    (void)level;
    if (!rows || !strstr(line, "rows of a step are computed at once")) return;
    h->at_once = (int)strtol(rows + 7, NULL, 10);
    h->twice = strstr(line, ", activations twice") != NULL;
    h->cancel = 1;
}

static snc_model *zeros(const snc_encoder_config *cfg)
{
    const snc_arch arch = snc_arch_full(cfg);
    snc_model *m;
    assert_int_equal(snc_model_new(&m, cfg, &arch), SNC_OK);
    return m;
}

/* What is said before the first step where memory is for gradients, moments and `bytes` more. */
static heard plan_within(snc_recompute recompute, const snc_encoder_config *cfg, const snc_dataset *d, double bytes)
{
    heard h = {.at_once = LONG_ROWS};
    snc_ctx c = ctx;
    snc_model *m = zeros(cfg);
    snc_train_opts o = options();
    snc_train_result r;
    o.batch_size = LONG_ROWS;
    o.max_steps = 1;
    o.half_state = true;
    c.recompute = recompute;
    c.log = hear;
    c.user = &h;
    c.cancel = &h.cancel;
    const double state = (double)m->params.total * (sizeof(float) + sizeof(snc_bf16) + sizeof(snc_square));
    c.max_memory = snc_room_resident() + (state + bytes) / SNC_ROOM_SURE;
    const snc_err err = snc_train_run(&r, &c, m, NULL, d, NULL, &o);
    assert_int_equal(err, h.cancel ? SNC_E_CANCELLED : SNC_OK);
    snc_model_free(m);
    return h;
}

static double bytes_of(const snc_encoder_config *cfg, int rows, bool recompute)
{
    const snc_engine_opts o = {
        .max_tokens = rows * LONG, .max_seqs = rows, .max_len = LONG, .train = true, .first_only = true, .recompute = recompute};
    snc_model *m = zeros(cfg);
    double bytes;
    assert_int_equal(snc_engine_bytes(&bytes, &ctx, m, &o), SNC_OK);
    snc_model_free(m);
    return bytes;
}

static void memory_decides_where_nobody_says(void **state)
{
    (void)state;
    static int64_t start[LONG_ROWS + 1], line[LONG_ROWS];
    static int32_t ids[LONG_ROWS * LONG], types[LONG_ROWS * LONG];
    static float target[LONG_ROWS];
    for (int i = 0; i < LONG_ROWS; i++) start[i + 1] = start[i] + LONG, target[i] = (float)(i % 2);
    for (int i = 0; i < LONG_ROWS * LONG; i++) ids[i] = 1 + i % (NANO_V - 1);
    const snc_dataset d = {.n = LONG_ROWS, .max_len = LONG, .start = start, .ids = ids, .types = types, .target = target, .line = line};
    snc_encoder_config cfg = nano_config();
    cfg.hidden = 256;
    cfg.ffn = 1024;
    cfg.heads = 32;
    cfg.layers = 12;
    const double one = bytes_of(&cfg, 1, false), two = bytes_of(&cfg, 2, false), four = bytes_of(&cfg, 4, false),
                 all = bytes_of(&cfg, LONG_ROWS, true);
    assert_true(one - all / LONG_ROWS > 5e6); /* what the process itself needs must not count */
    /* A row at a time would fit: parts of 32 tokens. */
    heard h = plan_within(SNC_RECOMPUTE_OFF, &cfg, &d, (one + two) / 2);
    assert_true(h.at_once == 1 && !h.twice);
    h = plan_within(SNC_RECOMPUTE_AUTO, &cfg, &d, (one + two) / 2);
    assert_true(h.at_once >= 4 && h.twice);
    /* Parts of 128 tokens are long enough; where it was asked for there is one part. */
    h = plan_within(SNC_RECOMPUTE_AUTO, &cfg, &d, 1.5 * four);
    assert_true(h.at_once == 4 && !h.twice);
    h = plan_within(SNC_RECOMPUTE_ON, &cfg, &d, 1.5 * four);
    assert_true(h.at_once == LONG_ROWS);
    /* Not even a row fits; all do. */
    h = plan_within(SNC_RECOMPUTE_AUTO, &cfg, &d, one / 2);
    assert_true(h.twice);
    h = plan_within(SNC_RECOMPUTE_AUTO, &cfg, &d, 2 * bytes_of(&cfg, LONG_ROWS, false));
    assert_true(h.at_once == LONG_ROWS && !h.twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fine_tuning_has_the_same_bits),    cmocka_unit_test(nets_that_learn_from_everything_have_the_same_bits),
        cmocka_unit_test(mixtures_have_the_same_bits),      cmocka_unit_test(tags_have_the_same_bits),
        cmocka_unit_test(memory_decides_where_nobody_says),
    };
    return cmocka_run_group_tests(tests, toy_set_up, NULL);
}
