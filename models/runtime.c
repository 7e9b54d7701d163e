/* One function counts the workspace, without a block, and carves it, with one; batches are cut into groups of sequences that fit in L2. */
#include "models/runtime.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "core/infer.h"
#include "models/bundle.h"
#include "models/runtime_priv.h"

enum {
    GROUP_TOKENS = 256,  /* activations of a group stay in L2 while its weights stream once: tests/bench/SPEED.md; half as many a
                          * thread where threads share one: each has its rows in its own, and forks for more of them */
    PARALLEL_TOKENS = 64 /* below this many tokens a thread, threads share a group instead */
};

/* ---- workspace ---- */

typedef struct widths {
    int C, A, F, E; /* E: what a projection reads, 0 without one */
} widths;

static widths widest(const snc_weights *w)
{
    widths s = {.C = w->arch.hidden, .E = w->cfg.embedding};
    for (int l = 0; l < w->arch.layers; l++) {
        s.A = snc_max(s.A, w->cfg.head_width * w->arch.heads[l]);
        s.F = snc_max(s.F, w->arch.ffn[l]);
    }
    return s;
}

/* The next `bytes` of the block, or only the sum of sizes while `at` counts from NULL. */
static void *carve(uint8_t *base, size_t *used, size_t bytes)
{
    void *p = base ? base + *used : NULL;
    *used += snc_align_up(bytes, SNC_ALIGN);
    return p;
}

static size_t lay_out(snc_net *n, uint8_t *base)
{
    widths s = widest(n->w);
    const snc_family *family = snc_family_of(&n->w->cfg);
    size_t used = 0, f = sizeof(float), AC = (size_t)snc_max(s.E, snc_max(s.A, s.C));
    n->ldx = snc_quantized_stride((int)AC);
    n->ldm = snc_quantized_stride(s.F);
    n->ldmid = snc_family_neuron(family) * s.F;
    for (int i = 0; i < n->ctx.threads; i++) {
        snc_rt__worker *w = &n->worker[i];
        size_t rows = (size_t)(i == 0 ? n->shared_rows : n->rows);
        w->h = w->y = carve(base, &used, rows * (size_t)s.C * f);
        if (family->pre_norm) w->y = carve(base, &used, rows * (size_t)s.C * f);
        w->qkv = carve(base, &used, rows * 3 * (size_t)s.A * f);
        w->att = carve(base, &used, rows * AC * f);
        w->mid = carve(base, &used, rows * (size_t)n->ldmid * f);
        w->sx = carve(base, &used, rows * f);
        w->sm = carve(base, &used, rows * f);
        w->xq = carve(base, &used, rows * (size_t)n->ldx);
        w->mq = carve(base, &used, rows * (size_t)n->ldm);
        w->attention = carve(base, &used, snc_infer_attention_scratch(n->o.max_len, n->w->cfg.head_width));
        if (n->w->cfg.buckets) w->apart = carve(base, &used, 2 * (size_t)n->o.max_len * (size_t)n->o.max_len * f);
    }
    return used;
}

/* ---- binding a config ---- */

static bool uses_f32(const snc_weights *w, const snc_arch *a, const snc_policy *p)
{
    bool yes = p->pooler == SNC_F32 || (w->projection.N && p->embed == SNC_F32);
    for (int l = 0; l < a->layers; l++)
        for (int s = 0; s < SNC_SITES; s++) yes = yes || (snc_arch_has(a, l, s) && p->linear[l][s] == SNC_F32);
    return yes;
}

static size_t scratch_of(const snc_ctx *ctx, const snc_weights *w, const snc_arch *a, const snc_policy *p, int rows)
{
    size_t most = w->pooler.N ? snc_rt__matrix_scratch(&w->pooler, p->pooler, ctx, rows) : 0, b;
    if (w->projection.N && (b = snc_rt__matrix_scratch(&w->projection, p->embed, ctx, rows)) > most) most = b;
    if ((b = snc_rt__matrix_scratch(&w->classifier, p->classifier, ctx, rows)) > most) most = b;
    for (int l = 0; l < a->layers; l++)
        for (int s = 0; s < SNC_SITES; s++) {
            b = snc_arch_has(a, l, s) ? snc_rt__matrix_scratch(&w->m[a->source[l]][s], p->linear[l][s], ctx, rows) : 0;
            if (b > most) most = b;
        }
    return snc_align_up(most, SNC_ALIGN);
}

snc_err snc_net_rebind(snc_net *n, const snc_arch *arch, const snc_policy *policy)
{
    snc_weights *w = n->w;
    if (!arch) arch = &w->arch;
    if (!policy) policy = &w->policy;
    SNC_TRY(snc_weights_prepare(w, arch, policy));
    bool f32 = uses_f32(w, arch, policy);
    widths s = widest(w);
    if (f32 && !n->gemm)
        SNC_TRY(snc_gemm_create(&n->gemm, &n->ctx, SNC_COMPUTE_F32, n->shared_rows, snc_max(snc_max(s.C, s.E), snc_max(s.A, n->ldmid))));
    size_t shared = scratch_of(&n->ctx, w, arch, policy, n->shared_rows), own = scratch_of(&n->one, w, arch, policy, n->rows);
    size_t bytes = (shared > own ? shared : own) + (size_t)(n->ctx.threads - 1) * own;
    if (bytes > n->scratch_bytes) {
        uint8_t *p = NULL;
        SNC_TRY(snc_alloc(&p, bytes, 1));
        snc_free(n->scratch);
        n->scratch = p;
        n->scratch_bytes = bytes;
    }
    for (int i = 0; i < n->ctx.threads && n->scratch; i++) n->worker[i].linear = (uint8_t *)n->scratch + (i ? bytes - (size_t)i * own : 0);
    snc_rt__distances distances;
    SNC_TRY(snc_rt__distances_make(&distances, n, arch, policy));
    snc_free(n->distances.block);
    n->distances = distances;
    n->arch = *arch;
    n->policy = *policy;
    n->f32 = f32;
    return SNC_OK;
}

/* Tokens of a group that all threads share. */
static int shared_limit(const snc_net *n) { return GROUP_TOKENS * snc_max(1, snc_min(n->ctx.threads, 1024) / 2); }

snc_err snc_net_create(snc_net **out, const snc_ctx *ctx, snc_weights *w, const snc_arch *arch, const snc_policy *policy,
                       const snc_net_opts *o)
{
    snc_err err = SNC_OK;
    snc_net *n = NULL;
    SNC_CHECK(o->max_tokens >= 1 && o->max_seqs >= 1 && o->max_len >= 1, SNC_E_ARG,
              "a net needs room for at least one token, sequence and position");
    SNC_CHECK(ctx->threads >= 1, SNC_E_ARG, "threads must be at least 1");
    SNC_TRY(snc_alloc(&n, 1, sizeof *n));
    n->ctx = n->one = *ctx;
    n->one.threads = 1;
    n->one.status = NULL; /* of threads beside each other */
    n->w = w;
    n->o = *o;
    n->o.max_len = snc_min(o->max_len, snc_family_length(&w->cfg));
    n->isa = ctx->backend == SNC_BACKEND_REF ? SNC_ISA_SCALAR : snc_isa_now();
    n->rows = snc_max(n->o.max_len, snc_min(o->max_tokens, GROUP_TOKENS));
    n->shared_rows = snc_max(n->rows, snc_min(o->max_tokens, shared_limit(n)));
    SNC_GOTO(snc_alloc(&n->worker, (size_t)ctx->threads, sizeof *n->worker));
    SNC_GOTO(snc_alloc(&n->group, (size_t)o->max_seqs + 1, sizeof *n->group));
    SNC_GOTO(snc_alloc(&n->block, lay_out(n, NULL), 1));
    lay_out(n, n->block);
    SNC_GOTO(snc_net_rebind(n, arch, policy));
    *out = n;
    return SNC_OK;
out:
    snc_net_free(n);
    return err;
}

void snc_net_free(snc_net *n)
{
    if (!n) return;
    snc_gemm_free(n->gemm);
    snc_free(n->scratch);
    snc_free(n->block);
    snc_free(n->group);
    snc_free(n->distances.block);
    snc_free(n->worker);
    snc_free(n);
}

const snc_arch *snc_net_arch(const snc_net *n) { return &n->arch; }
const snc_policy *snc_net_policy(const snc_net *n) { return &n->policy; }
int snc_net_longest(const snc_net *n) { return n->o.max_len; }

int snc_net_handover(const snc_net *small, const snc_net *large)
{
    return small->w->file && large->w->file ? snc_bundle_handover(small->w->file, large->w->file) : 0;
}

/* ---- running ---- */

static snc_err check_batch(const snc_net *n, const snc_tokens *x)
{
    const snc_encoder_config *c = &n->w->cfg;
    SNC_CHECK(x->B >= 1 && x->B <= n->o.max_seqs, SNC_E_SHAPE, "a batch of %d sequences, expected 1 to %d", x->B, n->o.max_seqs);
    SNC_CHECK(x->T <= n->o.max_tokens && x->offsets[0] == 0 && x->offsets[x->B] == x->T, SNC_E_SHAPE,
              "a batch of %d tokens, expected at most %d, with offsets from 0 to their number", x->T, n->o.max_tokens);
    for (int b = 0; b < x->B; b++) {
        int len = x->offsets[b + 1] - x->offsets[b];
        SNC_CHECK(len >= 1 && len <= n->o.max_len, SNC_E_SHAPE, "sequence %d has %d tokens, expected 1 to %d", b, len, n->o.max_len);
    }
    for (int i = 0; c->tags && x->read && i < x->R; i++)
        SNC_CHECK(x->read[i] > (i ? x->read[i - 1] : -1) && x->read[i] < x->T, SNC_E_SHAPE, "token %d of %d is read, behind %d",
                  (int)x->read[i], x->T, i ? (int)x->read[i - 1] : -1);
    for (int t = 0; t < x->T; t++) {
        SNC_CHECK(x->ids[t] >= 0 && x->ids[t] < c->vocab, SNC_E_ARG, "token %d has id %d, expected 0 to %d", t, x->ids[t], c->vocab - 1);
        SNC_CHECK(c->types <= 1 || (x->types[t] >= 0 && x->types[t] < c->types), SNC_E_ARG, "token %d has type %d, expected 0 to %d", t,
                  x->types[t], c->types - 1);
    }
    return SNC_OK;
}

/* Cuts the batch into groups of whole sequences of at most `limit` tokens (a longer sequence is a group of its own) and
 * of nearly equal size, as many as a multiple of the workers where there are sequences enough. */
static int plan_groups(snc_net *n, const snc_tokens *x, int limit, int workers)
{
    int groups = (x->T + limit - 1) / limit, g = 0;
    groups = (groups + workers - 1) / workers * workers;
    n->group[0] = 0;
    for (int b = 1; b <= x->B; b++) {
        int used = x->offsets[b] - x->offsets[n->group[g]];
        int next = b < x->B ? x->offsets[b + 1] - x->offsets[b] : 0;
        /* closes where the next sequence would pass the limit or this group's share of what is left */
        int left = x->T - x->offsets[n->group[g]], share = groups - g > 1 ? left / (groups - g) : limit;
        if (b == x->B || used + next > limit || used + next / 2 >= share) n->group[++g] = b;
    }
    return g;
}

/* Whether no worker waits for one with more than half as many tokens again as its share. */
static bool is_even(const snc_net *n, const snc_tokens *x, int groups)
{
    int threads = n->ctx.threads, most = 0;
    for (int t = 0; t < threads; t++) {
        int64_t g0 = snc_par_share(groups, t, threads), g1 = snc_par_share(groups, t + 1, threads);
        most = snc_max(most, x->offsets[n->group[g1]] - x->offsets[n->group[g0]]);
    }
    return 2 * (int64_t)most * threads <= 3 * (int64_t)x->T;
}

typedef struct batch_job {
    snc_net *n;
    const snc_tokens *x;
    float *logits;
    const snc_net_state *state;
    const snc_ctx *inner; /* threads of each group */
    double share;         /* of the wall clock that a second of one group's stands for */
} batch_job;

static void run_groups(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const batch_job *b = payload;
    snc_net *n = b->n;
    snc_rt__worker *w = &n->worker[worker];
    (void)chunk;
    for (int64_t g = begin; g < end && w->err == SNC_OK; g++) {
        snc_rt__job j = {
            .n = n, .w = w, .ctx = b->inner, .x = b->x, .b0 = n->group[g], .b1 = n->group[g + 1], .state = b->state, .share = b->share};
        const int first = snc_tokens_answers_before(b->x, j.b0, n->w->cfg.tags);
        w->err = snc_rt__forward(b->logits + (size_t)first * (size_t)n->w->cfg.classes, &j);
        if (w->err != SNC_OK) snprintf(w->text, sizeof w->text, "%s", snc_err_text());
    }
}

int snc_logits_bad(const float *logits, int B, int K)
{
    for (int64_t i = 0; i < (int64_t)B * K; i++)
        if (!isfinite(logits[i])) return (int)(i / K);
    return -1;
}

static snc_err check_logits(const snc_net *n, const float *logits, const snc_tokens *x)
{
    const bool tags = n->w->cfg.tags;
    const int bad = snc_logits_bad(logits, snc_tokens_answers(x, tags), n->w->cfg.classes);
    SNC_CHECK(bad < 0, SNC_E_DIVERGED, "sequence %d of %d: its logits are not finite", snc_tokens_answered(x, bad, tags) + 1, x->B);
    return SNC_OK;
}

snc_err snc_net_run(float *logits, snc_net *n, const snc_tokens *x)
{
    return snc_net_run_state(logits, n, x, &(snc_net_state){NULL, 0, false});
}

snc_err snc_net_run_state(float *logits, snc_net *n, const snc_tokens *x, const snc_net_state *state)
{
    assert(state->h || (!state->from && !state->keep));
    assert(state->from >= 0 && state->from <= snc_arch_last_heads(&n->arch));
    SNC_TRY(check_batch(n, x));
    SNC_TRY(snc_go_on(&n->ctx));
    int threads = n->ctx.threads;
    bool apart = threads > 1 && !n->f32 && x->B >= threads && x->T >= threads * PARALLEL_TOKENS;
    int groups = apart ? plan_groups(n, x, GROUP_TOKENS, threads) : 0;
    apart = apart && is_even(n, x, groups);
    if (!apart) groups = plan_groups(n, x, snc_min(n->shared_rows, shared_limit(n)), 1);
    batch_job b = {n, x, logits, state, apart ? &n->one : &n->ctx, apart ? 1.0 / threads : 1.0};
    if (apart) snc_par_for(&n->ctx, groups, 1, run_groups, &b);
    else run_groups(&b, 0, groups, 0, 0);
    n->runs++;
    snc_err err = SNC_OK;
    for (int i = 0; i < threads; i++) {
        snc_rt__worker *w = &n->worker[i];
        if (w->err != SNC_OK && err == SNC_OK) err = snc_err_set(w->err, "%s", w->text);
        w->err = SNC_OK;
    }
    return err == SNC_OK ? check_logits(n, logits, x) : err;
}

/* ---- profile ---- */

void snc_net_profile(snc_net *n, bool on)
{
    n->profile = on;
    if (!on) return;
    n->runs = 0;
    for (int i = 0; i < n->ctx.threads; i++) memset(&n->worker[i].times, 0, sizeof n->worker[i].times);
}

void snc_net_times_get(snc_net_times *out, const snc_net *n)
{
    memset(out, 0, sizeof *out);
    out->runs = n->runs;
    for (int i = 0; i < n->ctx.threads; i++) {
        const snc_net_times *t = &n->worker[i].times;
        out->embed += t->embed;
        out->head += t->head;
        for (int l = 0; l < n->arch.layers; l++)
            for (int p = 0; p < SNC_PARTS; p++) out->layer[l][p] += t->layer[l][p];
    }
}
