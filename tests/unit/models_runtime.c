/* The inference path against a plain forward pass written here, and against itself: other batches, threads, ISAs, nets. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "models/engine.h"
#include "models/runtime.h"
#include "report/bench_rows.h"
#include "unit/models_nano.h"

enum { K = NANO_CLASSES };

static const double F32_TOLERANCE = 2e-5;  /* logits of order 1: f32 sums in another order than the double reference */
static const double INT8_TOLERANCE = 0.08; /* of order-1 logits, measured 0.03 at most over these nets */
static const double BF16_TOLERANCE = 0.03;

static snc_ctx context(int threads, snc_backend backend)
{
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.threads = threads;
    ctx.backend = backend;
    return ctx;
}

static double distance(const float *a, const float *b, int n)
{
    double m = 0;
    for (int i = 0; i < n; i++) {
        assert_true(isfinite(a[i]) && isfinite(b[i]));
        m = fmax(m, fabs((double)a[i] - (double)b[i]));
    }
    return m;
}

/* Logits of one config through a fresh weights object. */
static void logits_of(float *logits, const snc_ctx *ctx, const snc_model *m, const snc_arch *a, const snc_policy *p, const snc_tokens *x)
{
    snc_weights *w;
    snc_net *n;
    assert_int_equal(snc_weights_from_model(&w, ctx, m), SNC_OK);
    assert_int_equal(snc_net_create(&n, ctx, w, a, p, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
    assert_int_equal(snc_net_run(logits, n, x), SNC_OK);
    snc_net_free(n);
    snc_weights_free(w);
}

static void f32_equals_a_plain_forward(void **state)
{
    (void)state;
    static const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_AUTO, SNC_BACKEND_NATIVE};
    static const snc_act acts[] = {SNC_ACT_GELU, SNC_ACT_GELU_TANH, SNC_ACT_RELU};
    nano_batch x = nano_batch_make(7, 31, 1);
    for (size_t i = 0; i < 3; i++) {
        snc_model *m = nano_model_make(acts[i]);
        const snc_arch arch[] = {m->arch, nano_subnet(m)};
        for (size_t a = 0; a < 2; a++) {
            double want[7 * K];
            float got[7 * K], f[7 * K];
            snc_policy p = snc_policy_uniform(SNC_F32, SNC_F32);
            nano_forward(want, m, &arch[a], &x.t);
            for (int k = 0; k < 7 * K; k++) f[k] = (float)want[k];
            for (size_t b = 0; b < sizeof backends / sizeof *backends; b++) {
                snc_ctx ctx = context(2, backends[b]);
                if (ctx.backend == SNC_BACKEND_NATIVE && snc_isa_now() == SNC_ISA_SCALAR) continue; /* there is none for f32 */
                logits_of(got, &ctx, m, &arch[a], &p, &x.t);
                assert_true(distance(got, f, 7 * K) < F32_TOLERANCE);
            }
        }
        snc_model_free(m);
    }
    nano_batch_dispose(&x);
}

static void f32_equals_the_training_engine(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(9, 40, 12);
    const snc_arch arch[] = {m->arch, nano_subnet(m), nano_skipping(m, 0), nano_skipping(m, 1), nano_skipping(m, 2), nano_skipping(m, 3)};
    static const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_AUTO};
    for (size_t b = 0; b < 2; b++) {
        snc_ctx ctx = context(1, backends[b]);
        snc_engine_opts o = SNC_ENGINE_OPTS_INIT;
        snc_policy p = snc_policy_uniform(SNC_F32, SNC_F32);
        snc_engine *e;
        o.train = false;
        assert_int_equal(snc_engine_create(&e, &ctx, m, &o), SNC_OK);
        for (size_t a = 0; a < sizeof arch / sizeof *arch; a++) {
            float want[9 * K], got[9 * K];
            assert_int_equal(snc_engine_forward(e, want, &arch[a], &x.t, NULL), SNC_OK);
            logits_of(got, &ctx, m, &arch[a], &p, &x.t);
            assert_true(distance(got, want, 9 * K) < F32_TOLERANCE);
        }
        snc_engine_free(e);
    }
    nano_batch_dispose(&x);
    snc_model_free(m);
}

/* Skipped halves: f32 against the plain forward and the engine; integers the same on every instruction set and thread count as far as
 * every_isa_gives_the_same_answer has it, and near to f32. */
static void check_skipping(const snc_model *m, const snc_arch *a, const nano_batch *x)
{
    double plain[9 * K];
    float want[9 * K], got[9 * K], first[9 * K];
    const snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32);
    snc_ctx ref = context(1, SNC_BACKEND_REF), two = context(2, SNC_BACKEND_AUTO);
    nano_forward(plain, m, a, &x->t);
    for (int k = 0; k < 9 * K; k++) want[k] = (float)plain[k];
    logits_of(got, &ref, m, a, &f32, &x->t);
    assert_true(distance(got, want, 9 * K) < F32_TOLERANCE);
    logits_of(got, &two, m, a, &f32, &x->t);
    assert_true(distance(got, want, 9 * K) < F32_TOLERANCE);
    for (int d = 0; d < 2; d++) {
        snc_policy p = snc_policy_uniform(d ? SNC_I8 : SNC_BF16, SNC_I8);
        logits_of(first, &ref, m, a, &p, &x->t);
        assert_true(distance(first, want, 9 * K) < INT8_TOLERANCE);
        for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
            setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1);
            snc_ctx one = context(1, SNC_BACKEND_AUTO);
            logits_of(want, &one, m, a, &p, &x->t);
            assert_true(distance(want, first, 9 * K) < 0.04);
            logits_of(got, &two, m, a, &p, &x->t);
            assert_memory_equal(got, want, sizeof got);
        }
        unsetenv("SNC_ISA");
        for (int k = 0; k < 9 * K; k++) want[k] = (float)plain[k];
    }
}

static void of_a_skipped_half_the_norm_is_left(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU), *cut;
    nano_batch x = nano_batch_make(9, 40, 13);
    for (int k = 0; k < NANO_SKIPPING; k++) {
        snc_arch a = nano_skipping(m, k);
        check_skipping(m, &a, &x);
        assert_int_equal(snc_model_extract(&cut, m, &a), SNC_OK); /* that has no such matrices at all */
        check_skipping(cut, &cut->arch, &x);
        snc_model_free(cut);
    }
    nano_batch_dispose(&x);
    snc_model_free(m);
}

static void int8_and_bf16_stay_close_to_f32(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(9, 40, 2);
    const snc_arch arch[] = {m->arch, nano_subnet(m)};
    const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_AUTO};
    for (size_t a = 0; a < 2; a++)
        for (size_t b = 0; b < 2; b++) {
            float want[9 * K], got[9 * K];
            snc_ctx ctx = context(1, backends[b]);
            snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32), i8 = snc_policy_uniform(SNC_I8, SNC_I8),
                       bf = snc_policy_uniform(SNC_BF16, SNC_BF16);
            logits_of(want, &ctx, m, &arch[a], &f32, &x.t);
            logits_of(got, &ctx, m, &arch[a], &i8, &x.t);
            assert_true(distance(got, want, 9 * K) < INT8_TOLERANCE);
            logits_of(got, &ctx, m, &arch[a], &bf, &x.t);
            assert_true(distance(got, want, 9 * K) < BF16_TOLERANCE);
        }
    nano_batch_dispose(&x);
    snc_model_free(m);
}

/* The same sequence alone, first, last, and among many: the same bits, for every dtype and with the last layer's
 * pruning. */
static void a_sequence_does_not_see_its_neighbours(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(40, 40, 3);
    const snc_dtype dtypes[] = {SNC_F32, SNC_BF16, SNC_I8};
    for (int ref = 0; ref < 2; ref++)
        for (size_t d = 0; d < 3; d++) {
            if (!ref && dtypes[d] == SNC_F32) continue; /* a library may choose its sums by shape */
            snc_ctx ctx = context(1, ref ? SNC_BACKEND_REF : SNC_BACKEND_AUTO);
            snc_policy p = snc_policy_uniform(dtypes[d], dtypes[d]);
            snc_weights *w;
            snc_net *n;
            float all[40 * K], one[K];
            assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
            assert_int_equal(snc_net_create(&n, &ctx, w, NULL, &p, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
            assert_int_equal(snc_net_run(all, n, &x.t), SNC_OK);
            for (int b = 0; b < 40; b += 13) {
                snc_tokens t = nano_batch_slice(&x, b);
                assert_int_equal(snc_net_run(one, n, &t), SNC_OK);
                assert_memory_equal(one, all + b * K, sizeof one);
            }
            snc_net_free(n);
            snc_weights_free(w);
        }
    nano_batch_dispose(&x);
    snc_model_free(m);
}

/* Two threads share one group, go apart with its rows, or run groups apart; three of them have nothing to share evenly. */
static void check_threads(const snc_model *m, const nano_batch *x, const snc_policy *p, snc_backend backend)
{
    float want[40 * K], got[40 * K];
    snc_ctx one = context(1, backend);
    logits_of(want, &one, m, NULL, p, &x->t);
    for (int threads = 2; threads <= 3; threads++) {
        snc_ctx ctx = context(threads, backend);
        logits_of(got, &ctx, m, NULL, p, &x->t);
        assert_memory_equal(got, want, (size_t)x->t.B * K * sizeof *got);
    }
}

static void thread_count_does_not_change_a_bit(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    const int sizes[] = {1, 2, 5, CHECK_EVERY > 1 ? 12 : 40};
    for (size_t s = 0; s < 4; s++) {
        nano_batch x = nano_batch_make(sizes[s], 40, 4);
        for (int d = 0; d < 2; d++) {
            snc_policy p = snc_policy_uniform(d ? SNC_I8 : SNC_BF16, SNC_I8);
            check_threads(m, &x, &p, SNC_BACKEND_REF);
            for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
                setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1);
                check_threads(m, &x, &p, SNC_BACKEND_AUTO);
            }
            unsetenv("SNC_ISA");
        }
        nano_batch_dispose(&x);
    }
    snc_model_free(m);
}

static void every_isa_gives_the_same_answer(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(9, 40, 5);
    float want[9 * K], got[9 * K];
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_ctx ref = context(1, SNC_BACKEND_REF), native = context(2, SNC_BACKEND_AUTO);
    logits_of(want, &ref, m, NULL, &p, &x.t);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1);
        logits_of(got, &native, m, NULL, &p, &x.t);
        /* integer sums are exact; another order of f32 sums can move a rounding of an activation or a probability */
        assert_true(distance(got, want, 9 * K) < 0.04);
    }
    unsetenv("SNC_ISA");
    nano_batch_dispose(&x);
    snc_model_free(m);
}

/* Each matrix in a dtype of its own, against the same with every matrix F32. */
static void dtypes_mix_freely(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(9, 40, 6);
    float want[9 * K], got[9 * K];
    static const snc_dtype pick[3] = {SNC_F32, SNC_BF16, SNC_I8};
    snc_policy p = snc_policy_uniform(SNC_F32, SNC_F32);
    snc_ctx ctx = context(2, SNC_BACKEND_AUTO);
    snc_rng r;
    snc_rng_init(&r, 1, 1);
    logits_of(want, &ctx, m, NULL, &p, &x.t);
    for (int i = 0; i < 8; i++) {
        for (int l = 0; l < m->arch.layers; l++)
            for (int s = 0; s < SNC_SITES; s++) p.linear[l][s] = (uint8_t)pick[snc_rng_below(&r, 3)];
        p.pooler = (uint8_t)pick[snc_rng_below(&r, 3)];
        p.classifier = (uint8_t)pick[snc_rng_below(&r, 3)];
        p.embed = (uint8_t)pick[snc_rng_below(&r, 3)];
        logits_of(got, &ctx, m, NULL, &p, &x.t);
        assert_true(distance(got, want, 9 * K) < INT8_TOLERANCE);
    }
    nano_batch_dispose(&x);
    snc_model_free(m);
}

static void a_rebound_net_equals_a_fresh_one(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(9, 40, 7);
    snc_arch sub = nano_subnet(m);
    snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32), i8 = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_ctx ctx = context(2, SNC_BACKEND_AUTO);
    snc_weights *w;
    snc_net *n;
    float fresh[9 * K], rebound[9 * K];
    assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
    assert_int_equal(snc_net_create(&n, &ctx, w, &sub, &i8, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
    assert_int_equal(snc_net_run(fresh, n, &x.t), SNC_OK);
    assert_int_equal(snc_net_rebind(n, NULL, &f32), SNC_OK);
    assert_int_equal(snc_net_run(rebound, n, &x.t), SNC_OK);
    snc_arch wrong = sub;
    wrong.ffn[0] = 1000;
    assert_int_equal(snc_net_rebind(n, &wrong, &i8), SNC_E_SHAPE);
    assert_int_equal(snc_net_rebind(n, &sub, &i8), SNC_OK);
    assert_int_equal(snc_net_run(rebound, n, &x.t), SNC_OK);
    assert_memory_equal(rebound, fresh, sizeof fresh);
    snc_net_free(n);
    snc_weights_free(w);
    nano_batch_dispose(&x);
    snc_model_free(m);
}

static void refused(snc_net *n, snc_tokens t, snc_err code, const char *text)
{
    float logits[64 * K];
    assert_int_equal(snc_net_run(logits, n, &t), code);
    assert_non_null(strstr(snc_err_text(), text));
}

static void bad_batches_are_refused(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(5, 20, 8);
    snc_ctx ctx = context(1, SNC_BACKEND_REF);
    snc_weights *w;
    snc_net *n;
    snc_net_opts small = {.max_tokens = 100, .max_seqs = 4, .max_len = 10}, none = {.max_tokens = 0, .max_seqs = 4, .max_len = 10};
    assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
    assert_int_equal(snc_net_create(&n, &ctx, w, NULL, NULL, &none), SNC_E_ARG);
    assert_int_equal(snc_net_create(&n, &ctx, w, NULL, NULL, &small), SNC_OK);
    int32_t ids[101] = {0}, types[101] = {0}, at[6] = {0, 3, 5, 7, 9, 11};
    snc_tokens t = {.B = 2, .T = 5, .ids = ids, .types = types, .offsets = at};
    float logits[2 * K];
    assert_int_equal(snc_net_run(logits, n, &t), SNC_OK);
    refused(n, (snc_tokens){.B = 0, .T = 0, .ids = ids, .types = types, .offsets = at}, SNC_E_SHAPE, "0 sequences");
    refused(n, (snc_tokens){.B = 5, .T = 11, .ids = ids, .types = types, .offsets = at}, SNC_E_SHAPE, "5 sequences");
    int32_t empty[3] = {0, 5, 5}, lengthy[3] = {0, 11, 12}, many[5] = {0, 9, 18, 27, 101};
    refused(n, (snc_tokens){.B = 2, .T = 5, .ids = ids, .types = types, .offsets = empty}, SNC_E_SHAPE, "sequence 1 has 0");
    refused(n, (snc_tokens){.B = 2, .T = 12, .ids = ids, .types = types, .offsets = lengthy}, SNC_E_SHAPE, "sequence 0 has 11");
    refused(n, (snc_tokens){.B = 4, .T = 101, .ids = ids, .types = types, .offsets = many}, SNC_E_SHAPE, "101 tokens");
    ids[4] = m->cfg.vocab;
    refused(n, t, SNC_E_ARG, "token 4 has id");
    ids[4] = -1;
    refused(n, t, SNC_E_ARG, "token 4 has id");
    ids[4] = 0;
    types[0] = 2;
    refused(n, t, SNC_E_ARG, "token 0 has type 2");
    snc_net_free(n);
    snc_weights_free(w);
    nano_batch_dispose(&x);
    snc_model_free(m);
}

typedef struct user {
    snc_weights *w;
    const snc_tokens *x;
    float logits[9 * K];
    snc_err err;
} user;

static void *serve(void *p)
{
    user *u = p;
    snc_ctx ctx = context(1, SNC_BACKEND_AUTO);
    snc_policy i8 = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_net *n = NULL;
    u->err = snc_net_create(&n, &ctx, u->w, NULL, &i8, &(snc_net_opts)SNC_NET_OPTS_INIT);
    for (int i = 0; i < 20 && u->err == SNC_OK; i++) u->err = snc_net_run(u->logits, n, u->x);
    snc_net_free(n);
    return NULL;
}

static void threads_share_prepared_weights(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(9, 40, 9);
    snc_policy i8 = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_ctx ctx = context(1, SNC_BACKEND_AUTO);
    user u[2];
    pthread_t id[2];
    memset(u, 0, sizeof u);
    assert_int_equal(snc_weights_from_model(&u[0].w, &ctx, m), SNC_OK);
    assert_int_equal(snc_weights_prepare(u[0].w, NULL, &i8), SNC_OK);
    u[1].w = u[0].w;
    u[0].x = u[1].x = &x.t;
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&id[i], NULL, serve, &u[i]), 0);
    for (int i = 0; i < 2; i++) pthread_join(id[i], NULL);
    assert_int_equal(u[0].err, SNC_OK);
    assert_int_equal(u[1].err, SNC_OK);
    assert_memory_equal(u[0].logits, u[1].logits, sizeof u[0].logits);
    snc_weights_free(u[0].w);
    nano_batch_dispose(&x);
    snc_model_free(m);
}

static void profile_adds_up(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    nano_batch x = nano_batch_make(9, 40, 9);
    snc_ctx ctx = context(1, SNC_BACKEND_AUTO);
    snc_weights *w;
    snc_net *n;
    snc_net_times t;
    float logits[9 * K];
    assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
    assert_int_equal(snc_net_create(&n, &ctx, w, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
    snc_net_profile(n, true);
    for (int i = 0; i < 3; i++) assert_int_equal(snc_net_run(logits, n, &x.t), SNC_OK);
    snc_net_times_get(&t, n);
    assert_int_equal(t.runs, 3);
    assert_true(t.embed > 0 && t.head > 0);
    for (int l = 0; l < m->arch.layers; l++)
        for (int p = 0; p < SNC_PARTS; p++) assert_true(t.layer[l][p] > 0);
    snc_net_free(n);
    snc_weights_free(w);
    nano_batch_dispose(&x);
    snc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_equals_a_plain_forward),
        cmocka_unit_test(f32_equals_the_training_engine),
        cmocka_unit_test(of_a_skipped_half_the_norm_is_left),
        cmocka_unit_test(int8_and_bf16_stay_close_to_f32),
        cmocka_unit_test(a_sequence_does_not_see_its_neighbours),
        cmocka_unit_test(thread_count_does_not_change_a_bit),
        cmocka_unit_test(every_isa_gives_the_same_answer),
        cmocka_unit_test(dtypes_mix_freely),
        cmocka_unit_test(a_rebound_net_equals_a_fresh_one),
        cmocka_unit_test(bad_batches_are_refused),
        cmocka_unit_test(threads_share_prepared_weights),
        cmocka_unit_test(profile_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
