/* A model in memory: its parameters, head, labels and copies. */
#include "models/model.h"

#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/rng.h"

/* The table is always in this order, so that two models of one family differ in sizes only: */
enum { EMBED_PARAMS = 5, LAYER_PARAMS = 16, HEAD_PARAMS = 4 };

static snc_err add_lin(snc_lin *out, snc_params *ps, int rows, int cols, const char *name)
{
    SNC_TRY(snc_params_add(&out->w, ps, rows, cols, SNC_PARAM_DECAY, "%s.weight", name));
    return snc_params_add(&out->b, ps, 1, rows, 0, "%s.bias", name);
}

static snc_err add_norm(snc_lin *out, snc_params *ps, int cols, const char *name)
{
    SNC_TRY(snc_params_add(&out->w, ps, 1, cols, 0, "%s.weight", name));
    return snc_params_add(&out->b, ps, 1, cols, 0, "%s.bias", name);
}

static snc_err add_layer(snc_layer_index *x, snc_params *ps, int n, int C, int A, int F)
{
    char name[SNC_PARAM_NAME];
#define NAME(suffix) (snprintf(name, sizeof name, "layer.%d." suffix, n), name)
    SNC_TRY(add_lin(&x->q, ps, A, C, NAME("attention.q")));
    SNC_TRY(add_lin(&x->k, ps, A, C, NAME("attention.k")));
    SNC_TRY(add_lin(&x->v, ps, A, C, NAME("attention.v")));
    SNC_TRY(add_lin(&x->o, ps, C, A, NAME("attention.o")));
    SNC_TRY(add_norm(&x->attn_norm, ps, C, NAME("attention.norm")));
    SNC_TRY(add_lin(&x->ffn_in, ps, F, C, NAME("ffn.in")));
    SNC_TRY(add_lin(&x->ffn_out, ps, C, F, NAME("ffn.out")));
    return add_norm(&x->ffn_norm, ps, C, NAME("ffn.norm"));
#undef NAME
}

snc_err snc_model_table(snc_params *ps, snc_model_index *ix, const snc_bert_config *c, const snc_arch *a)
{
    SNC_CHECK(c->classes >= 1 && c->classes <= SNC_MAX_CLASSES, SNC_E_ARG, "%d classes, expected 1 to %d", c->classes,
              SNC_MAX_CLASSES);
    SNC_CHECK(a->layers >= 1 && a->layers <= SNC_MAX_LAYERS, SNC_E_ARG, "%d layers, expected 1 to %d", a->layers,
              SNC_MAX_LAYERS);
    const unsigned rows = SNC_PARAM_DECAY | SNC_PARAM_ROWS;
    int C = a->hidden;
    SNC_TRY(snc_params_add(&ix->word, ps, c->vocab, C, rows, "embeddings.word.weight"));
    SNC_TRY(snc_params_add(&ix->position, ps, c->positions, C, rows, "embeddings.position.weight"));
    SNC_TRY(snc_params_add(&ix->type, ps, c->types, C, rows, "embeddings.type.weight"));
    SNC_TRY(add_norm(&ix->embed_norm, ps, C, "embeddings.norm"));
    for (int i = 0; i < a->layers; i++)
        SNC_TRY(add_layer(&ix->layer[i], ps, i, C, a->heads[i] * c->head_width, a->ffn[i]));
    SNC_TRY(add_lin(&ix->pooler, ps, C, C, "pooler"));
    return add_lin(&ix->classifier, ps, c->classes, C, "classifier");
}

static snc_err build_table(snc_params *ps, snc_model_index *ix, const snc_bert_config *c, const snc_arch *a)
{
    SNC_TRY(snc_model_table(ps, ix, c, a));
    return snc_params_alloc(ps);
}

snc_dtype snc_param_dtype(const snc_policy *p, int layers, int param)
{
    static const snc_site sites[LAYER_PARAMS] = {
        SNC_SITE_Q, SNC_SITES, SNC_SITE_K,      SNC_SITES, SNC_SITE_V,       SNC_SITES, SNC_SITE_O, SNC_SITES,
        SNC_SITES,  SNC_SITES, SNC_SITE_FFN_IN, SNC_SITES, SNC_SITE_FFN_OUT, SNC_SITES, SNC_SITES,  SNC_SITES};
    int head = EMBED_PARAMS + layers * LAYER_PARAMS;
    if (param < 3) return (snc_dtype)p->embed;
    if (param < EMBED_PARAMS) return SNC_F32;
    if (param == head) return (snc_dtype)p->pooler;
    if (param == head + 2) return (snc_dtype)p->classifier;
    if (param > head) return SNC_F32;
    snc_site site = sites[(param - EMBED_PARAMS) % LAYER_PARAMS];
    return site == SNC_SITES ? SNC_F32 : (snc_dtype)p->linear[(param - EMBED_PARAMS) / LAYER_PARAMS][site];
}

bool snc_vocab_fits(const snc_tok_assets *a, int V, int *pieces)
{
    size_t n = 0;
    for (size_t i = 0; i < a->vocab_bytes; i++) n += a->vocab[i] == '\n';
    if (a->vocab_bytes > 0 && a->vocab[a->vocab_bytes - 1] != '\n') n++;
    *pieces = n < INT32_MAX ? (int)n : INT32_MAX;
    return *pieces <= V;
}

snc_err snc_model_new(snc_model **out, const snc_bert_config *cfg, const snc_arch *arch)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    SNC_GOTO(snc_alloc(&m, 1, sizeof *m));
    m->cfg = *cfg;
    m->arch = *arch;
    m->meta = cJSON_CreateObject();
    if (!m->meta) SNC_GOTO(snc_err_set(SNC_E_NOMEM, "out of memory"));
    SNC_GOTO(build_table(&m->params, &m->ix, cfg, arch));
    for (int i = 0; i < arch->layers; i++) m->arch.source[i] = i;
    *out = m;
    m = NULL;
out:
    snc_model_free(m);
    return err;
}

static void free_labels(snc_model *m)
{
    if (!m->labels) return;
    for (int i = 0; i < m->cfg.classes; i++) snc_free(m->labels[i]);
    snc_free(m->labels);
    m->labels = NULL;
}

void snc_model_free(snc_model *m)
{
    if (!m) return;
    free_labels(m);
    snc_params_dispose(&m->params);
    snc_tok_assets_dispose(&m->tokenizer);
    cJSON_Delete(m->meta);
    snc_free(m);
}

snc_err snc_model_set_labels(snc_model *m, const char *const *labels)
{
    char **copy = NULL;
    if (labels) {
        SNC_TRY(snc_alloc(&copy, (size_t)m->cfg.classes, sizeof *copy));
        snc_err err = SNC_OK;
        for (int i = 0; i < m->cfg.classes && !err; i++) err = snc_strdup(&copy[i], labels[i]);
        if (err) {
            for (int i = 0; i < m->cfg.classes; i++) snc_free(copy[i]);
            snc_free(copy);
            return err;
        }
    }
    free_labels(m);
    m->labels = copy;
    return SNC_OK;
}

/* ---- seeded weights ----------------------------------------------------------------------------------------------- */

/* A stream per name: a parameter's values do not depend on what else is in the model. */
void snc_model_init_param(snc_model *m, int i, uint64_t seed)
{
    const snc_param *p = &m->params.p[i];
    float *w = snc_params_w(&m->params, i);
    size_t n = (size_t)p->rows * (size_t)p->cols;
    if (!(p->flags & SNC_PARAM_DECAY)) {
        float v = strstr(p->name, "norm.weight") ? 1.0f : 0.0f;
        for (size_t k = 0; k < n; k++) w[k] = v;
        return;
    }
    snc_rng r;
    snc_rng_init(&r, seed, snc_bytes_hash(0, p->name, strlen(p->name)));
    for (size_t k = 0; k < n; k++) w[k] = (float)(0.02 * snc_rng_normal(&r));
}

void snc_model_init_random(snc_model *m, uint64_t seed)
{
    for (int i = 0; i < m->params.n; i++) snc_model_init_param(m, i, seed);
    m->has_head = false;
}

/* ---- copies that change shape ------------------------------------------------------------------------------------- */

/* The top left corner of src that dst has room for. */
static void copy_prefix(const snc_params *dst, int i, const snc_params *src, int j)
{
    const snc_param *p = &dst->p[i], *q = &src->p[j];
    const float *s = snc_params_w(src, j);
    float *d = snc_params_w(dst, i);
    for (int r = 0; r < p->rows; r++)
        memcpy(d + (size_t)r * (size_t)p->cols, s + (size_t)r * (size_t)q->cols, (size_t)p->cols * sizeof *d);
}

snc_err snc_model_set_head(snc_model *m, int classes, snc_meaning problem, const char *const *labels, uint64_t seed)
{
    SNC_CHECK(classes >= 1 && classes <= SNC_MAX_CLASSES, SNC_E_ARG, "%d classes, expected 1 to %d", classes,
              SNC_MAX_CLASSES);
    SNC_CHECK(problem != SNC_MEANS_REGRESSION || classes == 1, SNC_E_ARG, "a regression head has 1 output, not %d", classes);
    snc_bert_config cfg = m->cfg;
    cfg.classes = classes;
    cfg.regression = problem == SNC_MEANS_REGRESSION;
    cfg.multilabel = problem == SNC_MEANS_MULTILABEL;
    snc_params ps = {0};
    snc_model_index ix = m->ix;
    snc_err err = build_table(&ps, &ix, &cfg, &m->arch);
    if (err) {
        snc_params_dispose(&ps);
        return err;
    }
    for (int i = 0; i < ps.n - 2; i++) copy_prefix(&ps, i, &m->params, i);
    free_labels(m);
    snc_params_dispose(&m->params);
    m->params = ps;
    m->ix = ix;
    m->cfg = cfg;
    m->has_head = false;
    snc_model_init_param(m, m->ix.classifier.w, seed);
    return snc_model_set_labels(m, labels);
}

/* Which layers of the first ancestor are left: provenance, composed over extractions. */
static snc_err note_kept_layers(cJSON *meta, const cJSON *parent_meta, const snc_arch *a)
{
    const cJSON *before = cJSON_GetObjectItemCaseSensitive(parent_meta, "kept_layers");
    cJSON *kept = cJSON_CreateArray();
    for (int i = 0; kept && i < a->layers; i++) {
        const cJSON *v = cJSON_GetArrayItem(before, a->source[i]);
        cJSON_AddItemToArray(kept, cJSON_CreateNumber(cJSON_IsNumber(v) ? v->valuedouble : a->source[i]));
    }
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "kept_layers");
    SNC_CHECK(kept && cJSON_AddItemToObject(meta, "kept_layers", kept), SNC_E_NOMEM, "out of memory");
    return SNC_OK;
}

snc_err snc_model_extract(snc_model **out, const snc_model *m, const snc_arch *arch)
{
    SNC_TRY(snc_arch_check(arch, &m->arch));
    snc_err err = SNC_OK;
    snc_model *x = NULL;
    SNC_GOTO(snc_model_new(&x, &m->cfg, arch));
    int head = EMBED_PARAMS + arch->layers * LAYER_PARAMS, parent_head = EMBED_PARAMS + m->arch.layers * LAYER_PARAMS;
    for (int i = 0; i < EMBED_PARAMS; i++) copy_prefix(&x->params, i, &m->params, i);
    for (int l = 0; l < arch->layers; l++)
        for (int k = 0; k < LAYER_PARAMS; k++)
            copy_prefix(&x->params, EMBED_PARAMS + l * LAYER_PARAMS + k, &m->params,
                        EMBED_PARAMS + arch->source[l] * LAYER_PARAMS + k);
    for (int i = 0; i < HEAD_PARAMS; i++) copy_prefix(&x->params, head + i, &m->params, parent_head + i);
    x->has_head = m->has_head;
    if (m->labels) {
        char **labels = m->labels;
        SNC_GOTO(snc_model_set_labels(x, (const char *const *)labels));
    }
    SNC_GOTO(snc_tok_assets_dup(&x->tokenizer, &m->tokenizer));
    cJSON_Delete(x->meta);
    x->meta = cJSON_Duplicate(m->meta, true);
    if (!x->meta) SNC_GOTO(snc_err_set(SNC_E_NOMEM, "out of memory"));
    SNC_GOTO(note_kept_layers(x->meta, m->meta, arch));
    *out = x;
    x = NULL;
out:
    snc_model_free(x);
    return err;
}
