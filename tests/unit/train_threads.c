/* A forward pass and training steps give the bits of one thread on any number of them, more than there are CPUs as well: in every
 * dtype and on every level that this CPU has, at shapes that are cut by rows, by columns and both ways. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "check.h"
#include "models/engine.h"
#include "models/runtime.h"
#include "train/adamw.h"
#include "unit/models_nano.h"

enum { K = NANO_CLASSES, MOST_SEQS = 40, LENGTH = 48, STEPS = 2 };

static const int counts[] = {4, 8, 16, 32, 64};
enum { COUNTS = CHECK_MOST_THREADS < 64 ? 2 : sizeof counts / sizeof *counts };

/* Large enough that its products are shared between many threads: 2 layers, hidden 192, 6 heads of 32, FFN 448. */
static snc_model *wide_model(void)
{
    snc_encoder_config c = {.family = &snc_family_bert,
                            .vocab = 97,
                            .positions = 48,
                            .types = 2,
                            .hidden = 192,
                            .layers = 2,
                            .heads = 6,
                            .head_width = 32,
                            .ffn = 448,
                            .classes = K,
                            .act = SNC_ACT_GELU,
                            .norm_eps = 1e-12f};
    snc_arch a = snc_arch_full(&c);
    snc_model *m = NULL;
    assert_int_equal(snc_model_new(&m, &c, &a), SNC_OK);
    snc_model_init_random(m, 7);
    return m;
}

static snc_ctx context(int threads, snc_backend backend)
{
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.threads = threads;
    ctx.backend = backend;
    assert_int_equal(snc_ctx_check(&ctx), SNC_OK);
    return ctx;
}

static void at_every_level(void (*check)(void))
{
    const char *cap = getenv("SNC_ISA");
    char before[32] = "";
    if (cap) snprintf(before, sizeof before, "%s", cap);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        snc_isa now;
        assert_int_equal(setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1), 0);
        if (snc_isa_detect(&now) != SNC_OK || now != (snc_isa)isa) continue; /* above this CPU, or the cap of the caller */
        print_message("SNC_ISA=%s\n", snc_isa_name((snc_isa)isa));
        check();
    }
    if (cap) setenv("SNC_ISA", before, 1);
    else unsetenv("SNC_ISA");
}

/* ---- inference -------------------------------------------------------------------------------------------------------- */

static void logits_of(float *logits, int threads, snc_weights *w, const snc_policy *p, snc_backend backend, const snc_tokens *x)
{
    snc_ctx ctx = context(threads, backend);
    snc_net_opts o = {.max_tokens = MOST_SEQS * LENGTH, .max_seqs = MOST_SEQS, .max_len = LENGTH};
    snc_net *n;
    assert_int_equal(snc_net_create(&n, &ctx, w, NULL, p, &o), SNC_OK);
    for (int turn = 0; turn < 2; turn++) assert_int_equal(snc_net_run(logits, n, x), SNC_OK);
    snc_net_free(n);
}

static void check_dtype(snc_dtype dtype, const char *name, const snc_model *m, int B)
{
    float want[MOST_SEQS * K], got[MOST_SEQS * K];
    nano_batch x = nano_batch_make(B, LENGTH, 4);
    snc_policy p = snc_policy_uniform(dtype, dtype);
    snc_backend backend = snc_isa_now() == SNC_ISA_SCALAR ? SNC_BACKEND_REF : SNC_BACKEND_NATIVE;
    snc_ctx ctx = context(2, backend);
    snc_weights *w;
    assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
    assert_int_equal(snc_weights_prepare(w, &m->arch, &p), SNC_OK);
    for (int i = -1; i < COUNTS; i++) {
        logits_of(i < 0 ? want : got, i < 0 ? 1 : counts[i], w, &p, backend, &x.t);
        if (i >= 0 && memcmp(got, want, (size_t)B * K * sizeof *got) != 0)
            fail_msg("%s, %d sequences: %d threads differ from one", name, B, counts[i]);
    }
    snc_weights_free(w);
    nano_batch_dispose(&x);
}

static void check_logits(void)
{
    static const snc_dtype dtypes[] = {SNC_F32, SNC_BF16, SNC_I8, SNC_I4};
    static const char *const names[] = {"f32", "bf16", "int8", "int4"};
    snc_model *m = wide_model();
    for (int d = 0; d < 4; d++) {
        check_dtype(dtypes[d], names[d], m, 1);
        check_dtype(dtypes[d], names[d], m, snc_isa_now() == SNC_ISA_SCALAR ? 5 : MOST_SEQS);
    }
    snc_model_free(m);
}

static void inference_has_the_bits_of_one_thread(void **state)
{
    (void)state;
    at_every_level(check_logits);
}

/* ---- training --------------------------------------------------------------------------------------------------------- */

/* Weights after steps of AdamW with dropout; false: this level has no such products. */
static bool train(snc_model *m, int threads, snc_backend backend, snc_compute compute, const nano_batch *x)
{
    snc_ctx ctx = context(threads, backend);
    snc_engine_opts o = {
        .compute = compute, .max_tokens = MOST_SEQS * LENGTH, .max_seqs = MOST_SEQS, .max_len = LENGTH, .train = true, .first_only = true};
    snc_engine *e = NULL;
    snc_adamw *a;
    snc_adamw_opts ao = SNC_ADAMW_OPTS_INIT;
    snc_schedule s = {.lr = 1e-2, .total = 10};
    float logits[MOST_SEQS * K], dlogits[MOST_SEQS * K];
    snc_err err = snc_engine_create(&e, &ctx, m, &o);
    if (err == SNC_E_UNSUPPORTED) return false;
    assert_int_equal(err, SNC_OK);
    ao.lazy = false;
    assert_int_equal(snc_adamw_create(&a, &ctx, &m->params, &s, &ao), SNC_OK);
    for (int step = 0; step < STEPS; step++) {
        snc_dropout drop = {.seed = 1, .step = (uint64_t)step, .hidden = 0.1f, .attention = 0.1f, .head = 0.1f};
        snc_engine_start_grads(e);
        assert_int_equal(snc_engine_forward(e, logits, &m->arch, &x->t, &drop), SNC_OK);
        for (int i = 0; i < x->t.B * K; i++) dlogits[i] = 0.1f * logits[i] + (float)(i % 3) - 1.0f;
        assert_int_equal(snc_engine_backward(e, dlogits, NULL, 0), SNC_OK);
        assert_int_equal(snc_adamw_step(NULL, a, NULL, 0), SNC_OK);
        snc_engine_sync(e);
    }
    snc_adamw_free(a);
    snc_engine_free(e);
    return true;
}

static void check_training(snc_backend backend, snc_compute compute, int B)
{
    nano_batch x = nano_batch_make(B, LENGTH, 9);
    snc_model *one = wide_model(), *start = wide_model();
    if (train(one, 1, backend, compute, &x)) {
        assert_true(memcmp(one->params.w, start->params.w, one->params.total * sizeof(float)) != 0);
        for (int i = 0; i < COUNTS; i++) {
            snc_model *many = wide_model();
            assert_true(train(many, counts[i], backend, compute, &x));
            if (memcmp(many->params.w, one->params.w, one->params.total * sizeof(float)) != 0)
                fail_msg("%s, %s, %d sequences: %d threads differ from one", snc_backend_name(backend),
                         compute == SNC_COMPUTE_BF16 ? "bf16" : "f32", B, counts[i]);
            snc_model_free(many);
        }
    }
    snc_model_free(start);
    snc_model_free(one);
    nano_batch_dispose(&x);
}

static void check_native(void)
{
    for (int c = SNC_COMPUTE_F32; c <= SNC_COMPUTE_BF16; c++) check_training(SNC_BACKEND_NATIVE, (snc_compute)c, 12);
}

static void training_has_the_bits_of_one_thread(void **state)
{
    (void)state;
    check_training(SNC_BACKEND_REF, SNC_COMPUTE_F32, 2);
    at_every_level(check_native);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inference_has_the_bits_of_one_thread),
        cmocka_unit_test(training_has_the_bits_of_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
