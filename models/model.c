/* A model in memory: its parameters, head, labels and copies. */
#include "models/model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/rng.h"
#include "models/mixture.h"
#include "tokenizer/kind.h"

bool snc_vocab_fits(const snc_tok_assets *a, int V, int *pieces)
{
    *pieces = a->kind ? a->kind->ids(a) : 0;
    return *pieces <= V;
}

static void index_params(snc_model *m)
{
    memset(m->at, -1, sizeof m->at);
    for (int i = 0; i < m->params.n; i++) m->at[m->params.p[i].layer][m->params.p[i].row] = i;
}

snc_err snc_model_new(snc_model **out, const snc_encoder_config *cfg, const snc_arch *arch)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    SNC_GOTO(snc_alloc(&m, 1, sizeof *m));
    m->cfg = *cfg;
    m->arch = *arch;
    m->source.kind = &snc_source_dense;
    m->meta = cJSON_CreateObject();
    if (!m->meta) SNC_GOTO(snc_err_set(SNC_E_NOMEM, "out of memory"));
    SNC_GOTO(snc_spec_table(&m->params, cfg, arch));
    SNC_GOTO(snc_mixture_add(NULL, &m->params, cfg, arch));
    SNC_GOTO(snc_params_alloc(&m->params));
    index_params(m);
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

void snc_model_set_source(snc_model *m, const snc_source_kind *kind, void *state)
{
    if (m->source.kind->free) m->source.kind->free(m->source.state);
    m->source = (snc_source){kind, state};
}

void snc_model_free(snc_model *m)
{
    if (!m) return;
    snc_model_set_source(m, &snc_source_dense, NULL);
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
    snc_init init = snc_spec_of(p)->init;
    snc_rng r;
    snc_rng_init(&r, seed, snc_bytes_hash(0, p->name, strlen(p->name)));
    for (size_t k = 0; k < n; k++) w[k] = init == SNC_INIT_ONE ? 1.0f : init == SNC_INIT_ZERO ? 0.0f : (float)(0.02 * snc_rng_normal(&r));
}

void snc_model_init_random(snc_model *m, uint64_t seed)
{
    for (int i = 0; i < m->params.n; i++) snc_model_init_param(m, i, seed);
    m->has_head = false;
}

void snc_model_init_vector(snc_model *m)
{
    const snc_lin head = snc_model_lin(m, SNC_ROLE_CLASSIFIER, 0);
    const size_t K = (size_t)m->cfg.classes, C = (size_t)m->arch.hidden;
    float *w = snc_params_w(&m->params, head.w);
    memset(w, 0, K * C * sizeof *w);
    memset(snc_params_w(&m->params, head.b), 0, K * sizeof *w);
    for (size_t i = 0; i < K; i++) w[i * C + i] = 1;
    m->has_head = true; /* nothing in it is random */
}

/* ---- copies that change shape ------------------------------------------------------------------------------------- */

/* The top left corner of a matrix that dst has room for. */
static void copy_prefix(const snc_params *dst, int i, const float *w, int ld)
{
    const snc_param *p = &dst->p[i];
    float *d = snc_params_w(dst, i);
    for (int r = 0; r < p->rows; r++) memcpy(d + (size_t)r * (size_t)p->cols, w + (size_t)r * (size_t)ld, (size_t)p->cols * sizeof *d);
}

static bool of_classes(const snc_param *p) { return snc_spec_of(p)->rows == SNC_AXIS_CLASS || snc_spec_of(p)->cols == SNC_AXIS_CLASS; }

snc_err snc_model_set_head(snc_model *m, int classes, snc_meaning problem, const char *const *labels, uint64_t seed)
{
    SNC_CHECK(classes >= 1 && classes <= SNC_MAX_CLASSES, SNC_E_ARG, "%d classes, expected 1 to %d", classes, SNC_MAX_CLASSES);
    SNC_CHECK(!snc_means_value(problem) || classes == 1, SNC_E_ARG, "a regression head has 1 output, not %d", classes);
    SNC_CHECK(problem != SNC_MEANS_VECTOR || classes == m->arch.hidden, SNC_E_ARG, "a vector of %d numbers of a hidden size of %d", classes,
              m->arch.hidden);
    assert(!snc_mixture_any(&m->cfg)); /* experts come after the head */
    snc_encoder_config cfg = m->cfg;
    cfg.classes = classes;
    snc_config_set_meaning(&cfg, problem);
    if (!snc_family_of(&cfg)->rotary) cfg.mean = cfg.vector; /* of a vector the mean is what most are made of */
    snc_params ps = {0};
    snc_err err = snc_spec_table(&ps, &cfg, &m->arch);
    if (!err) err = snc_params_alloc(&ps);
    if (err) {
        snc_params_dispose(&ps);
        return err;
    }
    snc_params before = m->params;
    int at[SNC_MAX_LAYERS][SNC_ROLES];
    memcpy(at, m->at, sizeof at);
    free_labels(m);
    m->params = ps;
    m->cfg = cfg;
    m->has_head = false;
    index_params(m);
    for (int i = 0; i < ps.n; i++) { /* the same but for the classifier, and for a pooler that one of both has no use for */
        const int old = at[ps.p[i].layer][ps.p[i].row];
        if (of_classes(&ps.p[i]) || old < 0) snc_model_init_param(m, i, seed);
        else copy_prefix(&ps, i, snc_params_w(&before, old), before.p[old].cols);
    }
    snc_params_dispose(&before);
    if (cfg.vector) snc_model_init_vector(m);
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
    snc_encoder_config cfg = snc_config_cut(&m->cfg, arch);
    SNC_GOTO(snc_model_new(&x, &cfg, arch));
    for (int i = 0; i < x->params.n; i++) {
        const snc_param *p = &x->params.p[i];
        int layer = snc_family_source(snc_family_of(&m->cfg), p, arch, m->arch.layers), at = snc_model_at(m, p->row, layer);
        if (snc_spec_linear(p)) {
            snc_source_view v = snc_model_matrix(m, p->row, layer, arch);
            copy_prefix(&x->params, i, v.w, v.ld);
        } else if (snc_spec_bias(p)) {
            snc_source_view v = snc_model_matrix(m, p->row - 1, layer, arch);
            copy_prefix(&x->params, i, v.b, v.rows);
        } else copy_prefix(&x->params, i, snc_params_w(&m->params, at), m->params.p[at].cols);
    }
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

snc_err snc_model_collapse(snc_model **m)
{
    snc_model *before = *m;
    if (before->source.kind == &snc_source_dense) return SNC_OK;
    SNC_TRY(snc_model_extract(m, before, &before->arch));
    snc_model_free(before);
    return SNC_OK;
}
