/* BPE with fewer pieces: what lies on the way to those that stay, and the blobs of that alone. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/bpe_priv.h"
#include "tokenizer/special_priv.h"
#include "tokenizer/unicode_priv.h"

enum { MAX_ALONE = 128 }; /* characters of a piece */

static const char WHERE[] = SNC_SPECIAL_WHERE;
static const char *const roles[] = {"unk", NULL};

/* ---- pieces and merges ------------------------------------------------------------------------------------------ */

typedef struct all {
    snc_wp pieces;
    snc_bpe_table merges;
    const snc_tok_blob *blob; /* of merges, each of which is of pieces */
} all;

static void dispose(all *a)
{
    snc_bpe__table_dispose(&a->merges);
    snc_wp__dispose(&a->pieces);
}

/* Dispose of it after errors, too. */
static snc_err make(all *a, const snc_tok_blob *vocab, char last, const snc_tok_blob *merges, const snc_tok_blob *config)
{
    cJSON *flags;
    *a = (all){.blob = merges};
    SNC_TRY(snc_wp__init(&a->pieces, vocab->data, vocab->bytes, last));
    a->pieces.plain = true;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    snc_err err = snc_special__insert(&a->pieces, flags);
    cJSON_Delete(flags);
    return err ? err : snc_bpe__table(&a->merges, &a->pieces, merges);
}

static void parts_of(int32_t part[2], const all *a, snc_bpe_step m)
{
    const char *text = a->pieces.text + a->pieces.offset[m.id];
    part[0] = snc_wp__find(&a->pieces, text, m.left);
    part[1] = snc_wp__find(&a->pieces, text + m.left, strlen(text + m.left));
}

/* ---- which pieces ----------------------------------------------------------------------------------------------- */

static int put_characters(int32_t *ids, const all *a, const char *text)
{
    int n = 0;
    uint32_t cp;
    for (size_t i = 0; text[i]; n++) {
        size_t bytes = snc_utf8__get(&cp, (const unsigned char *)text + i);
        if (n == MAX_ALONE) return -1;
        ids[n] = snc_wp__find(&a->pieces, text + i, bytes);
        if (ids[n] < 0) return -1;
        i += bytes;
    }
    return n;
}

/* A piece's characters, merged. Whatever stands around it in a text whose pieces it is one of, it came about like this: no merge reached
 * over its ends, so those within were done in the same order. Marks what was made on the way; false where it is not made like this.
 * A byte or an unknown is merged under its name, which is no text: what may hold one, by its brackets, is not tried. */
static bool make_alone(bool *keep, const all *a, int32_t id)
{
    const char *text = a->pieces.text + a->pieces.offset[id];
    int32_t ids[MAX_ALONE], made[MAX_ALONE];
    int n = strpbrk(text, "<[") ? -1 : put_characters(ids, a, text), n_made = 0;
    while (n > 1) {
        const snc_bpe_pair *top = NULL;
        int at = 0;
        for (int i = 0; i + 1 < n; i++) {
            const snc_bpe_pair *p = snc_bpe__find(&a->merges, ids[i], ids[i + 1]);
            if (!p || (top && p->rank >= top->rank)) continue;
            top = p;
            at = i;
        }
        if (!top) return false;
        made[n_made++] = ids[at] = top->to;
        memmove(ids + at + 1, ids + at + 2, (size_t)(n - at - 2) * sizeof *ids);
        n--;
    }
    if (n != 1 || ids[0] != id) return false;
    for (int i = 0; i < n_made; i++) keep[made[i]] = true;
    return true;
}

/* Both parts of every merge that makes a piece of `odd` that is kept. */
static snc_err keep_parts(bool *keep, const bool *odd, const all *a)
{
    snc_bpe_blob b = snc_bpe__blob(a->blob);
    snc_bpe_step m;
    bool more;
    for (;;) {
        int32_t part[2];
        SNC_TRY(snc_bpe__next(&m, &more, &b, a->pieces.n_lines));
        if (!more) return SNC_OK;
        if (!keep[m.id] || !odd[m.id]) continue;
        parts_of(part, a, m);
        keep[part[0]] = keep[part[1]] = true;
    }
}

static snc_err close_over(bool *keep, const all *a)
{
    bool *seen = NULL, *odd = NULL, changed = true;
    size_t n = (size_t)a->pieces.n_lines;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_alloc(&seen, n, sizeof *seen));
    SNC_GOTO(snc_alloc(&odd, n, sizeof *odd));
    while (changed) {
        changed = false;
        for (size_t id = 0; id < n; id++) {
            if (!keep[id] || seen[id]) continue;
            seen[id] = changed = true;
            odd[id] = !make_alone(keep, a, (int32_t)id);
        }
        if (changed) SNC_GOTO(keep_parts(keep, odd, a));
    }
out:
    snc_free(seen);
    snc_free(odd);
    return err;
}

snc_err snc_bpe__close(bool *keep, int n, const snc_tok_blob *vocab, char last, const snc_tok_blob *merges, const snc_tok_blob *config)
{
    all a;
    snc_err err = make(&a, vocab, last, merges, config);
    assert(err || a.pieces.n_lines <= n); /* a model with fewer rows than pieces was refused */
    (void)n;
    if (!err) err = close_over(keep, &a);
    dispose(&a);
    return err;
}

/* Every byte's piece. */
static bool one_letter(const char *p, size_t n)
{
    unsigned char byte[2];
    return n > 0 && n <= 2 && snc_bpe__bytes(byte, p, n) == 1;
}

snc_err snc_bpe__need(bool *keep, int n, const snc_tok_assets *a)
{
    const snc_tok_blob *config = &a->blob[SNC_BPE_CONFIG], *vocab = &a->blob[SNC_BPE_VOCAB];
    cJSON *flags = NULL;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    snc_err err = snc_special__mark(keep, n, vocab, '\n', flags, roles, one_letter);
    cJSON_Delete(flags);
    return err ? err : snc_bpe__close(keep, n, vocab, '\n', &a->blob[SNC_BPE_MERGES], config);
}

/* ---- the blobs -------------------------------------------------------------------------------------------------- */

/* Merges of kept pieces alone, in the new numbers, at `to` (NULL: counts bytes). */
static snc_err copy_merges(unsigned char *to, size_t *bytes, const all *a, const int *number, const bool *keep)
{
    snc_bpe_blob b = snc_bpe__blob(a->blob);
    snc_bpe_step m;
    int32_t next = 0;
    *bytes = 0;
    for (bool more = true;;) {
        int32_t part[2];
        SNC_TRY(snc_bpe__next(&m, &more, &b, a->pieces.n_lines));
        if (!more) return SNC_OK;
        if (!keep[m.id]) continue;
        parts_of(part, a, m);
        if (!keep[part[0]] || !keep[part[1]]) continue;
        m.id = number[m.id];
        *bytes += snc_bpe__put(to ? to + *bytes : NULL, &next, m);
    }
}

snc_err snc_bpe__trim_merges(snc_tok_blob *out, const snc_tok_blob *vocab, char last, const snc_tok_blob *merges,
                             const snc_tok_blob *config, const bool *keep, int n)
{
    all a;
    int *number = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(make(&a, vocab, last, merges, config));
    SNC_GOTO(snc_alloc(&number, (size_t)n + 1, sizeof *number));
    for (int i = 0; i < n; i++) number[i + 1] = number[i] + keep[i];
    SNC_GOTO(copy_merges(NULL, &out->bytes, &a, number, keep));
    SNC_GOTO(snc_alloc(&out->data, out->bytes + 1, 1));
    SNC_GOTO(copy_merges((unsigned char *)out->data, &out->bytes, &a, number, keep));
out:
    snc_free(number);
    dispose(&a);
    return err;
}

size_t snc_bpe__trimmed_merges(const snc_tok_blob *vocab, char last, const snc_tok_blob *merges, const snc_tok_blob *config,
                               const bool *keep, int n)
{
    snc_tok_blob cut = {.data = NULL};
    snc_err err = snc_bpe__trim_merges(&cut, vocab, last, merges, config, keep, n);
    snc_free(cut.data);
    return err ? merges->bytes : cut.bytes;
}

size_t snc_bpe__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n)
{
    const snc_tok_blob *vocab = &a->blob[SNC_BPE_VOCAB];
    int lines;
    return snc_special__keep_lines(NULL, &lines, vocab, keep, n, '\n') +
           snc_bpe__trimmed_merges(vocab, '\n', &a->blob[SNC_BPE_MERGES], &a->blob[SNC_BPE_CONFIG], keep, n) +
           a->blob[SNC_BPE_CONFIG].bytes;
}

snc_err snc_bpe__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n)
{
    const snc_tok_blob *vocab = &a->blob[SNC_BPE_VOCAB];
    SNC_TRY(snc_special__trim_lines(&out->blob[SNC_BPE_VOCAB], vocab, keep, n, '\n'));
    SNC_TRY(snc_bpe__trim_merges(&out->blob[SNC_BPE_MERGES], vocab, '\n', &a->blob[SNC_BPE_MERGES], &a->blob[SNC_BPE_CONFIG], keep, n));
    return snc_special__trim_flags(&out->blob[SNC_BPE_CONFIG], &a->blob[SNC_BPE_CONFIG], keep, n);
}
