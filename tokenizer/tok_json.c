/* tokenizer.json and tokenizer_config.json of any kind. */
#include "tokenizer/tok_json_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "tokenizer/special_priv.h"
#include "tokenizer/unicode_priv.h"

static snc_err no_memory(void) { return snc_err_set(SNC_E_NOMEM, "out of memory while writing a tokenizer"); }

snc_err snc_tok_json__put(snc_tok_json *j, const char *key, cJSON *v)
{
    cJSON_DeleteItemFromObjectCaseSensitive(j->out, key);
    if (v && cJSON_AddItemToObject(j->out, key, v)) return SNC_OK;
    cJSON_Delete(v);
    return no_memory();
}

snc_err snc_tok_json__put_text(snc_tok_json *j, const char *key, const char *json) { return snc_tok_json__put(j, key, cJSON_Parse(json)); }

bool snc_tok_json__is(const snc_tok_json *j, const char *key, bool absent)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j->flags, key);
    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : absent;
}

const char *snc_tok_json__text(const snc_tok_json *j, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j->flags, key));
}

cJSON *snc_tok_json__vocab(const snc_tok_json *j)
{
    cJSON *v = cJSON_CreateObject();
    for (int i = 0; v && i < j->n; i++) {
        if (j->apart[i] || !j->line[i][0] || cJSON_AddNumberToObject(v, j->line[i], i)) continue;
        cJSON_Delete(v);
        v = NULL;
    }
    return v;
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

/* What is no UTF-8 is no text here and has no line. */
static snc_err read_lines(snc_tok_json *j)
{
    const snc_tok_blob *b = snc_tok_blob_view(j->a, "vocab");
    const char last = j->a->kind->line_end;
    int at = 0;
    j->n = snc_special__lines(b, last);
    SNC_TRY(snc_arena_alloc(&j->line, j->arena, ((size_t)j->n + 1) * sizeof *j->line));
    SNC_TRY(snc_arena_alloc(&j->apart, j->arena, (size_t)j->n + 1));
    for (const char *p = b->data, *end = p + b->bytes; p < end && at < j->n; at++) {
        const char *found = memchr(p, last, (size_t)(end - p)), *e = found ? found : end;
        char *copy;
        bool valid = snc_utf8__valid((const unsigned char *)p, (size_t)(e - p)) == (size_t)(e - p);
        SNC_TRY(snc_arena_strndup(&copy, j->arena, valid ? p : "", valid ? (size_t)(e - p) : 0));
        j->line[at] = copy;
        p = e + 1;
    }
    return snc_special__apart(j->apart, j->flags, j->n);
}

static int id_of(const snc_tok_json *j, const char *text)
{
    int i = j->n - 1;
    while (i >= 0 && strcmp(j->line[i], text) != 0) i--;
    return i;
}

/* ---- added tokens and the template -------------------------------------------------------------------------------- */

static snc_err put_added(snc_tok_json *j)
{
    static const char *const keys[] = {"single_word", "lstrip", "rstrip", "normalized"};
    const cJSON *it;
    cJSON *list = cJSON_CreateArray();
    cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(j->flags, "added"))
    {
        const char *content = snc_json_text(it, "content");
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(it, "id");
        cJSON *token = cJSON_CreateObject();
        bool special = !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(it, "normalized"));
        bool ok = content && token && cJSON_AddNumberToObject(token, "id", cJSON_IsNumber(id) ? id->valuedouble : id_of(j, content)) &&
                  cJSON_AddStringToObject(token, "content", content) && cJSON_AddBoolToObject(token, "special", special);
        for (int k = 0; ok && k < 4; k++)
            ok = cJSON_AddBoolToObject(token, keys[k], cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(it, keys[k])));
        if (ok && list && cJSON_AddItemToArray(list, token)) continue;
        cJSON_Delete(token);
        cJSON_Delete(list);
        return no_memory();
    }
    return snc_tok_json__put(j, "added_tokens", list);
}

/* Special tokens around texts, or the texts A and B themselves. */
typedef struct around {
    cJSON *post, *single, *pair, *tokens;
    bool ok;
} around;

static void add_part(around *t, cJSON *to, const char *kind, const char *name, int type)
{
    cJSON *part = cJSON_CreateObject(), *inner = part ? cJSON_AddObjectToObject(part, kind) : NULL;
    t->ok = t->ok && inner && cJSON_AddStringToObject(inner, "id", name) && cJSON_AddNumberToObject(inner, "type_id", type);
    if (!part || !cJSON_AddItemToArray(to, part)) cJSON_Delete(part), t->ok = false;
}

static void add_token(around *t, const snc_tok_json *j, cJSON *to, const char *name, int type)
{
    add_part(t, to, "SpecialToken", name, type);
    if (cJSON_GetObjectItemCaseSensitive(t->tokens, name)) return;
    const int id = id_of(j, name);
    cJSON *token = cJSON_AddObjectToObject(t->tokens, name), *ids = cJSON_CreateIntArray(&id, 1);
    cJSON *names = cJSON_CreateStringArray(&name, 1);
    t->ok = t->ok && token && cJSON_AddStringToObject(token, "id", name);
    if (!ids || !cJSON_AddItemToObject(token, "ids", ids)) cJSON_Delete(ids), t->ok = false;
    if (!names || !cJSON_AddItemToObject(token, "tokens", names)) cJSON_Delete(names), t->ok = false;
}

static void add_list(around *t, const snc_tok_json *j, cJSON *to, const cJSON *names, int type, int other, int of_other)
{
    int left = cJSON_GetArraySize(names);
    const cJSON *it;
    cJSON_ArrayForEach(it, names) add_token(t, j, to, it->valuestring, left-- <= of_other ? other : type);
}

/* Of "template", or of WordPiece's own flags. */
static snc_err put_template(snc_tok_json *j)
{
    around t = {.post = cJSON_CreateObject(), .ok = true};
    const cJSON *of = cJSON_GetObjectItemCaseSensitive(j->flags, "template");
    const cJSON *first = cJSON_GetObjectItemCaseSensitive(of, "first"), *last = cJSON_GetObjectItemCaseSensitive(of, "last");
    const cJSON *between = cJSON_GetObjectItemCaseSensitive(of, "between");
    int second = 0, behind = 0;
    if (!of) return cJSON_Delete(t.post), SNC_OK;
    SNC_TRY(snc_json_int(&second, of, "second_type", 0, 0, 1, "template"));
    SNC_TRY(snc_json_int(&behind, of, "between_second", 0, 0, SNC_TOK_AROUND, "template"));
    t.ok = t.post && cJSON_AddStringToObject(t.post, "type", "TemplateProcessing");
    t.single = cJSON_AddArrayToObject(t.post, "single");
    t.pair = cJSON_AddArrayToObject(t.post, "pair");
    t.tokens = cJSON_AddObjectToObject(t.post, "special_tokens");
    t.ok = t.ok && t.single && t.pair && t.tokens;
    if (t.ok) {
        add_list(&t, j, t.single, first, 0, 0, 0);
        add_part(&t, t.single, "Sequence", "A", 0);
        add_list(&t, j, t.single, last, 0, 0, 0);
        add_list(&t, j, t.pair, first, 0, 0, 0);
        add_part(&t, t.pair, "Sequence", "A", 0);
        add_list(&t, j, t.pair, between, 0, second, behind);
        add_part(&t, t.pair, "Sequence", "B", second);
        add_list(&t, j, t.pair, last, second, 0, 0);
    }
    if (t.ok) return snc_tok_json__put(j, "post_processor", t.post);
    cJSON_Delete(t.post);
    return no_memory();
}

/* ---- tokenizer_config.json ---------------------------------------------------------------------------------------- */

static bool is_added(const snc_tok_json *j, const char *text)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(j->flags, "added"))
    {
        const char *content = snc_json_text(it, "content");
        if (content && strcmp(content, text) == 0) return true;
    }
    return false;
}

/* The first of these that is in the vocabulary. */
static const char *known(const snc_tok_json *j, const char *said, const char *a, const char *b)
{
    const char *const names[] = {said, a, b};
    for (int i = 0; i < 3; i++)
        if (names[i] && id_of(j, names[i]) >= 0) return names[i];
    return NULL;
}

static bool put_role(cJSON *c, const snc_tok_json *j, const char *role, const char *text, bool always)
{
    return !text || (!always && !is_added(j, text)) || cJSON_AddStringToObject(c, role, text);
}

/* The class is the one that takes tokenizer.json as it stands. Who pads needs a token for it; others are named where they are added
 * tokens: naming makes them such. */
static cJSON *config_of(const snc_tok_json *j, int max_length, bool types)
{
    static const char *const inputs[] = {"input_ids", "attention_mask", "token_type_ids"};
    const cJSON *of = cJSON_GetObjectItemCaseSensitive(j->flags, "template");
    const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(of, "first"), 0));
    const char *last = cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(of, "last"), 0));
    const char *said = snc_tok_json__text(j, "pad"), *unk = snc_tok_json__text(j, "unk"), *mask = snc_tok_json__text(j, "mask");
    cJSON *c = cJSON_CreateObject(), *list = cJSON_CreateStringArray(inputs, types ? 3 : 2);
    bool ok = c && list && cJSON_AddStringToObject(c, "tokenizer_class", "PreTrainedTokenizerFast") &&
              cJSON_AddNumberToObject(c, "model_max_length", max_length) && cJSON_AddStringToObject(c, "padding_side", "right") &&
              cJSON_AddStringToObject(c, "truncation_side", "right") && cJSON_AddFalseToObject(c, "clean_up_tokenization_spaces") &&
              put_role(c, j, "cls_token", first, false) && put_role(c, j, "sep_token", last, false) &&
              put_role(c, j, "unk_token", known(j, unk, "[UNK]", "<unk>"), false) &&
              put_role(c, j, "mask_token", known(j, mask, "[MASK]", "<mask>"), false) &&
              put_role(c, j, "pad_token", known(j, said, "[PAD]", "<pad>"), true);
    if (ok && cJSON_AddItemToObject(c, "model_input_names", list)) return c;
    cJSON_Delete(list);
    cJSON_Delete(c);
    return NULL;
}

int snc_tok_pad(const snc_tok_assets *a)
{
    snc_tok_json j = {.a = a};
    int id = -1;
    if (!a->kind || snc_arena_new(&j.arena) != SNC_OK) return -1;
    const snc_tok_blob *config = snc_tok_blob_view(a, "config");
    j.flags = cJSON_Parse(config->data);
    const char *pad = read_lines(&j) == SNC_OK ? known(&j, snc_tok_json__text(&j, "pad"), "[PAD]", "<pad>") : NULL;
    if (pad) id = id_of(&j, pad);
    cJSON_Delete(j.flags);
    snc_arena_free(j.arena);
    return id;
}

/* ---- the folder --------------------------------------------------------------------------------------------------- */

static snc_err build(snc_tok_json *j)
{
    const snc_tok_blob *config = snc_tok_blob_view(j->a, "config");
    SNC_TRY(snc_json_parse(&j->flags, config->data, config->bytes, SNC_SPECIAL_WHERE));
    SNC_TRY(snc_arena_new(&j->arena));
    SNC_TRY(read_lines(j));
    j->out = cJSON_Parse("{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[],\"normalizer\":null,"
                         "\"pre_tokenizer\":null,\"post_processor\":null,\"decoder\":null,\"model\":null}");
    if (!j->out) return no_memory();
    SNC_TRY(j->a->kind->json(j));
    SNC_TRY(put_added(j));
    return put_template(j);
}

static snc_err save(const cJSON *v, const char *dir, const char *name)
{
    char path[4096];
    SNC_TRY(snc_path_join(path, sizeof path, dir, name));
    return snc_json_save(v, path);
}

snc_err snc_tok_assets_save(const char *dir, const snc_tok_assets *a, int max_length, bool types)
{
    snc_err err = SNC_OK;
    snc_tok_json j = {.a = a};
    cJSON *config = NULL;
    SNC_GOTO(build(&j));
    config = config_of(&j, max_length, types);
    if (!config) SNC_GOTO(no_memory());
    SNC_GOTO(save(j.out, dir, "tokenizer.json"));
    SNC_GOTO(save(config, dir, "tokenizer_config.json"));
out:
    cJSON_Delete(config);
    cJSON_Delete(j.flags);
    cJSON_Delete(j.out);
    snc_arena_free(j.arena);
    return err;
}
