/* What each kind has of its own in tokenizer.json. */
#include <string.h>

#include "tokenizer/bpe_priv.h"
#include "tokenizer/charsmap_priv.h"
#include "tokenizer/parts_priv.h"
#include "tokenizer/spbpe_priv.h"
#include "tokenizer/tok_json_priv.h"
#include "tokenizer/unigram_priv.h"
#include "tokenizer/wordpiece_priv.h"

static snc_err no_memory(void) { return snc_err_set(SNC_E_NOMEM, "out of memory while writing a tokenizer"); }

/* Appends to a list that may be NULL; takes over what is given. */
static cJSON *with(cJSON *list, cJSON *item)
{
    if (list && item && cJSON_AddItemToArray(list, item)) return list;
    cJSON_Delete(list);
    cJSON_Delete(item);
    return NULL;
}

/* {"type": TYPE, KEY: list} */
static cJSON *sequence(const char *key, cJSON *list)
{
    cJSON *s = cJSON_CreateObject();
    if (s && list && cJSON_AddStringToObject(s, "type", "Sequence") && cJSON_AddItemToObject(s, key, list)) return s;
    cJSON_Delete(list);
    cJSON_Delete(s);
    return NULL;
}

/* ---- WordPiece ---------------------------------------------------------------------------------------------------- */

/* strip: null follows letter case, NULL is false. */
static cJSON *bert(const snc_tok_json *j, const cJSON *strip, bool lower)
{
    cJSON *n = cJSON_CreateObject();
    bool ok = n && cJSON_AddStringToObject(n, "type", "BertNormalizer") &&
              cJSON_AddBoolToObject(n, "clean_text", snc_tok_json__is(j, "clean_text", true)) &&
              cJSON_AddBoolToObject(n, "handle_chinese_chars", snc_tok_json__is(j, "tokenize_chinese_chars", true)) &&
              (cJSON_IsNull(strip) ? cJSON_AddNullToObject(n, "strip_accents")
                                   : cJSON_AddBoolToObject(n, "strip_accents", cJSON_IsTrue(strip))) &&
              cJSON_AddBoolToObject(n, "lowercase", lower);
    if (ok) return n;
    cJSON_Delete(n);
    return NULL;
}

/* What is not BERT's: its own, which cleans, then what decomposes and drops, then letter case. */
static cJSON *of_accents(const snc_tok_json *j, const char *accents)
{
    cJSON *list = with(cJSON_CreateArray(), bert(j, NULL, false));
    if (strncmp(accents, "nfd", 3) == 0) list = with(list, cJSON_Parse("{\"type\":\"NFD\"}"));
    if (strcmp(accents, "nfd") != 0) list = with(list, cJSON_Parse("{\"type\":\"StripAccents\"}"));
    if (snc_tok_json__is(j, "lowercase", true)) list = with(list, cJSON_Parse("{\"type\":\"Lowercase\"}"));
    return sequence("normalizers", list);
}

/* [CLS] A [SEP] B [SEP] as a template, for who writes those. */
static snc_err put_template(snc_tok_json *j)
{
    const char *cls = snc_tok_json__text(j, "cls"), *sep = snc_tok_json__text(j, "sep");
    const char *const between[] = {sep, sep};
    int n, second;
    SNC_TRY(snc_json_int(&n, j->flags, "separators", 1, 1, 2, SNC_SPECIAL_WHERE));
    SNC_TRY(snc_json_int(&second, j->flags, "second_type", 1, 0, 1, SNC_SPECIAL_WHERE));
    SNC_CHECK(cls && sep, SNC_E_FORMAT, SNC_SPECIAL_WHERE ": 'cls' and 'sep' must be texts");
    cJSON *t = cJSON_AddObjectToObject(j->flags, "template");
    bool ok = t && cJSON_AddItemToObject(t, "first", cJSON_CreateStringArray(&cls, 1)) &&
              cJSON_AddItemToObject(t, "between", cJSON_CreateStringArray(between, n)) &&
              cJSON_AddItemToObject(t, "last", cJSON_CreateStringArray(&sep, 1)) && cJSON_AddNumberToObject(t, "second_type", second);
    return ok ? SNC_OK : no_memory();
}

snc_err snc_wordpiece__json(snc_tok_json *j)
{
    const char *accents = snc_tok_json__text(j, "accents"), *pre = snc_tok_json__text(j, "pre_tokenizer"),
               *unk = snc_tok_json__text(j, "unk");
    const cJSON *strip = cJSON_GetObjectItemCaseSensitive(j->flags, "strip_accents");
    const char *cut = !pre ? "BertPreTokenizer" : strcmp(pre, "whitespace") == 0 ? "Whitespace" : "WhitespaceSplit";
    cJSON *model = cJSON_CreateObject(), *how = cJSON_CreateObject();
    int chars = 100;
    snc_err err = snc_json_int(&chars, j->flags, "max_chars", 100, 1, 100000, SNC_SPECIAL_WHERE);
    bool ok = !err && model && how && cJSON_AddStringToObject(how, "type", cut) && cJSON_AddStringToObject(model, "type", "WordPiece") &&
              cJSON_AddStringToObject(model, "unk_token", unk ? unk : "[UNK]") &&
              cJSON_AddStringToObject(model, "continuing_subword_prefix", "##") &&
              cJSON_AddNumberToObject(model, "max_input_chars_per_word", chars) &&
              cJSON_AddItemToObject(model, "vocab", snc_tok_json__vocab(j));
    if (!ok) {
        cJSON_Delete(model);
        cJSON_Delete(how);
        return err ? err : no_memory();
    }
    err = snc_tok_json__put(j, "pre_tokenizer", how);
    if (err) cJSON_Delete(model);
    else err = snc_tok_json__put(j, "model", model);
    if (!err)
        err = snc_tok_json__put(j, "normalizer", accents ? of_accents(j, accents) : bert(j, strip, snc_tok_json__is(j, "lowercase", true)));
    if (!err) err = snc_tok_json__put_text(j, "decoder", "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}");
    return err ? err : put_template(j);
}

/* ---- BPE ---------------------------------------------------------------------------------------------------------- */

/* [["left","right"], ...] in the order of merges. */
static snc_err merges_of(cJSON *list, const snc_tok_json *j)
{
    snc_bpe_blob b = snc_bpe__blob(snc_tok_blob_view(j->a, "merges"));
    snc_bpe_step step;
    bool more;
    for (;;) {
        char *left;
        SNC_TRY(snc_bpe__next(&step, &more, &b, j->n));
        if (!more) return SNC_OK;
        const char *text = j->line[step.id];
        SNC_CHECK(step.left < strlen(text), SNC_E_FORMAT, SNC_SPECIAL_WHERE ": a merge is longer than what it makes");
        SNC_TRY(snc_arena_strndup(&left, j->arena, text, step.left));
        const char *const parts[] = {left, text + step.left};
        cJSON *pair = cJSON_CreateStringArray(parts, 2);
        if (pair && cJSON_AddItemToArray(list, pair)) continue;
        cJSON_Delete(pair);
        return no_memory();
    }
}

cJSON *snc_tok_json__bpe(const snc_tok_json *j)
{
    const char *unk = snc_tok_json__text(j, "unk");
    cJSON *m = cJSON_CreateObject(), *merges = NULL;
    bool ok = m && cJSON_AddStringToObject(m, "type", "BPE") && cJSON_AddNullToObject(m, "dropout") &&
              (unk ? cJSON_AddStringToObject(m, "unk_token", unk) : cJSON_AddNullToObject(m, "unk_token")) &&
              cJSON_AddNullToObject(m, "continuing_subword_prefix") && cJSON_AddNullToObject(m, "end_of_word_suffix") &&
              cJSON_AddBoolToObject(m, "fuse_unk", snc_tok_json__is(j, "fuse_unk", false)) &&
              cJSON_AddBoolToObject(m, "byte_fallback", snc_tok_json__is(j, "byte_fallback", false)) &&
              cJSON_AddBoolToObject(m, "ignore_merges", snc_tok_json__is(j, "ignore_merges", false)) &&
              cJSON_AddItemToObject(m, "vocab", snc_tok_json__vocab(j)) && (merges = cJSON_AddArrayToObject(m, "merges"));
    if (ok && merges_of(merges, j) == SNC_OK) return m;
    cJSON_Delete(m);
    return NULL;
}

snc_err snc_bpe__json(snc_tok_json *j)
{
    bool prefix = snc_tok_json__is(j, "prefix_space", false);
    SNC_TRY(snc_tok_json__put(j, "model", snc_tok_json__bpe(j)));
    if (snc_tok_json__is(j, "nfc", false)) SNC_TRY(snc_tok_json__put_text(j, "normalizer", "{\"type\":\"NFC\"}"));
    SNC_TRY(snc_tok_json__put_text(j, "decoder",
                                   "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}"));
    return snc_tok_json__put_text(j, "pre_tokenizer",
                                  prefix ? "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}"
                                         : "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}");
}

/* ---- SentencePiece ------------------------------------------------------------------------------------------------ */

static snc_err base64(char **out, const snc_tok_blob *b)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)b->data;
    SNC_TRY(snc_alloc(out, (b->bytes + 2) / 3 * 4 + 1, 1));
    char *to = *out;
    for (size_t i = 0; i < b->bytes; i += 3) {
        const size_t left = b->bytes - i;
        const unsigned v = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        *to++ = letters[v >> 18];
        *to++ = letters[v >> 12 & 63];
        *to++ = left > 1 ? letters[v >> 6 & 63] : '=';
        *to++ = left > 2 ? letters[v & 63] : '=';
    }
    return SNC_OK;
}

/* The steps, Precompiled with its map. */
static snc_err put_steps(snc_tok_json *j)
{
    cJSON *list = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(j->flags, "normalizer"), true), *it;
    char *map = NULL;
    bool ok = true;
    if (!cJSON_GetArraySize(list)) return cJSON_Delete(list), SNC_OK;
    snc_err err = base64(&map, snc_tok_blob_view(j->a, "charsmap"));
    cJSON_ArrayForEach(it, list)
    {
        const char *type = snc_json_text(it, "type");
        if (!err && type && strcmp(type, "Precompiled") == 0) ok = ok && cJSON_AddStringToObject(it, "precompiled_charsmap", map);
    }
    snc_free(map);
    if (!err && ok) return snc_tok_json__put(j, "normalizer", sequence("normalizers", list));
    cJSON_Delete(list);
    return err ? err : no_memory();
}

static cJSON *metaspace(const char *prepend, bool split)
{
    cJSON *m = cJSON_CreateObject();
    bool ok = m && cJSON_AddStringToObject(m, "type", "Metaspace") && cJSON_AddStringToObject(m, "replacement", SNC_PARTS_SPACE) &&
              cJSON_AddStringToObject(m, "prepend_scheme", prepend) && cJSON_AddBoolToObject(m, "split", split);
    if (ok) return m;
    cJSON_Delete(m);
    return NULL;
}

static snc_err put_parts(snc_tok_json *j)
{
    const char *prepend = snc_tok_json__text(j, "prepend");
    bool white = snc_tok_json__is(j, "whitespace_split", true), none = prepend && strcmp(prepend, "none") == 0;
    bool split = snc_tok_json__is(j, "split", true);
    SNC_CHECK(!cJSON_GetObjectItemCaseSensitive(j->flags, "alone"), SNC_E_UNSUPPORTED,
              "a tokenizer with pieces that its .model calls user-defined has no tokenizer.json: they stand alone wherever they are");
    if (none && !white) return SNC_OK;
    cJSON *list = cJSON_CreateArray();
    if (white) list = with(list, cJSON_Parse("{\"type\":\"WhitespaceSplit\"}"));
    if (!none) list = with(list, metaspace(prepend ? prepend : "always", split));
    SNC_TRY(snc_tok_json__put(j, "pre_tokenizer", sequence("pretokenizers", list)));
    return none ? SNC_OK : snc_tok_json__put(j, "decoder", metaspace(prepend ? prepend : "always", split));
}

static cJSON *scored(const snc_tok_json *j, int pieces, size_t bytes_each)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; list && i < pieces; i++) {
        cJSON *pair = with(cJSON_CreateArray(), cJSON_CreateString(j->line[i]));
        list = with(list, with(pair, cJSON_CreateNumber(snc_unigram__score(j->a, bytes_each, (size_t)i))));
    }
    return list;
}

snc_err snc_unigram__json(snc_tok_json *j)
{
    int pieces, unk;
    size_t bytes_each;
    SNC_TRY(snc_unigram__count(&pieces, &bytes_each, j->a));
    SNC_TRY(snc_json_int(&unk, j->flags, "unk", 0, 0, pieces - 1, SNC_SPECIAL_WHERE));
    SNC_TRY(put_steps(j));
    SNC_TRY(put_parts(j));
    cJSON *m = cJSON_CreateObject(), *list = scored(j, pieces, bytes_each);
    bool ok = m && list && cJSON_AddStringToObject(m, "type", "Unigram") && cJSON_AddNumberToObject(m, "unk_id", unk) &&
              cJSON_AddBoolToObject(m, "byte_fallback", snc_tok_json__is(j, "byte_fallback", false));
    if (ok && cJSON_AddItemToObject(m, "vocab", list)) return snc_tok_json__put(j, "model", m);
    cJSON_Delete(list);
    cJSON_Delete(m);
    return no_memory();
}

snc_err snc_spbpe__json(snc_tok_json *j)
{
    SNC_TRY(put_steps(j));
    SNC_TRY(put_parts(j));
    return snc_tok_json__put(j, "model", snc_tok_json__bpe(j));
}
