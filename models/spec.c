/* The table of parameters, and what follows from a row of it. */
#include "models/family/family.h"

#include <stdio.h>
#include <string.h>

#include "core/relative.h"

/* clang-format off */
#define WHERE(half, role, name, rows, cols, ...) \
    [SNC_ROLE_##role] = {name, false, SNC_AXIS_##half, SNC_AXIS_##rows, SNC_AXIS_##cols, __VA_ARGS__}
#define ONCE(...)     WHERE(ONE, __VA_ARGS__)
#define FACTOR(...)   WHERE(FACTOR, __VA_ARGS__)
#define APART(...)    WHERE(DISTANCE, __VA_ARGS__)
#define LAYER_PREFIX "layer.{N}."
#define LAYER(half, role, name, rows, cols, ...) \
    [SNC_ROLE_##role] = {LAYER_PREFIX name, true, SNC_AXIS_##half, SNC_AXIS_##rows, SNC_AXIS_##cols, __VA_ARGS__}
#define HEADS(...)    LAYER(HEAD, __VA_ARGS__)
#define FFN(...)      LAYER(FFN, __VA_ARGS__)
#define NORM(...)     LAYER(ONE, __VA_ARGS__)
#define TABLE         SNC_SLOT_EMBED, SNC_SITES, "embed", SNC_INIT_NORMAL, SNC_PARAM_DECAY | SNC_PARAM_ROWS
#define DENSE         SNC_SLOT_EMBED, SNC_SITES, "embed", SNC_INIT_NORMAL, SNC_PARAM_DECAY
#define SITE(s, key)  SNC_SLOT_SITE, SNC_SITE_##s, key, SNC_INIT_NORMAL, SNC_PARAM_DECAY
#define HEAD(s, key)  SNC_SLOT_##s, SNC_SITES, key, SNC_INIT_NORMAL, SNC_PARAM_DECAY
#define GAIN          SNC_SLOT_NONE, SNC_SITES, NULL, SNC_INIT_ONE, 0
#define BIAS          SNC_SLOT_NONE, SNC_SITES, NULL, SNC_INIT_ZERO, 0
#define MIXED         SNC_SLOT_NONE, SNC_SITES, NULL, SNC_INIT_ZERO, SNC_PARAM_DECAY
#define SPREAD        SNC_SLOT_NONE, SNC_SITES, NULL, SNC_INIT_NORMAL, 0

const snc_spec snc_spec_rows[SNC_ROLES] = {
    /*    role                 name                            rows      columns */
    ONCE(WORD,                 "embeddings.word.weight",       VOCAB,    EMBED,  TABLE),
    ONCE(POSITION,             "embeddings.position.weight",   POSITION, EMBED,  TABLE),
    ONCE(TYPE,                 "embeddings.type.weight",       TYPE,     EMBED,  TABLE),
    APART(DISTANCE,            "embeddings.distance.weight",   DISTANCE, HIDDEN, DENSE),
    ONCE(EMBED_NORM,           "embeddings.norm.weight",       ONE,      EMBED,  GAIN),
    ONCE(EMBED_NORM_BIAS,      "embeddings.norm.bias",         ONE,      EMBED,  BIAS),
    APART(DISTANCE_NORM,       "embeddings.distance.norm.weight", ONE, HIDDEN, GAIN),
    APART(DISTANCE_NORM_BIAS,  "embeddings.distance.norm.bias", ONE,  HIDDEN, BIAS),
    FACTOR(PROJECTION,         "embeddings.projection.weight", HIDDEN,   FACTOR, HEAD(PROJECTION, "embed")),
    FACTOR(PROJECTION_BIAS,    "embeddings.projection.bias",   ONE,      HIDDEN, BIAS),

    HEADS(Q,                   "attention.q.weight",           HEAD,     HIDDEN, SITE(Q, "q")),
    HEADS(Q_BIAS,              "attention.q.bias",             ONE,      HEAD,   BIAS),
    HEADS(K,                   "attention.k.weight",           HEAD,     HIDDEN, SITE(K, "k")),
    HEADS(K_BIAS,              "attention.k.bias",             ONE,      HEAD,   BIAS),
    HEADS(V,                   "attention.v.weight",           HEAD,     HIDDEN, SITE(V, "v")),
    HEADS(V_BIAS,              "attention.v.bias",             ONE,      HEAD,   BIAS),
    HEADS(O,                   "attention.o.weight",           HIDDEN,   HEAD,   SITE(O, "o")),
    HEADS(O_BIAS,              "attention.o.bias",             ONE,      HIDDEN, BIAS),
    HEADS(RELATIVE,            "attention.relative",           ONE,      RELATIVE, SPREAD),
    NORM(ATTENTION_NORM,       "attention.norm.weight",        ONE,      HIDDEN, GAIN),
    NORM(ATTENTION_NORM_BIAS,  "attention.norm.bias",          ONE,      HIDDEN, BIAS),
    FFN(FFN_IN,                "ffn.in.weight",                FFN_IN,   HIDDEN, SITE(FFN_IN, "ffn_in")),
    FFN(FFN_IN_BIAS,           "ffn.in.bias",                  ONE,      FFN_IN, BIAS),
    FFN(FFN_OUT,               "ffn.out.weight",               HIDDEN,   FFN,    SITE(FFN_OUT, "ffn_out")),
    FFN(FFN_OUT_BIAS,          "ffn.out.bias",                 ONE,      HIDDEN, BIAS),
    NORM(FFN_NORM,             "ffn.norm.weight",              ONE,      HIDDEN, GAIN),
    NORM(FFN_NORM_BIAS,        "ffn.norm.bias",                ONE,      HIDDEN, BIAS),

    ONCE(POOLER,               "pooler.weight",                POOLED,   HIDDEN, HEAD(POOLER, "pooler")),
    ONCE(POOLER_BIAS,          "pooler.bias",                  ONE,      POOLED, BIAS),
    ONCE(POOLER_NORM,          "pooler.norm.weight",           ONE,      POOLED, GAIN),
    ONCE(POOLER_NORM_BIAS,     "pooler.norm.bias",             ONE,      POOLED, BIAS),
    ONCE(CLASSIFIER,           "classifier.weight",            CLASS,    POOLED, HEAD(CLASSIFIER, "classifier")),
    ONCE(CLASSIFIER_BIAS,      "classifier.bias",              ONE,      CLASS,  BIAS),

    LAYER(MIXTURE, MIXTURE,        "mixture.weight",           MIXTURE,  MIXTURE, MIXED),
    LAYER(MIXTURE, MIXTURE_VECTOR, "mixture.bias",             ONE,      MIXTURE, BIAS),
};
/* clang-format on */

snc_role snc_spec_site(snc_site s)
{
    int r = 0;
    while (snc_spec_rows[r].site != s) r++;
    return r;
}

void snc_spec_sizes(int size[SNC_AXES], const snc_encoder_config *c, const snc_arch *a, int layer)
{
    size[SNC_AXIS_ONE] = 1;
    size[SNC_AXIS_VOCAB] = c->vocab;
    size[SNC_AXIS_POSITION] = c->positions;
    size[SNC_AXIS_TYPE] = c->types;
    size[SNC_AXIS_EMBED] = snc_spec_embed_width(c, a);
    size[SNC_AXIS_FACTOR] = c->embedding;
    size[SNC_AXIS_HIDDEN] = size[SNC_AXIS_POOLED] = a->hidden;
    size[SNC_AXIS_HEAD] = a->heads[layer] * c->head_width;
    size[SNC_AXIS_FFN] = a->ffn[layer];
    size[SNC_AXIS_FFN_IN] = a->ffn[layer] * snc_family_neuron(snc_family_of(c));
    size[SNC_AXIS_CLASS] = c->classes;
    size[SNC_AXIS_RELATIVE] = a->heads[layer] * SNC_RELATIVE_BUCKETS;
    size[SNC_AXIS_DISTANCE] = 2 * c->buckets;
    size[SNC_AXIS_MIXTURE] = 0;
}

void snc_spec_expand(char *out, size_t size, const char *pattern, int layer)
{
    static const char mark[] = "{N}";
    const char *at = strstr(pattern, mark);
    if (at) snprintf(out, size, "%.*s%d%s", (int)(at - pattern), pattern, layer, at + strlen(mark));
    else snprintf(out, size, "%s", pattern);
}

const char *snc_spec_text(char buf[SNC_PARAM_NAME], snc_role role, int layer)
{
    const snc_spec *s = &snc_spec_rows[role];
    const char *name = s->layer ? s->name + strlen(LAYER_PREFIX) : s->name;
    int n = (int)(strlen(name) - strlen(".weight"));
    if (s->layer) snprintf(buf, SNC_PARAM_NAME, "layer %d %.*s", layer, n, name);
    else snprintf(buf, SNC_PARAM_NAME, "%.*s", n, name);
    return buf;
}

static snc_err add(snc_params *ps, int row, const int size[SNC_AXES], int layer)
{
    const snc_spec *s = &snc_spec_rows[row];
    char name[SNC_PARAM_NAME];
    int i;
    snc_spec_expand(name, sizeof name, s->name, layer);
    SNC_TRY(snc_params_add(&i, ps, size[s->rows], size[s->cols], s->flags, "%s", name));
    ps->p[i].row = row;
    ps->p[i].layer = layer;
    return SNC_OK;
}

snc_err snc_spec_table(snc_params *ps, const snc_encoder_config *c, const snc_arch *a)
{
    SNC_CHECK(c->classes >= 1 && c->classes <= SNC_MAX_CLASSES, SNC_E_ARG, "%d classes, expected 1 to %d", c->classes, SNC_MAX_CLASSES);
    SNC_CHECK(a->layers >= 1 && a->layers <= SNC_MAX_LAYERS, SNC_E_ARG, "%d layers, expected 1 to %d", a->layers, SNC_MAX_LAYERS);
    int size[SNC_AXES], end;
    for (int r = 0; r < SNC_ROLES; r = end) { /* a run of rows outside of layers, or the layer's */
        for (end = r + 1; end < SNC_ROLES && snc_spec_rows[end].layer == snc_spec_rows[r].layer; end++) {}
        for (int l = 0; l < (snc_spec_rows[r].layer ? a->layers : 1); l++) {
            snc_spec_sizes(size, c, a, l);
            for (int k = r; k < end; k++)
                if (snc_config_has(c, k) && snc_spec_present(k, size)) SNC_TRY(add(ps, k, size, l));
        }
    }
    return SNC_OK;
}

int snc_spec_shape(int64_t shape[2], const snc_param *p)
{
    bool matrix = snc_spec_matrix(p);
    shape[0] = matrix ? p->rows : p->cols;
    shape[1] = matrix ? p->cols : 0;
    return matrix ? 2 : 1;
}

snc_dtype snc_spec_dtype(const snc_policy *p, snc_role role, int layer)
{
    const snc_spec *s = &snc_spec_rows[role];
    switch (s->slot) {
    case SNC_SLOT_EMBED:
    case SNC_SLOT_PROJECTION: return (snc_dtype)p->embed;
    case SNC_SLOT_SITE: return (snc_dtype)p->linear[layer][s->site];
    case SNC_SLOT_POOLER: return (snc_dtype)p->pooler;
    case SNC_SLOT_CLASSIFIER: return (snc_dtype)p->classifier;
    case SNC_SLOT_NONE: break;
    }
    return SNC_F32;
}
