/* config.json of a checkpoint: shapes, labels, and what the head means. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "models/hf_priv.h"

/* Hugging Face's names for the activations that we have; "gelu_fast" is the tanh form with its constants spelled out. */
static const struct {
    const char *name;
    snc_act act;
} acts[] = {{"gelu", SNC_ACT_GELU},
            {"gelu_python", SNC_ACT_GELU},
            {"gelu_new", SNC_ACT_GELU_TANH},
            {"gelu_pytorch_tanh", SNC_ACT_GELU_TANH},
            {"gelu_fast", SNC_ACT_GELU_TANH},
            {"relu", SNC_ACT_RELU}};

static snc_err read_act(snc_act *out, const cJSON *j, const char *path)
{
    const char *name = NULL;
    SNC_TRY(snc_json_str(&name, j, "hidden_act", "gelu", path));
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].name, name) == 0) {
            *out = acts[i].act;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_UNSUPPORTED, "%s: hidden_act '%s' is not supported: gelu, gelu_new, gelu_pytorch_tanh, "
                       "gelu_fast or relu", path, name);
}

/* What makes a checkpoint something else than a plain BERT encoder. */
static snc_err check_family(snc_hf_config *c, const char *path)
{
    const char *type = NULL, *position = NULL;
    bool decoder = false;
    SNC_TRY(snc_json_str(&type, c->json, "model_type", "bert", path));
    SNC_CHECK(strcmp(type, "bert") == 0, SNC_E_UNSUPPORTED, "%s: model_type '%s' is not supported, expected bert", path, type);
    SNC_TRY(snc_json_str(&position, c->json, "position_embedding_type", "absolute", path));
    SNC_CHECK(strcmp(position, "absolute") == 0, SNC_E_UNSUPPORTED,
              "%s: position_embedding_type '%s' is not supported, expected absolute", path, position);
    SNC_TRY(snc_json_bool(&decoder, c->json, "is_decoder", false, path));
    SNC_CHECK(!decoder, SNC_E_UNSUPPORTED, "%s: is_decoder: decoders are not supported", path);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(c->json, "architectures");
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(list, 0));
    c->architecture = name ? name : "";
    c->other_head = name && (strstr(name, "ForTokenClassification") || strstr(name, "ForMultipleChoice"));
    return SNC_OK;
}

static snc_err read_sizes(snc_bert_config *c, const cJSON *j, const char *path)
{
    double eps = 0, hidden = 0, attention = 0;
    SNC_TRY(snc_json_int(&c->vocab, j, "vocab_size", 30522, 1, 16 << 20, path));
    SNC_TRY(snc_json_int(&c->positions, j, "max_position_embeddings", 512, 1, 65536, path));
    SNC_TRY(snc_json_int(&c->types, j, "type_vocab_size", 2, 1, 65536, path));
    SNC_TRY(snc_json_int(&c->hidden, j, "hidden_size", 768, 1, 65536, path));
    SNC_TRY(snc_json_int(&c->layers, j, "num_hidden_layers", 12, 1, SNC_MAX_LAYERS, path));
    SNC_TRY(snc_json_int(&c->heads, j, "num_attention_heads", 12, 1, 65536, path));
    SNC_TRY(snc_json_int(&c->ffn, j, "intermediate_size", 3072, 1, 65536, path));
    SNC_TRY(snc_json_double(&eps, j, "layer_norm_eps", 1e-12, 0, 1, path));
    SNC_TRY(snc_json_double(&hidden, j, "hidden_dropout_prob", 0.1, 0, 0.99, path));
    SNC_TRY(snc_json_double(&attention, j, "attention_probs_dropout_prob", 0.1, 0, 0.99, path));
    SNC_CHECK(c->hidden % c->heads == 0, SNC_E_SHAPE, "%s: hidden_size %d is not a multiple of num_attention_heads %d", path,
              c->hidden, c->heads);
    c->head_width = c->hidden / c->heads;
    c->norm_eps = (float)eps;
    c->hidden_dropout = (float)hidden;
    c->attention_dropout = (float)attention;
    return read_act(&c->act, j, path);
}

/* A label of id2label: a string, a number or a truth value by its JSON text; null, like an index without a name, is LABEL_k. */
static snc_err read_label(const char **out, cJSON *map, cJSON *v, int k, const char *path)
{
    char name[32] = "";
    SNC_CHECK(cJSON_IsString(v) || cJSON_IsNumber(v) || cJSON_IsBool(v) || cJSON_IsNull(v), SNC_E_FORMAT, "%s: id2label '%s' must be a string",
              path, v->string);
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
        char rest, name[32];
        next = v->next;
        SNC_CHECK(sscanf(v->string, "%9d%c", &k, &rest) == 1 && k >= 0 && k < K && !c->labels[k], SNC_E_FORMAT,
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

void snc__hf_config_set_classes(snc_hf_config *c, int classes)
{
    c->cfg.classes = classes;
    c->cfg.regression = strcmp(c->problem, "regression") == 0 || (!c->problem[0] && classes == 1);
    c->cfg.multilabel = strcmp(c->problem, "multi_label_classification") == 0;
}

snc_err snc__hf_config_load(snc_hf_config *c, const char *path)
{
    *c = (snc_hf_config){.architecture = ""};
    SNC_CHECK(snc_is_file(path), SNC_E_NOTFOUND, "%s: missing: a model's weights need it beside them", path);
    snc_err err = SNC_OK;
    SNC_GOTO(snc_json_load(&c->json, path));
    if (!cJSON_IsObject(c->json)) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "%s: expected a JSON object", path));
    SNC_GOTO(check_family(c, path));
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
