/* The engine: embeddings, the run over layers, the head. */
#include "models/engine.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "models/engine_priv.h"

/* ---- create ------------------------------------------------------------------------------------------------------- */

static snc_err pack(engine_matrix *out, snc_engine *e, snc_role role, int layer)
{
    int size[SNC_AXES], own = snc_model_gradient(e->m, role, layer).param;
    snc_source_view v = snc_model_matrix(e->m, role, layer, &e->m->arch);
    snc_spec_sizes(size, &e->m->cfg, &e->m->arch, layer);
    *out = (engine_matrix){.b = v.b, .role = role, .layer = layer, .version = v.version};
    SNC_TRY(snc_gemm_weight_create(&out->w, e->gemm, v.w, v.ld, size[snc_spec_rows[role].rows], size[snc_spec_rows[role].cols]));
    if (own >= 0) e->by_param[own] = out->w;
    return SNC_OK;
}

static snc_err pack_all(snc_engine *e)
{
    const snc_model *m = e->m;
    SNC_TRY(snc_alloc(&e->by_param, (size_t)m->params.n, sizeof *e->by_param));
    for (int l = 0; l < m->arch.layers; l++) {
        for (int s = 0; s < SNC_SITES; s++)
            if (snc_arch_has(&m->arch, l, s)) SNC_TRY(pack(&e->w[l].m[s], e, snc_spec_site(s), l));
        e->w[l].attention_norm = snc_model_lin(m, SNC_ROLE_ATTENTION_NORM, l);
        e->w[l].ffn_norm = snc_model_lin(m, SNC_ROLE_FFN_NORM, l);
        e->w[l].relative = snc_model_at(m, SNC_ROLE_RELATIVE, l);
    }
    e->embed_norm = snc_model_lin(m, SNC_ROLE_EMBED_NORM, 0);
    e->pool_norm = snc_model_lin(m, SNC_ROLE_POOLER_NORM, 0);
    e->distance_norm = snc_model_lin(m, SNC_ROLE_DISTANCE_NORM, 0);
    for (int t = 0; t < SNC_TABLES; t++) e->table[t] = snc_model_at(m, t, 0);
    if (m->cfg.embedding) SNC_TRY(pack(&e->projection, e, SNC_ROLE_PROJECTION, 0));
    if (snc_config_head(&e->m->cfg) != SNC_HEAD_NONE) SNC_TRY(pack(&e->pooler, e, SNC_ROLE_POOLER, 0));
    return pack(&e->classifier, e, SNC_ROLE_CLASSIFIER, 0);
}

/* What distances add to scores, and positions that turn queries and keys. */
static snc_err lay_distances(snc_engine *e)
{
    const snc_encoder_config *c = &e->m->cfg;
    int len = e->opts.max_len, heads = snc_engine__widest(e->m->arch.heads, e->m->arch.layers);
    bool relative = snc_family_has(e->family, SNC_ROLE_RELATIVE);
    if (relative || c->local) SNC_TRY(snc_alloc(&e->bucket, 2 * (size_t)len, sizeof *e->bucket));
    if (relative) snc_relative_buckets(e->bucket, len);
    else if (c->local) {
        snc_relative_window(e->bucket, len, c->window);
        SNC_TRY(snc_alloc(&e->window, 2 * (size_t)heads, sizeof *e->window));
        for (int h = 0; h < heads; h++) e->window[2 * h + 1] = -INFINITY;
    }
    if (c->buckets) {
        SNC_TRY(snc_alloc(&e->distances, 2 * (size_t)len, sizeof *e->distances));
        snc_distance_buckets(e->distances, len, c->buckets, c->positions);
    }
    if (!e->family->rotary) return SNC_OK;
    SNC_TRY(snc_rotary_new(&e->rotary[0], len, c->head_width, c->theta));
    return snc_rotary_new(&e->rotary[1], len, c->head_width, c->local_theta);
}

snc_err snc_engine_create(snc_engine **out, const snc_ctx *ctx, snc_model *m, const snc_engine_opts *o)
{
    *out = NULL;
    SNC_CHECK(o->max_tokens >= 1 && o->max_seqs >= 1 && o->max_len >= 1, SNC_E_ARG,
              "engine planned for %d tokens, %d sequences of %d: expected at least 1", o->max_tokens, o->max_seqs, o->max_len);
    snc_engine *e;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&e, 1, sizeof *e));
    e->ctx = ctx;
    e->m = m;
    e->family = snc_family_of(&m->cfg);
    e->opts = *o;
    if (e->opts.max_seqs > o->max_tokens) e->opts.max_seqs = o->max_tokens;
    if (e->opts.max_len > snc_family_length(&m->cfg)) e->opts.max_len = snc_family_length(&m->cfg);
    e->opts.first_only = o->first_only && snc_reads_first(&m->cfg); /* else every token is read to the end */

    int D = m->cfg.head_width, C = m->arch.hidden, attn = D * snc_engine__widest(m->arch.heads, m->arch.layers);
    int wide[] = {C, attn, snc_family_neuron(e->family) * snc_engine__widest(m->arch.ffn, m->arch.layers), m->cfg.classes,
                  m->cfg.embedding};
    snc_engine__distances_reach(e, e->opts.max_len);
    int rows = o->max_tokens > e->distance.n ? o->max_tokens : e->distance.n;
    snc_ops_limits max = {
        .rows = rows, .width = snc_engine__widest(wide, 5), .seqs = e->opts.max_seqs, .len = e->opts.max_len, .head_width = D};
    max.distances = e->distance.n;
    SNC_GOTO(snc_gemm_create(&e->gemm, ctx, o->compute, rows, max.width));
    e->half = snc_gemm_takes_bf16(e->gemm);
    SNC_GOTO(lay_distances(e));
    if (e->bucket) max.relative = snc_engine__widest(m->arch.heads, m->arch.layers) * (e->window ? 2 : SNC_RELATIVE_BUCKETS);
    SNC_GOTO(snc_ops_create(&e->ops, ctx, &max));
    SNC_GOTO(pack_all(e));
    if (o->train) SNC_GOTO(snc_params_alloc_grad(&m->params));
    SNC_GOTO(snc_alloc(&e->squares, (size_t)m->params.n, sizeof *e->squares));
    for (int i = 0; i < m->params.n; i++) e->squares[i] = -1;
    SNC_GOTO(snc_alloc(&e->tokens, 3 * (size_t)o->max_tokens + (size_t)e->opts.max_seqs + 1, sizeof *e->tokens));
    snc_engine__plan(e, &m->arch, o->max_tokens, e->opts.max_seqs, m->cfg.tags ? o->max_tokens : e->opts.max_seqs);
    e->size = e->used;
    SNC_GOTO(snc_alloc(&e->block, e->size, sizeof *e->block));
    *out = e;
    return SNC_OK;
out:
    snc_engine_free(e);
    return err;
}

void snc_engine_free(snc_engine *e)
{
    if (!e) return;
    for (int l = 0; l < e->m->arch.layers; l++)
        for (int s = 0; s < SNC_SITES; s++) snc_gemm_weight_free(e->w[l].m[s].w);
    snc_gemm_weight_free(e->projection.w);
    snc_gemm_weight_free(e->pooler.w);
    snc_gemm_weight_free(e->classifier.w);
    snc_free(e->by_param);
    snc_free(e->tokens);
    snc_free(e->bucket);
    snc_free(e->window);
    snc_free(e->distances);
    snc_rotary_free(e->rotary[0]);
    snc_rotary_free(e->rotary[1]);
    snc_free(e->squares);
    snc_free(e->block);
    snc_ops_free(e->ops);
    snc_gemm_free(e->gemm);
    snc_free(e);
}

void snc_engine_sync(snc_engine *e)
{
    snc_model_changed(e->m);
    for (int i = 0; i < e->m->params.n; i++)
        if (e->by_param[i]) snc_gemm_weight_sync(e->gemm, e->by_param[i]);
}

void snc_engine_sync_rows(snc_engine *e, int param, int n0, int n1)
{
    if (e->by_param[param]) snc_gemm_weight_sync_rows(e->gemm, e->by_param[param], n0, n1);
}

size_t snc_engine_memory(const snc_engine *e) { return e->size * sizeof(float); }

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static snc_err check_batch(const snc_engine *e, const snc_tokens *x)
{
    const snc_encoder_config *c = &e->m->cfg;
    SNC_CHECK(x->B >= 1 && x->B <= e->opts.max_seqs && x->T <= e->opts.max_tokens, SNC_E_SHAPE,
              "batch of %d tokens in %d sequences: planned for %d in %d", x->T, x->B, e->opts.max_tokens, e->opts.max_seqs);
    SNC_CHECK(x->offsets[0] == 0 && x->offsets[x->B] == x->T, SNC_E_SHAPE, "batch: offsets do not span its %d tokens", x->T);
    for (int b = 0; b < x->B; b++) {
        int len = x->offsets[b + 1] - x->offsets[b];
        SNC_CHECK(len >= 1 && len <= e->opts.max_len, SNC_E_SHAPE, "sequence %d of the batch has %d tokens: expected 1 to %d", b, len,
                  e->opts.max_len);
    }
    for (int i = 0; c->tags && x->read && i < x->R; i++)
        SNC_CHECK(x->read[i] > (i ? x->read[i - 1] : -1) && x->read[i] < x->T, SNC_E_SHAPE, "batch: token %d of %d is read, behind %d",
                  (int)x->read[i], x->T, i ? (int)x->read[i - 1] : -1);
    for (int t = 0; t < x->T; t++)
        SNC_CHECK(x->ids[t] >= 0 && x->ids[t] < c->vocab && (c->types <= 1 || (x->types[t] >= 0 && x->types[t] < c->types)), SNC_E_SHAPE,
                  "token %d of the batch: id %d of segment %d: expected below %d and %d", t, (int)x->ids[t], (int)x->types[t], c->vocab,
                  c->types);
    return SNC_OK;
}

/* The backward pass must not depend on the caller's buffers. */
static void keep_batch(snc_engine *e, const snc_tokens *x)
{
    size_t T = (size_t)x->T;
    int32_t *ids = e->tokens, *types = ids + e->opts.max_tokens, *read = types + e->opts.max_tokens, *offsets = read + e->opts.max_tokens;
    memcpy(ids, x->ids, T * sizeof *ids);
    if (e->m->cfg.types > 1) memcpy(types, x->types, T * sizeof *types);
    else memset(types, 0, T * sizeof *types);
    memcpy(offsets, x->offsets, ((size_t)x->B + 1) * sizeof *offsets);
    e->x = (snc_tokens){.B = x->B, .T = x->T, .ids = ids, .types = types, .offsets = offsets};
    if (!e->m->cfg.tags || !x->read) return;
    memcpy(read, x->read, (size_t)x->R * sizeof *read);
    e->x.R = x->R;
    e->x.read = read;
}

static int answers(const snc_engine *e) { return snc_tokens_answers(&e->x, e->m->cfg.tags); }

static void refresh(snc_engine *e, engine_matrix *m, const snc_arch *arch)
{
    snc_source_view v = snc_model_matrix(e->m, m->role, m->layer, arch);
    if (v.version != m->version) snc_gemm_weight_sync(e->gemm, m->w);
    m->version = v.version;
    m->b = v.b;
}

/* Every matrix of the arch; those that the source made anew are packed anew. */
static void materialise(snc_engine *e, const snc_arch *arch)
{
    for (int i = 0; i < arch->layers; i++)
        for (int s = 0; s < SNC_SITES; s++)
            if (snc_arch_has(arch, i, s)) refresh(e, &e->w[arch->source[i]].m[s], arch);
    if (e->projection.w) refresh(e, &e->projection, arch);
    if (e->pooler.w) refresh(e, &e->pooler, arch);
    refresh(e, &e->classifier, arch);
}

/* Where a sequence's first token finds its row of the position table, as of weights or gradients; NULL: there is none. */
static size_t first_position(const snc_engine *e)
{
    return (size_t)e->family->position_base * (size_t)engine_ld(e, e->table[SNC_ROLE_POSITION]);
}

static snc_err embed_forward(snc_engine *e)
{
    snc_mask none = SNC_MASK_OFF, drop = engine_mask(e, ENGINE_SITE_EMBED, e->drop.hidden, e->drop.token);
    int C = e->arch.hidden, E = snc_spec_embed_width(&e->m->cfg, &e->arch), T = e->x.T, type = e->table[SNC_ROLE_TYPE];
    float *y = e->projection.w ? e->e0 : e->y0.f;
    const float *position = e->table[SNC_ROLE_POSITION] < 0 ? NULL : engine_w(e, e->table[SNC_ROLE_POSITION]) + first_position(e);
    snc_embed_forward(e->s0, e->ops, engine_w(e, e->table[SNC_ROLE_WORD]), position, type < 0 ? NULL : engine_w(e, type), &e->x, E,
                      engine_ld(e, e->table[SNC_ROLE_WORD]));
    snc_norm_forward(y, NULL, e->s0, e->n0, e->ops, NULL, engine_w(e, e->embed_norm.w), engine_w(e, e->embed_norm.b), T, E,
                     e->m->cfg.norm_eps, &none);
    snc_mask_apply(y, e->ops, T, E, &drop);
    if (e->projection.w) SNC_TRY(snc_gemm_forward(e->y0.f, C, e->gemm, y, E, e->projection.w, e->projection.b, T, C, E, false));
    if (e->half) snc_round(e->y0.h, e->ops, e->y0.f, T, C);
    return SNC_OK;
}

static snc_ops_act head_act(const snc_engine *e)
{
    return snc_config_head(&e->m->cfg) == SNC_HEAD_TANH   ? SNC_OPS_TANH
           : snc_config_head(&e->m->cfg) == SNC_HEAD_GELU ? SNC_OPS_GELU
                                                          : SNC_OPS_RELU;
}

static snc_err head_forward(float *logits, snc_engine *e)
{
    const engine_layer *last = &e->layer[e->arch.layers - 1];
    snc_mask drop = engine_mask(e, ENGINE_SITE_HEAD, e->drop.head, e->drop.answer), none = SNC_MASK_OFF;
    int C = e->arch.hidden, B = answers(e), K = e->m->cfg.classes;
    if (e->m->cfg.tags) snc_engine__gather_read(e->first, last->y.f, &e->x, C);
    else if (e->m->cfg.mean) snc_engine__gather_mean(e->first, last->y.f, &e->x, C);
    else if (e->opts.first_only) memcpy(e->first, last->y.f, (size_t)B * (size_t)C * sizeof *e->first);
    else snc_engine__gather_first((engine_rows){e->first, NULL}, last->y, &e->x, C);
    if (snc_config_head(&e->m->cfg) == SNC_HEAD_NONE) memcpy(e->pooled, e->first, (size_t)B * (size_t)C * sizeof *e->first);
    else {
        SNC_TRY(snc_gemm_forward(e->slope, C, e->gemm, e->first, C, e->pooler.w, e->pooler.b, B, C, C, false));
        snc_act_forward(e->sp ? e->sp : e->pooled, e->slope, e->ops, e->slope, B, C, head_act(e));
    }
    if (e->sp)
        snc_norm_forward(e->pooled, NULL, e->sp, e->np, e->ops, NULL, engine_w(e, e->pool_norm.w), engine_w(e, e->pool_norm.b), B, C,
                         e->m->cfg.norm_eps, &none);
    snc_mask_apply(e->pooled, e->ops, B, C, &drop);
    return snc_gemm_forward(logits, K, e->gemm, e->pooled, C, e->classifier.w, e->classifier.b, B, K, C, false);
}

static int longest_of(const snc_tokens *x)
{
    int longest = 0;
    for (int b = 0; b < x->B; b++)
        if (x->offsets[b + 1] - x->offsets[b] > longest) longest = x->offsets[b + 1] - x->offsets[b];
    return longest;
}

snc_err snc_engine_forward(snc_engine *e, float *logits, const snc_arch *arch, const snc_tokens *x, const snc_dropout *drop)
{
    e->ready = false;
    SNC_TRY(snc_arch_check(arch, &e->m->arch));
    SNC_TRY(check_batch(e, x));
    keep_batch(e, x);
    e->drop = drop ? *drop : (snc_dropout){.seed = 0};
    snc_engine__distances_reach(e, longest_of(x));
    snc_engine__plan(e, arch, x->T, x->B, answers(e));
    assert(e->used <= e->size);
    materialise(e, arch);
    SNC_TRY(embed_forward(e));
    snc_engine__distances_forward(e);
    for (int i = 0; i < arch->layers; i++) {
        SNC_TRY(snc_go_on(e->ctx));
        SNC_TRY(snc_engine__layer_forward(e, i));
    }
    SNC_TRY(head_forward(logits, e));
    e->ready = e->opts.train;
    return SNC_OK;
}

snc_engine_attention snc_engine_attention_view(const snc_engine *e)
{
    const engine_layer *l = &e->layer[snc_arch_last_heads(&e->arch)];
    return (snc_engine_attention){l->q, l->k, l->v, l->heads, e->m->cfg.head_width};
}

void snc_engine_add_attention(snc_engine *e, const float *dq, const float *dk, const float *dv)
{
    e->added[0] = dq;
    e->added[1] = dk;
    e->added[2] = dv;
}

int snc_engine_hidden_rows(const snc_engine *e, int i) { return i ? e->layer[i - 1].rows : e->x.T; }

const float *snc_engine_hidden_view(const snc_engine *e, int i) { return i ? e->layer[i - 1].y.f : e->y0.f; }

/* ---- backward ----------------------------------------------------------------------------------------------------- */

/* From d, the gradient of what the pooler gives, to that of the first tokens. */
static snc_err pooler_backward(float *dfirst, snc_engine *e, float *d)
{
    int C = e->arch.hidden, B = answers(e);
    snc_mask none = SNC_MASK_OFF;
    if (e->sp)
        snc_norm_backward(d, NULL, NULL, engine_g(e, e->pool_norm.w), engine_g(e, e->pool_norm.b), NULL, e->ops, d, e->sp, e->np,
                          engine_w(e, e->pool_norm.w), NULL, B, C, &none);
    snc_act_backward(d, engine_db(e, &e->pooler), e->ops, e->slope, B, C);
    SNC_TRY(snc_engine__weight_backward(e, d, NULL, e->first, NULL, &e->pooler, B, C, C));
    return snc_gemm_backward_x(dfirst, C, e->gemm, d, C, e->pooler.w, B, C, C, false);
}

/* Leaves the gradient of the last layer's output in e->dy. */
static snc_err head_backward(snc_engine *e, const float *dlogits)
{
    snc_mask drop = engine_mask(e, ENGINE_SITE_HEAD, e->drop.head, e->drop.answer);
    int C = e->arch.hidden, B = answers(e), K = e->m->cfg.classes;
    bool compact = e->opts.first_only;
    float *dfirst = compact ? e->dy : e->other, *d = snc_config_head(&e->m->cfg) == SNC_HEAD_NONE ? dfirst : e->dx;
    memset(e->dy, 0, (size_t)(compact ? B : e->x.T) * (size_t)C * sizeof *e->dy);
    if (e->past) memset(e->past, 0, (size_t)(compact ? B : e->x.T) * (size_t)C * sizeof *e->past);
    if (!dlogits) return SNC_OK;
    snc_col_sum(engine_db(e, &e->classifier), e->ops, dlogits, B, K);
    SNC_TRY(snc_engine__weight_backward(e, dlogits, NULL, e->pooled, NULL, &e->classifier, B, K, C));
    SNC_TRY(snc_gemm_backward_x(d, C, e->gemm, dlogits, K, e->classifier.w, B, K, C, false));
    snc_mask_apply(d, e->ops, B, C, &drop);
    if (snc_config_head(&e->m->cfg) != SNC_HEAD_NONE) SNC_TRY(pooler_backward(dfirst, e, d));
    if (e->m->cfg.tags) snc_engine__scatter_read(e->dy, dfirst, &e->x, C);
    else if (e->m->cfg.mean) snc_engine__scatter_mean(e->dy, dfirst, &e->x, C);
    else if (!compact) snc_engine__scatter_first(e->dy, dfirst, &e->x, C);
    return SNC_OK;
}

static snc_err embed_backward(snc_engine *e)
{
    snc_mask none = SNC_MASK_OFF, drop = engine_mask(e, ENGINE_SITE_EMBED, e->drop.hidden, e->drop.token);
    int C = e->arch.hidden, E = snc_spec_embed_width(&e->m->cfg, &e->arch), T = e->x.T, type = e->table[SNC_ROLE_TYPE];
    for (size_t k = 0; k < (size_t)T * (size_t)C && e->past; k++) e->dy[k] += e->past[k]; /* of the first layer, past its attention */
    float *d = e->projection.w ? e->de : e->dy;
    if (e->projection.w) {
        snc_col_sum(engine_db(e, &e->projection), e->ops, e->dy, T, C);
        SNC_TRY(snc_engine__weight_backward(e, e->dy, NULL, e->e0, NULL, &e->projection, T, C, E));
        SNC_TRY(snc_gemm_backward_x(d, E, e->gemm, e->dy, C, e->projection.w, T, C, E, false));
    }
    snc_mask_apply(d, e->ops, T, E, &drop);
    snc_norm_backward(d, NULL, NULL, engine_g(e, e->embed_norm.w), engine_g(e, e->embed_norm.b), NULL, e->ops, d, e->s0, e->n0,
                      engine_w(e, e->embed_norm.w), NULL, T, E, &none);
    float *position = e->table[SNC_ROLE_POSITION] < 0 ? NULL : engine_g(e, e->table[SNC_ROLE_POSITION]) + first_position(e);
    snc_embed_backward(engine_g(e, e->table[SNC_ROLE_WORD]), position, type < 0 ? NULL : engine_g(e, type), e->ops, d, &e->x, E,
                       engine_ld(e, e->table[SNC_ROLE_WORD]));
    return SNC_OK;
}

static void inject(snc_engine *e, const float *const *dhidden, int n_hidden, int i, int rows)
{
    const float *d = n_hidden ? dhidden[i] : NULL;
    size_t n = (size_t)rows * (size_t)e->arch.hidden;
    if (!d) return;
    for (size_t k = 0; k < n; k++) e->dy[k] += d[k];
}

bool snc_engine_grad_squares(double *sum, const snc_engine *e, int param)
{
    *sum = e->squares[param];
    return *sum >= 0;
}

bool snc_engine_owns_grad(const snc_engine *e, int param) { return e->by_param[param] != NULL; }

void snc_engine_on_layer(snc_engine *e, snc_engine_layer_fn fn, void *user)
{
    e->layer_done = fn;
    e->layer_user = user;
}

void snc_engine_start_grads(snc_engine *e) { e->fresh = true; }

/* The whole net writes every weight gradient, so a fresh pass simply overwrites them; a smaller one adds to zeros. */
static void start_gradients(snc_engine *e, bool head)
{
    const snc_arch *a = &e->arch, *m = &e->m->arch;
    bool whole = head && a->layers == m->layers && a->hidden == m->hidden;
    for (int i = 0; i < a->layers && whole; i++) whole = a->source[i] == i && a->heads[i] == m->heads[i] && a->ffn[i] == m->ffn[i];
    e->accumulate = !(e->fresh && whole);
    for (int i = 0; i < e->m->params.n && e->fresh && !whole; i++) {
        const snc_param *p = &e->m->params.p[i];
        if (e->by_param[i]) memset(engine_g(e, i), 0, (size_t)p->rows * (size_t)p->cols * sizeof(float));
    }
    e->fresh = false;
    for (int i = 0; i < e->m->params.n; i++) e->squares[i] = -1;
}

/* What kept layer i had in the forward pass, which the layers behind it have written over. */
static snc_err compute_again(snc_engine *e, int i)
{
    const engine_rows x = e->layer[i].x;
    if (e->half) snc_round(x.h, e->ops, x.f, snc_engine_hidden_rows(e, i), e->arch.hidden);
    return snc_engine__layer_forward(e, i);
}

snc_err snc_engine_backward(snc_engine *e, const float *dlogits, const float *const *dhidden, int n_hidden)
{
    SNC_CHECK(e->ready, SNC_E_ARG, "backward pass without a forward pass that keeps its activations");
    SNC_CHECK(n_hidden == 0 || n_hidden == e->arch.layers + 1, SNC_E_SHAPE, "%d hidden gradients: expected 0 or %d", n_hidden,
              e->arch.layers + 1);
    e->ready = false;
    start_gradients(e, dlogits != NULL);
    snc_engine__distances_start(e);
    SNC_TRY(head_backward(e, dlogits));
    for (int i = e->arch.layers - 1; i >= 0; i--) {
        SNC_TRY(snc_go_on(e->ctx));
        inject(e, dhidden, n_hidden, i + 1, e->layer[i].rows);
        if (snc_engine__shares(e) && i + 1 < e->arch.layers) SNC_TRY(compute_again(e, i));
        SNC_TRY(snc_engine__layer_backward(e, i));
        if (e->layer_done && !e->m->source.kind->backward) e->layer_done(e->layer_user, e->arch.source[i]);
    }
    inject(e, dhidden, n_hidden, 0, e->x.T);
    snc_engine__distances_backward(e);
    SNC_TRY(embed_backward(e));
    snc_engine_add_attention(e, NULL, NULL, NULL);
    return SNC_OK;
}
