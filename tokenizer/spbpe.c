/* SentencePiece's BPE: a tokenizer made of its blobs, and parts of text cut into characters, or their bytes, and merged. */
#include "tokenizer/spbpe_priv.h"

#include <stdio.h>
#include <string.h>

#include "tokenizer/bpe_priv.h"
#include "tokenizer/parts_priv.h"
#include "tokenizer/spm_folder_priv.h"
#include "tokenizer/tok_json_priv.h"
#include "tokenizer/word_cache_priv.h"

typedef struct spbpe {
    snc_wp pieces; /* by their text */
    snc_bpe_table merges;
    snc_parts parts;
    int32_t ascii[128], byte_id[256]; /* of the character and of the byte; -1: no piece */
    int32_t unk;                      /* -1: unknowns are dropped */
    bool fuse_unk, byte_fallback, ignore_merges;
    bool apart;      /* nothing is merged across a U+2581 and what stands before it, unless that is one, too */
    uint64_t digest; /* of the blobs */
} spbpe;

/* What a scratch keeps. */
typedef struct work {
    snc_parts_work parts;
    snc_bpe_heap heap;
    snc_words words;
} work;

static const char WHERE[] = SNC_SPECIAL_WHERE;

/* ---- making a tokenizer ----------------------------------------------------------------------------------------- */

static snc_err read_flags(spbpe *b, const cJSON *flags)
{
    static const char *const keys[] = {"unk", "fuse_unk", "byte_fallback", "ignore_merges", SNC_PARTS_KEYS, "added", "template", NULL};
    SNC_TRY(snc_json_check_keys(flags, keys, WHERE));
    SNC_TRY(snc_json_bool(&b->fuse_unk, flags, "fuse_unk", false, WHERE));
    SNC_TRY(snc_json_bool(&b->byte_fallback, flags, "byte_fallback", false, WHERE));
    return snc_json_bool(&b->ignore_merges, flags, "ignore_merges", false, WHERE);
}

static void set_ids(spbpe *b)
{
    for (unsigned c = 0; c < 256; c++) {
        char name[SNC_BYTE_NAME + SNC_NORM_PAD] = {0}, one[1 + SNC_NORM_PAD] = {(char)c};
        int n = snc_parts__byte_name(name, c);
        b->byte_id[c] = snc_wp__find(&b->pieces, name, (size_t)n);
        if (c < 128) b->ascii[c] = snc_wp__find(&b->pieces, one, 1);
    }
}

/* Whether a U+2581 begins at text[i] behind another character. */
static bool starts_word(const unsigned char *text, size_t i, size_t n)
{
    static const size_t bytes = sizeof SNC_PARTS_SPACE - 1;
    if (i == 0 || n - i < bytes || memcmp(text + i, SNC_PARTS_SPACE, bytes) != 0) return false;
    return i < bytes || memcmp(text + i - bytes, SNC_PARTS_SPACE, bytes) != 0;
}

/* Every character leaves an id, so that what stands beside a U+2581 in the text stands beside it among the ids; and no merge makes a piece
 * that has one inside. */
static bool words_stay_apart(const spbpe *b)
{
    static const char space[sizeof SNC_PARTS_SPACE + SNC_NORM_PAD] = SNC_PARTS_SPACE;
    if (snc_wp__find(&b->pieces, space, strlen(space)) < 0) return false;
    for (int c = 0; b->unk < 0 && c < 256; c++)
        if (!b->byte_fallback || b->byte_id[c] < 0) return false;
    for (size_t k = 0; k <= b->merges.mask; k++) {
        if (b->merges.pair[k].rank < 0) continue;
        const char *text = b->pieces.text + b->pieces.offset[b->merges.pair[k].to];
        for (size_t i = 1, n = strlen(text); i < n; i++)
            if (starts_word((const unsigned char *)text, i, n)) return false;
    }
    return true;
}

static int32_t find(const snc_tok *t, const char *text, size_t n) { return snc_wp__find(&((const spbpe *)t->state)->pieces, text, n); }

static snc_err normalize(snc_norm_buf *out, const snc_tok *t, const unsigned char *text, size_t n)
{
    return snc_parts__normalize(out, &((const spbpe *)t->state)->parts, text, n);
}

static snc_err build(snc_tok *t, const snc_tok_assets *a, const cJSON *flags)
{
    spbpe *b = t->state;
    const char *unk;
    const snc_tok_blob *x = a->blob;
    SNC_TRY(snc_wp__init(&b->pieces, x[SNC_SPBPE_VOCAB].data, x[SNC_SPBPE_VOCAB].bytes, 0));
    b->pieces.plain = true;
    t->ids = b->pieces.n_lines;
    SNC_TRY(read_flags(b, flags));
    SNC_TRY(snc_special__insert(&b->pieces, flags));
    set_ids(b);
    SNC_TRY(snc_bpe__table(&b->merges, &b->pieces, &x[SNC_SPBPE_MERGES]));
    SNC_TRY(snc_parts__init(&b->parts, t, flags, &x[SNC_SPBPE_CHARSMAP], WHERE));
    snc_special s = {.t = t, .flags = flags, .normalized = &b->parts.normalized, .find = find, .normalize = normalize};
    SNC_TRY(snc_json_str(&unk, flags, "unk", NULL, WHERE));
    if (unk) SNC_TRY(snc_special__id(&b->unk, &s, unk, "unk"));
    SNC_TRY(snc_special__added(&s));
    b->apart = words_stay_apart(b);
    b->digest = snc_words__digest(x, SNC_SPBPE_CONFIG + 1);
    return snc_special__template(&s);
}

static snc_err create(snc_tok *t, const snc_tok_assets *a)
{
    const snc_tok_blob *x = a->blob;
    spbpe *b;
    SNC_CHECK(x[SNC_SPBPE_VOCAB].data && x[SNC_SPBPE_MERGES].data && x[SNC_SPBPE_CHARSMAP].data && x[SNC_SPBPE_CONFIG].data, SNC_E_FORMAT,
              "tokenizer: no vocabulary");
    SNC_TRY(snc_alloc(&b, 1, sizeof *b));
    t->state = b;
    b->unk = -1;
    return snc_special__flags(t, a, SNC_SPBPE_CONFIG, build);
}

static void destroy(void *state)
{
    spbpe *b = state;
    if (!b) return;
    snc_wp__dispose(&b->pieces);
    snc_bpe__table_dispose(&b->merges);
    snc_parts__dispose(&b->parts);
    snc_free(b);
}

static const char *piece(const snc_tok *t, int32_t id)
{
    const spbpe *b = t->state;
    return b->pieces.text + b->pieces.offset[id];
}

static void work_free(void *p)
{
    work *w = p;
    snc_parts__work_dispose(&w->parts);
    snc_bpe__heap_dispose(&w->heap);
    snc_free(w->words.place);
    snc_free(w);
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

/* Whether a character's bytes stand for it; writes their ids. */
static bool put_bytes(int32_t *ids, const spbpe *b, const unsigned char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ids[i] = b->byte_id[text[i]];
        if (ids[i] < 0) return false;
    }
    return b->byte_fallback;
}

/* What is merged: at most one id a byte. */
static size_t put_characters(int32_t *ids, const spbpe *b, const unsigned char *text, size_t n)
{
    bool waits = false; /* an unknown */
    size_t m = 0;
    uint32_t cp;
    for (size_t i = 0, bytes; i < n; i += bytes) {
        bytes = snc_utf8__get(&cp, text + i);
        int32_t id = bytes == 1 ? b->ascii[cp] : snc_wp__find(&b->pieces, (const char *)text + i, bytes);
        if (id >= 0) {
            if (waits) ids[m++] = b->unk;
            waits = false;
            ids[m++] = id;
        } else if (put_bytes(ids + m, b, text + i, bytes)) {
            m += bytes;
        } else if (b->unk >= 0) {
            if (waits && !b->fuse_unk) ids[m++] = b->unk;
            waits = true;
        }
    }
    if (waits) ids[m++] = b->unk;
    return m;
}

/* Room for the ids, and for those of a cached word, is there. */
static snc_err push_word(snc_tok_scratch *s, const spbpe *b, const unsigned char *word, size_t n)
{
    work *w = s->work;
    int32_t *ids = s->ids + s->n;
    snc_word_key key = snc_words__key(word, n <= SNC_WORD_BYTES ? n : SNC_WORD_BYTES);
    snc_word *c = n <= SNC_WORD_BYTES ? snc_words__place(&w->words, &key) : NULL;
    if (c && snc_words__is(c, &key)) {
        memcpy(ids, c->ids, sizeof c->ids);
        s->n += c->n;
        return SNC_OK;
    }
    size_t m = put_characters(ids, b, word, n);
    if (m > SNC_BPE_SHORT) SNC_TRY(snc_bpe__merge_long(ids, &m, &b->merges, &w->heap));
    else m = (size_t)snc_bpe__merge_short(ids, (int)m, &b->merges);
    if (c) snc_words__keep(c, &key, ids, m);
    s->n += m;
    return SNC_OK;
}

static size_t word_end(const spbpe *b, const unsigned char *text, size_t i, size_t n)
{
    if (!b->apart) return n;
    for (i++; i < n; i++) {
        const unsigned char *p = memchr(text + i, SNC_PARTS_SPACE[0], n - i);
        if (!p) return n;
        i = (size_t)(p - text);
        if (starts_word(text, i, n)) return i;
    }
    return n;
}

static snc_err push_part(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    const spbpe *b = t->state;
    int32_t whole = b->ignore_merges ? snc_wp__find(&b->pieces, (const char *)text, n) : -1;
    if (whole >= 0) return snc_tok__push(s, whole);
    SNC_TRY(snc_tok__reserve(s, n + SNC_WORD_IDS));
    for (size_t i = 0, end; i < n; i = end) {
        end = word_end(b, text, i, n);
        SNC_TRY(push_word(s, b, text + i, end - i));
    }
    return SNC_OK;
}

static snc_err cut(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    work *w = s->work;
    SNC_TRY(snc_words__ready(&w->words, ((const spbpe *)t->state)->digest));
    return snc_parts__cut(s, t, &((const spbpe *)t->state)->parts, &w->parts, text, n, push_part);
}

static int ids(const snc_tok_assets *a) { return snc_special__lines(&a->blob[SNC_SPBPE_VOCAB], 0); }

const snc_tok_kind snc_tok_spbpe = {
    .name = "sentencepiece-bpe",
    .blob = {[SNC_SPBPE_VOCAB] = "vocab", [SNC_SPBPE_MERGES] = "merges", [SNC_SPBPE_CHARSMAP] = "charsmap", [SNC_SPBPE_CONFIG] = "config"},
    .model_type = "BPE",
    .model_key = "merges",
    .read = snc_spm__read,
    .json = snc_spbpe__json,
    .create = create,
    .destroy = destroy,
    .piece = piece,
    .work_size = sizeof(work),
    .work_free = work_free,
    .cut = cut,
    .ids = ids,
    .need = snc_spbpe__need,
    .trimmed_bytes = snc_spbpe__trimmed_bytes,
    .trim = snc_spbpe__trim};
