/* Multiply-adds, parameters and bytes, against BERT's published numbers and against the table of parameters. */
#include <stdbool.h>

#include "check.h"
#include "models/cost.h"
#include "models/model.h"
#include "unit/models_nano.h"

static snc_encoder_config bert_base(void)
{
    return (snc_encoder_config){.vocab = 30522,
                                .positions = 512,
                                .types = 2,
                                .hidden = 768,
                                .layers = 12,
                                .heads = 12,
                                .head_width = 64,
                                .ffn = 3072,
                                .classes = 2};
}

/* The four corners of the published BERT space: 11.177, 5.589, 4.382 and 2.191 GMACs, 109.5, 67.0, 57.5 and 41.0 M. */
static void macs_and_parameters_of_bert_base(void **state)
{
    (void)state;
    snc_encoder_config c = bert_base();
    static const int corner[4][3] = {{12, 12, 3072}, {6, 12, 3072}, {12, 6, 1024}, {6, 6, 1024}};
    static const int64_t gmacs[4] = {11177, 5589, 4382, 2191}, params[4] = {1095, 670, 575, 410};
    for (int i = 0; i < 4; i++) {
        snc_arch a = snc_arch_full(&c);
        a.layers = corner[i][0];
        for (int l = 0; l < a.layers; l++) a.heads[l] = corner[i][1], a.ffn[l] = corner[i][2];
        assert_int_equal((snc_cost_macs(&c, &a, 128) + 500000) / 1000000, gmacs[i]);
        assert_true(llabs((snc_cost_params(&c, &a) + 50000) / 100000 - params[i]) <= 1);
    }
    snc_arch full = snc_arch_full(&c);
    assert_true(snc_cost_macs(&c, &full, 128) == 11176674944);
    full.heads[3] = full.ffn[7] = 0; /* of which the LayerNorm is left */
    const int64_t S = 128, C = 768, F = 3072;
    assert_true(snc_cost_macs(&c, &full, 128) == 11176674944 - (4 * S * C * C + 2 * S * S * C) - 2 * S * C * F);
}

static void parameters_equal_the_table(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU), *sub;
    assert_true(snc_cost_params(&m->cfg, &m->arch) == (int64_t)snc_params_count(&m->params));
    for (int k = -1; k < NANO_SKIPPING; k++) {
        snc_arch a = k < 0 ? nano_subnet(m) : nano_skipping(m, k);
        assert_int_equal(snc_model_extract(&sub, m, &a), SNC_OK);
        assert_true(snc_cost_params(&m->cfg, &a) == (int64_t)snc_params_count(&sub->params));
        snc_model_free(sub);
    }
    snc_model_free(m);
}

static void int8_is_about_a_quarter_of_f32(void **state)
{
    (void)state;
    snc_encoder_config c = bert_base();
    snc_arch a = snc_arch_full(&c);
    snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32), i8 = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_bytes x, y;
    snc_cost_bytes(&x, &c, &a, &f32, 1000, 2000);
    snc_cost_bytes(&y, &c, &a, &i8, 1000, 2000);
    assert_true(x.linears == 4 * y.linears && x.scales == 0 && y.scales > 0);
    assert_true(x.total == x.embed + x.linears + x.scales + x.vectors + x.tokenizer + x.header);
    assert_true((double)x.total / (double)y.total > 3.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macs_and_parameters_of_bert_base),
        cmocka_unit_test(parameters_equal_the_table),
        cmocka_unit_test(int8_is_about_a_quarter_of_f32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
