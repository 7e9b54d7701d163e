/* Nets that several ranks answer: the bits, the order and the journal of one rank, and what ends it in the middle. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "artifact/load.h"
#include "candidate/evaluator.h"
#include "check.h"
#include "models/source_mos.h"
#include "toy_family.h"
#include "toy_ranks.h"
#include "unit/train_toy.h"

enum { PLAN_ROWS = 16, NETS = 6, EVALS = 56 };

/* What rank 0 does while the others help; alone is a net that nobody else uses. */
typedef struct job {
    snc_model *m;
    snc_space *space;
    snc_weights *weights;
    snc_net *net, *alone;
    snc_ctx ctx; /* rank 0's */
    snc_shared_out *s;
    void (*body)(struct job *j);
    snc_shared_net nets[NETS];
    const snc_dataset *d;
    int said, bad, stop_after; /* -1: never */
    snc_err stop_with;
    const char *searcher;
    char path[64];
} job;

static const snc_net_opts plan = {.max_tokens = PLAN_ROWS * 16, .max_seqs = PLAN_ROWS, .max_len = 16};

static void open_shared(job *j)
{
    const snc_dataset sets[] = {data.d, held_out.d, snc_dataset_rows_view(&data.d, 50, 53)};
    assert_int_equal(snc_shared_out_open(&j->s, &j->ctx, j->m, j->net, &plan, sets, 3), SNC_OK);
}

static void rank_work(snc_comm *c, void *user)
{
    static const snc_duty *const duties[] = {&snc_duty_evaluate};
    job *j = user;
    snc_ctx own = ctx;
    own.comm = c->size > 1 ? c : NULL;
    if (c->rank > 0) {
        assert_true(snc_duty_attend(&own, duties, 1) == SNC_OK);
        return;
    }
    j->ctx = own;
    assert_int_equal(snc_weights_from_model(&j->weights, &j->ctx, j->m), SNC_OK);
    assert_int_equal(snc_net_create(&j->net, &j->ctx, j->weights, NULL, NULL, &plan), SNC_OK);
    assert_int_equal(snc_net_create(&j->alone, &ctx, j->weights, NULL, NULL, &plan), SNC_OK);
    j->body(j);
    snc_shared_out_close(j->s);
    j->s = NULL;
    snc_net_free(j->alone);
    snc_net_free(j->net);
    snc_weights_free(j->weights);
    assert_int_equal(snc_duty_dismiss(c), SNC_OK);
}

static job job_of(snc_model *m, void (*body)(job *j))
{
    job j = {.m = m, .space = space_in_quarters(&m->cfg, &m->arch), .body = body, .d = &data.d, .stop_after = -1};
    snc_rng r;
    snc_rng_init(&r, 5, 1);
    for (int i = 0; i < NETS; i++) {
        const snc_cfg c = i ? snc_cfg_random(j.space, &r) : snc_cfg_uniform(j.space, 1, j.space->gene[0].n - 1);
        snc_cfg_decode(&j.nets[i].arch, &j.nets[i].policy, j.space, &c);
    }
    return j;
}

static snc_err alone(float *z, const job *j, const snc_shared_net *net, const snc_dataset *d)
{
    SNC_TRY(snc_net_rebind(j->alone, &net->arch, &net->policy));
    return snc_loaded_logits(z, j->alone, j->m->cfg.classes, d, PLAN_ROWS, NULL, NULL);
}

/* ---- answers -------------------------------------------------------------------------------------------------------- */

static snc_err compare(void *user, int i, const float *logits)
{
    float z[ROWS * NANO_K];
    job *j = user;
    assert_int_equal(i, j->said++);
    if (i == j->stop_after) return j->stop_with;
    const snc_err err = alone(z, j, &j->nets[i], j->d);
    assert_int_equal(err, logits ? SNC_OK : SNC_E_DIVERGED);
    if (logits) assert_memory_equal(z, logits, snc_dataset_logits(j->d, j->m->cfg.classes) * sizeof *z);
    else j->bad++;
    return SNC_OK;
}

static void ask(job *j, int n, const snc_dataset *d)
{
    j->d = d;
    j->said = j->bad = 0;
    assert_true(snc_shared_out_has(j->s, d));
    assert_int_equal(snc_shared_out_answer(j->s, j->nets, n, d, compare, j), SNC_OK);
    assert_int_equal(j->said, n);
}

static void ask_in_all_ways(job *j)
{
    const snc_dataset few = snc_dataset_rows_view(&data.d, 50, 53), other = snc_dataset_rows_view(&data.d, 50, 54);
    open_shared(j);
    ask(j, NETS, &data.d);
    ask(j, 1, &held_out.d);
    ask(j, 2, &data.d);
    ask(j, 3, &few); /* fewer batches than ranks */
    assert_false(snc_shared_out_has(j->s, &other));
}

static void bits_and_order_are_those_of_one_rank(void **state)
{
    (void)state;
    const char *const names[] = {"bert", "deberta-v2"};
    for (int ranks = 2; ranks <= 4; ranks += 2)
        for (int i = 0; i < 2; i++) {
            const snc_encoder_config cfg = nano_family_config(snc_family_find(names[i]));
            snc_model *m;
            assert_int_equal(nano_model_of(&m, &cfg, 3), SNC_OK);
            job j = job_of(m, ask_in_all_ways);
            assert_true(toy_ranks(ranks, rank_work, &j) > ranks);
            snc_space_free(j.space);
            snc_model_free(m);
        }
}

/* Experts are mixed for each net anew, by every rank. */
static void ask_once(job *j)
{
    open_shared(j);
    ask(j, NETS, &data.d);
}

static void mixtures_of_experts(void **state)
{
    (void)state;
    snc_model *m = model(3);
    assert_int_equal(snc_model_mix(m, &ctx, &(snc_mixture){.experts = 2}, 7), SNC_OK);
    job j = job_of(m, ask_once);
    toy_ranks(2, rank_work, &j);
    snc_space_free(j.space);
    snc_model_free(m);
}

static void count_bad(job *j)
{
    open_shared(j);
    ask(j, NETS, &data.d);
    assert_true(j->bad > 0 && j->bad < NETS);
}

/* The last neurons of a layer, which narrow nets have not. */
static void nets_that_are_not_finite_are_told(void **state)
{
    (void)state;
    for (int ranks = 2; ranks <= 4; ranks += 2) {
        snc_model *m = model(3);
        const snc_param *p = NULL;
        for (int i = 0; i < m->params.n && !p; i++)
            if (m->params.p[i].rows == NANO_F) p = &m->params.p[i];
        assert_non_null(p);
        m->params.w[p->offset + (size_t)p->rows * (size_t)p->cols - 1] = NAN;
        job j = job_of(m, count_bad);
        toy_ranks(ranks, rank_work, &j);
        snc_space_free(j.space);
        snc_model_free(m);
    }
}

/* ---- ends in the middle ----------------------------------------------------------------------------------------------- */

static volatile int cancel;

/* After each the ranks answer again: nobody is left in the middle of anything. */
static void stop_and_ask_again(job *j)
{
    const snc_err ends[] = {SNC_E_IO, SNC_E_CANCELLED};
    for (int i = 0; i < 2; i++)
        for (j->stop_after = 0; j->stop_after < NETS; j->stop_after += 2) {
            open_shared(j);
            j->said = 0;
            j->stop_with = i ? SNC_OK : SNC_E_IO;
            cancel = i && j->stop_after == 0;
            assert_int_equal(snc_shared_out_answer(j->s, j->nets, NETS, &data.d, compare, j), i && !cancel ? SNC_OK : ends[i]);
            cancel = 0;
            snc_shared_out_close(j->s);
        }
    j->stop_after = -1;
    open_shared(j);
    ask(j, NETS, &data.d);
}

static void an_end_in_the_middle_leaves_the_ranks_ready(void **state)
{
    (void)state;
    for (int ranks = 2; ranks <= 3; ranks++) {
        snc_model *m = model(3);
        job j = job_of(m, stop_and_ask_again);
        ctx.cancel = &cancel;
        toy_ranks(ranks, rank_work, &j);
        ctx.cancel = NULL;
        snc_space_free(j.space);
        snc_model_free(m);
    }
}

/* The first nets go to rank 1 whole, and this one has more heads than there are. */
static void ask_for_too_much(job *j)
{
    open_shared(j);
    j->nets[0].arch.heads[0] = NANO_H + 1;
    assert_int_equal(snc_shared_out_answer(j->s, j->nets, NETS, &data.d, compare, j), SNC_E_SHAPE);
    assert_int_equal(strncmp(snc_err_text(), "rank 1: ", 8), 0);
}

static void an_error_of_another_rank_is_rank_0s(void **state)
{
    (void)state;
    snc_model *m = model(3);
    job j = job_of(m, ask_for_too_much);
    toy_ranks(2, rank_work, &j);
    snc_space_free(j.space);
    snc_model_free(m);
}

/* ---- searches ------------------------------------------------------------------------------------------------------- */

static float teacher[ROWS * NANO_K];

static void cost(void *user, snc_obs *o)
{
    const job *j = user;
    o->latency_us = 10;
    for (int i = 0; i < j->space->genes; i++) o->latency_us += (1 + i % 5) * o->cfg.o[i];
    o->bytes = o->macs = 3 * o->latency_us;
}

typedef struct round_of {
    job *j;
    snc_obs *const *o;
    snc_err (*scored)(void *run);
    void *run;
} round_of;

static snc_err judge(void *user, int i, const float *logits)
{
    const round_of *r = user;
    r->o[i]->loss = snc_loss_to_teacher(logits, teacher, ROWS, NANO_K, SNC_MEANS_CLASSES);
    r->o[i]->metric = 1 / r->o[i]->loss;
    return r->scored(r->run);
}

static snc_err score(void *user, snc_obs *const *o, int n, snc_err (*scored)(void *run), void *run)
{
    job *j = user;
    float z[ROWS * NANO_K];
    snc_shared_net nets[SNC_ROUND];
    round_of r = {j, o, scored, run};
    for (int i = 0; i < n; i++) snc_cfg_decode(&nets[i].arch, &nets[i].policy, j->space, &o[i]->cfg);
    if (j->s) return snc_shared_out_answer(j->s, nets, n, &data.d, judge, &r);
    for (int i = 0; i < n; i++) {
        SNC_TRY(alone(z, j, &nets[i], &data.d));
        SNC_TRY(judge(&r, i, z));
    }
    return SNC_OK;
}

static void search(job *j)
{
    snc_search *s;
    snc_journal *journal;
    snc_run_report report;
    const snc_journal_key key = {"model", "toy"};
    const snc_run_opts o = {.limits = {.latency_us = 100}, .evals = EVALS, .objectives = 2};
    const snc_run_hooks h = {j, cost, score, NULL};
    const snc_problem p = {.space = j->space, .objectives = 2, .seed = 7};
    if (j->ctx.comm) open_shared(j);
    assert_int_equal(snc_search_create(&s, j->searcher, NULL, &p), SNC_OK);
    assert_int_equal(snc_journal_open(&journal, j->path, j->space, &key, 1), SNC_OK);
    snc_journal_source(journal, j->searcher);
    assert_int_equal(snc_run_search(&report, &j->ctx, s, journal, &o, &h), SNC_OK);
    assert_int_equal(report.evaluated, EVALS);
    snc_search_free(s);
    snc_journal_close(journal);
}

static snc_journal_file journal_of(snc_model *m, const char *searcher, int ranks)
{
    snc_journal_file f = {0};
    job j = job_of(m, search);
    j.searcher = searcher;
    snprintf(j.path, sizeof j.path, "/tmp/snc_shared_out_%d.sqlite", (int)getpid());
    remove(j.path);
    toy_ranks(ranks, rank_work, &j);
    assert_int_equal(snc_journal_read(&f, j.path), SNC_OK);
    remove(j.path);
    snc_space_free(j.space);
    return f;
}

static void a_search_has_one_journal_whatever_the_ranks(void **state)
{
    (void)state;
    snc_model *m = model(3), *other = model(5);
    assert_int_equal(snc_train_eval_model(teacher, &ctx, other, NULL, SNC_COMPUTE_F32, &data.d, BATCH, NULL), SNC_OK);
    snc_journal_file one = journal_of(m, "weaknas", 1); /* which learns from what it is told */
    assert_int_equal(one.n, EVALS);
    assert_true(cJSON_GetArraySize(one.notes) > 0);
    for (int ranks = 2; ranks <= 4; ranks += 2) {
        snc_journal_file f = journal_of(m, "weaknas", ranks);
        assert_int_equal(f.n, one.n);
        for (int k = 0; k < f.n; k++) {
            assert_string_equal(f.row[k].config, one.row[k].config);
            assert_memory_equal(&f.row[k].o, &one.row[k].o, sizeof one.row[k].o);
        }
        assert_true(cJSON_Compare(f.notes, one.notes, true));
        snc_journal_file_dispose(&f);
    }
    snc_journal_file_dispose(&one);
    snc_model_free(other);
    snc_model_free(m);
}

static int set_up(void **state)
{
    assert_int_equal(toy_set_up(state), 0);
    ctx.threads = 1;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_and_order_are_those_of_one_rank), cmocka_unit_test(mixtures_of_experts),
        cmocka_unit_test(nets_that_are_not_finite_are_told),    cmocka_unit_test(an_end_in_the_middle_leaves_the_ranks_ready),
        cmocka_unit_test(an_error_of_another_rank_is_rank_0s),  cmocka_unit_test(a_search_has_one_journal_whatever_the_ranks),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
