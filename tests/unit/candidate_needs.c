/* What a job will take of memory is known before it, and said with what would fit. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "artifact/option.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/room.h"
#include "candidate/finalists.h"
#include "candidate/needs.h"
#include "models/source_mos.h"
#include "check.h"
#include "toy_ranks.h"
#include "train/adamw.h"
#include "train/together.h"
#include "unit/train_support.h"

enum { ROWS = 256, LEN = 48 };
static const double WITHIN = 0.25, LIBRARIES = 0.02e9;

/* Large enough that the program itself does not count. */
static const snc_encoder_config shape = {.vocab = 4000,
                                         .positions = 64,
                                         .types = 2,
                                         .hidden = 256,
                                         .layers = 4,
                                         .heads = 4,
                                         .head_width = 64,
                                         .ffn = 1024,
                                         .classes = 2,
                                         .norm_eps = 1e-12f};

typedef struct rows {
    snc_dataset d;
    int64_t start[ROWS + 1], line[ROWS];
    int32_t ids[ROWS * LEN], types[ROWS * LEN];
    float target[ROWS];
} rows;
static rows train;
static snc_ctx ctx = SNC_CTX_INIT;
static snc_options options;
static snc_inputs inputs;
static snc_model *model;

static void silent(void *user, snc_log_level level, const char *line) { (void)user, (void)level, (void)line; }

static int set_up(void **state)
{
    (void)state;
    snc_rng r;
    snc_arch full = snc_arch_full(&shape);
    snc_rng_init(&r, 3, 1);
    for (int i = 0; i <= ROWS; i++) train.start[i] = (int64_t)i * LEN;
    for (int i = 0; i < ROWS * LEN; i++) train.ids[i] = (int32_t)snc_rng_below(&r, (uint32_t)shape.vocab);
    for (int i = 0; i < ROWS; i++) train.target[i] = (float)(i % 2);
    train.d = (snc_dataset){.n = ROWS,
                            .start = train.start,
                            .ids = train.ids,
                            .types = train.types,
                            .target = train.target,
                            .line = train.line,
                            .max_len = LEN};
    inputs.splits.train = &train.d;
    options = snc_options_defaults;
    options.training.batch_size = options.supernet.batch_size = 32;
    options.supernet.augment = 3;
    options.exporting.repair_epochs = 1;
    options.job.compute = "f32";
    options.supernet.weights = "dense";
    options.supernet.experts = 2;
    ctx.log = silent;
    ctx.threads = 1;
    return snc_model_new(&model, &shape, &full) == SNC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    snc_model_free(model);
    return 0;
}

typedef struct run {
    snc_train_opts o;
    double grown;
} run;

/* On ranks that are threads: what all of them take. */
static void train_on(snc_comm *c, void *user)
{
    static const snc_duty *const duties[] = {&snc_duty_train};
    run *r = user;
    snc_train_result result;
    snc_ctx own = ctx;
    own.comm = c->size > 1 ? c : NULL;
    if (c->rank > 0) {
        if (snc_duty_attend(&own, duties, 1) != SNC_OK) c->failed = true;
        return;
    }
    const double before = snc_room_resident();
    snc_model_init_random(model, 1);
    if (snc_train_run(&result, &own, model, NULL, &train.d, NULL, &r->o) == SNC_OK) r->grown = 1e6 * snc_peak_rss_mb() - before;
    if (snc_duty_dismiss(own.comm) != SNC_OK) r->grown = -1;
}

/* In a process of its own, for a peak of its own; with ranks each step is saved. */
static double peak_of_training(int batch, bool twice, int ranks)
{
    int at[2], status;
    double grown = -1;
    assert_int_equal(pipe(at), 0);
    pid_t child = fork();
    if (child == 0) {
        run r = {.o = recipe_of_tests(), .grown = -1};
        ctx.recompute = twice ? SNC_RECOMPUTE_ON : SNC_RECOMPUTE_OFF;
        r.o.batch_size = batch;
        r.o.max_steps = 2;
        r.o.checkpoint = ranks > 1 ? "candidate_needs.ckpt" : NULL;
        r.o.checkpoint_every = 1;
        toy_ranks(ranks, train_on, &r);
        if (ranks > 1) unlink(r.o.checkpoint);
        _exit(write(at[1], &r.grown, sizeof r.grown) == sizeof r.grown ? 0 : 1);
    }
    close(at[1]);
    assert_int_equal(read(at[0], &grown, sizeof grown), sizeof grown);
    close(at[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return grown;
}

static void what_training_needs_is_what_it_takes(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* has memory of its own behind every byte */
#endif
    const snc_needs n = {&ctx, &options, &inputs, model, SNC_VERB_FINETUNE, 0};
    for (int i = 0; i < 4; i++) {
        const int batch = i % 2 ? 32 : 8;
        double need = 0, took = peak_of_training(batch, i / 2, 1);
        assert_int_equal(snc_needs_memory(&need, &n, batch, i / 2), SNC_OK);
        if (fabs(need / took - 1) > WITHIN)
            fail_msg("batch size %d, %s: %.0f MB predicted, %.0f taken", batch, i / 2 ? "twice" : "kept", need / 1e6, took / 1e6);
    }
}

/* Rank 0 and another that has nothing before, the rows of a batch shared; what threads have of libraries they have once. */
static void what_ranks_need_is_what_they_take(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    const snc_needs n = {&ctx, &options, &inputs, model, SNC_VERB_FINETUNE, .ranks = 2};
    double need, took = peak_of_training(32, false, 2);
    assert_int_equal(snc_needs_machine(&need, &n, 1, 32, false), SNC_OK);
    if (fabs((need - LIBRARIES) / took - 1) > WITHIN) fail_msg("%.0f MB predicted, %.0f taken", need / 1e6, took / 1e6);
}

/* Of four ranks, three of them on another machine's memory or on this one's. */
static void ranks_of_a_machine_have_one_memory(void **state)
{
    (void)state;
    double one, own, alone, machine, least, part[SNC_NEEDS], other[SNC_NEEDS];
    char text[200];
    snc_options o = options;
    snc_needs n = {&ctx, &o, &inputs, model, SNC_VERB_FINETUNE, 0}, four = n;
    four.ranks = 4;
    const double all = (double)model->params.total * sizeof(float), tables = snc_adamw_tables(&model->params) * sizeof(float);
    assert_int_equal(snc_needs_memory(&one, &n, 8, false), SNC_OK);
    assert_int_equal(snc_needs_memory(&own, &four, 32, false), SNC_OK); /* 8 of 32 rows; gradients of others on their way */
    assert_true(fabs(own - one - (all - tables)) < 1);
    assert_int_equal(snc_needs_others(other, &n, 32, false), SNC_OK);
    assert_true(other[SNC_NEED_FINETUNE] == 0); /* there is none */
    assert_int_equal(snc_needs_others(other, &four, 32, false), SNC_OK);
    /* It has been sent the model, and saves no moments. */
    assert_true(fabs(other[SNC_NEED_FINETUNE] - own - all + 2 * (all - tables) * 3 / 4) < 1);
    assert_int_equal(snc_needs_machine(&machine, &four, 3, 32, false), SNC_OK);
    assert_true(fabs(machine - own - 3 * other[SNC_NEED_FINETUNE]) < 1);
    assert_int_equal(snc_needs_machine(&least, &four, 3, 1, true), SNC_OK);
    assert_int_equal(snc_needs_fit(&four, 3, machine + 1), SNC_OK);
    assert_int_equal(snc_needs_fit(&four, 3, least / 0.9 + 1), SNC_OK);
    assert_int_equal(snc_needs_fit(&four, 3, least), SNC_E_NOMEM);
    snprintf(text, sizeof text, "memory: needs %.0f MB for 4 ranks of this machine, %.0f MB are free: even a row", machine / 1e6,
             least / 1e6);
    assert_memory_equal(snc_err_text(), text, strlen(text));
    assert_int_equal(snc_needs_fit(&four, 0, least), SNC_OK); /* a machine of its own */
    /* A search's clock is rank 0's; every other rank has a share of the moments. */
    four.verb = SNC_VERB_COMPRESS;
    assert_int_equal(snc_needs_parts(part, &four, 32, false), SNC_OK);
    assert_int_equal(snc_needs_others(other, &four, 32, false), SNC_OK);
    assert_true(other[SNC_NEED_CLOCK] > all && other[SNC_NEED_CLOCK] < 2.1 * all + 21e6 && part[SNC_NEED_CLOCK] > 6 * all);
    assert_int_equal(snc_needs_memory(&alone, &four, 32, false), SNC_OK);
    assert_int_equal(snc_needs_machine(&machine, &four, 1, 32, false), SNC_OK);
    double sum = 0;
    for (int i = 0; i < SNC_NEEDS; i++) sum = fmax(sum, part[i] + other[i]);
    assert_true(machine == sum && machine > alone && other[SNC_NEED_REPAIR] > 0);
    const double before = other[SNC_NEED_REPAIR];
    four.ranks = 32; /* of a row each, as below */
    n.ranks = 1 << 20;
    assert_int_equal(snc_needs_others(other, &four, 1, false), SNC_OK);
    n.verb = SNC_VERB_COMPRESS;
    assert_int_equal(snc_needs_others(part, &n, 1, false), SNC_OK);
    assert_true(before > other[SNC_NEED_REPAIR]);
    assert_true(fabs(other[SNC_NEED_REPAIR] - part[SNC_NEED_REPAIR] - 2 * (all - tables) / 32) < 0.001 * all);
    assert_true(fabs(other[SNC_NEED_FINETUNE] - part[SNC_NEED_FINETUNE] - 2 * (all - tables) / 32) < 0.001 * all);
}

/* What fits in parts is no reason to refuse. */
static void what_does_not_fit_in_the_smallest_parts_is_refused(void **state)
{
    (void)state;
    double n8, n32, n1, kept;
    char text[200];
    snc_ctx never = ctx;
    const snc_needs n = {&ctx, &options, &inputs, model, SNC_VERB_FINETUNE, 0},
                    off = {&never, &options, &inputs, model, SNC_VERB_FINETUNE, 0};
    assert_int_equal(snc_needs_memory(&n8, &n, 8, false), SNC_OK);
    assert_int_equal(snc_needs_memory(&n32, &n, 32, false), SNC_OK);
    assert_int_equal(snc_needs_memory(&n1, &n, 1, true), SNC_OK);
    assert_int_equal(snc_needs_memory(&kept, &n, 1, false), SNC_OK);
    assert_true(n1 < kept && kept < n8 && n8 < n32);
    assert_int_equal(snc_needs_fit(&n, 0, n32 + 1), SNC_OK);
    assert_int_equal(snc_needs_fit(&n, 0, 0), SNC_OK); /* not known */
    assert_int_equal(snc_needs_fit(&n, 0, n1 / 0.9 + 1), SNC_OK);
    assert_int_equal(snc_needs_fit(&n, 0, n1 + 1), SNC_E_NOMEM); /* it might not fit a moment later */
    snprintf(text, sizeof text, "memory: needs %.0f MB, %.0f MB are free: even a row of a step at a time needs %.0f MB", n32 / 1e6,
             (n1 + 1) / 1e6, n1 / 1e6);
    assert_string_equal(snc_err_text(), text);
    never.recompute = SNC_RECOMPUTE_OFF; /* what would fit so */
    assert_int_equal(snc_needs_fit(&off, 0, n1 / 0.9 + 1), SNC_E_NOMEM);
    assert_int_equal(snc_needs_fit(&off, 0, kept / 0.9 + 1), SNC_OK);
}

/* More work never needs less. */
static void parts_add_up(void **state)
{
    (void)state;
    double need[4];
    snc_options o = options;
    snc_needs n = {&ctx, &o, &inputs, model, SNC_VERB_FINETUNE, 0};
    assert_int_equal(snc_needs_memory(&need[0], &n, 32, false), SNC_OK);
    n.verb = SNC_VERB_SUPERNET;
    assert_int_equal(snc_needs_memory(&need[1], &n, 32, false), SNC_OK);
    o.supernet.hidden_weight = 1;
    assert_int_equal(snc_needs_memory(&need[2], &n, 32, false), SNC_OK);
    o.supernet.hidden_weight = 0;
    o.training.recipe = "{\"supernet\":{\"momentum_weight\":1}}"; /* a second model, which the checkpoint has too */
    double with, disks[2];
    assert_int_equal(snc_needs_memory(&with, &n, 32, false), SNC_OK);
    assert_int_equal(snc_needs_disk(&disks[1], &n), SNC_OK);
    o.training.recipe = options.training.recipe;
    assert_int_equal(snc_needs_disk(&disks[0], &n), SNC_OK);
    const double model_bytes = (double)model->params.total * sizeof(float);
    assert_true(with > need[1] + model_bytes && disks[1] == disks[0] + model_bytes);
    n.verb = SNC_VERB_COMPRESS;
    assert_int_equal(snc_needs_memory(&need[3], &n, 32, false), SNC_OK);
    assert_true(need[0] < need[1] && need[1] < need[2] && need[1] < need[3]);
    double part[SNC_NEEDS];
    assert_int_equal(snc_needs_parts(part, &n, 32, false), SNC_OK);
    assert_true(part[SNC_NEED_FINETUNE] == need[0] && part[SNC_NEED_SUPERNET] == need[1] && part[SNC_NEED_CLOCK] > 0);
    assert_true(fmax(fmax(part[SNC_NEED_SUPERNET], part[SNC_NEED_CLOCK]), part[SNC_NEED_REPAIR]) == need[3]);
    o.exporting.repair = "off";
    assert_int_equal(snc_needs_parts(part, &n, 32, false), SNC_OK);
    assert_true(part[SNC_NEED_REPAIR] == 0);
    assert_int_equal(snc_needs_memory(&need[3], &n, 32, false), SNC_OK);
    assert_true(need[3] >= need[1]);
    double disk;
    assert_int_equal(snc_needs_disk(&disk, &n), SNC_OK);
    assert_true(disk > 5e6 * 4);
}

/* Experts are parameters of the supernet, with gradients and moments; what is delivered has none. */
static void experts_are_counted(void **state)
{
    (void)state;
    double dense, mixed, disk[2], experts, buffers;
    snc_options o = options;
    snc_needs n = {&ctx, &o, &inputs, model, SNC_VERB_SUPERNET, 0};
    assert_int_equal(snc_needs_memory(&dense, &n, 32, false), SNC_OK);
    assert_int_equal(snc_needs_disk(&disk[0], &n), SNC_OK);
    o.supernet.weights = "mos";
    o.supernet.experts = 4;
    assert_int_equal(snc_mos_bytes(&experts, &buffers, &model->cfg, &model->arch, &(snc_mixture){.experts = 4}), SNC_OK);
    assert_true(experts > 0 && buffers > 0);
    assert_int_equal(snc_needs_memory(&mixed, &n, 32, false), SNC_OK);
    assert_int_equal(snc_needs_disk(&disk[1], &n), SNC_OK);
    assert_true(mixed >= dense + 4 * experts + buffers - 1 && disk[1] == disk[0] + 4 * experts);
    o.supernet.experts = 1; /* is the dense model */
    assert_int_equal(snc_needs_memory(&mixed, &n, 32, false), SNC_OK);
    assert_true(mixed == dense);
    n.verb = SNC_VERB_FINETUNE;
    assert_int_equal(snc_needs_memory(&dense, &n, 32, false), SNC_OK);
    o.supernet.experts = 4;
    assert_int_equal(snc_needs_memory(&mixed, &n, 32, false), SNC_OK);
    assert_true(mixed == dense);
}

/* A search holds the nets of its clock, whatever the batch size; a study that repairs trains too. */
static void a_search_needs_no_batch(void **state)
{
    (void)state;
    double one, many, most;
    snc_options o = options;
    snc_needs n = {&ctx, &o, &inputs, model, SNC_VERB_SEARCH, 0};
    assert_int_equal(snc_needs_memory(&one, &n, 1, false), SNC_OK);
    assert_int_equal(snc_needs_memory(&many, &n, 64, false), SNC_OK);
    assert_true(one == many && one > (SNC_FINALISTS + 1) * (double)model->params.total * sizeof(float));
    assert_int_equal(snc_needs_fit(&n, 0, one + 1), SNC_OK);
    assert_int_equal(snc_needs_fit(&n, 0, one - 1e6), SNC_E_NOMEM);
    assert_null(strstr(snc_err_text(), "--batch-size"));
    n.verb = SNC_VERB_PROFILE;
    assert_int_equal(snc_needs_memory(&many, &n, 1, false), SNC_OK);
    assert_true(one == many);
    n.verb = SNC_VERB_STUDY;
    o.study.protocols = "hypervolume";
    assert_int_equal(snc_needs_memory(&many, &n, 64, false), SNC_OK);
    assert_true(one == many);
    o.study.protocols = "joint";
    assert_int_equal(snc_needs_memory(&most, &n, 64, false), SNC_OK);
    assert_true(most > many);
}

static void a_machine_has_room(void **state)
{
    (void)state;
    double disk = -1;
    assert_true(snc_room_memory() > 1e6);
    assert_true(snc_room_resident() > 1e5);
    assert_int_equal(snc_room_disk(&disk, "/tmp/there/is/no/such/folder"), SNC_OK);
    assert_true(disk > 0);
    assert_int_equal(snc_room_disk(&disk, "nowhere"), SNC_OK);
    const double alone = snc_room_within(0, 1), shared = snc_room_within(0, 4);
    assert_true(shared > 0 && shared < 0.5 * alone && snc_room_machine() >= 0.5 * alone);
    assert_true(snc_room_within(1, 1) == 1 && snc_room_within(snc_room_resident() + 1e6, 4) <= 1e6);
    const snc_needs n = {&ctx, &options, &inputs, model, SNC_VERB_FINETUNE, 0};
    assert_int_equal(snc_needs_check(&n, "/tmp/x.snc", 0), SNC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_training_needs_is_what_it_takes),
        cmocka_unit_test(what_ranks_need_is_what_they_take),
        cmocka_unit_test(ranks_of_a_machine_have_one_memory),
        cmocka_unit_test(what_does_not_fit_in_the_smallest_parts_is_refused),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(experts_are_counted),
        cmocka_unit_test(a_search_needs_no_batch),
        cmocka_unit_test(a_machine_has_room),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
