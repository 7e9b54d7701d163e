/* The weights object: every matrix of a model in the forms that nets asked for. */
#include <stdio.h>

#include "base/mem.h"
#include "models/runtime_priv.h"

static const char *const linear_name[RT_LINEARS] = {"attention.q", "attention.k", "attention.v",
                                                    "attention.o", "ffn.in",      "ffn.out"};
const snc_site snc_rt__site[RT_LINEARS] = {SNC_SITE_Q, SNC_SITE_K,      SNC_SITE_V,
                                           SNC_SITE_O, SNC_SITE_FFN_IN, SNC_SITE_FFN_OUT};

static snc_rt__matrix matrix_of(const snc_model *m, snc_lin i)
{
    const snc_param *p = &m->params.p[i.w];
    return (snc_rt__matrix){
        .N = p->rows, .K = p->cols, .W = snc_params_w(&m->params, i.w), .b = snc_params_w(&m->params, i.b)};
}

static snc_rt__norm norm_of(const snc_model *m, snc_lin i)
{
    return (snc_rt__norm){snc_params_w(&m->params, i.w), snc_params_w(&m->params, i.b)};
}

snc_err snc_weights_from_model(snc_weights **out, const snc_ctx *ctx, const snc_model *m)
{
    snc_weights *w = NULL;
    SNC_TRY(snc_alloc(&w, 1, sizeof *w));
    w->ctx = *ctx;
    if (snc_pool_new(&w->pool) != SNC_OK) {
        snc_free(w);
        return SNC_E_NOMEM;
    }
    w->ctx.pool = w->pool;
    w->cfg = m->cfg;
    w->arch = m->arch;
    w->policy = snc_policy_uniform(SNC_F32, SNC_F32);
    for (int l = 0; l < m->arch.layers; l++) {
        const snc_layer_index *ix = &m->ix.layer[l];
        const snc_lin lin[RT_LINEARS] = {ix->q, ix->k, ix->v, ix->o, ix->ffn_in, ix->ffn_out};
        for (int i = 0; i < RT_LINEARS; i++) w->layer[l].m[i] = matrix_of(m, lin[i]);
        w->layer[l].attn_norm = norm_of(m, ix->attn_norm);
        w->layer[l].ffn_norm = norm_of(m, ix->ffn_norm);
    }
    w->pooler = matrix_of(m, m->ix.pooler);
    w->classifier = matrix_of(m, m->ix.classifier);
    w->embed_norm = norm_of(m, m->ix.embed_norm);
    const int tables[RT_TABLES] = {m->ix.word, m->ix.position, m->ix.type};
    for (int i = 0; i < RT_TABLES; i++) {
        w->table[i] = snc_params_w(&m->params, tables[i]);
        w->rows[i] = m->params.p[tables[i]].rows;
    }
    *out = w;
    return SNC_OK;
}

/* ---- from a file: forms as they lie there ---- */

typedef struct reader {
    snc_weights *w;
    snc_params table;
    snc_model_index ix;
} reader;

static snc_err read_vector(const float **out, const reader *r, int param)
{
    const snc_param *p = &r->table.p[param];
    return snc_sncfile_vector_view(out, r->w->file, p->name, p->cols);
}

static snc_err read_norm(snc_rt__norm *out, const reader *r, snc_lin i)
{
    SNC_TRY(read_vector(&out->gamma, r, i.w));
    return read_vector(&out->beta, r, i.b);
}

static snc_err read_matrix(snc_rt__matrix *m, reader *r, snc_lin i)
{
    snc_weights *w = r->w;
    const char *name = r->table.p[i.w].name;
    snc_matrix_view v;
    SNC_TRY(snc_sncfile_matrix_view(&v, w->file, name));
    *m = (snc_rt__matrix){.N = v.rows, .K = v.cols};
    SNC_TRY(read_vector(&m->b, r, i.b));
    if (v.dtype == SNC_I4)
        return snc_q4linear_create_packed(&m->i4, &w->ctx, v.data, v.group, v.scale, m->b, v.rows, v.cols);
    if (v.dtype == SNC_I8) return snc_qlinear_create_packed(&m->i8, &w->ctx, v.data, v.scale, m->b, v.rows, v.cols);
    if (v.dtype == SNC_BF16) return snc_bf16linear_create_packed(&m->bf16, &w->ctx, v.data, m->b, v.rows, v.cols);
    m->W = v.data;
    return SNC_OK;
}

static snc_err read_all(reader *r)
{
    snc_weights *w = r->w;
    SNC_TRY(snc_model_table(&r->table, &r->ix, &w->cfg, &w->arch));
    for (int l = 0; l < w->arch.layers; l++) {
        const snc_layer_index *ix = &r->ix.layer[l];
        const snc_lin lin[RT_LINEARS] = {ix->q, ix->k, ix->v, ix->o, ix->ffn_in, ix->ffn_out};
        for (int i = 0; i < RT_LINEARS; i++) SNC_TRY(read_matrix(&w->layer[l].m[i], r, lin[i]));
        SNC_TRY(read_norm(&w->layer[l].attn_norm, r, ix->attn_norm));
        SNC_TRY(read_norm(&w->layer[l].ffn_norm, r, ix->ffn_norm));
    }
    SNC_TRY(read_matrix(&w->pooler, r, r->ix.pooler));
    SNC_TRY(read_matrix(&w->classifier, r, r->ix.classifier));
    SNC_TRY(read_norm(&w->embed_norm, r, r->ix.embed_norm));
    const int tables[RT_TABLES] = {r->ix.word, r->ix.position, r->ix.type};
    for (int i = 0; i < RT_TABLES; i++) {
        snc_matrix_view v;
        SNC_TRY(snc_sncfile_matrix_view(&v, w->file, r->table.p[tables[i]].name));
        if (v.dtype == SNC_F32) w->table[i] = v.data;
        SNC_TRY(snc_embed_view(&w->embed[i][v.dtype], v.dtype, v.data, v.group, v.scale, v.rows, v.cols));
        w->rows[i] = v.rows;
    }
    return SNC_OK;
}

snc_err snc_weights_open(snc_weights **out, const snc_ctx *ctx, const char *path)
{
    reader r = {0};
    SNC_TRY(snc_alloc(&r.w, 1, sizeof *r.w));
    r.w->ctx = *ctx;
    snc_err err = snc_pool_new(&r.w->pool);
    r.w->ctx.pool = r.w->pool;
    if (!err) err = snc_sncfile_open(&r.w->file, path);
    if (!err) {
        r.w->cfg = *snc_sncfile_config(r.w->file);
        r.w->arch = *snc_sncfile_arch(r.w->file);
        r.w->policy = *snc_sncfile_policy(r.w->file);
        err = read_all(&r);
    }
    snc_params_dispose(&r.table);
    if (err)
        snc_weights_free(r.w);
    else
        *out = r.w;
    return err;
}

static void matrix_dispose(snc_rt__matrix *m)
{
    snc_gemm_weight_free(m->f32);
    snc_bf16linear_free(m->bf16);
    snc_qlinear_free(m->i8);
    snc_q4linear_free(m->i4);
}

void snc_weights_free(snc_weights *w)
{
    if (!w) return;
    for (int l = 0; l < w->arch.layers; l++)
        for (int i = 0; i < RT_LINEARS; i++) matrix_dispose(&w->layer[l].m[i]);
    matrix_dispose(&w->pooler);
    matrix_dispose(&w->classifier);
    for (int i = 0; i < RT_TABLES; i++)
        for (int t = 0; t < SNC_DTYPES; t++) snc_embed_free(w->embed[i][t]);
    snc_gemm_free(w->gemm);
    snc_sncfile_close(w->file);
    snc_pool_free(w->pool);
    snc_free(w);
}

const snc_sncfile *snc_weights_file_view(const snc_weights *w)
{
    return w->file;
}

const snc_bert_config *snc_weights_config(const snc_weights *w)
{
    return &w->cfg;
}
const snc_arch *snc_weights_arch(const snc_weights *w)
{
    return &w->arch;
}
const snc_policy *snc_weights_policy(const snc_weights *w)
{
    return &w->policy;
}

snc_err snc_rt__matrix_prepare(snc_weights *w, snc_rt__matrix *m, snc_dtype t, const char *name)
{
    if (t == SNC_F32 ? m->f32 != NULL : t == SNC_BF16 ? m->bf16 != NULL : t == SNC_I8 ? m->i8 != NULL : m->i4 != NULL) return SNC_OK;
    SNC_CHECK(t == SNC_F32 || t == SNC_BF16 || t == SNC_I8 || t == SNC_I4, SNC_E_UNSUPPORTED, "%s: %s is not a dtype of linears", name,
              snc_dtype_get(t)->name);
    SNC_CHECK(m->W, SNC_E_UNSUPPORTED, "%s: the file holds it in another dtype than %s", name, snc_dtype_get(t)->name);
    if (t == SNC_I4) return snc_q4linear_create(&m->i4, &w->ctx, m->W, m->K, m->b, m->N, m->K);
    if (t == SNC_I8) return snc_qlinear_create(&m->i8, &w->ctx, m->W, m->K, m->b, m->N, m->K);
    if (t == SNC_BF16) return snc_bf16linear_create(&m->bf16, &w->ctx, m->W, m->K, m->b, m->N, m->K);
    if (!w->gemm) SNC_TRY(snc_gemm_create(&w->gemm, &w->ctx, SNC_COMPUTE_F32, 1, 1));
    return snc_gemm_weight_create(&m->f32, w->gemm, m->W, m->K, m->N, m->K);
}

size_t snc_rt__matrix_scratch(const snc_rt__matrix *m, snc_dtype t, const snc_ctx *ctx, int T)
{
    if (t == SNC_I8) return snc_qlinear_q8_workspace_size(m->i8, ctx, T);
    if (t == SNC_I4) return snc_q4linear_workspace_size(m->i4, ctx, T);
    return t == SNC_BF16 ? snc_bf16linear_workspace_size(m->bf16, T) : 0;
}

static snc_err prepare_tables(snc_weights *w, snc_dtype t)
{
    static const char *const name[RT_TABLES] = {"embeddings.word", "embeddings.position", "embeddings.type"};
    for (int i = 0; i < RT_TABLES; i++) {
        if (w->embed[i][t]) continue;
        SNC_CHECK(w->table[i], SNC_E_UNSUPPORTED, "%s: the file holds it in another dtype than %s", name[i],
                  snc_dtype_get(t)->name);
        SNC_TRY(snc_embed_create(&w->embed[i][t], t, w->table[i], w->arch.hidden, w->rows[i], w->arch.hidden));
    }
    return SNC_OK;
}

snc_err snc_weights_prepare(snc_weights *w, const snc_arch *arch, const snc_policy *policy)
{
    char name[64];
    if (!arch) arch = &w->arch;
    if (!policy) policy = &w->policy;
    SNC_TRY(snc_arch_check(arch, &w->arch));
    SNC_TRY(snc_policy_check(policy, arch, w->cfg.head_width));
    for (int l = 0; l < arch->layers; l++)
        for (int i = 0; i < RT_LINEARS; i++) {
            snprintf(name, sizeof name, "layer %d %s", arch->source[l], linear_name[i]);
            SNC_TRY(
                snc_rt__matrix_prepare(w, &w->layer[arch->source[l]].m[i], policy->linear[l][snc_rt__site[i]], name));
        }
    SNC_TRY(snc_rt__matrix_prepare(w, &w->pooler, policy->pooler, "pooler"));
    /* an F32 classifier is a few dot products on the master itself */
    if (policy->classifier != SNC_F32 || !w->classifier.W)
        SNC_TRY(snc_rt__matrix_prepare(w, &w->classifier, policy->classifier, "classifier"));
    return prepare_tables(w, policy->embed);
}
