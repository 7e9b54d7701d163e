/* Rows are taken from the longest to the shortest: a batch has about one length, and the first shows the largest need. */
#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "models/cutoff.h"
#include "models/runtime.h"

enum { SWEEP_BATCH = 128 };

typedef struct length_key {
    int32_t len, row;
} length_key;

static int by_length(const void *a, const void *b)
{
    const length_key *x = a, *y = b;
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Rows from the longest to the shortest: the first batch shows the largest need, and rates only rise. */
static snc_err sorted_rows(int32_t **out, int *n, const snc_dataset *d, const uint8_t *met)
{
    length_key *keys = NULL;
    SNC_TRY(snc_alloc(&keys, (size_t)d->n, sizeof *keys));
    snc_err err = snc_alloc(out, (size_t)d->n, sizeof **out);
    *n = 0;
    if (!err) {
        for (int i = 0; i < d->n; i++)
            if (!met || met[i]) keys[(*n)++] = (length_key){snc_dataset_len(d, i), i};
        qsort(keys, (size_t)*n, sizeof *keys, by_length);
        for (int i = 0; i < *n; i++) (*out)[i] = keys[*n - 1 - i].row;
    }
    snc_free(keys);
    return err;
}

static snc_err evaluate(float *logits, const snc_ctx *ctx, snc_engine *e, const snc_arch *arch, int K, const snc_dataset *d,
                        const uint8_t *met, int batch_size, const char *what)
{
    snc_err err = SNC_OK;
    snc_batcher *batcher = NULL;
    int32_t *rows = NULL;
    float *z = NULL;
    int all;
    SNC_GOTO(snc_batcher_new(&batcher, d, batch_size));
    SNC_GOTO(sorted_rows(&rows, &all, d, met));
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
    snc_free(rows);
    snc_batcher_free(batcher);
    return err;
}

snc_err snc_train_eval(float *logits, const snc_ctx *ctx, snc_engine *e, const snc_arch *arch, int K, const snc_dataset *d, int batch_size,
                       const char *what)
{
    return evaluate(logits, ctx, e, arch, K, d, NULL, batch_size, what);
}

static snc_err evaluate_model(float *logits, const snc_ctx *ctx, snc_model *m, const snc_arch *arch, snc_compute compute,
                              const snc_dataset *d, const uint8_t *met, int batch_size, const char *what)
{
    snc_engine *e = NULL;
    snc_engine_opts o = SNC_ENGINE_OPTS_INIT;
    o.compute = compute;
    o.first_only = true;
    o.max_seqs = batch_size;
    o.max_len = d->max_len;
    o.max_tokens = batch_size * d->max_len;
    o.train = false;
    SNC_TRY(snc_engine_create(&e, ctx, m, &o));
    snc_err err = evaluate(logits, ctx, e, arch ? arch : &m->arch, m->cfg.classes, d, met, batch_size, what);
    snc_engine_free(e);
    return err;
}

snc_err snc_train_eval_model(float *logits, const snc_ctx *ctx, snc_model *m, const snc_arch *arch, snc_compute compute,
                             const snc_dataset *d, int batch_size, const char *what)
{
    return evaluate_model(logits, ctx, m, arch, compute, d, NULL, batch_size, what);
}

snc_err snc_train_sweep(float **logits, const snc_ctx *ctx, snc_model *teacher, snc_compute compute, const snc_dataset *d,
                        const uint8_t *met, const char *what)
{
    const size_t n = snc_dataset_logits(d, teacher->cfg.classes);
    float *z = NULL;
    SNC_TRY(snc_alloc(&z, n, sizeof *z));
    for (size_t i = 0; i < n; i++) z[i] = NAN;
    snc_err err = evaluate_model(z, ctx, teacher, NULL, compute, d, met, SWEEP_BATCH, what);
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
