/* BERT's WordPiece: a tokenizer made of its blobs, and text cut into pieces. */
#include "tokenizer/wordpiece_priv.h"

#include <string.h>

#include "tokenizer/pieces_priv.h"
#include "tokenizer/special_priv.h"
#include "tokenizer/tok_json_priv.h"

enum { KIND_WORD, KIND_SPACE, KIND_PUNCT, KIND_DECODE };

typedef enum pre_tokenizer { PRE_BERT, PRE_WHITESPACE, PRE_SPLIT } pre_tokenizer;

typedef struct wordpiece {
    pre_tokenizer pre;
    snc_norm norm;
    snc_wp wp;
    snc_added_set normalized; /* tokens looked for after normalization */
    uint8_t kind[256];        /* of a byte of normalized text */
} wordpiece;

/* ---- making a tokenizer ----------------------------------------------------------------------------------------- */

static const char WHERE[] = SNC_SPECIAL_WHERE;

static snc_err read_accents(snc_norm *m, const cJSON *config, bool strip)
{
    static const struct {
        const char *name;
        bool decompose;
        snc_norm_drop drop;
    } forms[] = {{"nfd", true, SNC_NORM_KEEP}, {"nfd-strip", true, SNC_NORM_MARKS}, {"strip", false, SNC_NORM_MARKS}};
    const char *name;
    SNC_TRY(snc_json_str(&name, config, "accents", NULL, WHERE));
    m->decompose = strip;
    m->drop = strip ? SNC_NORM_MN : SNC_NORM_KEEP;
    for (size_t i = 0; name && i < sizeof forms / sizeof *forms; i++)
        if (strcmp(name, forms[i].name) == 0) {
            m->decompose = forms[i].decompose;
            m->drop = forms[i].drop;
            return SNC_OK;
        }
    SNC_CHECK(!name, SNC_E_FORMAT, "%s: 'accents' is '%.64s': expected nfd, nfd-strip or strip", WHERE, name);
    return SNC_OK;
}

static snc_err read_pre_tokenizer(pre_tokenizer *out, const cJSON *config)
{
    static const char *const names[] = {[PRE_BERT] = "bert", [PRE_WHITESPACE] = "whitespace", [PRE_SPLIT] = "whitespace-split"};
    const char *name;
    SNC_TRY(snc_json_str(&name, config, "pre_tokenizer", names[PRE_BERT], WHERE));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (pre_tokenizer)i;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_FORMAT, "%s: 'pre_tokenizer' is '%.64s': expected bert, whitespace or whitespace-split", WHERE, name);
}

static snc_err read_flags(wordpiece *w, int *second_type, const cJSON *config)
{
    static const char *const keys[] = {
        "lowercase", "strip_accents", "tokenize_chinese_chars", "clean_text",  "max_chars",  "unk", "cls", "sep", "pad", "mask",
        "added",     "accents",       "pre_tokenizer",          "second_type", "separators", NULL};
    const char *unused;
    bool strip;
    SNC_TRY(snc_json_check_keys(config, keys, WHERE));
    SNC_TRY(snc_json_bool(&w->norm.lower, config, "lowercase", true, WHERE));
    SNC_TRY(snc_json_bool(&strip, config, "strip_accents", w->norm.lower, WHERE));
    SNC_TRY(read_accents(&w->norm, config, strip));
    SNC_TRY(read_pre_tokenizer(&w->pre, config));
    SNC_TRY(snc_json_int(second_type, config, "second_type", 1, 0, 1, WHERE));
    SNC_TRY(snc_json_bool(&w->norm.cjk, config, "tokenize_chinese_chars", true, WHERE));
    SNC_TRY(snc_json_bool(&w->norm.clean, config, "clean_text", true, WHERE));
    SNC_TRY(snc_json_int(&w->wp.max_chars, config, "max_chars", 100, 1, 100000, WHERE));
    SNC_TRY(snc_json_str(&unused, config, "pad", "[PAD]", WHERE));
    return snc_json_str(&unused, config, "mask", "[MASK]", WHERE);
}

static void set_kinds(wordpiece *w, const snc_uni *uni)
{
    for (unsigned c = 0; c < 128; c++) {
        unsigned f = snc_uni__flags(uni, c);
        w->kind[c] = f & SNC_UNI_SPACE ? KIND_SPACE : f & SNC_UNI_PUNCT ? KIND_PUNCT : KIND_WORD;
    }
    memset(w->kind + 128, KIND_DECODE, 128);
}

static int32_t find(const snc_tok *t, const char *text, size_t n) { return snc_wp__find(&((const wordpiece *)t->state)->wp, text, n); }

static snc_err normalize(snc_norm_buf *out, const snc_tok *t, const unsigned char *s, size_t n)
{
    return snc_norm__run(out, &((const wordpiece *)t->state)->norm, s, n);
}

static snc_err read_role(int32_t *id, const snc_special *s, const char *key, const char *def)
{
    const char *name;
    SNC_TRY(snc_json_str(&name, s->flags, key, def, WHERE));
    return snc_special__id(id, s, name, key);
}

/* cls A sep (B sep), or two sep between. */
static snc_err read_specials(const snc_special *s)
{
    snc_tok *t = s->t;
    int32_t cls, sep;
    int separators;
    SNC_TRY(snc_json_int(&separators, s->flags, "separators", 1, 1, 2, WHERE));
    SNC_TRY(read_role(&((wordpiece *)t->state)->wp.unk, s, "unk", "[UNK]"));
    SNC_TRY(read_role(&cls, s, "cls", "[CLS]"));
    SNC_TRY(read_role(&sep, s, "sep", "[SEP]"));
    t->around.first.id[t->around.first.n++] = cls;
    while (separators--) t->around.between.id[t->around.between.n++] = sep;
    t->around.last.id[t->around.last.n++] = sep;
    return SNC_OK;
}

static snc_err build(snc_tok *t, const snc_tok_assets *a, const cJSON *config)
{
    wordpiece *w = t->state;
    const snc_tok_blob *vocab = &a->blob[SNC_WORDPIECE_VOCAB];
    SNC_TRY(snc_wp__init(&w->wp, vocab->data, vocab->bytes, '\n'));
    t->ids = w->wp.n_lines;
    SNC_TRY(read_flags(w, &t->around.second_type, config));
    snc_norm__init(&w->norm, &t->uni);
    set_kinds(w, &t->uni);
    SNC_TRY(snc_special__insert(&w->wp, config));
    snc_special s = {.t = t, .flags = config, .normalized = &w->normalized, .find = find, .normalize = normalize};
    SNC_TRY(snc_special__added(&s));
    return read_specials(&s);
}

static snc_err create(snc_tok *t, const snc_tok_assets *a)
{
    wordpiece *w;
    SNC_CHECK(a->blob[SNC_WORDPIECE_VOCAB].data && a->blob[SNC_WORDPIECE_CONFIG].data, SNC_E_FORMAT, "tokenizer: no vocabulary");
    SNC_TRY(snc_alloc(&w, 1, sizeof *w));
    t->state = w;
    snc_added__init(&w->normalized);
    return snc_special__flags(t, a, SNC_WORDPIECE_CONFIG, build);
}

static void destroy(void *state)
{
    wordpiece *w = state;
    if (!w) return;
    snc_wp__dispose(&w->wp);
    snc_added__dispose(&w->normalized);
    snc_free(w);
}

static const char *piece(const snc_tok *t, int32_t id)
{
    const wordpiece *w = t->state;
    return w->wp.text + w->wp.offset[id];
}

static int ids(const snc_tok_assets *a) { return snc_special__lines(&a->blob[SNC_WORDPIECE_VOCAB], '\n'); }

/* ---- encoding --------------------------------------------------------------------------------------------------- */

/* BertPreTokenizer and the model: words end at white space, punctuation is a word of its own. At most one id a byte. */
static snc_err push_words(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    const wordpiece *w = t->state;
    SNC_TRY(snc_tok__reserve(s, n));
    int32_t *ids = s->ids + s->n;
    size_t word = 0;
    for (size_t i = 0; i < n;) {
        unsigned kind = w->kind[text[i]], bytes = 1;
        if (kind == KIND_WORD) {
            i++;
            continue;
        }
        if (kind == KIND_DECODE) {
            uint32_t cp;
            bytes = snc_utf8__get(&cp, text + i);
            unsigned f = snc_uni__flags(&t->uni, cp);
            if (!(f & (SNC_UNI_SPACE | SNC_UNI_PUNCT))) {
                i += bytes;
                continue;
            }
            kind = f & SNC_UNI_SPACE ? KIND_SPACE : KIND_PUNCT;
        }
        if (i > word) ids += snc_wp__word(ids, &w->wp, text + word, i - word);
        if (kind == KIND_PUNCT) ids += snc_wp__word(ids, &w->wp, text + i, bytes);
        i += bytes;
        word = i;
    }
    if (n > word) ids += snc_wp__word(ids, &w->wp, text + word, n - word);
    s->n = (size_t)(ids - s->ids);
    return SNC_OK;
}

/* Whitespace: runs of \w and runs of all else; WhitespaceSplit: runs of anything. Nothing of white space. */
static snc_err push_runs(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    const wordpiece *w = t->state;
    SNC_TRY(snc_tok__reserve(s, n));
    int32_t *ids = s->ids + s->n;
    unsigned last = KIND_SPACE;
    size_t start = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        unsigned bytes = snc_utf8__get(&cp, text + i), f = snc_uni__flags(&t->uni, cp);
        unsigned kind = f & SNC_UNI_SPACE ? KIND_SPACE : w->pre == PRE_SPLIT || f & SNC_UNI_WORD ? KIND_WORD : KIND_PUNCT;
        if (kind != last) {
            if (last != KIND_SPACE) ids += snc_wp__word(ids, &w->wp, text + start, i - start);
            start = i;
            last = kind;
        }
        i += bytes;
    }
    if (last != KIND_SPACE) ids += snc_wp__word(ids, &w->wp, text + start, n - start);
    s->n = (size_t)(ids - s->ids);
    return SNC_OK;
}

static snc_err push_pieces(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    const wordpiece *w = t->state;
    return w->pre == PRE_BERT ? push_words(s, t, text, n) : push_runs(s, t, text, n);
}

static snc_err cut(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    const wordpiece *w = t->state;
    SNC_TRY(snc_norm__run(&s->norm, &w->norm, text, n));
    if (w->normalized.count == 0) return push_pieces(s, t, s->norm.text, s->norm.n);
    snc_added_match m = {0};
    do {
        snc_added__next(&m, &w->normalized, &t->uni, s->norm.text, s->norm.n);
        if (m.start > m.gap) SNC_TRY(push_pieces(s, t, s->norm.text + m.gap, m.start - m.gap));
        if (m.id >= 0) SNC_TRY(snc_tok__push(s, m.id));
    } while (m.id >= 0);
    return SNC_OK;
}

const snc_tok_kind snc_tok_wordpiece = {.name = "wordpiece",
                                        .blob = {[SNC_WORDPIECE_VOCAB] = "vocab", [SNC_WORDPIECE_CONFIG] = "config"},
                                        .model_type = "WordPiece",
                                        .model_key = "max_input_chars_per_word",
                                        .file = {"vocab.txt"},
                                        .read = snc_wordpiece__read,
                                        .json = snc_wordpiece__json,
                                        .line_end = '\n',
                                        .create = create,
                                        .destroy = destroy,
                                        .piece = piece,
                                        .cut = cut,
                                        .ids = ids,
                                        .need = snc_wordpiece__need,
                                        .trimmed_bytes = snc_wordpiece__trimmed_bytes,
                                        .trim = snc_wordpiece__trim};
