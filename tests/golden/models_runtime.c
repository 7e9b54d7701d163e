/* The inference path against PyTorch in float64, on the goldens of the engine (tests/ref/bert_golden.py). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "golden.h"
#include "models/runtime.h"

static const double F32_TOLERANCE = 1e-5; /* logits of order 1 */

enum { B = 5 };

static void f32_logits_equal_pytorch(void **state)
{
    static const struct {
        const char *name;
        snc_act act;
    } cases[] = {{"gelu", SNC_ACT_GELU}, {"gelu_tanh", SNC_ACT_GELU_TANH}, {"relu", SNC_ACT_RELU}};
    static const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_AUTO};
    int32_t ids[64], types[64], offsets[B + 1];
    snc_st *f;
    (void)state;
    assert_int_equal(snc_st_open(&f, SNC_TEST_DIR "/golden/bert_nano.safetensors"), SNC_OK);
    memcpy(ids, golden_tensor(f, "ids", "", "")->data, golden_tensor(f, "ids", "", "")->bytes);
    memcpy(types, golden_tensor(f, "types", "", "")->data, golden_tensor(f, "types", "", "")->bytes);
    memcpy(offsets, golden_tensor(f, "offsets", "", "")->data, sizeof offsets);
    snc_tokens x = {.B = B, .T = offsets[B], .ids = ids, .types = types, .offsets = offsets};
    for (size_t c = 0; c < 3; c++)
        for (size_t b = 0; b < 2; b++) {
            snc_ctx ctx = SNC_CTX_INIT;
            snc_model *m = golden_model(f, cases[c].act);
            snc_weights *w;
            snc_net *n;
            float want[B * CLASSES], got[B * CLASSES];
            ctx.backend = backends[b];
            memcpy(want, golden_tensor(f, cases[c].name, ".logits", "")->data, sizeof want);
            assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
            assert_int_equal(snc_net_create(&n, &ctx, w, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
            assert_int_equal(snc_net_run(got, n, &x), SNC_OK);
            for (int i = 0; i < B * CLASSES; i++) assert_true(fabs((double)got[i] - (double)want[i]) <= F32_TOLERANCE);
            snc_net_free(n);
            snc_weights_free(w);
            snc_model_free(m);
        }
    snc_st_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(f32_logits_equal_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
