/* What distillation learns from: rows made of the task's own, and what the teacher says of them. */
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "data/augment.h"
#include "stage/steps.h"
#include "train/evaluate.h"

enum { MOST_MADE = 150000 }; /* a task with as many rows of its own needs fewer made ones */

double snc_step_made(const snc_options *o, int n)
{
    double most = (double)MOST_MADE / n;
    return o->augment < most ? o->augment : most;
}

/* The file: this number, the logits, the digest of both. */
static uint64_t key_of(const snc_lesson *l, const snc_model *teacher, snc_compute compute)
{
    uint64_t h = snc_dataset_hash(l->rows);
    h = snc_bytes_hash(h, &compute, sizeof compute);
    h = snc_bytes_hash(h, &teacher->cfg.classes, sizeof teacher->cfg.classes);
    return snc_bytes_hash(h, teacher->params.w, teacher->params.total * sizeof *teacher->params.w);
}

static uint64_t digest_of(uint64_t key, const float *logits, size_t n)
{
    return snc_digest((snc_digest_part[]){{&key, sizeof key}, {logits, n * sizeof *logits}}, 2);
}

static snc_err recall(snc_lesson *l, uint64_t key, size_t n)
{
    snc_fmap *m = NULL;
    uint64_t there, digest;
    size_t bytes = n * sizeof *l->logits;
    snc_err err = SNC_OK;
    if (!l->path || !snc_is_file(l->path)) return SNC_OK;
    SNC_TRY(snc_fmap_open(&m, l->path));
    if (m->size != sizeof key + bytes + sizeof digest) goto out;
    memcpy(&there, m->data, sizeof there);
    if (there != key) goto out;
    SNC_GOTO(snc_alloc(&l->logits, n, sizeof *l->logits));
    memcpy(l->logits, m->data + sizeof key, bytes);
    memcpy(&digest, m->data + sizeof key + bytes, sizeof digest);
    if (digest == digest_of(key, l->logits, n)) goto out;
    snc_free(l->logits); /* damaged: asked again */
    l->logits = NULL;
out:
    snc_fmap_close(m);
    return err;
}

static snc_err keep(const snc_lesson *l, uint64_t key, size_t n)
{
    snc_fout *f;
    if (!l->path) return SNC_OK;
    uint64_t digest = digest_of(key, l->logits, n);
    SNC_TRY(snc_fout_open(&f, l->path));
    snc_err err = snc_fout_write(f, &key, sizeof key);
    if (!err) err = snc_fout_write(f, l->logits, n * sizeof *l->logits);
    if (!err) err = snc_fout_write(f, &digest, sizeof digest);
    if (!err) return snc_fout_commit(f);
    snc_fout_abort(f);
    return err;
}

snc_err snc_step_teach(const snc_ctx *ctx, const snc_inputs *in, const snc_options *o, snc_model *teacher, snc_compute compute)
{
    snc_lesson *l = in->lesson;
    snc_augment a = SNC_AUGMENT_INIT;
    double t0 = snc_now();
    if (l->logits) return SNC_OK;
    a.rows = snc_step_made(o, in->splits.train->n);
    snc_dataset_free(l->rows);
    l->rows = NULL;
    SNC_TRY(snc_dataset_augment(&l->rows, in->splits.train, &a, ctx->seed));
    size_t n = (size_t)l->rows->n * (size_t)teacher->cfg.classes;
    uint64_t key = l->path ? key_of(l, teacher, compute) : 0;
    SNC_TRY(recall(l, key, n));
    if (l->logits) {
        snc_log(ctx, SNC_LOG_INFO, "teacher: %s is up to date", l->path);
        return SNC_OK;
    }
    SNC_TRY(snc_train_sweep(&l->logits, ctx, teacher, compute, l->rows));
    snc_log(ctx, SNC_LOG_INFO, "teacher: logits of %d rows, %d of them made, %.1f s", l->rows->n, l->rows->n - in->splits.train->n, snc_now() - t0);
    return keep(l, key, n);
}
