/* The engine: plan, embeddings, the run over layers, the head. */
#include "models/bert.h"

#include <string.h>

#include "base/mem.h"
#include "models/bert_priv.h"

/* ---- the activation block ----------------------------------------------------------------------------------------- */

static float *take(snc_bert *e, size_t rows, int cols)
{
    float *p = e->block ? e->block + e->used : NULL;
    e->used += snc_align_up(rows * (size_t)cols, SNC_ALIGN / sizeof(float));
    return p;
}

static snc_bf16 *take16(snc_bert *e, size_t rows, int cols) { return (snc_bf16 *)(void *)take(e, rows, (cols + 1) / 2); }

/* What products read, and nobody else. */
static bert_rows take_rows(snc_bert *e, size_t rows, int cols)
{
    return e->half ? (bert_rows){NULL, take16(e, rows, cols)} : (bert_rows){take(e, rows, cols), NULL};
}

/* What others read as well. */
static bert_rows take_both(snc_bert *e, size_t rows, int cols)
{
    float *f = take(e, rows, cols);
    return (bert_rows){f, e->half ? take16(e, rows, cols) : NULL};
}

static int widest(const int *v, int n)
{
    int max = 0;
    for (int i = 0; i < n; i++) max = v[i] > max ? v[i] : max;
    return max;
}

static void plan_layer(snc_bert *e, bert_layer *l, size_t T)
{
    size_t R = (size_t)l->rows;
    int C = e->arch.hidden;
    if (l->first_only) l->gather = take_both(e, R, C);
    l->q = take(e, R, l->attn);
    l->k = take(e, T, l->attn);
    l->v = take(e, T, l->attn);
    l->stats = take(e, R, 2 * l->heads);
    l->mix = take_rows(e, R, l->attn);
    l->s1 = take(e, R, C);
    l->n1 = take(e, R, 2);
    l->y1 = take_rows(e, R, C);
    if (e->opts.train) l->slope = take_rows(e, R, l->ffn);
    l->a = take_rows(e, R, l->ffn);
    l->s2 = take(e, R, C);
    l->n2 = take(e, R, 2);
    if (!e->half) return;
    l->mix.f = e->mix;
    l->y1.f = e->y1;
}

static void plan_gradients(snc_bert *e, size_t T)
{
    int C = e->arch.hidden, attn = e->m->cfg.head_width * widest(e->arch.heads, e->arch.layers);
    e->dy = take(e, T, C);
    e->dx = take(e, T, C);
    e->other = take(e, T, C);
    e->da = take_rows(e, T, widest(e->arch.ffn, e->arch.layers));
    e->dmix = take(e, T, attn);
    for (int i = 0; i < 3; i++) e->d[i] = take_both(e, T, attn);
    e->dx16 = e->half ? take16(e, T, C) : NULL;
}

/* Places every activation of a batch of T tokens and B sequences for `arch`; e->used is the size. */
static void plan(snc_bert *e, const snc_arch *arch, int tokens, int B)
{
    size_t T = (size_t)tokens, layer0;
    bool train = e->opts.train;
    int C = arch->hidden, attn = e->m->cfg.head_width * widest(arch->heads, arch->layers);
    bert_rows y[2];
    e->arch = *arch;
    e->used = 0;
    e->s0 = take(e, T, C);
    e->n0 = take(e, T, 2);
    e->y0 = y[0] = take_both(e, T, C);
    y[1] = train ? e->y0 : take_both(e, T, C);
    e->y1 = e->half ? take(e, T, C) : NULL;
    e->mix = e->half ? take(e, T, attn) : NULL;
    layer0 = e->used;
    for (int i = 0; i < arch->layers; i++) {
        bert_layer *l = &e->layer[i];
        bool first_only = e->opts.first_only && i == arch->layers - 1;
        *l = (bert_layer){.source = arch->source[i], .rows = first_only ? B : tokens, .heads = arch->heads[i],
                          .attn = arch->heads[i] * e->m->cfg.head_width, .ffn = arch->ffn[i], .first_only = first_only};
        size_t most = e->used;
        if (!train) e->used = layer0;
        plan_layer(e, l, T);
        l->y = train ? take_both(e, (size_t)l->rows, C) : y[(i + 1) % 2];
        l->x = i ? e->layer[i - 1].y : e->y0;
        l->xq = first_only ? l->gather : l->x;
        if (e->used < most) e->used = most;
    }
    e->first = take(e, (size_t)B, C);
    e->pooled = take(e, (size_t)B, C);
    e->slope = take(e, (size_t)B, C);
    if (train) plan_gradients(e, T);
}

/* ---- create ------------------------------------------------------------------------------------------------------- */

static snc_err pack(snc_gemm_weight **out, snc_bert *e, int param)
{
    const snc_param *p = &e->m->params.p[param];
    SNC_TRY(snc_gemm_weight_create(out, e->gemm, bert_w(e, param), p->cols, p->rows, p->cols));
    e->by_param[param] = *out;
    return SNC_OK;
}

static snc_err pack_all(snc_bert *e)
{
    SNC_TRY(snc_alloc(&e->by_param, (size_t)e->m->params.n, sizeof *e->by_param));
    for (int i = 0; i < e->m->arch.layers; i++) {
        const snc_layer_index *ix = &e->m->ix.layer[i];
        SNC_TRY(pack(&e->w[i].q, e, ix->q.w));
        SNC_TRY(pack(&e->w[i].k, e, ix->k.w));
        SNC_TRY(pack(&e->w[i].v, e, ix->v.w));
        SNC_TRY(pack(&e->w[i].o, e, ix->o.w));
        SNC_TRY(pack(&e->w[i].in, e, ix->ffn_in.w));
        SNC_TRY(pack(&e->w[i].out, e, ix->ffn_out.w));
    }
    SNC_TRY(pack(&e->pooler, e, e->m->ix.pooler.w));
    return pack(&e->classifier, e, e->m->ix.classifier.w);
}

snc_err snc_bert_create(snc_bert **out, const snc_ctx *ctx, snc_model *m, const snc_bert_opts *o)
{
    *out = NULL;
    SNC_CHECK(o->max_tokens >= 1 && o->max_seqs >= 1 && o->max_len >= 1, SNC_E_ARG,
              "engine planned for %d tokens, %d sequences of %d: expected at least 1", o->max_tokens, o->max_seqs, o->max_len);
    snc_bert *e;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&e, 1, sizeof *e));
    e->ctx = ctx;
    e->m = m;
    e->opts = *o;
    if (e->opts.max_seqs > o->max_tokens) e->opts.max_seqs = o->max_tokens;
    if (e->opts.max_len > m->cfg.positions) e->opts.max_len = m->cfg.positions;

    int D = m->cfg.head_width, C = m->arch.hidden, attn = D * widest(m->arch.heads, m->arch.layers);
    int wide[] = {C, attn, widest(m->arch.ffn, m->arch.layers), m->cfg.classes};
    snc_ops_limits max = {.rows = o->max_tokens, .width = widest(wide, 4), .seqs = e->opts.max_seqs, .len = e->opts.max_len,
                          .head_width = D};
    SNC_GOTO(snc_gemm_create(&e->gemm, ctx, o->compute, o->max_tokens, max.width));
    e->half = snc_gemm_takes_bf16(e->gemm);
    SNC_GOTO(snc_ops_create(&e->ops, ctx, &max));
    SNC_GOTO(pack_all(e));
    if (o->train) SNC_GOTO(snc_params_alloc_grad(&m->params));
    SNC_GOTO(snc_alloc(&e->squares, (size_t)m->params.n, sizeof *e->squares));
    for (int i = 0; i < m->params.n; i++) e->squares[i] = -1;
    SNC_GOTO(snc_alloc(&e->tokens, 2 * (size_t)o->max_tokens + (size_t)e->opts.max_seqs + 1, sizeof *e->tokens));
    plan(e, &m->arch, o->max_tokens, e->opts.max_seqs);
    e->size = e->used;
    SNC_GOTO(snc_alloc(&e->block, e->size, sizeof *e->block));
    *out = e;
    return SNC_OK;
out:
    snc_bert_free(e);
    return err;
}

void snc_bert_free(snc_bert *e)
{
    if (!e) return;
    if (e->by_param)
        for (int i = 0; i < e->m->params.n; i++) snc_gemm_weight_free(e->by_param[i]);
    snc_free(e->by_param);
    snc_free(e->tokens);
    snc_free(e->squares);
    snc_free(e->block);
    snc_ops_free(e->ops);
    snc_gemm_free(e->gemm);
    snc_free(e);
}

void snc_bert_sync(snc_bert *e)
{
    for (int i = 0; i < e->m->params.n; i++)
        if (e->by_param[i]) snc_gemm_weight_sync(e->gemm, e->by_param[i]);
}

void snc_bert_sync_rows(snc_bert *e, int param, int n0, int n1)
{
    if (e->by_param[param]) snc_gemm_weight_sync_rows(e->gemm, e->by_param[param], n0, n1);
}

snc_err snc_bert_bytes(double *out, const snc_ctx *ctx, snc_model *m, const snc_bert_opts *o)
{
    snc_bert *e = NULL;
    snc_gemm *g = NULL;
    snc_err err = SNC_OK;
    int attn = m->cfg.head_width * widest(m->arch.heads, m->arch.layers), wide[] = {m->arch.hidden, attn, widest(m->arch.ffn, m->arch.layers)};
    SNC_GOTO(snc_gemm_create(&g, ctx, o->compute, 0, 0));
    SNC_GOTO(snc_alloc(&e, 1, sizeof *e));
    e->m = m;
    e->opts = *o;
    e->half = snc_gemm_takes_bf16(g);
    plan(e, &m->arch, o->max_tokens, o->max_seqs);
    *out = (double)e->used * sizeof(float) + (double)snc_gemm_operand_bytes(o->max_tokens, widest(wide, 3));
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        if ((p->flags & SNC_PARAM_DECAY) && !(p->flags & SNC_PARAM_ROWS)) *out += (double)snc_gemm_weight_bytes(g, p->rows, p->cols);
    }
out:
    snc_free(e);
    snc_gemm_free(g);
    return err;
}

size_t snc_bert_memory(const snc_bert *e) { return e->size * sizeof(float); }

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static snc_err check_batch(const snc_bert *e, const snc_tokens *x)
{
    const snc_bert_config *c = &e->m->cfg;
    SNC_CHECK(x->B >= 1 && x->B <= e->opts.max_seqs && x->T <= e->opts.max_tokens, SNC_E_SHAPE,
              "batch of %d tokens in %d sequences: planned for %d in %d", x->T, x->B, e->opts.max_tokens, e->opts.max_seqs);
    SNC_CHECK(x->offsets[0] == 0 && x->offsets[x->B] == x->T, SNC_E_SHAPE, "batch: offsets do not span its %d tokens", x->T);
    for (int b = 0; b < x->B; b++) {
        int len = x->offsets[b + 1] - x->offsets[b];
        SNC_CHECK(len >= 1 && len <= e->opts.max_len, SNC_E_SHAPE, "sequence %d of the batch has %d tokens: expected 1 to %d", b,
                  len, e->opts.max_len);
    }
    for (int t = 0; t < x->T; t++)
        SNC_CHECK(x->ids[t] >= 0 && x->ids[t] < c->vocab && x->types[t] >= 0 && x->types[t] < c->types, SNC_E_SHAPE,
                  "token %d of the batch: id %d of segment %d: expected below %d and %d", t, (int)x->ids[t], (int)x->types[t],
                  c->vocab, c->types);
    return SNC_OK;
}

/* The backward pass must not depend on the caller's buffers. */
static void keep_batch(snc_bert *e, const snc_tokens *x)
{
    size_t T = (size_t)x->T;
    int32_t *ids = e->tokens, *types = ids + e->opts.max_tokens, *offsets = types + e->opts.max_tokens;
    memcpy(ids, x->ids, T * sizeof *ids);
    memcpy(types, x->types, T * sizeof *types);
    memcpy(offsets, x->offsets, ((size_t)x->B + 1) * sizeof *offsets);
    e->x = (snc_tokens){.B = x->B, .T = x->T, .ids = ids, .types = types, .offsets = offsets};
}

static void embed_forward(snc_bert *e)
{
    const snc_model_index *ix = &e->m->ix;
    snc_mask none = SNC_MASK_OFF, drop = bert_mask(e, BERT_SITE_EMBED, false);
    int C = e->arch.hidden, T = e->x.T;
    snc_embed_forward(e->s0, e->ops, bert_w(e, ix->word), bert_w(e, ix->position), bert_w(e, ix->type), &e->x, C,
                      bert_ld(e, ix->word));
    snc_norm_forward(e->y0.f, NULL, e->s0, e->n0, e->ops, NULL, bert_w(e, ix->embed_norm.w), bert_w(e, ix->embed_norm.b), T, C,
                     e->m->cfg.norm_eps, &none);
    snc_mask_apply(e->y0.f, e->ops, T, C, &drop);
    if (e->half) snc_round(e->y0.h, e->ops, e->y0.f, T, C);
}

static snc_err head_forward(float *logits, snc_bert *e)
{
    const snc_model_index *ix = &e->m->ix;
    const bert_layer *last = &e->layer[e->arch.layers - 1];
    snc_mask drop = bert_mask(e, BERT_SITE_HEAD, false);
    int C = e->arch.hidden, B = e->x.B, K = e->m->cfg.classes;
    if (last->first_only) memcpy(e->first, last->y.f, (size_t)B * (size_t)C * sizeof *e->first);
    else snc_bert__gather_first((bert_rows){e->first, NULL}, last->y, &e->x, C);
    SNC_TRY(snc_gemm_forward(e->slope, C, e->gemm, e->first, C, e->pooler, bert_w(e, ix->pooler.b), B, C, C, false));
    snc_act_forward(e->pooled, e->slope, e->ops, e->slope, B, C, SNC_OPS_TANH);
    snc_mask_apply(e->pooled, e->ops, B, C, &drop);
    return snc_gemm_forward(logits, K, e->gemm, e->pooled, C, e->classifier, bert_w(e, ix->classifier.b), B, K, C, false);
}

snc_err snc_bert_forward(snc_bert *e, float *logits, const snc_arch *arch, const snc_tokens *x, const snc_dropout *drop)
{
    e->ready = false;
    SNC_TRY(snc_arch_check(arch, &e->m->arch));
    SNC_TRY(check_batch(e, x));
    keep_batch(e, x);
    e->drop = drop ? *drop : (snc_dropout){.seed = 0};
    plan(e, arch, x->T, x->B);
    embed_forward(e);
    for (int i = 0; i < arch->layers; i++) {
        SNC_TRY(snc_go_on(e->ctx));
        SNC_TRY(snc_bert__layer_forward(e, i));
    }
    SNC_TRY(head_forward(logits, e));
    e->ready = e->opts.train;
    return SNC_OK;
}

const float *snc_bert_hidden_view(const snc_bert *e, int i) { return i ? e->layer[i - 1].y.f : e->y0.f; }

/* ---- backward ----------------------------------------------------------------------------------------------------- */

/* Leaves the gradient of the last layer's output in e->dy. */
static snc_err head_backward(snc_bert *e, const float *dlogits)
{
    const snc_model_index *ix = &e->m->ix;
    snc_mask drop = bert_mask(e, BERT_SITE_HEAD, false);
    int C = e->arch.hidden, B = e->x.B, K = e->m->cfg.classes;
    bool compact = e->layer[e->arch.layers - 1].first_only;
    float *d = e->dx, *dfirst = compact ? e->dy : e->other;
    memset(e->dy, 0, (size_t)(compact ? B : e->x.T) * (size_t)C * sizeof *e->dy);
    if (!dlogits) return SNC_OK;
    snc_col_sum(bert_g(e, ix->classifier.b), e->ops, dlogits, B, K);
    SNC_TRY(snc_gemm_backward_w(bert_g(e, ix->classifier.w), bert_ld(e, ix->classifier.w), e->gemm, dlogits, K, e->pooled, C, B,
                                K, C, e->accumulate));
    SNC_TRY(snc_gemm_backward_x(d, C, e->gemm, dlogits, K, e->classifier, B, K, C, false));
    snc_mask_apply(d, e->ops, B, C, &drop);
    snc_act_backward(d, bert_g(e, ix->pooler.b), e->ops, e->slope, B, C);
    SNC_TRY(snc_gemm_backward_w(bert_g(e, ix->pooler.w), bert_ld(e, ix->pooler.w), e->gemm, d, C, e->first, C, B, C, C,
                                e->accumulate));
    SNC_TRY(snc_gemm_backward_x(dfirst, C, e->gemm, d, C, e->pooler, B, C, C, false));
    if (!compact) snc_bert__scatter_first(e->dy, dfirst, &e->x, C);
    return SNC_OK;
}

static void embed_backward(snc_bert *e)
{
    const snc_model_index *ix = &e->m->ix;
    snc_mask none = SNC_MASK_OFF, drop = bert_mask(e, BERT_SITE_EMBED, false);
    int C = e->arch.hidden, T = e->x.T;
    snc_mask_apply(e->dy, e->ops, T, C, &drop);
    snc_norm_backward(e->dy, NULL, NULL, bert_g(e, ix->embed_norm.w), bert_g(e, ix->embed_norm.b), NULL, e->ops, e->dy, e->s0,
                      e->n0, bert_w(e, ix->embed_norm.w), T, C, &none);
    snc_embed_backward(bert_g(e, ix->word), bert_g(e, ix->position), bert_g(e, ix->type), e->ops, e->dy, &e->x, C,
                       bert_ld(e, ix->word));
}

static void inject(snc_bert *e, const float *const *dhidden, int n_hidden, int i, int rows)
{
    const float *d = n_hidden ? dhidden[i] : NULL;
    size_t n = (size_t)rows * (size_t)e->arch.hidden;
    if (!d) return;
    for (size_t k = 0; k < n; k++) e->dy[k] += d[k];
}

bool snc_bert_grad_squares(double *sum, const snc_bert *e, int param)
{
    *sum = e->squares[param];
    return *sum >= 0;
}

bool snc_bert_owns_grad(const snc_bert *e, int param) { return e->by_param[param] != NULL; }

void snc_bert_start_grads(snc_bert *e) { e->fresh = true; }

/* The whole net writes every weight gradient, so a fresh pass simply overwrites them; a smaller one adds to zeros. */
static void start_gradients(snc_bert *e, bool head)
{
    const snc_arch *a = &e->arch, *m = &e->m->arch;
    bool whole = head && a->layers == m->layers && a->hidden == m->hidden;
    for (int i = 0; i < a->layers && whole; i++)
        whole = a->source[i] == i && a->heads[i] == m->heads[i] && a->ffn[i] == m->ffn[i];
    e->accumulate = !(e->fresh && whole);
    for (int i = 0; i < e->m->params.n && e->fresh && !whole; i++) {
        const snc_param *p = &e->m->params.p[i];
        if (e->by_param[i]) memset(bert_g(e, i), 0, (size_t)p->rows * (size_t)p->cols * sizeof(float));
    }
    e->fresh = false;
    for (int i = 0; i < e->m->params.n; i++) e->squares[i] = -1;
}

snc_err snc_bert_backward(snc_bert *e, const float *dlogits, const float *const *dhidden, int n_hidden)
{
    SNC_CHECK(e->ready, SNC_E_ARG, "backward pass without a forward pass that keeps its activations");
    SNC_CHECK(n_hidden == 0 || n_hidden == e->arch.layers + 1, SNC_E_SHAPE, "%d hidden gradients: expected 0 or %d", n_hidden,
              e->arch.layers + 1);
    e->ready = false;
    start_gradients(e, dlogits != NULL);
    SNC_TRY(head_backward(e, dlogits));
    for (int i = e->arch.layers - 1; i >= 0; i--) {
        SNC_TRY(snc_go_on(e->ctx));
        inject(e, dhidden, n_hidden, i + 1, e->layer[i].rows);
        SNC_TRY(snc_bert__layer_backward(e, i));
    }
    inject(e, dhidden, n_hidden, 0, e->x.T);
    embed_backward(e);
    return SNC_OK;
}
