/* Rows are made by seed, and the teacher's logits kept in a file under a hash of all that they depend on. */
#include "artifact/distillation.h"

#include <string.h>

#include "artifact/recipes.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "train/evaluate.h"
#include "train/trainer.h"

enum { MOST_MADE = 150000 }; /* a task with as many rows of its own needs fewer made ones */

double snc_distillation_made(double augment, int n)
{
    double most = (double)MOST_MADE / n;
    return augment < most ? augment : most;
}

/* The file: this number, the logits, the digest of both. */
static uint64_t key_of(const snc_distillation_set *set, const uint8_t *met, const snc_model *teacher, snc_compute compute)
{
    uint64_t h = snc_bytes_hash(snc_dataset_hash(set->rows), met, (size_t)set->rows->n);
    h = snc_bytes_hash(h, &compute, sizeof compute);
    h = snc_bytes_hash(h, &teacher->cfg.classes, sizeof teacher->cfg.classes);
    return snc_bytes_hash(h, teacher->params.w, teacher->params.total * sizeof *teacher->params.w);
}

static uint64_t digest_of(uint64_t key, const float *logits, size_t n)
{
    return snc_digest((snc_digest_part[]){{&key, sizeof key}, {logits, n * sizeof *logits}}, 2);
}

static snc_err recall(snc_distillation_set *set, uint64_t key, size_t n)
{
    snc_fmap *m = NULL;
    uint64_t there, digest;
    size_t bytes = n * sizeof *set->logits;
    snc_err err = SNC_OK;
    if (!set->path || !snc_is_file(set->path)) return SNC_OK;
    SNC_TRY(snc_fmap_open(&m, set->path));
    if (m->size != sizeof key + bytes + sizeof digest) goto out;
    memcpy(&there, m->data, sizeof there);
    if (there != key) goto out;
    SNC_GOTO(snc_alloc(&set->logits, n, sizeof *set->logits));
    memcpy(set->logits, m->data + sizeof key, bytes);
    memcpy(&digest, m->data + sizeof key + bytes, sizeof digest);
    if (digest == digest_of(key, set->logits, n)) goto out;
    snc_free(set->logits); /* damaged: asked again */
    set->logits = NULL;
out:
    snc_fmap_close(m);
    return err;
}

static snc_err keep(const snc_distillation_set *set, uint64_t key, size_t n)
{
    snc_fout *f;
    if (!set->path) return SNC_OK;
    uint64_t digest = digest_of(key, set->logits, n);
    SNC_TRY(snc_fout_open(&f, set->path));
    snc_err err = snc_fout_write(f, &key, sizeof key);
    if (!err) err = snc_fout_write(f, set->logits, n * sizeof *set->logits);
    if (!err) err = snc_fout_write(f, &digest, sizeof digest);
    if (!err) return snc_fout_commit(f);
    snc_fout_abort(f);
    return err;
}

/* What the tokenizer and the teacher say of word pieces goes to those who replace them. */
static snc_err augment(snc_distillation_set *set, const snc_ctx *ctx, const snc_inputs *in, const snc_dataset *of, const snc_model *teacher,
                       const snc_augment *a)
{
    const int word = snc_model_at(teacher, SNC_ROLE_WORD, 0);
    snc_augment_pieces p = {.V = teacher->cfg.vocab, .C = teacher->params.p[word].cols, .table = snc_params_w(&teacher->params, word)};
    uint8_t *continues = NULL;
    if (!a->whole_words && !a->neighbours) return snc_dataset_augment(&set->rows, ctx, of, a, NULL);
    SNC_TRY(snc_alloc(&continues, (size_t)p.V, 1));
    for (int id = 0; id < p.V; id++) {
        const char *piece = snc_tok_piece_view(in->tok, id);
        continues[id] = piece && strncmp(piece, "##", 2) == 0;
    }
    p.continues = continues;
    snc_err err = snc_dataset_augment(&set->rows, ctx, of, a, &p);
    snc_free(continues);
    return err;
}

static snc_err make_rows(snc_distillation_set *set, const snc_ctx *ctx, const snc_inputs *in, const snc_dataset *of, const snc_options *o,
                         const snc_model *teacher)
{
    snc_augment a;
    SNC_TRY(snc_recipe_augment(&a, o));
    a.rows = snc_distillation_made(a.rows, of->n);
    snc_dataset_free(set->rows);
    set->rows = NULL;
    return augment(set, ctx, in, of, teacher, &a);
}

static void log_logits(const snc_distillation_set *set, const snc_ctx *ctx, const snc_dataset *of, const uint8_t *met, const char *whose,
                       double t0)
{
    int n = 0, made = 0;
    for (int i = 0; i < set->rows->n; i++) {
        n += met[i];
        made += met[i] && i >= of->n;
    }
    snc_log(ctx, SNC_LOG_INFO, "%s: logits of %d rows, %d of them made, %.1f s", whose, n, made, snc_now() - t0);
}

snc_err snc_distillation_fill(snc_distillation_set *set, const snc_ctx *ctx, const snc_inputs *in, const snc_options *o, snc_model *teacher,
                              snc_compute compute)
{
    const snc_dataset *of = in->splits.train;
    const double t0 = snc_now();
    snc_train_opts t;
    snc_err err = SNC_OK;
    uint8_t *met = NULL;
    if (set->logits) return SNC_OK;
    SNC_TRY(snc_recipe_supernet(&t, o, NULL));
    SNC_TRY(make_rows(set, ctx, in, of, o, teacher));
    SNC_GOTO(snc_alloc(&met, (size_t)set->rows->n, 1));
    SNC_GOTO(snc_train_rows_met(met, ctx, set->rows, &t));
    const size_t n = snc_dataset_logits(set->rows, teacher->cfg.classes);
    const uint64_t key = set->path ? key_of(set, met, teacher, compute) : 0;
    SNC_GOTO(recall(set, key, n));
    if (set->logits) {
        snc_log(ctx, SNC_LOG_INFO, "teacher: %s is up to date", set->path);
        goto out;
    }
    SNC_GOTO(snc_train_sweep(&set->logits, ctx, teacher, compute, set->rows, met, "teacher logits"));
    log_logits(set, ctx, of, met, "teacher", t0);
    SNC_GOTO(keep(set, key, n));
out:
    snc_free(met);
    return err;
}

/* Rows that repair meets, and those it is judged by. */
static snc_err met_by_repair(uint8_t *met, const snc_ctx *ctx, const snc_dataset *rows, const snc_options *o)
{
    snc_train_opts t;
    SNC_TRY(snc_recipe_repair(&t, o));
    SNC_TRY(snc_train_rows_met(met, ctx, rows, &t));
    memset(met, 1, (size_t)snc_min(rows->n, SNC_DISTILLATION_JUDGED));
    return SNC_OK;
}

/* Adds the share of teacher i; the first one's pieces make the rows. */
static snc_err add_logits(snc_distillation_set *set, const snc_ctx *ctx, const snc_inputs *in, const snc_dataset *of, const snc_options *o,
                          const snc_teachers *teachers, int i, snc_compute compute, uint8_t **met)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    float *z = NULL;
    bool fine_tuned;
    SNC_TRY(snc_inputs_model(&m, &fine_tuned, ctx, teachers->path[i], in->task));
    if (i == 0) {
        SNC_GOTO(make_rows(set, ctx, in, of, o, m));
        SNC_GOTO(snc_alloc(met, (size_t)set->rows->n, 1));
        SNC_GOTO(met_by_repair(*met, ctx, set->rows, o));
    }
    SNC_GOTO(snc_train_sweep(&z, ctx, m, compute, set->rows, *met, "refit logits"));
    const size_t n = snc_dataset_logits(set->rows, m->cfg.classes);
    if (i == 0) SNC_GOTO(snc_alloc(&set->logits, n, sizeof *set->logits));
    for (size_t k = 0; k < n; k++) set->logits[k] += z[k] / (float)teachers->n;
out:
    snc_free(z);
    snc_model_free(m);
    return err;
}

snc_err snc_distillation_average(snc_distillation_set *set, const snc_ctx *ctx, const snc_inputs *in, const snc_dataset *of,
                                 const snc_options *o, const snc_teachers *teachers, snc_compute compute)
{
    const double t0 = snc_now();
    snc_err err = SNC_OK;
    uint8_t *met = NULL;
    if (set->logits) return SNC_OK;
    for (int i = 0; i < teachers->n && !err; i++) err = add_logits(set, ctx, in, of, o, teachers, i, compute, &met);
    if (!err) log_logits(set, ctx, of, met, teachers->n > 1 ? "teachers of all rows" : "teacher of all rows", t0);
    snc_free(met);
    return err;
}

void snc_distillation_dispose(snc_distillation_set *set)
{
    snc_dataset_free(set->rows);
    snc_free(set->logits);
    *set = (snc_distillation_set){0};
}
