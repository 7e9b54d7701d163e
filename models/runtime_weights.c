/* The weights object: every matrix of a model in the forms that nets asked for. */
#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "core/relative.h"
#include "models/mixture.h"
#include "models/runtime_priv.h"

snc_rt__matrix *snc_rt__matrix_at(snc_weights *w, snc_role role, int layer)
{
    const snc_spec *s = &snc_spec_rows[role];
    switch (s->slot) {
    case SNC_SLOT_SITE: return &w->m[layer][s->site];
    case SNC_SLOT_PROJECTION: return &w->projection;
    case SNC_SLOT_POOLER: return &w->pooler;
    case SNC_SLOT_CLASSIFIER: return &w->classifier;
    case SNC_SLOT_EMBED:
    case SNC_SLOT_NONE: break;
    }
    return NULL;
}

/* Tables and vectors; a matrix gets its values, and its bias, when a net asks for it. */
static snc_err from_model(snc_weights *w, const snc_model *m)
{
    w->model = m;
    SNC_TRY(snc_spec_table(&w->table, &m->cfg, &m->arch));
    for (int i = 0; i < w->table.n; i++) {
        const snc_param *p = &w->table.p[i];
        if (!snc_spec_linear(p) && !snc_spec_bias(p))
            w->f32[p->layer][p->row] = snc_params_w(&m->params, snc_model_at(m, p->row, p->layer));
    }
    return SNC_OK;
}

/* What positions turn, and what a window lets go. */
static snc_err lay_rotary(snc_weights *w)
{
    const snc_encoder_config *c = &w->cfg;
    int len = snc_family_length(c);
    if (!snc_family_of(c)->rotary) return SNC_OK;
    SNC_TRY(snc_rotary_new(&w->rotary[0], len, c->head_width, c->theta));
    SNC_TRY(snc_rotary_new(&w->rotary[1], len, c->head_width, c->local_theta));
    if (!c->local) return SNC_OK;
    SNC_TRY(snc_alloc(&w->window, 2 * (size_t)len, sizeof *w->window));
    for (int d = 1 - len; d < len; d++) w->window[len - 1 + d] = d > c->window || -d > c->window ? -INFINITY : 0.0f;
    return SNC_OK;
}

/* The bias by distance of every head of every layer, written out once. */
static snc_err expand_relative(snc_weights *w)
{
    int len = snc_family_length(&w->cfg), run = 2 * len - 1;
    float scale = sqrtf((float)w->cfg.head_width);
    uint8_t *bucket = NULL;
    snc_err err = SNC_OK;
    if (!snc_family_has(snc_family_of(&w->cfg), SNC_ROLE_RELATIVE)) return SNC_OK;
    SNC_GOTO(snc_alloc(&bucket, (size_t)run, sizeof *bucket));
    snc_relative_buckets(bucket, len);
    for (int l = 0; l < w->arch.layers; l++) {
        snc_relative r = {.table = w->f32[l][SNC_ROLE_RELATIVE], .bucket = bucket, .len = len, .buckets = SNC_RELATIVE_BUCKETS};
        if (!r.table) continue; /* without heads */
        SNC_GOTO(snc_alloc(&w->relative[l], (size_t)w->arch.heads[l] * (size_t)run, sizeof **w->relative));
        for (int h = 0; h < w->arch.heads[l]; h++) snc_relative_expand(w->relative[l] + (size_t)h * (size_t)run, &r, h, len, scale, false);
    }
out:
    snc_free(bucket);
    return err;
}

static snc_err new_weights(snc_weights **out, const snc_ctx *ctx)
{
    snc_weights *w;
    SNC_TRY(snc_alloc(&w, 1, sizeof *w));
    w->ctx = w->made = *ctx;
    w->made.pool = NULL;
    snc_err err = snc_pool_new(&w->pool);
    if (!err) err = snc_pool_new(&w->made.pool);
    w->ctx.pool = w->pool;
    if (err) snc_weights_free(w);
    else *out = w;
    return err;
}

snc_err snc_weights_from_model(snc_weights **out, const snc_ctx *ctx, const snc_model *m)
{
    snc_weights *w = NULL;
    SNC_TRY(new_weights(&w, ctx));
    w->cfg = m->cfg;
    w->arch = m->arch;
    w->policy = snc_policy_uniform(SNC_F32, SNC_F32);
    snc_err err = from_model(w, m);
    if (!err) err = expand_relative(w);
    if (!err) err = lay_rotary(w);
    if (err) snc_weights_free(w);
    else *out = w;
    return err;
}

/* ---- from a file: forms as they lie there ---- */

static snc_err read_matrix(snc_rt__matrix *m, snc_weights *w, const snc_matrix_view *v, const float *bias)
{
    *m = (snc_rt__matrix){.N = v->rows, .K = v->cols, .ld = v->ld, .b = bias};
    if (v->dtype == SNC_I4) return snc_q4linear_create_packed(&m->i4, &w->ctx, v->data, v->group, v->scale, m->b, v->rows, v->cols);
    if (v->dtype == SNC_I8) return snc_qlinear_create_packed(&m->i8, &w->ctx, v->data, v->scale, m->b, v->rows, v->cols);
    if (v->dtype == SNC_BF16) return snc_bf16linear_create_packed(&m->bf16, &w->ctx, v->data, m->b, v->rows, v->cols);
    m->W = v->data;
    return SNC_OK;
}

/* What of it is packed in the first net's file order is taken as it is; F32 is packed when a net asks for it, by each. */
static void borrow_matrix(snc_rt__matrix *m, const snc_rt__matrix *first, const snc_matrix_view *v, const float *bias)
{
    *m = (snc_rt__matrix){.N = v->rows, .K = v->cols, .ld = v->ld, .b = bias};
    if (v->dtype == SNC_F32) {
        m->W = v->data;
        return;
    }
    m->borrowed = true;
    m->i4 = first->i4;
    m->i8 = first->i8;
    m->bf16 = first->bf16;
}

static snc_err read_all(snc_weights *w)
{
    SNC_TRY(snc_spec_table(&w->table, &w->cfg, &w->arch));
    for (int i = w->table.n - 1; i >= 0; i--) { /* backwards, as a matrix wants its bias, which stands behind it */
        const snc_param *p = &w->table.p[i];
        snc_rt__matrix *m = snc_rt__matrix_at(w, p->row, p->layer);
        const float **at = &w->f32[p->layer][p->row];
        snc_matrix_view v;
        SNC_TRY(snc_sncfile_matrix_view(&v, w->file, p->name));
        if (v.dtype == SNC_F32) *at = v.data;
        if (m && v.shared) borrow_matrix(m, snc_rt__matrix_at(w->first, p->row, v.layer), &v, at[1]);
        else if (m) SNC_TRY(read_matrix(m, w, &v, at[1]));
        if (snc_spec_of(p)->slot == SNC_SLOT_EMBED) /* of which a narrower net reads the first columns */
            SNC_TRY(snc_embed_view(&w->embed[p->row][v.dtype], v.dtype, v.data, v.group, v.scale, v.rows, v.ld));
    }
    return SNC_OK;
}

static snc_err from_file(snc_weights *w, const snc_sncfile *f)
{
    w->file = f;
    w->cfg = *snc_sncfile_config(f);
    w->arch = *snc_sncfile_arch(f);
    w->policy = *snc_sncfile_policy(f);
    SNC_TRY(read_all(w));
    SNC_TRY(expand_relative(w));
    return lay_rotary(w);
}

snc_err snc_weights_open(snc_weights **out, const snc_ctx *ctx, const char *path)
{
    snc_weights *w = NULL;
    SNC_TRY(new_weights(&w, ctx));
    snc_err err = snc_sncfile_open(&w->opened, path);
    if (!err) err = from_file(w, w->opened);
    if (err) snc_weights_free(w);
    else *out = w;
    return err;
}

snc_err snc_weights_open_net(snc_weights **out, snc_weights *first, int k)
{
    snc_weights *w = NULL;
    SNC_TRY(new_weights(&w, &first->ctx));
    w->first = first;
    snc_err err = from_file(w, snc_sncfile_net_view(first->file, k));
    if (err) snc_weights_free(w);
    else *out = w;
    return err;
}

static void matrix_dispose(snc_rt__matrix *m)
{
    snc_gemm_weight_free(m->f32);
    if (!m->borrowed) {
        snc_bf16linear_free(m->bf16);
        snc_qlinear_free(m->i8);
        snc_qlinear_free(m->i4);
    }
    m->f32 = NULL;
    m->bf16 = NULL;
    m->i8 = NULL;
    m->i4 = NULL;
}

/* All, or those that a source makes. */
static void dispose_matrices(snc_weights *w, bool made)
{
    snc_rt__matrix *const once[] = {&w->projection, &w->pooler, &w->classifier};
    for (int l = 0; l < w->arch.layers; l++)
        for (int i = 0; i < SNC_SITES; i++)
            if (!made || w->m[l][i].made) matrix_dispose(&w->m[l][i]);
    for (int i = 0; i < 3; i++)
        if (!made || once[i]->made) matrix_dispose(once[i]);
}

void snc_weights_free(snc_weights *w)
{
    if (!w) return;
    dispose_matrices(w, false);
    for (int i = 0; i < SNC_TABLES; i++)
        for (int t = 0; t < SNC_DTYPES; t++) snc_embed_free(w->embed[i][t]);
    for (int l = 0; l < SNC_MAX_LAYERS; l++) snc_free(w->relative[l]);
    for (int i = 0; i < 2; i++) snc_rotary_free(w->rotary[i]);
    snc_free(w->window);
    snc_params_dispose(&w->table);
    snc_gemm_free(w->gemm);
    snc_sncfile_close(w->opened);
    snc_pool_free(w->pool);
    snc_pool_free(w->made.pool);
    snc_free(w);
}

const snc_sncfile *snc_weights_file_view(const snc_weights *w) { return w->file; }

const snc_encoder_config *snc_weights_config(const snc_weights *w) { return &w->cfg; }
const snc_arch *snc_weights_arch(const snc_weights *w) { return &w->arch; }
const snc_policy *snc_weights_policy(const snc_weights *w) { return &w->policy; }

snc_err snc_rt__matrix_prepare(snc_weights *w, snc_rt__matrix *m, snc_dtype t, const char *name)
{
    if (t == SNC_F32 ? m->f32 != NULL : t == SNC_BF16 ? m->bf16 != NULL : t == SNC_I8 ? m->i8 != NULL : m->i4 != NULL) return SNC_OK;
    SNC_CHECK(t == SNC_F32 || t == SNC_BF16 || t == SNC_I8 || t == SNC_I4, SNC_E_UNSUPPORTED, "%s: %s is not a dtype of linears", name,
              snc_dtype_get(t)->name);
    SNC_CHECK(m->W, SNC_E_UNSUPPORTED, "%s: the file holds it in another dtype than %s", name, snc_dtype_get(t)->name);
    const snc_ctx *ctx = m->made ? &w->made : &w->ctx;
    if (t == SNC_I4) return snc_q4linear_create(&m->i4, ctx, m->W, m->ld, m->b, m->N, m->K);
    if (t == SNC_I8) return snc_qlinear_create(&m->i8, ctx, m->W, m->ld, m->b, m->N, m->K);
    if (t == SNC_BF16) return snc_bf16linear_create(&m->bf16, ctx, m->W, m->ld, m->b, m->N, m->K);
    if (!w->gemm) SNC_TRY(snc_gemm_create(&w->gemm, &w->ctx, SNC_COMPUTE_F32, 1, 1));
    return snc_gemm_weight_create(&m->f32, w->gemm, m->W, m->ld, m->N, m->K);
}

size_t snc_rt__matrix_scratch(const snc_rt__matrix *m, snc_dtype t, const snc_ctx *ctx, int T)
{
    if (t == SNC_I8) return snc_qlinear_q8_workspace_size(m->i8, ctx, T);
    if (t == SNC_I4) return snc_qlinear_workspace_size(m->i4, ctx, T);
    return t == SNC_BF16 ? snc_bf16linear_workspace_size(m->bf16, T) : 0;
}

static snc_err prepare_table(snc_weights *w, const snc_param *p, snc_dtype t)
{
    char name[SNC_PARAM_NAME];
    const float *master = w->f32[p->layer][p->row];
    if (w->embed[p->row][t]) return SNC_OK;
    SNC_CHECK(master, SNC_E_UNSUPPORTED, "%s: the file holds it in another dtype than %s", snc_spec_text(name, p->row, 0),
              snc_dtype_get(t)->name);
    return snc_embed_create(&w->embed[p->row][t], t, master, p->cols, p->rows, p->cols);
}

/* Of a parameter that a net takes as its layer `kept`. */
static snc_err prepare(snc_weights *w, const snc_param *p, const snc_policy *policy, int kept)
{
    char name[SNC_PARAM_NAME];
    snc_rt__matrix *m = snc_rt__matrix_at(w, p->row, p->layer);
    snc_dtype t = snc_spec_dtype(policy, p->row, kept);
    if (snc_spec_of(p)->slot == SNC_SLOT_EMBED) return prepare_table(w, p, t);
    if (!m) return SNC_OK;
    /* an F32 classifier is a few dot products on the master itself */
    if (m == &w->classifier && t == SNC_F32 && m->W) return SNC_OK;
    return snc_rt__matrix_prepare(w, m, t, snc_spec_text(name, p->row, p->layer));
}

/* Which kept layer of the arch has the parameter, 0 outside of layers; -1: none. */
static int layer_of(const snc_param *p, const snc_arch *arch, const int *kept)
{
    const snc_spec *s = snc_spec_of(p);
    int layer = s->layer ? kept[p->layer] : 0;
    return s->slot == SNC_SLOT_SITE && layer >= 0 && !snc_arch_has(arch, layer, s->site) ? -1 : layer;
}

/* Asks the source for the matrices of the arch. Where one was made anew, what is packed of any that it makes is dropped, and their pool
 * starts over: for another arch it makes them all anew. Writes nothing where nothing is new. */
static void materialise(snc_weights *w, const snc_arch *arch, const int *kept)
{
    bool anew = false;
    for (int i = 0; i < w->table.n; i++) {
        const snc_param *p = &w->table.p[i];
        if (!snc_spec_linear(p) || layer_of(p, arch, kept) < 0) continue;
        snc_rt__matrix *m = snc_rt__matrix_at(w, p->row, p->layer);
        snc_source_view v = snc_model_matrix(w->model, p->row, p->layer, arch);
        if (v.version == m->version) continue;
        assert(v.made || !m->version); /* what is no source's making stays as it is */
        anew = anew || m->version;
        m->W = v.w;
        m->b = v.b;
        m->made = v.made;
        m->ld = v.ld;
        m->N = v.rows;
        m->K = v.cols;
        m->version = v.version;
    }
    if (!anew) return;
    dispose_matrices(w, true);
    snc_pool_reset(w->made.pool);
}

snc_err snc_weights_prepare(snc_weights *w, const snc_arch *arch, const snc_policy *policy)
{
    if (!arch) arch = &w->arch;
    if (!policy) policy = &w->policy;
    SNC_TRY(snc_arch_check(arch, &w->arch));
    SNC_TRY(snc_policy_check(policy, arch, &w->cfg));
    SNC_CHECK(w->model || !snc_mixture_any(&w->cfg), SNC_E_UNSUPPORTED, SNC_MIXTURE_REFUSED);
    int kept[SNC_MAX_LAYERS];
    for (int l = 0; l < w->arch.layers; l++) kept[l] = -1;
    for (int l = 0; l < arch->layers; l++) kept[arch->source[l]] = l;
    if (w->model) materialise(w, arch, kept);
    for (int i = 0; i < w->table.n; i++) {
        const snc_param *p = &w->table.p[i];
        int layer = layer_of(p, arch, kept);
        if (layer >= 0) SNC_TRY(prepare(w, p, policy, layer));
    }
    return SNC_OK;
}
