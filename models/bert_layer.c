/* One encoder layer: attention, add & norm, FFN, add & norm; forward and backward. */
#include <string.h>

#include "models/bert_priv.h"

void snc_bert__gather_first(float *to, const float *from, const snc_tokens *x, int n)
{
    for (int b = 0; b < x->B; b++) memcpy(to + (size_t)b * n, from + (size_t)x->offsets[b] * n, (size_t)n * sizeof *to);
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
static snc_err linear(float *y, snc_bert *e, const float *x, const snc_gemm_weight *w, snc_lin p, int rows, int n, int k)
{
    return snc_gemm_forward(y, n, e->gemm, x, k, w, bert_w(e, p.b), rows, n, k, false);
}

/* dW += (or, in a fresh pass, =) dy^T . x, and dx [rows, k] = (or +=) dy . W. */
static snc_err linear_backward(float *dx, snc_bert *e, const float *dy, const float *x, const snc_gemm_weight *w, snc_lin p,
                               int rows, int n, int k, bool accumulate)
{
    SNC_TRY(snc_gemm_backward_w(bert_g(e, p.w), bert_ld(e, p.w), e->gemm, dy, n, x, k, rows, n, k, e->accumulate));
    return snc_gemm_backward_x(dx, k, e->gemm, dy, n, w, rows, n, k, accumulate);
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
    snc_attention_forward(l->mix, l->stats, e->ops, l->q, l->k, l->v, &at);
    SNC_TRY(linear(l->s1, e, l->mix, w->o, ix->o, R, C, l->attn));
    snc_norm_forward(l->y1, l->s1, l->n1, e->ops, l->xq, bert_w(e, ix->attn_norm.w), bert_w(e, ix->attn_norm.b), R, C, eps,
                     &mask.o);

    SNC_TRY(linear(l->a, e, l->y1, w->in, ix->ffn_in, R, l->ffn, C));
    snc_act_forward(l->a, l->slope, e->ops, l->a, R, l->ffn, act_of(e));
    SNC_TRY(linear(l->s2, e, l->a, w->out, ix->ffn_out, R, C, l->ffn));
    snc_norm_forward(l->y, l->s2, l->n2, e->ops, l->y1, bert_w(e, ix->ffn_norm.w), bert_w(e, ix->ffn_norm.b), R, C, eps,
                     &mask.out);
    return SNC_OK;
}

/* Add & norm backwards: e->dy becomes the gradient of the sum; returns that of the linear's output. */
static const float *norm_backward(snc_bert *e, snc_lin norm, snc_lin before, const float *s, const float *stats, int rows,
                                  const snc_mask *m)
{
    snc_norm_backward(e->dy, e->dx, bert_g(e, norm.w), bert_g(e, norm.b), bert_g(e, before.b), e->ops, e->dy, s, stats,
                      bert_w(e, norm.w), rows, e->arch.hidden, m);
    return m->threshold ? e->dx : e->dy;
}

/* From dq, dk, dv to the gradient of the layer's input, where e->dy already holds the residual's share (of the asking rows). */
static snc_err qkv_backward(snc_bert *e, const bert_layer *l)
{
    const snc_layer_index *ix = &e->m->ix.layer[l->source];
    const bert_weights *w = &e->w[l->source];
    int C = e->arch.hidden, T = e->x.T, A = l->attn;
    SNC_TRY(linear_backward(e->dy, e, e->dq, l->xq, w->q, ix->q, l->rows, A, C, true));
    float *dx = l->first_only ? e->other : e->dy;
    SNC_TRY(linear_backward(dx, e, e->dk, l->x, w->k, ix->k, T, A, C, !l->first_only));
    SNC_TRY(linear_backward(dx, e, e->dv, l->x, w->v, ix->v, T, A, C, true));
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

    const float *d = norm_backward(e, ix->ffn_norm, ix->ffn_out, l->s2, l->n2, R, &mask.out);
    SNC_TRY(linear_backward(e->da, e, d, l->a, w->out, ix->ffn_out, R, C, l->ffn, false));
    snc_act_backward(e->da, bert_g(e, ix->ffn_in.b), e->ops, l->slope, R, l->ffn);
    SNC_TRY(linear_backward(e->dy, e, e->da, l->y1, w->in, ix->ffn_in, R, l->ffn, C, true));

    d = norm_backward(e, ix->attn_norm, ix->o, l->s1, l->n1, R, &mask.o);
    SNC_TRY(linear_backward(e->dmix, e, d, l->mix, w->o, ix->o, R, C, l->attn, false));
    snc_attention_backward(e->dq, e->dk, e->dv, bert_g(e, ix->q.b), bert_g(e, ix->k.b), bert_g(e, ix->v.b), e->ops, e->dmix,
                           l->q, l->k, l->v, l->stats, &at);
    return qkv_backward(e, l);
}
