/* One encoder layer: attention, add & norm, FFN, add & norm; forward and backward. */
#include <string.h>

#include "models/bert_priv.h"

void snc_bert__gather_first(bert_rows to, bert_rows from, const snc_tokens *x, int n)
{
    for (int b = 0; b < x->B; b++) {
        size_t row = (size_t)b * n, first = (size_t)x->offsets[b] * n;
        memcpy(to.f + row, from.f + first, (size_t)n * sizeof *to.f);
        if (to.h) memcpy(to.h + row, from.h + first, (size_t)n * sizeof *to.h);
    }
}

void snc_bert__scatter_first(float *from, const float *to, const snc_tokens *x, int n)
{
    for (int b = 0; b < x->B; b++)
        for (int c = 0; c < n; c++) from[(size_t)x->offsets[b] * n + c] += to[(size_t)b * n + c];
}

static bert_site_masks masks_of(const snc_bert *e, int i)
{
    return (bert_site_masks){bert_mask(e, 2 + 3 * i, true), bert_mask(e, 3 + 3 * i, false), bert_mask(e, 4 + 3 * i, false)};
}

static snc_attention attention_of(const snc_bert *e, const bert_layer *l, const snc_mask *m)
{
    return (snc_attention){&e->x, l->heads, e->m->cfg.head_width, l->first_only, *m};
}

static snc_ops_act act_of(const snc_bert *e)
{
    switch (e->m->cfg.act) {
    case SNC_ACT_GELU_TANH: return SNC_OPS_GELU_TANH;
    case SNC_ACT_RELU: return SNC_OPS_RELU;
    case SNC_ACT_GELU: break;
    }
    return SNC_OPS_GELU;
}

/* y [rows, n] = x [rows, k] . W^T + b. */
static snc_err linear(float *y, snc_bert *e, bert_rows x, const snc_gemm_weight *w, snc_lin p, int rows, int n, int k)
{
    const float *b = bert_w(e, p.b);
    if (x.h) return snc_gemm_forward16(y, n, NULL, e->gemm, x.h, k, w, b, rows, n, k, false);
    return snc_gemm_forward(y, n, e->gemm, x.f, k, w, b, rows, n, k, false);
}

/* a = act(y1 . W^T + b), and the slope for the backward pass. */
static snc_err ffn_in(snc_bert *e, bert_layer *l, const snc_gemm_weight *w, snc_lin p)
{
    int R = l->rows, C = e->arch.hidden, F = l->ffn;
    if (e->half) {
        snc_act_rows act = {e->ops, l->a.h, l->slope.h, F, act_of(e)};
        snc_gemm_sink sink = snc_act_forward_sink(&act);
        return snc_gemm_forward16(NULL, 0, &sink, e->gemm, l->y1.h, C, w, bert_w(e, p.b), R, F, C, false);
    }
    SNC_TRY(linear(l->a.f, e, l->y1, w, p, R, F, C));
    snc_act_forward(l->a.f, l->slope.f, e->ops, l->a.f, R, F, act_of(e));
    return SNC_OK;
}

/* dW += (or, in a fresh pass, =) dy^T . x */
static snc_err weight_backward(snc_bert *e, bert_rows dy, bert_rows x, snc_lin p, int rows, int n, int k)
{
    float *dw = bert_g(e, p.w);
    int ld = bert_ld(e, p.w);
    double *squares = e->accumulate ? NULL : &e->squares[p.w];
    if (dy.h) return snc_gemm_backward_w16(dw, ld, squares, e->gemm, dy.h, n, x.h, k, rows, n, k, e->accumulate);
    return snc_gemm_backward_w(dw, ld, e->gemm, dy.f, n, x.f, k, rows, n, k, e->accumulate);
}

/* dW, and dx [rows, k] = (or +=) dy . W. */
static snc_err linear_backward(float *dx, snc_bert *e, bert_rows dy, bert_rows x, const snc_gemm_weight *w, snc_lin p, int rows,
                               int n, int k, bool accumulate)
{
    SNC_TRY(weight_backward(e, dy, x, p, rows, n, k));
    if (dy.h) return snc_gemm_backward_x16(dx, k, NULL, e->gemm, dy.h, n, w, rows, n, k, accumulate);
    return snc_gemm_backward_x(dx, k, e->gemm, dy.f, n, w, rows, n, k, accumulate);
}

/* From d, the gradient of the FFN's output, to e->da, that of its activation's input. */
static snc_err ffn_out_backward(snc_bert *e, const bert_layer *l, bert_rows d, const snc_gemm_weight *w, snc_lin p, snc_lin before)
{
    int R = l->rows, C = e->arch.hidden, F = l->ffn;
    float *db = bert_g(e, before.b);
    if (!e->half) {
        SNC_TRY(linear_backward(e->da.f, e, d, l->a, w, p, R, C, F, false));
        snc_act_backward(e->da.f, db, e->ops, l->slope.f, R, F);
        return SNC_OK;
    }
    snc_act_rows act = {e->ops, e->da.h, l->slope.h, F, act_of(e)};
    snc_gemm_sink sink = snc_act_backward_sink(&act);
    SNC_TRY(weight_backward(e, d, l->a, p, R, C, F));
    SNC_TRY(snc_gemm_backward_x16(NULL, 0, &sink, e->gemm, d.h, C, w, R, C, F, false));
    snc_act_end(db, e->ops, R, F);
    return SNC_OK;
}

snc_err snc_bert__layer_forward(snc_bert *e, int i)
{
    bert_layer *l = &e->layer[i];
    const snc_layer_index *ix = &e->m->ix.layer[l->source];
    const bert_weights *w = &e->w[l->source];
    bert_site_masks mask = masks_of(e, i);
    snc_attention at = attention_of(e, l, &mask.attention);
    int C = e->arch.hidden, T = e->x.T, R = l->rows;
    float eps = e->m->cfg.norm_eps;

    if (l->first_only) snc_bert__gather_first(l->gather, l->x, &e->x, C);
    SNC_TRY(linear(l->q, e, l->xq, w->q, ix->q, R, l->attn, C));
    SNC_TRY(linear(l->k, e, l->x, w->k, ix->k, T, l->attn, C));
    SNC_TRY(linear(l->v, e, l->x, w->v, ix->v, T, l->attn, C));
    snc_attention_forward(l->mix.f, l->mix.h, l->stats, e->ops, l->q, l->k, l->v, &at);
    SNC_TRY(linear(l->s1, e, l->mix, w->o, ix->o, R, C, l->attn));
    snc_norm_forward(l->y1.f, l->y1.h, l->s1, l->n1, e->ops, l->xq.f, bert_w(e, ix->attn_norm.w), bert_w(e, ix->attn_norm.b), R,
                     C, eps, &mask.o);

    SNC_TRY(ffn_in(e, l, w->in, ix->ffn_in));
    SNC_TRY(linear(l->s2, e, l->a, w->out, ix->ffn_out, R, C, l->ffn));
    snc_norm_forward(l->y.f, l->y.h, l->s2, l->n2, e->ops, l->y1.f, bert_w(e, ix->ffn_norm.w), bert_w(e, ix->ffn_norm.b), R, C,
                     eps, &mask.out);
    return SNC_OK;
}

/* Add & norm backwards: e->dy becomes the gradient of the sum; returns that of the linear's output. */
static bert_rows norm_backward(snc_bert *e, snc_lin norm, snc_lin before, const float *s, const float *stats, int rows,
                               const snc_mask *m)
{
    snc_norm_backward(e->dy, e->dx, e->dx16, bert_g(e, norm.w), bert_g(e, norm.b), bert_g(e, before.b), e->ops, e->dy, s, stats,
                      bert_w(e, norm.w), rows, e->arch.hidden, m);
    return (bert_rows){m->threshold ? e->dx : e->dy, e->dx16};
}

/* From dq, dk, dv to the gradient of the layer's input, where e->dy already holds the residual's share (of the asking rows). */
static snc_err qkv_backward(snc_bert *e, const bert_layer *l)
{
    const snc_layer_index *ix = &e->m->ix.layer[l->source];
    const bert_weights *w = &e->w[l->source];
    int C = e->arch.hidden, T = e->x.T, A = l->attn;
    SNC_TRY(linear_backward(e->dy, e, e->d[0], l->xq, w->q, ix->q, l->rows, A, C, true));
    float *dx = l->first_only ? e->other : e->dy;
    SNC_TRY(linear_backward(dx, e, e->d[1], l->x, w->k, ix->k, T, A, C, !l->first_only));
    SNC_TRY(linear_backward(dx, e, e->d[2], l->x, w->v, ix->v, T, A, C, true));
    if (!l->first_only) return SNC_OK;
    snc_bert__scatter_first(dx, e->dy, &e->x, C);
    e->other = e->dy;
    e->dy = dx;
    return SNC_OK;
}

snc_err snc_bert__layer_backward(snc_bert *e, int i)
{
    bert_layer *l = &e->layer[i];
    const snc_layer_index *ix = &e->m->ix.layer[l->source];
    const bert_weights *w = &e->w[l->source];
    bert_site_masks mask = masks_of(e, i);
    snc_attention at = attention_of(e, l, &mask.attention);
    int C = e->arch.hidden, R = l->rows;

    bert_rows d = norm_backward(e, ix->ffn_norm, ix->ffn_out, l->s2, l->n2, R, &mask.out);
    SNC_TRY(ffn_out_backward(e, l, d, w->out, ix->ffn_out, ix->ffn_in));
    SNC_TRY(linear_backward(e->dy, e, e->da, l->y1, w->in, ix->ffn_in, R, l->ffn, C, true));

    d = norm_backward(e, ix->attn_norm, ix->o, l->s1, l->n1, R, &mask.o);
    SNC_TRY(linear_backward(e->dmix, e, d, l->mix, w->o, ix->o, R, C, l->attn, false));
    float *const g[3] = {e->d[0].f, e->d[1].f, e->d[2].f};
    float *const db[3] = {bert_g(e, ix->q.b), bert_g(e, ix->k.b), bert_g(e, ix->v.b)};
    snc_bf16 *const g16[3] = {e->d[0].h, e->d[1].h, e->d[2].h};
    snc_attention_backward(g, e->half ? g16 : NULL, db, e->ops, e->dmix, l->q, l->k, l->v, l->stats, &at);
    return qkv_backward(e, l);
}
