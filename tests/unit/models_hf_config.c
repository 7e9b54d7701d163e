/* What config.json says of a checkpoint: labels, head and activation; and that it is refused where it contradicts the tensors. */

#include "check.h"
#include "models_support.h"

static void a_multi_label_checkpoint_is_one(void **state)
{
    scratch *s = *state;
    snc_model *m = NULL, *back = NULL, *plain = load(GOLDEN "hf");
    char path[512];
    assert_ok(snc_model_load(&m, &ctx, with_config(s, "problem_type", "\"multi_label_classification\""), 0, SNC_MEANS_CLASSES));
    assert_true(m->has_head && m->cfg.multilabel && !m->cfg.regression);
    assert_int_equal(m->cfg.classes, 3);
    assert_string_equal(m->labels[1], "neutral");
    assert_same_params(m, plain, true);
    snprintf(path, sizeof path, "%s/multilabel.snc", s->dir);
    assert_ok(snc_model_save(m, path));
    assert_ok(snc_model_load(&back, &ctx, path, 2, SNC_MEANS_CLASSES));
    assert_true(back->cfg.multilabel && back->cfg.classes == 3);
    snc_model_free(back);
    assert_ok(snc_model_load(&back, &ctx, GOLDEN "old", 4, SNC_MEANS_MULTILABEL));
    assert_true(!back->has_head && back->cfg.multilabel && back->cfg.classes == 4);
    snc_model_free(back);
    snc_model_free(plain);
    snc_model_free(m);
}

static void config_fails(scratch *s, const char *key, const char *value, snc_err code, const char *fragment)
{
    snc_model *m = NULL;
    assert_fails(snc_model_load(&m, &ctx, with_config(s, key, value), 0, SNC_MEANS_CLASSES), code, fragment);
    assert_null(m);
    assert_non_null(strstr(snc_err_text(), "config.json"));
}

static void a_config_that_contradicts_the_tensors_is_refused(void **state)
{
    scratch *s = *state;
    config_fails(s, "vocab_size", "61", SNC_E_SHAPE,
                 "model.safetensors: tensor 'bert.embeddings.word_embeddings.weight' is [60, 16], expected [61, 16]");
    config_fails(s, "hidden_size", "32", SNC_E_SHAPE, "is [60, 16], expected [60, 32]");
    config_fails(s, "intermediate_size", "48", SNC_E_SHAPE,
                 "'bert.encoder.layer.0.intermediate.dense.weight' is [32, 16], expected [48, 16]");
    config_fails(s, "max_position_embeddings", "512", SNC_E_SHAPE, "position_embeddings.weight' is [20, 16], expected [512, 16]");
    config_fails(s, "num_hidden_layers", "1", SNC_E_SHAPE, "but num_hidden_layers is 1");
    config_fails(s, "id2label", "{\"0\":\"a\",\"1\":\"b\"}", SNC_E_SHAPE, "'classifier.weight' is [3, 16], expected [2, 16]");
    snc_model *m = NULL;
    assert_fails(snc_model_load(&m, &ctx, with_config(s, "num_hidden_layers", "3"), 0, SNC_MEANS_CLASSES), SNC_E_FORMAT,
                 "tensor 'bert.encoder.layer.2.attention.self.query.weight' is missing");
    config_fails(s, "hidden_size", "16000000", SNC_E_FORMAT, "'hidden_size' must be a whole number");
}

static void what_is_no_plain_bert_is_refused_by_name(void **state)
{
    scratch *s = *state;
    config_fails(s, "model_type", "\"gpt2\"", SNC_E_UNSUPPORTED, "model_type 'gpt2' is not supported, expected bert, distilbert, ");
    config_fails(s, "position_embedding_type", "\"relative_key\"", SNC_E_UNSUPPORTED, "'relative_key'");
    config_fails(s, "hidden_act", "\"silu\"", SNC_E_UNSUPPORTED, "hidden_act 'silu'");
    config_fails(s, "is_decoder", "true", SNC_E_UNSUPPORTED, "is_decoder");
    config_fails(s, "problem_type", "\"regression\"", SNC_E_UNSUPPORTED, "a regression of 3 values");
    config_fails(s, "num_attention_heads", "3", SNC_E_SHAPE, "hidden_size 16 is not a multiple of num_attention_heads 3");
    config_fails(s, "hidden_size", "\"16\"", SNC_E_FORMAT, "'hidden_size' must be a whole number");
    config_fails(s, "id2label", "{\"0\":\"a\",\"2\":\"b\"}", SNC_E_FORMAT, "id2label key '2': expected each number from 0 to 1");
    config_fails(s, "id2label", "{\"0\":\"a\",\"00\":\"b\"}", SNC_E_FORMAT, "id2label key '00'");
    config_fails(s, "id2label", "[]", SNC_E_FORMAT, "id2label must name");
}

static void labels_are_ordered_and_default_ones_do_not_count(void **state)
{
    scratch *s = *state;
    snc_model *m = load(with_config(s, "id2label", "{\"2\":\"c\",\"0\":\"a\",\"1\":\"b\"}"));
    assert_string_equal(m->labels[0], "a");
    assert_string_equal(m->labels[1], "b");
    assert_string_equal(m->labels[2], "c");
    snc_model_free(m);
    m = load(with_config(s, "id2label", "{\"0\":\"LABEL_0\",\"1\":\"LABEL_1\",\"2\":\"LABEL_2\"}"));
    assert_null(m->labels);
    snc_model_free(m);
    m = load(with_config(s, "id2label", NULL));
    assert_null(m->labels);
    assert_int_equal(m->cfg.classes, 3); /* from the classifier's shape */
    snc_model_free(m);
}

static void labels_may_be_numbers_or_null(void **state)
{
    scratch *s = *state;
    snc_model *m = load(with_config(s, "id2label", "{\"0\":-1,\"1\":0.5,\"2\":true}"));
    assert_string_equal(m->labels[0], "-1");
    assert_string_equal(m->labels[1], "0.5");
    assert_string_equal(m->labels[2], "true");
    snc_model_free(m);
    m = load(with_config(s, "id2label", "{\"0\":\"a\",\"1\":null,\"2\":\"c\"}"));
    assert_string_equal(m->labels[1], "LABEL_1");
    assert_string_equal(m->labels[2], "c");
    snc_model_free(m);
    m = load(with_config(s, "id2label", "null"));
    assert_null(m->labels);
    assert_int_equal(m->cfg.classes, 3);
    snc_model_free(m);
    config_fails(s, "id2label", "{\"0\":\"a\",\"1\":[],\"2\":\"c\"}", SNC_E_FORMAT, "id2label '1' must be a string");
    config_fails(s, "id2label", "{\"0\":\"a\",\"1\":\"b\\tc\",\"2\":\"c\"}", SNC_E_FORMAT, "control character 0x09");
}

/* The classifier's shape says which of num_labels and id2label is of another model. */
static void a_stale_id2label_gives_way(void **state)
{
    scratch *s = *state;
    char path[512];
    with_config(s, "num_labels", "3");
    snprintf(path, sizeof path, "%s/conf/config.json", s->dir);
    static const struct {
        const char *labels, *count;
        int classes;
        bool named;
    } t[] = {
        {"{\"0\":\"a\",\"1\":\"b\"}", "3", 3, false}, {"{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"}", "2", 3, true}, {"null", "3", 3, false}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        cJSON *j = NULL;
        assert_ok(snc_json_load(&j, GOLDEN "hf/config.json"));
        cJSON_ReplaceItemInObject(j, "id2label", cJSON_Parse(t[i].labels));
        cJSON_AddItemToObject(j, "num_labels", cJSON_Parse(t[i].count));
        assert_ok(snc_json_save(j, path));
        cJSON_Delete(j);
        snc_model *m = load(scratch_path(s, "conf"));
        assert_int_equal(m->cfg.classes, t[i].classes);
        assert_int_equal(m->labels != NULL, t[i].named);
        if (i == 0) assert_int_equal(logs, 2); /* the names, and no tokenizer */
        snc_model_free(m);
    }
    config_fails(s, "num_labels", "0", SNC_E_FORMAT, "'num_labels' must be a whole number");
}

static void activations_have_their_aliases(void **state)
{
    scratch *s = *state;
    static const struct {
        const char *name;
        snc_act act;
    } t[] = {{"\"gelu\"", SNC_ACT_GELU},
             {"\"gelu_pytorch_tanh\"", SNC_ACT_GELU_TANH},
             {"\"gelu_fast\"", SNC_ACT_GELU_TANH},
             {"\"relu\"", SNC_ACT_RELU}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        snc_model *m = load(with_config(s, "hidden_act", t[i].name));
        assert_int_equal(m->cfg.act, t[i].act);
        snc_model_free(m);
    }
}

int main(void)
{
    static scratch s;
    scratch_init(&s, "models_hf_config");
    void *state = &s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_multi_label_checkpoint_is_one, state),
        cmocka_unit_test_prestate(a_config_that_contradicts_the_tensors_is_refused, state),
        cmocka_unit_test_prestate(what_is_no_plain_bert_is_refused_by_name, state),
        cmocka_unit_test_prestate(labels_are_ordered_and_default_ones_do_not_count, state),
        cmocka_unit_test_prestate(labels_may_be_numbers_or_null, state),
        cmocka_unit_test_prestate(a_stale_id2label_gives_way, state),
        cmocka_unit_test_prestate(activations_have_their_aliases, state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
