/* A flag for each row of the vocabulary; kept lines are copied in order, and a running count gives ids their new numbers. */
#include "models/trim.h"

#include <stdio.h>
#include <string.h>

#include "models/snc_file_priv.h"
#include "tokenizer/kind.h"

/* ---- which ids ------------------------------------------------------------------------------------------------------ */

/* Keeps what has to stay beside those that are kept. */
static snc_err close_over(snc_trim *t)
{
    SNC_TRY(t->assets->kind->need(t->keep, t->rows, t->assets));
    t->kept = 0;
    for (int i = 0; i < t->rows; i++) t->kept += t->keep[i];
    return SNC_OK;
}

snc_err snc_trim_new(snc_trim *out, const snc_tok_assets *a, int V)
{
    *out = (snc_trim){.rows = V, .assets = a};
    SNC_CHECK(a->kind, SNC_E_SHAPE, "no vocabulary to trim: the model has no tokenizer");
    snc_err err = snc_alloc(&out->keep, (size_t)V, sizeof *out->keep);
    if (!err) err = close_over(out);
    if (err) snc_trim_dispose(out);
    return err;
}

void snc_trim_dispose(snc_trim *t)
{
    snc_free(t->keep);
    *t = (snc_trim){0};
}

snc_err snc_trim_see(snc_trim *t, const int32_t *ids, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (ids[i] >= 0 && ids[i] < t->rows) t->keep[ids[i]] = true;
    return close_over(t);
}

int64_t snc_trim_lost(const snc_trim *t, const int32_t *ids, int64_t n)
{
    int64_t lost = 0;
    for (int64_t i = 0; i < n; i++) lost += ids[i] >= t->rows || !t->keep[ids[i]];
    return lost;
}

size_t snc_trim_tokenizer_bytes(const snc_trim *t) { return t->assets->kind->trimmed_bytes(t->assets, t->keep, t->rows); }

/* ---- the file ------------------------------------------------------------------------------------------------------- */

typedef struct rewrite {
    snc_sncfile *f;
    snc_tok_assets old, assets;
    snc_tensor *tensor;
    void *rows[3]; /* the word table's own tensors, cut */
    int n, cut;
} rewrite;

static bool of_word_table(const char *name)
{
    const char *word = snc_spec_rows[SNC_ROLE_WORD].name, *rest = name + strlen(word);
    return strncmp(name, word, strlen(word)) == 0 && (*rest == 0 || strcmp(rest, ".scale") == 0 || strcmp(rest, ".group") == 0);
}

static snc_err cut_rows(rewrite *w, snc_tensor *x, const snc_trim *t)
{
    SNC_CHECK(x->shape[0] == t->rows, SNC_E_SHAPE, "tensor '%s' has %lld rows, expected %d", x->name, (long long)x->shape[0], t->rows);
    size_t row = x->bytes / (size_t)t->rows;
    char *to = NULL;
    SNC_TRY(snc_alloc(&to, (size_t)t->kept, row));
    w->rows[w->cut++] = to;
    for (int i = 0; i < t->rows; i++)
        if (t->keep[i]) {
            memcpy(to, (const char *)x->data + (size_t)i * row, row);
            to += row;
        }
    x->data = w->rows[w->cut - 1];
    x->shape[0] = t->kept;
    x->bytes = row * (size_t)t->kept;
    return SNC_OK;
}

static snc_err collect(rewrite *w, const snc_trim *t)
{
    const snc_st *st = snc_sncfile_tensors(w->f);
    SNC_TRY(snc_alloc(&w->tensor, (size_t)snc_st_count(st), sizeof *w->tensor));
    for (int i = 0; i < snc_st_count(st); i++) {
        snc_tensor x = snc_st_tensors_view(st)[i];
        if (strncmp(x.name, "tokenizer.", 10) == 0) continue;
        if (of_word_table(x.name)) SNC_TRY(cut_rows(w, &x, t));
        w->tensor[w->n++] = x;
    }
    return SNC_OK;
}

snc_err snc_trim_file(const char *to, const char *from, const snc_trim *t, cJSON *note)
{
    snc_err err = SNC_OK;
    rewrite w = {0};
    cJSON *meta = NULL;
    SNC_GOTO(snc_sncfile_open(&w.f, from));
    SNC_GOTO(snc_sncfile_tokenizer_dup(&w.old, w.f));
    if (!w.old.kind || snc_sncfile_config(w.f)->vocab != t->rows)
        SNC_GOTO(snc_err_set(SNC_E_SHAPE, "%s: a vocabulary of %d rows%s, expected %d", from, snc_sncfile_config(w.f)->vocab,
                             w.old.kind ? "" : " without a tokenizer", t->rows));
    w.assets.kind = w.old.kind;
    SNC_GOTO(w.old.kind->trim(&w.assets, &w.old, t->keep, t->rows));
    SNC_GOTO(collect(&w, t));
    meta = cJSON_Duplicate(snc_sncfile_meta_view(w.f), true);
    if (note) cJSON_AddItemToObject(meta, "trim", note);
    note = NULL;
    snc_encoder_config cfg = *snc_sncfile_config(w.f);
    cfg.vocab = t->kept;
    snc_sncfile_desc d = {.cfg = &cfg,
                          .arch = snc_sncfile_arch_said(w.f),
                          .policy = snc_sncfile_policy(w.f),
                          .labels = w.f->labels,
                          .has_head = snc_sncfile_has_head(w.f),
                          .tokenizer = &w.assets,
                          .meta = meta};
    err = snc_sncfile_save(to, &d, w.tensor, w.n);
out:
    cJSON_Delete(note);
    cJSON_Delete(meta);
    for (int i = 0; i < w.cut; i++) snc_free(w.rows[i]);
    snc_free(w.tensor);
    snc_tok_assets_dispose(&w.old);
    snc_tok_assets_dispose(&w.assets);
    snc_sncfile_close(w.f);
    return err;
}
