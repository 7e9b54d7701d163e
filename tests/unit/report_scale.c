/* What a job takes on ranks and cores that are not there: rates are made up, and the equations of the header are worked out by hand. */
#include "report/scale.h"

#include <math.h>

#include "check.h"
#include "files.h"

/* BERT-base on two cores: a step of a second, 86 M gradients in f32. */
static const snc_scale wire = {.cores = 2,
                               .serial = 0.1,
                               .fixed = 0.2,
                               .optimiser = 0.3,
                               .here = 0.2,
                               .traffic = 2e9,
                               .memory = 1e10,
                               .sum = 4e9,
                               .bytes = 344e6,
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

/* Four ranks of eight cores: 16 of 64 rows, by a network. */
static void a_step_is_what_the_header_says(void **state)
{
    (void)state;
    const snc_pace p = job();
    const double g = (0.1 + 0.9 / 8) / (0.1 + 0.9 / 2), rows = 0.8 * (0.2 + 0.8 * 16 / 64) * g;
    const double sent = 2.0 * 3 / 4 * 344e6, exchange = sent / 4e9 + sent / 1.25e9 + 6 * 50e-6;
    assert_true(near(snc_scale_cores(&wire, 8), g));
    assert_true(near(snc_scale_exchange(&wire, 4), exchange));
    assert_true(near(snc_scale_optimiser(&wire, 4, 8), 0.2)); /* memory has no more: 0.3 s / 8 would be less */
    assert_true(near(snc_scale_optimiser(&wire, 4, 1), 0.3));
    assert_true(near(snc_scale_step(&wire, &p, 4, 8), rows + 0.2 + exchange));
    const double odd = 0.8 * (0.2 + 0.8 * 22 / 64) * g; /* the rank with most of 64 rows for three has 22 */
    assert_true(near(snc_scale_step(&wire, &p, 3, 8), odd + 0.2 + snc_scale_exchange(&wire, 3)));
    const snc_scale s = on_one_machine(); /* four optimisers share its memory, and so do four sums */
    assert_true(near(snc_scale_optimiser(&s, 4, 8), 0.8));
    assert_true(near(snc_scale_exchange(&s, 4), sent / (1e10 / 10) + 6 * 2e-6));
}

static void parts_are_shared_as_the_table_says(void **state)
{
    (void)state;
    double here[SNC_JOB_PARTS], there[SNC_JOB_PARTS], exchange;
    const snc_pace p = job();
    const snc_job_part rows[] = {SNC_JOB_LOGITS, SNC_JOB_IMPORTANCE, SNC_JOB_RULE, SNC_JOB_LOOK, SNC_JOB_REFIT_LOGITS, SNC_JOB_SCORES},
                       alone[] = {SNC_JOB_TABLE, SNC_JOB_CALIBRATION, SNC_JOB_FINALISTS, SNC_JOB_PROOF};
    const double g = snc_scale_cores(&wire, 32), all = snc_scale_seconds(there, &exchange, &wire, &p, &plan, 8, 32);
    double sum = 0;
    snc_plan_seconds(here, &p, &plan);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_true(near(there[rows[i]], here[rows[i]] * g / 8));
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) assert_true(there[alone[i]] == here[alone[i]]);
    assert_true(near(there[SNC_JOB_SEARCH], here[SNC_JOB_SEARCH] * g / 5)); /* three of eight ranks have no candidate */
    for (int i = 0; i < SNC_JOB_PARTS; i++) sum += there[i];
    assert_true(sum == all);
    /* Steps: 3 epochs of 64,000 and of 66,000 rows by 64; a made row for each, so twice as many by 128. */
    const double steps = 3000 + 3 * 66000 / 64.0 + 1000 + 2 * 66000 / 128.0;
    assert_true(near(exchange, steps * snc_scale_exchange(&wire, 8)));
    assert_true(near(there[SNC_JOB_FINETUNE], 3000 * snc_scale_step(&wire, &p, 8, 32)));
    assert_true(near(there[SNC_JOB_SUPERNET],
                     (here[SNC_JOB_SUPERNET] - 1000 * 0.2) * (0.2 + 0.8 * 16 / 128) * g + 1000 * (0.2 + snc_scale_exchange(&wire, 8))));
}

/* More cores, a faster network, fewer bytes: never slower; more ranks exchange more. */
static void more_is_never_slower(void **state)
{
    (void)state;
    double part[SNC_JOB_PARTS];
    const snc_pace p = job();
    snc_scale free_wire = wire;
    free_wire.bytes = free_wire.latency = 0;
    for (int ranks = 1; ranks <= 64; ranks *= 2) {
        for (int cores = 1; cores <= 32; cores *= 2) {
            const double all = snc_scale_seconds(part, NULL, &wire, &p, &plan, ranks, cores);
            snc_scale faster = wire, nearer = wire, half = wire;
            faster.network *= 2, nearer.latency /= 2, half.bytes /= 2;
            assert_true(snc_scale_seconds(part, NULL, &wire, &p, &plan, ranks, 2 * cores) < all);
            if (ranks == 1) continue;
            assert_true(snc_scale_seconds(part, NULL, &faster, &p, &plan, ranks, cores) < all);
            assert_true(snc_scale_seconds(part, NULL, &nearer, &p, &plan, ranks, cores) < all);
            assert_true(snc_scale_seconds(part, NULL, &half, &p, &plan, ranks, cores) < all);
            assert_true(snc_scale_exchange(&wire, ranks) > snc_scale_exchange(&wire, ranks / 2));
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
        cmocka_unit_test(a_step_is_what_the_header_says),
        cmocka_unit_test(parts_are_shared_as_the_table_says),
        cmocka_unit_test(more_is_never_slower),
        cmocka_unit_test(networks_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
