/* config.json by the keys of the family's table, and what some families say beside them. */
#include <stdio.h>
#include <string.h>

#include "models/hf_out.h"

static snc_err no_memory(void) { return snc_err_set(SNC_E_NOMEM, "out of memory while writing config.json"); }

int snc_hf_heads(const snc_sncfile *net)
{
    const snc_encoder_config *c = snc_sncfile_config(net);
    const snc_arch *a = snc_sncfile_arch(net);
    int most = a->hidden % c->head_width == 0 ? a->hidden / c->head_width : 0;
    for (int l = 0; l < a->layers; l++) most = a->heads[l] > most ? a->heads[l] : most;
    return most;
}

int snc_hf_ffn(const snc_sncfile *net)
{
    const snc_arch *a = snc_sncfile_arch(net);
    int most = 1;
    for (int l = 0; l < a->layers; l++) most = a->ffn[l] > most ? a->ffn[l] : most;
    return most;
}

/* ---- keys --------------------------------------------------------------------------------------------------------- */

/* The first failure sticks: j is NULL from then on. key NULL: the family says nothing of it. */
static void put(cJSON **j, const char *key, cJSON *v)
{
    if (*j && key && v && cJSON_AddItemToObject(*j, key, v)) return;
    cJSON_Delete(v);
    if (!key || !*j) return;
    cJSON_Delete(*j);
    *j = NULL;
}

static void put_number(cJSON **j, const char *key, double v) { put(j, key, cJSON_CreateNumber(v)); }
static void put_text(cJSON **j, const char *key, const char *v) { put(j, key, cJSON_CreateString(v)); }
static void put_bool(cJSON **j, const char *key, bool v) { put(j, key, cJSON_CreateBool(v)); }

/* A float by the fewest digits that are it. */
static void put_float(cJSON **j, const char *key, float v)
{
    char text[32];
    float back = 0;
    for (int digits = 1; digits <= 9 && back != v; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)v);
        cJSON *n = cJSON_Parse(text);
        back = n ? (float)n->valuedouble : v;
        cJSON_Delete(n);
    }
    put(j, key, v == 0 ? cJSON_CreateNumber(0) : cJSON_CreateRaw(text));
}

static void put_sizes(cJSON **j, const snc_sncfile *net)
{
    const snc_encoder_config *c = snc_sncfile_config(net);
    const snc_arch *a = snc_sncfile_arch(net);
    const snc_family *f = snc_family_of(c);
    const snc_family_keys *k = &f->keys;
    static const char *const acts[] = {[SNC_ACT_GELU] = "gelu", [SNC_ACT_GELU_TANH] = "gelu_new", [SNC_ACT_RELU] = "relu"};
    put_number(j, k->vocab, c->vocab);
    put_number(j, k->positions, c->positions);
    if (snc_family_has(f, SNC_ROLE_TYPE)) put_number(j, k->types, c->types);
    put_number(j, k->hidden, a->hidden);
    put_number(j, k->embedding, c->embedding ? c->embedding : a->hidden);
    put_number(j, k->layers, a->layers);
    put_number(j, k->heads, snc_hf_heads(net));
    put_number(j, k->ffn, snc_hf_ffn(net));
    put_text(j, k->act, acts[c->act]);
    put_float(j, k->norm_eps, c->norm_eps);
    put_float(j, k->hidden_dropout, c->hidden_dropout);
    put_float(j, k->attention_dropout, c->attention_dropout);
    if (c->own_head_dropout) put_float(j, k->head_dropout, c->head_dropout);
    for (int i = 0; i < SNC_FAMILY_FIXED && f->fixed[i].key; i++) put_number(j, f->fixed[i].key, f->fixed[i].value);
}

/* ---- of some families --------------------------------------------------------------------------------------------- */

static cJSON *angles(float theta)
{
    cJSON *one = cJSON_CreateObject();
    put_text(&one, "rope_type", "default");
    put_float(&one, "rope_theta", theta);
    return one;
}

/* Both forms: a kind for each layer, and every n-th, where that is so. Biases are there, as any may have been trained. */
static void put_rotary(cJSON **j, const snc_sncfile *net)
{
    static const char *const bias[] = {"attention_bias", "mlp_bias", "norm_bias", "classifier_bias"};
    const snc_encoder_config *c = snc_sncfile_config(net);
    const int layers = snc_sncfile_arch(net)->layers;
    cJSON *rope = cJSON_CreateObject(), *types = cJSON_CreateArray();
    for (int l = 0; l < layers; l++)
        cJSON_AddItemToArray(types, cJSON_CreateString(snc_is_local(c, l) ? "sliding_attention" : "full_attention"));
    put(&rope, "full_attention", angles(c->theta));
    put(&rope, "sliding_attention", angles(c->local_theta));
    put(j, "layer_types", types);
    put(j, "rope_parameters", rope);
    put_float(j, "global_rope_theta", c->theta);
    put_float(j, "local_rope_theta", c->local_theta);
    put_number(j, "local_attention", 2 * c->window);
    put_text(j, "classifier_pooling", c->mean ? "mean" : "cls");
    for (int i = 0; i < 4; i++) put_bool(j, bias[i], true);
    for (int every = 1; every <= layers; every++) {
        bool so = true;
        for (int l = 0; l < layers; l++) so = so && snc_is_local(c, l) == (l % every != 0);
        if (!so) continue;
        put_number(j, "global_attn_every_n_layers", every);
        return;
    }
}

static void put_distances(cJSON **j, const snc_sncfile *net)
{
    put_bool(j, "relative_attention", true);
    put_bool(j, "position_biased_input", false);
    put_bool(j, "share_att_key", true);
    put(j, "pos_att_type", cJSON_Parse("[\"p2c\",\"c2p\"]"));
    put_text(j, "norm_rel_ebd", "layer_norm");
    put_number(j, "position_buckets", snc_sncfile_config(net)->buckets);
    put_number(j, "max_relative_positions", -1);
    put_text(j, "pooler_hidden_act", "gelu");
    put_number(j, "pooler_hidden_size", snc_sncfile_arch(net)->hidden);
    put_float(j, "pooler_dropout", 0);
}

/* "Bert" of "BertForSequenceClassification". */
static int stem(const char *architecture)
{
    const char *at = strstr(architecture, "ForSequence");
    return at ? (int)(at - architecture) : (int)strlen(architecture);
}

/* ---- classes ------------------------------------------------------------------------------------------------------ */

static void put_classes(cJSON **j, const snc_encoder_config *c, const char *const *labels)
{
    cJSON *names = cJSON_CreateObject(), *ids = cJSON_CreateObject();
    for (int k = 0; k < c->classes; k++) {
        char key[16], name[32];
        snprintf(key, sizeof key, "%d", k);
        snprintf(name, sizeof name, "LABEL_%d", k);
        put_text(&names, key, labels ? labels[k] : name);
        put_number(&ids, labels ? labels[k] : name, k);
    }
    put(j, "id2label", names);
    put(j, "label2id", ids);
    if (c->tags) return;
    put_text(j, "problem_type",
             c->multilabel   ? "multi_label_classification"
             : c->regression ? "regression"
                             : "single_label_classification");
    if (!c->regression) return;
    cJSON *encoder = cJSON_CreateObject(); /* or a CrossEncoder takes the sigmoid of any one value */
    put_text(&encoder, "activation_fn", c->score ? "torch.nn.modules.activation.Sigmoid" : "torch.nn.modules.linear.Identity");
    put(j, "sentence_transformers", encoder);
}

snc_err snc_hf_config_json(cJSON **out, const snc_sncfile *net, const char *const *labels, int pad)
{
    const snc_encoder_config *c = snc_sncfile_config(net);
    const snc_family *f = snc_family_of(c);
    char name[64] = "";
    const char *const class = c->vector || c->tags ? name : f->architecture;
    cJSON *j = cJSON_CreateObject();
    *out = NULL;
    if (f->architecture)
        snprintf(name, sizeof name, "%.*s%s", stem(f->architecture), f->architecture, c->tags ? "ForTokenClassification" : "Model");
    if (!f->architecture) cJSON_Delete(j);
    SNC_CHECK(f->architecture, SNC_E_UNSUPPORTED, "family '%s' has no class in Hugging Face's library that is known here", f->type);
    put_text(&j, "model_type", f->type);
    put(&j, "architectures", cJSON_CreateStringArray(&class, 1));
    if (!f->position_base) put(&j, "pad_token_id", pad >= 0 ? cJSON_CreateNumber(pad) : cJSON_CreateNull()); /* not a class's own default */
    put_sizes(&j, net);
    if (f->rotary) put_rotary(&j, net);
    if (snc_family_has(f, SNC_ROLE_DISTANCE)) put_distances(&j, net);
    if (!c->vector) put_classes(&j, c, labels);
    *out = j;
    return j ? SNC_OK : no_memory();
}
