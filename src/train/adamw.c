/* Powers, rates and decays of all steps are tables made once: bringing a lazy row up to date is a few lookups and one kernel call. */
#include "train/adamw.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "train/adamw_kernel.h"

/* Rows of a matrix that a thread takes at once; also the step in which engines repack weights (core/gemm.h). Four streams
 * of 32 x 1536 floats fill 800 KB of an L2. */
enum { BLOCK_ROWS = 32 };
static const double MOMENT_GONE = 1e-7; /* share of m after which further drift is below a float's resolution of p */

typedef struct block { /* rows [r0, r1) of a parameter that is updated at every step */
    int param, r0, r1;
} block;

struct snc_adamw {
    const snc_ctx *ctx;
    snc_params *ps;
    snc_schedule schedule;
    snc_adamw_opts o;
    const snc_adamw_kernels *k;
    int64_t step; /* steps applied so far */
    void *m, *v;  /* float, or snc_bf16 and snc_square */
    block *block;
    int blocks;
    snc_adamw_wrote_fn wrote;
    void *user;
    bool *keeps;       /* [ps->n] parameters whose gradient is left as it is */
    double *known;     /* [ps->n] sum of the squares of a gradient, or -1 */
    int64_t *row_base; /* [ps->n] first row of a lazy table in `last`, or -1 */
    int32_t *last;     /* step at which a row is valid */
    int64_t rows;
    double *partial;          /* sums of squares: of each block, then of each row of a table */
    double *keep, *log_decay; /* [total+1] 1 - lr wd of step s, and the sum of its logs over the first s steps */
    double *rate, *bc2;       /* [total+1] lr / bc1 and sqrt(bc2) of step s = 1.. */
    double *pow1, *pow2;      /* [cap+1] b1^j, b2^(-j/2) */
    int cap;
    snc_comm *comm; /* NULL: every block is this process's */
    int *first;     /* [ranks + 1] block that each begins with; NULL with it */
};

static snc_err check_opts(const snc_adamw_opts *o, const snc_schedule *s)
{
    SNC_TRY(snc_schedule_check(s));
    SNC_CHECK(s->total < INT32_MAX, SNC_E_ARG, "%lld training steps: too many", (long long)s->total);
    SNC_CHECK(o->beta1 >= 0 && o->beta1 < 1, SNC_E_ARG, "beta1 %g: expected 0 <= beta1 < 1", (double)o->beta1);
    SNC_CHECK(o->beta2 > 0 && o->beta2 < 1, SNC_E_ARG, "beta2 %g: expected 0 < beta2 < 1", (double)o->beta2);
    SNC_CHECK(o->eps > 0, SNC_E_ARG, "eps %g: expected a positive number", (double)o->eps);
    SNC_CHECK(o->weight_decay >= 0 && (double)o->weight_decay * s->lr < 1, SNC_E_ARG,
              "weight decay %g: expected 0 <= decay and lr * decay < 1", (double)o->weight_decay);
    SNC_CHECK(o->clip >= 0, SNC_E_ARG, "clip %g: expected a norm, or 0 for none", (double)o->clip);
    return SNC_OK;
}

static size_t moment_width(const snc_adamw *o) { return o->o.half_state ? sizeof(snc_bf16) : sizeof(float); }
_Static_assert(sizeof(snc_bf16) == sizeof(snc_square), "both moments are as wide");

static bool is_lazy(const snc_adamw *o, int i) { return o->o.lazy && (o->ps->p[i].flags & SNC_PARAM_ROWS) != 0; }

static int blocks_of(const snc_param *p) { return (p->rows + BLOCK_ROWS - 1) / BLOCK_ROWS; }

static snc_err plan_blocks(snc_adamw *o)
{
    const snc_params *ps = o->ps;
    size_t n = 0;
    for (int i = 0; i < ps->n; i++) n += (size_t)blocks_of(&ps->p[i]);
    SNC_TRY(snc_alloc(&o->block, n, sizeof *o->block));
    SNC_TRY(snc_alloc(&o->row_base, (size_t)ps->n, sizeof *o->row_base));
    for (int i = 0; i < ps->n; i++) {
        int rows = ps->p[i].rows;
        o->row_base[i] = -1;
        if (is_lazy(o, i)) {
            o->row_base[i] = o->rows;
            o->rows += rows;
            continue;
        }
        for (int r = 0; r < rows; r += BLOCK_ROWS) o->block[o->blocks++] = (block){i, r, r + BLOCK_ROWS < rows ? r + BLOCK_ROWS : rows};
    }
    return SNC_OK;
}

/* The rates of the steps after the first `done`. */
static void fill_rates(snc_adamw *o, int64_t done)
{
    for (int64_t s = done + 1; s <= o->schedule.total; s++) {
        double lr = snc_schedule_lr(&o->schedule, s - 1), decay = lr * (double)o->o.weight_decay;
        o->keep[s] = 1 - decay;
        o->log_decay[s] = o->log_decay[s - 1] + log1p(-decay);
        o->rate[s] = lr / (1 - pow((double)o->o.beta1, (double)s));
    }
}

static snc_err plan_tables(snc_adamw *o)
{
    size_t n = (size_t)o->schedule.total + 1;
    double b1 = (double)o->o.beta1, b2 = (double)o->o.beta2;
    SNC_TRY(snc_alloc(&o->keep, n, sizeof(double)));
    SNC_TRY(snc_alloc(&o->log_decay, n, sizeof(double)));
    SNC_TRY(snc_alloc(&o->rate, n, sizeof(double)));
    SNC_TRY(snc_alloc(&o->bc2, n, sizeof(double)));
    for (size_t s = 1; s < n; s++) o->bc2[s] = sqrt(1 - pow(b2, (double)s));
    fill_rates(o, 0);
    o->cap = b1 > 0 ? (int)fmin(ceil(log(MOMENT_GONE) / log(b1)), 4096) : 1;
    SNC_TRY(snc_alloc(&o->pow1, (size_t)o->cap + 1, sizeof(double)));
    SNC_TRY(snc_alloc(&o->pow2, (size_t)o->cap + 1, sizeof(double)));
    for (int j = 0; j <= o->cap; j++) {
        o->pow1[j] = pow(b1, j);
        o->pow2[j] = pow(b2, -0.5 * j);
    }
    return SNC_OK;
}

snc_err snc_adamw_create(snc_adamw **out, const snc_ctx *ctx, snc_params *ps, const snc_schedule *s, const snc_adamw_opts *opts)
{
    SNC_TRY(check_opts(opts, s));
    snc_adamw *o = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&o, 1, sizeof *o));
    o->ctx = ctx;
    o->ps = ps;
    o->schedule = *s;
    o->o = *opts;
    o->k = snc_adamw_kernels_get(snc_isa_now());
    SNC_GOTO(snc_params_alloc_grad(ps));
    SNC_GOTO(plan_blocks(o));
    SNC_GOTO(plan_tables(o));
    SNC_GOTO(snc_alloc(&o->keeps, (size_t)ps->n, sizeof *o->keeps));
    SNC_GOTO(snc_alloc(&o->known, (size_t)ps->n, sizeof *o->known));
    for (int i = 0; i < ps->n; i++) o->known[i] = -1;
    SNC_GOTO(snc_alloc(&o->m, ps->total, moment_width(o)));
    SNC_GOTO(snc_alloc(&o->v, ps->total, moment_width(o)));
    SNC_GOTO(snc_alloc(&o->last, (size_t)o->rows, sizeof *o->last));
    SNC_GOTO(snc_alloc(&o->partial, (size_t)(o->blocks > o->rows ? o->blocks : o->rows), sizeof(double)));
    *out = o;
    return SNC_OK;
out:
    snc_adamw_free(o);
    return err;
}

void snc_adamw_on_write(snc_adamw *o, snc_adamw_wrote_fn fn, void *user)
{
    o->wrote = fn;
    o->user = user;
}

bool snc_adamw_by_rows(const snc_adamw *o, int param) { return o->row_base[param] >= 0; }

void snc_adamw_keep_grad(snc_adamw *o, int param)
{
    assert(param >= 0 && param < o->ps->n && o->row_base[param] < 0);
    o->keeps[param] = true;
}

void snc_adamw_known_squares(snc_adamw *o, int param, double sum)
{
    assert(param >= 0 && param < o->ps->n && o->row_base[param] < 0);
    o->known[param] = sum;
}

void snc_adamw_free(snc_adamw *o)
{
    if (!o) return;
    void *blocks[] = {o->v,    o->m,   o->block, o->row_base, o->last,  o->partial, o->keep, o->log_decay,
                      o->rate, o->bc2, o->pow1,  o->pow2,     o->keeps, o->known,   o->first};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) snc_free(blocks[i]);
    snc_free(o);
}

/* ---- shares of ranks -------------------------------------------------------------------------------------------------- */

static size_t block_at(const snc_adamw *o, const block *b, int64_t *n)
{
    const snc_param *p = &o->ps->p[b->param];
    *n = (int64_t)(b->r1 - b->r0) * p->cols;
    return p->offset + (size_t)b->r0 * (size_t)p->cols;
}

/* Blocks [mine, end) are this rank's. */
static int own_from(const snc_adamw *o) { return o->comm ? o->first[o->comm->rank] : 0; }
static int own_to(const snc_adamw *o) { return o->comm ? o->first[o->comm->rank + 1] : o->blocks; }

/* Runs of blocks of about as many numbers each. */
snc_err snc_adamw_deal(snc_adamw *o, snc_comm *c)
{
    const int size = snc_comm_size(c);
    int64_t all = 0, so_far = 0, n;
    if (size == 1) return SNC_OK;
    SNC_TRY(snc_alloc(&o->first, (size_t)size + 1, sizeof *o->first));
    for (int i = 0; i < o->blocks; i++) {
        block_at(o, &o->block[i], &n);
        all += n;
    }
    for (int i = 0, r = 1; i < o->blocks; i++) {
        block_at(o, &o->block[i], &n);
        so_far += n;
        while (r < size && so_far >= (int64_t)snc_comm_from((size_t)all, r, size)) o->first[r++] = i + 1;
    }
    o->first[size] = o->blocks;
    o->comm = c;
    return SNC_OK;
}

double snc_adamw_tables(const snc_params *ps)
{
    double n = 0;
    for (int i = 0; i < ps->n; i++) n += ps->p[i].flags & SNC_PARAM_ROWS ? (double)ps->p[i].rows * ps->p[i].cols : 0;
    return n;
}

int snc_adamw_run(size_t *from, size_t *n, size_t *at, const snc_adamw *o, int i)
{
    const snc_params *ps = o->ps;
    for (; i < ps->n && snc_adamw_by_rows(o, i); i++) {}
    if (i == ps->n) return -1;
    *from = ps->p[i].offset;
    *n = 0;
    for (; i < ps->n && !snc_adamw_by_rows(o, i); i++) *n = ps->p[i].offset + (size_t)ps->p[i].rows * (size_t)ps->p[i].cols - *from;
    for (int r = 0; at && r <= o->comm->size; r++) {
        int64_t ignored;
        const size_t place = o->first[r] < o->blocks ? block_at(o, &o->block[o->first[r]], &ignored) : *from + *n;
        at[r] = snc_comm_within(place, *from, *n);
    }
    return i;
}

typedef snc_err (*parts_fn)(snc_comm *c, void *all, const size_t *at);

/* Of a block of memory that is laid out as the parameters are, what is dense. */
static snc_err move(snc_adamw *o, void *data, size_t width, parts_fn how)
{
    size_t from, n, at[SNC_COMM_RANKS + 1];
    for (int i = 0; (i = snc_adamw_run(&from, &n, at, o, i)) >= 0;) {
        for (int r = 0; r <= o->comm->size; r++) at[r] *= width;
        SNC_TRY(how(o->comm, (char *)data + from * width, at));
    }
    return SNC_OK;
}

static snc_err move_moments(snc_adamw *o, parts_fn how)
{
    SNC_TRY(move(o, o->m, moment_width(o), how));
    return move(o, o->v, moment_width(o), how);
}

snc_err snc_adamw_collect(snc_adamw *o) { return o->comm ? move_moments(o, snc_comm_collect) : SNC_OK; }

snc_err snc_adamw_resume(snc_adamw *o)
{
    if (!o->comm) return SNC_OK;
    for (int i = 0; i < o->ps->n; i++) {
        const snc_param *p = &o->ps->p[i];
        const size_t at = p->offset * moment_width(o), bytes = (size_t)p->rows * (size_t)p->cols * moment_width(o);
        if (!snc_adamw_by_rows(o, i)) continue;
        SNC_TRY(snc_comm_share(o->comm, (char *)o->m + at, bytes, false));
        SNC_TRY(snc_comm_share(o->comm, (char *)o->v + at, bytes, false));
    }
    return move_moments(o, snc_comm_deal);
}

/* ---- skipped steps of a row ---------------------------------------------------------------------------------------- */

/* Two-point Gauss rule of the drift over steps s0+1 .. s0+k (see the header). The later steps are walked first, so that the
 * decay which follows a step is a running product. */
static snc_adamw_skip skip_coef(const snc_adamw *o, int64_t s0, int64_t k, bool decays)
{
    int64_t total = o->schedule.total, end = s0 + k < total ? s0 + k : total;
    if (s0 > end) s0 = end;
    int64_t n = end - s0 < o->cap ? end - s0 : o->cap;
    double decay = decays ? exp(o->log_decay[end] - o->log_decay[s0 + n]) : 1.0, w0 = 0, wu = 0, wuu = 0, wuuu = 0;
    for (int64_t j = n; j >= 1; j--) {
        int64_t s = s0 + j;
        double w = o->rate[s] * o->pow1[j] * decay, u = o->bc2[s] * o->pow2[j];
        w0 += w;
        wu += w * u;
        wuu += w * u * u;
        wuuu += w * u * u * u;
        if (decays) decay *= o->keep[s];
    }
    double left1 = pow((double)o->o.beta1, (double)k), left2 = pow((double)o->o.beta2, (double)k);
    snc_adamw_skip c = {
        .decay = (float)decay, .m = left1 < 1e-20 ? 0.0f : (float)left1, .v = left2 < 1e-20 ? 0.0f : (float)left2, .eu = {1.0f, 1.0f}};
    if (w0 <= 0) return c;
    double eps = (double)o->o.eps, mean = wu / w0, var = wuu / w0 - mean * mean;
    if (var <= 1e-12 * mean * mean) {
        c.wu[0] = (float)(w0 * mean);
        c.eu[0] = (float)(eps * mean);
        return c;
    }
    double third = wuuu / w0 - 3 * mean * wuu / w0 + 2 * mean * mean * mean;
    double half = 0.5 * third / var, root = sqrt(half * half + var), d[2] = {half - root, half + root};
    for (int i = 0; i < 2; i++) {
        double w = w0 * (i ? -d[0] : d[1]) / (d[1] - d[0]), u = mean + d[i];
        c.wu[i] = (float)(w * u);
        c.eu[i] = (float)(eps * u);
    }
    return c;
}

/* ---- rows and the dense space ---------------------------------------------------------------------------------------- */

typedef struct work {
    snc_adamw *o;
    const int32_t *rows; /* NULL: all rows of the table */
    int param;
    double *partial; /* of this table */
    snc_adamw_coef decay, plain;
} work;

/* A Weyl sequence over steps: irrational to that over elements. */
static uint32_t noise_of(int64_t step) { return (uint32_t)step * 0x6a09e667u; }

static void catch_up(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    const work *w = payload;
    snc_adamw *o = w->o;
    const snc_param *p = &o->ps->p[w->param];
    for (int64_t i = begin; i < end; i++) {
        int64_t row = w->rows ? w->rows[i] : i;
        int32_t *last = &o->last[o->row_base[w->param] + row];
        if (*last == o->step) continue;
        snc_adamw_skip c = skip_coef(o, *last, o->step - *last, (p->flags & SNC_PARAM_DECAY) != 0);
        size_t at = p->offset + (size_t)row * (size_t)p->cols;
        c.noise = noise_of(o->step);
        if (o->o.half_state) o->k->catch_up_half(o->ps->w + at, (snc_bf16 *)o->m + at, (snc_square *)o->v + at, at, p->cols, &c);
        else o->k->catch_up(o->ps->w + at, (float *)o->m + at, (float *)o->v + at, p->cols, &c);
        *last = (int32_t)o->step;
    }
}

void snc_adamw_prepare(snc_adamw *o, const snc_row_set *sets, int n)
{
    for (int i = 0; i < n; i++) {
        if (o->row_base[sets[i].param] < 0) continue;
        work w = {.o = o, .rows = sets[i].rows, .param = sets[i].param};
        snc_par_for(o->ctx, sets[i].n, 8, catch_up, &w);
    }
}

void snc_adamw_flush(snc_adamw *o)
{
    for (int i = 0; i < o->ps->n; i++) {
        if (o->row_base[i] < 0) continue;
        work w = {.o = o, .param = i};
        snc_par_for(o->ctx, o->ps->p[i].rows, 64, catch_up, &w);
    }
}

static void update(const snc_adamw *o, size_t at, int64_t n, const snc_adamw_coef *c)
{
    float *p = o->ps->w + at, *g = o->ps->g + at;
    if (o->o.half_state) o->k->step_half(p, g, (snc_bf16 *)o->m + at, (snc_square *)o->v + at, at, n, c);
    else o->k->step(p, g, (float *)o->m + at, (float *)o->v + at, n, c);
}

static void dense_norm(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    const work *w = payload;
    const snc_adamw *o = w->o;
    for (int64_t i = begin + own_from(o); i < end + own_from(o); i++) {
        int64_t n;
        size_t at = block_at(o, &o->block[i], &n);
        w->partial[i] = o->known[o->block[i].param] < 0 ? o->k->sumsq(o->ps->g + at, n) : 0.0;
    }
}

static void dense_update(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    const work *w = payload;
    const snc_adamw *o = w->o;
    for (int64_t i = begin + own_from(o); i < end + own_from(o); i++) {
        const block *b = &o->block[i];
        int64_t n;
        size_t at = block_at(o, b, &n);
        snc_adamw_coef c = o->ps->p[b->param].flags & SNC_PARAM_DECAY ? w->decay : w->plain;
        c.keep = o->keeps[b->param];
        update(o, at, n, &c);
        if (o->wrote) o->wrote(o->user, b->param, b->r0, b->r1);
    }
}

/* Blocks that other ranks have updated, of which this one has no whole gradient either. */
static void others_written(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    const snc_adamw *o = ((const work *)payload)->o;
    for (int64_t i = begin; i < end; i++) {
        const block *b = &o->block[i];
        int64_t n;
        const size_t at = block_at(o, b, &n);
        if (i >= own_from(o) && i < own_to(o)) continue;
        if (!o->keeps[b->param]) memset(o->ps->g + at, 0, (size_t)n * sizeof *o->ps->g);
        if (o->wrote) o->wrote(o->user, b->param, b->r0, b->r1);
    }
}

static void rows_norm(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    const work *w = payload;
    const snc_param *p = &w->o->ps->p[w->param];
    for (int64_t i = begin; i < end; i++)
        w->partial[i] = w->o->k->sumsq(w->o->ps->g + p->offset + (size_t)w->rows[i] * (size_t)p->cols, p->cols);
}

static void rows_update(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    const work *w = payload;
    const snc_param *p = &w->o->ps->p[w->param];
    const snc_adamw_coef *c = p->flags & SNC_PARAM_DECAY ? &w->decay : &w->plain;
    for (int64_t i = begin; i < end; i++) {
        update(w->o, p->offset + (size_t)w->rows[i] * (size_t)p->cols, p->cols, c);
        w->o->last[w->o->row_base[w->param] + w->rows[i]] = (int32_t)w->o->step;
    }
}

static snc_err gather_partial(snc_adamw *o)
{
    size_t at[SNC_COMM_RANKS + 1];
    for (int r = 0; r <= o->comm->size; r++) at[r] = (size_t)o->first[r] * sizeof *o->partial;
    return snc_comm_gather(o->comm, o->partial, at);
}

/* Of all blocks in their order, whoever has added them up. */
static snc_err sum_of_squares(double *out, snc_adamw *o, const snc_row_set *sets, int n)
{
    work w = {.o = o, .partial = o->partial};
    double sum = 0;
    snc_par_for(o->ctx, own_to(o) - own_from(o), 1, dense_norm, &w);
    if (o->comm) SNC_TRY(gather_partial(o));
    for (int i = 0; i < o->blocks; i++) sum += o->partial[i];
    for (int i = 0; i < o->ps->n; i++) {
        if (o->known[i] >= 0) sum += o->known[i];
        o->known[i] = -1;
    }
    for (int i = 0; i < n; i++) {
        if (o->row_base[sets[i].param] < 0) continue;
        w.rows = sets[i].rows;
        w.param = sets[i].param;
        snc_par_for(o->ctx, sets[i].n, 32, rows_norm, &w);
        for (int r = 0; r < sets[i].n; r++) sum += o->partial[r];
    }
    *out = sum;
    return SNC_OK;
}

snc_err snc_adamw_step(double *norm_out, snc_adamw *o, const snc_row_set *sets, int n)
{
    double norm, clip = (double)o->o.clip;
    SNC_TRY(sum_of_squares(&norm, o, sets, n));
    norm = sqrt(norm);
    if (norm_out) *norm_out = norm;
    SNC_CHECK(isfinite(norm), SNC_E_DIVERGED, "step %lld: the gradient norm is not finite", (long long)o->step + 1);
    snc_adamw_prepare(o, sets, n); /* rows the caller has not prepared; nothing otherwise */
    int64_t t = ++o->step;
    double lr = snc_schedule_lr(&o->schedule, t - 1), b1 = (double)o->o.beta1, b2 = (double)o->o.beta2;
    double scale = clip > 0 && norm + 1e-6 > clip ? clip / (norm + 1e-6) : 1.0;
    work w = {.o = o};
    w.plain = (snc_adamw_coef){.b1 = o->o.beta1,
                               .b2 = o->o.beta2,
                               .c1 = (float)(1 - b1),
                               .c2 = (float)(1 - b2),
                               .gscale = (float)scale,
                               .decay = 1.0f,
                               .rate = (float)(lr / (1 - pow(b1, (double)t))),
                               .root = (float)(1 / sqrt(1 - pow(b2, (double)t))),
                               .eps = o->o.eps,
                               .noise = noise_of(t)};
    w.decay = w.plain;
    w.decay.decay = (float)(1 - lr * (double)o->o.weight_decay);
    snc_par_for(o->ctx, own_to(o) - own_from(o), 1, dense_update, &w);
    if (o->comm) {
        SNC_TRY(move(o, o->ps->w, sizeof *o->ps->w, snc_comm_gather));
        snc_par_for(o->ctx, o->blocks, 1, others_written, &w);
    }
    for (int i = 0; i < n; i++) {
        if (o->row_base[sets[i].param] < 0) continue;
        w.rows = sets[i].rows;
        w.param = sets[i].param;
        snc_par_for(o->ctx, sets[i].n, 8, rows_update, &w);
    }
    return SNC_OK;
}

void snc_adamw_shorten(snc_adamw *o, int64_t total)
{
    snc_schedule_shorten(&o->schedule, o->step, total);
    fill_rates(o, o->step);
}

snc_adamw_state snc_adamw_state_view(snc_adamw *o)
{
    size_t m = o->ps->total * moment_width(o);
    return (snc_adamw_state){
        .step = &o->step, .schedule = &o->schedule, .block = {o->m, o->v, o->last}, .bytes = {m, m, (size_t)o->rows * sizeof *o->last}};
}

void snc_adamw_state_written(snc_adamw *o) { fill_rates(o, 0); }
