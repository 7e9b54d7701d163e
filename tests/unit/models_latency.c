/* The latency table as a data structure; how well it predicts is measured by tests/bench/models_latency_error.c. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmap.h"
#include "check.h"
#include "models/latency.h"
#include "models/measure.h"
#include "unit/models_nano.h"

static snc_space *space_of(const char *text)
{
    const snc_space_opts o = {.depth_rule = "even", .fp = SNC_F32};
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    cJSON *j = cJSON_Parse(text);
    snc_space *s = NULL;
    assert_int_equal(snc_space_from_json(&s, &m->cfg, &m->arch, &o, j, "nano"), SNC_OK);
    cJSON_Delete(j);
    snc_model_free(m);
    return s;
}

static snc_space *nano_space(void) { return space_of("{\"hidden\":[72,40,56],\"heads\":[4,2,1,3],\"ffn\":[88,40,64]}"); }

static snc_err build(snc_latency **t, const snc_space *s, double percentile)
{
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_ctx ctx = SNC_CTX_INIT;
    snc_weights *w;
    nano_batch x[7];
    snc_tokens list[7];
    snc_latency_opts o = SNC_LATENCY_OPTS_INIT;
    o.seconds = 0.1;
    o.percentile = percentile;
    for (int i = 0; i < 7; i++) list[i] = (x[i] = nano_batch_make(1, 40, (uint64_t)i)).t;
    assert_int_equal(snc_ctx_check(&ctx), SNC_OK);
    assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
    snc_err err = snc_latency_build(t, &ctx, w, s, list, 7, &o);
    for (int i = 0; i < 7; i++) nano_batch_dispose(&x[i]);
    snc_weights_free(w);
    snc_model_free(m);
    return err;
}

static void a_table_survives_its_file(void **state)
{
    (void)state;
    snc_space *s = nano_space();
    snc_latency *t, *back;
    snc_ctx ctx = SNC_CTX_INIT, other = SNC_CTX_INIT;
    char folder[] = "/tmp/snc-latency-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.json", folder);
    assert_int_equal(build(&t, s, 0.5), SNC_OK);
    assert_int_equal(snc_latency_save(t, path), SNC_OK);
    assert_int_equal(snc_latency_load(&back, path), SNC_OK);
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_arch sub = nano_subnet(m);
    snc_policy i8 = snc_policy_uniform(SNC_I8, SNC_I8), f32 = snc_policy_uniform(SNC_F32, SNC_F32);
    const snc_arch *arch[2] = {&m->arch, &sub};
    for (int a = 0; a < 2; a++) {
        double us = snc_latency_predict(t, arch[a], &i8);
        assert_true(us > 0 && us < 1e6);
        assert_true(fabs(us - snc_latency_predict(back, arch[a], &i8)) < 0.1); /* cells are rounded to 1 ns */
        assert_true(snc_latency_predict(t, arch[a], &f32) > 0);
    }
    assert_true(snc_latency_fits_host(back, &ctx, NULL));
    other.threads = 2;
    assert_false(snc_latency_fits_host(back, &other, NULL));
    snc_latency_free(back);
    snc_latency_free(t);
    snc_space_free(s);
    snc_model_free(m);
    remove(path);
    rmdir(folder);
}

/* Each half that is taken out makes the prediction less, by what the table has for it; one that is there is never free. */
static void a_skipped_half_takes_no_time(void **state)
{
    (void)state;
    snc_space *s = space_of("{\"hidden\":[72],\"heads\":[0,4,2],\"ffn\":[0,88,40],\"layers\":\"single\",\"always\":[1]}");
    snc_latency *t;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_policy i8 = snc_policy_int8();
    assert_int_equal(build(&t, s, 0.5), SNC_OK);
    for (int l = 0; l < 2; l++) { /* the last heads stay where they are */
        snc_arch full = m->arch, half = full, least = full;
        least.heads[l] = 2;
        half.heads[l] = 0;
        assert_true(snc_latency_predict(t, &half, &i8) < snc_latency_predict(t, &least, &i8));
        full = half; /* of what is left */
        half.ffn[l + 1] = 0;
        assert_true(snc_latency_predict(t, &half, &i8) < snc_latency_predict(t, &full, &i8));
        assert_true(snc_latency_predict(t, &half, &i8) > 0);
    }
    for (int l = 0; l < m->arch.layers; l++) /* what a net takes that begins later */
        assert_true(snc_latency_predict_from(t, &m->arch, &i8, l + 1) < snc_latency_predict_from(t, &m->arch, &i8, l));
    assert_true(snc_latency_predict_from(t, &m->arch, &i8, snc_arch_last_heads(&m->arch)) > 0); /* the latest that any begins with */
    assert_true(fabs(snc_latency_predict_from(t, &m->arch, &i8, 0) - snc_latency_predict(t, &m->arch, &i8)) < 1e-9);
    snc_arch two = {.layers = 2, .hidden = 72, .source = {0, 1}, .heads = {4, 0}, .ffn = {88, 88}}, one = two;
    one.layers = 1;
    snc_arch twice = two;
    twice.ffn[0] = 0; /* what a FFN of first tokens takes is the same wherever it stands */
    assert_true(fabs(snc_latency_predict(t, &twice, &i8) - snc_latency_predict(t, &one, &i8)) < 1e-9);
    snc_latency_free(t);
    snc_space_free(s);
    snc_model_free(m);
}

static void bad_spaces_are_refused(void **state)
{
    (void)state;
    snc_latency *t;
    snc_space *s = nano_space();
    assert_int_equal(build(&t, s, 1.0), SNC_E_ARG);
    s->gene[2].value[3] = 5;
    assert_int_equal(build(&t, s, 0.5), SNC_E_SHAPE);
    assert_non_null(strstr(snc_err_text(), "heads 5"));
    s->gene[2].value[3] = 4;
    for (int l = 0; l < s->layers; l++) s->gene[snc_space_layer(s, l) + 1].n = 0;
    assert_int_equal(build(&t, s, 0.5), SNC_E_ARG);
    snc_space_free(s);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"{\"format\":2}", "format 2"},
        {"{\"format\":1,\"hidden\":[]}", "hidden"},
        {"{\"format\":1,\"hidden\":[2,1]}", "ascending"},
        {"{\"format\":1,\"hidden\":[8],\"heads\":[1],\"ffn\":[4],\"linear\":[\"int9\"]}", "int9"},
        {"{\"format\":1,\"hidden\":[8],\"heads\":[1],\"ffn\":[4],\"linear\":[\"int8\"],\"embed\":[\"int8\"],\"qkv\":[1]"
         "}",
         "qkv"},
        {"{\"format\":1,\"colour\":1}", "colour"},
    };
    char path[] = "/tmp/snc-latency-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snc_latency *t;
        assert_int_equal(snc_file_write(path, bad[i].text, strlen(bad[i].text)), SNC_OK);
        assert_true(snc_latency_load(&t, path) != SNC_OK);
        if (!strstr(snc_err_text(), bad[i].says)) fail_msg("%s", snc_err_text());
    }
    remove(path);
}

/* Order statistics of 1 .. 100: numpy's quantiles, and binomial ranks of the median's interval. */
static void percentiles_and_their_intervals(void **state)
{
    (void)state;
    double us[100];
    snc_timing t;
    for (int i = 0; i < 100; i++) us[i] = 100 - i;
    snc_timing_of(&t, us, 100, 0.5);
    assert_true(t.median == 50.5 && t.min == 1 && fabs(t.p90 - 90.1) < 1e-9 && fabs(t.p99 - 99.01) < 1e-9 && t.mean == 50.5);
    assert_true(t.low == 40 && t.high == 61); /* the textbook ranks for n = 100 */
    double few[3] = {3, 1, 2};
    snc_timing_of(&t, few, 3, 0.99);
    assert_true(t.low <= t.value && t.high == 3);
}

static void measure_counts_whole_passes(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_ctx ctx = SNC_CTX_INIT;
    snc_weights *w;
    snc_net *n;
    nano_batch x[3];
    snc_tokens list[3];
    snc_timing t;
    snc_measure_opts o = {.warmup = 0, .seconds = 0, .whole = 1000, .min_samples = 10, .max_samples = 100, .percentile = 0.9};
    for (int i = 0; i < 3; i++) list[i] = (x[i] = nano_batch_make(2, 40, (uint64_t)i)).t;
    assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
    assert_int_equal(snc_net_create(&n, &ctx, w, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
    assert_int_equal(snc_measure(&t, n, list, 3, &o), SNC_OK);
    assert_int_equal(t.samples, 12);
    assert_int_equal(t.lengths, 3);
    assert_true(t.min > 0 && t.low <= t.value && t.value <= t.high && t.tokens_per_s > t.seqs_per_s);
    o.whole = 0; /* no time at all: the least that was asked for, of as many lengths */
    o.min_samples = 2;
    assert_int_equal(snc_measure(&t, n, list, 3, &o), SNC_OK);
    assert_true(t.samples == 2 && t.lengths == 2);
    /* Beside each other, with workloads of their own, each has what it has alone. */
    snc_measured side[2] = {{.net = n, .batches = list, .count = 3}, {.net = n, .batches = list + 1, .count = 2}};
    o = (snc_measure_opts){.warmup = 0, .seconds = 0, .whole = 1000, .min_samples = 500, .max_samples = 1000, .percentile = 0.5};
    assert_int_equal(snc_measure_beside(side, 2, &o), SNC_OK);
    assert_int_equal(side[0].t.samples, 501);
    assert_int_equal(side[1].t.samples, 500);
    assert_true(side[0].t.lengths == 3 && side[1].t.lengths == 2 && side[1].t.value > 0);
    o.min_samples = 2;
    side[1].count = 0;
    assert_int_equal(snc_measure_beside(side, 2, &o), SNC_E_ARG);
    side[1].count = 2;
    volatile int cancel = 1;
    snc_net *stopped;
    ctx.cancel = &cancel;
    assert_int_equal(snc_net_create(&stopped, &ctx, w, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
    assert_int_equal(snc_measure(&t, stopped, list, 3, &o), SNC_E_CANCELLED);
    side[1].net = stopped;
    assert_int_equal(snc_measure_beside(side, 2, &o), SNC_E_CANCELLED);
    snc_net_free(stopped);
    o.percentile = 0;
    assert_int_equal(snc_measure(&t, n, list, 3, &o), SNC_E_ARG);
    assert_int_equal(snc_measure(&t, n, list, 0, &o), SNC_E_ARG);
    snc_net_free(n);
    snc_weights_free(w);
    for (int i = 0; i < 3; i++) nano_batch_dispose(&x[i]);
    snc_model_free(m);
}

/* Lengths as real texts have them, many short and a few long: a sample has their mean and quantiles, and so has its half. */
static void a_sample_is_spread_over_the_lengths(void **state)
{
    (void)state;
    enum { ROWS = 1000, N = 64 };
    snc_tokens x[ROWS];
    int order[ROWS], at[ROWS];
    double mean = 0;
    snc_rng r;
    snc_rng_init(&r, 4, 4);
    for (int i = 0; i < ROWS; i++) {
        double u = snc_rng_uniform(&r);
        x[i] = (snc_tokens){.B = 1, .T = 5 + (int)(120 * u * u * u)};
        mean += x[i].T / (double)ROWS;
    }
    for (int n = N; n >= N / 2; n /= 2) {
        double sum = 0;
        int below = 0;
        assert_int_equal(snc_measure_spread(order, x, ROWS, N), SNC_OK);
        memset(at, 0, sizeof at);
        for (int i = 0; i < n; i++) {
            assert_int_equal(at[order[i]]++, 0); /* none twice */
            sum += x[order[i]].T;
            below += x[order[i]].T < 20;
        }
        int all = 0;
        for (int i = 0; i < ROWS; i++) all += x[i].T < 20;
        assert_true(fabs(sum / n / mean - 1) < 0.03); /* 0.001 and 0.02 measured; a random sample: 0.12 */
        assert_true(abs(below * ROWS / n - all) <= ROWS / n);
    }
    assert_int_equal(snc_measure_spread(order, x, ROWS, ROWS), SNC_OK);
    for (int i = 0; i < ROWS; i++) assert_int_equal(order[i], i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_survives_its_file),
        cmocka_unit_test(a_skipped_half_takes_no_time),
        cmocka_unit_test(bad_spaces_are_refused),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(percentiles_and_their_intervals),
        cmocka_unit_test(measure_counts_whole_passes),
        cmocka_unit_test(a_sample_is_spread_over_the_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
