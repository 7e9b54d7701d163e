/* Byte-level BPE with fewer pieces: the parts of what stays, and the blobs of that alone. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/bpe_priv.h"
#include "tokenizer/special_priv.h"

static const char WHERE[] = SNC_SPECIAL_WHERE;
static const char *const roles[] = {"unk", NULL};

/* ---- which pieces ----------------------------------------------------------------------------------------------- */

static bool one_letter(const char *p, size_t n)
{
    unsigned char byte[2];
    return n > 0 && n <= 2 && snc_bpe__bytes(byte, p, n) == 1;
}

/* Every byte's piece, what flags name and what added tokens claim by number. */
static snc_err mark(bool *keep, int n, const snc_wp *w, const cJSON *flags)
{
    snc_special_names special = {0};
    SNC_TRY(snc_special__names(&special, flags, roles));
    for (int id = 0; id < n && id < w->n_lines; id++) {
        const char *p = w->text + w->offset[id];
        if (one_letter(p, strlen(p)) || snc_special__named(&special, p, strlen(p))) keep[id] = true;
    }
    snc_free(special.v);
    return snc_special__apart(keep, flags, n);
}

/* The parts of kept pieces, by merges from the last to the first: a part is made before what it is a part of, or by a later merge,
 * which another round sees. */
static snc_err close_over(bool *keep, const snc_wp *w, const snc_tok_blob *merges)
{
    snc_bpe_step *m = NULL;
    snc_bpe_blob b = snc_bpe__blob(merges);
    size_t n = 0, cap = 0;
    bool more = true, changed = true;
    snc_err err = SNC_OK;
    for (;;) {
        SNC_GOTO(snc_grow(&m, &cap, n + 1, sizeof *m));
        SNC_GOTO(snc_bpe__next(&m[n], &more, &b, w->n_lines));
        if (!more) break;
        n++;
    }
    while (changed) {
        changed = false;
        for (size_t i = n; i-- > 0;) {
            const char *text = w->text + w->offset[m[i].id];
            if (!keep[m[i].id]) continue;
            int32_t left = snc_wp__find(w, text, m[i].left), right = snc_wp__find(w, text + m[i].left, strlen(text + m[i].left));
            changed = changed || !keep[left] || !keep[right];
            keep[left] = keep[right] = true;
        }
    }
out:
    snc_free(m);
    return err;
}

snc_err snc_bpe__need(bool *keep, int n, const snc_tok_assets *a)
{
    const snc_tok_blob *config = &a->blob[SNC_BPE_CONFIG], *vocab = &a->blob[SNC_BPE_VOCAB];
    snc_bpe_table table = {.pair = NULL};
    cJSON *flags = NULL;
    snc_wp w = {.unk = -1};
    snc_err err = SNC_OK;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    SNC_GOTO(snc_wp__init(&w, vocab->data, vocab->bytes));
    assert(w.n_lines <= n); /* a model with fewer rows than pieces was refused */
    w.plain = true;
    for (int32_t id = 0; id < w.n_lines; id++) snc_wp__insert(&w, id);
    SNC_GOTO(snc_bpe__table(&table, &w, &a->blob[SNC_BPE_MERGES])); /* every merge is of pieces */
    SNC_GOTO(mark(keep, n, &w, flags));
    SNC_GOTO(close_over(keep, &w, &a->blob[SNC_BPE_MERGES]));
out:
    snc_bpe__table_dispose(&table);
    snc_wp__dispose(&w);
    cJSON_Delete(flags);
    return err;
}

/* ---- the blobs -------------------------------------------------------------------------------------------------- */

/* Merges that make kept pieces, in the new numbers, at `to` (NULL: counts bytes). */
static snc_err copy_merges(unsigned char *to, size_t *bytes, const snc_tok_blob *merges, const int *number, const bool *keep, int ids)
{
    snc_bpe_blob b = snc_bpe__blob(merges);
    snc_bpe_step m;
    int32_t next = 0;
    *bytes = 0;
    for (bool more = true;;) {
        SNC_TRY(snc_bpe__next(&m, &more, &b, ids));
        if (!more) return SNC_OK;
        if (!keep[m.id]) continue;
        m.id = number[m.id];
        *bytes += snc_bpe__put(to ? to + *bytes : NULL, &next, m);
    }
}

static snc_err new_numbers(int **out, const bool *keep, int n)
{
    SNC_TRY(snc_alloc(out, (size_t)n + 1, sizeof **out));
    for (int i = 0; i < n; i++) (*out)[i + 1] = (*out)[i] + keep[i];
    return SNC_OK;
}

size_t snc_bpe__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n)
{
    int *number = NULL, lines;
    size_t merges = 0;
    snc_err err = new_numbers(&number, keep, n);
    if (!err) err = copy_merges(NULL, &merges, &a->blob[SNC_BPE_MERGES], number, keep, n);
    snc_free(number);
    if (err) merges = a->blob[SNC_BPE_MERGES].bytes;
    return snc_special__keep_lines(NULL, &lines, &a->blob[SNC_BPE_VOCAB], keep, n) + merges + a->blob[SNC_BPE_CONFIG].bytes;
}

static snc_err trim_merges(snc_tok_blob *out, const snc_tok_blob *merges, const bool *keep, int n)
{
    int *number = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(new_numbers(&number, keep, n));
    SNC_GOTO(copy_merges(NULL, &out->bytes, merges, number, keep, n));
    SNC_GOTO(snc_alloc(&out->data, out->bytes + 1, 1));
    SNC_GOTO(copy_merges((unsigned char *)out->data, &out->bytes, merges, number, keep, n));
out:
    snc_free(number);
    return err;
}

snc_err snc_bpe__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n)
{
    SNC_TRY(snc_special__trim_lines(&out->blob[SNC_BPE_VOCAB], &a->blob[SNC_BPE_VOCAB], keep, n));
    SNC_TRY(trim_merges(&out->blob[SNC_BPE_MERGES], &a->blob[SNC_BPE_MERGES], keep, n));
    return snc_special__trim_flags(&out->blob[SNC_BPE_CONFIG], &a->blob[SNC_BPE_CONFIG], keep, n);
}
