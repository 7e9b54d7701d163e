/* What another rank measures: which ranks do, that they need nothing of rank 0's but what is sent, what ends it in the middle, and that a
 * net is as slow as on the worst of several hosts. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "artifact/latency_table.h"
#include "base/clock.h"
#include "base/hosts.h"
#include "base/isa.h"
#include "candidate/far_clock.h"
#include "candidate/profiling.h"
#include "candidate/search_run.h"
#include "candidate/speeds_clock.h"
#include "files.h"
#include "models/bundle.h"
#include "models/export.h"
#include "toy_family.h"
#include "toy_ranks.h"
#include "unit/train_toy.h"

static scratch s;
static volatile int cancel;

typedef struct job { /* what rank 0 does while the others attend */
    void (*body)(snc_ctx *own);
    const char *program;
} job;

static void rank_work(snc_comm *c, void *user)
{
    static const snc_duty *const duties[] = {&snc_duty_clock, &snc_duty_evaluate};
    const job *j = user;
    snc_ctx own = ctx;
    own.comm = c;
    c->program = j->program;
    assert_ok(snc_hosts_meet(c));
    if (c->rank > 0) {
        own.threads = 1; /* of nobody's concern: rank 0 says what it is to measure with */
        assert_true(snc_duty_attend(&own, duties, 2) == SNC_OK);
        return;
    }
    own.cancel = &cancel;
    j->body(&own);
    assert_ok(snc_duty_dismiss(c));
}

static void with_ranks(int ranks, void (*body)(snc_ctx *own), const char *program)
{
    job j = {body, program};
    cancel = 0;
    toy_ranks(ranks, rank_work, &j);
}

/* ---- who measures ------------------------------------------------------------------------------------------------------- */

static void choose(snc_ctx *own)
{
    snc_comm *c = own->comm;
    assert_ok(snc_hosts_choose(c, NULL));
    assert_true(snc_clocks(c) == 1 && snc_clock_rank(c, 0) == 0 && !snc_clock_host(c, 0));
    assert_ok(snc_hosts_choose(c, "toy-2,toy-0.test"));
    assert_true(snc_clocks(c) == 2 && snc_clock_rank(c, 0) == 2 && snc_clock_rank(c, 1) == 0);
    assert_string_equal(snc_clock_host(c, 0)->name, "toy-2.test");
    assert_string_equal(snc_clock_host(c, 0)->cpu, snc_cpu_name());
    assert_fails(snc_hosts_choose(c, "toy-1,toy-3"), SNC_E_ARG,
                 "--profile-on 'toy-3': no rank is on a host of that name; expected of toy-0.test, toy-1.test, toy-2.test");
    assert_fails(snc_hosts_choose(c, "toy"), SNC_E_ARG, "'toy'");
    assert_fails(snc_hosts_choose(c, "toy-1.tes"), SNC_E_ARG, "'toy-1.tes'");
    assert_fails(snc_hosts_choose(c, "toy-1,"), SNC_E_ARG, "''");
    assert_fails(snc_hosts_choose(c, "toy-1,toy-1.test"), SNC_E_ARG, "'toy-1.test' is named twice");
    strcpy(c->host[2].name, "toy-1.test"); /* two ranks of one host: the first of them */
    assert_ok(snc_hosts_choose(c, "toy-1"));
    assert_int_equal(snc_clock_rank(c, 0), 1);
    assert_fails(snc_hosts_choose(c, "toy-9"), SNC_E_ARG, "expected of toy-0.test, toy-1.test");
}

static void hosts_are_chosen_by_name(void **state)
{
    (void)state;
    char name[256];
    with_ranks(3, choose, NULL);
    assert_int_equal(gethostname(name, sizeof name), 0);
    assert_ok(snc_hosts_choose(NULL, NULL));
    assert_ok(snc_hosts_choose(NULL, name));
    assert_fails(snc_hosts_choose(NULL, "no-such-host"), SNC_E_ARG, "this machine is '");
    assert_int_equal(snc_clocks(NULL), 1);
}

/* ---- tables and nets ---------------------------------------------------------------------------------------------------- */

static const snc_workload_opts load = {.batch = "1", .seq_len = "data", .threads = "2", .percentile = 50};

static void measure_there(snc_ctx *own)
{
    snc_model *m = model(3);
    snc_space *space = space_in_quarters(&m->cfg, &m->arch);
    const snc_net_clock c = {own, &load, &data.d, m, space};
    snc_latency *t = NULL;
    snc_far_clock *far;
    cJSON *probed = NULL;
    snc_clocked net[2];
    const snc_policy int8 = snc_policy_int8();
    assert_ok(snc_hosts_choose(own->comm, "toy-0,toy-2"));
    assert_ok(snc_far_clock_open(&far, own, 0));
    assert_null(far); /* this process */
    assert_ok(snc_far_clock_open(&far, own, 1));
    assert_true(own->comm->busy);
    assert_ok(snc_far_clock_table(&t, &probed, far, &c));
    assert_true(snc_latency_predict(t, &m->arch, &int8) > 0);
    assert_true(snc_latency_fits_host(t, own, snc_clock_host(own->comm, 1))); /* with rank 0's threads */
    assert_true(snc_latency_fits_host(t, own, NULL));
    strcpy(own->comm->host[2].isa, "other");
    assert_false(snc_latency_fits_host(t, own, snc_clock_host(own->comm, 1)));
    assert_true(cJSON_GetArraySize(probed) >= 3);
    for (int i = 0; i < 2; i++) net[i] = (snc_clocked){.cfg = snc_cfg_uniform(space, i ? 0.5 : 1, 0), .predicted_us = 10};
    assert_ok(snc_far_clock_nets(net, 2, far, &c, "finalists"));
    for (int i = 0; i < 2; i++) assert_true(net[i].us > 0 && net[i].ratio > 0 && net[i].ratio < 10 && net[i].predicted_us == 10);
    snc_far_clock_close(far);
    assert_false(own->comm->busy || own->comm->failed);
    cJSON_Delete(probed);
    snc_latency_free(t);
    snc_space_free(space);
    snc_model_free(m);
}

static void another_rank_makes_tables_and_times_nets(void **state)
{
    (void)state;
    with_ranks(3, measure_there, NULL);
}

/* A file of two nets, of which the smaller one is the larger one without its last layer: what it leaves can be gone on from. */
static void write_bundle(const char *path)
{
    char at[2][512];
    const char *const paths[] = {at[0], at[1]};
    snc_sncfile *f[2];
    snc_model *m = model(3);
    const snc_policy int8 = snc_policy_int8();
    for (int k = 0; k < 2; k++) {
        snc_arch a = m->arch;
        a.layers -= k;
        snprintf(at[k], sizeof at[k], "%s", scratch_path(&s, k ? "small.snc" : "large.snc"));
        assert_ok(snc_export_model(at[k], &ctx, m, &a, &int8));
        assert_ok(snc_sncfile_open(&f[k], at[k]));
    }
    assert_ok(snc_bundle_save(path, (const snc_sncfile *const *)f, paths, 2, NULL));
    for (int k = 0; k < 2; k++) snc_sncfile_close(f[k]);
    snc_model_free(m);
}

/* By the first of those that are named, with rank 0's threads and backend; by rank 0 itself where nobody is. */
static void measure_a_file(snc_ctx *own)
{
    char path[512];
    snc_loaded l;
    snc_speeds there, here;
    snc_steps steps, own_steps;
    snprintf(path, sizeof path, "%s", scratch_path(&s, "both.snc"));
    write_bundle(path);
    own->threads = 2;
    assert_ok(snc_loaded_open(&l, own, path, 0, SNC_MEANS_CLASSES));
    assert_ok(snc_loaded_open_nets(&l));
    strcpy(own->comm->host[2].cpu, "another");
    assert_ok(snc_hosts_choose(own->comm, "toy-2,toy-0"));
    assert_ok(snc_speeds_measure(&there, &steps, own, &l, path));
    assert_ok(snc_hosts_choose(own->comm, NULL));
    assert_ok(snc_speeds_measure(&here, &own_steps, own, &l, path));
    assert_string_equal(there.cpu, "another");
    assert_string_equal(here.cpu, snc_cpu_name());
    assert_true(there.nets == 2 && there.threads == 2 && there.lengths == here.lengths);
    assert_true(steps.from[0][1] > 0 && steps.rest.nets == 1);
    assert_memory_equal(steps.from, own_steps.from, sizeof steps.from);
    assert_memory_equal(steps.row, own_steps.row, sizeof steps.row);
    assert_string_equal(steps.rest.cpu, "another");
    assert_true(snc_steps_median(&there, &steps, 0, 1, 8) > 0 && snc_steps_median(&there, &steps, 0, 1, 8) == steps.rest.median[0][0]);
    assert_string_equal(there.isa, here.isa);
    assert_string_equal(there.backend, here.backend);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < there.lengths; i++)
            assert_true(there.tokens[i] == here.tokens[i] && there.median[k][i] > 0 && there.p90[k][i] >= there.median[k][i]);
    assert_false(own->comm->busy || own->comm->failed);
    assert_ok(snc_hosts_choose(own->comm, "toy-2"));
    assert_fails(snc_speeds_measure(&there, NULL, own, &l, "no.snc"), SNC_E_IO, "no.snc");
    assert_false(own->comm->busy || own->comm->failed);
    snc_loaded_close(&l);
}

static void another_rank_times_the_nets_of_a_file(void **state)
{
    (void)state;
    with_ranks(3, measure_a_file, NULL);
}

/* ---- fresh processes ------------------------------------------------------------------------------------------------------ */

static void run_there(snc_ctx *own)
{
    enum { BYTES = (1 << 26) + 5 }; /* more than goes at once */
    char path[512], *big, *text;
    snc_far_clock *far;
    snprintf(path, sizeof path, "%s", scratch_path(&s, "file"));
    assert_ok(snc_alloc(&big, BYTES, 1));
    memset(big, 'x', BYTES);
    memcpy(big + BYTES - 7, "x ends", 7);
    big[BYTES - 1] = '\n';
    assert_ok(snc_file_write(path, big, BYTES));
    snc_free(big);
    assert_ok(snc_hosts_choose(own->comm, "toy-1"));
    assert_ok(snc_far_clock_open(&far, own, 0));
    assert_ok(snc_far_clock_keep(far, path));
    assert_int_equal(remove(path), 0);
    assert_ok(snc_far_clock_keep(far, path)); /* it is there */
    const char *const tail[] = {"whatever", "-c", "6", path, NULL}, *const none[] = {"whatever", "-c", "6", "no.file", NULL};
    for (int i = 0; i < 2; i++) {
        assert_ok(snc_far_clock_run(&text, far, own, tail));
        assert_string_equal(text, " ends\n");
        snc_free(text);
        assert_fails(snc_far_clock_run(&text, far, own, none), SNC_E_BACKEND, "toy-1.test: /usr/bin/tail");
    }
    snc_far_clock_close(far);
    assert_ok(snc_far_clock_open(&far, own, 0)); /* what was kept is gone */
    assert_fails(snc_far_clock_run(&text, far, own, tail), SNC_E_BACKEND, "ended with status");
    snc_far_clock_close(far);
}

static void processes_there_open_files_that_were_sent(void **state)
{
    (void)state;
    with_ranks(2, run_there, "/usr/bin/tail");
}

static void run_without_a_program(snc_ctx *own)
{
    snc_far_clock *far;
    char *text;
    const char *const argv[] = {"whatever", NULL};
    assert_ok(snc_hosts_choose(own->comm, "toy-1"));
    assert_ok(snc_far_clock_open(&far, own, 0));
    assert_fails(snc_far_clock_run(&text, far, own, argv), SNC_E_NOTFOUND, "toy-1.test: no program to measure with");
    snc_far_clock_close(far);
}

/* It says that it lives for as long as it takes; an interruption ends it at once, and the ranks go on to listen. */
static void wait_and_interrupt(snc_ctx *own)
{
    snc_far_clock *far;
    char *text;
    const char *const longer[] = {"whatever", "4", NULL}, *const endless[] = {"whatever", "60", NULL};
    own->comm->patience = 3;
    assert_ok(snc_hosts_choose(own->comm, "toy-1"));
    for (int i = 0; i < 2; i++) {
        assert_ok(snc_far_clock_open(&far, own, 0));
        if (i == 0) assert_ok(snc_far_clock_run(&text, far, own, longer));
        if (i == 0) snc_free(text);
        cancel = 1;
        const double t0 = snc_now();
        assert_int_equal(snc_far_clock_run(&text, far, own, endless), SNC_E_CANCELLED);
        assert_true(snc_now() - t0 < 30);
        snc_far_clock_close(far);
        assert_false(own->comm->failed || own->comm->busy);
        cancel = 0;
    }
}

static void long_work_is_waited_for_and_can_be_interrupted(void **state)
{
    (void)state;
    with_ranks(3, run_without_a_program, NULL);
    with_ranks(3, wait_and_interrupt, "/bin/sleep");
}

/* ---- the worst of several hosts --------------------------------------------------------------------------------------------- */

/* Times that grow with the widths, whatever was measured: [dtype][hidden][width][inner layer, last]. */
static void set_cells(const cJSON *j, const char *part, int hidden, int widths)
{
    const cJSON *list = cJSON_GetObjectItem(j, part);
    cJSON *cell;
    int i = 0;
    cJSON_ArrayForEach(cell, list)
    {
        cJSON_SetNumberValue(cell, (i / 2 % widths + 1) * (i / 2 / widths % hidden + 1));
        i++;
    }
    assert_true(i > 0);
}

static void set_table(cJSON *j, double fixed)
{
    const int hidden = cJSON_GetArraySize(cJSON_GetObjectItem(j, "hidden"));
    const int heads = cJSON_GetArraySize(cJSON_GetObjectItem(j, "heads")), ffn = cJSON_GetArraySize(cJSON_GetObjectItem(j, "ffn"));
    for (int p = 0; p < 3; p++) set_cells(j, (const char *const[]){"qkv", "attention", "o"}[p], hidden, heads);
    for (int p = 0; p < 2; p++) set_cells(j, (const char *const[]){"ffn_in", "ffn_out"}[p], hidden, ffn);
    for (int p = 0; p < 2; p++) set_cells(j, (const char *const[]){"embedding", "head"}[p], 1, 1);
    for (int p = 0; p < 3; p++)
        cJSON_SetNumberValue(cJSON_GetObjectItem(j, (const char *const[]){"factor", "hot_mb", "hot_us"}[p]), p == 0);
    cJSON_SetNumberValue(cJSON_GetObjectItem(j, "fixed"), fixed);
}

/* A table of this host, and one of another that takes longer by as much for every net: of a small one relatively more. */
static void write_tables(snc_latency *t[2], const snc_ctx *own, const snc_net_clock *c, const char *path)
{
    cJSON *probed = NULL, *j;
    snc_latency *measured = NULL;
    char table[2][SNC_TABLE_PATH], stamp[4096], text[160];
    const snc_policy int8 = snc_policy_int8();
    assert_ok(snc_profile_measure(&measured, &probed, c));
    cJSON_Delete(probed);
    j = snc_latency_to_json(measured);
    snc_latency_free(measured);
    for (int k = 0; k < 2; k++) {
        set_table(j, k ? snc_latency_predict(t[0], &c->supernet->arch, &int8) : 0);
        assert_ok(snc_latency_from_json(&t[k], j, "a table"));
    }
    cJSON_Delete(j);
    for (int k = 0; k < 2; k++) { /* and whole nets take 1.2 of what the other's says */
        const double us = 0.8 * snc_latency_predict(t[k], &c->supernet->arch, &int8), f = k ? 1.2 : 1;
        assert_ok(snc_latency_table_of(table[k], path, own, k));
        assert_ok(snc_latency_save(t[k], table[k]));
        assert_ok(snc_latency_table_inputs_path(stamp, sizeof stamp, table[k]));
        snprintf(text, sizeof text, "{\"calibration\":[[%.17g,%.17g,%.17g]]}", us, f * us, f * 0.8);
        assert_ok(snc_file_write(stamp, text, strlen(text)));
    }
    assert_string_not_equal(table[0], table[1]);
}

/* What the search keeps to holds on both hosts, and nothing that does is left out. */
static void limits_are_those_of_all(const snc_ctx *own, const snc_net_clock *c, snc_latency *t[2], const char *path, snc_target asked)
{
    enum { NETS = 400 };
    const snc_policy int8 = snc_policy_int8();
    const double factor[2] = {1, 1.2}, most = snc_target_limit(SNC_TARGET_LATENCY, &asked, 1);
    snc_options o;
    snc_search_run r;
    snc_rng rng;
    int within = 0, on_one = 0;
    const snc_targets targets = {.of = {[SNC_TARGET_LATENCY] = asked}};
    snc_model *m;
    snc_options_init(&o);
    assert_int_equal(nano_model(&m, 3), SNC_OK);
    snc_evaluator e = {.ctx = own, .supernet = m, .table = {t[0], t[1]}, .weight = {1, 1}, .tables = 2};
    e.full[SNC_COST_LATENCY] = snc_evaluator_latency(&e, &m->arch, &int8);
    assert_true(e.full[SNC_COST_LATENCY] == snc_latency_predict(t[1], &m->arch, &int8));
    assert_ok(snc_search_run_init(&r, &e, own, &o, &targets, path, s.dir));
    snc_rng_init(&rng, 5, 1);
    for (int i = 0; i < NETS; i++) {
        const snc_cfg cfg = snc_cfg_random(c->space, &rng);
        snc_arch a;
        snc_policy policy;
        bool holds[2], near = false;
        snc_cfg_decode(&a, &policy, c->space, &cfg);
        for (int k = 0; k < 2; k++) {
            const double us = factor[k] * snc_latency_predict(t[k], &a, &policy);
            const double has = asked.relative ? us / snc_latency_predict(t[k], &m->arch, &int8) : us;
            holds[k] = has <= most;
            near = near || fabs(has / most - 1) < 1e-6;
        }
        if (near) continue;
        assert_int_equal(snc_evaluator_latency(&e, &a, &policy) <= r.limits.latency_us, holds[0] && holds[1]);
        within += holds[0] && holds[1];
        on_one += holds[0] != holds[1];
    }
    assert_true(within > 0 && on_one > 0);
    snc_model_free(m);
}

static void search_within_both(snc_ctx *own)
{
    snc_model *m = model(3);
    snc_space *space = space_in_quarters(&m->cfg, &m->arch);
    snc_ctx alone = snc_ctx_alone(own);
    const snc_net_clock c = {&alone, &load, &data.d, m, space};
    const snc_policy int8 = snc_policy_int8();
    snc_latency *t[2] = {NULL};
    char path[SNC_TABLE_PATH], table[SNC_TABLE_PATH], other[SNC_TABLE_PATH], digest[2][SNC_DIGEST_TEXT];
    snprintf(path, sizeof path, "%s", scratch_path(&s, "latency.json"));
    assert_ok(snc_latency_table_of(table, path, own, 0));
    assert_string_equal(table, path);
    strcpy(own->comm->host[1].isa, "other");
    assert_ok(snc_hosts_choose(own->comm, "toy-0,toy-1,toy-2"));
    assert_ok(snc_latency_table_of(table, path, own, 0));
    assert_string_not_equal(table, path);
    assert_ok(snc_latency_table_of(other, path, own, 2));
    assert_string_equal(table, other); /* hosts of one kind have one table */
    assert_ok(snc_hosts_choose(own->comm, "toy-0,toy-1"));
    write_tables(t, own, &c, path);
    const double us = snc_latency_predict(t[0], &m->arch, &int8);
    limits_are_those_of_all(own, &c, t, path, (snc_target){true, true, 0.9});
    limits_are_those_of_all(own, &c, t, path, (snc_target){true, false, 2 * us});
    assert_ok(snc_latency_tables_digest(digest[0], path, own));
    assert_ok(snc_hosts_choose(own->comm, "toy-0"));
    assert_ok(snc_latency_tables_digest(digest[1], path, own));
    assert_string_not_equal(digest[0], digest[1]);
    assert_ok(snc_latency_table_digest(digest[0], table, NULL));
    assert_string_equal(digest[0], digest[1]);
    snc_latency_tables_drop(path, own);
    assert_false(snc_is_file(table));
    for (int k = 0; k < 2; k++) snc_latency_free(t[k]);
    snc_space_free(space);
    snc_model_free(m);
}

static void a_latency_is_the_worst_of_all_hosts(void **state)
{
    (void)state;
    with_ranks(3, search_within_both, NULL);
}

static int set_up(void **state)
{
    scratch_init(&s, "candidate_far_clock");
    return toy_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_chosen_by_name),
        cmocka_unit_test(another_rank_makes_tables_and_times_nets),
        cmocka_unit_test(another_rank_times_the_nets_of_a_file),
        cmocka_unit_test(processes_there_open_files_that_were_sent),
        cmocka_unit_test(long_work_is_waited_for_and_can_be_interrupted),
        cmocka_unit_test(a_latency_is_the_worst_of_all_hosts),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
