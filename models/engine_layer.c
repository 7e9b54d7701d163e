/* One encoder layer: attention, add & norm, FFN, add & norm; of a half that is skipped the norm alone. Forward and backward. */
#include <string.h>

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

static engine_site_masks masks_of(const snc_engine *e, int i)
{
    return (engine_site_masks){engine_mask(e, 2 + 3 * i, true), engine_mask(e, 3 + 3 * i, false), engine_mask(e, 4 + 3 * i, false)};
}

static snc_attention attention_of(const snc_engine *e, const engine_layer *l, const snc_mask *m)
{
    int relative = e->w[l->source].relative;
    snc_attention at = {.x = &e->x, .heads = l->heads, .head_width = e->m->cfg.head_width, .first_only = l->first_only, .mask = *m};
    if (relative < 0) return at;
    at.relative =
        (snc_relative){.table = engine_w(e, relative), .bucket = e->bucket, .len = e->opts.max_len, .buckets = SNC_RELATIVE_BUCKETS};
    if (e->opts.train) at.relative.grad = engine_g(e, relative);
    return at;
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
    const float *b = engine_w(e, m->bias);
    if (x.h) return snc_gemm_forward16(y, n, NULL, e->gemm, x.h, k, m->w, b, rows, n, k, false);
    return snc_gemm_forward(y, n, e->gemm, x.f, k, m->w, b, rows, n, k, false);
}

/* a = act(y1 . W^T + b), and the slope for the backward pass. */
static snc_err ffn_in(snc_engine *e, engine_layer *l, const engine_matrix *m)
{
    int R = l->rows, C = e->arch.hidden, F = l->ffn;
    if (e->half) {
        snc_act_rows act = {e->ops, l->a.h, l->slope.h, F, act_of(e)};
        snc_gemm_sink sink = snc_act_forward_sink(&act);
        return snc_gemm_forward16(NULL, 0, &sink, e->gemm, l->y1.h, C, m->w, engine_w(e, m->bias), R, F, C, false);
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
    float *db = engine_g(e, before->bias);
    if (!e->half) {
        SNC_TRY(linear_backward(e->da.f, e, d, l->a, m, R, C, F, false));
        snc_act_backward(e->da.f, db, e->ops, l->slope.f, R, F);
        return SNC_OK;
    }
    snc_act_rows act = {e->ops, e->da.h, l->slope.h, F, act_of(e)};
    snc_gemm_sink sink = snc_act_backward_sink(&act);
    SNC_TRY(snc_engine__weight_backward(e, d.f, d.h, l->a.f, l->a.h, m, R, C, F));
    SNC_TRY(snc_gemm_backward_x16(NULL, 0, &sink, e->gemm, d.h, C, m->w, R, C, F, false));
    snc_act_end(db, e->ops, R, F);
    return SNC_OK;
}

/* y1 = norm(attention(x) + x) of the rows that ask. */
static snc_err attention_forward(snc_engine *e, engine_layer *l, const engine_site_masks *mask)
{
    const engine_weights *w = &e->w[l->source];
    snc_attention at = attention_of(e, l, &mask->attention);
    int C = e->arch.hidden, T = e->x.T, R = l->rows;
    if (l->first_only) snc_engine__gather_first(l->gather, l->x, &e->x, C);
    SNC_TRY(linear(l->q, e, l->xq, &w->m[SNC_SITE_Q], R, l->attn, C));
    SNC_TRY(linear(l->k, e, l->x, &w->m[SNC_SITE_K], T, l->attn, C));
    SNC_TRY(linear(l->v, e, l->x, &w->m[SNC_SITE_V], T, l->attn, C));
    snc_attention_forward(l->mix.f, l->mix.h, l->stats, e->ops, l->q, l->k, l->v, &at);
    SNC_TRY(linear(l->s1, e, l->mix, &w->m[SNC_SITE_O], R, C, l->attn));
    snc_norm_forward(l->y1.f, l->y1.h, l->s1, l->n1, e->ops, l->xq.f, engine_w(e, w->attention_norm.w), engine_w(e, w->attention_norm.b), R,
                     C, e->m->cfg.norm_eps, &mask->o);
    return SNC_OK;
}

/* What is left of a half that is skipped: y = norm(s). */
static void skip_forward(engine_rows y, snc_engine *e, snc_lin norm, float *s, float *stats, int rows)
{
    snc_mask none = SNC_MASK_OFF;
    snc_norm_forward(y.f, y.h, s, stats, e->ops, NULL, engine_w(e, norm.w), engine_w(e, norm.b), rows, e->arch.hidden, e->m->cfg.norm_eps,
                     &none);
}

static void skip_backward(snc_engine *e, snc_lin norm, const float *s, const float *stats, int rows)
{
    snc_mask none = SNC_MASK_OFF;
    snc_norm_backward(e->dy, NULL, NULL, engine_g(e, norm.w), engine_g(e, norm.b), NULL, e->ops, e->dy, s, stats, engine_w(e, norm.w), rows,
                      e->arch.hidden, &none);
}

/* y = norm(FFN(y1) + y1) */
static snc_err ffn_forward(snc_engine *e, engine_layer *l, const engine_site_masks *mask)
{
    const engine_weights *w = &e->w[l->source];
    int C = e->arch.hidden, R = l->rows;
    SNC_TRY(ffn_in(e, l, &w->m[SNC_SITE_FFN_IN]));
    SNC_TRY(linear(l->s2, e, l->a, &w->m[SNC_SITE_FFN_OUT], R, C, l->ffn));
    snc_norm_forward(l->y.f, l->y.h, l->s2, l->n2, e->ops, l->y1.f, engine_w(e, w->ffn_norm.w), engine_w(e, w->ffn_norm.b), R, C,
                     e->m->cfg.norm_eps, &mask->out);
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
    else skip_forward(l->y, e, w->ffn_norm, l->s2, l->n2, l->rows);
    return SNC_OK;
}

/* Add & norm backwards: e->dy becomes the gradient of the sum; returns that of the linear's output. */
static engine_rows norm_backward(snc_engine *e, snc_lin norm, const engine_matrix *before, const float *s, const float *stats, int rows,
                                 const snc_mask *m)
{
    snc_norm_backward(e->dy, e->dx, e->dx16, engine_g(e, norm.w), engine_g(e, norm.b), engine_g(e, before->bias), e->ops, e->dy, s, stats,
                      engine_w(e, norm.w), rows, e->arch.hidden, m);
    return (engine_rows){m->threshold ? e->dx : e->dy, e->dx16};
}

/* What an objective adds to dq, dk and dv. */
static void add_attention(snc_engine *e, const engine_layer *l)
{
    static const snc_site sites[] = {SNC_SITE_Q, SNC_SITE_K, SNC_SITE_V};
    for (int i = 0; i < 3; i++) {
        const int rows = i ? e->x.T : l->rows;
        for (size_t k = 0; k < (size_t)rows * (size_t)l->attn; k++) e->d[i].f[k] += e->added[i][k];
        snc_col_sum(engine_g(e, e->w[l->source].m[sites[i]].bias), e->ops, e->added[i], rows, l->attn);
        if (e->half) snc_round(e->d[i].h, e->ops, e->d[i].f, rows, l->attn);
    }
}

/* From dq, dk, dv to the gradient of the layer's input, where e->dy already holds the residual's share (of the asking rows). */
static snc_err qkv_backward(snc_engine *e, const engine_layer *l)
{
    const engine_weights *w = &e->w[l->source];
    int C = e->arch.hidden, T = e->x.T, A = l->attn;
    if (e->added[0] && l == &e->layer[snc_arch_last_heads(&e->arch)]) add_attention(e, l);
    SNC_TRY(linear_backward(e->dy, e, e->d[0], l->xq, &w->m[SNC_SITE_Q], l->rows, A, C, true));
    float *dx = l->first_only ? e->other : e->dy;
    SNC_TRY(linear_backward(dx, e, e->d[1], l->x, &w->m[SNC_SITE_K], T, A, C, !l->first_only));
    SNC_TRY(linear_backward(dx, e, e->d[2], l->x, &w->m[SNC_SITE_V], T, A, C, true));
    if (!l->first_only) return SNC_OK;
    snc_engine__scatter_first(dx, e->dy, &e->x, C);
    e->other = e->dy;
    e->dy = dx;
    return SNC_OK;
}

/* e->dy, the gradient of y1, becomes that of the layer's input. */
static snc_err attention_backward(snc_engine *e, engine_layer *l, const engine_site_masks *mask)
{
    const engine_weights *w = &e->w[l->source];
    snc_attention at = attention_of(e, l, &mask->attention);
    engine_rows d = norm_backward(e, w->attention_norm, &w->m[SNC_SITE_O], l->s1, l->n1, l->rows, &mask->o);
    SNC_TRY(linear_backward(e->dmix, e, d, l->mix, &w->m[SNC_SITE_O], l->rows, e->arch.hidden, l->attn, false));
    float *const g[3] = {e->d[0].f, e->d[1].f, e->d[2].f};
    float *const db[3] = {engine_g(e, w->m[SNC_SITE_Q].bias), engine_g(e, w->m[SNC_SITE_K].bias), engine_g(e, w->m[SNC_SITE_V].bias)};
    snc_bf16 *const g16[3] = {e->d[0].h, e->d[1].h, e->d[2].h};
    snc_attention_backward(g, e->half ? g16 : NULL, db, e->ops, e->dmix, l->q, l->k, l->v, l->stats, &at);
    return qkv_backward(e, l);
}

snc_err snc_engine__layer_backward(snc_engine *e, int i)
{
    engine_layer *l = &e->layer[i];
    const engine_weights *w = &e->w[l->source];
    engine_site_masks mask = masks_of(e, i);
    if (l->ffn) {
        engine_rows d = norm_backward(e, w->ffn_norm, &w->m[SNC_SITE_FFN_OUT], l->s2, l->n2, l->rows, &mask.out);
        SNC_TRY(ffn_out_backward(e, l, d, &w->m[SNC_SITE_FFN_OUT], &w->m[SNC_SITE_FFN_IN]));
        SNC_TRY(linear_backward(e->dy, e, e->da, l->y1, &w->m[SNC_SITE_FFN_IN], l->rows, l->ffn, e->arch.hidden, true));
    } else {
        skip_backward(e, w->ffn_norm, l->s2, l->n2, l->rows);
    }
    if (l->heads) return attention_backward(e, l, &mask);
    skip_backward(e, w->attention_norm, l->s1, l->n1, l->rows);
    return SNC_OK;
}
