/* The engine against PyTorch in float64 (tests/ref/bert_golden.py): logits, hidden states, every gradient. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "golden.h"
#include "models/engine.h"

/* f32: largest difference over the largest value of the tensor, or 1. Measured: 2.3e-6 (any backend).
 * bf16: root mean squares of both, and no ReLU: an input whose sign is rounded away moves whole gradients (0.2). Measured: 0.03. */
static const double F32_TOLERANCE = 1e-5, BF16_TOLERANCE = 0.06;

enum { MAX_VALUES = 4096 };

static snc_st *golden;

static const snc_tensor *tensor(const char *a, const char *b, const char *c) { return golden_tensor(golden, a, b, c); }

static size_t count(const snc_tensor *t) { return t->bytes / 4; }

static void close_to(const float *got, const snc_tensor *want, snc_compute compute)
{
    float w[MAX_VALUES];
    double top = 1.0, worst = 0.0, squares = 0.0, size = 1e-6;
    bool bf16 = compute == SNC_COMPUTE_BF16;
    assert_true(count(want) <= MAX_VALUES);
    memcpy(w, want->data, want->bytes);
    for (size_t i = 0; i < count(want); i++) {
        double v = (double)w[i], d = fabs((double)got[i] - v);
        top = fmax(top, fabs(v));
        if (!(d <= worst)) worst = d;
        squares += d * d;
        size += v * v;
    }
    double error = bf16 ? sqrt(squares / size) : worst / top, limit = bf16 ? BF16_TOLERANCE : F32_TOLERANCE;
    if (!(error <= limit)) fail_msg("%s: relative difference %.3g", want->name, error);
}

static void load_ints(int32_t *to, const char *name) { memcpy(to, tensor(name, "", "")->data, tensor(name, "", "")->bytes); }

typedef struct setting {
    snc_backend backend;
    snc_compute compute;
    int threads;
    bool first_only;
} setting;

static void check_case(const char *name, snc_act act, const setting *s)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_engine_opts o = {.compute = s->compute, .max_tokens = 41, .max_seqs = 5, .max_len = 20, .train = true, .first_only = s->first_only};
    snc_engine *e;
    int32_t ids[64], types[64], offsets[8];
    float logits[64], dlogits[64], dhidden[LAYERS + 1][MAX_VALUES];
    const float *inject[LAYERS + 1];
    bool with_hidden = strcmp(name, "gelu") == 0;
    if (with_hidden && s->first_only) return; /* its hidden gradient covers all tokens of the last layer */
    ctx.backend = s->backend;
    ctx.threads = s->threads;
    assert_int_equal(snc_ctx_check(&ctx), SNC_OK);
    snc_model *m = golden_model(golden, act);
    load_ints(ids, "ids");
    load_ints(types, "types");
    load_ints(offsets, "offsets");
    snc_tokens x = {.B = 5, .T = offsets[5], .ids = ids, .types = types, .offsets = offsets};
    snc_err err = snc_engine_create(&e, &ctx, m, &o);
    if (err == SNC_E_UNSUPPORTED) {
        print_message("not here: %s\n", snc_err_text());
        snc_model_free(m);
        return;
    }
    assert_int_equal(err, SNC_OK);
    assert_int_equal(snc_engine_forward(e, logits, &m->arch, &x, NULL), SNC_OK);
    close_to(logits, tensor(name, ".logits", ""), s->compute);
    for (int i = 0; i <= LAYERS; i++) {
        char digit[2] = {(char)('0' + i), 0};
        const snc_tensor *d = tensor("dhidden.", digit, "");
        memcpy(dhidden[i], d->data, d->bytes);
        inject[i] = dhidden[i];
        if (with_hidden) close_to(snc_engine_hidden_view(e, i), tensor(name, ".hidden.", digit), s->compute);
    }
    memcpy(dlogits, tensor("dlogits", "", "")->data, tensor("dlogits", "", "")->bytes);
    assert_int_equal(snc_engine_backward(e, dlogits, with_hidden ? inject : NULL, with_hidden ? LAYERS + 1 : 0), SNC_OK);
    for (int i = 0; i < m->params.n; i++) {
        /* 0 in exact arithmetic: with bf16 products only noise is left. */
        if (s->compute == SNC_COMPUTE_BF16 && strstr(m->params.p[i].name, "attention.k.bias")) continue;
        close_to(snc_params_g(&m->params, i), tensor(name, ".g.", m->params.p[i].name), s->compute);
    }
    snc_engine_free(e);
    snc_model_free(m);
}

static void check(const setting *s)
{
    check_case("gelu", SNC_ACT_GELU, s);
    check_case("gelu_tanh", SNC_ACT_GELU_TANH, s);
    if (s->compute == SNC_COMPUTE_F32) check_case("relu", SNC_ACT_RELU, s);
}

static void ref_equals_pytorch(void **state)
{
    (void)state;
    check(&(setting){SNC_BACKEND_REF, SNC_COMPUTE_F32, 1, false});
}

static void ref_first_only_equals_pytorch(void **state)
{
    (void)state;
    check(&(setting){SNC_BACKEND_REF, SNC_COMPUTE_F32, 1, true});
}

static void every_f32_backend_equals_pytorch(void **state)
{
    (void)state;
    for (int b = SNC_BACKEND_AUTO; b <= SNC_BACKEND_NATIVE; b++) {
        check(&(setting){(snc_backend)b, SNC_COMPUTE_F32, 2, false});
        check(&(setting){(snc_backend)b, SNC_COMPUTE_F32, 2, true});
    }
}

static void bf16_products_stay_near_pytorch(void **state)
{
    (void)state;
    for (int b = SNC_BACKEND_AUTO; b <= SNC_BACKEND_NATIVE; b++) {
        check(&(setting){(snc_backend)b, SNC_COMPUTE_BF16, 2, false});
        check(&(setting){(snc_backend)b, SNC_COMPUTE_BF16, 2, true});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ref_equals_pytorch),
        cmocka_unit_test(ref_first_only_equals_pytorch),
        cmocka_unit_test(every_f32_backend_equals_pytorch),
        cmocka_unit_test(bf16_products_stay_near_pytorch),
    };
    if (snc_st_open(&golden, SNC_TEST_DIR "/golden/bert_nano.safetensors") != SNC_OK) {
        fprintf(stderr, "%s\n", snc_err_text());
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snc_st_close(golden);
    return failed;
}
