/* WordPiece in a Hugging Face folder: pieces, added and special tokens, flags, from files that may disagree. */
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM         1
#define uthash_nonfatal_oom(item) (lost = true)
#include <uthash.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "tokenizer/flags_priv.h"
#include "tokenizer/wordpiece_priv.h"

enum { BERT_CHARS = 100 }; /* of a word; longer ones are unknown */
enum { MAX_ID = 1 << 22 }; /* what a vocabulary's lines may number; ids beyond are a broken file */

/* A text that is a piece of the model, an added token, or both. */
typedef struct known {
    const char *text;
    bool piece;
    cJSON *entry; /* of `added`; NULL: none */
    UT_hash_handle hh;
} known;

/* One folder while it is read. The model's pieces are kept apart from the lines that only added tokens have. */
typedef struct folder {
    const char *dir;
    char where[1024]; /* path of the file being read, for messages */
    const cJSON *tokenizer, *config, *special;
    snc_tok_rule rule;
    const char **lines; /* [n_lines] borrowed pieces, NULL in a hole */
    size_t n_lines, lines_cap, n_pieces;
    char *vocab_txt;    /* its text, cut into lines */
    cJSON *out, *added; /* the config that is being made; `added` belongs to it */
    known *known;       /* by text, in the arena */
    snc_arena *arena;
} folder;

static snc_err no_memory(void) { return snc_err_set(SNC_E_NOMEM, "out of memory while reading a tokenizer"); }

static snc_err name_file(folder *f, const char *name) { return snc_path_join(f->where, sizeof f->where, f->dir, name); }

static snc_err set_line(folder *f, double id, const char *piece)
{
    SNC_CHECK(id >= 0 && id < MAX_ID && id == (double)(int)id, SNC_E_FORMAT, "%s: '%.64s' has the id %g: expected a whole number below %d",
              f->where, piece, id, MAX_ID);
    size_t i = (size_t)id;
    SNC_TRY(snc_grow(&f->lines, &f->lines_cap, i + 1, sizeof *f->lines));
    f->lines[i] = piece;
    if (i >= f->n_lines) f->n_lines = i + 1;
    return SNC_OK;
}

static known *find_known(const folder *f, const char *text)
{
    known *k = NULL;
    HASH_FIND_STR(f->known, text, k);
    return k;
}

/* The text's record, made when there is none; `text` lives as long as the folder. */
static snc_err get_known(known **out, folder *f, const char *text)
{
    bool lost = false;
    known *k = find_known(f, text);
    if (!k) {
        SNC_TRY(snc_arena_alloc(&k, f->arena, sizeof *k));
        k->text = text;
        HASH_ADD_KEYPTR(hh, f->known, k->text, strlen(k->text), k);
        if (lost) return no_memory();
    }
    *out = k;
    return SNC_OK;
}

/* ---- the vocabulary --------------------------------------------------------------------------------------------- */

static snc_err vocab_from_json(folder *f, const cJSON *vocab)
{
    const cJSON *it;
    SNC_CHECK(cJSON_IsObject(vocab), SNC_E_FORMAT, "%s: 'model.vocab' must be an object of piece: id", f->where);
    cJSON_ArrayForEach(it, vocab)
    {
        SNC_CHECK(cJSON_IsNumber(it), SNC_E_FORMAT, "%s: the id of '%.64s' must be a number", f->where, it->string);
        SNC_TRY(set_line(f, it->valuedouble, it->string));
    }
    return SNC_OK;
}

static snc_err vocab_from_text(folder *f)
{
    size_t n;
    SNC_TRY(snc_file_read(&f->vocab_txt, &n, f->where));
    SNC_CHECK(!memchr(f->vocab_txt, 0, n), SNC_E_FORMAT, "%s: holds a NUL byte, expected text", f->where);
    for (char *p = f->vocab_txt, *end = p + n; p < end;) {
        char *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf) lf = end;
        *lf = 0;
        if (lf > p && lf[-1] == '\r') lf[-1] = 0;
        SNC_TRY(set_line(f, (double)f->n_lines, p));
        p = lf + 1;
    }
    return SNC_OK;
}

static snc_err read_vocab(folder *f)
{
    static const char *const others[] = {"vocab.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", NULL};
    const cJSON *vocab = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(f->tokenizer, "model"), "vocab");
    if (vocab) {
        SNC_TRY(name_file(f, "tokenizer.json"));
        SNC_TRY(vocab_from_json(f, vocab));
    } else {
        SNC_TRY(name_file(f, "vocab.txt"));
        for (int i = 0; others[i] && !snc_is_file(f->where); i++) {
            SNC_TRY(name_file(f, others[i]));
            SNC_CHECK(!snc_is_file(f->where), SNC_E_UNSUPPORTED, "%s: only WordPiece vocabularies are read", f->where);
            SNC_TRY(name_file(f, "vocab.txt"));
        }
        SNC_CHECK(snc_is_file(f->where), SNC_E_NOTFOUND, "%s: no vocab.txt and no tokenizer.json", f->dir);
        SNC_TRY(vocab_from_text(f));
    }
    SNC_CHECK(f->n_lines > 0, SNC_E_FORMAT, "%s: the vocabulary is empty", f->where);
    f->n_pieces = f->n_lines;
    for (size_t i = 0; i < f->n_pieces; i++) {
        known *k;
        if (!f->lines[i]) continue;
        SNC_TRY(get_known(&k, f, f->lines[i]));
        k->piece = true;
    }
    return SNC_OK;
}

/* ---- the model -------------------------------------------------------------------------------------------------- */

static snc_err set_str(folder *f, const char *key, const char *v)
{
    cJSON_DeleteItemFromObjectCaseSensitive(f->out, key);
    return cJSON_AddStringToObject(f->out, key, v) ? SNC_OK : no_memory();
}

static snc_err model_from_json(folder *f)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(f->tokenizer, "model");
    const char *prefix, *unk;
    int max_chars;
    SNC_TRY(snc_json_str(&prefix, model, "continuing_subword_prefix", "##", f->where));
    SNC_CHECK(strcmp(prefix, "##") == 0, SNC_E_UNSUPPORTED, "%s: continuing_subword_prefix '%.64s': only '##' is known", f->where, prefix);
    SNC_TRY(snc_json_int(&max_chars, model, "max_input_chars_per_word", 100, 1, 100000, f->where));
    SNC_TRY(snc_json_str(&unk, model, "unk_token", "[UNK]", f->where));
    if (f->rule == SNC_TOK_REBUILT) max_chars = BERT_CHARS;
    else SNC_TRY(set_str(f, "unk", unk));
    return cJSON_AddNumberToObject(f->out, "max_chars", max_chars) ? SNC_OK : no_memory();
}

/* ---- special and added tokens ----------------------------------------------------------------------------------- */

/* "[CLS]" or {"content": "[CLS]", ...}; NULL: neither. */
static const char *token_text(const cJSON *v)
{
    if (cJSON_IsString(v)) return v->valuestring;
    v = cJSON_GetObjectItemCaseSensitive(v, "content");
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

static const struct {
    const char *key, *name, *def;
} roles[] = {{"unk", "unk_token", "[UNK]"},
             {"sep", "sep_token", "[SEP]"},
             {"pad", "pad_token", "[PAD]"},
             {"cls", "cls_token", "[CLS]"},
             {"mask", "mask_token", "[MASK]"}};
enum { N_ROLES = 5 };

/* The value of a role: tokenizer_config.json, then special_tokens_map.json; NULL: in neither. */
static const cJSON *role_value(const folder *f, int i)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(f->config, roles[i].name);
    return token_text(v) ? v : cJSON_GetObjectItemCaseSensitive(f->special, roles[i].name);
}

static snc_err read_roles(folder *f)
{
    for (int i = 0; i < N_ROLES; i++) {
        const char *text = token_text(role_value(f, i));
        if (cJSON_GetObjectItemCaseSensitive(f->out, roles[i].key)) continue;
        SNC_TRY(set_str(f, roles[i].key, text ? text : roles[i].def));
    }
    return SNC_OK;
}

static const char *special_of(const cJSON *template_item)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(template_item, "SpecialToken");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(s, "id");
    return cJSON_IsString(id) ? id->valuestring : NULL;
}

/* The type of a part of a template; -1: none. */
static int type_of(const cJSON *template_item)
{
    const cJSON *s = template_item ? template_item->child : NULL, *t = cJSON_GetObjectItemCaseSensitive(s, "type_id");
    return cJSON_IsNumber(t) && (t->valuedouble == 0 || t->valuedouble == 1) ? t->valuedouble == 1 : -1;
}

static bool is_sequence(const cJSON *template_item, const char *id)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(template_item, "Sequence"), "id");
    return cJSON_IsString(name) && strcmp(name->valuestring, id) == 0;
}

/* [CLS] A [SEP] of type 0, or that with B [SEP] of type *second behind it. */
static bool is_template(const char **cls, const char **sep, int *second, const cJSON *list, bool pair)
{
    int n = cJSON_GetArraySize(list);
    if (n != (pair ? 5 : 3) || !is_sequence(cJSON_GetArrayItem(list, 1), "A")) return false;
    if (pair && !is_sequence(cJSON_GetArrayItem(list, 3), "B")) return false;
    for (int i = 0; i < 3; i++)
        if (type_of(cJSON_GetArrayItem(list, i)) != 0) return false;
    *cls = special_of(cJSON_GetArrayItem(list, 0));
    *sep = special_of(cJSON_GetArrayItem(list, 2));
    if (!pair) return *cls && *sep;
    const char *last = special_of(cJSON_GetArrayItem(list, 4));
    *second = type_of(cJSON_GetArrayItem(list, 3));
    return *cls && *sep && last && strcmp(last, *sep) == 0 && *second >= 0 && *second == type_of(cJSON_GetArrayItem(list, 4));
}

/* The post-processor must be [CLS] A [SEP] (B [SEP]); it says which tokens these are, and the type of B. */
static snc_err read_template(folder *f)
{
    const cJSON *post = cJSON_GetObjectItemCaseSensitive(f->tokenizer, "post_processor");
    const char *type, *cls = NULL, *sep = NULL, *cls2 = NULL, *sep2 = NULL;
    int second = 1;
    SNC_TRY(snc_tok__type(&type, post, "post_processor", f->where));
    if (!type) return SNC_OK;
    if (strcmp(type, "BertProcessing") == 0) {
        cls = token_text(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(post, "cls"), 0));
        sep = token_text(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(post, "sep"), 0));
    } else if (strcmp(type, "TemplateProcessing") == 0) {
        bool ok = is_template(&cls, &sep, &second, cJSON_GetObjectItemCaseSensitive(post, "single"), false) &&
                  is_template(&cls2, &sep2, &second, cJSON_GetObjectItemCaseSensitive(post, "pair"), true) && strcmp(cls, cls2) == 0 &&
                  strcmp(sep, sep2) == 0;
        if (!ok) cls = NULL;
    }
    SNC_CHECK(cls && sep, SNC_E_UNSUPPORTED, "%s: post_processor '%.64s' is not [CLS] A [SEP] B [SEP] with types 0 and 1, or 0 alone",
              f->where, type);
    SNC_TRY(set_str(f, "cls", cls));
    SNC_TRY(set_str(f, "sep", sep));
    if (second == 1) return SNC_OK;
    return cJSON_AddNumberToObject(f->out, "second_type", second) ? SNC_OK : no_memory();
}

static bool is_piece(const folder *f, const char *text)
{
    const known *k = find_known(f, text);
    return k && k->piece;
}

/* What tokenizer_config.json names holds for a tokenizer that is built anew; tokenizer.json's word where that is no piece at all. */
static snc_err read_rebuilt_roles(folder *f)
{
    const char *unk =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(f->tokenizer, "model"), "unk_token"));
    for (int i = 0; i < N_ROLES; i++) {
        const char *text = token_text(role_value(f, i));
        if (is_piece(f, text ? text : roles[i].def)) SNC_TRY(set_str(f, roles[i].key, text ? text : roles[i].def));
    }
    if (unk && !cJSON_GetObjectItemCaseSensitive(f->out, "unk")) SNC_TRY(set_str(f, "unk", unk));
    bool named = cJSON_GetObjectItemCaseSensitive(f->out, "cls") && cJSON_GetObjectItemCaseSensitive(f->out, "sep");
    return named ? SNC_OK : read_template(f);
}

static bool is_added(const folder *f, const char *text)
{
    const known *k = find_known(f, text);
    return k && k->entry;
}

/* One entry of `added`; flags from `from` when it is an object. A token that is no word piece gets a line: `id`, or the
 * next one. A token that is named twice keeps its line, and the later flags hold. */
static snc_err add_token(folder *f, const char *content, const cJSON *from, double id, bool normalized)
{
    static const char *const flags[] = {"normalized", "single_word", "lstrip", "rstrip", NULL};
    known *k;
    if (content[0] == 0) return SNC_OK;
    SNC_TRY(get_known(&k, f, content));
    cJSON *entry = k->entry;
    if (!entry) {
        entry = cJSON_CreateObject();
        if (!entry || !cJSON_AddItemToArray(f->added, entry)) {
            cJSON_Delete(entry);
            return no_memory();
        }
        k->entry = entry;
        if (!cJSON_AddStringToObject(entry, "content", content)) return no_memory();
        if (!k->piece) {
            if (id < (double)f->n_pieces) id = (double)f->n_lines;
            SNC_TRY(set_line(f, id, cJSON_GetObjectItemCaseSensitive(entry, "content")->valuestring));
            if (!cJSON_AddNumberToObject(entry, "id", id)) return no_memory();
        }
    }
    for (int i = 0; flags[i]; i++) {
        bool v;
        SNC_TRY(snc_json_bool(&v, cJSON_IsObject(from) ? from : NULL, flags[i], i == 0 && normalized, f->where));
        cJSON_DeleteItemFromObjectCaseSensitive(entry, flags[i]);
        if (!cJSON_AddBoolToObject(entry, flags[i], v)) return no_memory();
    }
    return SNC_OK;
}

/* "added_tokens" of tokenizer.json, or "added_tokens_decoder" of tokenizer_config.json: {"id": {...}}. */
static snc_err read_added(folder *f, const cJSON *list, bool ids_are_keys)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, list)
    {
        const char *text = token_text(it);
        double id = -1;
        bool special;
        SNC_CHECK(text && cJSON_IsObject(it), SNC_E_FORMAT, "%s: an added token has no 'content'", f->where);
        SNC_TRY(snc_json_bool(&special, it, "special", false, f->where));
        if (ids_are_keys) {
            size_t digits = strspn(it->string, "0123456789");
            SNC_CHECK(digits > 0 && digits < 10 && it->string[digits] == 0, SNC_E_FORMAT, "%s: added_tokens_decoder: '%.64s' is not an id",
                      f->where, it->string);
            id = strtod(it->string, NULL);
        } else {
            SNC_TRY(snc_json_double(&id, it, "id", -1, 0, MAX_ID, f->where));
        }
        SNC_TRY(add_token(f, text, it, id, !special));
    }
    return SNC_OK;
}

/* What tokenizer_config.json adds: its list by id, the roles, which BERT's classes have by themselves, and further special tokens. */
static snc_err read_special(folder *f)
{
    static const char *const lists[] = {"additional_special_tokens", "extra_special_tokens", NULL};
    SNC_TRY(name_file(f, "tokenizer_config.json"));
    SNC_TRY(read_added(f, cJSON_GetObjectItemCaseSensitive(f->config, "added_tokens_decoder"), true));
    for (int i = 0; i < N_ROLES; i++) {
        const char *text = token_text(role_value(f, i));
        if (!text && !(f->tokenizer && f->rule == SNC_TOK_AS_FILE)) text = roles[i].def;
        if (!text || is_added(f, text) || !is_piece(f, text)) continue;
        SNC_TRY(add_token(f, text, role_value(f, i), -1, false));
    }
    for (int i = 0; lists[i]; i++) {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(f->config, lists[i]), *it;
        if (!cJSON_IsArray(list)) list = cJSON_GetObjectItemCaseSensitive(f->special, lists[i]);
        cJSON_ArrayForEach(it, list)
        {
            const char *text = token_text(it);
            if (text && !is_added(f, text)) SNC_TRY(add_token(f, text, it, -1, false));
        }
    }
    return SNC_OK;
}

/* ---- putting it together ---------------------------------------------------------------------------------------- */

/* One piece a line. A piece with a line break can match nothing, as words hold no white space: its line stays empty. */
static snc_err join_lines(snc_tok_blob *out, const folder *f)
{
    size_t bytes = 0;
    for (size_t i = 0; i < f->n_lines; i++) bytes += (f->lines[i] ? strlen(f->lines[i]) : 0) + 1;
    SNC_TRY(snc_alloc(&out->data, bytes + 1, 1));
    for (size_t i = 0; i < f->n_lines; i++) {
        size_t n = f->lines[i] && !strchr(f->lines[i], '\n') ? strlen(f->lines[i]) : 0;
        if (n) memcpy(out->data + out->bytes, f->lines[i], n);
        out->bytes += n;
        out->data[out->bytes++] = '\n';
    }
    return SNC_OK;
}

static snc_err read_folder(folder *f, const snc_tok_folder *files)
{
    f->out = cJSON_CreateObject();
    f->added = f->out ? cJSON_AddArrayToObject(f->out, "added") : NULL;
    if (!f->added) return no_memory();
    if (f->tokenizer) {
        SNC_TRY(snc_tok__rule(&f->rule, files));
        SNC_TRY(name_file(f, "tokenizer.json"));
        SNC_TRY(model_from_json(f));
    }
    SNC_TRY(read_vocab(f));
    if (!f->tokenizer) SNC_TRY(snc_tok__rule(&f->rule, files)); /* where there is no vocabulary either, that is what is said */
    SNC_TRY(snc_tok__flags(f->out, f->rule, files));
    if (f->tokenizer) {
        SNC_TRY(name_file(f, "tokenizer.json"));
        SNC_TRY(f->rule == SNC_TOK_REBUILT ? read_rebuilt_roles(f) : read_template(f));
        SNC_TRY(read_roles(f));
        bool anew = f->rule == SNC_TOK_REBUILT && cJSON_GetObjectItemCaseSensitive(f->config, "added_tokens_decoder");
        if (!anew) SNC_TRY(read_added(f, cJSON_GetObjectItemCaseSensitive(f->tokenizer, "added_tokens"), false));
        return read_special(f);
    }
    SNC_TRY(read_roles(f));
    if (!cJSON_AddNumberToObject(f->out, "max_chars", BERT_CHARS)) return no_memory();
    return read_special(f);
}

snc_err snc_wordpiece__read(snc_tok_assets *out, const snc_tok_folder *files)
{
    folder f = {.dir = files->dir, .tokenizer = files->tokenizer, .config = files->config, .special = files->special};
    snc_err err = SNC_OK;
    SNC_TRY(snc_arena_new(&f.arena));
    SNC_GOTO(read_folder(&f, files));
    SNC_GOTO(join_lines(&out->blob[SNC_WORDPIECE_VOCAB], &f));
    SNC_GOTO(snc_wordpiece__print(&out->blob[SNC_WORDPIECE_CONFIG], f.out));
out:
    cJSON_Delete(f.out);
    HASH_CLEAR(hh, f.known);
    snc_arena_free(f.arena);
    snc_free(f.lines);
    snc_free(f.vocab_txt);
    return err;
}
