/* Where the activations of a batch are in the engine's block, and how large that is. */
#include "base/mem.h"
#include "models/engine_priv.h"

static float *take(snc_engine *e, size_t rows, int cols)
{
    float *p = e->block ? e->block + e->used : NULL;
    e->used += snc_align_up(rows * (size_t)cols, SNC_ALIGN / sizeof(float));
    return p;
}

static snc_bf16 *take16(snc_engine *e, size_t rows, int cols) { return (snc_bf16 *)(void *)take(e, rows, (cols + 1) / 2); }

/* What products read, and nobody else. */
static engine_rows take_rows(snc_engine *e, size_t rows, int cols)
{
    return e->half ? (engine_rows){NULL, take16(e, rows, cols)} : (engine_rows){take(e, rows, cols), NULL};
}

/* What others read as well. */
static engine_rows take_both(snc_engine *e, size_t rows, int cols)
{
    float *f = take(e, rows, cols);
    return (engine_rows){f, e->half ? take16(e, rows, cols) : NULL};
}

int snc_engine__widest(const int *v, int n)
{
    int max = 0;
    for (int i = 0; i < n; i++) max = v[i] > max ? v[i] : max;
    return max;
}

/* What goes past the next layer as well. */
static float *take_stream(snc_engine *e, const engine_layer *l) { return l->stream ? l->stream : take(e, (size_t)l->rows, e->arch.hidden); }

static void plan_attention(snc_engine *e, engine_layer *l, size_t T)
{
    size_t R = (size_t)l->rows;
    int C = e->arch.hidden;
    bool pre = e->family->pre_norm;
    if (l->first_only) l->gather = take_both(e, R, C);
    if (l->first_only && pre) l->gather_past = take(e, R, C);
    l->xq = l->first_only ? l->gather : l->x;
    l->q = take(e, R, l->attn);
    l->k = take(e, T, l->attn);
    l->v = take(e, T, l->attn);
    l->stats = take(e, R, 2 * l->heads);
    for (int i = 0; i < 2 && e->distance.n; i++) l->distance[i] = take(e, (size_t)e->distance.n, l->attn);
    l->mix = take_rows(e, R, l->attn);
    l->s1 = pre && !l->ffn ? take_stream(e, l) : take(e, R, C);
    if (e->half) l->mix.f = e->mix;
}

static void plan_ffn(snc_engine *e, engine_layer *l)
{
    size_t R = (size_t)l->rows;
    int C = e->arch.hidden, neuron = snc_family_neuron(e->family);
    l->n1 = take(e, R, 2);
    if (l->ffn) {
        l->y1 = take_rows(e, R, C);
        if (e->half) l->y1.f = e->y1;
        if (e->opts.train || neuron > 1) l->slope = take_rows(e, R, neuron * l->ffn);
        l->a = take_rows(e, R, l->ffn);
        l->s2 = take_stream(e, l);
    } else {
        l->y1.f = l->s2 = take(e, R, C); /* that no product reads */
    }
    l->n2 = take(e, R, 2);
}

static void plan_gradients(snc_engine *e, size_t T)
{
    int C = e->arch.hidden, attn = e->m->cfg.head_width * snc_engine__widest(e->arch.heads, e->arch.layers);
    e->dy = take(e, T, C);
    e->dx = take(e, T, C);
    e->other = take(e, T, C);
    e->de = e->m->cfg.embedding ? take(e, T, e->m->cfg.embedding) : NULL;
    e->past = e->family->pre_norm ? take(e, T, C) : NULL;
    e->da = take_rows(e, T, snc_family_neuron(e->family) * snc_engine__widest(e->arch.ffn, e->arch.layers));
    e->dglu = e->family->gated && !e->half ? take(e, T, snc_engine__widest(e->arch.ffn, e->arch.layers)) : NULL;
    e->dmix = take(e, T, attn);
    for (int i = 0; i < 3; i++) e->d[i] = take_both(e, T, attn);
    e->dx16 = e->half ? take16(e, T, C) : NULL;
}

static void plan_distances(snc_engine *e, int attn)
{
    engine_distances *p = &e->distance;
    size_t n = (size_t)p->n;
    int C = e->arch.hidden;
    if (!n) return;
    p->s = take(e, n, C);
    p->stats = take(e, n, 2);
    p->y = take_both(e, n, C);
    p->x = take_both(e, n, C);
    if (!e->opts.train) return;
    for (int i = 0; i < 2; i++) p->d[i] = take_both(e, n, attn);
    p->dx = take(e, n, C);
    p->dy = take(e, n, C);
}

/* What goes past the halves of kept layer i: what their norms give, or with the norms in front what these read. */
static void plan_past(snc_engine *e, int i)
{
    engine_layer *l = &e->layer[i];
    bool pre = e->family->pre_norm && i > 0;
    float *before = pre ? e->layer[i - 1].s2 : l->x.f;
    l->past1 = l->first_only ? (pre ? l->gather_past : l->gather.f) : before;
    if (!l->heads) l->s1 = before;
    l->past2 = e->family->pre_norm ? l->s1 : l->y1.f;
    if (!l->ffn && e->family->pre_norm) l->s2 = l->s1;
}

/* Sizes of kept layer i, and what outlives it: y, and with the norms in front the sum that goes on beside it. y and stream are two of each,
 * of what layers take turns at. */
static void begin_layer(snc_engine *e, int i, const engine_rows y[2], float *const stream[2], int tokens, int B)
{
    const snc_arch *a = &e->arch;
    engine_layer *l = &e->layer[i];
    const int asked = snc_arch_last_heads(a), C = a->hidden;
    *l = (engine_layer){.source = a->source[i],
                        .rows = e->opts.first_only && i >= asked ? B : tokens,
                        .heads = a->heads[i],
                        .attn = a->heads[i] * e->m->cfg.head_width,
                        .ffn = a->ffn[i],
                        .first_only = e->opts.first_only && i == asked};
    size_t R = (size_t)l->rows;
    l->x = i ? e->layer[i - 1].y : e->y0;
    if (!snc_engine__shares(e)) l->y = take_both(e, R, C);
    else if (e->opts.train || e->opts.views) l->y = (engine_rows){take(e, R, C), y[(i + 1) % 2].h};
    else l->y = y[(i + 1) % 2];
    if (!e->family->pre_norm) return;
    if (!e->opts.train) l->stream = stream[i % 2];
    else if (e->opts.recompute) l->stream = take(e, R, C);
}

/* Two sets that all layers share, of attention and of FFN, or one after the other. */
static void plan_layers(snc_engine *e, size_t T)
{
    const bool share = snc_engine__shares(e);
    size_t from = e->used, most = from;
    for (int i = 0; i < e->arch.layers; i++) {
        engine_layer *l = &e->layer[i];
        if (share) e->used = from;
        if (l->heads) plan_attention(e, l, T);
        if (e->used > most) most = e->used;
    }
    e->used = from = most;
    for (int i = 0; i < e->arch.layers; i++) {
        if (share) e->used = from;
        plan_ffn(e, &e->layer[i]);
        plan_past(e, i);
        if (e->used > most) most = e->used;
    }
    e->used = most;
}

void snc_engine__plan(snc_engine *e, const snc_arch *arch, int tokens, int B, int R)
{
    size_t T = (size_t)tokens;
    const bool share = snc_engine__shares(e), kept = e->opts.train || e->opts.views;
    int C = arch->hidden, attn = e->m->cfg.head_width * snc_engine__widest(arch->heads, arch->layers);
    engine_rows y[2];
    float *stream[2];
    e->arch = *arch;
    e->used = 0;
    e->s0 = take(e, T, snc_spec_embed_width(&e->m->cfg, arch));
    e->n0 = take(e, T, 2);
    e->e0 = e->m->cfg.embedding ? take(e, T, e->m->cfg.embedding) : NULL;
    e->y0 = y[0] = y[1] = take_both(e, T, C);
    if (share && !kept) y[1].f = take(e, T, C);
    if (share && e->half) y[1].h = take16(e, T, C);
    e->y1 = e->half ? take(e, T, C) : NULL;
    e->mix = e->half ? take(e, T, attn) : NULL;
    for (int i = 0; i < 2; i++) stream[i] = e->family->pre_norm && !e->opts.train ? take(e, T, C) : NULL;
    plan_distances(e, attn);
    for (int i = 0; i < arch->layers; i++) begin_layer(e, i, y, stream, tokens, B);
    plan_layers(e, T);
    e->first = take(e, (size_t)R, C);
    e->pooled = take(e, (size_t)R, C);
    e->slope = take(e, (size_t)R, C);
    e->sp = e->pool_norm.w < 0 ? NULL : take(e, (size_t)R, C);
    e->np = e->pool_norm.w < 0 ? NULL : take(e, (size_t)R, 2);
    if (e->opts.train) plan_gradients(e, T);
}

snc_err snc_engine_bytes(double *out, const snc_ctx *ctx, snc_model *m, const snc_engine_opts *o)
{
    snc_engine *e = NULL;
    snc_gemm *g = NULL;
    snc_err err = SNC_OK;
    int attn = m->cfg.head_width * snc_engine__widest(m->arch.heads, m->arch.layers),
        wide[] = {m->arch.hidden, attn, snc_family_neuron(snc_family_of(&m->cfg)) * snc_engine__widest(m->arch.ffn, m->arch.layers),
                  m->cfg.embedding};
    SNC_GOTO(snc_gemm_create(&g, ctx, o->compute, 0, 0));
    SNC_GOTO(snc_alloc(&e, 1, sizeof *e));
    e->m = m;
    e->family = snc_family_of(&m->cfg);
    e->opts = *o;
    e->opts.first_only = o->first_only && snc_reads_first(&m->cfg);
    e->pool_norm = snc_model_lin(m, SNC_ROLE_POOLER_NORM, 0);
    e->half = snc_gemm_takes_bf16(g);
    snc_engine__distances_reach(e, o->max_len);
    snc_engine__plan(e, &m->arch, o->max_tokens, o->max_seqs, m->cfg.tags ? o->max_tokens : o->max_seqs);
    int rows = o->max_tokens > e->distance.n ? o->max_tokens : e->distance.n;
    *out = (double)e->used * sizeof(float) + (double)snc_gemm_operand_bytes(rows, snc_engine__widest(wide, 4));
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        if (snc_spec_linear(p)) *out += (double)snc_gemm_weight_bytes(g, p->rows, p->cols);
    }
out:
    snc_free(e);
    snc_gemm_free(g);
    return err;
}
