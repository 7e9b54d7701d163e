/* config.json of DeBERTa's second and third version: the buckets of distances, and the one form of its attention that is computed. */
#include <string.h>

#include "models/hf_priv.h"

/* pos_att_type as a text with bars between or as a list: whether both kinds are in it. */
static bool has_both_kinds(const cJSON *j)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, "pos_att_type"), *it;
    bool key = false, query = false;
    if (cJSON_IsString(v)) return strstr(v->valuestring, "c2p") && strstr(v->valuestring, "p2c");
    cJSON_ArrayForEach(it, v)
    {
        const char *kind = cJSON_GetStringValue(it);
        key = key || (kind && strcmp(kind, "c2p") == 0);
        query = query || (kind && strcmp(kind, "p2c") == 0);
    }
    return key && query;
}

static snc_err check_flag(const cJSON *j, const char *key, bool absent, bool want, const char *path)
{
    bool is;
    SNC_TRY(snc_json_bool(&is, j, key, absent, path));
    SNC_CHECK(is == want, SNC_E_UNSUPPORTED, "%s: %s %s is not supported for deberta-v2, expected %s", path, key, is ? "true" : "false",
              want ? "true" : "false");
    return SNC_OK;
}

static snc_err check_text(const cJSON *j, const char *key, const char *absent, const char *want, const char *path)
{
    const char *is;
    SNC_TRY(snc_json_str(&is, j, key, absent, path));
    SNC_CHECK(strcmp(is, want) == 0, SNC_E_UNSUPPORTED, "%s: %s '%.64s' is not supported for deberta-v2, expected %s", path, key, is, want);
    return SNC_OK;
}

/* Sizes that are others' where config.json says nothing. */
static snc_err check_size(const cJSON *j, const char *key, int want, const char *path)
{
    int is;
    SNC_TRY(snc_json_int(&is, j, key, want, 0, 65536, path));
    SNC_CHECK(is == want, SNC_E_UNSUPPORTED, "%s: %s %d is not supported for deberta-v2, expected %d", path, key, is, want);
    return SNC_OK;
}

snc_err snc__hf_distances(snc_encoder_config *c, const cJSON *j, const char *path)
{
    int span;
    SNC_CHECK(c->positions <= SNC_MAX_APART, SNC_E_UNSUPPORTED,
              "%s: max_position_embeddings %d is not supported for deberta-v2, expected at most %d", path, c->positions, SNC_MAX_APART);
    SNC_TRY(check_flag(j, "relative_attention", false, true, path));
    SNC_TRY(check_flag(j, "position_biased_input", true, false, path));
    SNC_TRY(check_flag(j, "share_att_key", false, true, path));
    SNC_CHECK(has_both_kinds(j), SNC_E_UNSUPPORTED, "%s: pos_att_type: expected p2c and c2p for deberta-v2", path);
    SNC_TRY(check_text(j, "norm_rel_ebd", "none", "layer_norm", path));
    SNC_TRY(check_text(j, "pooler_hidden_act", "gelu", "gelu", path));
    SNC_TRY(check_size(j, "embedding_size", c->hidden, path));
    SNC_TRY(check_size(j, "attention_head_size", c->head_width, path));
    SNC_TRY(check_size(j, "pooler_hidden_size", c->hidden, path));
    SNC_TRY(snc_json_int(&c->buckets, j, "position_buckets", -1, -1, SNC_MAX_BUCKETS, path));
    SNC_CHECK(c->buckets >= 2, SNC_E_UNSUPPORTED, "%s: position_buckets %d is not supported for deberta-v2, expected at least 2", path,
              c->buckets);
    SNC_TRY(snc_json_int(&span, j, "max_relative_positions", -1, -1, 65536, path));
    SNC_CHECK(span < 1 || span == c->positions, SNC_E_UNSUPPORTED,
              "%s: max_relative_positions %d is not supported for deberta-v2, expected -1 or max_position_embeddings", path, span);
    return SNC_OK;
}
