/* One encoder layer: attention, add & norm, FFN, add & norm; of a half that is skipped the norm alone. Forward and backward. */
#include <string.h>

#include "core/glu.h"
#include "models/engine_priv.h"

void snc_engine__gather_first(engine_rows to, engine_rows from, const snc_tokens *x, int n)
{
    for (int b = 0; b < x->B; b++) {
        size_t row = (size_t)b * n, first = (size_t)x->offsets[b] * n;
        memcpy(to.f + row, from.f + first, (size_t)n * sizeof *to.f);
        if (to.h) memcpy(to.h + row, from.h + first, (size_t)n * sizeof *to.h);
    }
}

void snc_engine__scatter_first(float *from, const float *to, const snc_tokens *x, int n)
{
    for (int b = 0; b < x->B; b++)
        for (int c = 0; c < n; c++) from[(size_t)x->offsets[b] * n + c] += to[(size_t)b * n + c];
}

void snc_engine__gather_read(float *to, const float *from, const snc_tokens *x, int n)
{
    for (int r = 0, R = snc_tokens_answers(x, true); r < R; r++)
        memcpy(to + (size_t)r * n, from + (size_t)(x->read ? x->read[r] : r) * n, (size_t)n * sizeof *to);
}

void snc_engine__scatter_read(float *from, const float *to, const snc_tokens *x, int n)
{
    for (int r = 0, R = snc_tokens_answers(x, true); r < R; r++) {
        float *at = from + (size_t)(x->read ? x->read[r] : r) * n;
        for (int c = 0; c < n; c++) at[c] += to[(size_t)r * n + c];
    }
}

void snc_engine__gather_mean(float *to, const float *from, const snc_tokens *x, int n)
{
    memset(to, 0, (size_t)x->B * (size_t)n * sizeof *to);
    for (int b = 0; b < x->B; b++) {
        float part = 1.0f / (float)(x->offsets[b + 1] - x->offsets[b]), *sum = to + (size_t)b * n;
        for (int t = x->offsets[b]; t < x->offsets[b + 1]; t++)
            for (int c = 0; c < n; c++) sum[c] += from[(size_t)t * n + c];
        for (int c = 0; c < n; c++) sum[c] *= part;
    }
}

void snc_engine__scatter_mean(float *from, const float *to, const snc_tokens *x, int n)
{
    for (int b = 0; b < x->B; b++) {
        float part = 1.0f / (float)(x->offsets[b + 1] - x->offsets[b]);
        for (int t = x->offsets[b]; t < x->offsets[b + 1]; t++)
            for (int c = 0; c < n; c++) from[(size_t)t * n + c] += to[(size_t)b * n + c] * part;
    }
}

static engine_site_masks masks_of(const snc_engine *e, int i)
{
    const uint32_t keys = e->drop.token, rows = e->opts.first_only && i >= snc_arch_last_heads(&e->arch) ? e->drop.seq : keys;
    return (engine_site_masks){engine_mask(e, 2 + 3 * i, e->drop.attention, keys), engine_mask(e, 3 + 3 * i, e->drop.hidden, rows),
                               engine_mask(e, 4 + 3 * i, e->drop.hidden, rows)};
}

static snc_attention attention_of(const snc_engine *e, const engine_layer *l, const snc_mask *m)
{
    int relative = e->w[l->source].relative;
    bool window = snc_is_local(&e->m->cfg, l->source);
    snc_attention at = {.x = &e->x, .heads = l->heads, .head_width = e->m->cfg.head_width, .first_only = l->first_only, .mask = *m};
    if (e->distances)
        at.distances = (snc_distances){.key = l->distance[0],
                                       .query = l->distance[1],
                                       .dkey = e->distance.d[0].f,
                                       .dquery = e->distance.d[1].f,
                                       .bucket = e->distances,
                                       .len = e->opts.max_len,
                                       .reach = e->distance.reach};
    if (relative < 0 && !window) return at;
    at.relative = (snc_relative){.bucket = e->bucket, .len = e->opts.max_len, .buckets = window ? 2 : SNC_RELATIVE_BUCKETS};
    at.relative.table = window ? e->window : engine_w(e, relative);
    if (!window && e->opts.train) at.relative.grad = engine_g(e, relative);
    return at;
}

static const snc_rotary *rotary_of(const snc_engine *e, const engine_layer *l) { return e->rotary[snc_is_local(&e->m->cfg, l->source)]; }

/* The norm behind the layer's FFN. */
static snc_lin closing(const snc_engine *e, const engine_layer *l)
{
    return e->w[snc_family_closing(e->family, &e->arch, (int)(l - e->layer), e->m->arch.layers)].ffn_norm;
}

static snc_ops_act act_of(const snc_engine *e)
{
    switch (e->m->cfg.act) {
    case SNC_ACT_GELU_TANH: return SNC_OPS_GELU_TANH;
    case SNC_ACT_RELU: return SNC_OPS_RELU;
    case SNC_ACT_GELU: break;
    }
    return SNC_OPS_GELU;
}

/* y [rows, n] = x [rows, k] . W^T + b. */
static snc_err linear(float *y, snc_engine *e, engine_rows x, const engine_matrix *m, int rows, int n, int k)
{
    if (x.h) return snc_gemm_forward16(y, n, NULL, e->gemm, x.h, k, m->w, m->b, rows, n, k, false);
    return snc_gemm_forward(y, n, e->gemm, x.f, k, m->w, m->b, rows, n, k, false);
}

/* a = act(y1 . W^T + b), and the slope for the backward pass. */
static snc_err ffn_in(snc_engine *e, engine_layer *l, const engine_matrix *m)
{
    int R = l->rows, C = e->arch.hidden, F = l->ffn;
    bool gated = e->family->gated;
    if (e->half) {
        snc_act_rows act = {e->ops, l->a.h, l->slope.h, F, act_of(e)};
        snc_gemm_sink sink = gated ? snc_glu_forward_sink(&act) : snc_act_forward_sink(&act);
        int N = snc_family_neuron(e->family) * F;
        return snc_gemm_forward16(NULL, 0, &sink, e->gemm, l->y1.h, C, m->w, m->b, R, N, C, false);
    }
    if (gated) {
        SNC_TRY(linear(l->slope.f, e, l->y1, m, R, 2 * F, C));
        snc_glu_forward(l->a.f, l->slope.f, e->ops, l->slope.f, R, F, act_of(e));
        return SNC_OK;
    }
    SNC_TRY(linear(l->a.f, e, l->y1, m, R, F, C));
    snc_act_forward(l->a.f, l->slope.f, e->ops, l->a.f, R, F, act_of(e));
    return SNC_OK;
}

snc_err snc_engine__weight_backward(snc_engine *e, const float *dy, const snc_bf16 *dy16, const float *x, const snc_bf16 *x16,
                                    const engine_matrix *m, int rows, int n, int k)
{
    snc_source_gradient to = snc_model_gradient(e->m, m->role, m->layer);
    bool own = to.param >= 0, add = own && e->accumulate;
    double *squares = own && !add ? &e->squares[to.param] : NULL;
    snc_err err = dy16 ? snc_gemm_backward_w16(to.g, to.ld, squares, e->gemm, dy16, n, x16, k, rows, n, k, add)
                       : snc_gemm_backward_w(to.g, to.ld, e->gemm, dy, n, x, k, rows, n, k, add);
    if (!own && !err) e->m->source.kind->backward(e->m, m->role, m->layer, &e->arch);
    return err;
}

/* dW, and dx [rows, k] = (or +=) dy . W. */
static snc_err linear_backward(float *dx, snc_engine *e, engine_rows dy, engine_rows x, const engine_matrix *m, int rows, int n, int k,
                               bool accumulate)
{
    SNC_TRY(snc_engine__weight_backward(e, dy.f, dy.h, x.f, x.h, m, rows, n, k));
    if (dy.h) return snc_gemm_backward_x16(dx, k, NULL, e->gemm, dy.h, n, m->w, rows, n, k, accumulate);
    return snc_gemm_backward_x(dx, k, e->gemm, dy.f, n, m->w, rows, n, k, accumulate);
}

/* From d, the gradient of the FFN's output, to e->da, that of its activation's input. */
static snc_err ffn_out_backward(snc_engine *e, const engine_layer *l, engine_rows d, const engine_matrix *m, const engine_matrix *before)
{
    int R = l->rows, C = e->arch.hidden, F = l->ffn;
    float *db = engine_db(e, before);
    bool gated = e->family->gated;
    if (!e->half && gated) {
        SNC_TRY(linear_backward(e->dglu, e, d, l->a, m, R, C, F, false));
        snc_glu_backward(e->da.f, db, e->ops, e->dglu, l->slope.f, R, F);
        return SNC_OK;
    }
    if (!e->half) {
        SNC_TRY(linear_backward(e->da.f, e, d, l->a, m, R, C, F, false));
        snc_act_backward(e->da.f, db, e->ops, l->slope.f, R, F);
        return SNC_OK;
    }
    snc_act_rows act = {e->ops, e->da.h, l->slope.h, F, act_of(e)};
    snc_gemm_sink sink = gated ? snc_glu_backward_sink(&act) : snc_act_backward_sink(&act);
    SNC_TRY(snc_engine__weight_backward(e, d.f, d.h, l->a.f, l->a.h, m, R, C, F));
    SNC_TRY(snc_gemm_backward_x16(NULL, 0, &sink, e->gemm, d.h, C, m->w, R, C, F, false));
    snc_act_end(db, e->ops, R, snc_family_neuron(e->family) * F);
    return SNC_OK;
}

/* What keys and queries of the layer make of distances: the products of contents are of the same matrices. */
static snc_err distances_forward(snc_engine *e, engine_layer *l)
{
    const engine_weights *w = &e->w[l->source];
    if (!e->distance.n) return SNC_OK;
    engine_rows x = snc_engine__distances_read(e, (int)(l - e->layer));
    for (int i = 0; i < 2; i++)
        SNC_TRY(linear(l->distance[i], e, x, &w->m[i ? SNC_SITE_Q : SNC_SITE_K], e->distance.n, l->attn, e->arch.hidden));
    return SNC_OK;
}

/* y1 = norm(attention(x) + what goes past it) of the rows that ask. */
static snc_err attention_forward(snc_engine *e, engine_layer *l, const engine_site_masks *mask)
{
    const engine_weights *w = &e->w[l->source];
    snc_attention at = attention_of(e, l, &mask->attention);
    int C = e->arch.hidden, T = e->x.T, R = l->rows;
    if (l->first_only) snc_engine__gather_first(l->gather, l->x, &e->x, C);
    if (l->gather_past && l->past1 == l->gather_past)
        snc_engine__gather_first((engine_rows){l->gather_past, NULL}, (engine_rows){(l - 1)->s2, NULL}, &e->x, C);
    SNC_TRY(linear(l->q, e, l->xq, &w->m[SNC_SITE_Q], R, l->attn, C));
    SNC_TRY(linear(l->k, e, l->x, &w->m[SNC_SITE_K], T, l->attn, C));
    SNC_TRY(linear(l->v, e, l->x, &w->m[SNC_SITE_V], T, l->attn, C));
    if (rotary_of(e, l)) {
        snc_rotary_turn_all(l->k, e->ctx, rotary_of(e, l), &e->x, l->heads, false);
        if (!l->first_only) snc_rotary_turn_all(l->q, e->ctx, rotary_of(e, l), &e->x, l->heads, false); /* a first token stays as it is */
    }
    SNC_TRY(distances_forward(e, l));
    snc_attention_forward(l->mix.f, l->mix.h, l->stats, e->ops, l->q, l->k, l->v, &at);
    SNC_TRY(linear(l->s1, e, l->mix, &w->m[SNC_SITE_O], R, C, l->attn));
    snc_norm_forward(l->y1.f, l->y1.h, l->s1, l->n1, e->ops, l->past1, engine_w(e, w->attention_norm.w), engine_w(e, w->attention_norm.b),
                     R, C, e->m->cfg.norm_eps, &mask->o);
    return SNC_OK;
}

/* What is left of a half that is skipped: y = norm(s). */
static void skip_forward(engine_rows y, snc_engine *e, snc_lin norm, float *s, float *stats, int rows)
{
    snc_mask none = SNC_MASK_OFF;
    snc_norm_forward(y.f, y.h, s, stats, e->ops, NULL, engine_w(e, norm.w), engine_w(e, norm.b), rows, e->arch.hidden, e->m->cfg.norm_eps,
                     &none);
}

/* With the norms in front: the gradient of a sum goes past the half, and that of what the norm before gives begins. */
static void pass_on(snc_engine *e)
{
    float *dy = e->dy;
    if (!e->past) return;
    e->dy = e->past;
    e->past = dy;
}

static void skip_backward(snc_engine *e, snc_lin norm, const float *s, const float *stats, int rows)
{
    snc_mask none = SNC_MASK_OFF;
    snc_norm_backward(e->dy, NULL, NULL, engine_g(e, norm.w), engine_g(e, norm.b), NULL, e->ops, e->dy, s, stats, engine_w(e, norm.w),
                      e->past, rows, e->arch.hidden, &none);
    pass_on(e);
    if (e->past) memset(e->dy, 0, (size_t)rows * (size_t)e->arch.hidden * sizeof *e->dy);
}

/* y = norm(FFN(y1) + what goes past it) */
static snc_err ffn_forward(snc_engine *e, engine_layer *l, const engine_site_masks *mask)
{
    const engine_weights *w = &e->w[l->source];
    snc_lin norm = closing(e, l);
    int C = e->arch.hidden, R = l->rows;
    SNC_TRY(ffn_in(e, l, &w->m[SNC_SITE_FFN_IN]));
    SNC_TRY(linear(l->s2, e, l->a, &w->m[SNC_SITE_FFN_OUT], R, C, l->ffn));
    snc_norm_forward(l->y.f, l->y.h, l->s2, l->n2, e->ops, l->past2, engine_w(e, norm.w), engine_w(e, norm.b), R, C, e->m->cfg.norm_eps,
                     &mask->out);
    return SNC_OK;
}

snc_err snc_engine__layer_forward(snc_engine *e, int i)
{
    engine_layer *l = &e->layer[i];
    const engine_weights *w = &e->w[l->source];
    engine_site_masks mask = masks_of(e, i);
    if (l->heads) SNC_TRY(attention_forward(e, l, &mask));
    else skip_forward(l->y1, e, w->attention_norm, l->s1, l->n1, l->rows);
    if (l->ffn) SNC_TRY(ffn_forward(e, l, &mask));
    else skip_forward(l->y, e, closing(e, l), l->s2, l->n2, l->rows);
    return SNC_OK;
}

/* Add & norm backwards: e->dy becomes the gradient of the sum; returns that of the linear's output. */
static engine_rows norm_backward(snc_engine *e, snc_lin norm, const engine_matrix *before, const float *s, const float *stats, int rows,
                                 const snc_mask *m)
{
    snc_norm_backward(e->dy, e->dx, e->dx16, engine_g(e, norm.w), engine_g(e, norm.b), engine_db(e, before), e->ops, e->dy, s, stats,
                      engine_w(e, norm.w), e->past, rows, e->arch.hidden, m);
    return (engine_rows){m->threshold ? e->dx : e->dy, e->dx16};
}

/* What an objective adds to dq, dk and dv. */
static void add_attention(snc_engine *e, const engine_layer *l)
{
    static const snc_site sites[] = {SNC_SITE_Q, SNC_SITE_K, SNC_SITE_V};
    for (int i = 0; i < 3; i++) {
        const int rows = i ? e->x.T : l->rows;
        for (size_t k = 0; k < (size_t)rows * (size_t)l->attn; k++) e->d[i].f[k] += e->added[i][k];
        snc_col_sum(engine_db(e, &e->w[l->source].m[sites[i]]), e->ops, e->added[i], rows, l->attn);
        if (e->half) snc_round(e->d[i].h, e->ops, e->d[i].f, rows, l->attn);
    }
}

/* The same where positions have turned queries and keys, which their biases know nothing of; nothing is rounded or summed yet but dv's. */
static void turn_back(snc_engine *e, const engine_layer *l, bool asked)
{
    static const snc_site sites[] = {SNC_SITE_Q, SNC_SITE_K, SNC_SITE_V};
    for (int i = 0; i < 3; i++) {
        const int rows = i ? e->x.T : l->rows;
        float *db = engine_db(e, &e->w[l->source].m[sites[i]]);
        for (size_t k = 0; k < (size_t)rows * (size_t)l->attn && asked; k++) e->d[i].f[k] += e->added[i][k];
        if (i == 1 || (i == 0 && !l->first_only)) snc_rotary_turn_all(e->d[i].f, e->ctx, rotary_of(e, l), &e->x, l->heads, true);
        snc_col_sum(db, e->ops, e->d[i].f, rows, l->attn);
        if (e->half) snc_round(e->d[i].h, e->ops, e->d[i].f, rows, l->attn);
    }
}

/* From dq, dk, dv to the gradient of the layer's input, where e->dy already holds the residual's share (of the asking rows). */
static snc_err qkv_backward(snc_engine *e, const engine_layer *l)
{
    const engine_weights *w = &e->w[l->source];
    int C = e->arch.hidden, T = e->x.T, A = l->attn;
    bool asked = e->added[0] && l == &e->layer[snc_arch_last_heads(&e->arch)];
    if (rotary_of(e, l)) turn_back(e, l, asked);
    else if (asked) add_attention(e, l);
    SNC_TRY(linear_backward(e->dy, e, e->d[0], l->xq, &w->m[SNC_SITE_Q], l->rows, A, C, !e->past));
    float *dx = l->first_only ? e->other : e->dy;
    SNC_TRY(linear_backward(dx, e, e->d[1], l->x, &w->m[SNC_SITE_K], T, A, C, !l->first_only));
    SNC_TRY(linear_backward(dx, e, e->d[2], l->x, &w->m[SNC_SITE_V], T, A, C, true));
    if (!l->first_only) return SNC_OK;
    snc_engine__scatter_first(dx, e->dy, &e->x, C);
    e->other = e->dy;
    e->dy = dx;
    if (!e->past) return SNC_OK;
    memset(e->dx, 0, (size_t)T * (size_t)C * sizeof *e->dx); /* what goes past is of the asking rows alone */
    snc_engine__scatter_first(e->dx, e->past, &e->x, C);
    dx = e->dx;
    e->dx = e->past;
    e->past = dx;
    return SNC_OK;
}

/* Adds to the gradients of both matrices, which those of contents may have just begun. */
static snc_err distances_backward(snc_engine *e, const engine_layer *l)
{
    engine_distances *p = &e->distance;
    const bool accumulate = e->accumulate;
    snc_err err = SNC_OK;
    if (!p->n) return SNC_OK;
    engine_rows x = snc_engine__distances_read(e, (int)(l - e->layer));
    e->accumulate = true;
    for (int i = 0; i < 2 && !err; i++) {
        const engine_matrix *m = &e->w[l->source].m[i ? SNC_SITE_Q : SNC_SITE_K];
        int own = snc_model_gradient(e->m, m->role, m->layer).param;
        snc_col_sum(engine_db(e, m), e->ops, p->d[i].f, p->n, l->attn);
        if (e->half) snc_round(p->d[i].h, e->ops, p->d[i].f, p->n, l->attn);
        err = linear_backward(p->dx, e, p->d[i], x, m, p->n, l->attn, e->arch.hidden, i > 0);
        if (own >= 0) e->squares[own] = -1; /* no longer those of what was written first */
    }
    e->accumulate = accumulate;
    snc_engine__distances_add(e, (int)(l - e->layer));
    return err;
}

/* e->dy, the gradient of y1, becomes that of the layer's input. */
static snc_err attention_backward(snc_engine *e, engine_layer *l, const engine_site_masks *mask)
{
    const engine_weights *w = &e->w[l->source];
    snc_attention at = attention_of(e, l, &mask->attention);
    engine_rows d = norm_backward(e, w->attention_norm, &w->m[SNC_SITE_O], l->s1, l->n1, l->rows, &mask->o);
    SNC_TRY(linear_backward(e->dmix, e, d, l->mix, &w->m[SNC_SITE_O], l->rows, e->arch.hidden, l->attn, false));
    float *const g[3] = {e->d[0].f, e->d[1].f, e->d[2].f};
    float *const db[3] = {engine_db(e, &w->m[SNC_SITE_Q]), engine_db(e, &w->m[SNC_SITE_K]), engine_db(e, &w->m[SNC_SITE_V])};
    float *const none[3] = {NULL, NULL, NULL};
    snc_bf16 *const g16[3] = {e->d[0].h, e->d[1].h, e->d[2].h};
    bool turned = rotary_of(e, l);
    snc_attention_backward(g, e->half && !turned ? g16 : NULL, turned ? none : db, e->ops, e->dmix, l->q, l->k, l->v, l->stats, &at);
    pass_on(e);
    SNC_TRY(qkv_backward(e, l));
    return distances_backward(e, l);
}

snc_err snc_engine__layer_backward(snc_engine *e, int i)
{
    engine_layer *l = &e->layer[i];
    const engine_weights *w = &e->w[l->source];
    engine_site_masks mask = masks_of(e, i);
    if (l->ffn) {
        engine_rows d = norm_backward(e, closing(e, l), &w->m[SNC_SITE_FFN_OUT], l->s2, l->n2, l->rows, &mask.out);
        int N = snc_family_neuron(e->family) * l->ffn;
        SNC_TRY(ffn_out_backward(e, l, d, &w->m[SNC_SITE_FFN_OUT], &w->m[SNC_SITE_FFN_IN]));
        pass_on(e);
        SNC_TRY(linear_backward(e->dy, e, e->da, l->y1, &w->m[SNC_SITE_FFN_IN], l->rows, N, e->arch.hidden, !e->past));
    } else {
        skip_backward(e, closing(e, l), l->s2, l->n2, l->rows);
    }
    if (l->heads) return attention_backward(e, l, &mask);
    skip_backward(e, w->attention_norm, l->s1, l->n1, l->rows);
    return SNC_OK;
}
