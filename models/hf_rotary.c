/* config.json of ModernBERT, in both forms: layer_types with rope_parameters, or every n-th layer with two numbers. */
#include <string.h>

#include "models/hf_priv.h"

static const char FULL[] = "full_attention", SLIDING[] = "sliding_attention";

/* rope_parameters.KIND.rope_theta, or the older key. */
static snc_err read_theta(float *theta, const cJSON *j, const char *kind, const char *old, const char *path)
{
    const cJSON *one = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(j, "rope_parameters"), kind);
    const char *type;
    double d;
    SNC_TRY(snc_json_str(&type, one, "rope_type", "default", path));
    SNC_CHECK(strcmp(type, "default") == 0, SNC_E_UNSUPPORTED, "%s: rope_type '%.64s' is not supported, expected default", path, type);
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(one, "rope_theta"), *w = cJSON_GetObjectItemCaseSensitive(j, old);
    bool in_one = v && !cJSON_IsNull(v), in_old = w && !cJSON_IsNull(w);
    if (!in_one && !in_old) return SNC_OK;
    SNC_TRY(snc_json_double(&d, in_one ? one : j, in_one ? "rope_theta" : old, 0, 1, 1e9, path));
    *theta = (float)d;
    return SNC_OK;
}

/* Which layers see a window alone. */
static snc_err read_layers(snc_encoder_config *c, const cJSON *j, const char *path)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, "layer_types");
    int every;
    SNC_TRY(snc_json_int(&every, j, "global_attn_every_n_layers", 3, 1, SNC_MAX_LAYERS, path));
    c->local = 0;
    if (!list || cJSON_IsNull(list)) {
        for (int l = 0; l < c->layers; l++) c->local |= (uint64_t)(l % every != 0) << l;
        return SNC_OK;
    }
    SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) == c->layers, SNC_E_FORMAT, "%s: layer_types must name %d layers", path,
              c->layers);
    for (int l = 0; l < c->layers; l++) {
        const char *kind = cJSON_GetStringValue(cJSON_GetArrayItem(list, l));
        bool sliding = kind && strcmp(kind, SLIDING) == 0;
        SNC_CHECK(sliding || (kind && strcmp(kind, FULL) == 0), SNC_E_UNSUPPORTED, "%s: layer_types: layer %d is neither %s nor %s", path,
                  l, FULL, SLIDING);
        c->local |= (uint64_t)sliding << l;
    }
    return SNC_OK;
}

snc_err snc__hf_rotary(snc_encoder_config *c, const cJSON *j, const char *path)
{
    const cJSON *scaling = cJSON_GetObjectItemCaseSensitive(j, "rope_scaling");
    const char *pooling, *act;
    int span;
    SNC_CHECK(c->head_width % 2 == 0, SNC_E_SHAPE, "%s: heads of width %d: rotary positions turn pairs", path, c->head_width);
    SNC_CHECK(!scaling || cJSON_IsNull(scaling), SNC_E_UNSUPPORTED, "%s: rope_scaling is not supported", path);
    SNC_TRY(read_theta(&c->theta, j, FULL, "global_rope_theta", path));
    SNC_TRY(read_theta(&c->local_theta, j, SLIDING, "local_rope_theta", path));
    SNC_TRY(snc_json_int(&span, j, "local_attention", 2 * c->window, 0, 65536, path));
    c->window = span / 2;
    SNC_TRY(snc_json_str(&act, j, "classifier_activation", "gelu", path));
    SNC_CHECK(strcmp(act, "gelu") == 0, SNC_E_UNSUPPORTED, "%s: classifier_activation '%.64s' is not supported, expected gelu", path, act);
    SNC_TRY(snc_json_str(&pooling, j, "classifier_pooling", "cls", path));
    c->mean = strcmp(pooling, "mean") == 0;
    SNC_CHECK(c->mean || strcmp(pooling, "cls") == 0, SNC_E_UNSUPPORTED, "%s: classifier_pooling '%.64s' is not supported: cls or mean",
              path, pooling);
    return read_layers(c, j, path);
}
