/* Checkpoints of other families than BERT (tests/golden/families): with and without prefix, head and what nobody reads, and refused by
 * name where config.json says what is not computed. Their logits: tests/golden/models_families.c. */

#include "check.h"
#include "models_support.h"

#define FAMILIES SNC_TEST_DIR "/golden/families/"

/* What is changed of a golden checkpoint: a key of config.json (value NULL: removed), another one that is added, tensors that begin with
 * `drop` left out, the prefix cut off the others' names, one tensor more. */
typedef struct change {
    const char *key, *value, *drop, *cut, *extra, *add, *added;
} change;

static snc_err import(snc_model **m, scratch *s, const char *name, change c)
{
    static char names[128][SNC_FAMILY_NAME];
    static const float number = 1;
    char from[512], to[512];
    snc_st *f = NULL;
    snc_tensor list[128];
    cJSON *j = NULL;
    int n = 0;
    snprintf(to, sizeof to, "%s/changed", s->dir);
    assert_ok(snc_mkdir(to));
    snprintf(from, sizeof from, FAMILIES "%s/config.json", name);
    assert_ok(snc_json_load(&j, from));
    if (c.key) cJSON_DeleteItemFromObject(j, c.key);
    if (c.value) cJSON_AddItemToObject(j, c.key, cJSON_Parse(c.value));
    if (c.add) cJSON_AddItemToObject(j, c.add, cJSON_Parse(c.added));
    snprintf(to, sizeof to, "%s/changed/config.json", s->dir);
    assert_ok(snc_json_save(j, to));
    cJSON_Delete(j);
    snprintf(from, sizeof from, FAMILIES "%s/model.safetensors", name);
    assert_ok(snc_st_open(&f, from));
    for (int i = 0; i < snc_st_count(f); i++) {
        const snc_tensor *t = &snc_st_tensors_view(f)[i];
        if (c.drop && strncmp(t->name, c.drop, strlen(c.drop)) == 0) continue;
        const bool cut = c.cut && strncmp(t->name, c.cut, strlen(c.cut)) == 0;
        snprintf(names[n], sizeof names[n], "%s", t->name + (cut ? strlen(c.cut) : 0));
        list[n] = *t;
        list[n].name = names[n];
        n++;
    }
    if (c.extra) list[n++] = (snc_tensor){.name = c.extra, .dtype = SNC_F32, .rank = 1, .shape = {1}, .data = &number, .bytes = 4};
    snprintf(to, sizeof to, "%s/changed/model.safetensors", s->dir);
    snc_tensors_sort(list, n);
    assert_ok(snc_st_save(to, NULL, list, n));
    snc_st_close(f);
    logs = 0;
    return snc_model_load(m, &ctx, to, 0, SNC_MEANS_CLASSES);
}

static snc_model *imported(scratch *s, const char *name, change c)
{
    snc_model *m = NULL;
    assert_ok(import(&m, s, name, c));
    return m;
}

/* All but the tokenizer is there, or is not worth a word. */
static void names_with_and_without_a_prefix_are_one_model(void **state)
{
    scratch *s = *state;
    static const struct {
        const char *name, *prefix, *extra;
    } t[] = {{"distilbert", "distilbert.", "vocab_transform.bias"},
             {"roberta", "roberta.", "roberta.pooler.dense.bias"},
             {"xlm_roberta", "roberta.", "lm_head.bias"},
             {"camembert", "roberta.", "pooler.dense.bias"},
             {"electra", "electra.", "discriminator_predictions.dense.bias"},
             {"albert", "albert.", "predictions.bias"}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        snc_model *whole = imported(s, t[i].name, (change){.extra = t[i].extra});
        assert_int_equal(logs, 1);
        snc_model *bare = imported(s, t[i].name, (change){.cut = t[i].prefix, .extra = t[i].extra});
        assert_int_equal(logs, 1);
        assert_same_params(whole, bare, true);
        assert_true(whole->has_head && bare->has_head);
        snc_model_free(whole);
        snc_model_free(bare);
    }
}

/* A dense layer of the head goes with the classifier: one word for both. One without the other is a missing pooler. */
static void a_head_that_is_not_there_is_seeded(void **state)
{
    scratch *s = *state;
    static const struct {
        const char *name, *drop;
        int logs;
    } t[] = {{"distilbert", "classifier", 2},    {"distilbert", "pre_classifier", 2}, {"roberta", "classifier", 2},
             {"roberta", "classifier.dense", 2}, {"electra", "classifier", 2},        {"albert", "classifier", 2},
             {"albert", "albert.pooler", 2}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        snc_model *m = imported(s, t[i].name, (change){.drop = t[i].drop});
        assert_false(m->has_head);
        assert_int_equal(m->cfg.classes, 3);
        assert_int_equal(logs, t[i].logs);
        snc_model_free(m);
    }
    snc_model *m = NULL;
    assert_fails(import(&m, s, "roberta", (change){.drop = "classifier.out_proj.bias"}), SNC_E_FORMAT,
                 "'classifier.out_proj.bias' is missing");
    assert_fails(import(&m, s, "electra", (change){.drop = "electra.embeddings_project.weight"}), SNC_E_FORMAT,
                 "tensor 'electra.embeddings_project.weight' is missing");
}

static void config_fails(scratch *s, const char *name, const char *key, const char *value, snc_err code, const char *fragment)
{
    snc_model *m = NULL;
    assert_fails(import(&m, s, name, (change){.key = key, .value = value}), code, fragment);
    assert_null(m);
}

static void what_a_family_does_not_compute_is_refused_by_its_key(void **state)
{
    scratch *s = *state;
    config_fails(s, "roberta", "pad_token_id", "0", SNC_E_UNSUPPORTED, "pad_token_id 0 is not supported for roberta, expected 1");
    config_fails(s, "camembert", "pad_token_id", "0", SNC_E_UNSUPPORTED, "for camembert, expected 1");
    config_fails(s, "xlm_roberta", "max_position_embeddings", "2", SNC_E_FORMAT, "'max_position_embeddings' must be a whole number from 3");
    config_fails(s, "albert", "num_hidden_groups", "2", SNC_E_UNSUPPORTED, "num_hidden_groups 2 is not supported for albert, expected 1");
    config_fails(s, "albert", "inner_group_num", "2", SNC_E_UNSUPPORTED, "inner_group_num 2 is not supported for albert, expected 1");
    config_fails(s, "albert", "embedding_size", "24", SNC_E_SHAPE, "word_embeddings.weight' is [40, 20], expected [40, 24]");
    config_fails(s, "electra", "embedding_size", "48", SNC_E_SHAPE, "word_embeddings.weight' is [40, 72], expected [40, 48]");
    config_fails(s, "electra", "position_embedding_type", "\"relative_key\"", SNC_E_UNSUPPORTED, "'relative_key'");
    config_fails(s, "distilbert", "dim", "33", SNC_E_SHAPE, "dim 33 is not a multiple of n_heads 2");
    config_fails(s, "distilbert", "n_layers", "1", SNC_E_SHAPE, "but n_layers is 1");
    config_fails(s, "distilbert", "activation", "\"silu\"", SNC_E_UNSUPPORTED, "activation 'silu' is not supported");
    config_fails(s, "distilbert", "hidden_dim", "\"40\"", SNC_E_FORMAT, "'hidden_dim' must be a whole number");
}

static void what_config_leaves_out_is_the_familys_own(void **state)
{
    scratch *s = *state;
    snc_model *m = imported(s, "roberta", (change){.key = "pad_token_id"});
    assert_int_equal(snc_family_length(&m->cfg), 22); /* of 24 rows */
    snc_model_free(m);
    config_fails(s, "distilbert", "dim", NULL, SNC_E_SHAPE, "expected [40, 768]");
    config_fails(s, "electra", "embedding_size", NULL, SNC_E_SHAPE, "expected [40, 128]");
}

/* A rate of the head's own: said, not said, null; where nothing is said a family may have one. */
static void the_heads_dropout_is_the_one_of_its_key(void **state)
{
    scratch *s = *state;
    static const struct {
        const char *name, *key, *value;
        float head, hidden;
    } t[] = {{"roberta", "classifier_dropout", "0.3", 0.3f, 0.1f},     {"roberta", "classifier_dropout", "null", 0.1f, 0.1f},
             {"roberta", "classifier_dropout", NULL, 0.1f, 0.1f},      {"electra", "classifier_dropout", "0", 0, 0.1f},
             {"distilbert", "seq_classif_dropout", "0.4", 0.4f, 0.1f}, {"distilbert", "seq_classif_dropout", NULL, 0.2f, 0.1f},
             {"albert", "classifier_dropout_prob", NULL, 0.1f, 0},     {"albert", "classifier_dropout_prob", "0.25", 0.25f, 0}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        snc_model *m = imported(s, t[i].name, (change){.key = t[i].key, .value = t[i].value});
        assert_true(snc_head_dropout(&m->cfg) == t[i].head && m->cfg.hidden_dropout == t[i].hidden);
        snc_model_free(m);
    }
    config_fails(s, "camembert", "classifier_dropout", "1", SNC_E_FORMAT, "'classifier_dropout' must be a number from 0 to 0.99");
}

/* Every layer of ALBERT starts as the one that the file has, as many as config.json says. */
static void layers_that_share_their_parameters_get_a_copy_each(void **state)
{
    scratch *s = *state;
    snc_model *m = imported(s, "albert", (change){.key = "num_hidden_layers", .value = "5"});
    assert_int_equal(m->arch.layers, 5);
    for (int r = 0; r < SNC_ROLES; r++)
        for (int l = 1; l < 5 && snc_spec_rows[r].layer && snc_model_at(m, r, l) >= 0; l++) {
            const snc_param *p = &m->params.p[snc_model_at(m, r, 0)];
            assert_memory_equal(snc_params_w(&m->params, snc_model_at(m, r, l)), snc_params_w(&m->params, snc_model_at(m, r, 0)),
                                (size_t)p->rows * (size_t)p->cols * sizeof(float));
        }
    assert_int_equal(m->cfg.embedding, 20);
    snc_model_free(m);
}

/* ---- ModernBERT ------------------------------------------------------------------------------------------------------- */

#define MODERN "../modern/modernbert"

static void where_layers_of_modernbert_look_is_said_in_two_forms(void **state)
{
    scratch *s = *state;
    static const char *const left_out[] = {NULL, "layer_types", "rope_parameters", "local_rope_theta"};
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
        snc_model *m = imported(s, MODERN, (change){.key = left_out[i]});
        assert_true(m->cfg.theta == 160000 && m->cfg.local_theta == 10000 && m->cfg.local == 6);
        assert_int_equal(m->cfg.window, 8);
        assert_true(m->cfg.mean);
        snc_model_free(m);
    }
    snc_model *m = imported(s, MODERN, (change){.key = "rope_parameters", .value = "{\"full_attention\":{\"rope_theta\":500}}"});
    assert_true(m->cfg.theta == 500 && m->cfg.local_theta == 10000);
    snc_model_free(m);
    m = imported(s, MODERN, (change){.key = "rope_parameters", .add = "global_rope_theta", .added = "700"});
    assert_true(m->cfg.theta == 700 && m->cfg.local_theta == 10000);
    snc_model_free(m);
    m = imported(s, MODERN, (change){.key = "layer_types", .value = "null", .add = "global_attn_every_n_layers", .added = "2"});
    assert_true(m->cfg.local == 2);
    snc_model_free(m);
    m = imported(s, MODERN, (change){.key = "classifier_pooling"});
    assert_false(m->cfg.mean);
    snc_model_free(m);
}

static void what_modernbert_does_not_compute_is_refused(void **state)
{
    scratch *s = *state;
    config_fails(s, MODERN, "classifier_pooling", "\"max\"", SNC_E_UNSUPPORTED, "classifier_pooling 'max' is not supported: cls or mean");
    config_fails(s, MODERN, "classifier_activation", "\"relu\"", SNC_E_UNSUPPORTED, "classifier_activation 'relu' is not supported");
    config_fails(s, MODERN, "rope_parameters", "{\"sliding_attention\":{\"rope_type\":\"yarn\"}}", SNC_E_UNSUPPORTED, "rope_type 'yarn'");
    config_fails(s, MODERN, "rope_scaling", "{\"factor\":2}", SNC_E_UNSUPPORTED, "rope_scaling is not supported");
    config_fails(s, MODERN, "layer_types", "[\"full_attention\"]", SNC_E_FORMAT, "layer_types must name 3 layers");
    config_fails(s, MODERN, "layer_types", "[\"full_attention\",\"chunked\",\"full_attention\"]", SNC_E_UNSUPPORTED, "layer 1 is neither");
    config_fails(s, MODERN, "local_attention", "-1", SNC_E_FORMAT, "'local_attention' must be a whole number");
    config_fails(s, MODERN, "num_attention_heads", "16", SNC_E_SHAPE, "heads of width 3: rotary positions turn pairs");
    config_fails(s, "../modern/mpnet", "relative_attention_num_buckets", "64", SNC_E_UNSUPPORTED, "num_buckets 64 is not supported");
}

/* Parts of fused tensors, the last norm, and what may be missing. */
static void tensors_of_modernbert_are_found_or_named(void **state)
{
    scratch *s = *state;
    snc_model *m = imported(s, MODERN, (change){.cut = "model."});
    snc_model_free(m);
    m = NULL;
    assert_fails(import(&m, s, MODERN, (change){.drop = "model.layers.1.attn.Wqkv"}), SNC_E_FORMAT, "attn.Wqkv.weight' is missing");
    assert_fails(import(&m, s, MODERN, (change){.drop = "model.layers.2.attn_norm"}), SNC_E_FORMAT,
                 "layers.2.attn_norm.weight' is missing");
    assert_fails(import(&m, s, MODERN, (change){.drop = "model.final_norm"}), SNC_E_FORMAT, "model.final_norm.weight' is missing");
    assert_fails(import(&m, s, MODERN, (change){.drop = "classifier.bias"}), SNC_E_FORMAT, "classifier.bias' is missing");
    config_fails(s, MODERN, "intermediate_size", "35", SNC_E_SHAPE, "mlp.Wi.weight' is [72, 48], expected [70, 48]");
    m = imported(s, MODERN "_cls", (change){.drop = "model.layers.1.attn.Wqkv.bias"});
    for (int l = 0; l < 2; l++) { /* it starts at 0 */
        const float *b = snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_V_BIAS, l));
        assert_int_equal(b[5] == 0, l == 1);
    }
    snc_model_free(m);
}

/* ---- DeBERTa ---------------------------------------------------------------------------------------------------------- */

#define DEBERTA "../modern/deberta"

static void one_form_of_debertas_attention_is_read(void **state)
{
    scratch *s = *state;
    static const change same[] = {{.key = NULL},
                                  {.key = "pos_att_type", .value = "[\"p2c\",\"c2p\"]"},
                                  {.key = "pos_att_type", .value = "\"c2p|p2c\""},
                                  {.key = "max_relative_positions", .value = "160"},
                                  {.key = "max_relative_positions"},
                                  {.key = "pooler_hidden_size"},
                                  {.key = "pooler_hidden_act"},
                                  {.cut = "deberta."},
                                  {.extra = "mask_predictions.dense.bias"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        snc_model *m = imported(s, DEBERTA, same[i]);
        assert_int_equal(m->cfg.buckets, 16);
        assert_int_equal(logs, 1);
        snc_model_free(m);
    }
}

static void what_deberta_does_not_compute_is_refused(void **state)
{
    scratch *s = *state;
    snc_model *m = NULL;
    config_fails(s, DEBERTA, "position_biased_input", "true", SNC_E_UNSUPPORTED,
                 "position_biased_input true is not supported for deberta-v2, expected false");
    config_fails(s, DEBERTA, "position_biased_input", NULL, SNC_E_UNSUPPORTED, "position_biased_input true");
    config_fails(s, DEBERTA, "relative_attention", "false", SNC_E_UNSUPPORTED, "relative_attention false is not supported");
    config_fails(s, DEBERTA, "share_att_key", NULL, SNC_E_UNSUPPORTED, "share_att_key false is not supported");
    config_fails(s, DEBERTA, "pos_att_type", "\"c2p\"", SNC_E_UNSUPPORTED, "pos_att_type: expected p2c and c2p");
    config_fails(s, DEBERTA, "pos_att_type", "[\"p2c\"]", SNC_E_UNSUPPORTED, "pos_att_type: expected p2c and c2p");
    config_fails(s, DEBERTA, "pos_att_type", NULL, SNC_E_UNSUPPORTED, "pos_att_type: expected p2c and c2p");
    config_fails(s, DEBERTA, "norm_rel_ebd", "\"none\"", SNC_E_UNSUPPORTED, "norm_rel_ebd 'none' is not supported");
    config_fails(s, DEBERTA, "pooler_hidden_act", "\"tanh\"", SNC_E_UNSUPPORTED, "pooler_hidden_act 'tanh' is not supported");
    config_fails(s, DEBERTA, "position_buckets", "-1", SNC_E_UNSUPPORTED, "position_buckets -1 is not supported");
    config_fails(s, DEBERTA, "position_buckets", "24", SNC_E_SHAPE, "rel_embeddings.weight' is [32, 48], expected [48, 48]");
    config_fails(s, DEBERTA, "max_relative_positions", "100", SNC_E_UNSUPPORTED, "max_relative_positions 100 is not supported");
    config_fails(s, DEBERTA, "max_position_embeddings", "5000", SNC_E_UNSUPPORTED, "max_position_embeddings 5000 is not supported");
    config_fails(s, DEBERTA, "embedding_size", "24", SNC_E_UNSUPPORTED, "embedding_size 24 is not supported for deberta-v2, expected 48");
    config_fails(s, DEBERTA, "attention_head_size", "8", SNC_E_UNSUPPORTED, "attention_head_size 8 is not supported");
    config_fails(s, DEBERTA, "pooler_hidden_size", "96", SNC_E_UNSUPPORTED, "pooler_hidden_size 96 is not supported");
    config_fails(s, DEBERTA, "conv_kernel_size", "3", SNC_E_UNSUPPORTED, "conv_kernel_size 3 is not supported for deberta-v2, expected 0");
    config_fails(s, DEBERTA, "type_vocab_size", "2", SNC_E_UNSUPPORTED, "type_vocab_size 2 is not supported for deberta-v2, expected 0");
    config_fails(s, DEBERTA, "model_type", "\"deberta\"", SNC_E_UNSUPPORTED, "model_type 'deberta' is not supported, expected bert, ");
    assert_fails(import(&m, s, DEBERTA, (change){.drop = "deberta.encoder.rel_embeddings"}), SNC_E_FORMAT,
                 "'deberta.encoder.rel_embeddings.weight' is missing");
    assert_fails(import(&m, s, DEBERTA, (change){.drop = "deberta.encoder.LayerNorm.bias"}), SNC_E_FORMAT,
                 "'deberta.encoder.LayerNorm.bias' is missing");
}

int main(void)
{
    static scratch s;
    scratch_init(&s, "models_hf_families");
    void *state = &s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(names_with_and_without_a_prefix_are_one_model, state),
        cmocka_unit_test_prestate(a_head_that_is_not_there_is_seeded, state),
        cmocka_unit_test_prestate(what_a_family_does_not_compute_is_refused_by_its_key, state),
        cmocka_unit_test_prestate(what_config_leaves_out_is_the_familys_own, state),
        cmocka_unit_test_prestate(the_heads_dropout_is_the_one_of_its_key, state),
        cmocka_unit_test_prestate(layers_that_share_their_parameters_get_a_copy_each, state),
        cmocka_unit_test_prestate(where_layers_of_modernbert_look_is_said_in_two_forms, state),
        cmocka_unit_test_prestate(what_modernbert_does_not_compute_is_refused, state),
        cmocka_unit_test_prestate(tensors_of_modernbert_are_found_or_named, state),
        cmocka_unit_test_prestate(one_form_of_debertas_attention_is_read, state),
        cmocka_unit_test_prestate(what_deberta_does_not_compute_is_refused, state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
