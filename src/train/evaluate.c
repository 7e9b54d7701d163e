/* Rows are taken from the longest to the shortest: a batch has about one length, and the first shows the largest need. */
#include "train/sweep.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/dataset_ranks.h"
#include "models/cutoff.h"
#include "models/model_ranks.h"
#include "models/runtime.h"

/* The sorted rows from the last on, a batch to each rank in turns: rows by rank, and where those of each begin, at [size + 1]. The first
 * batch shows the largest need, and rates only rise. */
static void deal(int32_t *rows, int *at, const int32_t *sorted, int all, int batch_size, int size)
{
    int n = 0;
    for (int r = 0; r < size; r++) {
        at[r] = n;
        for (int from = r * batch_size; from < all; from += size * batch_size)
            for (int i = from; i < all && i < from + batch_size; i++) rows[n++] = sorted[all - 1 - i];
    }
    at[size] = n;
}

static snc_err run(float *logits, const snc_ctx *ctx, snc_engine *e, const snc_arch *arch, int K, const snc_dataset *d, const int32_t *rows,
                   int all, int batch_size, const char *what)
{
    snc_err err = SNC_OK;
    snc_batcher *batcher = NULL;
    float *z = NULL;
    SNC_GOTO(snc_batcher_new(&batcher, d, batch_size));
    SNC_GOTO(snc_alloc(&z, (size_t)snc_batcher_max_answers(batcher) * (size_t)K, sizeof *z));
    if (what) snc_progress(ctx, what, 0, all, "%s", "");
    for (int at = 0; at < all; at += batch_size) {
        SNC_GOTO(snc_go_on(ctx));
        int n = all - at < batch_size ? all - at : batch_size;
        snc_tokens x;
        snc_batcher_rows(&x, batcher, rows + at, n);
        SNC_GOTO(snc_engine_forward(e, z, arch, &x, NULL));
        int bad = snc_logits_bad(z, snc_tokens_answers(&x, d->answers != NULL), K);
        if (bad >= 0) {
            bad = snc_tokens_answered(&x, bad, d->answers != NULL);
            err = snc_err_set(SNC_E_DIVERGED, "row %d of %d: its logits are not finite", rows[at + bad] + 1, d->n);
            goto out;
        }
        snc_batcher_scatter(logits, z, d, rows + at, n, K);
        if (what) snc_progress(ctx, what, (double)(at + n), (double)all, "%s", "");
    }
out:
    snc_free(z);
    snc_batcher_free(batcher);
    return err;
}

/* What each rank has of its rows [at[r], at[r + 1]), on all. */
static snc_err collect(float *logits, snc_comm *c, int K, const snc_dataset *d, const int32_t *rows, const int *at)
{
    float *all = NULL;
    size_t bytes[SNC_COMM_RANKS + 1] = {0};
    for (int r = 0; r < c->size; r++)
        bytes[r + 1] = bytes[r] + (size_t)snc_dataset_answers_of(d, rows + at[r], at[r + 1] - at[r]) * (size_t)K * sizeof *all;
    snc_err err = snc_comm_agree(c, snc_alloc(&all, bytes[c->size] / sizeof *all, sizeof *all));
    if (!err) {
        const int me = c->rank;
        snc_batcher_gather(all + bytes[me] / sizeof *all, logits, d, rows + at[me], at[me + 1] - at[me], K);
        err = snc_comm_gather(c, all, bytes);
    }
    if (!err) snc_batcher_scatter(logits, all, d, rows, at[c->size], K);
    snc_free(all);
    return err;
}

static snc_err evaluate(float *logits, const snc_ctx *ctx, snc_comm *c, snc_engine *e, const snc_arch *arch, int K, const snc_dataset *d,
                        const uint8_t *met, int batch_size, const char *what)
{
    int32_t *sorted = NULL, *rows = NULL;
    int all, at[SNC_COMM_RANKS + 1], me = snc_comm_rank(c), size = snc_comm_size(c);
    snc_err err = snc_dataset_by_length(&sorted, &all, d, met);
    if (!err) err = snc_alloc(&rows, (size_t)all, sizeof *rows);
    if (!err) deal(rows, at, sorted, all, batch_size, size);
    if (!err) err = run(logits, ctx, e, arch, K, d, rows + at[me], at[me + 1] - at[me], batch_size, what);
    err = snc_comm_agree(c, err);
    if (!err && size > 1) err = collect(logits, c, K, d, rows, at);
    snc_free(sorted);
    snc_free(rows);
    return err;
}

snc_err snc_train_eval(float *logits, const snc_ctx *ctx, snc_engine *e, const snc_arch *arch, int K, const snc_dataset *d, int batch_size,
                       const char *what)
{
    return evaluate(logits, ctx, NULL, e, arch, K, d, NULL, batch_size, what);
}

/* Everything that a sweep is told, on every rank. */
typedef struct sweep {
    snc_arch arch;
    snc_compute compute;
    int batch_size;
} sweep;

static snc_err evaluate_model(float *logits, const snc_ctx *ctx, snc_comm *c, snc_model *m, const sweep *s, const snc_dataset *d,
                              const uint8_t *met, const char *what)
{
    snc_engine *e = NULL;
    snc_engine_opts o = SNC_ENGINE_OPTS_INIT;
    o.compute = s->compute;
    o.first_only = true;
    o.max_seqs = s->batch_size;
    o.max_len = d->max_len;
    o.max_tokens = s->batch_size * d->max_len;
    o.train = false;
    snc_err err = snc_comm_agree(c, snc_engine_create(&e, ctx, m, &o));
    if (!err) err = evaluate(logits, ctx, c, e, &s->arch, m->cfg.classes, d, met, s->batch_size, what);
    snc_engine_free(e);
    return err;
}

/* Rank 0's part of sending a sweep, and of joining in it. A few rows are answered before a model has been sent. */
static snc_err call(float *logits, const snc_ctx *ctx, snc_model *m, const sweep *s, const snc_dataset *d, const uint8_t *met,
                    const char *what)
{
    const snc_ctx own = snc_ctx_alone(ctx);
    snc_parcel p = {0};
    snc_dataset *none;
    uint8_t *mask = NULL;
    snc_comm *c = d->n >= SNC_SWEEP_SHARED ? ctx->comm : NULL;
    if (!c) return evaluate_model(logits, &own, NULL, m, s, d, met, what);
    memcpy(&mask, &met, sizeof mask);
    snc_duty_put_ctx(&p, &own);
    snc_parcel_put(&p, s, sizeof *s);
    SNC_TRY(snc_duty_call(c, snc_duty_sweep.name, &p));
    SNC_TRY(snc_model_share(&m, &own, c));
    SNC_TRY(snc_dataset_share(&none, d, c));
    SNC_TRY(snc_block_share(&mask, (size_t)d->n, 1, c));
    return evaluate_model(logits, &own, c, m, s, d, met, what);
}

static snc_err attend(const snc_ctx *ctx, snc_parcel *said)
{
    snc_err err = SNC_OK;
    snc_ctx own;
    snc_comm *c = ctx->comm;
    sweep s;
    snc_model *m = NULL;
    snc_dataset *d = NULL;
    uint8_t *met = NULL;
    float *z = NULL;
    SNC_TRY(snc_duty_take_ctx(&own, ctx, said));
    SNC_TRY(snc_parcel_take(&s, said, sizeof s));
    SNC_GOTO(snc_model_share(&m, &own, c));
    SNC_GOTO(snc_dataset_share(&d, NULL, c));
    SNC_GOTO(snc_block_share(&met, (size_t)d->n, 1, c));
    err = snc_alloc(&z, snc_dataset_logits(d, m->cfg.classes), sizeof *z);
    if (err) c->failed = true;
    else err = evaluate_model(z, &own, c, m, &s, d, met, NULL);
out:
    snc_free(z);
    snc_free(met);
    snc_dataset_free(d);
    snc_model_free(m);
    return err;
}
const snc_duty snc_duty_sweep = {"sweep", attend};

snc_err snc_train_eval_model(float *logits, const snc_ctx *ctx, snc_model *m, const snc_arch *arch, snc_compute compute,
                             const snc_dataset *d, int batch_size, const char *what)
{
    const sweep s = {arch ? *arch : m->arch, compute, batch_size};
    return call(logits, ctx, m, &s, d, NULL, what);
}

static snc_err room_for(float **z, const snc_dataset *d, int K)
{
    const size_t n = snc_dataset_logits(d, K);
    SNC_TRY(snc_alloc(z, n, sizeof **z));
    for (size_t i = 0; i < n; i++) (*z)[i] = NAN;
    return SNC_OK;
}

snc_err snc_train_sweep(float **logits, const snc_ctx *ctx, snc_model *teacher, snc_compute compute, const snc_dataset *d,
                        const uint8_t *met, const char *what)
{
    const sweep s = {teacher->arch, compute, SNC_SWEEP_BATCH};
    float *z = NULL;
    SNC_TRY(room_for(&z, d, teacher->cfg.classes));
    snc_err err = call(z, ctx, teacher, &s, d, met, what);
    if (err) snc_free(z);
    else *logits = z;
    return err;
}

snc_err snc_sweep_among(float **logits, const snc_ctx *ctx, snc_comm *comm, snc_model *teacher, snc_compute compute, const snc_dataset *d,
                        const uint8_t *met, const char *what)
{
    const sweep s = {teacher->arch, compute, SNC_SWEEP_BATCH};
    float *z = NULL;
    snc_err err = snc_comm_agree(comm, room_for(&z, d, teacher->cfg.classes));
    if (!err) err = evaluate_model(z, ctx, comm, teacher, &s, d, met, what);
    if (err) snc_free(z);
    else *logits = z;
    return err;
}

void snc_train_predictions(float *pred, const float *logits, int n, int K)
{
    for (int i = 0; i < n; i++) {
        const float *z = logits + (int64_t)i * K;
        pred[i] = K == 1 ? z[0] : (float)snc_class_best(z, K);
    }
}
