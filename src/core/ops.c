/* The plan, the cut into chunks and the joining of partial sums; the arithmetic is in the kernels. */
#include "core/ops.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "core/ops_priv.h"

const snc_kernels *snc_kernels_pick(const snc_ctx *ctx)
{
#if defined(__x86_64__)
    snc_isa isa = snc_isa_now();
    if (ctx->backend != SNC_BACKEND_REF && snc_isa_covers(isa, SNC_ISA_AVX512)) return &snc_kernels_avx512;
    if (ctx->backend != SNC_BACKEND_REF && snc_isa_covers(isa, SNC_ISA_AVX2)) return &snc_kernels_avx2;
#elif defined(__aarch64__)
    if (ctx->backend != SNC_BACKEND_REF && snc_isa_covers(snc_isa_now(), SNC_ISA_NEON)) return &snc_kernels_neon;
#else
    (void)ctx;
#endif
    return &snc_kernels_ref;
}

snc_err snc_ops_create(snc_ops **out, const snc_ctx *ctx, const snc_ops_limits *max)
{
    snc_ops *o;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&o, 1, sizeof *o));
    o->ctx = ctx;
    o->k = snc_kernels_pick(ctx);
    o->narrow = o->k->narrow;
#if defined(__x86_64__)
    if (o->k == &snc_kernels_avx512 && snc_isa_covers(snc_isa_now(), SNC_ISA_BF16)) o->narrow = snc_ops__narrow_native;
#endif
    o->max = *max;
    size_t head = snc_head_scratch(max->len, max->head_width), row = (size_t)max->width;
    o->run = max->relative ? snc_align_up(2 * (size_t)max->len + SNC_QUERY_BLOCK, SNC_ALIGN / sizeof(float)) : 0;
    o->scratch_each = snc_align_up(head > row ? head : row, SNC_ALIGN / sizeof(float)) + 2 * o->run;
    size_t chunks = (size_t)max->rows / SNC_OPS_GRAIN + 1, parts = chunks > (size_t)max->seqs ? chunks : (size_t)max->seqs;
    SNC_GOTO(snc_alloc(&o->partial, parts * 3 * (size_t)max->width, sizeof *o->partial));
    SNC_GOTO(snc_alloc(&o->relative, (size_t)max->seqs * (size_t)max->relative + 1, sizeof *o->relative));
    SNC_GOTO(snc_alloc(&o->scratch, o->scratch_each * (size_t)ctx->threads, sizeof *o->scratch));
    SNC_GOTO(snc_alloc(&o->distance, snc_ops__distance_scratch(max) * (size_t)ctx->threads, sizeof *o->distance));
    SNC_GOTO(snc_alloc(&o->turned, snc_ops__distance_turned(max), sizeof *o->turned));
    *out = o;
    return SNC_OK;
out:
    snc_ops_free(o);
    return err;
}

void snc_ops_free(snc_ops *o)
{
    if (!o) return;
    snc_free(o->partial);
    snc_free(o->relative);
    snc_free(o->scratch);
    snc_free(o->distance);
    snc_free(o->turned);
    snc_free(o);
}

snc_mask snc_mask_make(uint64_t seed, uint64_t step, uint64_t site, float rate)
{
    uint64_t h = snc_hash64(seed ^ snc_hash64(step ^ snc_hash64(site)));
    uint32_t threshold = (uint32_t)lrintf(rate * 65536.0f);
    if (threshold > 65535) threshold = 65535;
    return (snc_mask){.key = {(uint32_t)h, (uint32_t)(h >> 32)}, .threshold = threshold, .scale = 65536.0f / (65536.0f - (float)threshold)};
}

/* ---- joining partial sums ----------------------------------------------------------------------------------------- */

typedef struct join_job {
    float *dst;
    const float *part;
    int64_t parts, stride;
} join_job;

static void join_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const join_job *j = p;
    (void)chunk, (void)worker;
    for (int64_t k = 0; k < j->parts; k++)
        for (int64_t c = begin; c < end; c++) j->dst[c] += j->part[k * j->stride + c];
}

void snc_ops__join(float *dst, const snc_ops *o, const float *part, int64_t parts, int64_t stride, int n)
{
    join_job j = {dst, part, parts, stride};
    if (dst) snc_par_for(o->ctx, n, parts * n > 100000 ? 256 : n, join_body, &j);
}

/* ---- dropout alone ------------------------------------------------------------------------------------------------ */

typedef struct mask_job {
    const snc_ops *o;
    float *x;
    const snc_mask *m;
    int n;
} mask_job;

static int mask_row(const snc_mask *m, int64_t row) { return (int)(m->row + (uint32_t)row); }

static void mask_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const mask_job *j = p;
    (void)chunk, (void)worker;
    j->o->k->mask_apply(j->x + begin * j->n, j->m, mask_row(j->m, begin), (int)(end - begin), j->n);
}

void snc_mask_apply(float *x, snc_ops *o, int rows, int n, const snc_mask *m)
{
    assert(rows >= 0 && rows <= o->max.rows && n <= o->max.width);
    mask_job j = {o, x, m, n};
    if (m->threshold) snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, mask_body, &j);
}

/* ---- LayerNorm ---------------------------------------------------------------------------------------------------- */

typedef struct norm_job {
    const snc_ops *o;
    snc_bf16 *out16;
    float *y, *s, *dx, *stats;
    const float *in, *dy, *gamma, *beta, *cs, *cstats, *past;
    const snc_mask *m;
    int n;
    float eps;
} norm_job;

static void norm_forward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const norm_job *j = p;
    int64_t at = begin * j->n;
    (void)chunk, (void)worker;
    j->o->k->norm_forward(j->y + at, j->s + at, j->stats + 2 * begin, j->in ? j->in + at : NULL, j->gamma, j->beta, mask_row(j->m, begin),
                          (int)(end - begin), j->n, j->eps, j->m);
    if (j->out16) j->o->narrow(j->out16 + at, j->n, j->y + at, j->n, (int)(end - begin), j->n);
}

void snc_norm_forward(float *y, snc_bf16 *y16, float *s, float *stats, snc_ops *o, const float *r, const float *gamma, const float *beta,
                      int rows, int n, float eps, const snc_mask *m)
{
    assert(rows >= 0 && rows <= o->max.rows && n >= 1 && n <= o->max.width);
    norm_job j = {.o = o, .out16 = y16, .y = y, .s = s, .stats = stats, .in = r, .gamma = gamma, .beta = beta, .m = m, .n = n, .eps = eps};
    snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, norm_forward_body, &j);
}

static void norm_backward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const norm_job *j = p;
    int64_t at = begin * j->n;
    (void)worker;
    j->o->k->norm_backward(j->y + at, j->dx ? j->dx + at : NULL, j->o->partial + chunk * 3 * j->n, j->dy + at, j->cs + at,
                           j->cstats + 2 * begin, j->gamma, j->past ? j->past + at : NULL, mask_row(j->m, begin), (int)(end - begin), j->n,
                           j->m);
    const float *dx = j->m->threshold ? j->dx : j->y;
    if (j->out16) j->o->narrow(j->out16 + at, j->n, dx + at, j->n, (int)(end - begin), j->n);
}

void snc_norm_backward(float *ds, float *dx, snc_bf16 *dx16, float *dgamma, float *dbeta, float *dbias, snc_ops *o, const float *dy,
                       const float *s, const float *stats, const float *gamma, const float *past, int rows, int n, const snc_mask *m)
{
    assert(dx || !m->threshold);
    assert(rows >= 0 && rows <= o->max.rows && n >= 1 && n <= o->max.width);
    norm_job j = {.o = o, .out16 = dx16, .y = ds, .dx = dx, .dy = dy, .cs = s, .cstats = stats, .gamma = gamma, .m = m, .n = n};
    j.past = past;
    snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, norm_backward_body, &j);
    snc_ops__join(dgamma, o, o->partial, snc_ops__chunks(rows), 3 * (int64_t)n, n);
    snc_ops__join(dbeta, o, o->partial + n, snc_ops__chunks(rows), 3 * (int64_t)n, n);
    snc_ops__join(dbias, o, o->partial + 2 * (size_t)n, snc_ops__chunks(rows), 3 * (int64_t)n, n);
}

/* ---- activations -------------------------------------------------------------------------------------------------- */

typedef struct act_job {
    const snc_ops *o;
    float *a, *d;
    const float *h;
    int n;
    snc_ops_act act;
} act_job;

static void act_forward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const act_job *j = p;
    int64_t at = begin * j->n;
    (void)chunk, (void)worker;
    j->o->k->act_forward[j->act](j->a + at, j->d ? j->d + at : NULL, j->h + at, (end - begin) * j->n);
}

void snc_act_forward(float *a, float *d, snc_ops *o, const float *h, int rows, int n, snc_ops_act act)
{
    assert(a != d);
    assert(rows >= 0 && rows <= o->max.rows && n <= o->max.width && act < SNC_OPS_ACTS);
    act_job j = {o, a, d, h, n, act};
    snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, act_forward_body, &j);
}

static void act_backward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const act_job *j = p;
    (void)worker;
    j->o->k->act_backward(j->a + begin * j->n, j->o->partial + chunk * j->n, j->h + begin * j->n, (int)(end - begin), j->n, j->n, j->n);
}

void snc_act_backward(float *dh, float *dbias, snc_ops *o, const float *d, int rows, int n)
{
    assert(rows >= 0 && rows <= o->max.rows && n <= o->max.width);
    act_job j = {.o = o, .a = dh, .h = d, .n = n};
    snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, act_backward_body, &j);
    snc_ops__join(dbias, o, o->partial, snc_ops__chunks(rows), n, n);
}

static void act_forward_rows(void *user, float *y, int ld, int m0, int n0, int rows, int cols, int worker)
{
    const snc_act_rows *b = user;
    const snc_ops *o = b->o;
    float *d = b->d ? o->scratch + (size_t)worker * o->scratch_each : NULL;
    for (int r = 0; r < rows; r++, y += ld) {
        int64_t at = (int64_t)(m0 + r) * b->n + n0;
        o->k->act_forward[b->act](y, d, y, cols);
        o->narrow(b->a + at, b->n, y, ld, 1, cols);
        if (d) o->narrow(b->d + at, b->n, d, cols, 1, cols);
    }
}

/* In strips of columns, whose widened slopes stay in L1. */
static void act_backward_rows(void *user, float *y, int ld, int m0, int n0, int rows, int cols, int worker)
{
    enum { STRIP = 128 };
    const snc_act_rows *b = user;
    const snc_ops *o = b->o;
    _Alignas(64) float d[SNC_OPS_GRAIN * STRIP];
    (void)worker;
    for (int r = 0; r < rows; r += SNC_OPS_GRAIN) {
        int part = rows - r < SNC_OPS_GRAIN ? rows - r : SNC_OPS_GRAIN;
        int64_t at = (int64_t)(m0 + r) * b->n + n0;
        float *dh = y + (int64_t)r * ld, *sums = o->partial + (int64_t)((m0 + r) / SNC_OPS_GRAIN) * b->n + n0;
        for (int c = 0; c < cols; c += STRIP) {
            int n = cols - c < STRIP ? cols - c : STRIP;
            o->k->widen(d, STRIP, b->d + at + c, b->n, part, n);
            o->k->act_backward(dh + c, sums + c, d, part, n, ld, STRIP);
        }
        o->narrow(b->a + at, b->n, dh, ld, part, cols);
    }
}

snc_gemm_sink snc_act_forward_sink(snc_act_rows *b) { return (snc_gemm_sink){act_forward_rows, b}; }

snc_gemm_sink snc_act_backward_sink(snc_act_rows *b) { return (snc_gemm_sink){act_backward_rows, b}; }

void snc_act_end(float *dbias, snc_ops *o, int rows, int n)
{
    assert(rows >= 0 && rows <= o->max.rows && n <= o->max.width);
    snc_ops__join(dbias, o, o->partial, snc_ops__chunks(rows), n, n);
}

typedef struct round_job {
    const snc_ops *o;
    snc_bf16 *to;
    const float *x;
    int n;
} round_job;

static void round_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const round_job *j = p;
    (void)chunk, (void)worker;
    j->o->narrow(j->to + begin * j->n, j->n, j->x + begin * j->n, j->n, (int)(end - begin), j->n);
}

void snc_round(snc_bf16 *x16, snc_ops *o, const float *x, int rows, int n)
{
    round_job j = {o, x16, x, n};
    snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, round_body, &j);
}

static void col_sum_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const act_job *j = p;
    (void)worker;
    j->o->k->col_sum(j->o->partial + chunk * j->n, j->h + begin * j->n, (int)(end - begin), j->n, j->n);
}

void snc_col_sum(float *db, snc_ops *o, const float *x, int rows, int n)
{
    assert(rows >= 0 && rows <= o->max.rows && n <= o->max.width);
    act_job j = {.o = o, .h = x, .n = n};
    snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, col_sum_body, &j);
    snc_ops__join(db, o, o->partial, snc_ops__chunks(rows), n, n);
}

/* ---- attention ---------------------------------------------------------------------------------------------------- */

typedef struct attention_job {
    const snc_ops *o;
    const snc_attention *at;
    float *out, *stats;
    snc_bf16 *out16;
    float *const *d;
    snc_bf16 *const *d16;
    const float *q, *k, *v, *dout, *kept;
} attention_job;

/* Fills h for item = sequence * heads + head and returns the query row it starts at. */
static int head_of(snc_head *h, const attention_job *j, int64_t item, int worker)
{
    const snc_attention *at = j->at;
    int seq = (int)(item / at->heads), head = (int)(item % at->heads), ld = at->heads * at->head_width;
    int first = at->x->offsets[seq], keys = at->x->offsets[seq + 1] - first, row = at->first_only ? seq : first;
    size_t col = (size_t)head * at->head_width;
    *h = (snc_head){
        .keys = keys,
        .queries = at->first_only ? (keys > 0) : keys,
        .width = at->head_width,
        .ld = ld,
        .scale = 1.0f / sqrtf((float)(at->head_width * (at->distances.key ? SNC_DISTANCE_PARTS : 1))),
        .q = j->q + (size_t)row * ld + col,
        .k = j->k + (size_t)first * ld + col,
        .v = j->v + (size_t)first * ld + col,
        .scratch = j->o->scratch + (size_t)worker * j->o->scratch_each,
        .mask = &at->mask,
        .mask_row = (at->mask.row + (uint32_t)first) * (uint32_t)at->heads + (uint32_t)head,
        .mask_step = (uint32_t)at->heads,
    };
    return row;
}

/* The bias of the head, and room for its gradient. Scores are scaled behind it: one by distance is divided by that before. */
static void lay_bias(snc_head *h, const attention_job *j, int head, int worker)
{
    const snc_relative *r = &j->at->relative;
    const snc_ops *o = j->o;
    size_t used = 2 * (size_t)h->keys - 1;
    float *run = h->scratch + o->scratch_each - 2 * o->run, *drun = run + o->run;
    if (j->at->distances.key) snc_ops__distance_lay(h, o, &j->at->distances, head, worker, j->dout);
    if (!r->table) return;
    snc_relative_expand(run, r, head, h->keys, 1.0f / h->scale, true);
    memset(run + used, 0, (o->run - used) * sizeof *run);
    h->bias = run + h->keys - 1;
    h->bias_step = -1;
    if (!j->dout || !r->grad) return;
    memset(drun, 0, o->run * sizeof *drun);
    h->dbias = drun + h->keys - 1;
}

/* What lay_bias gathered, by bucket, into the sums of the sequence. */
static void fold_bias(const snc_head *h, const attention_job *j, int seq, int head)
{
    const snc_relative *r = &j->at->relative;
    float *sums = j->o->relative + (size_t)seq * (size_t)j->o->max.relative + (size_t)head * (size_t)r->buckets;
    if (!h->dbias) return;
    memset(sums, 0, (size_t)r->buckets * sizeof *sums);
    snc_relative_fold(sums, r, h->dbias - (h->keys - 1), h->keys, 1.0f / h->scale);
}

/* The same head of the next sequence, on its way to the cache while this one is computed: a head's rows are too far apart
 * for the CPU to guess. */
static void fetch_next(const attention_job *j, int64_t item)
{
    const snc_attention *at = j->at;
    int seq = (int)(item / at->heads) + 1, head = (int)(item % at->heads), ld = at->heads * at->head_width;
    if (seq >= at->x->B) return;
    for (int t = at->x->offsets[seq]; t < at->x->offsets[seq + 1]; t++)
        for (int c = 0; c < at->head_width; c += 16) {
            size_t to = (size_t)t * ld + (size_t)head * at->head_width + (size_t)c;
            __builtin_prefetch(j->k + to, 0, 2);
            __builtin_prefetch(j->v + to, 0, 2);
            if (at->first_only) continue;
            __builtin_prefetch(j->q + to, 0, 2);
            if (j->dout) __builtin_prefetch(j->dout + to, 0, 2);
        }
}

static int query_rows(const snc_attention *at) { return at->first_only ? at->x->B : at->x->T; }

static void attention_forward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const attention_job *j = p;
    int rows = query_rows(j->at), ld = j->at->heads * j->at->head_width;
    (void)chunk;
    for (int64_t item = begin; item < end; item++) {
        snc_head h;
        fetch_next(j, item);
        int row = head_of(&h, j, item, worker), head = (int)(item % j->at->heads);
        float *top = j->stats + (size_t)head * rows + row, *inv = top + (size_t)j->at->heads * rows;
        lay_bias(&h, j, head, worker);
        size_t out = (size_t)row * ld + (size_t)head * h.width;
        j->o->k->head_forward(j->out + out, top, inv, &h);
        if (j->out16) j->o->narrow(j->out16 + out, ld, j->out + out, ld, h.queries, h.width);
    }
}

static void turn_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const attention_job *j = p;
    (void)chunk, (void)worker;
    for (int64_t head = begin; head < end; head++)
        snc_ops__distance_turn(j->o, &j->at->distances, (int)head, j->at->heads, j->at->head_width);
}

static void check_attention(const snc_ops *o, const snc_attention *at)
{
    assert(at->heads * at->head_width <= o->max.width && at->head_width <= o->max.head_width && at->x->B <= o->max.seqs);
    assert(!at->relative.table || at->heads * at->relative.buckets <= o->max.relative);
    assert(!at->distances.key ||
           (2 * at->distances.reach + 1 <= o->max.distances && at->distances.len <= o->max.len && !at->relative.table));
}

void snc_attention_forward(float *out, snc_bf16 *out16, float *stats, snc_ops *o, const float *q, const float *k, const float *v,
                           const snc_attention *at)
{
    check_attention(o, at);
    attention_job j = {.o = o, .at = at, .out = out, .out16 = out16, .stats = stats, .q = q, .k = k, .v = v};
    if (at->distances.key) snc_par_for(o->ctx, at->heads, 1, turn_body, &j);
    snc_par_for(o->ctx, (int64_t)at->x->B * at->heads, 1, attention_forward_body, &j);
}

static void attention_backward_item(const attention_job *j, int64_t item, int worker)
{
    const snc_kernels *kern = j->o->k;
    int rows = query_rows(j->at), ld = j->at->heads * j->at->head_width;
    snc_head h;
    fetch_next(j, item);
    int row = head_of(&h, j, item, worker), seq = (int)(item / j->at->heads), head = (int)(item % j->at->heads);
    size_t col = (size_t)head * h.width, q_at = (size_t)row * ld + col, k_at = (size_t)j->at->x->offsets[seq] * ld + col;
    const float *top = j->kept + (size_t)head * rows + row, *inv = top + (size_t)j->at->heads * rows;
    float *sums = j->o->partial + (size_t)seq * 3 * ld + col;
    lay_bias(&h, j, head, worker);
    kern->head_backward(j->d[0] + q_at, j->d[1] + k_at, j->d[2] + k_at, &h, j->dout + q_at, top, inv);
    if (j->at->distances.key) snc_ops__distance_back(j->d[0] + q_at, j->d[1] + k_at, &h, j->o, &j->at->distances, head, worker);
    else fold_bias(&h, j, seq, head);
    for (int i = 0; i < 3; i++) {
        size_t from = i ? k_at : q_at;
        int n = i ? h.keys : h.queries;
        kern->col_sum(sums + i * ld, j->d[i] + from, n, h.width, ld);
        if (j->d16) j->o->narrow(j->d16[i] + from, ld, j->d[i] + from, ld, n, h.width);
    }
}

static void attention_backward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk;
    for (int64_t item = begin; item < end; item++) attention_backward_item(p, item, worker);
}

/* A head of all sequences, one behind the other: their gradients of the tables of distances add up. */
static void distances_backward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const attention_job *j = p;
    (void)chunk;
    for (int64_t head = begin; head < end; head++) {
        snc_ops__distance_turn(j->o, &j->at->distances, (int)head, j->at->heads, j->at->head_width);
        snc_ops__distance_clear(&j->at->distances, (int)head, j->at->heads, j->at->head_width);
        for (int b = 0; b < j->at->x->B; b++) attention_backward_item(j, (int64_t)b * j->at->heads + head, worker);
    }
}

void snc_attention_backward(float *const d[3], snc_bf16 *const d16[3], float *const db[3], snc_ops *o, const float *dout, const float *q,
                            const float *k, const float *v, const float *stats, const snc_attention *at)
{
    check_attention(o, at);
    int A = at->heads * at->head_width, B = at->x->B;
    attention_job j = {.o = o, .at = at, .d = d, .d16 = d16, .q = q, .k = k, .v = v, .dout = dout, .kept = stats};
    if (at->distances.key) snc_par_for(o->ctx, at->heads, 1, distances_backward_body, &j);
    else snc_par_for(o->ctx, (int64_t)B * at->heads, 1, attention_backward_body, &j);
    for (int i = 0; i < 3; i++) snc_ops__join(db[i], o, o->partial + i * A, B, 3 * (int64_t)A, A);
    if (at->relative.table) snc_ops__join(at->relative.grad, o, o->relative, B, o->max.relative, at->heads * at->relative.buckets);
}

/* ---- embedding tables --------------------------------------------------------------------------------------------- */

typedef struct embed_job {
    float *s, *dword, *dposition, *dtype;
    const float *word, *position, *type, *ds;
    const snc_tokens *x;
    int n, ld;
} embed_job;

static void embed_forward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const embed_job *j = p;
    (void)chunk, (void)worker;
    for (int64_t b = begin; b < end; b++)
        for (int32_t first = j->x->offsets[b], t = first; t < j->x->offsets[b + 1]; t++) {
            const float *w = j->word + (size_t)j->x->ids[t] * j->ld, *q = j->position ? j->position + (size_t)(t - first) * j->ld : NULL;
            const float *e = j->type ? j->type + (size_t)j->x->types[t] * j->ld : NULL;
            float *s = j->s + (size_t)t * j->n;
            if (!q) memcpy(s, w, (size_t)j->n * sizeof *s);
            else if (e)
                for (int c = 0; c < j->n; c++) s[c] = w[c] + q[c] + e[c];
            else
                for (int c = 0; c < j->n; c++) s[c] = w[c] + q[c];
        }
}

void snc_embed_forward(float *s, snc_ops *o, const float *word, const float *position, const float *type, const snc_tokens *x, int n,
                       int ld)
{
    assert(n >= 1 && n <= ld && x->T <= o->max.rows && (position || !type));
    embed_job j = {.s = s, .word = word, .position = position, .type = type, .x = x, .n = n, .ld = ld};
    snc_par_for(o->ctx, x->B, 1, embed_forward_body, &j);
}

/* Cut by columns, so that rows of a table are summed in token order whoever does it. */
static void embed_backward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const embed_job *j = p;
    (void)chunk, (void)worker;
    for (int b = 0; b < j->x->B; b++)
        for (int32_t first = j->x->offsets[b], t = first; t < j->x->offsets[b + 1]; t++) {
            float *w = j->dword + (size_t)j->x->ids[t] * j->ld, *q = j->dposition ? j->dposition + (size_t)(t - first) * j->ld : NULL;
            float *e = j->dtype ? j->dtype + (size_t)j->x->types[t] * j->ld : NULL;
            const float *ds = j->ds + (size_t)t * j->n;
            for (int64_t c = begin; c < end; c++) w[c] += ds[c];
            for (int64_t c = begin; c < end && q; c++) q[c] += ds[c];
            if (!e) continue;
            for (int64_t c = begin; c < end; c++) e[c] += ds[c];
        }
}

void snc_embed_backward(float *dword, float *dposition, float *dtype, snc_ops *o, const float *ds, const snc_tokens *x, int n, int ld)
{
    assert(n >= 1 && n <= ld && x->T <= o->max.rows);
    embed_job j = {.ds = ds, .dword = dword, .dposition = dposition, .dtype = dtype, .x = x, .n = n, .ld = ld};
    snc_par_for(o->ctx, n, 64, embed_backward_body, &j);
}
