/* Few steps at two sizes and two numbers of cores, the optimiser alone, and a block of memory. */
#include "report/scale_clock.h"

#include <math.h>
#include <string.h>

#include "artifact/recipes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "report/estimate.h"
#include "train/adamw.h"
#include "train/touched.h"

enum { TURNS = 2, TIMES = 5, BATCHES = 8, MOST_BLOCK = 1 << 28 /* bytes, beyond any cache */ };

static const double TURN = 1; /* second */

static bool is_table(const snc_model *m, int i) { return m->params.p[i].flags & SNC_PARAM_ROWS; }
static bool is_matrix(const snc_model *m, int i) { return !is_table(m, i) && m->params.p[i].flags & SNC_PARAM_DECAY; }

/* ---- the optimiser ----------------------------------------------------------------------------------------------------- */

/* The fastest of a few steps; as in training the norms of matrices are known, and their gradients stay. */
static snc_err fastest_step(double *out, snc_adamw *a, const snc_model *m)
{
    *out = INFINITY;
    for (int k = 0; k < TIMES; k++) {
        for (int i = 0; i < m->params.n; i++)
            if (is_matrix(m, i)) snc_adamw_known_squares(a, i, 0);
        const double t0 = snc_now();
        SNC_TRY(snc_adamw_step(NULL, a, NULL, 0));
        if (k > 0) *out = fmin(*out, snc_now() - t0); /* the first finds its memory untouched */
    }
    return SNC_OK;
}

static snc_err time_optimiser(snc_scale *s, const snc_ctx *quiet, const snc_options *o, snc_model *m)
{
    snc_train_opts t;
    snc_adamw *a = NULL;
    snc_err err = SNC_OK;
    snc_ctx own = *quiet;
    const snc_schedule schedule = {.lr = 1e-9, .total = 4 * TIMES};
    snc_adamw_opts ao = SNC_ADAMW_OPTS_INIT;
    SNC_TRY(snc_recipe_finetune(&t, o, NULL));
    ao.half_state = t.half_state;
    s->traffic = ((double)snc_params_count(&m->params) - snc_adamw_tables(&m->params)) *
                 (8 + 4 + 2 * 2 * (ao.half_state ? 2 : 4)); /* weights there and back, gradients, two moments there and back */
    SNC_TRY(snc_adamw_create(&a, &own, &m->params, &schedule, &ao));
    snc_params_zero_grad(&m->params);
    for (int i = 0; i < m->params.n; i++)
        if (is_matrix(m, i)) snc_adamw_keep_grad(a, i);
    SNC_GOTO(fastest_step(&s->here, a, m));
    own.threads = 1;
    SNC_GOTO(fastest_step(&s->optimiser, a, m));
    s->optimiser = fmin(s->optimiser, s->cores * s->here);
    s->memory = s->traffic / s->here;
out:
    snc_adamw_free(a);
    return err;
}

/* ---- the exchange ------------------------------------------------------------------------------------------------------ */

/* Dense parameters as the trainer has them in buckets: of layers, and of none, where those that lie side by side are one. */
static void count_dense(snc_scale *s, const snc_model *m, int each)
{
    enum { OTHER = 3 /* words of all ranks, rows there and back */, NORMS = 1 };
    bool table = true, layer = true;
    s->layers = m->arch.layers;
    s->turns = OTHER + NORMS;
    s->layer = s->others = s->weights = 0;
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        const double n = (double)p->rows * p->cols;
        const bool in_layer = snc_spec_of(p)->layer;
        if (is_table(m, i)) {
            table = true;
            continue;
        }
        s->turns += table + (!in_layer && (table || layer)); /* weights of a run; a bucket of it */
        *(in_layer ? &s->layer : &s->others) += n * each;
        s->weights += n * sizeof(float);
        table = false;
        layer = in_layer;
    }
    s->layer /= s->layers;
}

/* Of tables: rows that a batch reads. */
static snc_err bytes_of_rows(double *out, const snc_ctx *quiet, const snc_dataset *rows, const snc_model *m, int batch, int each)
{
    snc_err err = SNC_OK;
    snc_touched *touched = NULL;
    snc_batcher *b = NULL;
    *out = 0;
    SNC_GOTO(snc_touched_new(&touched, m));
    SNC_GOTO(snc_batcher_new(&b, rows, batch));
    snc_batcher_epoch(b, quiet->seed, 0);
    const int n = snc_batcher_count(b) < BATCHES ? snc_batcher_count(b) : BATCHES;
    for (int i = 0; i < n; i++) {
        snc_tokens x;
        const int32_t *which;
        int sets;
        snc_batcher_get(&x, &which, b, i);
        const snc_row_set *set = snc_touched_scan(&sets, touched, &x);
        for (int k = 0; k < sets; k++) *out += (double)set[k].n * m->params.p[set[k].param].cols * each / n;
    }
out:
    snc_batcher_free(b);
    snc_touched_free(touched);
    return err;
}

snc_err snc_scale_count(snc_scale *out, const snc_ctx *ctx, const snc_dataset *rows, const snc_model *m, int batch, bool half)
{
    const int each = half ? 2 : 4;
    count_dense(out, m, each);
    return bytes_of_rows(&out->rows, ctx, rows, m, batch, each);
}

static snc_err time_sum(snc_scale *s)
{
    const size_t n = (size_t)fmin(s->weights, MOST_BLOCK) / sizeof(float) + 1;
    float *from = NULL, *to = NULL, *all = NULL;
    snc_err err = SNC_OK;
    double best = INFINITY;
    SNC_GOTO(snc_alloc(&from, n, sizeof *from));
    SNC_GOTO(snc_alloc(&to, n, sizeof *to));
    SNC_GOTO(snc_alloc(&all, n, sizeof *all));
    for (int k = 0; k < TIMES; k++) {
        const double t0 = snc_now();
        memcpy(to, from, n * sizeof *to);
        for (size_t i = 0; i < n; i++) all[i] += from[i];
        if (k > 0) best = fmin(best, snc_now() - t0);
    }
    s->sum = 2 * (double)n * sizeof *to / best;
out:
    snc_free(from);
    snc_free(to);
    snc_free(all);
    return err;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------- */

/* In turns, and of each the fastest: neighbours slow a turn down. At a quarter of the batch that is cheap enough to be tried, so that a
 * turn has several steps. */
static snc_err time_steps(snc_scale *s, const snc_ctx *quiet, const snc_options *o, const snc_dataset *rows, snc_model *m)
{
    const int batch = (snc_estimate_batch(o, rows, m) + 3) / 4, few = (batch + 3) / 4;
    double whole = INFINITY, part = INFINITY, alone = INFINITY, one;
    snc_ctx single = *quiet;
    single.threads = 1;
    for (int k = 0; k < TURNS; k++) {
        SNC_TRY(snc_estimate_step(&one, quiet, o, rows, m, batch, SNC_ESTIMATE_STEPS, TURN));
        whole = fmin(whole, one);
        SNC_TRY(snc_estimate_step(&one, quiet, o, rows, m, few, SNC_ESTIMATE_STEPS * batch / few, TURN));
        part = fmin(part, one);
        SNC_TRY(snc_estimate_step(&one, &single, o, rows, m, batch, SNC_ESTIMATE_STEPS, TURN));
        alone = fmin(alone, one);
    }
    whole = fmax(whole - s->here, 1e-3 * whole);
    part = fmax(part - s->here, 1e-3 * part);
    alone = fmax(alone - s->optimiser, whole);
    const double row = batch > few ? fmax(whole - part, 0) / (batch - few) : 0, fixed = fmax(part - row * few, 0);
    s->fixed = fixed > 0 ? fixed / (fixed + row * o->training.batch_size) : 0;
    s->serial = SNC_SCALE_ASSUMED;
    if (s->cores > 1) s->serial = fmin(fmax((s->cores * whole / alone - 1) / (s->cores - 1), 0), 1);
    return SNC_OK;
}

snc_err snc_scale_measure(snc_scale *out, const snc_ctx *ctx, const snc_options *o, const snc_dataset *rows, snc_model *m, bool half)
{
    snc_ctx quiet = *ctx;
    quiet.progress = NULL;
    quiet.meter = NULL;
    quiet.level = SNC_LOG_ERROR;
    out->cores = ctx->threads;
    SNC_TRY(snc_scale_count(out, &quiet, rows, m, o->training.batch_size, half));
    SNC_TRY(time_sum(out));
    SNC_TRY(time_optimiser(out, &quiet, o, m));
    return time_steps(out, &quiet, o, rows, m);
}
