/* What a job takes on ranks and cores that are not there: rates are made up, and the equations of the header are worked out by hand. */
#include "report/scale.h"

#include <math.h>

#include "check.h"
#include "files.h"
#include "nano.h"
#include "report/scale_clock.h"
#include "toy_ranks.h"
#include "train/together.h"
#include "unit/train_support.h"

/* BERT-base on two cores: a step of a second, 86 M gradients in f32, 7 M of them in each layer. */
static const snc_scale wire = {.cores = 2,
                               .layers = 12,
                               .turns = 9,
                               .serial = 0.1,
                               .fixed = 0.2,
                               .optimiser = 0.3,
                               .here = 0.2,
                               .traffic = 2e9,
                               .memory = 1e10,
                               .sum = 4e9,
                               .layer = 28e6,
                               .others = 8e6,
                               .rows = 2e6,
                               .weights = 344e6,
                               .network = 1.25e9,
                               .latency = 50e-6};

static snc_pace job(void)
{
    return (snc_pace){.step = 1.0,
                      .call = 0.02,
                      .token = 1e-4,
                      .pack = 0.5,
                      .importance = 1000,
                      .rule = 60000,
                      .rule_rows = 600,
                      .rows = 64000,
                      .tokens = 64000 * 20.0,
                      .taught = 64000,
                      .all = 66000,
                      .baselines = 1,
                      .teachers = 1,
                      .rank = 20000,
                      .ranked = 1000,
                      .scored = 22000,
                      .batch = 64,
                      .elastic = 128,
                      .nets = 1.8,
                      .last = 0.2,
                      .repairs = true};
}

static const snc_plan plan = {.v = {3, 1, 1, 400, 1, 18, 1}};

static bool near(double a, double b) { return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b)); }

static snc_scale on_one_machine(void)
{
    snc_scale s = wire;
    assert_ok(snc_scale_network(&s, "shared"));
    return s;
}

static void one_rank_here_is_the_estimate(void **state)
{
    (void)state;
    snc_pace p = job();
    const snc_scale scales[] = {wire, on_one_machine()};
    for (int k = 0; k < 4; k++) {
        double here[SNC_JOB_PARTS], there[SNC_JOB_PARTS], exchange;
        p.both = k % 2;
        p.faster = k % 2;
        p.done[SNC_JOB_FINETUNE] = k > 1;
        const double all = snc_plan_seconds(here, &p, &plan);
        assert_true(near(snc_scale_seconds(there, &exchange, &scales[k / 2], &p, &plan, 1, 2), all) && exchange == 0);
        for (int i = 0; i < SNC_JOB_PARTS; i++)
            if (!near(here[i], there[i])) fail_msg("%s: %g s, expected %g", snc_job_part_name((snc_job_part)i), there[i], here[i]);
        assert_true(near(snc_scale_step(&scales[k / 2], &p, 1, 2), p.step));
    }
}

/* Four ranks by a network. A layer's 28 MB are 16.8 ms and three messages on it, of which the backward pass of a layer hides what it takes;
 * 692 MB are copied or added; 8 MB of no layer, rows there and back and weights are 213.6 ms and nine times three messages. */
static void layers_are_sent_behind_the_backward_pass(void **state)
{
    (void)state;
    const double copied = 0.12975, first = 0.01695, behind = 0.2136 + 0.00135;
    assert_true(near(snc_scale_bytes(&wire), 692e6));
    assert_true(snc_scale_exchange(&wire, 1, 0) == 0);
    assert_true(near(snc_scale_exchange(&wire, 4, 0), copied + 12 * first + behind));
    assert_true(near(snc_scale_exchange(&wire, 4, 0.12), copied + first + 11 * (first - 0.01) + behind));
    assert_true(near(snc_scale_exchange(&wire, 4, 12 * first), copied + first + behind));
    assert_true(near(snc_scale_exchange(&wire, 4, 100), copied + first + behind));
    const snc_scale s = on_one_machine(); /* four sums share its memory: nothing of them is behind anything */
    assert_true(near(snc_scale_exchange(&s, 4, 0), 0.519 + (12 + 9) * 6e-6));
    assert_true(near(snc_scale_exchange(&s, 4, 100), 0.519 + (1 + 9) * 6e-6));
    snc_scale half = wire; /* gradients of two bytes; weights have four */
    half.layer /= 2, half.others /= 2, half.rows /= 2;
    assert_true(near(snc_scale_bytes(&half), 518e6));
}

/* Each rank updates its share alone. */
static void the_optimiser_is_dealt_out(void **state)
{
    (void)state;
    assert_true(near(snc_scale_optimiser(&wire, 1, 2), 0.2));
    assert_true(near(snc_scale_optimiser(&wire, 4, 8), 0.05)); /* memory has no more: 0.3 s / 8 would be less */
    assert_true(near(snc_scale_optimiser(&wire, 4, 1), 0.075));
    const snc_scale s = on_one_machine();
    assert_true(near(snc_scale_optimiser(&s, 4, 8), 0.2)); /* one memory moves all of it, however many ranks */
    assert_true(near(snc_scale_optimiser(&s, 16, 8), 0.2));
    assert_true(near(snc_scale_optimiser(&s, 2, 1), 0.2) && near(snc_scale_optimiser(&s, 1, 1), 0.3));
}

/* Four ranks of eight cores: 16 of 64 rows, by a network. Backward takes 0.65 of the rows' time. */
static void a_step_is_what_the_header_says(void **state)
{
    (void)state;
    const snc_pace p = job();
    const double g = 0.2125 / 0.55, rows = 0.8 * (0.2 + 0.8 * 16 / 64) * g;
    assert_true(near(snc_scale_cores(&wire, 8), g));
    assert_true(near(rows, 0.068 / 0.55) &&
                near(snc_scale_step(&wire, &p, 4, 8), rows + 0.05 + 0.36165 + 11 * (0.01695 - 0.65 * rows / 12)));
    const double odd = 0.8 * (0.2 + 0.8 * 22 / 64) * g; /* the rank with most of 64 rows for three has 22 */
    assert_true(near(snc_scale_step(&wire, &p, 3, 8), odd + 0.2 / 3 + snc_scale_exchange(&wire, 3, 0.65 * odd)));
}

static void parts_are_shared_as_the_table_says(void **state)
{
    (void)state;
    double here[SNC_JOB_PARTS], there[SNC_JOB_PARTS], exchange;
    const snc_pace p = job();
    const snc_job_part alone[] = {SNC_JOB_TABLE, SNC_JOB_CALIBRATION, SNC_JOB_PROOF};
    const double g = snc_scale_cores(&wire, 32), all = snc_scale_seconds(there, &exchange, &wire, &p, &plan, 8, 32);
    double sum = 0;
    snc_plan_seconds(here, &p, &plan);
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) assert_true(there[alone[i]] == here[alone[i]]);
    assert_true(near(there[SNC_JOB_SCORES], here[SNC_JOB_SCORES] * g));
    assert_true(near(there[SNC_JOB_LOGITS], here[SNC_JOB_LOGITS] * g / 8));             /* 1,000 batches */
    assert_true(near(there[SNC_JOB_REFIT_LOGITS], here[SNC_JOB_REFIT_LOGITS] * g / 8)); /* 1,032 */
    assert_true(near(there[SNC_JOB_IMPORTANCE], here[SNC_JOB_IMPORTANCE] * g / 8));     /* 32 */
    assert_true(near(there[SNC_JOB_RULE], here[SNC_JOB_RULE] * g / 5));                 /* 10: two ranks have two, six one */
    for (int i = 0; i < SNC_JOB_PARTS; i++) sum += there[i];
    assert_true(near(sum, all));
    /* Steps: 3 epochs of 64,000 and of 66,000 rows by 64; a made row for each, so twice as many by 128. */
    const double tuned = 0.8 * (0.2 + 0.8 * 8 / 64) * g, one = snc_scale_exchange(&wire, 8, 0.65 * tuned);
    const double supernet = (here[SNC_JOB_SUPERNET] / 1000 - 0.2) * (0.2 + 0.8 * 16 / 128) * g,
                 last = snc_scale_exchange(&wire, 8, 0.65 * 0.2 * supernet);
    const double repair = (here[SNC_JOB_REPAIR] / 1031.25 - 0.2) * (0.2 + 0.8 * 16 / 128) * g,
                 net = snc_scale_exchange(&wire, 8, 0.65 * repair);
    assert_true(last > one && one > net); /* the more the backward pass takes, the more is behind it */
    assert_true(near(there[SNC_JOB_FINETUNE], 3000 * (tuned + 0.025 + one)));
    assert_true(near(there[SNC_JOB_FINETUNE], 3000 * snc_scale_step(&wire, &p, 8, 32)));
    assert_true(near(there[SNC_JOB_BASELINE], 3093.75 * (tuned + 0.025 + one)));
    assert_true(near(there[SNC_JOB_SUPERNET], 1000 * (supernet + 0.025 + last)));
    assert_true(near(there[SNC_JOB_REPAIR], 1031.25 * (repair + 0.025 + net)));
    assert_true(near(exchange, 6093.75 * one + 1000 * last + 1031.25 * net));
}

/* 1,000 rows are 16 batches: as many parts of each of a round's five nets. An evaluation is 0.03 s of the search and 1.5 of the net's. */
static void candidates_are_shared_by_parts_of_their_rows(void **state)
{
    (void)state;
    const struct {
        int ranks;
        double of_five, of_one; /* what a rank has at most, of a round's 80 parts and of a net's 16 */
    } cases[] = {{1, 1, 1}, {2, 40, 8}, {5, 16, 4}, {8, 10, 2}, {16, 5, 1}, {17, 5, 1}, {64, 2, 1}, {80, 1, 1}, {1024, 1, 1}};
    double here[SNC_JOB_PARTS], there[SNC_JOB_PARTS];
    snc_pace p = job();
    snc_plan_seconds(here, &p, &plan);
    assert_true(near(here[SNC_JOB_SEARCH], 400 * 1.53) && near(here[SNC_JOB_LOOK], 0.6 * 400 * 1.53));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double round = i ? cases[i].of_five / 80 : 1, look = i ? cases[i].of_one / 16 : 1;
        snc_scale_seconds(there, NULL, &wire, &p, &plan, cases[i].ranks, 2);
        if (!near(there[SNC_JOB_SEARCH], 400 * (0.03 + 1.5 * round)) || !near(there[SNC_JOB_LOOK], 0.6 * 400 * 1.53 * look))
            fail_msg("%d ranks: search %g s, second look %g s", cases[i].ranks, there[SNC_JOB_SEARCH], there[SNC_JOB_LOOK]);
    }
    /* Finalists: 104,000 tokens of made rows, of six nets and the teacher; the parts of 3,000 rows are 24 of two batches, but the last. */
    const double fresh = 104000 * (6e-4 + 0.35 / 1280);
    snc_scale_seconds(there, NULL, &wire, &p, &plan, 8, 2);
    assert_true(near(there[SNC_JOB_FINALISTS], here[SNC_JOB_FINALISTS] - fresh * 7 / 8));
    snc_scale_seconds(there, NULL, &wire, &p, &plan, 1024, 2);
    assert_true(near(there[SNC_JOB_FINALISTS], here[SNC_JOB_FINALISTS] - fresh * 23 / 24));
    p.mixed = true; /* every rank that has a part of a net packs it */
    snc_scale_seconds(there, NULL, &wire, &p, &plan, 16, 2);
    assert_true(near(there[SNC_JOB_SEARCH], 400 * (0.03 + 1.5 / 16 + 0.375 / 5)));
    snc_scale_seconds(there, NULL, &wire, &p, &plan, 2, 2);
    assert_true(near(there[SNC_JOB_SEARCH], 400 * (0.03 + 1.5 / 2 + 0.375 * 3 / 5)));
    p.mixed = false;
    p.search = 100; /* what more ranks do not shorten as long as it is all spent */
    snc_scale_seconds(there, NULL, &wire, &p, &plan, 2, 2);
    assert_true(near(there[SNC_JOB_SEARCH], 100));
    snc_scale_seconds(there, NULL, &wire, &p, &plan, 80, 2);
    assert_true(near(there[SNC_JOB_SEARCH], 400 * (0.03 + 1.5 / 80)));
}

/* A model is not sent for so few. */
static void few_rows_are_not_shared(void **state)
{
    (void)state;
    double here[SNC_JOB_PARTS], there[SNC_JOB_PARTS];
    snc_pace p = job();
    const snc_plan plain = {.v = {3, 1, 0, 400, 1, 18, 1}};
    p.rule_rows = 511;
    p.rows = p.all = p.taught = 511;
    snc_plan_seconds(here, &p, &plain);
    snc_scale_seconds(there, NULL, &wire, &p, &plain, 4, 2);
    const snc_job_part alone[] = {SNC_JOB_RULE, SNC_JOB_LOGITS, SNC_JOB_REFIT_LOGITS};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) assert_true(here[alone[i]] > 0 && there[alone[i]] == here[alone[i]]);
    p.rule_rows = p.rows = p.all = 512;
    snc_plan_seconds(here, &p, &plain);
    snc_scale_seconds(there, NULL, &wire, &p, &plain, 4, 2);
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) assert_true(near(there[alone[i]], here[alone[i]] / 4));
}

typedef struct steps {
    const snc_dataset *d;
    int64_t n;
    bool half;
    snc_err err;
} steps;

static void train_on(snc_comm *c, void *user)
{
    static const snc_duty *const duties[] = {&snc_duty_train};
    steps *s = user;
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.level = SNC_LOG_ERROR;
    ctx.comm = c;
    c->half = s->half;
    if (c->rank > 0) {
        if (snc_duty_attend(&ctx, duties, 1) != SNC_OK) s->err = SNC_E_IO;
        return;
    }
    snc_model *m;
    snc_train_result r;
    snc_train_opts o = recipe_of_tests();
    o.sampler = &snc_sampler_full;
    o.epochs = 9;
    o.batch_size = SMALL_ROWS;
    o.max_steps = s->n;
    s->err = nano_model(&m, 1);
    if (!s->err) s->err = snc_train_run(&r, &ctx, m, NULL, s->d, NULL, &o);
    snc_model_free(m);
    if (snc_duty_dismiss(c) != SNC_OK) s->err = SNC_E_IO;
}

/* Beside what is counted ranks send words and norms, which are short. Every step reads all rows. */
static void what_is_counted_is_what_ranks_send(void **state)
{
    (void)state;
    static small_rows rows;
    const snc_dataset d = small_rows_draw(&rows, NANO_V);
    const snc_ctx ctx = SNC_CTX_INIT;
    snc_model *m;
    assert_ok(nano_model(&m, 1));
    for (int k = 0; k < 4; k++) {
        const int ranks = 2 + k / 2;
        snc_scale s = {0};
        size_t bytes[2];
        int messages[2];
        for (int i = 0; i < 2; i++) {
            steps run = {&d, 2 + i, k % 2, SNC_OK};
            messages[i] = toy_ranks_bytes(&bytes[i], ranks, train_on, &run);
            assert_ok(run.err);
        }
        assert_ok(snc_scale_count(&s, &ctx, &d, m, SMALL_ROWS, k % 2));
        const double sent = (double)bytes[1] - (double)bytes[0], counted = (ranks - 1) * snc_scale_bytes(&s);
        const int turns = messages[1] - messages[0], most = ranks * (ranks - 1) * (s.layers + s.turns);
        if (sent < counted || sent > counted + 2000 * ranks * (ranks - 1))
            fail_msg("%d ranks: %g bytes counted, %g sent", ranks, counted, sent);
        /* Of a bucket that lies in one rank's share the others have nothing to be sent. */
        if (turns > most || 2 * turns < most) fail_msg("%d ranks: %d messages counted, %d sent", ranks, most, turns);
    }
    snc_model_free(m);
}

/* More cores, a faster network, fewer bytes: never slower; more ranks exchange more. */
static void more_is_never_slower(void **state)
{
    (void)state;
    double part[SNC_JOB_PARTS];
    const snc_pace p = job();
    snc_scale free_wire = wire;
    free_wire.layer = free_wire.others = free_wire.rows = free_wire.weights = free_wire.latency = 0;
    for (int ranks = 1; ranks <= 64; ranks *= 2) {
        for (int cores = 1; cores <= 32; cores *= 2) {
            const double all = snc_scale_seconds(part, NULL, &wire, &p, &plan, ranks, cores);
            snc_scale faster = wire, nearer = wire, half = wire;
            faster.network *= 2, nearer.latency /= 2, half.layer /= 2;
            assert_true(snc_scale_seconds(part, NULL, &wire, &p, &plan, ranks, 2 * cores) < all);
            if (ranks == 1) continue;
            assert_true(snc_scale_seconds(part, NULL, &faster, &p, &plan, ranks, cores) < all);
            assert_true(snc_scale_seconds(part, NULL, &nearer, &p, &plan, ranks, cores) < all);
            assert_true(snc_scale_seconds(part, NULL, &half, &p, &plan, ranks, cores) < all);
            assert_true(snc_scale_exchange(&wire, ranks, 0.1) > snc_scale_exchange(&wire, ranks / 2, 0.1));
            assert_true(snc_scale_seconds(part, NULL, &free_wire, &p, &plan, ranks, cores) <
                        snc_scale_seconds(part, NULL, &free_wire, &p, &plan, ranks / 2, cores));
        }
    }
}

static void networks_are_read(void **state)
{
    (void)state;
    snc_scale s = {.cores = 1};
    assert_ok(snc_scale_network(&s, "10gbit"));
    assert_true(!s.shared && near(s.network, 1.25e9) && near(s.latency, 50e-6));
    assert_ok(snc_scale_network(&s, "25gbit/20us"));
    assert_true(!s.shared && near(s.network, 3.125e9) && near(s.latency, 20e-6));
    assert_ok(snc_scale_network(&s, "100mbit/1ms"));
    assert_true(near(s.network, 12.5e6) && near(s.latency, 1e-3));
    assert_ok(snc_scale_network(&s, "shared"));
    assert_true(s.shared && isinf(s.network) && near(s.latency, 2e-6));
    assert_ok(snc_scale_network(&s, "shared/5us"));
    assert_true(s.shared && near(s.latency, 5e-6));
    const char *const wrong[] = {"fast", "10", "gbit", "-1gbit", "0gbit", "10gbit/", "10gbit/fast", "10gbit/0us", "/20us", "sharedx"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_fails(snc_scale_network(&s, wrong[i]), SNC_E_ARG, "--network '");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank_here_is_the_estimate),
        cmocka_unit_test(layers_are_sent_behind_the_backward_pass),
        cmocka_unit_test(the_optimiser_is_dealt_out),
        cmocka_unit_test(a_step_is_what_the_header_says),
        cmocka_unit_test(parts_are_shared_as_the_table_says),
        cmocka_unit_test(candidates_are_shared_by_parts_of_their_rows),
        cmocka_unit_test(few_rows_are_not_shared),
        cmocka_unit_test(what_is_counted_is_what_ranks_send),
        cmocka_unit_test(more_is_never_slower),
        cmocka_unit_test(networks_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
