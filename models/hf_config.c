/* config.json of a checkpoint: shapes, labels, and what the head means. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/number.h"
#include "models/family/family.h"
#include "models/hf_priv.h"

/* Hugging Face's names for the activations that we have; "gelu_fast" is the tanh form with its constants spelled out. */
static const struct {
    const char *name;
    snc_act act;
} acts[] = {{"gelu", SNC_ACT_GELU},           {"gelu_python", SNC_ACT_GELU},
            {"gelu_new", SNC_ACT_GELU_TANH},  {"gelu_pytorch_tanh", SNC_ACT_GELU_TANH},
            {"gelu_fast", SNC_ACT_GELU_TANH}, {"relu", SNC_ACT_RELU}};

static snc_err read_act(snc_encoder_config *c, const cJSON *j, const char *path)
{
    const char *key = snc_family_of(c)->keys.act, *name = NULL;
    SNC_TRY(snc_json_str(&name, j, key, NULL, path));
    if (!name) return SNC_OK;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].name, name) == 0) {
            c->act = acts[i].act;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_UNSUPPORTED, "%s: %s '%s' is not supported: gelu, gelu_new, gelu_pytorch_tanh, gelu_fast or relu", path, key,
                       name);
}

static snc_err check_fixed(const snc_family *f, const cJSON *j, const char *path)
{
    for (int i = 0; i < SNC_FAMILY_FIXED && f->fixed[i].key; i++) {
        int v = 0;
        SNC_TRY(snc_json_int(&v, j, f->fixed[i].key, f->fixed[i].value, INT_MIN, INT_MAX, path));
        SNC_CHECK(v == f->fixed[i].value, SNC_E_UNSUPPORTED, "%s: %s %d is not supported for %s, expected %d", path, f->fixed[i].key, v,
                  f->type, f->fixed[i].value);
    }
    return SNC_OK;
}

/* Which family, and what makes a checkpoint something else than a plain encoder of it. */
static snc_err read_family(snc_hf_config *c, const char *path)
{
    const char *type = NULL, *position = NULL;
    char types[128];
    bool decoder = false;
    SNC_TRY(snc_json_str(&type, c->json, "model_type", snc_family_bert.type, path));
    snc_family_types(types, sizeof types);
    c->cfg.family = snc_family_find(type);
    SNC_CHECK(c->cfg.family, SNC_E_UNSUPPORTED, "%s: model_type '%s' is not supported, expected %s", path, type, types);
    SNC_TRY(check_fixed(c->cfg.family, c->json, path));
    SNC_TRY(snc_json_str(&position, c->json, "position_embedding_type", "absolute", path));
    SNC_CHECK(strcmp(position, "absolute") == 0, SNC_E_UNSUPPORTED, "%s: position_embedding_type '%s' is not supported, expected absolute",
              path, position);
    SNC_TRY(snc_json_bool(&decoder, c->json, "is_decoder", false, path));
    SNC_CHECK(!decoder, SNC_E_UNSUPPORTED, "%s: is_decoder: decoders are not supported", path);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(c->json, "architectures");
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(list, 0));
    c->architecture = name ? name : "";
    c->token_head = name && strstr(name, "ForTokenClassification");
    c->other_head = c->token_head || (name && strstr(name, "ForMultipleChoice"));
    return SNC_OK;
}

static snc_err read_float(float *x, const cJSON *j, const char *key, double max, const char *path)
{
    double d;
    SNC_TRY(snc_json_double(&d, j, key, (double)*x, 0, max, path));
    *x = (float)d;
    return SNC_OK;
}

/* null, as BERT's own has it, is no rate of the head's own. */
static snc_err read_head_dropout(snc_encoder_config *c, const cJSON *j, const char *path)
{
    const char *key = snc_family_of(c)->keys.head_dropout;
    const cJSON *said = key ? cJSON_GetObjectItemCaseSensitive(j, key) : NULL;
    if (!said || cJSON_IsNull(said)) return SNC_OK;
    c->own_head_dropout = true;
    return read_float(&c->head_dropout, j, key, 0.99, path);
}

static snc_err read_sizes(snc_encoder_config *c, const cJSON *j, const char *path)
{
    const snc_family *f = c->family;
    const snc_family_keys *k = &f->keys;
    *c = f->defaults;
    c->family = f;
    SNC_TRY(snc_json_int(&c->vocab, j, k->vocab, c->vocab, 1, 16 << 20, path));
    SNC_TRY(snc_json_int(&c->positions, j, k->positions, c->positions, 1 + f->position_base, 65536, path));
    if (snc_family_has(f, SNC_ROLE_TYPE)) SNC_TRY(snc_json_int(&c->types, j, k->types, c->types, 1, 65536, path));
    SNC_TRY(snc_json_int(&c->hidden, j, k->hidden, c->hidden, 1, 65536, path));
    if (k->embedding) SNC_TRY(snc_json_int(&c->embedding, j, k->embedding, c->embedding, 1, 65536, path));
    if (c->embedding == c->hidden && !f->always_projects) c->embedding = 0;
    SNC_TRY(snc_json_int(&c->layers, j, k->layers, c->layers, 1, SNC_MAX_LAYERS, path));
    SNC_TRY(snc_json_int(&c->heads, j, k->heads, c->heads, 1, 65536, path));
    SNC_TRY(snc_json_int(&c->ffn, j, k->ffn, c->ffn, 1, 65536, path));
    SNC_TRY(read_float(&c->norm_eps, j, k->norm_eps, 1, path));
    SNC_TRY(read_float(&c->hidden_dropout, j, k->hidden_dropout, 0.99, path));
    SNC_TRY(read_float(&c->attention_dropout, j, k->attention_dropout, 0.99, path));
    SNC_TRY(read_head_dropout(c, j, path));
    SNC_CHECK(c->hidden % c->heads == 0, SNC_E_SHAPE, "%s: %s %d is not a multiple of %s %d", path, k->hidden, c->hidden, k->heads,
              c->heads);
    c->head_width = c->hidden / c->heads;
    if (f->rotary) SNC_TRY(snc__hf_rotary(c, j, path));
    if (snc_family_has(f, SNC_ROLE_DISTANCE)) SNC_TRY(snc__hf_distances(c, j, path));
    return read_act(c, j, path);
}

/* A label of id2label: a string, a number or a truth value by its JSON text; null, like an index without a name, is LABEL_k. */
static snc_err read_label(const char **out, cJSON *map, cJSON *v, int k, const char *path)
{
    char name[32] = "";
    SNC_CHECK(cJSON_IsString(v) || cJSON_IsNumber(v) || cJSON_IsBool(v) || cJSON_IsNull(v), SNC_E_FORMAT,
              "%s: id2label '%s' must be a string", path, v->string);
    if (cJSON_IsNumber(v)) snprintf(name, sizeof name, "%.15g", v->valuedouble);
    else if (cJSON_IsBool(v)) snprintf(name, sizeof name, "%s", cJSON_IsTrue(v) ? "true" : "false");
    else if (cJSON_IsNull(v)) snprintf(name, sizeof name, "LABEL_%d", k);
    if (name[0]) {
        char key[16];
        snprintf(key, sizeof key, "%.15s", v->string);
        cJSON *text = cJSON_CreateString(name);
        SNC_CHECK(text && cJSON_ReplaceItemInObjectCaseSensitive(map, key, text), SNC_E_NOMEM, "out of memory");
        v = text;
    }
    *out = v->valuestring;
    return snc_json_check_line(*out, "label", path);
}

/* id2label: {"0":"negative","1":"positive"}: every index from 0 exactly once, in any order of the file. */
static snc_err read_labels(snc_hf_config *c, cJSON *map, const char *path)
{
    int K = cJSON_IsObject(map) ? cJSON_GetArraySize(map) : 0, default_names = 0;
    SNC_CHECK(K >= 1 && K <= SNC_MAX_CLASSES, SNC_E_FORMAT, "%s: id2label must name 1 to %d classes", path, SNC_MAX_CLASSES);
    SNC_TRY(snc_alloc(&c->labels, (size_t)K, sizeof *c->labels));
    for (cJSON *v = map->child, *next; v; v = next) {
        int k = 0;
        char name[32];
        next = v->next;
        SNC_CHECK(snc_int_read(&k, v->string, NULL) && k >= 0 && k < K && !c->labels[k], SNC_E_FORMAT,
                  "%s: id2label key '%s': expected each number from 0 to %d once", path, v->string, K - 1);
        SNC_TRY(read_label(&c->labels[k], map, v, k, path));
        snprintf(name, sizeof name, "LABEL_%d", k);
        default_names += strcmp(name, c->labels[k]) == 0;
    }
    if (default_names == K) {
        snc_free(c->labels);
        c->labels = NULL;
    }
    c->named = K;
    return SNC_OK;
}

static snc_err read_head(snc_hf_config *c, const char *path)
{
    cJSON *map = cJSON_GetObjectItemCaseSensitive(c->json, "id2label");
    const char *problem = NULL;
    SNC_TRY(snc_json_int(&c->counted, c->json, "num_labels", 0, 1, SNC_MAX_CLASSES, path));
    if (map && !cJSON_IsNull(map)) SNC_TRY(read_labels(c, map, path));
    SNC_TRY(snc_json_str(&problem, c->json, "problem_type", "", path));
    c->problem = problem;
    snc__hf_config_set_classes(c, c->counted ? c->counted : c->named ? c->named : 2);
    return SNC_OK;
}

/* What Sentence Transformers puts behind a cross-encoder's output: its CrossEncoder reads the newer of two keys, then the older. */
static bool ends_in_sigmoid(const cJSON *j)
{
    const char *fn = snc_json_text(snc_json_at(j, "sentence_transformers"), "activation_fn");
    if (!fn) fn = snc_json_text(j, "sbert_ce_default_activation_function");
    const char *dot = fn ? strrchr(fn, '.') : NULL;
    return fn && strcmp(dot ? dot + 1 : fn, "Sigmoid") == 0;
}

void snc__hf_config_set_classes(snc_hf_config *c, int classes)
{
    c->cfg.classes = classes;
    if (c->cfg.tags) return;
    c->cfg.regression = strcmp(c->problem, "regression") == 0 || (!c->problem[0] && classes == 1);
    c->cfg.multilabel = strcmp(c->problem, "multi_label_classification") == 0;
    c->cfg.score = c->cfg.regression && classes == 1 && ends_in_sigmoid(c->json);
}

snc_err snc__hf_config_load(snc_hf_config *c, const char *path)
{
    *c = (snc_hf_config){.architecture = ""};
    SNC_CHECK(snc_is_file(path), SNC_E_NOTFOUND, "%s: missing: a model's weights need it beside them", path);
    snc_err err = SNC_OK;
    SNC_GOTO(snc_json_load(&c->json, path));
    if (!cJSON_IsObject(c->json)) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "%s: expected a JSON object", path));
    SNC_GOTO(read_family(c, path));
    SNC_GOTO(read_sizes(&c->cfg, c->json, path));
    SNC_GOTO(read_head(c, path));
    return SNC_OK;
out:
    snc__hf_config_dispose(c);
    return err;
}

void snc__hf_config_dispose(snc_hf_config *c)
{
    cJSON_Delete(c->json);
    snc_free(c->labels);
    *c = (snc_hf_config){.architecture = ""};
}
