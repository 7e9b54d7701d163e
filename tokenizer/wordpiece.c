/* BERT's WordPiece: a tokenizer made of its blobs, and text cut into pieces. */
#include "tokenizer/wordpiece_priv.h"

#include <string.h>

#include "tokenizer/pieces_priv.h"
#include "tokenizer/tokenizer_priv.h"

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

static const char WHERE[] = "tokenizer config";

/* A copy with readable bytes after it, as the piece table wants. */
static snc_err copy_padded(char **out, snc_arena *a, const char *s, size_t n)
{
    SNC_TRY(snc_arena_alloc(out, a, n + SNC_NORM_PAD));
    memcpy(*out, s, n);
    return SNC_OK;
}

static snc_err special_id(int32_t *id, const snc_tok *t, const cJSON *config, const char *key, const char *def)
{
    const wordpiece *w = t->state;
    const char *name;
    char *copy;
    SNC_TRY(snc_json_str(&name, config, key, def, WHERE));
    SNC_TRY(copy_padded(&copy, t->arena, name, strlen(name)));
    *id = snc_wp__find(&w->wp, copy, strlen(name));
    for (size_t i = 0; *id < 0 && i < t->raw.count; i++)
        if (t->raw.tokens[i].n == strlen(name) && memcmp(t->raw.tokens[i].text, name, strlen(name)) == 0) *id = t->raw.tokens[i].id;
    SNC_CHECK(*id >= 0, SNC_E_FORMAT, "%s: '%s' is '%.64s', which is not in the vocabulary", WHERE, key, name);
    return SNC_OK;
}

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
        "lowercase", "strip_accents", "tokenize_chinese_chars", "clean_text",  "max_chars", "unk", "cls", "sep", "pad", "mask",
        "added",     "accents",       "pre_tokenizer",          "second_type", NULL};
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

/* An entry with an "id" names a line of its own that is no word piece; returns that line or -1. */
static snc_err added_line(int *line, const wordpiece *w, const cJSON *entry)
{
    static const char *const keys[] = {"content", "id", "normalized", "single_word", "lstrip", "rstrip", NULL};
    const char *content;
    SNC_TRY(snc_json_check_keys(entry, keys, WHERE));
    SNC_TRY(snc_json_str(&content, entry, "content", NULL, WHERE));
    SNC_CHECK(content, SNC_E_FORMAT, "%s: an entry of 'added' has no 'content'", WHERE);
    return snc_json_int(line, entry, "id", -1, 0, w->wp.n_lines - 1, WHERE);
}

static snc_err add_token(snc_tok *t, snc_norm_buf *buf, const cJSON *entry)
{
    wordpiece *w = t->state;
    const char *content;
    char *copy;
    bool normalized;
    int id;
    snc_added tok = {.n = 0};
    SNC_TRY(added_line(&id, w, entry));
    SNC_TRY(snc_json_str(&content, entry, "content", NULL, WHERE));
    SNC_TRY(snc_json_bool(&normalized, entry, "normalized", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.single_word, entry, "single_word", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.lstrip, entry, "lstrip", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.rstrip, entry, "rstrip", false, WHERE));
    size_t n = strlen(content);
    if (n == 0) return SNC_OK;
    SNC_CHECK(snc_utf8__valid((const unsigned char *)content, n) == n, SNC_E_FORMAT, "%s: an added token is not valid UTF-8", WHERE);
    SNC_TRY(copy_padded(&copy, t->arena, content, n));
    tok.id = id >= 0 ? id : snc_wp__find(&w->wp, copy, n);
    SNC_CHECK(tok.id >= 0, SNC_E_FORMAT, "%s: the added token '%.64s' is not in the vocabulary", WHERE, content);
    if (normalized) {
        SNC_TRY(snc_norm__run(buf, &w->norm, (const unsigned char *)content, n));
        n = buf->n;
        if (n == 0) return SNC_OK;
        SNC_TRY(copy_padded(&copy, t->arena, (const char *)buf->text, n));
    }
    tok.text = (const unsigned char *)copy;
    tok.n = n;
    return snc_added__add(normalized ? &w->normalized : &t->raw, &tok);
}

/* Word pieces are all lines but those that an added token claims by number. */
static snc_err insert_pieces(wordpiece *w, const cJSON *added)
{
    snc_err err = SNC_OK;
    bool *apart = NULL;
    const cJSON *it;
    SNC_GOTO(snc_alloc(&apart, (size_t)w->wp.n_lines, sizeof *apart));
    cJSON_ArrayForEach(it, added)
    {
        int line;
        SNC_GOTO(added_line(&line, w, it));
        if (line >= 0) apart[line] = true;
    }
    for (int32_t id = 0; id < w->wp.n_lines; id++)
        if (!apart[id]) snc_wp__insert(&w->wp, id);
out:
    snc_free(apart);
    return err;
}

static void set_kinds(wordpiece *w, const snc_uni *uni)
{
    for (unsigned c = 0; c < 128; c++) {
        unsigned f = snc_uni__flags(uni, c);
        w->kind[c] = f & SNC_UNI_SPACE ? KIND_SPACE : f & SNC_UNI_PUNCT ? KIND_PUNCT : KIND_WORD;
    }
    memset(w->kind + 128, KIND_DECODE, 128);
}

/* cls A sep (B sep). */
static snc_err read_specials(snc_tok *t, const cJSON *config)
{
    wordpiece *w = t->state;
    int32_t cls, sep;
    SNC_TRY(special_id(&w->wp.unk, t, config, "unk", "[UNK]"));
    SNC_TRY(special_id(&cls, t, config, "cls", "[CLS]"));
    SNC_TRY(special_id(&sep, t, config, "sep", "[SEP]"));
    t->around.first.id[t->around.first.n++] = cls;
    t->around.between.id[t->around.between.n++] = sep;
    t->around.last.id[t->around.last.n++] = sep;
    return SNC_OK;
}

static snc_err build(snc_tok *t, const snc_tok_blob *vocab, const cJSON *config)
{
    wordpiece *w = t->state;
    snc_norm_buf buf = {.text = NULL};
    snc_err err = SNC_OK;
    SNC_TRY(snc_wp__init(&w->wp, vocab->data, vocab->bytes));
    t->ids = w->wp.n_lines;
    SNC_TRY(read_flags(w, &t->around.second_type, config));
    snc_norm__init(&w->norm, &t->uni);
    set_kinds(w, &t->uni);
    const cJSON *added = cJSON_GetObjectItemCaseSensitive(config, "added"), *it;
    SNC_CHECK(!added || cJSON_IsArray(added), SNC_E_FORMAT, "%s: 'added' must be a list", WHERE);
    SNC_TRY(insert_pieces(w, added));
    cJSON_ArrayForEach(it, added) SNC_GOTO(add_token(t, &buf, it));
    snc_added__sort(&w->normalized);
    SNC_GOTO(read_specials(t, config));
out:
    snc_norm__buf_dispose(&buf);
    return err;
}

static snc_err create(snc_tok *t, const snc_tok_assets *a)
{
    const snc_tok_blob *vocab = &a->blob[SNC_WORDPIECE_VOCAB], *flags = &a->blob[SNC_WORDPIECE_CONFIG];
    cJSON *config = NULL;
    wordpiece *w = NULL;
    SNC_CHECK(vocab->data && flags->data, SNC_E_FORMAT, "tokenizer: no vocabulary");
    SNC_TRY(snc_json_parse(&config, flags->data, flags->bytes, WHERE));
    snc_err err = snc_alloc(&w, 1, sizeof *w);
    if (!err) {
        t->state = w;
        snc_added__init(&w->normalized);
        err = build(t, vocab, config);
    }
    cJSON_Delete(config);
    return err;
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

snc_err snc_wordpiece__print(snc_tok_blob *out, const cJSON *config)
{
    char *text = cJSON_PrintUnformatted(config);
    SNC_CHECK(text, SNC_E_NOMEM, "out of memory while writing a tokenizer");
    out->bytes = strlen(text);
    snc_err err = snc_strndup(&out->data, text, out->bytes);
    cJSON_free(text);
    return err;
}

static int ids(const snc_tok_assets *a)
{
    const snc_tok_blob *vocab = &a->blob[SNC_WORDPIECE_VOCAB];
    size_t n = 0;
    for (size_t i = 0; i < vocab->bytes; i++) n += vocab->data[i] == '\n' || i + 1 == vocab->bytes;
    return n < INT32_MAX ? (int)n : INT32_MAX;
}

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
                                        .file = "vocab.txt",
                                        .read = snc_wordpiece__read,
                                        .create = create,
                                        .destroy = destroy,
                                        .piece = piece,
                                        .cut = cut,
                                        .ids = ids,
                                        .need = snc_wordpiece__need,
                                        .trimmed_bytes = snc_wordpiece__trimmed_bytes,
                                        .trim = snc_wordpiece__trim};
