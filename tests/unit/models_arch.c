/* Archs, policies and configs survive JSON; what is wrong in one, or does not fit its parent, is named. */

#include "check.h"
#include "files.h"
#include "models/arch.h"
#include "nano.h"

static snc_arch narrow(void)
{
    snc_arch a = {.layers = 2, .hidden = 24, .source = {0, 2}, .heads = {3, 1}, .ffn = {40, 17}};
    return a;
}

static void an_arch_survives_json(void **state)
{
    (void)state;
    snc_arch a = narrow(), b;
    cJSON *j = snc_arch_to_json(&a);
    assert_ok(snc_arch_from_json(&b, j, "f"));
    assert_true(snc_arch_equal(&a, &b));
    b.ffn[1]++;
    assert_false(snc_arch_equal(&a, &b));
    cJSON_Delete(j);
}

static void arch_fails(const char *text, const char *fragment)
{
    snc_arch a;
    cJSON *j = cJSON_Parse(text);
    assert_non_null(j);
    assert_fails(snc_arch_from_json(&a, j, "f"), SNC_E_FORMAT, fragment);
    cJSON_Delete(j);
}

static void bad_arch_json_is_named(void **state)
{
    (void)state;
    arch_fails("[]", "f: expected a JSON object");
    arch_fails("{\"layers\":[]}", "f: missing key 'hidden'");
    arch_fails("{\"hidden\":8,\"layers\":[]}", "'layers' must be a list of 1 to 48");
    arch_fails("{\"hidden\":8,\"layers\":[{\"heads\":1}]}", "missing key 'ffn'");
    arch_fails("{\"hidden\":8,\"layers\":[{\"heads\":-1,\"ffn\":2}]}", "'heads' must be a whole number from 0");
    arch_fails("{\"hidden\":8,\"layers\":[{\"heads\":1,\"ffn\":2,\"x\":1}]}", "unknown key 'x'");
    arch_fails("{\"hidden\":8,\"layers\":[{\"source\":1,\"heads\":1,\"ffn\":2},{\"source\":1,\"heads\":1,\"ffn\":2}]}",
               "layer 1: 'source' must ascend");
}

static void an_arch_must_fit_its_parent(void **state)
{
    (void)state;
    snc_encoder_config c = nano_config();
    snc_arch parent = snc_arch_full(&c), a = narrow();
    assert_ok(snc_arch_check(&parent, &parent));
    assert_ok(snc_arch_check(&a, &parent));
    a.source[1] = 3;
    assert_fails(snc_arch_check(&a, &parent), SNC_E_SHAPE, "layer 1: source 3");
    a = narrow();
    a.heads[0] = 5;
    assert_fails(snc_arch_check(&a, &parent), SNC_E_SHAPE, "layer 0: 5 heads, expected 0 to 4");
    a = narrow();
    a.ffn[1] = 65;
    assert_fails(snc_arch_check(&a, &parent), SNC_E_SHAPE, "layer 1: FFN width 65");
    a = narrow();
    a.hidden = 33;
    assert_fails(snc_arch_check(&a, &parent), SNC_E_SHAPE, "hidden size 33");
    a = narrow();
    a.layers = 0;
    assert_fails(snc_arch_check(&a, &parent), SNC_E_SHAPE, "0 layers");
    a = narrow();
    a.heads[1] = a.ffn[0] = 0;
    assert_ok(snc_arch_check(&a, &parent));
    assert_fails(snc_arch_check(&parent, &a), SNC_E_SHAPE, "3 layers");
    a.ffn[1] = 0;
    assert_fails(snc_arch_check(&a, &parent), SNC_E_SHAPE, "layer 1: neither heads nor FFN");
    a = narrow();
    a.heads[0] = a.heads[1] = 0;
    assert_fails(snc_arch_check(&a, &parent), SNC_E_SHAPE, "no layer has heads");
}

static snc_err policy_of(snc_policy *p, const char *text)
{
    cJSON *j = cJSON_Parse(text);
    snc_err err = snc_policy_from_json(p, j, 2, "f");
    cJSON_Delete(j);
    return err;
}

static void q_k_and_v_may_differ(void **state)
{
    (void)state;
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8), q;
    p.linear[1][SNC_SITE_V] = SNC_BF16;
    cJSON *j = snc_policy_to_json(&p, 3);
    assert_ok(snc_policy_from_json(&q, j, 3, "f"));
    assert_memory_equal(p.linear, q.linear, 3 * SNC_SITES);
    cJSON_Delete(j);
    assert_fails(policy_of(&q, "{\"embed\":\"int8\",\"pooler\":\"int8\",\"classifier\":\"f32\",\"layers\":[{\"qkv\":\"int8\",\"k\":\"f32\","
                               "\"o\":\"int8\",\"ffn_in\":\"int8\",\"ffn_out\":\"int8\"},{}]}"),
                 SNC_E_FORMAT, "'qkv' and 'k' exclude each other");
    assert_fails(policy_of(&q, "{\"embed\":\"int8\",\"pooler\":\"int8\",\"classifier\":\"f32\",\"layers\":[{\"q\":\"int8\",\"v\":\"int8\","
                               "\"o\":\"int8\",\"ffn_in\":\"int8\",\"ffn_out\":\"int8\"},{}]}"),
                 SNC_E_FORMAT, "missing key 'k'");
}

static void one_dtype_may_stand_for_all_layers(void **state)
{
    (void)state;
    snc_policy p;
    assert_ok(policy_of(&p, "{\"embed\":\"bf16\",\"pooler\":\"f32\",\"classifier\":\"f32\",\"linear\":\"int8\"}"));
    for (int s = 0; s < SNC_SITES; s++) assert_int_equal(p.linear[1][s], SNC_I8);
    assert_int_equal(p.embed, SNC_BF16);
    assert_fails(policy_of(&p, "{\"embed\":\"bf16\",\"pooler\":\"f32\",\"classifier\":\"f32\",\"linear\":\"int8\",\"layers\":[{}]}"),
                 SNC_E_FORMAT, "exclude each other");
}

static void a_policy_survives_json(void **state)
{
    (void)state;
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_BF16), q;
    p.linear[1][SNC_SITE_FFN_OUT] = SNC_F32;
    p.classifier = SNC_F32;
    cJSON *j = snc_policy_to_json(&p, 3);
    assert_ok(snc_policy_from_json(&q, j, 3, "f"));
    assert_memory_equal(p.linear, q.linear, 3 * SNC_SITES);
    assert_int_equal(q.embed, SNC_BF16);
    assert_int_equal(q.pooler, SNC_I8);
    assert_non_null(cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(j, "layers"), 0), "qkv"));
    assert_int_equal(q.classifier, SNC_F32);
    assert_fails(snc_policy_from_json(&q, j, 2, "f"), SNC_E_SHAPE, "policy of 3 layers, expected 2");
    cJSON_ReplaceItemInObject(j, "embed", cJSON_CreateString("i64"));
    assert_fails(snc_policy_from_json(&q, j, 3, "f"), SNC_E_FORMAT, "'embed' is 'i64', expected f32, bf16, int8 or int4");
    cJSON_DeleteItemFromObject(j, "embed");
    assert_fails(snc_policy_from_json(&q, j, 3, "f"), SNC_E_FORMAT, "missing key 'embed'");
    cJSON_Delete(j);
}

static void a_config_survives_json(void **state)
{
    (void)state;
    snc_encoder_config c = nano_config(), d;
    c.act = SNC_ACT_RELU;
    c.regression = true;
    c.classes = 1;
    cJSON *j = snc_encoder_config_to_json(&c);
    assert_ok(snc_encoder_config_from_json(&d, j, "f"));
    assert_int_equal(d.vocab, NANO_V);
    assert_int_equal(d.act, SNC_ACT_RELU);
    assert_true(d.norm_eps == c.norm_eps && d.hidden_dropout == c.hidden_dropout && !d.own_head_dropout);
    assert_true(d.regression);
    cJSON_AddNumberToObject(j, "head_dropout", 0.25);
    assert_ok(snc_encoder_config_from_json(&c, j, "f"));
    assert_true(c.own_head_dropout && c.head_dropout == 0.25f && snc_head_dropout(&d) == d.hidden_dropout);
    cJSON_Delete(j);
    j = snc_encoder_config_to_json(&c);
    assert_ok(snc_encoder_config_from_json(&d, j, "f"));
    assert_true(snc_head_dropout(&d) == 0.25f);
    cJSON_ReplaceItemInObject(j, "act", cJSON_CreateString("swish"));
    assert_fails(snc_encoder_config_from_json(&d, j, "f"), SNC_E_FORMAT, "'act' is 'swish'");
    cJSON_ReplaceItemInObject(j, "act", cJSON_CreateString("gelu"));
    cJSON_ReplaceItemInObject(j, "heads", cJSON_CreateNumber(65536));
    assert_fails(snc_encoder_config_from_json(&d, j, "f"), SNC_E_FORMAT, "65536 heads of width 8 are too wide");
    cJSON_Delete(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arch_survives_json),       cmocka_unit_test(bad_arch_json_is_named),
        cmocka_unit_test(an_arch_must_fit_its_parent), cmocka_unit_test(a_policy_survives_json),
        cmocka_unit_test(q_k_and_v_may_differ),        cmocka_unit_test(one_dtype_may_stand_for_all_layers),
        cmocka_unit_test(a_config_survives_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
