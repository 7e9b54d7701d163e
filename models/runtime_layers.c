/* The network over one group of sequences: embeddings, layers, head. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/infer.h"
#include "models/runtime_priv.h"

enum {
    HOT_ROWS = 16,       /* rows that stay in L1 between two passes */
    ROW_GRAIN = 16,      /* rows of one chunk when threads share a group */
    FFN_ROWS = 64,       /* rows of the FFN's wide activation in f32 that stay in L2 beside both matrices */
    FETCH_US = 25000,    /* bytes of weights that a core gets from the last-level cache in a microsecond, about */
    FORKS_US = 50,       /* what the forks and joins of a layer cost together */
    SHARED_MACS = 400000 /* attention below this many multiply-adds is not worth a fork and a join */
};

static void stamp(snc_rt__job *j, double *sum)
{
    if (!j->n->profile) return;
    double now = snc_now();
    *sum += (now - j->stamp) * j->share;
    j->stamp = now;
}

static snc_epilogue activation(snc_act a)
{
    return a == SNC_ACT_GELU ? SNC_EPI_GELU : a == SNC_ACT_GELU_TANH ? SNC_EPI_GELU_TANH : SNC_EPI_RELU;
}

/* ---- rows: LayerNorm in place, then quantization for an INT8 consumer ---- */

typedef struct rows_job {
    float *y; /* where the norm writes, and integers come from: x, or beside it */
    float *x;
    int8_t *xq;
    float *sx;
    snc_rt__norm norm; /* NULL: none */
    int ldx, n, ldq;   /* ldq = 0: no quantization */
    float eps;
    snc_isa isa;
    bool plain; /* ref */
} rows_job;

static void rows_range(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const rows_job *r = payload;
    (void)chunk, (void)worker;
    for (int64_t t = begin; t < end; t += HOT_ROWS) { /* a row is read four times: from L1 */
        float *x = r->x + (size_t)t * (size_t)r->ldx, *y = r->y + (size_t)t * (size_t)r->ldx;
        int T = end - t < HOT_ROWS ? (int)(end - t) : HOT_ROWS;
        if (r->norm) snc_infer_norm(y, r->ldx, x, r->ldx, r->norm[0], r->norm[1], T, r->n, r->eps, r->isa);
        if (r->ldq) snc_quantize_rows(r->xq + (size_t)t * (size_t)r->ldq, r->sx + t, y, r->ldx, T, r->n, r->ldq);
    }
}

/* y [T, n] = x normalized, or x itself without a norm, which may be y; quantized into xq, sx if ldq. */
static void rows_to(float *y, snc_rt__job *j, float *x, int ldx, int8_t *xq, float *sx, snc_rt__norm norm, int T, int n, int ldq)
{
    rows_job r = {.y = norm ? y : x, .x = x, .xq = xq, .sx = sx, .norm = norm, .ldx = ldx, .n = n, .ldq = ldq};
    r.eps = j->n->w->cfg.norm_eps;
    r.isa = j->n->isa;
    if (!norm && !ldq) return;
    if (j->ctx->threads > 1 && T > ROW_GRAIN) snc_par_for(j->ctx, T, ROW_GRAIN, rows_range, &r);
    else rows_range(&r, 0, T, 0, 0);
}

/* In place. */
static void rows(snc_rt__job *j, float *x, int ldx, int8_t *xq, float *sx, snc_rt__norm norm, int T, int n, int ldq)
{
    rows_to(x, j, x, ldx, xq, sx, norm, T, n, ldq);
}

static bool integers(snc_dtype t) { return t == SNC_I8 || t == SNC_I4; }
static const snc_qlinear *of(const snc_rt__matrix *m, snc_dtype t) { return t == SNC_I4 ? m->i4 : m->i8; }
static int ldq_of(snc_dtype t, int k) { return integers(t) ? snc_quantized_stride(k) : 0; }

typedef struct act_job {
    float *y;
    int ldy, n;
    snc_epilogue epi;
} act_job;

static void act_range(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const act_job *a = payload;
    (void)chunk, (void)worker;
    snc_epilogue_rows(a->y + (size_t)begin * (size_t)a->ldy, a->ldy, NULL, (int)(end - begin), a->n, a->epi);
}

snc_err snc_rt__linear(float *y, int ldy, snc_rt__job *j, const snc_rt__matrix *m, snc_dtype t, const float *x, int ldx, const int8_t *xq,
                       const float *sx, int T, int n, int k, snc_epilogue epi)
{
    if (integers(t)) return snc_qlinear_run(y, ldy, of(m, t), j->ctx, xq, ldq_of(t, k), sx, T, n, k, epi, j->w->linear);
    if (t == SNC_BF16) return snc_bf16linear_run(y, ldy, m->bf16, j->ctx, x, ldx, T, n, k, epi, j->w->linear);
    SNC_TRY(snc_gemm_forward(y, ldy, j->n->gemm, x, ldx, m->f32, m->b, T, n, k, epi == SNC_EPI_ADD));
    if (epi != SNC_EPI_NONE && epi != SNC_EPI_ADD) {
        act_job a = {y, ldy, n, epi};
        snc_par_for(j->ctx, T, ROW_GRAIN, act_range, &a);
    }
    return SNC_OK;
}

/* ---- attention ---- */

typedef struct head_job {
    snc_rt__job *j;
    int l, A, D, heads;
    bool first;      /* queries of the first tokens only: row b of q and y is sequence b */
    bool bf16, half; /* half: Q, K and V lie in bf16 */
    float scale;
    snc_infer_bias bias; /* of head 0 */
    const snc_rotary *rotary;
} head_job;

/* Attention on tiles reads bf16: then the projections of a layer write it, unless its one query a sequence is better in f32. */
static bool half_qkv(const snc_net *n, int l, bool last)
{
    const uint8_t *t = n->policy.linear[l];
    return !last && !n->w->rotary[0] && !n->w->cfg.buckets && snc_infer_wants_bf16(n->isa) && n->ctx.backend != SNC_BACKEND_ONEDNN &&
           integers(t[SNC_SITE_Q]) && t[SNC_SITE_K] == t[SNC_SITE_Q] && t[SNC_SITE_V] == t[SNC_SITE_Q];
}

static void head_range(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const head_job *a = payload;
    snc_rt__job *j = a->j;
    const int32_t *at = j->x->offsets + j->b0;
    snc_rt__worker *scratch = j->ctx->threads > 1 ? &j->n->worker[worker] : j->w;
    size_t ld = 3 * (size_t)a->A;
    (void)chunk;
    for (int64_t i = begin, next; i < end; i = next) {
        int s = (int)(i / a->heads), h = (int)(i % a->heads) * a->D;
        size_t first = (size_t)(at[s] - at[0]), q = a->first ? (size_t)s : first;
        int len = at[s + 1] - at[s];
        float *qkv = j->w->qkv + h;
        snc_infer_bias bias = a->bias;
        if (bias.at) bias.at += i % a->heads * bias.head;
        if (j->n->distances.block)
            bias = snc_rt__distances_add(scratch->apart, j->n, a->l, (int)(i % a->heads), qkv + q * ld, qkv + first * ld + a->A, (int)ld,
                                         a->first ? 1 : len, len);
        next = i + 1;
        if (a->rotary) snc_rotary_turn(qkv + first * ld + a->A, (int)ld, a->rotary, len, false);
        if (a->rotary && !a->first) snc_rotary_turn(qkv + q * ld, (int)ld, a->rotary, len, false); /* a first token stays as it is */
        if (a->half) { /* the rest of the sequence's heads at once */
            next = (int64_t)(s + 1) * a->heads < end ? (int64_t)(s + 1) * a->heads : end;
            const snc_bf16 *half = (const snc_bf16 *)j->w->qkv + first * ld + h;
            snc_infer_attention_bf16(j->w->att + first * (size_t)a->A + h, a->A, half, (int)ld, half + a->A, half + 2 * (size_t)a->A,
                                     (int)ld, (int)(next - i), len, len, a->D, a->scale, &bias, j->n->isa, scratch->attention);
            continue;
        }
        snc_infer_attention(j->w->att + q * (size_t)a->A + h, a->A, qkv + q * ld, (int)ld, qkv + first * ld + a->A,
                            qkv + first * ld + 2 * (size_t)a->A, (int)ld, a->first ? 1 : len, len, a->D, a->scale, &bias, a->bf16,
                            j->n->isa, scratch->attention);
    }
}

/* By distance: the next query stands one place before in the same run. */
static snc_infer_bias bias_of(const snc_net *n, int l)
{
    int len = snc_family_length(&n->w->cfg);
    if (snc_is_local(&n->w->cfg, n->arch.source[l])) return (snc_infer_bias){n->w->window + len - 1, -1, 0};
    const float *run = n->w->relative[n->arch.source[l]];
    return run ? (snc_infer_bias){run + len - 1, -1, 2 * len - 1} : (snc_infer_bias){NULL, 0, 0};
}

static void attention(snc_rt__job *j, int l, bool first)
{
    snc_net *n = j->n;
    int D = n->w->cfg.head_width, heads = n->arch.heads[l];
    const uint8_t *t = n->policy.linear[l];
    bool bf16 = t[SNC_SITE_Q] != SNC_F32 && t[SNC_SITE_K] != SNC_F32 && t[SNC_SITE_V] != SNC_F32;
    head_job a = {j,
                  l,
                  D * heads,
                  D,
                  heads,
                  first,
                  bf16,
                  half_qkv(n, l, first),
                  1.0f / sqrtf((float)(D * (n->w->cfg.buckets ? SNC_DISTANCE_PARTS : 1))),
                  bias_of(n, l),
                  n->w->rotary[snc_is_local(&n->w->cfg, n->arch.source[l])]};
    int64_t B = j->b1 - j->b0, items = B * heads, macs = 2 * (int64_t)D * heads * j->T * (first ? 1 : j->T / B);
    if (j->ctx->threads > 1 && macs > SHARED_MACS) snc_par_for(j->ctx, items, 1, head_range, &a);
    else head_range(&a, 0, items, 0, 0);
}

/* ---- one layer ---- */

/* Rows of first tokens to the front; row s never lies behind its source. */
static void gather_first(void *x, const snc_rt__job *j, size_t row_bytes)
{
    const int32_t *at = j->x->offsets + j->b0;
    char *p = x;
    for (int s = 0; s < j->b1 - j->b0; s++) memmove(p + (size_t)s * row_bytes, p + (size_t)(at[s] - at[0]) * row_bytes, row_bytes);
}

/* The norm that closes what stands before the attention of layer l: that of the layer before, or of the embeddings, which a projection
 * stands behind: NULL. */
static snc_rt__norm norm_before(const snc_net *n, int l)
{
    if (l)
        return snc_rt__norm_at(n->w, SNC_ROLE_FFN_NORM, snc_family_closing(snc_family_of(&n->w->cfg), &n->arch, l - 1, n->w->arch.layers));
    return n->w->cfg.embedding ? NULL : snc_rt__norm_at(n->w, SNC_ROLE_EMBED_NORM, 0);
}

/* Where the group's rows lie in what nets leave each other. */
static float *state_of(const snc_rt__job *j) { return j->state->h + (size_t)j->x->offsets[j->b0] * (size_t)j->n->arch.hidden; }

static void keep_state(const snc_rt__job *j)
{
    if (j->state->keep) memcpy(state_of(j), j->w->h, (size_t)j->T * (size_t)j->n->arch.hidden * sizeof(float));
}

/* Q, K and V of normalized h. In the last layer with heads Q, and all that follows, is for the first tokens alone. */
static snc_err project(snc_rt__job *j, int l, bool last)
{
    snc_net *n = j->n;
    snc_rt__worker *w = j->w;
    const snc_rt__matrix *m = n->w->m[n->arch.source[l]];
    const uint8_t *t = n->policy.linear[l];
    snc_dtype tq = (snc_dtype)t[SNC_SITE_Q], tk = (snc_dtype)t[SNC_SITE_K], tv = (snc_dtype)t[SNC_SITE_V];
    int C = n->arch.hidden, A = n->w->cfg.head_width * n->arch.heads[l], T = j->T;
    int ldq = ldq_of(tq, C) | ldq_of(tk, C) | ldq_of(tv, C); /* one row for all that want integers */
    float *x = l ? w->y : w->h;                              /* what the first layer reads goes past it, too */
    if (last) keep_state(j);
    rows_to(x, j, w->h, C, w->xq, w->sx, norm_before(n, l), T, C, ldq);
    if (half_qkv(n, l, last)) {
        const snc_qlinear *beside[] = {of(&m[SNC_SITE_Q], tq), of(&m[SNC_SITE_K], tq), of(&m[SNC_SITE_V], tq)};
        return snc_qlinear_run_bf16((snc_bf16 *)w->qkv, 3 * A, beside, 3, j->ctx, w->xq, ldq, w->sx, T, A, C, w->linear);
    }
    SNC_TRY(snc_rt__linear(w->qkv + A, 3 * A, j, &m[SNC_SITE_K], tk, x, C, w->xq, w->sx, T, A, C, SNC_EPI_NONE));
    SNC_TRY(snc_rt__linear(w->qkv + 2 * (size_t)A, 3 * A, j, &m[SNC_SITE_V], tv, x, C, w->xq, w->sx, T, A, C, SNC_EPI_NONE));
    if (last) {
        gather_first(w->h, j, (size_t)C * sizeof(float));
        if (x != w->h) gather_first(x, j, (size_t)C * sizeof(float));
        if (ldq) gather_first(w->xq, j, (size_t)ldq);
        if (ldq) gather_first(w->sx, j, sizeof(float));
        T = j->b1 - j->b0;
    }
    return snc_rt__linear(w->qkv, 3 * A, j, &m[SNC_SITE_Q], tq, x, C, w->xq, w->sx, T, A, C, SNC_EPI_NONE);
}

typedef struct glu_job {
    float *mid;
    int F;
    snc_epilogue act;
} glu_job;

static void glu_range(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    enum { STRIP = 256 };
    const glu_job *g = payload;
    float u[STRIP], gate[STRIP];
    (void)chunk, (void)worker;
    for (int64_t t = begin; t < end; t++) {
        float *row = g->mid + (size_t)t * 2 * (size_t)g->F;
        for (int c = 0, n; c < g->F; c += n) {
            n = g->F - c < STRIP ? g->F - c : STRIP;
            for (int i = 0; i < n; i++) u[i] = row[2 * (c + i)], gate[i] = row[2 * (c + i) + 1];
            snc_epilogue_rows(u, n, NULL, 1, n, g->act);
            for (int i = 0; i < n; i++) row[c + i] = u[i] * gate[i];
        }
    }
}

/* mid [T, 2F] to [T, F] at the front of its rows: act(input) times its gate, which stand beside each other. */
static void glu(snc_rt__job *j, int T, int F, snc_epilogue act)
{
    glu_job g = {j->w->mid, F, act};
    if (j->ctx->threads > 1 && T > ROW_GRAIN) snc_par_for(j->ctx, T, ROW_GRAIN, glu_range, &g);
    else glu_range(&g, 0, T, 0, 0);
}

/* h += FFN(h) for T rows. The wide activation never leaves the cache: from an INT8 matrix to another as integers, which
 * snc_qlinear_run_q8 makes a block of rows at a time; else a block passes through both products, unless F32 or INT4 would expand or
 * fetch its matrix for each. */
static snc_err ffn(snc_rt__job *j, int l, int T, double *t_in, double *t_out)
{
    snc_net *n = j->n;
    snc_rt__worker *w = j->w;
    const snc_rt__matrix *m = n->w->m[n->arch.source[l]];
    snc_rt__norm norm = snc_rt__norm_at(n->w, SNC_ROLE_ATTENTION_NORM, n->arch.source[l]);
    snc_dtype in = (snc_dtype)n->policy.linear[l][SNC_SITE_FFN_IN], out = (snc_dtype)n->policy.linear[l][SNC_SITE_FFN_OUT];
    int C = n->arch.hidden, F = n->arch.ffn[l], ldm = ldq_of(out, F), ldx = ldq_of(in, C);
    bool gated = snc_family_of(&n->w->cfg)->gated, through = in == SNC_I8 && ldm > 0 && !gated,
         whole = in == SNC_F32 || out == SNC_F32 || in == SNC_I4;
    int block = whole || through ? T : FFN_ROWS * j->ctx->threads;
    snc_epilogue act = activation(n->w->cfg.act);
    int N = gated ? 2 * F : F;
    for (int t = 0; t < T; t += block) {
        int R = T - t < block ? T - t : block;
        float *h = w->h + (size_t)t * (size_t)C, *x = w->y + (size_t)t * (size_t)C;
        int8_t *mq = w->mq + (size_t)t * (size_t)ldm;
        rows_to(x, j, h, C, w->xq, w->sx, norm, R, C, ldx);
        if (through) SNC_TRY(snc_qlinear_run_q8(mq, ldm, w->sm, m[SNC_SITE_FFN_IN].i8, j->ctx, w->xq, ldx, w->sx, R, F, C, act, w->linear));
        else SNC_TRY(snc_rt__linear(w->mid, N, j, &m[SNC_SITE_FFN_IN], in, x, C, w->xq, w->sx, R, N, C, gated ? SNC_EPI_NONE : act));
        if (gated) glu(j, R, F, act);
        stamp(j, t_in);
        if (!through) rows(j, w->mid, N, mq, w->sm + t, NULL, R, F, ldm);
        if (ldm == 0) SNC_TRY(snc_rt__linear(h, C, j, &m[SNC_SITE_FFN_OUT], out, w->mid, N, NULL, NULL, R, C, F, SNC_EPI_ADD));
        stamp(j, t_out);
    }
    if (ldm == 0) return SNC_OK;
    SNC_TRY(snc_rt__linear(w->h, C, j, &m[SNC_SITE_FFN_OUT], out, NULL, F, w->mq, w->sm, T, C, F, SNC_EPI_ADD));
    stamp(j, t_out);
    return SNC_OK;
}

/* The first layer from l on that has heads, or how many layers there are. */
static int next_heads(const snc_net *n, int l)
{
    while (l < n->arch.layers && n->arch.heads[l] == 0) l++;
    return l;
}

/* From whose attention on first tokens alone are read; of a mean and of tags that is nowhere so. */
static bool is_last(const snc_net *n, int l) { return snc_reads_first(&n->w->cfg) && l == snc_arch_last_heads(&n->arch); }

/* What is left of a half that is skipped, unless norms stand in front: the norm that stands before it, as the one behind it comes next. */
static void skip(snc_rt__job *j, snc_rt__norm norm, int T)
{
    int C = j->n->arch.hidden;
    rows(j, j->w->h, C, NULL, NULL, norm, T, C, 0);
}

/* The FFNs of layers [l, end), which have no attention between them. */
static snc_err ffns(snc_rt__job *j, int l, int end, int T)
{
    const snc_net *n = j->n;
    for (; l < end; l++) {
        double *times = j->w->times.layer[l];
        bool pre = snc_family_of(&n->w->cfg)->pre_norm;
        if (n->arch.heads[l] == 0 && (!pre || l == 0)) skip(j, norm_before(n, l), T);
        if (n->arch.ffn[l] == 0 && pre) continue;
        if (n->arch.ffn[l] == 0) skip(j, snc_rt__norm_at(n->w, SNC_ROLE_ATTENTION_NORM, n->arch.source[l]), T);
        else SNC_TRY(ffn(j, l, T, &times[SNC_PART_FFN_IN], &times[SNC_PART_FFN_OUT]));
    }
    return SNC_OK;
}

/* What follows the attention of layer l up to that of layer `next`: O, FFN, Q, K and V. Each row goes its own way. From the last
 * attention on T first tokens are left; before it the projections are not for the same rows, and are left out. */
static snc_err between(snc_rt__job *j, int l, int next, int T)
{
    snc_net *n = j->n;
    snc_rt__worker *w = j->w;
    const snc_rt__matrix *m = n->w->m[n->arch.source[l]];
    snc_dtype t = n->policy.linear[l][SNC_SITE_O];
    int C = n->arch.hidden, A = n->w->cfg.head_width * n->arch.heads[l];
    rows(j, w->att, A, w->xq, w->sx, NULL, T, A, ldq_of(t, A));
    SNC_TRY(snc_rt__linear(w->h, C, j, &m[SNC_SITE_O], t, w->att, A, w->xq, w->sx, T, C, A, SNC_EPI_ADD));
    stamp(j, &w->times.layer[l][SNC_PART_O]);
    SNC_TRY(ffns(j, l, next, T));
    if (next == n->arch.layers || is_last(n, next)) return SNC_OK;
    SNC_TRY(project(j, next, false));
    stamp(j, &w->times.layer[next][SNC_PART_QKV]);
    return SNC_OK;
}

/* The least rows that are worth a thread; tiles take 16 in the time of one. */
static int apart_rows(const snc_net *n) { return snc_isa_covers(n->isa, SNC_ISA_AMX) ? 16 : 8; }

typedef struct between_job {
    snc_rt__job *j;
    int l, next, parts;
    snc_err err;
} between_job;

/* Rows of one part by one thread: a worker whose buffers are those rows of the group's. */
static void between_range(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    between_job *b = payload;
    snc_rt__job part = *b->j;
    snc_net *n = part.n;
    snc_rt__worker w = *part.w;
    int unit = apart_rows(n), units = (part.T + unit - 1) / unit;
    int t0 = (int)(units * begin / b->parts) * unit, t1 = (int)(units * end / b->parts) * unit;
    size_t t = (size_t)t0, D = (size_t)n->w->cfg.head_width;
    size_t value = half_qkv(n, b->next, is_last(n, b->next)) ? sizeof(snc_bf16) : sizeof(float);
    (void)chunk;
    w.qkv = (float *)(void *)((char *)w.qkv + t * 3 * D * (size_t)n->arch.heads[b->next] * value);
    w.h += t * (size_t)n->arch.hidden;
    w.y += t * (size_t)n->arch.hidden;
    w.mid += t * (size_t)n->ldmid;
    w.att += t * D * (size_t)n->arch.heads[b->l];
    w.xq += t * (size_t)n->ldx;
    w.mq += t * (size_t)n->ldm;
    w.sx += t;
    w.sm += t;
    w.linear = n->worker[worker].linear;
    part.w = &w;
    part.ctx = &n->one;
    part.T = (t1 < part.T ? t1 : part.T) - t0;
    part.share /= b->parts;
    memset(&w.times, 0, sizeof w.times);
    snc_err err = between(&part, b->l, b->next, part.T);
    if (err != SNC_OK) b->err = err; /* any one of them */
    for (int l = b->l; l <= b->next; l++)
        for (int i = 0; i < SNC_PARTS; i++) n->worker[worker].times.layer[l][i] += w.times.layer[l][i];
}

/* Whether threads go apart with their rows, which saves the forks and joins of a layer at the price that each fetches all weights: that
 * costs what it takes longer than the rows' own products, and than a share of the weights. INT8 alone: its kernels ask for no threads. */
static bool rows_apart(const snc_rt__job *j, int l, int next)
{
    const snc_net *n = j->n;
    int threads = j->ctx->threads;
    if (threads == 1 || is_last(n, l) || next == n->arch.layers || j->T < apart_rows(n) * threads || n->ctx.backend == SNC_BACKEND_ONEDNN)
        return false;
    double wide = 4.0 * n->w->cfg.head_width * n->arch.heads[l];
    for (int i = l; i <= next; i++) {
        for (int s = 0; s < SNC_SITES; s++)
            if (snc_arch_has(&n->arch, i, s) && n->policy.linear[i][s] != SNC_I8) return false;
        wide += i < next ? 2.0 * n->arch.ffn[i] : 0;
    }
    double weights = n->arch.hidden * wide;
    double fetch = weights / FETCH_US, products = j->T * weights / (snc_isa_covers(n->isa, SNC_ISA_AMX) ? 2e6 : 3e5) / threads;
    return fetch - fmax(fetch / threads, products) < FORKS_US;
}

/* From the attention of layer l to the projections of layer `next`, the next that has heads. */
static snc_err layer(snc_rt__job *j, int l, int next)
{
    snc_net *n = j->n;
    bool last = is_last(n, l);
    attention(j, l, last);
    stamp(j, &j->w->times.layer[l][SNC_PART_ATTENTION]);
    if (rows_apart(j, l, next)) {
        between_job b = {j, l, next, j->ctx->threads, SNC_OK};
        snc_par_for(j->ctx, b.parts, 1, between_range, &b);
        if (n->profile) j->stamp = snc_now();
        SNC_TRY(b.err);
    } else {
        SNC_TRY(between(j, l, next, last ? j->b1 - j->b0 : j->T));
    }
    if (last || !is_last(n, next)) return SNC_OK;
    SNC_TRY(project(j, next, true));
    stamp(j, &j->w->times.layer[next][SNC_PART_QKV]);
    return SNC_OK;
}

/* ---- embeddings and head ---- */

static void embed_range(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    snc_rt__job *j = payload;
    const snc_net *n = j->n;
    const int32_t *at = j->x->offsets + j->b0;
    int E = snc_spec_embed_width(&n->w->cfg, &n->arch), e = n->policy.embed, base = snc_family_of(&n->w->cfg)->position_base;
    const snc_embed *type = n->w->embed[SNC_ROLE_TYPE][e], *position = n->w->embed[SNC_ROLE_POSITION][e];
    (void)chunk, (void)worker;
    for (int s = (int)begin; s < (int)end; s++)
        for (int t = at[s]; t < at[s + 1]; t++) {
            float *h = (n->w->cfg.embedding ? j->w->att : j->w->h) + (size_t)(t - at[0]) * (size_t)E;
            snc_embed_row(h, n->w->embed[SNC_ROLE_WORD][e], j->x->ids[t], E);
            if (position) snc_embed_add_row(h, position, base + t - at[s], E);
            if (type) snc_embed_add_row(h, type, n->w->cfg.types > 1 ? j->x->types[t] : 0, E);
        }
}

/* From the normalized rows of the tables to h, where they are of another width. */
static snc_err embed_project(snc_rt__job *j)
{
    const snc_net *n = j->n;
    snc_rt__worker *w = j->w;
    snc_dtype t = n->policy.embed;
    int C = n->arch.hidden, E = n->w->cfg.embedding;
    if (E == 0) return SNC_OK;
    rows(j, w->att, E, w->xq, w->sx, snc_rt__norm_at(n->w, SNC_ROLE_EMBED_NORM, 0), j->T, E, ldq_of(t, E));
    return snc_rt__linear(w->h, C, j, &n->w->projection, t, w->att, E, w->xq, w->sx, j->T, C, E, SNC_EPI_NONE);
}

static snc_epilogue head_act(snc_head h) { return h == SNC_HEAD_TANH ? SNC_EPI_TANH : h == SNC_HEAD_GELU ? SNC_EPI_GELU : SNC_EPI_RELU; }

/* Means over the tokens of each sequence to the front; row s never lies behind what it is made of. */
static void gather_mean(float *x, const snc_rt__job *j, int n)
{
    const int32_t *at = j->x->offsets + j->b0;
    for (int s = 0; s < j->b1 - j->b0; s++) {
        float *to = x + (size_t)s * (size_t)n, *from = x + (size_t)(at[s] - at[0]) * (size_t)n;
        int len = at[s + 1] - at[s];
        for (int t = 1; t < len; t++)
            for (int c = 0; c < n; c++) from[c] += from[(size_t)t * (size_t)n + (size_t)c];
        for (int c = 0; c < n; c++) to[c] = from[c] / (float)len;
    }
}

/* The tokens that are read to the front; how many they are. */
static int gather_read(float *x, const snc_rt__job *j, int n)
{
    const snc_tokens *t = j->x;
    const int from = t->offsets[j->b0], r0 = snc_tokens_answers_before(t, j->b0, true), R = snc_tokens_answers_before(t, j->b1, true) - r0;
    for (int r = 0; r < R && t->read; r++)
        memmove(x + (size_t)r * (size_t)n, x + (size_t)(t->read[r0 + r] - from) * (size_t)n, (size_t)n * sizeof *x);
    return R;
}

/* Pooler and classifier over the first tokens, which the last layer left in rows 0 .. B-1 of h, or over the means, or tokens. */
static snc_err head(float *logits, snc_rt__job *j, snc_rt__norm norm)
{
    snc_net *n = j->n;
    snc_rt__worker *w = j->w;
    const snc_weights *m = n->w;
    snc_dtype tp = n->policy.pooler, tc = n->policy.classifier;
    int B = j->b1 - j->b0, C = n->arch.hidden, K = m->cfg.classes;
    snc_head kind = snc_config_head(&m->cfg);
    float *x = w->h;
    if (!snc_reads_first(&m->cfg)) {
        keep_state(j);
        rows(j, x, C, NULL, NULL, norm, j->T, C, 0);
        if (m->cfg.tags) B = gather_read(x, j, C);
        else gather_mean(x, j, C);
        norm = NULL;
        if (B == 0) return SNC_OK; /* texts of no word */
    }
    if (kind != SNC_HEAD_NONE) {
        rows(j, x, C, w->xq, w->sx, norm, B, C, ldq_of(tp, C));
        SNC_TRY(snc_rt__linear(w->att, C, j, &m->pooler, tp, x, C, w->xq, w->sx, B, C, C, head_act(kind)));
        x = w->att;
        norm = snc_family_has(snc_family_of(&m->cfg), SNC_ROLE_POOLER_NORM) ? snc_rt__norm_at(m, SNC_ROLE_POOLER_NORM, 0) : NULL;
    }
    rows(j, x, C, w->xq, w->sx, norm, B, C, ldq_of(tc, C));
    if (tc != SNC_F32) return snc_rt__linear(logits, K, j, &m->classifier, tc, x, C, w->xq, w->sx, B, K, C, SNC_EPI_NONE);
    snc_infer_dot(logits, K, x, C, m->classifier.W, m->classifier.ld, m->classifier.b, B, K, C, n->isa);
    return SNC_OK;
}

/* h before the first layer that runs: of the tokens, or as another net has left it. */
static snc_err begin(snc_rt__job *j)
{
    if (j->state->from) {
        memcpy(j->w->h, state_of(j), (size_t)j->T * (size_t)j->n->arch.hidden * sizeof(float));
        return SNC_OK;
    }
    snc_par_for(j->ctx, j->b1 - j->b0, 1, embed_range, j);
    SNC_TRY(embed_project(j));
    stamp(j, &j->w->times.embed);
    return SNC_OK;
}

snc_err snc_rt__forward(float *logits, snc_rt__job *j)
{
    snc_net *n = j->n;
    j->T = j->x->offsets[j->b1] - j->x->offsets[j->b0];
    j->stamp = n->profile ? snc_now() : 0;
    SNC_TRY(begin(j));
    int l = next_heads(n, j->state->from);
    SNC_TRY(ffns(j, j->state->from, l, j->T));
    SNC_TRY(project(j, l, is_last(n, l)));
    stamp(j, &j->w->times.layer[l][SNC_PART_QKV]);
    for (int next; l < n->arch.layers; l = next) {
        SNC_TRY(snc_go_on(j->ctx)); /* a layer of a long text on a slow machine is a good part of a second */
        next = next_heads(n, l + 1);
        SNC_TRY(layer(j, l, next));
    }
    SNC_TRY(head(logits, j, norm_before(n, n->arch.layers)));
    stamp(j, &j->w->times.head);
    return SNC_OK;
}
