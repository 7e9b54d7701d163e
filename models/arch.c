/* Configs, archs and policies: checked, made and written as JSON. */
#include "models/arch.h"

#include <string.h>

#include "models/family/family.h"
#include "quant/int4.h"

static const char *const act_names[] = {[SNC_ACT_GELU] = "gelu", [SNC_ACT_GELU_TANH] = "gelu_tanh", [SNC_ACT_RELU] = "relu"};

static const char *const pooled_names[] = {"first", "mean"};

enum { MAX_WIDTH = 65536, MAX_VOCAB = 16 << 20 };

snc_arch snc_arch_full(const snc_encoder_config *c)
{
    snc_arch a = {.layers = c->layers, .hidden = c->hidden};
    for (int i = 0; i < c->layers; i++) {
        a.source[i] = i;
        a.heads[i] = c->heads;
        a.ffn[i] = c->ffn;
    }
    return a;
}

snc_encoder_config snc_config_cut(const snc_encoder_config *c, const snc_arch *a)
{
    snc_encoder_config cut = *c;
    cut.local = 0;
    cut.mixture = (snc_mixture){.experts = 0};
    for (int i = 0; i < a->layers; i++) cut.local |= (uint64_t)snc_is_local(c, a->source[i]) << i;
    return cut;
}

bool snc_arch_equal(const snc_arch *a, const snc_arch *b)
{
    if (a->layers != b->layers || a->hidden != b->hidden) return false;
    for (int i = 0; i < a->layers; i++)
        if (a->source[i] != b->source[i] || a->heads[i] != b->heads[i] || a->ffn[i] != b->ffn[i]) return false;
    return true;
}

snc_err snc_arch_check(const snc_arch *a, const snc_arch *parent)
{
    SNC_CHECK(a->layers >= 1 && a->layers <= parent->layers, SNC_E_SHAPE, "arch: %d layers, expected 1 to %d", a->layers, parent->layers);
    SNC_CHECK(a->hidden >= 1 && a->hidden <= parent->hidden, SNC_E_SHAPE, "arch: hidden size %d, expected 1 to %d", a->hidden,
              parent->hidden);
    int heads = 0;
    for (int i = 0; i < a->layers; i++) {
        int s = a->source[i];
        heads += a->heads[i];
        SNC_CHECK(s >= 0 && s < parent->layers && (i == 0 || s > a->source[i - 1]), SNC_E_SHAPE,
                  "arch: layer %d: source %d, expected ascending numbers below %d", i, s, parent->layers);
        SNC_CHECK(a->heads[i] >= 0 && a->heads[i] <= parent->heads[s], SNC_E_SHAPE, "arch: layer %d: %d heads, expected 0 to %d", i,
                  a->heads[i], parent->heads[s]);
        SNC_CHECK(a->ffn[i] >= 0 && a->ffn[i] <= parent->ffn[s], SNC_E_SHAPE, "arch: layer %d: FFN width %d, expected 0 to %d", i,
                  a->ffn[i], parent->ffn[s]);
        SNC_CHECK(a->heads[i] > 0 || a->ffn[i] > 0, SNC_E_SHAPE, "arch: layer %d: neither heads nor FFN: it is not there", i);
    }
    SNC_CHECK(heads > 0, SNC_E_SHAPE, "arch: no layer has heads: of a text the first token alone would be read");
    return SNC_OK;
}

snc_err snc_arch_within(snc_arch *out, const snc_arch *b, const snc_arch *a)
{
    *out = *b;
    for (int i = 0, l = 0; i < b->layers; i++, l++) {
        while (l < a->layers && a->source[l] < b->source[i]) l++;
        SNC_CHECK(l < a->layers && a->source[l] == b->source[i], SNC_E_SHAPE, "arch: layer %d is not among those of the larger net",
                  b->source[i]);
        out->source[i] = l;
    }
    return snc_arch_check(out, a);
}

/* Layer l of both. */
static bool same_layer(const snc_arch *a, const snc_policy *p, const snc_arch *b, const snc_policy *q, int l)
{
    bool same = a->source[l] == b->source[l] && a->heads[l] == b->heads[l] && a->ffn[l] == b->ffn[l];
    for (int s = 0; s < SNC_SITES; s++) same = same && (!snc_arch_has(a, l, s) || p->linear[l][s] == q->linear[l][s]);
    return same;
}

int snc_arch_handover(const snc_encoder_config *c, const snc_arch *a, const snc_policy *p, const snc_arch *b, const snc_policy *q)
{
    const int at = snc_reads_first(c) ? snc_arch_last_heads(a) : a->layers;
    if (a->hidden != b->hidden || p->embed != q->embed || at > snc_arch_last_heads(b)) return 0;
    for (int l = 0; l < at; l++)
        if (!same_layer(a, p, b, q, l)) return 0;
    return at;
}

snc_policy snc_policy_uniform(snc_dtype linear, snc_dtype embed)
{
    snc_policy p;
    memset(p.linear, (int)linear, sizeof p.linear);
    p.pooler = p.classifier = (uint8_t)linear;
    p.embed = (uint8_t)embed;
    return p;
}

snc_policy snc_policy_int8(void)
{
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    p.classifier = SNC_F32; /* a few hundred numbers */
    return p;
}

static snc_err check_width(int dtype, int inputs, const char *what, int layer)
{
    bool fits = dtype != SNC_I4 || inputs % SNC_INT4_GROUP == 0;
    SNC_CHECK(fits || layer < 0, SNC_E_SHAPE, "policy: layer %d %s: int4 on %d inputs, expected a multiple of %d", layer, what, inputs,
              SNC_INT4_GROUP);
    SNC_CHECK(fits, SNC_E_SHAPE, "policy: %s: int4 on rows of %d, expected a multiple of %d", what, inputs, SNC_INT4_GROUP);
    return SNC_OK;
}

snc_err snc_policy_check(const snc_policy *p, const snc_arch *a, const snc_encoder_config *c)
{
    int size[SNC_AXES];
    for (int l = 0; l < a->layers; l++) {
        snc_spec_sizes(size, c, a, l);
        for (int r = 0; r < SNC_ROLES; r++) {
            const snc_spec *s = &snc_spec_rows[r];
            if (s->slot == SNC_SLOT_SITE && snc_spec_present(r, size))
                SNC_TRY(check_width(snc_spec_dtype(p, r, l), size[s->cols], s->key, l));
        }
    }
    for (int r = SNC_ROLES - 1; r >= 0; r--) {
        const snc_spec *s = &snc_spec_rows[r];
        if (!s->layer && s->key && snc_spec_present(r, size)) SNC_TRY(check_width(snc_spec_dtype(p, r, 0), size[s->cols], s->key, -1));
    }
    return SNC_OK;
}

bool snc_policy_uses(const snc_policy *p, const snc_arch *a, snc_dtype t)
{
    bool yes = false;
    for (int r = 0; r < SNC_ROLES; r++) {
        const snc_spec *s = &snc_spec_rows[r];
        for (int l = 0; l < a->layers && s->key; l++)
            yes = yes || (snc_spec_dtype(p, r, l) == t && (s->slot != SNC_SLOT_SITE || snc_arch_has(a, l, s->site)));
    }
    return yes;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

cJSON *snc_arch_to_json(const snc_arch *a)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "hidden", a->hidden);
    cJSON *layers = cJSON_AddArrayToObject(j, "layers");
    for (int i = 0; i < a->layers; i++) {
        cJSON *l = cJSON_CreateObject();
        cJSON_AddNumberToObject(l, "source", a->source[i]);
        cJSON_AddNumberToObject(l, "heads", a->heads[i]);
        cJSON_AddNumberToObject(l, "ffn", a->ffn[i]);
        cJSON_AddItemToArray(layers, l);
    }
    return j;
}

/* The array obj.layers with 1 to SNC_MAX_LAYERS entries. */
static snc_err get_layers(const cJSON **out, int *n, const cJSON *obj, const char *where)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, "layers");
    int size = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 0;
    SNC_CHECK(size >= 1 && size <= SNC_MAX_LAYERS, SNC_E_FORMAT, "%s: 'layers' must be a list of 1 to %d objects", where, SNC_MAX_LAYERS);
    *out = v;
    *n = size;
    return SNC_OK;
}

/* An integer that must be there. */
static snc_err need_int(int *out, const cJSON *obj, const char *key, int min, int max, const char *where)
{
    SNC_CHECK(cJSON_GetObjectItemCaseSensitive(obj, key), SNC_E_FORMAT, "%s: missing key '%s'", where, key);
    return snc_json_int(out, obj, key, min, min, max, where);
}

snc_err snc_arch_from_json(snc_arch *out, const cJSON *j, const char *where)
{
    static const char *const keys[] = {"hidden", "layers", NULL};
    static const char *const layer_keys[] = {"source", "heads", "ffn", NULL};
    snc_arch a = {0};
    const cJSON *layers = NULL, *l;
    SNC_TRY(snc_json_check_keys(j, keys, where));
    SNC_TRY(need_int(&a.hidden, j, "hidden", 1, MAX_WIDTH, where));
    SNC_TRY(get_layers(&layers, &a.layers, j, where));
    int i = 0;
    cJSON_ArrayForEach(l, layers)
    {
        SNC_TRY(snc_json_check_keys(l, layer_keys, where));
        SNC_TRY(snc_json_int(&a.source[i], l, "source", i, 0, SNC_MAX_LAYERS - 1, where));
        SNC_TRY(need_int(&a.heads[i], l, "heads", 0, MAX_WIDTH, where));
        SNC_TRY(need_int(&a.ffn[i], l, "ffn", 0, MAX_WIDTH, where));
        SNC_CHECK(i == 0 || a.source[i] > a.source[i - 1], SNC_E_FORMAT, "%s: layer %d: 'source' must ascend", where, i);
        i++;
    }
    *out = a;
    return SNC_OK;
}

static void add_dtype(cJSON *obj, const char *key, uint8_t t) { cJSON_AddStringToObject(obj, key, snc_dtype_get((snc_dtype)t)->name); }

cJSON *snc_policy_to_json(const snc_policy *p, int layers)
{
    cJSON *j = cJSON_CreateObject();
    for (int r = 0; r < SNC_ROLES; r++) {
        const snc_spec *s = &snc_spec_rows[r];
        if (!s->layer && s->key && !cJSON_HasObjectItem(j, s->key)) add_dtype(j, s->key, (uint8_t)snc_spec_dtype(p, r, 0));
    }
    cJSON *list = cJSON_AddArrayToObject(j, "layers");
    for (int i = 0; i < layers; i++) {
        cJSON *l = cJSON_CreateObject();
        const uint8_t *t = p->linear[i];
        bool tied = t[SNC_SITE_Q] == t[SNC_SITE_K] && t[SNC_SITE_K] == t[SNC_SITE_V];
        if (tied) add_dtype(l, SNC_POLICY_TIED, t[SNC_SITE_Q]);
        for (int s = tied ? SNC_SITE_O : SNC_SITE_Q; s < SNC_SITES; s++) add_dtype(l, snc_spec_key(s), t[s]);
        cJSON_AddItemToArray(list, l);
    }
    return j;
}

static snc_err get_dtype(uint8_t *out, const cJSON *obj, const char *key, const char *where)
{
    const char *name = NULL;
    SNC_TRY(snc_json_str(&name, obj, key, NULL, where));
    SNC_CHECK(name, SNC_E_FORMAT, "%s: missing key '%s'", where, key);
    snc_dtype t;
    SNC_CHECK(snc_dtype_parse(&t, name) == SNC_OK && (t == SNC_F32 || t == SNC_BF16 || t == SNC_I8 || t == SNC_I4), SNC_E_FORMAT,
              "%s: '%s' is '%s', expected f32, bf16, int8 or int4", where, key, name);
    *out = (uint8_t)t;
    return SNC_OK;
}

/* The keys of all matrices of a layer, or of what stands outside of layers, and up to two more. */
static snc_err check_policy_keys(const cJSON *j, bool layer, const char *more, const char *most, const char *where)
{
    const char *keys[SNC_ROLES + 3];
    int n = 0;
    for (int r = 0; r < SNC_ROLES; r++)
        if (snc_spec_rows[r].layer == layer && snc_spec_rows[r].key) keys[n++] = snc_spec_rows[r].key;
    keys[n++] = more;
    keys[n++] = most;
    keys[n] = NULL;
    return snc_json_check_keys(j, keys, where);
}

static snc_err get_layer(uint8_t out[SNC_SITES], const cJSON *l, const char *where)
{
    bool tied = cJSON_GetObjectItemCaseSensitive(l, SNC_POLICY_TIED);
    SNC_TRY(check_policy_keys(l, true, SNC_POLICY_TIED, NULL, where));
    if (tied) SNC_TRY(get_dtype(&out[SNC_SITE_Q], l, SNC_POLICY_TIED, where));
    out[SNC_SITE_K] = out[SNC_SITE_V] = out[SNC_SITE_Q];
    for (int s = tied ? SNC_SITE_O : SNC_SITE_Q; s < SNC_SITES; s++) SNC_TRY(get_dtype(&out[s], l, snc_spec_key(s), where));
    for (int s = SNC_SITE_Q; s <= SNC_SITE_V && tied; s++)
        SNC_CHECK(!cJSON_GetObjectItemCaseSensitive(l, snc_spec_key(s)), SNC_E_FORMAT,
                  "%s: '" SNC_POLICY_TIED "' and '%s' exclude each other", where, snc_spec_key(s));
    return SNC_OK;
}

/* What stands outside of layers. */
static snc_err get_once(snc_policy *p, const cJSON *j, const char *where)
{
    SNC_TRY(check_policy_keys(j, false, "layers", "linear", where));
    for (int r = 0; r < SNC_ROLES; r++) {
        const snc_spec *s = &snc_spec_rows[r];
        uint8_t *to = s->slot == SNC_SLOT_EMBED        ? &p->embed
                      : s->slot == SNC_SLOT_POOLER     ? &p->pooler
                      : s->slot == SNC_SLOT_CLASSIFIER ? &p->classifier
                                                       : NULL;
        if (to) SNC_TRY(get_dtype(to, j, s->key, where));
    }
    return SNC_OK;
}

snc_err snc_policy_from_json(snc_policy *out, const cJSON *j, int layers, const char *where)
{
    snc_policy p = snc_policy_uniform(SNC_F32, SNC_F32);
    const cJSON *list = NULL, *l;
    int n = 0, i = 0;
    SNC_TRY(get_once(&p, j, where));
    if (cJSON_GetObjectItemCaseSensitive(j, "linear")) {
        const cJSON *all = cJSON_GetObjectItemCaseSensitive(j, "linear");
        SNC_CHECK(!cJSON_GetObjectItemCaseSensitive(j, "layers"), SNC_E_FORMAT, "%s: 'linear' and 'layers' exclude each other", where);
        if (cJSON_IsObject(all)) {
            SNC_TRY(get_layer(p.linear[0], all, where));
        } else {
            SNC_TRY(get_dtype(&p.linear[0][0], j, "linear", where));
            memset(p.linear[0], p.linear[0][0], sizeof p.linear[0]);
        }
        for (i = 1; i < SNC_MAX_LAYERS; i++) memcpy(p.linear[i], p.linear[0], sizeof p.linear[0]);
        *out = p;
        return SNC_OK;
    }
    SNC_TRY(get_layers(&list, &n, j, where));
    SNC_CHECK(n == layers, SNC_E_SHAPE, "%s: policy of %d layers, expected %d", where, n, layers);
    cJSON_ArrayForEach(l, list) SNC_TRY(get_layer(p.linear[i++], l, where));
    *out = p;
    return SNC_OK;
}

static void add_rotary(cJSON *j, const snc_encoder_config *c)
{
    cJSON_AddNumberToObject(j, "theta", (double)c->theta);
    cJSON_AddNumberToObject(j, "local_theta", (double)c->local_theta);
    cJSON_AddNumberToObject(j, "window", c->window);
    cJSON *local = cJSON_AddArrayToObject(j, "local");
    for (int l = 0; l < SNC_MAX_LAYERS; l++)
        if (snc_is_local(c, l)) cJSON_AddItemToArray(local, cJSON_CreateNumber(l));
    cJSON_AddBoolToObject(j, "mean", c->mean);
}

cJSON *snc_mixture_to_json(const snc_mixture *m)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "experts", m->experts);
    cJSON_AddNumberToObject(j, "rank", m->rank);
    cJSON_AddBoolToObject(j, "neuron", m->neuron);
    cJSON_AddBoolToObject(j, "attention", m->attention);
    return j;
}

cJSON *snc_encoder_config_to_json(const snc_encoder_config *c)
{
    cJSON *j = cJSON_CreateObject();
    if (snc_family_of(c) != &snc_family_bert) cJSON_AddStringToObject(j, "family", snc_family_of(c)->type);
    cJSON_AddNumberToObject(j, "vocab", c->vocab);
    cJSON_AddNumberToObject(j, "positions", c->positions);
    cJSON_AddNumberToObject(j, "types", c->types);
    if (c->embedding) cJSON_AddNumberToObject(j, "embedding", c->embedding);
    cJSON_AddNumberToObject(j, "hidden", c->hidden);
    cJSON_AddNumberToObject(j, "layers", c->layers);
    cJSON_AddNumberToObject(j, "heads", c->heads);
    cJSON_AddNumberToObject(j, "head_width", c->head_width);
    cJSON_AddNumberToObject(j, "ffn", c->ffn);
    cJSON_AddNumberToObject(j, "classes", c->classes);
    cJSON_AddStringToObject(j, "act", act_names[c->act]);
    cJSON_AddNumberToObject(j, "norm_eps", (double)c->norm_eps);
    cJSON_AddNumberToObject(j, "hidden_dropout", (double)c->hidden_dropout);
    cJSON_AddNumberToObject(j, "attention_dropout", (double)c->attention_dropout);
    if (c->own_head_dropout) cJSON_AddNumberToObject(j, "head_dropout", (double)c->head_dropout);
    cJSON_AddBoolToObject(j, "regression", c->regression);
    if (c->score) cJSON_AddTrueToObject(j, "score"); /* readers that do not know it refuse it */
    if (c->multilabel) cJSON_AddTrueToObject(j, "multilabel");
    if (c->tags) cJSON_AddTrueToObject(j, "tags");
    if (c->vector) cJSON_AddStringToObject(j, "vector", pooled_names[c->mean]);
    if (snc_family_of(c)->rotary) add_rotary(j, c);
    if (snc_family_has(snc_family_of(c), SNC_ROLE_DISTANCE)) cJSON_AddNumberToObject(j, "buckets", c->buckets);
    if (c->mixture.experts) cJSON_AddItemToObject(j, "mixture", snc_mixture_to_json(&c->mixture));
    return j;
}

static snc_err get_act(snc_act *out, const cJSON *j, const char *where)
{
    const char *name = NULL;
    SNC_TRY(snc_json_str(&name, j, "act", "gelu", where));
    for (int i = SNC_ACT_GELU; i <= SNC_ACT_RELU; i++)
        if (strcmp(name, act_names[i]) == 0) {
            *out = (snc_act)i;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_FORMAT, "%s: 'act' is '%s', expected gelu, gelu_tanh or relu", where, name);
}

static snc_err get_family(const snc_family **out, const cJSON *j, const char *where)
{
    const char *type = NULL;
    char types[128];
    snc_family_types(types, sizeof types);
    SNC_TRY(snc_json_str(&type, j, "family", snc_family_bert.type, where));
    *out = snc_family_find(type);
    SNC_CHECK(*out, SNC_E_UNSUPPORTED, "%s: 'family' is '%s', expected %s", where, type, types);
    return SNC_OK;
}

static snc_err get_float(float *out, const cJSON *j, const char *key, double def, double min, double max, const char *where)
{
    double d = 0;
    SNC_TRY(snc_json_double(&d, j, key, def, min, max, where));
    *out = (float)d;
    return SNC_OK;
}

/* Of a family that has none of them nothing may be said. */
static snc_err get_rotary(snc_encoder_config *c, const cJSON *j, const char *where)
{
    static const char *const keys[] = {"theta", "local_theta", "window", "local", "mean"};
    const cJSON *it, *local = cJSON_GetObjectItemCaseSensitive(j, "local");
    int l = 0;
    for (int i = 0; i < 5; i++)
        SNC_CHECK(!cJSON_GetObjectItemCaseSensitive(j, keys[i]) == !c->family->rotary, SNC_E_FORMAT, "%s: '%s' %s for family %s", where,
                  keys[i], c->family->rotary ? "is missing" : "means nothing", c->family->type);
    if (!c->family->rotary) return SNC_OK;
    SNC_CHECK(c->head_width % 2 == 0, SNC_E_FORMAT, "%s: 'head_width' %d must be even where positions are rotary", where, c->head_width);
    SNC_TRY(get_float(&c->theta, j, "theta", 1, 1, 1e9, where));
    SNC_TRY(get_float(&c->local_theta, j, "local_theta", 1, 1, 1e9, where));
    SNC_TRY(need_int(&c->window, j, "window", 0, MAX_WIDTH, where));
    SNC_TRY(snc_json_bool(&c->mean, j, "mean", false, where));
    SNC_CHECK(cJSON_IsArray(local), SNC_E_FORMAT, "%s: 'local' must be a list", where);
    cJSON_ArrayForEach(it, local)
    {
        SNC_TRY(snc_json_whole(&l, it, 0, SNC_MAX_LAYERS - 1, "local", where));
        c->local |= (uint64_t)1 << l;
    }
    return SNC_OK;
}

/* Of which tokens a vector is made. */
static snc_err get_vector(snc_encoder_config *c, const cJSON *j, const char *where)
{
    const char *pooled = NULL;
    SNC_TRY(snc_json_str(&pooled, j, "vector", NULL, where));
    if (!pooled) return SNC_OK;
    const bool mean = strcmp(pooled, pooled_names[true]) == 0;
    SNC_CHECK(mean || strcmp(pooled, pooled_names[false]) == 0, SNC_E_FORMAT, "%s: 'vector' is '%.64s', expected mean or first", where,
              pooled);
    SNC_CHECK(!c->regression && !c->multilabel, SNC_E_FORMAT, "%s: 'vector' excludes 'regression' and 'multilabel'", where);
    SNC_CHECK(!c->family->rotary || c->mean == mean, SNC_E_FORMAT, "%s: 'mean' and 'vector' say different things", where);
    c->vector = true;
    c->mean = mean;
    return SNC_OK;
}

static snc_err get_buckets(snc_encoder_config *c, const cJSON *j, const char *where)
{
    bool has = snc_family_has(c->family, SNC_ROLE_DISTANCE);
    SNC_CHECK(has || !cJSON_GetObjectItemCaseSensitive(j, "buckets"), SNC_E_FORMAT, "%s: 'buckets' means nothing for family %s", where,
              c->family->type);
    if (!has) return SNC_OK;
    SNC_CHECK(c->positions <= SNC_MAX_APART, SNC_E_FORMAT, "%s: 'positions' %d, expected at most %d for family %s", where, c->positions,
              SNC_MAX_APART, c->family->type);
    return need_int(&c->buckets, j, "buckets", 2, SNC_MAX_BUCKETS, where);
}

snc_err snc_mixture_from_json(snc_mixture *out, const cJSON *j, const char *where)
{
    SNC_TRY(need_int(&out->experts, j, "experts", 1, SNC_EXPERTS_MOST, where));
    SNC_TRY(need_int(&out->rank, j, "rank", 0, MAX_WIDTH, where));
    SNC_TRY(snc_json_bool(&out->neuron, j, "neuron", false, where));
    return snc_json_bool(&out->attention, j, "attention", false, where);
}

static snc_err get_mixture(snc_mixture *out, const cJSON *config, const char *where)
{
    static const char *const keys[] = {"experts", "rank", "neuron", "attention", NULL};
    const cJSON *j = cJSON_GetObjectItemCaseSensitive(config, "mixture");
    if (!j) return SNC_OK;
    SNC_TRY(snc_json_check_keys(j, keys, where));
    return snc_mixture_from_json(out, j, where);
}

snc_err snc_encoder_config_from_json(snc_encoder_config *out, const cJSON *j, const char *where)
{
    static const char *const keys[] = {
        "family",     "vocab",      "positions",    "types",       "hidden",   "layers",         "heads",
        "head_width", "ffn",        "classes",      "act",         "norm_eps", "hidden_dropout", "attention_dropout",
        "regression", "multilabel", "theta",        "local_theta", "window",   "local",          "mean",
        "embedding",  "buckets",    "head_dropout", "mixture",     "score",    "vector",         "tags",
        NULL};
    snc_encoder_config c = {0};
    SNC_TRY(snc_json_check_keys(j, keys, where));
    SNC_TRY(get_family(&c.family, j, where));
    SNC_TRY(need_int(&c.vocab, j, "vocab", 1, MAX_VOCAB, where));
    SNC_TRY(need_int(&c.positions, j, "positions", 1 + c.family->position_base, MAX_WIDTH, where));
    SNC_TRY(need_int(&c.types, j, "types", snc_family_has(c.family, SNC_ROLE_TYPE), MAX_WIDTH, where));
    SNC_TRY(snc_json_int(&c.embedding, j, "embedding", 0, 0, snc_family_has(c.family, SNC_ROLE_PROJECTION) ? MAX_WIDTH : 0, where));
    SNC_TRY(need_int(&c.hidden, j, "hidden", 1, MAX_WIDTH, where));
    SNC_TRY(need_int(&c.layers, j, "layers", 1, SNC_MAX_LAYERS, where));
    SNC_TRY(need_int(&c.heads, j, "heads", 1, MAX_WIDTH, where));
    SNC_TRY(need_int(&c.head_width, j, "head_width", 1, MAX_WIDTH, where));
    SNC_TRY(need_int(&c.ffn, j, "ffn", 1, MAX_WIDTH, where));
    SNC_TRY(snc_json_int(&c.classes, j, "classes", 0, 0, SNC_MAX_CLASSES, where));
    SNC_TRY(get_act(&c.act, j, where));
    SNC_TRY(get_float(&c.norm_eps, j, "norm_eps", 1e-12, 0, 1, where));
    SNC_TRY(get_float(&c.hidden_dropout, j, "hidden_dropout", 0.1, 0, 0.99, where));
    SNC_TRY(get_float(&c.attention_dropout, j, "attention_dropout", 0.1, 0, 0.99, where));
    SNC_TRY(get_float(&c.head_dropout, j, "head_dropout", 0, 0, 0.99, where));
    c.own_head_dropout = cJSON_HasObjectItem(j, "head_dropout");
    SNC_TRY(snc_json_bool(&c.regression, j, "regression", false, where));
    SNC_TRY(snc_json_bool(&c.multilabel, j, "multilabel", false, where));
    SNC_TRY(snc_json_bool(&c.score, j, "score", false, where));
    SNC_CHECK(!c.score || c.regression, SNC_E_FORMAT, "%s: 'score' needs 'regression'", where);
    SNC_CHECK(!c.regression || !c.multilabel, SNC_E_FORMAT, "%s: 'regression' and 'multilabel' exclude each other", where);
    SNC_TRY(get_rotary(&c, j, where));
    SNC_TRY(get_vector(&c, j, where));
    SNC_TRY(snc_json_bool(&c.tags, j, "tags", false, where));
    SNC_CHECK(!c.tags || (!c.regression && !c.multilabel && !c.vector), SNC_E_FORMAT,
              "%s: 'tags' excludes 'regression', 'multilabel' and 'vector'", where);
    SNC_TRY(get_buckets(&c, j, where));
    SNC_TRY(get_mixture(&c.mixture, j, where));
    SNC_CHECK((int64_t)c.heads * c.head_width <= MAX_WIDTH, SNC_E_FORMAT, "%s: %d heads of width %d are too wide", where, c.heads,
              c.head_width);
    *out = c;
    return SNC_OK;
}
