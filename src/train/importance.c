/* One walk over the table of parameters: what the columns and rows of a matrix belong to says which units its W . dW is added to. */
#include "train/importance.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/room.h"
#include "data/balance.h"
#include "base/par.h"
#include "data/dataset_ranks.h"
#include "models/cost.h"
#include "models/cutoff.h"
#include "models/model_ranks.h"
#include "train/loss.h"
#include "train/touched.h"

enum { LEAST_ROWS = 256, STREAM_LABELS = 0x50f7 };
static const float SURE = 40; /* a logit beside 0: probability 1 to the last bit that counts */

/* How many numbers scores are. */
static size_t scores(const snc_arch *a)
{
    size_t total = 2 * (size_t)a->hidden;
    for (int l = 0; l < a->layers; l++) total += (size_t)a->heads[l] + (size_t)a->ffn[l];
    return total;
}

static snc_err allocate(snc_importance *s, const snc_arch *a)
{
    double *at;
    SNC_TRY(snc_alloc(&at, scores(a), sizeof *at));
    *s = (snc_importance){.layers = a->layers, .hidden_width = a->hidden, .block = at};
    s->hidden = at;
    s->pooler = at += a->hidden;
    at += a->hidden;
    for (int l = 0; l < a->layers; l++) {
        s->heads[l] = at;
        s->ffn[l] = at += a->heads[l];
        at += a->ffn[l];
    }
    return SNC_OK;
}

void snc_importance_dispose(snc_importance *s)
{
    snc_free(s->block);
    *s = (snc_importance){0};
}

/* ---- sums of w dL/dw --------------------------------------------------------------------------------------------------- */

/* acc [cols] += sum over rows of W . dW, for the rows listed (NULL: the first n). */
static void add_cols(double *acc, const snc_params *ps, int param, const int32_t *rows, int n)
{
    int cols = ps->p[param].cols;
    const float *w = snc_params_w(ps, param), *g = snc_params_g(ps, param);
    for (int i = 0; i < n; i++) {
        size_t at = (size_t)(rows ? rows[i] : i) * (size_t)cols;
        for (int j = 0; j < cols; j++) acc[j] += (double)(w[at + (size_t)j] * g[at + (size_t)j]);
    }
}

/* acc [rows] += sum over columns. */
static void add_rows(double *acc, const snc_params *ps, int param)
{
    int rows = ps->p[param].rows, cols = ps->p[param].cols;
    const float *w = snc_params_w(ps, param), *g = snc_params_g(ps, param);
    for (int i = 0; i < rows; i++) {
        size_t at = (size_t)i * (size_t)cols;
        double sum = 0;
        for (int j = 0; j < cols; j++) sum += (double)(w[at + (size_t)j] * g[at + (size_t)j]);
        acc[i] += sum;
    }
}

typedef struct pass { /* one batch */
    const snc_model *m;
    snc_importance *s;
    double *scratch; /* a slot of `stride` doubles per layer and one more: hidden sums, then columns of a matrix */
    size_t stride;
    const snc_row_set *sets;
    int n_sets;
} pass;

/* Units that are scored by what reads them: the columns of one matrix. n = 0: none. */
typedef struct units {
    double *score;
    int n, width;
} units;

static units units_of(const pass *p, snc_axis cols, int layer)
{
    const snc_arch *a = &p->m->arch;
    switch (cols) {
    case SNC_AXIS_HEAD: return (units){p->s->heads[layer], a->heads[layer], p->m->cfg.head_width};
    case SNC_AXIS_FFN: return (units){p->s->ffn[layer], a->ffn[layer], 1};
    case SNC_AXIS_POOLED: return (units){p->s->pooler, a->hidden, 1};
    default: return (units){NULL, 0, 0};
    }
}

static void add_units(units u, double *cols, const snc_params *ps, int param)
{
    memset(cols, 0, (size_t)ps->p[param].cols * sizeof *cols);
    add_cols(cols, ps, param, NULL, ps->p[param].rows);
    for (int i = 0; i < u.n; i++) {
        double sum = 0;
        for (int j = 0; j < u.width; j++) sum += cols[i * u.width + j];
        u.score[i] += fabs(sum);
    }
}

/* Rows that the batch read; NULL: all. */
static const snc_row_set *rows_of(const pass *p, int param)
{
    for (int i = 0; i < p->n_sets; i++)
        if (p->sets[i].param == param) return &p->sets[i];
    return NULL;
}

/* The parameters of one layer, or those outside of layers, into a slot of their own. */
static void score_part(const pass *p, bool of_layer, int layer, double *hidden)
{
    const snc_params *ps = &p->m->params;
    memset(hidden, 0, p->stride * sizeof *hidden);
    for (int i = 0; i < ps->n; i++) {
        const snc_param *q = &ps->p[i];
        const snc_spec *s = snc_spec_of(q);
        const snc_row_set *set = rows_of(p, i);
        if (s->layer != of_layer || q->layer != layer) continue;
        snc_axis cols = snc_family_axis(&p->m->cfg, s->cols);
        units u = units_of(p, cols, layer);
        if (u.n && snc_spec_matrix(q)) add_units(u, hidden + p->m->arch.hidden, ps, i);
        if (cols == SNC_AXIS_HIDDEN) add_cols(hidden, ps, i, set ? set->rows : NULL, set ? set->n : q->rows);
        if (s->rows == SNC_AXIS_HIDDEN) add_rows(hidden, ps, i);
    }
}

static void score_layers(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    const pass *p = payload;
    for (int64_t l = begin; l < end; l++) score_part(p, true, (int)l, p->scratch + (size_t)l * p->stride);
}

/* What lies outside the layers, and the sum over layers in their order. */
static void score_rest(const pass *p)
{
    int C = p->m->arch.hidden, L = p->m->arch.layers;
    double *hidden = p->scratch + (size_t)L * p->stride;
    score_part(p, false, 0, hidden);
    for (int l = 0; l < L; l++)
        for (int c = 0; c < C; c++) hidden[c] += p->scratch[(size_t)l * p->stride + (size_t)c];
    for (int c = 0; c < C; c++) p->s->hidden[c] += fabs(hidden[c]);
}

static void zero_grad(const pass *p)
{
    const snc_params *ps = &p->m->params;
    for (int i = 0; i < ps->n; i++) {
        const snc_row_set *set = rows_of(p, i);
        size_t cols = (size_t)ps->p[i].cols;
        float *g = snc_params_g(ps, i);
        if (!set) memset(g, 0, (size_t)ps->p[i].rows * cols * sizeof *g);
        else
            for (int k = 0; k < set->n; k++) memset(g + (size_t)set->rows[k] * cols, 0, cols * sizeof *g);
    }
}

/* ---- the sweep -------------------------------------------------------------------------------------------------------- */

typedef struct sweep {
    snc_engine *e;
    snc_batcher *batcher;
    snc_touched *touched;
    float *logits, *dlogits, *target, *drawn;
    double *balance; /* or NULL */
    double soft;
    snc_rng rng;
    pass p;
} sweep;

static snc_err create(sweep *w, const snc_ctx *ctx, const snc_comm *c, snc_model *m, const snc_dataset *d, const snc_importance_opts *o)
{
    SNC_TRY(snc_batcher_new(&w->batcher, d, o->batch_size));
    size_t widest = (size_t)m->arch.hidden, n = (size_t)snc_batcher_max_answers(w->batcher);
    for (int l = 0; l < m->arch.layers; l++) {
        size_t a = (size_t)m->arch.heads[l] * (size_t)m->cfg.head_width, f = (size_t)m->arch.ffn[l];
        if (a > widest) widest = a;
        if (f > widest) widest = f;
    }
    w->p.stride = snc_align_up((size_t)m->arch.hidden + widest, 8);
    SNC_TRY(snc_params_alloc_grad(&m->params));
    snc_params_zero_grad(&m->params);
    SNC_TRY(snc_alloc(&w->p.scratch, ((size_t)m->arch.layers + 1) * w->p.stride, sizeof(double)));
    SNC_TRY(snc_alloc(&w->logits, n * (size_t)m->cfg.classes, sizeof(float)));
    SNC_TRY(snc_alloc(&w->dlogits, n * (size_t)m->cfg.classes, sizeof(float)));
    SNC_TRY(snc_alloc(&w->target, n, sizeof(float)));
    SNC_TRY(snc_alloc(&w->drawn, n * (size_t)m->cfg.classes, sizeof(float)));
    w->soft = o->soft;
    if (o->balanced && !m->cfg.regression)
        SNC_TRY(snc_balance_new(&w->balance, d->target, (int)snc_dataset_answers(d), d->sets, m->cfg.classes));
    SNC_TRY(snc_touched_new(&w->touched, m));
    snc_engine_opts e = SNC_ENGINE_OPTS_INIT;
    e.compute = o->compute;
    e.first_only = true;
    e.max_seqs = o->batch_size;
    e.max_len = d->max_len;
    e.max_tokens = snc_batcher_max_tokens(w->batcher);
    e.recompute = ctx->recompute == SNC_RECOMPUTE_ON;
    if (ctx->recompute == SNC_RECOMPUTE_AUTO) { /* the batch is part of the measure: it is not computed in parts */
        const double room = snc_room_within(ctx->max_memory, snc_comm_neighbours(c));
        double bytes;
        SNC_TRY(snc_engine_bytes(&bytes, ctx, m, &e));
        e.recompute = room > 0 && bytes > SNC_ROOM_SURE * room;
    }
    return snc_engine_create(&w->e, ctx, m, &e);
}

/* Logits that are sure of a label drawn from what z says; of a value, one beside it; of a vector, one at 45 degrees to it. */
static void draw_label(float *q, const float *z, snc_meaning problem, int K, snc_rng *rng)
{
    double left = snc_rng_uniform(rng), sum = 0, top = (double)z[0], size = 0;
    for (int k = 0; k < K && problem == SNC_MEANS_VECTOR; k++) size += (double)z[k] * (double)z[k] / K;
    for (int k = 0; k < K && problem == SNC_MEANS_VECTOR; k++) q[k] = z[k] + (float)(sqrt(size) * snc_rng_normal(rng));
    if (problem == SNC_MEANS_REGRESSION) q[0] = z[0] + (float)snc_rng_normal(rng);
    if (problem == SNC_MEANS_MULTILABEL || problem == SNC_MEANS_SCORE)
        for (int k = 0; k < K; k++) q[k] = snc_rng_uniform(rng) < snc_label_probability((double)z[k]) ? SURE : -SURE;
    if (problem != SNC_MEANS_CLASSES && problem != SNC_MEANS_TAGS) return;
    for (int k = 1; k < K; k++) top = fmax(top, (double)z[k]);
    for (int k = 0; k < K; k++) sum += exp((double)z[k] - top);
    int label = 0;
    for (; label < K - 1; label++)
        if ((left -= exp((double)z[label] - top) / sum) < 0) break;
    for (int k = 0; k < K; k++) q[k] = k == label ? SURE : 0;
}

/* The loss of rows without a label, where they count; a row that has one says to it what it says already. */
static double drawn_loss(sweep *w, snc_meaning problem, int B, int K)
{
    if (!(w->soft > 0)) return 0;
    memcpy(w->drawn, w->logits, (size_t)B * (size_t)K * sizeof(float));
    for (int b = 0; b < B; b++)
        if (isnan((double)w->target[b]))
            draw_label(w->drawn + (size_t)b * (size_t)K, w->logits + (size_t)b * (size_t)K, problem, K, &w->rng);
    return snc_loss_soft(w->dlogits, w->logits, w->drawn, problem, B, K, 1.0, w->soft);
}

/* How many rows of a batch count. */
static int count_rows(snc_tokens *x, sweep *w, const snc_dataset *d, int i)
{
    const int32_t *rows;
    int used = 0;
    snc_batcher_get(x, &rows, w->batcher, i);
    snc_batcher_gather(w->target, d->target, d, rows, x->B, 1);
    for (int b = 0; b < x->B; b++) used += w->soft > 0 || !isnan((double)d->target[snc_dataset_answer(d, rows[b])]);
    return used;
}

/* Gradients of batch i, which x is. */
static snc_err run_batch(sweep *w, const snc_ctx *ctx, snc_model *m, const snc_dataset *d, const snc_tokens *batch, int i)
{
    const snc_tokens x = *batch;
    const int K = m->cfg.classes, answers = snc_tokens_answers(&x, d->answers != NULL);
    snc_rng_init(&w->rng, ctx->seed, STREAM_LABELS + ((uint64_t)i << 32));
    w->p.sets = snc_touched_scan(&w->p.n_sets, w->touched, &x);
    SNC_TRY(snc_engine_forward(w->e, w->logits, &m->arch, &x, NULL));
    memset(w->dlogits, 0, (size_t)answers * (size_t)K * sizeof(float));
    const snc_loss_labels y = {snc_meaning_of(&m->cfg), w->target, d->sets, w->balance};
    double loss = snc_loss_hard(w->dlogits, w->logits, &y, answers, K, 1.0) + drawn_loss(w, y.problem, answers, K);
    SNC_CHECK(isfinite(loss), SNC_E_DIVERGED, "importance: the loss of batch %d is not finite", i);
    return snc_engine_backward(w->e, w->dlogits, NULL, 0);
}

int snc_importance_rows(const snc_model *m, const snc_dataset *d, const snc_importance_opts *o)
{
    double row = (double)d->start[d->n] / d->n * (double)snc_cost_encoder_macs(&m->cfg, &m->arch, 1);
    double rows = fmin(fmin(d->n, o->max_rows), fmax(o->max_macs / row, LEAST_ROWS));
    return (int)rows;
}

/* This rank's batches, every size-th of those that count. */
static snc_err run(snc_importance *s, sweep *w, const snc_ctx *ctx, snc_comm *c, snc_model *m, const snc_dataset *d, int rows)
{
    snc_batcher_epoch(w->batcher, ctx->seed, 0);
    snc_progress(ctx, "importance", 0, rows, "%s", "");
    for (int i = 0, k = 0, n = snc_batcher_count(w->batcher); i < n && s->rows < rows; i++) {
        snc_tokens x;
        const int used = count_rows(&x, w, d, i);
        s->rows += used;
        if (used == 0 || k++ % snc_comm_size(c) != snc_comm_rank(c)) continue;
        SNC_TRY(snc_go_on(ctx));
        SNC_TRY(run_batch(w, ctx, m, d, &x, i));
        snc_par_for(ctx, m->arch.layers, 1, score_layers, &w->p);
        score_rest(&w->p);
        zero_grad(&w->p);
        snc_progress(ctx, "importance", (double)s->rows, rows, "%s", "");
    }
    SNC_CHECK(s->rows > 0, SNC_E_ARG, "importance: no labelled row");
    return SNC_OK;
}

/* By every rank of c, with equal models and rows. */
static snc_err score(snc_importance *out, const snc_ctx *ctx, snc_comm *c, snc_model *m, const snc_dataset *d, const snc_importance_opts *o)
{
    sweep w = {0};
    snc_importance s = {0};
    *out = s;
    snc_err err = allocate(&s, &m->arch);
    if (!err) err = create(&w, ctx, c, m, d, o);
    w.p.m = m;
    w.p.s = &s;
    if (!err) err = run(&s, &w, ctx, c, m, d, snc_importance_rows(m, d, o));
    err = snc_comm_agree(c, err);
    if (!err) err = snc_comm_sum_doubles(c, s.block, (int)scores(&m->arch));
    if (!err) {
        *out = s;
        s = (snc_importance){0};
    }
    snc_importance_dispose(&s);
    void *blocks[] = {w.p.scratch, w.logits, w.dlogits, w.target, w.drawn, w.balance};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) snc_free(blocks[i]);
    snc_touched_free(w.touched);
    snc_batcher_free(w.batcher);
    snc_engine_free(w.e);
    return err;
}

snc_err snc_importance_score(snc_importance *out, const snc_ctx *ctx, snc_model *m, const snc_dataset *d, const snc_importance_opts *o)
{
    const snc_ctx own = snc_ctx_alone(ctx);
    snc_parcel p = {0};
    snc_dataset *none;
    SNC_CHECK(o->batch_size >= 1 && o->max_rows >= 1, SNC_E_ARG, "importance: batch size %d, %d rows: expected at least 1", o->batch_size,
              o->max_rows);
    if (!ctx->comm) return score(out, &own, NULL, m, d, o);
    snc_duty_put_ctx(&p, &own);
    snc_parcel_put(&p, o, sizeof *o);
    SNC_TRY(snc_duty_call(ctx->comm, snc_duty_importance.name, &p));
    SNC_TRY(snc_model_share(&m, &own, ctx->comm));
    SNC_TRY(snc_dataset_share(&none, d, ctx->comm));
    return score(out, &own, ctx->comm, m, d, o);
}

static snc_err attend(const snc_ctx *ctx, snc_parcel *said)
{
    snc_ctx own;
    snc_importance_opts o;
    snc_importance s = {0};
    snc_model *m = NULL;
    snc_dataset *d = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_duty_take_ctx(&own, ctx, said));
    SNC_TRY(snc_parcel_take(&o, said, sizeof o));
    SNC_GOTO(snc_model_share(&m, &own, ctx->comm));
    SNC_GOTO(snc_dataset_share(&d, NULL, ctx->comm));
    err = score(&s, &own, ctx->comm, m, d, &o);
out:
    snc_importance_dispose(&s);
    snc_dataset_free(d);
    snc_model_free(m);
    return err;
}
const snc_duty snc_duty_importance = {"importance", attend};

snc_err snc_importance_order(snc_order *out, const snc_importance *s, const snc_arch *a)
{
    SNC_CHECK(s->layers == a->layers && s->hidden_width == a->hidden, SNC_E_SHAPE, "importance of another model");
    SNC_TRY(snc_order_init(out, a));
    snc_order_by_score(out->hidden, s->hidden, a->hidden);
    snc_order_by_score(out->pooler, s->pooler, a->hidden);
    for (int l = 0; l < a->layers; l++) {
        snc_order_by_score(out->heads[l], s->heads[l], a->heads[l]);
        snc_order_by_score(out->ffn[l], s->ffn[l], a->ffn[l]);
    }
    return SNC_OK;
}
