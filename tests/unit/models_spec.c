/* The table of parameters and the families over it: order, names, and what walkers rely on. */

#include "base/fmap.h"
#include "check.h"
#include "files.h"
#include "models/family/family.h"
#include "nano.h"

enum { A = NANO_H * NANO_D };

typedef struct expected {
    const char *name;
    int rows, cols;
    unsigned flags;
} expected;

enum { VECTOR = 0, MATRIX = SNC_PARAM_DECAY, TABLE = SNC_PARAM_DECAY | SNC_PARAM_ROWS };

/* Files and checkpoints hold parameters in this order, under these names. */
static const expected first[] = {
    {"embeddings.word.weight", NANO_V, NANO_C, TABLE}, {"embeddings.position.weight", NANO_P, NANO_C, TABLE},
    {"embeddings.type.weight", 2, NANO_C, TABLE},      {"embeddings.norm.weight", 1, NANO_C, VECTOR},
    {"embeddings.norm.bias", 1, NANO_C, VECTOR},
};
static const expected layer[] = {
    {"attention.q.weight", A, NANO_C, MATRIX},  {"attention.q.bias", 1, A, VECTOR},        {"attention.k.weight", A, NANO_C, MATRIX},
    {"attention.k.bias", 1, A, VECTOR},         {"attention.v.weight", A, NANO_C, MATRIX}, {"attention.v.bias", 1, A, VECTOR},
    {"attention.o.weight", NANO_C, A, MATRIX},  {"attention.o.bias", 1, NANO_C, VECTOR},   {"attention.norm.weight", 1, NANO_C, VECTOR},
    {"attention.norm.bias", 1, NANO_C, VECTOR}, {"ffn.in.weight", NANO_F, NANO_C, MATRIX}, {"ffn.in.bias", 1, NANO_F, VECTOR},
    {"ffn.out.weight", NANO_C, NANO_F, MATRIX}, {"ffn.out.bias", 1, NANO_C, VECTOR},       {"ffn.norm.weight", 1, NANO_C, VECTOR},
    {"ffn.norm.bias", 1, NANO_C, VECTOR},
};
static const expected last[] = {
    {"pooler.weight", NANO_C, NANO_C, MATRIX},
    {"pooler.bias", 1, NANO_C, VECTOR},
    {"classifier.weight", NANO_K, NANO_C, MATRIX},
    {"classifier.bias", 1, NANO_K, VECTOR},
};

static void check(const snc_params *ps, int *i, const expected *e, size_t n, const char *before)
{
    char name[SNC_PARAM_NAME];
    for (size_t k = 0; k < n; k++, ++*i) {
        snprintf(name, sizeof name, "%s%s", before, e[k].name);
        assert_string_equal(ps->p[*i].name, name);
        assert_int_equal(ps->p[*i].rows, e[k].rows);
        assert_int_equal(ps->p[*i].cols, e[k].cols);
        assert_int_equal(ps->p[*i].flags, e[k].flags);
    }
}

static void the_table_of_bert_keeps_its_order_names_shapes_and_flags(void **state)
{
    (void)state;
    snc_encoder_config c = nano_config();
    snc_arch a = snc_arch_full(&c);
    snc_params ps = {0};
    char before[24];
    int i = 0;
    assert_ok(snc_spec_table(&ps, &c, &a));
    assert_int_equal(ps.n, 5 + 16 * NANO_L + 4);
    check(&ps, &i, first, sizeof first / sizeof *first, "");
    for (int l = 0; l < NANO_L; l++) {
        snprintf(before, sizeof before, "layer.%d.", l);
        check(&ps, &i, layer, sizeof layer / sizeof *layer, before);
    }
    check(&ps, &i, last, sizeof last / sizeof *last, "");
    snc_params_dispose(&ps);
}

static void a_parameter_knows_its_row_and_its_layer(void **state)
{
    (void)state;
    snc_model *m = NULL;
    assert_ok(nano_model(&m, 1));
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        assert_int_equal(snc_model_at(m, p->row, p->layer), i);
        assert_true(snc_spec_of(p)->layer || p->layer == 0);
    }
    snc_model_free(m);
}

/* What walkers of the table rely on. */
static void a_bias_follows_its_weight_and_each_site_is_one_matrix(void **state)
{
    (void)state;
    int sites[SNC_SITES] = {0};
    for (int r = 0; r < SNC_ROLE_MIXTURE; r++) { /* of those behind no table has a row */
        const snc_spec *s = &snc_spec_rows[r];
        size_t n = strlen(s->name), stem = n - strlen(".bias");
        assert_true(s->name != NULL);
        assert_int_equal(s->slot != SNC_SLOT_NONE, s->rows != SNC_AXIS_ONE);
        assert_int_equal(s->slot != SNC_SLOT_NONE, s->key != NULL);
        assert_int_equal(r < SNC_TABLES, s->slot == SNC_SLOT_EMBED);
        if (s->slot == SNC_SLOT_SITE) sites[s->site]++;
        if (strcmp(s->name + stem, ".bias") != 0) continue;
        assert_memory_equal(s[-1].name, s->name, stem);
        assert_string_equal(s[-1].name + stem, ".weight");
        assert_int_equal(s[-1].rows == SNC_AXIS_ONE ? s[-1].cols : s[-1].rows, s->cols);
    }
    for (int i = 0; i < SNC_SITES; i++) {
        assert_int_equal(sites[i], 1);
        assert_int_equal(snc_spec_rows[snc_spec_site(i)].site, i);
    }
}

/* One name is of one parameter, or of the same in every layer. */
static void check_names(const snc_family *f)
{
    char name[SNC_FAMILY_NAME];
    snc_encoder_config c = nano_family_config(f);
    c.layers = 12; /* numbers of two digits */
    snc_arch a = snc_arch_full(&c);
    snc_params ps = {0};
    snc_role role;
    int at;
    assert_ok(snc_spec_table(&ps, &c, &a));
    for (int i = 0; i < ps.n; i++) {
        const bool shared = snc_spec_of(&ps.p[i])->layer && !strstr(f->name[ps.p[i].row], "{N");
        if (f->part[ps.p[i].row] > 1) continue; /* a tensor's name leads to its first part */
        snc_family_name(name, sizeof name, f, ps.p[i].row, ps.p[i].layer);
        assert_true(snc_family_role(&role, &at, f, name));
        assert_int_equal(role, ps.p[i].row);
        assert_int_equal(at, shared ? 0 : ps.p[i].layer);
        for (int k = 0; k < i; k++) {
            char other[SNC_FAMILY_NAME];
            snc_family_name(other, sizeof other, f, ps.p[k].row, ps.p[k].layer);
            assert_int_equal(strcmp(name, other) == 0, shared && ps.p[i].row == ps.p[k].row);
        }
    }
    snc_params_dispose(&ps);
}

static void names_of_hugging_face_lead_there_and_back(void **state)
{
    (void)state;
    const snc_family *f = &snc_family_bert;
    char name[SNC_FAMILY_NAME];
    snc_role role;
    int at;
    for (int i = 0; snc_family_at(i); i++) check_names(snc_family_at(i));
    snc_family_name(name, sizeof name, f, SNC_ROLE_FFN_NORM_BIAS, 11);
    assert_string_equal(name, "bert.encoder.layer.11.output.LayerNorm.bias");
    static const char *const none[] = {"bert.encoder.layer.-1.output.dense.bias",
                                       "bert.encoder.layer.x.output.dense.bias",
                                       "bert.encoder.layer.01.output.dense.bias",
                                       "encoder.layer.1.output.dense.bias",
                                       "classifier.weight2",
                                       ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(snc_family_role(&role, &at, f, none[i]));
}

/* What a file of a family with turned positions has to say. */
static void check_rotary(void)
{
    static const struct {
        const char *key, *value, *says;
    } wrong[] = {{"window", NULL, "'window' is missing for family modernbert"},
                 {"theta", "0", "'theta' must be a number from 1"},
                 {"local", "[0,48]", "'local' must be a whole number from 0 to 47"},
                 {"local", "3", "'local' must be a list"},
                 {"head_width", "7", "'head_width' 7 must be even"}};
    const snc_encoder_config c = nano_family_config(snc_family_find("modernbert"));
    snc_encoder_config back;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cJSON *j = snc_encoder_config_to_json(&c);
        cJSON_DeleteItemFromObject(j, wrong[i].key);
        if (wrong[i].value) cJSON_AddItemToObject(j, wrong[i].key, cJSON_Parse(wrong[i].value));
        assert_fails(snc_encoder_config_from_json(&back, j, "here"), SNC_E_FORMAT, wrong[i].says);
        cJSON_Delete(j);
    }
}

static void check_buckets(void)
{
    const snc_encoder_config c = nano_family_config(snc_family_find("deberta-v2"));
    snc_encoder_config back;
    cJSON *j = snc_encoder_config_to_json(&c);
    cJSON_DeleteItemFromObject(j, "buckets");
    assert_fails(snc_encoder_config_from_json(&back, j, "here"), SNC_E_FORMAT, "missing key 'buckets'");
    cJSON_AddNumberToObject(j, "buckets", 1);
    assert_fails(snc_encoder_config_from_json(&back, j, "here"), SNC_E_FORMAT, "'buckets' must be a whole number from 2");
    cJSON_DeleteItemFromObject(j, "positions");
    cJSON_AddNumberToObject(j, "positions", 5000);
    assert_fails(snc_encoder_config_from_json(&back, j, "here"), SNC_E_FORMAT,
                 "'positions' 5000, expected at most 4096 for family deberta-v2");
    cJSON_Delete(j);
}

static void a_family_is_found_by_its_type_and_refused_by_name(void **state)
{
    (void)state;
    snc_encoder_config c = nano_config(), back;
    assert_ptr_equal(snc_family_find("bert"), &snc_family_bert);
    assert_null(snc_family_find("gpt2"));
    for (int i = 0; snc_family_at(i); i++) {
        snc_encoder_config other = nano_family_config(snc_family_at(i));
        assert_ptr_equal(snc_family_find(snc_family_at(i)->type), snc_family_at(i));
        cJSON *text = snc_encoder_config_to_json(&other);
        assert_ok(snc_encoder_config_from_json(&back, text, "here"));
        assert_ptr_equal(back.family, other.family);
        assert_int_equal(back.embedding, other.embedding);
        assert_int_equal(back.types, other.types);
        assert_true(back.theta == other.theta && back.local_theta == other.local_theta && back.local == other.local);
        assert_true(back.window == other.window && back.mean == other.mean);
        assert_int_equal(back.buckets, other.buckets);
        cJSON_Delete(text);
        snc_config_set_meaning(&other, SNC_MEANS_VECTOR);
        other.mean = other.mean || !snc_family_at(i)->rotary;
        text = snc_encoder_config_to_json(&other);
        assert_ok(snc_encoder_config_from_json(&back, text, "here"));
        assert_true(snc_meaning_of(&back) == SNC_MEANS_VECTOR && back.mean == other.mean);
        cJSON_SetValuestring(cJSON_GetObjectItemCaseSensitive(text, "vector"), "max");
        assert_fails(snc_encoder_config_from_json(&back, text, "here"), SNC_E_FORMAT, "'vector' is 'max', expected mean or first");
        cJSON_Delete(text);
    }
    cJSON *j = snc_encoder_config_to_json(&c);
    assert_null(cJSON_GetObjectItemCaseSensitive(j, "family")); /* files of BERT are as they always were */
    assert_ok(snc_encoder_config_from_json(&back, j, "here"));
    assert_ptr_equal(back.family, &snc_family_bert);
    cJSON_AddNumberToObject(j, "embedding", 8); /* which has no projection */
    assert_fails(snc_encoder_config_from_json(&back, j, "here"), SNC_E_FORMAT, "'embedding' must be a whole number from 0 to 0");
    cJSON_DeleteItemFromObject(j, "embedding");
    cJSON_AddNumberToObject(j, "theta", 8);
    assert_fails(snc_encoder_config_from_json(&back, j, "here"), SNC_E_FORMAT, "'theta' means nothing for family bert");
    cJSON_DeleteItemFromObject(j, "theta");
    cJSON_AddNumberToObject(j, "buckets", 8);
    assert_fails(snc_encoder_config_from_json(&back, j, "here"), SNC_E_FORMAT, "'buckets' means nothing for family bert");
    cJSON_DeleteItemFromObject(j, "buckets");
    check_rotary();
    check_buckets();
    cJSON_AddStringToObject(j, "family", "gpt2");
    assert_int_equal(snc_encoder_config_from_json(&back, j, "here"), SNC_E_UNSUPPORTED);
    assert_string_equal(snc_err_text(),
                        "here: 'family' is 'gpt2', expected bert, distilbert, roberta, xlm-roberta, camembert, electra, albert, mpnet, "
                        "modernbert, deberta-v2");
    cJSON_Delete(j);
}

/* Of the first family that has it. */
static const char *first_name(snc_role role)
{
    int f = 0;
    while (!snc_family_has(snc_family_at(f), role)) f++;
    return snc_family_at(f)->name[role];
}

/* The table of MODEL.md, from which the engine could be written again. */
static void the_specification_has_the_same_table(void **state)
{
    (void)state;
    static const char *const letter[SNC_AXES] = {"", "V", "P", "types", "E", "E", "C", "A", "F", "C", "K", "32 H", "F", "R"};
    static const char *const start[] = {"0", "1", "normal"};
    snc_fmap *doc = NULL;
    char line[256], key[32];
    assert_ok(snc_fmap_open(&doc, SNC_ROOT_DIR "/models/MODEL.md"));
    char *text = NULL;
    assert_ok(snc_strndup(&text, (const char *)doc->data, doc->size));
    const char *at = strstr(text, "## 2. Parameters"), *end = strstr(text, "## 3. ");
    int rows = 0;
    assert_non_null(at);
    for (int r = 0; r < SNC_ROLE_MIXTURE; r++) {
        const snc_spec *s = &snc_spec_rows[r];
        snprintf(key, sizeof key, s->key ? "`%s`" : "F32", s->key);
        snprintf(line, sizeof line, "\n| `%s` | [%s%s%s] | %s | %s | `%s` |\n", s->name, letter[s->rows],
                 s->rows == SNC_AXIS_ONE ? "" : ", ", letter[s->cols], key, start[s->init], first_name(r));
        const char *found = strstr(at, line);
        if (!found || found > end) fail_msg("models/MODEL.md: not there, or out of order:%s", line);
        at = found + 1;
    }
    for (const char *p = strstr(text, "## 2. Parameters"); (p = strstr(p, "\n| `")) && p < end; p++) rows++;
    assert_int_equal(rows, SNC_ROLE_MIXTURE);
    snc_free(text);
    snc_fmap_close(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_bert_keeps_its_order_names_shapes_and_flags),
        cmocka_unit_test(a_parameter_knows_its_row_and_its_layer),
        cmocka_unit_test(a_bias_follows_its_weight_and_each_site_is_one_matrix),
        cmocka_unit_test(names_of_hugging_face_lead_there_and_back),
        cmocka_unit_test(a_family_is_found_by_its_type_and_refused_by_name),
        cmocka_unit_test(the_specification_has_the_same_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
