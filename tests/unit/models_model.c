/* The table of parameters is BERT's, random weights follow from seed and name, an extract is the prefix of its parent. */

#include <math.h>

#include "check.h"
#include "files.h"
#include "models/model.h"
#include "nano.h"

static void the_table_has_every_parameter_of_bert(void **state)
{
    (void)state;
    snc_model *m = NULL;
    assert_ok(nano_model(&m, 1));
    const int C = NANO_C, A = NANO_H * NANO_D, F = NANO_F;
    size_t layer = (size_t)(3 * (A * C + A) + C * A + C + 2 * C + F * C + F + C * F + C + 2 * C);
    size_t rest = (size_t)((NANO_V + NANO_P + 2) * C + 2 * C + C * C + C + NANO_K * C + NANO_K);
    assert_int_equal(snc_params_count(&m->params), NANO_L * layer + rest);
    assert_string_equal(m->params.p[snc_model_at(m, SNC_ROLE_FFN_IN, 2)].name, "layer.2.ffn.in.weight");
    assert_string_equal(m->params.p[snc_model_at(m, SNC_ROLE_ATTENTION_NORM_BIAS, 0)].name, "layer.0.attention.norm.bias");
    assert_string_equal(m->params.p[snc_model_at(m, SNC_ROLE_CLASSIFIER_BIAS, 0)].name, "classifier.bias");
    for (int i = 0; i < m->params.n; i++) {
        const char *name = m->params.p[i].name;
        bool decays = strstr(name, ".weight") && !strstr(name, "norm");
        assert_int_equal(!!(m->params.p[i].flags & SNC_PARAM_DECAY), decays);
        assert_int_equal(!!(m->params.p[i].flags & SNC_PARAM_ROWS), decays && strstr(name, "embeddings"));
    }
    snc_model_free(m);
    snc_model_free(NULL);
}

static void random_weights_depend_on_seed_and_name_alone(void **state)
{
    (void)state;
    snc_encoder_config c = nano_config();
    snc_model *a = NULL, *b = NULL;
    snc_arch full = snc_arch_full(&c);
    assert_ok(snc_model_new(&a, &c, &full));
    c.layers = 1;
    full = snc_arch_full(&c);
    assert_ok(snc_model_new(&b, &c, &full));
    snc_model_init_random(a, 5);
    snc_model_init_random(b, 5);
    assert_memory_equal(snc_params_w(&a->params, snc_model_at(a, SNC_ROLE_POOLER, 0)),
                        snc_params_w(&b->params, snc_model_at(b, SNC_ROLE_POOLER, 0)), 4096);
    const float *w = snc_params_w(&a->params, snc_model_at(a, SNC_ROLE_WORD, 0)),
                *norm = snc_params_w(&a->params, snc_model_at(a, SNC_ROLE_EMBED_NORM, 0));
    double square = 0;
    for (int i = 0; i < NANO_V * NANO_C; i++) square += (double)w[i] * (double)w[i];
    assert_true(fabs(sqrt(square / (NANO_V * NANO_C)) - 0.02) < 0.001);
    assert_true(norm[3] == 1.0f && snc_params_w(&a->params, snc_model_at(a, SNC_ROLE_Q_BIAS, 0))[0] == 0.0f);
    snc_model_init_random(b, 6);
    assert_memory_not_equal(snc_params_w(&a->params, snc_model_at(a, SNC_ROLE_POOLER, 0)),
                            snc_params_w(&b->params, snc_model_at(b, SNC_ROLE_POOLER, 0)), 4096);
    snc_model_free(a);
    snc_model_free(b);
}

static float at(const snc_model *m, int param, int r, int c)
{
    return snc_params_w(&m->params, param)[(size_t)r * (size_t)m->params.p[param].cols + (size_t)c];
}

static void an_extract_is_the_prefix_of_its_parent(void **state)
{
    (void)state;
    snc_model *m = NULL, *x = NULL, *y = NULL;
    assert_ok(nano_model(&m, 2));
    assert_ok(nano_assets(&m->tokenizer));
    const char *labels[] = {"no", "yes"};
    assert_ok(snc_model_set_labels(m, labels));
    cJSON_AddNumberToObject(m->meta, "seed", 2);
    snc_arch a = {.layers = 2, .hidden = 20, .source = {1, 2}, .heads = {3, 1}, .ffn = {40, 17}};
    assert_ok(snc_model_extract(&x, m, &a));
    for (int i = 0; i < 17; i++)
        for (int c = 0; c < 20; c++) {
            assert_true(at(x, snc_model_at(x, SNC_ROLE_FFN_IN, 1), i, c) == at(m, snc_model_at(m, SNC_ROLE_FFN_IN, 2), i, c));
            assert_true(at(x, snc_model_at(x, SNC_ROLE_FFN_OUT, 1), c, i) == at(m, snc_model_at(m, SNC_ROLE_FFN_OUT, 2), c, i));
        }
    for (int i = 0; i < 24; i++) {
        assert_true(at(x, snc_model_at(x, SNC_ROLE_V_BIAS, 0), 0, i) == at(m, snc_model_at(m, SNC_ROLE_V_BIAS, 1), 0, i));
        assert_true(at(x, snc_model_at(x, SNC_ROLE_O, 0), 19, i) == at(m, snc_model_at(m, SNC_ROLE_O, 1), 19, i));
    }
    assert_true(at(x, snc_model_at(x, SNC_ROLE_WORD, 0), 96, 19) == at(m, snc_model_at(m, SNC_ROLE_WORD, 0), 96, 19));
    assert_true(at(x, snc_model_at(x, SNC_ROLE_CLASSIFIER, 0), 1, 19) == at(m, snc_model_at(m, SNC_ROLE_CLASSIFIER, 0), 1, 19));
    assert_int_equal(x->params.p[snc_model_at(x, SNC_ROLE_POOLER, 0)].rows, 20);
    assert_int_equal(x->arch.source[0], 0); /* its own layers */
    assert_string_equal(x->labels[1], "yes");
    assert_int_equal(snc_tok_assets_bytes(&x->tokenizer), snc_tok_assets_bytes(&m->tokenizer));
    assert_true(x->has_head);

    snc_arch last = {.layers = 1, .hidden = 20, .source = {1}, .heads = {1}, .ffn = {17}};
    assert_ok(snc_model_extract(&y, x, &last));
    const cJSON *kept = cJSON_GetObjectItem(y->meta, "kept_layers");
    assert_int_equal(cJSON_GetArraySize(kept), 1);
    assert_int_equal((int)kept->child->valuedouble, 2); /* of the first parent */
    assert_int_equal((int)cJSON_GetObjectItem(y->meta, "seed")->valuedouble, 2);
    snc_model_free(y);
    y = NULL;
    last.heads[0] = 2;
    assert_fails(snc_model_extract(&y, x, &last), SNC_E_SHAPE, "2 heads, expected 0 to 1");
    snc_model_free(x);
    snc_model_free(m);
}

static void a_new_head_leaves_the_encoder_alone(void **state)
{
    (void)state;
    snc_model *m = NULL, *before = NULL;
    assert_ok(nano_model(&m, 3));
    assert_ok(nano_model(&before, 3));
    const char *labels[] = {"a", "b", "c"};
    assert_ok(snc_model_set_head(m, 3, false, labels, 9));
    assert_int_equal(m->cfg.classes, 3);
    assert_false(m->has_head);
    assert_string_equal(m->labels[2], "c");
    for (int i = 0; i < m->params.n - 2; i++)
        assert_memory_equal(snc_params_w(&m->params, i), snc_params_w(&before->params, i),
                            (size_t)m->params.p[i].rows * (size_t)m->params.p[i].cols * sizeof(float));
    float w[3 * NANO_C];
    memcpy(w, snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER, 0)), sizeof w);
    assert_true(w[0] != 0.0f && fabsf(w[0]) < 0.2f && snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER_BIAS, 0))[2] == 0.0f);
    assert_ok(snc_model_set_head(m, 1, true, NULL, 9));
    assert_null(m->labels);
    assert_true(m->cfg.regression);
    assert_ok(snc_model_set_head(m, 3, false, NULL, 9));
    assert_memory_equal(w, snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER, 0)), sizeof w);
    assert_fails(snc_model_set_head(m, 2, true, NULL, 9), SNC_E_ARG, "a regression head has 1 output, not 2");
    assert_fails(snc_model_set_head(m, 0, false, NULL, 9), SNC_E_ARG, "0 classes");
    snc_model_free(m);
    snc_model_free(before);
}

/* A vector needs no pooler: that goes, and a seeded one comes with the next classifier. */
static void a_vector_is_what_is_pooled(void **state)
{
    (void)state;
    snc_model *m = NULL, *before = NULL;
    assert_ok(nano_model(&m, 3));
    assert_ok(nano_model(&before, 3));
    assert_fails(snc_model_set_head(m, NANO_C + 1, SNC_MEANS_VECTOR, NULL, 9), SNC_E_ARG, "a vector of 33 numbers of a hidden size of 32");
    assert_ok(snc_model_set_head(m, NANO_C, SNC_MEANS_VECTOR, NULL, 9));
    assert_true(m->has_head && m->cfg.vector && m->cfg.mean && m->params.n == before->params.n - 2);
    assert_int_equal(snc_model_at(m, SNC_ROLE_POOLER, 0), -1);
    const float *w = snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER, 0));
    for (int i = 0; i < NANO_C * NANO_C; i++) assert_true(w[i] == (float)(i % (NANO_C + 1) == 0));
    assert_ok(snc_model_set_head(m, NANO_K, SNC_MEANS_CLASSES, NULL, 9));
    assert_true(!m->has_head && !m->cfg.vector && !m->cfg.mean && m->params.n == before->params.n);
    for (int i = 0; i < m->params.n; i++) {
        if (snc_spec_of(&m->params.p[i])->rows == SNC_AXIS_POOLED || snc_spec_of(&m->params.p[i])->rows == SNC_AXIS_CLASS) continue;
        if (snc_spec_of(&m->params.p[i])->cols == SNC_AXIS_POOLED || snc_spec_of(&m->params.p[i])->cols == SNC_AXIS_CLASS) continue;
        assert_memory_equal(snc_params_w(&m->params, i), snc_params_w(&before->params, i),
                            (size_t)m->params.p[i].rows * (size_t)m->params.p[i].cols * sizeof(float));
    }
    snc_model_free(m);
    snc_model_free(before);
}

static void a_policy_touches_matrices_alone(void **state)
{
    (void)state;
    snc_model *m = NULL;
    assert_ok(nano_model(&m, 1));
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_BF16);
    p.linear[1][SNC_SITE_O] = SNC_F32;
    p.classifier = SNC_F32;
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *q = &m->params.p[i];
        snc_dtype want = !(q->flags & SNC_PARAM_DECAY) ? SNC_F32 : q->flags & SNC_PARAM_ROWS ? SNC_BF16 : SNC_I8;
        if (i == snc_model_at(m, SNC_ROLE_O, 1) || i == snc_model_at(m, SNC_ROLE_CLASSIFIER, 0)) want = SNC_F32;
        assert_int_equal(snc_spec_dtype(&p, q->row, q->layer), want);
    }
    snc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_every_parameter_of_bert),
        cmocka_unit_test(random_weights_depend_on_seed_and_name_alone),
        cmocka_unit_test(an_extract_is_the_prefix_of_its_parent),
        cmocka_unit_test(a_new_head_leaves_the_encoder_alone),
        cmocka_unit_test(a_vector_is_what_is_pooled),
        cmocka_unit_test(a_policy_touches_matrices_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
