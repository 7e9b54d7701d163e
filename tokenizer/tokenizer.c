#include "tokenizer/tokenizer.h"

#include <limits.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "tokenizer/added_priv.h"
#include "tokenizer/normalize_priv.h"
#include "tokenizer/wordpiece_priv.h"

enum { KIND_WORD, KIND_SPACE, KIND_PUNCT, KIND_DECODE, MAX_TEXT = 1 << 28 };

typedef enum pre_tokenizer { PRE_BERT, PRE_WHITESPACE, PRE_SPLIT } pre_tokenizer;

struct snc_tok {
    pre_tokenizer pre;
    int second_type; /* segment of a pair's second text */
    snc_uni uni;
    snc_norm norm;
    snc_wp wp;
    snc_added_set raw, normalized; /* tokens looked for before and after normalization */
    uint8_t kind[256];             /* of a byte of normalized text */
    int32_t cls, sep;
    snc_arena *arena; /* texts of added tokens */
};

struct snc_tok_scratch {
    int32_t *ids, *types;
    size_t n, cap, types_cap;
    unsigned char *repaired;
    size_t repaired_cap;
    int broken;
    snc_norm_buf norm;
};

/* ---- making a tokenizer ----------------------------------------------------------------------------------------- */

static const char WHERE[] = "tokenizer config";

/* A copy with readable bytes after it, as the piece table wants. */
static snc_err copy_padded(char **out, snc_arena *a, const char *s, size_t n)
{
    SNC_TRY(snc_arena_alloc(out, a, n + SNC_NORM_PAD));
    memcpy(*out, s, n);
    return SNC_OK;
}

static snc_err special_id(int32_t *id, snc_tok *t, const cJSON *config, const char *key, const char *def)
{
    const char *name;
    char *copy;
    SNC_TRY(snc_json_str(&name, config, key, def, WHERE));
    SNC_TRY(copy_padded(&copy, t->arena, name, strlen(name)));
    *id = snc_wp__find(&t->wp, copy, strlen(name));
    for (size_t i = 0; *id < 0 && i < t->raw.count; i++)
        if (t->raw.tokens[i].n == strlen(name) && memcmp(t->raw.tokens[i].text, name, strlen(name)) == 0)
            *id = t->raw.tokens[i].id;
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

static snc_err read_flags(snc_tok *t, const cJSON *config)
{
    static const char *const keys[] = {"lowercase",  "strip_accents", "tokenize_chinese_chars",
                                       "clean_text", "max_chars",     "unk",
                                       "cls",        "sep",           "pad",
                                       "mask",       "added",         "accents",
                                       "pre_tokenizer", "second_type", NULL};
    const char *unused;
    bool strip;
    SNC_TRY(snc_json_check_keys(config, keys, WHERE));
    SNC_TRY(snc_json_bool(&t->norm.lower, config, "lowercase", true, WHERE));
    SNC_TRY(snc_json_bool(&strip, config, "strip_accents", t->norm.lower, WHERE));
    SNC_TRY(read_accents(&t->norm, config, strip));
    SNC_TRY(read_pre_tokenizer(&t->pre, config));
    SNC_TRY(snc_json_int(&t->second_type, config, "second_type", 1, 0, 1, WHERE));
    SNC_TRY(snc_json_bool(&t->norm.cjk, config, "tokenize_chinese_chars", true, WHERE));
    SNC_TRY(snc_json_bool(&t->norm.clean, config, "clean_text", true, WHERE));
    SNC_TRY(snc_json_int(&t->wp.max_chars, config, "max_chars", 100, 1, 100000, WHERE));
    SNC_TRY(snc_json_str(&unused, config, "pad", "[PAD]", WHERE));
    return snc_json_str(&unused, config, "mask", "[MASK]", WHERE);
}

/* An entry with an "id" names a line of its own that is no word piece; returns that line or -1. */
static snc_err added_line(int *line, const snc_tok *t, const cJSON *entry)
{
    static const char *const keys[] = {"content", "id", "normalized", "single_word", "lstrip", "rstrip", NULL};
    const char *content;
    SNC_TRY(snc_json_check_keys(entry, keys, WHERE));
    SNC_TRY(snc_json_str(&content, entry, "content", NULL, WHERE));
    SNC_CHECK(content, SNC_E_FORMAT, "%s: an entry of 'added' has no 'content'", WHERE);
    return snc_json_int(line, entry, "id", -1, 0, t->wp.n_lines - 1, WHERE);
}

static snc_err add_token(snc_tok *t, snc_norm_buf *buf, const cJSON *entry)
{
    const char *content;
    char *copy;
    bool normalized;
    int id;
    snc_added tok = {.n = 0};
    SNC_TRY(added_line(&id, t, entry));
    SNC_TRY(snc_json_str(&content, entry, "content", NULL, WHERE));
    SNC_TRY(snc_json_bool(&normalized, entry, "normalized", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.single_word, entry, "single_word", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.lstrip, entry, "lstrip", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.rstrip, entry, "rstrip", false, WHERE));
    size_t n = strlen(content);
    if (n == 0) return SNC_OK;
    SNC_CHECK(snc_utf8__valid((const unsigned char *)content, n) == n, SNC_E_FORMAT,
              "%s: an added token is not valid UTF-8", WHERE);
    SNC_TRY(copy_padded(&copy, t->arena, content, n));
    tok.id = id >= 0 ? id : snc_wp__find(&t->wp, copy, n);
    SNC_CHECK(tok.id >= 0, SNC_E_FORMAT, "%s: the added token '%.64s' is not in the vocabulary", WHERE, content);
    if (normalized) {
        SNC_TRY(snc_norm__run(buf, &t->norm, (const unsigned char *)content, n));
        n = buf->n;
        if (n == 0) return SNC_OK;
        SNC_TRY(copy_padded(&copy, t->arena, (const char *)buf->text, n));
    }
    tok.text = (const unsigned char *)copy;
    tok.n = n;
    return snc_added__add(normalized ? &t->normalized : &t->raw, &tok);
}

/* Word pieces are all lines but those that an added token claims by number. */
static snc_err insert_pieces(snc_tok *t, const cJSON *added)
{
    snc_err err = SNC_OK;
    bool *apart = NULL;
    const cJSON *it;
    SNC_GOTO(snc_alloc(&apart, (size_t)t->wp.n_lines, sizeof *apart));
    cJSON_ArrayForEach(it, added)
    {
        int line;
        SNC_GOTO(added_line(&line, t, it));
        if (line >= 0) apart[line] = true;
    }
    for (int32_t id = 0; id < t->wp.n_lines; id++)
        if (!apart[id]) snc_wp__insert(&t->wp, id);
out:
    snc_free(apart);
    return err;
}

static void set_kinds(snc_tok *t)
{
    for (unsigned c = 0; c < 128; c++) {
        unsigned f = snc_uni__flags(&t->uni, c);
        t->kind[c] = f & SNC_UNI_SPACE ? KIND_SPACE : f & SNC_UNI_PUNCT ? KIND_PUNCT : KIND_WORD;
    }
    memset(t->kind + 128, KIND_DECODE, 128);
}

static snc_err build(snc_tok *t, const snc_tok_assets *a, const cJSON *config)
{
    snc_norm_buf buf = {.text = NULL};
    snc_err err = SNC_OK;
    SNC_TRY(snc_arena_new(&t->arena));
    SNC_TRY(snc_uni__init(&t->uni));
    SNC_TRY(snc_wp__init(&t->wp, a->vocab, a->vocab_bytes));
    SNC_TRY(read_flags(t, config));
    snc_norm__init(&t->norm, &t->uni);
    set_kinds(t);
    const cJSON *added = cJSON_GetObjectItemCaseSensitive(config, "added"), *it;
    SNC_CHECK(!added || cJSON_IsArray(added), SNC_E_FORMAT, "%s: 'added' must be a list", WHERE);
    SNC_TRY(insert_pieces(t, added));
    cJSON_ArrayForEach(it, added) SNC_GOTO(add_token(t, &buf, it));
    snc_added__sort(&t->raw);
    snc_added__sort(&t->normalized);
    SNC_GOTO(special_id(&t->wp.unk, t, config, "unk", "[UNK]"));
    SNC_GOTO(special_id(&t->cls, t, config, "cls", "[CLS]"));
    SNC_GOTO(special_id(&t->sep, t, config, "sep", "[SEP]"));
out:
    snc_norm__buf_dispose(&buf);
    return err;
}

snc_err snc_tok_new(snc_tok **out, const snc_tok_assets *a)
{
    cJSON *config = NULL;
    snc_tok *t = NULL;
    SNC_CHECK(a->vocab && a->config, SNC_E_FORMAT, "tokenizer: no vocabulary");
    snc_err err = snc_json_parse(&config, a->config, strlen(a->config), WHERE);
    if (err != SNC_OK) return err;
    SNC_GOTO(snc_alloc(&t, 1, sizeof *t));
    snc_added__init(&t->raw);
    snc_added__init(&t->normalized);
    SNC_GOTO(build(t, a, config));
    *out = t;
    t = NULL;
out:
    snc_tok_free(t);
    cJSON_Delete(config);
    return err;
}

void snc_tok_free(snc_tok *t)
{
    if (!t) return;
    snc_uni__dispose(&t->uni);
    snc_wp__dispose(&t->wp);
    snc_added__dispose(&t->raw);
    snc_added__dispose(&t->normalized);
    snc_arena_free(t->arena);
    snc_free(t);
}

int snc_tok_vocab_size(const snc_tok *t)
{
    return t->wp.n_lines;
}

const char *snc_tok_piece_view(const snc_tok *t, int32_t id)
{
    return id >= 0 && id < t->wp.n_lines ? t->wp.text + t->wp.offset[id] : NULL;
}

snc_err snc_tok_scratch_new(snc_tok_scratch **out)
{
    return snc_alloc(out, 1, sizeof **out);
}

void snc_tok_scratch_free(snc_tok_scratch *s)
{
    if (!s) return;
    snc_free(s->ids);
    snc_free(s->types);
    snc_free(s->repaired);
    snc_norm__buf_dispose(&s->norm);
    snc_free(s);
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

static snc_err reserve(snc_tok_scratch *s, size_t more)
{
    return snc_grow(&s->ids, &s->cap, s->n + more, sizeof *s->ids);
}

/* BertPreTokenizer and the model: words end at white space, punctuation is a word of its own. At most one id a byte. */
static snc_err push_words(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    SNC_TRY(reserve(s, n));
    int32_t *ids = s->ids + s->n;
    size_t word = 0;
    for (size_t i = 0; i < n;) {
        unsigned kind = t->kind[text[i]], bytes = 1;
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
        if (i > word) ids += snc_wp__word(ids, &t->wp, text + word, i - word);
        if (kind == KIND_PUNCT) ids += snc_wp__word(ids, &t->wp, text + i, bytes);
        i += bytes;
        word = i;
    }
    if (n > word) ids += snc_wp__word(ids, &t->wp, text + word, n - word);
    s->n = (size_t)(ids - s->ids);
    return SNC_OK;
}

/* Whitespace: runs of \w and runs of all else; WhitespaceSplit: runs of anything. Nothing of white space. */
static snc_err push_runs(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    SNC_TRY(reserve(s, n));
    int32_t *ids = s->ids + s->n;
    unsigned last = KIND_SPACE;
    size_t start = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        unsigned bytes = snc_utf8__get(&cp, text + i), f = snc_uni__flags(&t->uni, cp);
        unsigned kind = f & SNC_UNI_SPACE ? KIND_SPACE : t->pre == PRE_SPLIT || f & SNC_UNI_WORD ? KIND_WORD : KIND_PUNCT;
        if (kind != last) {
            if (last != KIND_SPACE) ids += snc_wp__word(ids, &t->wp, text + start, i - start);
            start = i;
            last = kind;
        }
        i += bytes;
    }
    if (last != KIND_SPACE) ids += snc_wp__word(ids, &t->wp, text + start, n - start);
    s->n = (size_t)(ids - s->ids);
    return SNC_OK;
}

static snc_err push_pieces(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    return t->pre == PRE_BERT ? push_words(s, t, text, n) : push_runs(s, t, text, n);
}

static snc_err push_id(snc_tok_scratch *s, int32_t id)
{
    SNC_TRY(reserve(s, 1));
    s->ids[s->n++] = id;
    return SNC_OK;
}

/* Ordinary text between tokens that were found in the raw text. */
static snc_err push_segment(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    SNC_TRY(snc_norm__run(&s->norm, &t->norm, text, n));
    if (t->normalized.count == 0) return push_pieces(s, t, s->norm.text, s->norm.n);
    snc_added_match m = {0};
    do {
        snc_added__next(&m, &t->normalized, &t->uni, s->norm.text, s->norm.n);
        if (m.start > m.gap) SNC_TRY(push_pieces(s, t, s->norm.text + m.gap, m.start - m.gap));
        if (m.id >= 0) SNC_TRY(push_id(s, m.id));
    } while (m.id >= 0);
    return SNC_OK;
}

static snc_err push_text(snc_tok_scratch *s, const snc_tok *t, const char *bytes, size_t n)
{
    const unsigned char *text = (const unsigned char *)bytes;
    SNC_CHECK(n <= MAX_TEXT, SNC_E_ARG, "a text of %zu bytes: at most %d are taken", n, MAX_TEXT);
    if (snc_utf8__valid(text, n) != n) {
        SNC_TRY(snc_grow(&s->repaired, &s->repaired_cap, 3 * n, 1));
        n = snc_utf8__repair(s->repaired, text, n);
        text = s->repaired;
        s->broken = 1;
    }
    snc_added_match m = {0};
    do {
        snc_added__next(&m, &t->raw, &t->uni, text, n);
        if (m.start > m.gap) SNC_TRY(push_segment(s, t, text + m.gap, m.start - m.gap));
        if (m.id >= 0) SNC_TRY(push_id(s, m.id));
    } while (m.id >= 0);
    return SNC_OK;
}

/* longest_first as the `tokenizers` crate has it (utils/truncation): the longer text gives way down to the shorter one;
 * when both must shrink, the one that was longer keeps the odd token. */
static void truncate_lengths(size_t *na, size_t *nb, size_t room)
{
    if (*na + *nb <= room) return;
    size_t shorter = *na > *nb ? *nb : *na, longer;
    bool swap = *na > *nb;
    longer = shorter > room ? shorter : room - shorter > shorter ? room - shorter : shorter;
    if (shorter + longer > room) {
        shorter = room / 2;
        longer = shorter + room % 2;
    }
    *na = swap ? longer : shorter;
    *nb = swap ? shorter : longer;
}

snc_err snc_tok_encode(snc_encoding *out, const snc_tok *t, snc_tok_scratch *s, const char *a, size_t a_bytes,
                       const char *b, size_t b_bytes, int max_length)
{
    size_t extra = b ? 3 : 2, na, nb = 0;
    SNC_CHECK(max_length == 0 || max_length >= (int)extra, SNC_E_ARG,
              "max length %d: %s needs at least %zu, or 0 for no limit", max_length, b ? "a pair" : "a text", extra);
    s->n = 0;
    s->broken = 0;
    SNC_TRY(push_id(s, t->cls));
    SNC_TRY(push_text(s, t, a, a_bytes));
    na = s->n - 1;
    SNC_TRY(push_id(s, t->sep));
    if (b) {
        SNC_TRY(push_text(s, t, b, b_bytes));
        nb = s->n - 2 - na;
        SNC_TRY(push_id(s, t->sep));
    }
    SNC_CHECK(s->n <= INT_MAX, SNC_E_ARG, "%zu tokens are too many for one text", s->n);
    size_t keep_a = na, keep_b = nb;
    if (max_length > 0) {
        size_t room = (size_t)max_length - extra;
        if (b)
            truncate_lengths(&keep_a, &keep_b, room);
        else if (na > room)
            keep_a = room;
    }
    memmove(s->ids + 2 + keep_a, s->ids + 2 + na, keep_b * sizeof *s->ids);
    s->ids[1 + keep_a] = t->sep;
    if (b) s->ids[2 + keep_a + keep_b] = t->sep;
    size_t n = extra + keep_a + keep_b;
    SNC_TRY(snc_grow(&s->types, &s->types_cap, n, sizeof *s->types));
    memset(s->types, 0, n * sizeof *s->types);
    for (size_t i = 2 + keep_a; i < n; i++) s->types[i] = t->second_type;
    *out = (snc_encoding){.n = (int)n, .ids = s->ids, .types = s->types, .dropped = (int)(na + nb - keep_a - keep_b), .broken = s->broken};
    return SNC_OK;
}
