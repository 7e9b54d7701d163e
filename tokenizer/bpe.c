/* Byte-level BPE: a tokenizer made of its blobs, text cut into words by GPT-2's pattern, words into pieces, with a cache of short ones. */
#include <string.h>

#include "tokenizer/bpe_priv.h"
#include "tokenizer/compose_priv.h"
#include "tokenizer/special_priv.h"
#include "tokenizer/tok_json_priv.h"
#include "tokenizer/word_cache_priv.h"

typedef struct bpe {
    snc_wp pieces; /* by their text */
    snc_bpe_table merges;
    int32_t byte_id[256]; /* -1: no piece */
    int32_t unk;          /* -1: bytes without a piece are dropped */
    bool fuse_unk, prefix_space, ignore_merges, nfc;
    uint8_t level[128]; /* SNC_LEVEL_* of ASCII */
    snc_uni levels;
    snc_norm decompose;
    snc_added_set normalized; /* tokens looked for after NFC */
    uint64_t digest;          /* of the blobs */
} bpe;

typedef struct work {
    snc_words words;
    snc_bpe_heap heap;
    unsigned char *spaced; /* a stretch with a space before it */
    char *letters;         /* a word as the vocabulary writes it */
    size_t spaced_cap, letters_cap;
} work;

static const char WHERE[] = SNC_SPECIAL_WHERE;

/* ---- making a tokenizer ----------------------------------------------------------------------------------------- */

static snc_err read_flags(bpe *b, const cJSON *flags)
{
    static const char *const keys[] = {"nfc", "prefix_space", "ignore_merges", "unk", "fuse_unk", "added", "template", NULL};
    SNC_TRY(snc_json_check_keys(flags, keys, WHERE));
    SNC_TRY(snc_json_bool(&b->nfc, flags, "nfc", false, WHERE));
    SNC_TRY(snc_json_bool(&b->prefix_space, flags, "prefix_space", false, WHERE));
    SNC_TRY(snc_json_bool(&b->ignore_merges, flags, "ignore_merges", false, WHERE));
    return snc_json_bool(&b->fuse_unk, flags, "fuse_unk", false, WHERE);
}

static void set_bytes(bpe *b)
{
    for (unsigned c = 0; c < 256; c++) {
        unsigned char text[4 + SNC_NORM_PAD] = {0};
        b->byte_id[c] = snc_wp__find(&b->pieces, (const char *)text, snc_utf8__put(text, snc_bpe__letter(c)));
        if (c < 128) b->level[c] = (uint8_t)snc_uni__flags(&b->levels, c);
    }
}

static int32_t find(const snc_tok *t, const char *text, size_t n) { return snc_wp__find(&((const bpe *)t->state)->pieces, text, n); }

static snc_err normalize(snc_norm_buf *out, const snc_tok *t, const unsigned char *s, size_t n)
{
    const bpe *b = t->state;
    if (b->nfc) return snc_compose__run(out, &b->decompose, s, n);
    SNC_TRY(snc_grow(&out->text, &out->cap, n + SNC_NORM_PAD, 1));
    memcpy(out->text, s, n);
    memset(out->text + n, 0, SNC_NORM_PAD);
    out->n = n;
    return SNC_OK;
}

static snc_err build(snc_tok *t, const snc_tok_assets *a, const cJSON *flags)
{
    bpe *b = t->state;
    const char *unk;
    const snc_tok_blob *x = a->blob;
    SNC_TRY(snc_wp__init(&b->pieces, x[SNC_BPE_VOCAB].data, x[SNC_BPE_VOCAB].bytes, '\n'));
    b->pieces.plain = true;
    t->ids = b->pieces.n_lines;
    SNC_TRY(read_flags(b, flags));
    SNC_TRY(snc_uni__init_level(&b->levels));
    b->decompose.decompose = true;
    snc_norm__init(&b->decompose, &t->uni);
    SNC_TRY(snc_special__insert(&b->pieces, flags));
    set_bytes(b);
    SNC_TRY(snc_bpe__table(&b->merges, &b->pieces, &x[SNC_BPE_MERGES]));
    snc_special s = {.t = t, .flags = flags, .normalized = &b->normalized, .find = find, .normalize = normalize};
    SNC_TRY(snc_json_str(&unk, flags, "unk", NULL, WHERE));
    if (unk) SNC_TRY(snc_special__id(&b->unk, &s, unk, "unk"));
    SNC_TRY(snc_special__added(&s));
    b->digest = snc_words__digest(x, SNC_BPE_CONFIG + 1);
    return snc_special__template(&s);
}

static snc_err create(snc_tok *t, const snc_tok_assets *a)
{
    const snc_tok_blob *x = a->blob;
    bpe *b;
    SNC_CHECK(x[SNC_BPE_VOCAB].data && x[SNC_BPE_MERGES].data && x[SNC_BPE_CONFIG].data, SNC_E_FORMAT, "tokenizer: no vocabulary");
    SNC_TRY(snc_alloc(&b, 1, sizeof *b));
    t->state = b;
    b->unk = -1;
    snc_added__init(&b->normalized);
    return snc_special__flags(t, a, SNC_BPE_CONFIG, build);
}

static void destroy(void *state)
{
    bpe *b = state;
    if (!b) return;
    snc_wp__dispose(&b->pieces);
    snc_bpe__table_dispose(&b->merges);
    snc_uni__dispose(&b->levels);
    snc_added__dispose(&b->normalized);
    snc_free(b);
}

static const char *piece(const snc_tok *t, int32_t id)
{
    const bpe *b = t->state;
    return b->pieces.text + b->pieces.offset[id];
}

static void work_free(void *p)
{
    work *k = p;
    snc_free(k->words.place);
    snc_free(k->spaced);
    snc_free(k->letters);
    snc_bpe__heap_dispose(&k->heap);
    snc_free(k);
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* A byte is what a level says of it; of others the character. *bytes: how many it takes. */
static inline unsigned level_at(unsigned *bytes, const bpe *b, const unsigned char *p)
{
    uint32_t cp;
    *bytes = 1;
    if (p[0] < 128) return b->level[p[0]];
    *bytes = snc_utf8__get(&cp, p);
    return snc_uni__flags(&b->levels, cp);
}

/* Where the run of this level that holds text[i] ends. */
static inline size_t run_end(const bpe *b, const unsigned char *text, size_t n, size_t i, unsigned level)
{
    unsigned bytes;
    while (i < n && level_at(&bytes, b, text + i) == level) i += bytes;
    return i;
}

/* Bytes of 's, 't, 'm, 'd, 're, 've, 'll at the start of p[n]; 0: none of them. */
static inline size_t contraction(const unsigned char *p, size_t n)
{
    if (n < 2 || p[0] != '\'') return 0;
    if (p[1] == 's' || p[1] == 't' || p[1] == 'm' || p[1] == 'd') return 2;
    if (n < 3) return 0;
    bool two = p[1] == 'l' ? p[2] == 'l' : p[2] == 'e' && (p[1] == 'r' || p[1] == 'v');
    return two ? 3 : 0;
}

/* All white space from text[i] on but the last character where something follows, which may take it in. */
static size_t space_end(const bpe *b, const unsigned char *text, size_t n, size_t i)
{
    size_t at = i, last = i;
    for (unsigned bytes; at < n && level_at(&bytes, b, text + at) == SNC_LEVEL_SPACE; at += bytes) last = at;
    return at == n || last == i ? at : last;
}

/* Where the word that starts at text[i] ends. */
static inline size_t word_end(const bpe *b, const unsigned char *text, size_t n, size_t i)
{
    unsigned bytes, level;
    size_t k = contraction(text + i, n - i);
    if (k) return i + k;
    k = text[i] == ' ' && i + 1 < n ? i + 1 : i;
    level = level_at(&bytes, b, text + k);
    if (level == SNC_LEVEL_SPACE) return space_end(b, text, n, i);
    return run_end(b, text, n, k + bytes, level);
}

/* ---- a word's pieces -------------------------------------------------------------------------------------------- */

/* The piece that the word is as a whole; -1: none. */
static snc_err whole(int32_t *id, work *k, const bpe *b, const unsigned char *word, size_t n)
{
    size_t bytes = 0;
    SNC_TRY(snc_grow(&k->letters, &k->letters_cap, 2 * n + SNC_NORM_PAD, 1));
    for (size_t i = 0; i < n; i++) bytes += snc_utf8__put((unsigned char *)k->letters + bytes, snc_bpe__letter(word[i]));
    *id = snc_wp__find(&b->pieces, k->letters, bytes);
    return SNC_OK;
}

/* Room for n ids is there. */
static snc_err cut_word(int32_t *ids, size_t *count, work *k, const bpe *b, const unsigned char *word, size_t n)
{
    size_t m = 0;
    bool unknown = false; /* the last one, and unknown ones are one */
    if (b->ignore_merges) {
        SNC_TRY(whole(&ids[0], k, b, word, n));
        *count = 1;
        if (ids[0] >= 0) return SNC_OK;
    }
    for (size_t i = 0; i < n; i++) {
        int32_t id = b->byte_id[word[i]];
        if (id < 0 && (b->unk < 0 || unknown)) continue;
        unknown = id < 0 && b->fuse_unk;
        ids[m++] = id < 0 ? b->unk : id;
    }
    *count = m;
    if (m > SNC_BPE_SHORT) return snc_bpe__merge_long(ids, count, &b->merges, &k->heap);
    *count = (size_t)snc_bpe__merge_short(ids, (int)m, &b->merges);
    return SNC_OK;
}

static snc_err push_word(int32_t *ids, size_t *count, work *k, const bpe *b, const unsigned char *word, size_t n)
{
    if (n > SNC_WORD_BYTES) return cut_word(ids, count, k, b, word, n);
    snc_word_key key = snc_words__key(word, n);
    snc_word *c = snc_words__place(&k->words, &key);
    if (snc_words__is(c, &key)) {
        memcpy(ids, c->ids, sizeof c->ids);
        *count = c->n;
        return SNC_OK;
    }
    SNC_TRY(cut_word(ids, count, k, b, word, n));
    snc_words__keep(c, &key, ids, *count);
    return SNC_OK;
}

/* A stretch between added tokens. At most one id a byte. */
static snc_err push_words(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    const bpe *b = t->state;
    work *k = s->work;
    if (b->prefix_space && text[0] != ' ') {
        SNC_TRY(snc_grow(&k->spaced, &k->spaced_cap, n + 1, 1));
        k->spaced[0] = ' ';
        memcpy(k->spaced + 1, text, n);
        text = k->spaced;
        n++;
    }
    SNC_TRY(snc_tok__reserve(s, n + SNC_WORD_IDS));
    for (size_t i = 0; i < n;) {
        size_t end = word_end(b, text, n, i), count;
        SNC_TRY(push_word(s->ids + s->n, &count, k, b, text + i, end - i));
        s->n += count;
        i = end;
    }
    return SNC_OK;
}

static snc_err cut(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    const bpe *b = t->state;
    work *k = s->work;
    SNC_TRY(snc_words__ready(&k->words, b->digest));
    if (b->nfc) {
        SNC_TRY(snc_compose__run(&s->norm, &b->decompose, text, n));
        text = s->norm.text;
        n = s->norm.n;
    }
    snc_added_match m = {0};
    do {
        snc_added__next(&m, &b->normalized, &t->uni, text, n);
        if (m.start > m.gap) SNC_TRY(push_words(s, t, text + m.gap, m.start - m.gap));
        if (m.id >= 0) SNC_TRY(snc_tok__push(s, m.id));
    } while (m.id >= 0);
    return SNC_OK;
}

static int ids(const snc_tok_assets *a) { return snc_special__lines(&a->blob[SNC_BPE_VOCAB], '\n'); }

const snc_tok_kind snc_tok_bpe = {.name = "byte-level-bpe",
                                  .spaced = true,
                                  .blob = {[SNC_BPE_VOCAB] = "vocab", [SNC_BPE_MERGES] = "merges", [SNC_BPE_CONFIG] = "config"},
                                  .model_type = "BPE",
                                  .model_key = "merges",
                                  .claims = snc_bpe__claims,
                                  .file = {"vocab.json"},
                                  .read = snc_bpe__read,
                                  .json = snc_bpe__json,
                                  .line_end = '\n',
                                  .create = create,
                                  .destroy = destroy,
                                  .piece = piece,
                                  .work_size = sizeof(work),
                                  .work_free = work_free,
                                  .cut = cut,
                                  .ids = ids,
                                  .need = snc_bpe__need,
                                  .trimmed_bytes = snc_bpe__trimmed_bytes,
                                  .trim = snc_bpe__trim};
