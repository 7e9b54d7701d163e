/* Pieces, added and special tokens and the template, from files that may disagree. */
#include "tokenizer/intake_priv.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM         1
#define uthash_nonfatal_oom(item) (lost = true)
#include <uthash.h>

#include "base/fmap.h"

/* A text that is a piece of the model, an added token, or both. */
typedef struct snc_intake_known {
    const char *text;
    bool piece;
    int32_t id;   /* of the piece */
    cJSON *entry; /* of `added`; NULL: none */
    UT_hash_handle hh;
} known;

snc_err snc_intake__no_memory(void) { return snc_err_set(SNC_E_NOMEM, "out of memory while reading a tokenizer"); }

snc_err snc_intake__init(snc_intake *r, const snc_tok_folder *files, const snc_tok_role *roles, int n_roles)
{
    *r = (snc_intake){.files = files, .roles = roles, .n_roles = n_roles};
    SNC_TRY(snc_arena_new(&r->arena));
    r->out = cJSON_CreateObject();
    r->added = r->out ? cJSON_AddArrayToObject(r->out, "added") : NULL;
    return r->added ? SNC_OK : snc_intake__no_memory();
}

void snc_intake__dispose(snc_intake *r)
{
    cJSON_Delete(r->out);
    HASH_CLEAR(hh, r->known);
    snc_arena_free(r->arena);
    snc_free(r->lines);
    snc_free(r->text);
}

snc_err snc_intake__file(snc_intake *r, const char *name) { return snc_path_join(r->where, sizeof r->where, r->files->dir, name); }

static known *find_known(const snc_intake *r, const char *text)
{
    known *k = NULL;
    HASH_FIND_STR(r->known, text, k);
    return k;
}

/* The text's record, made when there is none; `text` lives as long as the folder. */
static snc_err get_known(known **out, snc_intake *r, const char *text)
{
    bool lost = false;
    known *k = find_known(r, text);
    if (!k) {
        SNC_TRY(snc_arena_alloc(&k, r->arena, sizeof *k));
        k->text = text;
        HASH_ADD_KEYPTR(hh, r->known, k->text, strlen(k->text), k);
        if (lost) return snc_intake__no_memory();
    }
    *out = k;
    return SNC_OK;
}

/* ---- the vocabulary --------------------------------------------------------------------------------------------- */

snc_err snc_intake__piece(snc_intake *r, double id, const char *text)
{
    SNC_CHECK(id >= 0 && id < SNC_INTAKE_MAX_ID && id == (double)(int)id, SNC_E_FORMAT,
              "%s: '%.64s' has the id %g: expected a whole number below %d", r->where, text, id, SNC_INTAKE_MAX_ID);
    size_t i = (size_t)id;
    SNC_TRY(snc_grow(&r->lines, &r->lines_cap, i + 1, sizeof *r->lines));
    r->lines[i] = text;
    if (i >= r->n_lines) r->n_lines = i + 1;
    return SNC_OK;
}

snc_err snc_intake__pieces(snc_intake *r, const cJSON *vocab)
{
    const cJSON *it;
    SNC_CHECK(cJSON_IsObject(vocab), SNC_E_FORMAT, "%s: 'model.vocab' must be an object of piece: id", r->where);
    cJSON_ArrayForEach(it, vocab)
    {
        SNC_CHECK(cJSON_IsNumber(it), SNC_E_FORMAT, "%s: the id of '%.64s' must be a number", r->where, it->string);
        SNC_TRY(snc_intake__piece(r, it->valuedouble, it->string));
    }
    return SNC_OK;
}

snc_err snc_intake__text(snc_intake *r)
{
    size_t n;
    SNC_TRY(snc_file_read(&r->text, &n, r->where));
    SNC_CHECK(!memchr(r->text, 0, n), SNC_E_FORMAT, "%s: holds a NUL byte, expected text", r->where);
    for (char *p = r->text, *end = p + n; p < end;) {
        char *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf) lf = end;
        *lf = 0;
        if (lf > p && lf[-1] == '\r') lf[-1] = 0;
        SNC_TRY(snc_intake__piece(r, (double)r->n_lines, p));
        p = lf + 1;
    }
    return SNC_OK;
}

snc_err snc_intake__end(snc_intake *r)
{
    SNC_CHECK(r->n_lines > 0, SNC_E_FORMAT, "%s: the vocabulary is empty", r->where);
    r->n_pieces = r->n_lines;
    for (size_t i = 0; i < r->n_pieces; i++) {
        known *k;
        if (!r->lines[i]) continue;
        SNC_TRY(get_known(&k, r, r->lines[i]));
        k->piece = true;
        k->id = (int32_t)i;
    }
    return SNC_OK;
}

bool snc_intake__is_piece(const snc_intake *r, const char *text)
{
    const known *k = find_known(r, text);
    return k && k->piece;
}

int32_t snc_intake__id(const snc_intake *r, const char *text)
{
    const known *k = find_known(r, text);
    return k && k->piece ? k->id : -1;
}

snc_err snc_intake__lines(snc_tok_blob *out, const snc_intake *r)
{
    size_t bytes = 0;
    for (size_t i = 0; i < r->n_lines; i++) bytes += (r->lines[i] ? strlen(r->lines[i]) : 0) + 1;
    SNC_TRY(snc_alloc(&out->data, bytes + 1, 1));
    for (size_t i = 0; i < r->n_lines; i++) {
        size_t n = r->lines[i] && !strchr(r->lines[i], '\n') ? strlen(r->lines[i]) : 0;
        if (n) memcpy(out->data + out->bytes, r->lines[i], n);
        out->bytes += n;
        out->data[out->bytes++] = '\n';
    }
    return SNC_OK;
}

/* ---- special and added tokens ----------------------------------------------------------------------------------- */

snc_err snc_intake__str(snc_intake *r, const char *key, const char *v)
{
    cJSON_DeleteItemFromObjectCaseSensitive(r->out, key);
    return cJSON_AddStringToObject(r->out, key, v) ? SNC_OK : snc_intake__no_memory();
}

const char *snc_intake__content(const cJSON *v)
{
    if (cJSON_IsString(v)) return v->valuestring;
    v = cJSON_GetObjectItemCaseSensitive(v, "content");
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

static const cJSON *decoder_of(const snc_intake *r) { return cJSON_GetObjectItemCaseSensitive(r->files->config, "added_tokens_decoder"); }

/* Of old folders the map's word holds. */
static const cJSON *named(const snc_intake *r, const char *name)
{
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(r->files->config, name);
    const cJSON *special = cJSON_GetObjectItemCaseSensitive(r->files->special, name);
    if (decoder_of(r)) return snc_intake__content(config) ? config : special;
    return snc_intake__content(special) ? special : config;
}

const cJSON *snc_intake__role(const snc_intake *r, int i) { return named(r, r->roles[i].name); }

snc_err snc_intake__roles(snc_intake *r)
{
    for (int i = 0; i < r->n_roles; i++) {
        const char *text = snc_intake__content(snc_intake__role(r, i));
        if (!text) text = r->roles[i].def;
        if (!text || cJSON_GetObjectItemCaseSensitive(r->out, r->roles[i].key)) continue;
        SNC_TRY(snc_intake__str(r, r->roles[i].key, text));
    }
    return SNC_OK;
}

static bool is_added(const snc_intake *r, const char *text)
{
    const known *k = find_known(r, text);
    return k && k->entry;
}

/* A new entry of `added`. A token that is no piece of the model gets a line: `id`, or the next one. */
static snc_err new_entry(known *k, snc_intake *r, const char *content, double id)
{
    cJSON *entry = cJSON_CreateObject();
    if (!entry || !cJSON_AddItemToArray(r->added, entry)) {
        cJSON_Delete(entry);
        return snc_intake__no_memory();
    }
    k->entry = entry;
    if (!cJSON_AddStringToObject(entry, "content", content)) return snc_intake__no_memory();
    if (k->piece) return SNC_OK;
    if (id < (double)r->n_pieces) id = (double)r->n_lines;
    SNC_TRY(snc_intake__piece(r, id, cJSON_GetObjectItemCaseSensitive(entry, "content")->valuestring));
    return cJSON_AddNumberToObject(entry, "id", id) ? SNC_OK : snc_intake__no_memory();
}

/* One entry of `added`; flags from `from` when it is an object. A token that is named twice keeps its line, and the later flags hold. */
static snc_err add_token(snc_intake *r, const char *content, const cJSON *from, double id, bool normalized)
{
    static const char *const flags[] = {"normalized", "single_word", "lstrip", "rstrip", NULL};
    known *k;
    if (content[0] == 0) return SNC_OK;
    SNC_TRY(get_known(&k, r, content));
    if (!k->entry) SNC_TRY(new_entry(k, r, content, id));
    for (int i = 0; flags[i]; i++) {
        bool v;
        SNC_TRY(snc_json_bool(&v, cJSON_IsObject(from) ? from : NULL, flags[i], i == 0 && normalized, r->where));
        cJSON_DeleteItemFromObjectCaseSensitive(k->entry, flags[i]);
        if (!cJSON_AddBoolToObject(k->entry, flags[i], v)) return snc_intake__no_memory();
    }
    return SNC_OK;
}

snc_err snc_intake__added(snc_intake *r, const cJSON *list, bool ids_are_keys)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, list)
    {
        const char *text = snc_intake__content(it);
        double id = -1;
        bool special;
        SNC_CHECK(text && cJSON_IsObject(it), SNC_E_FORMAT, "%s: an added token has no 'content'", r->where);
        SNC_TRY(snc_json_bool(&special, it, "special", false, r->where));
        if (ids_are_keys) {
            size_t digits = it->string ? strspn(it->string, "0123456789") : 0;
            SNC_CHECK(digits > 0 && digits < 10 && it->string[digits] == 0, SNC_E_FORMAT, "%s: added_tokens_decoder: '%.64s' is not an id",
                      r->where, it->string ? it->string : "");
            id = strtod(it->string, NULL);
        } else {
            SNC_TRY(snc_json_double(&id, it, "id", -1, 0, SNC_INTAKE_MAX_ID, r->where));
        }
        SNC_TRY(add_token(r, text, it, id, !special));
    }
    return SNC_OK;
}

static const char *const special_lists[] = {"additional_special_tokens", "extra_special_tokens", NULL};

/* Whether a role or a list of tokenizer_config.json is this text. */
static bool is_special(const snc_intake *r, const char *text)
{
    static const char *const keys[] = {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token", NULL};
    const cJSON *it;
    for (int i = 0; keys[i]; i++) {
        const char *content = snc_intake__content(named(r, keys[i]));
        if (content && strcmp(content, text) == 0) return true;
    }
    for (int i = 0; special_lists[i]; i++) cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(r->files->config, special_lists[i]))
        {
            const char *content = snc_intake__content(it);
            if (content && strcmp(content, text) == 0) return true;
        }
    return false;
}

static int by_number(const void *a, const void *b)
{
    double x = (*(const cJSON *const *)a)->valuedouble, y = (*(const cJSON *const *)b)->valuedouble;
    return (x > y) - (x < y);
}

/* Ids of the file are an order: who is no piece gets the next number. */
snc_err snc_intake__legacy(snc_intake *r)
{
    const cJSON **all = NULL, *it;
    size_t n = 0;
    snc_err err = SNC_OK;
    if (decoder_of(r)) return SNC_OK;
    SNC_TRY(snc_intake__file(r, "added_tokens.json"));
    SNC_TRY(snc_alloc(&all, (size_t)cJSON_GetArraySize(r->files->added) + 1, sizeof *all));
    cJSON_ArrayForEach(it, r->files->added)
    {
        if (!cJSON_IsNumber(it)) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "%s: the id of '%.64s' must be a number", r->where, it->string));
        all[n++] = it;
    }
    if (n > 1) qsort(all, n, sizeof *all, by_number);
    for (size_t i = 0; i < n; i++)
        if (!is_added(r, all[i]->string)) SNC_GOTO(add_token(r, all[i]->string, NULL, -1, !is_special(r, all[i]->string)));
out:
    snc_free(all);
    return err;
}

snc_err snc_intake__special(snc_intake *r, bool defaults)
{
    SNC_TRY(snc_intake__legacy(r));
    SNC_TRY(snc_intake__file(r, "tokenizer_config.json"));
    SNC_TRY(snc_intake__added(r, decoder_of(r), true));
    for (int i = 0; i < r->n_roles; i++) {
        const char *text = snc_intake__content(snc_intake__role(r, i));
        if (!text && defaults) text = r->roles[i].def;
        if (!text || is_added(r, text) || !snc_intake__is_piece(r, text)) continue;
        SNC_TRY(add_token(r, text, snc_intake__role(r, i), -1, false));
    }
    for (int i = 0; special_lists[i]; i++) {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(r->files->config, special_lists[i]), *it;
        if (!cJSON_IsArray(list) && (i > 0 || !r->own_tokens)) list = cJSON_GetObjectItemCaseSensitive(r->files->special, special_lists[i]);
        cJSON_ArrayForEach(it, list)
        {
            const char *text = snc_intake__content(it);
            if (text && !is_added(r, text)) SNC_TRY(add_token(r, text, it, -1, false));
        }
    }
    return SNC_OK;
}

/* ---- the template ----------------------------------------------------------------------------------------------- */

static bool put_name(const char **names, int *n, const char *name)
{
    if (!name || *n == SNC_INTAKE_AROUND) return false;
    names[(*n)++] = name;
    return true;
}

/* A part of a template: the name of a special token, or of A or B with *sequence; NULL: neither. */
static const char *part_of(bool *sequence, int *type, const cJSON *item)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(item, "SpecialToken"), *a = cJSON_GetObjectItemCaseSensitive(item, "Sequence");
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(a ? a : s, "type_id");
    *sequence = a;
    *type = cJSON_IsNumber(t) && (t->valuedouble == 0 || t->valuedouble == 1) ? t->valuedouble == 1 : -1;
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(a ? a : s, "id"));
}

/* first A last, or first A between B last: everything up to B of type 0, but for what stands right before B and is of its type. */
static bool read_parts(snc_tok_names *out, const cJSON *list, bool pair)
{
    int seen = 0;
    const cJSON *it;
    *out = (snc_tok_names){.second_type = 0};
    cJSON_ArrayForEach(it, list)
    {
        bool sequence, ok;
        int type;
        const char *name = part_of(&sequence, &type, it);
        if (!name || type < 0) return false;
        if (sequence) {
            if (seen == (pair ? 2 : 1) || strcmp(name, seen ? "B" : "A") != 0) return false;
            if (seen++) out->second_type = type;
        }
        bool between = pair && seen == 1 && !sequence, second = pair && seen == 2;
        if (!between && type != (second ? out->second_type : 0)) return false;
        if (between && type == 0 && out->between_second) return false;
        if (between) out->between_second += type;
        if (sequence) continue;
        if (seen == 0) ok = put_name(out->first.name, &out->first.n, name);
        else if (pair && seen == 1) ok = put_name(out->between.name, &out->between.n, name);
        else ok = put_name(out->last.name, &out->last.n, name);
        if (!ok) return false;
    }
    return seen == (pair ? 2 : 1) && (out->second_type || !out->between_second);
}

static bool same_names(const char *const *a, int na, const char *const *b, int nb)
{
    bool same = na == nb;
    for (int i = 0; same && i < na; i++) same = strcmp(a[i], b[i]) == 0;
    return same;
}

static bool read_lists(snc_tok_names *out, const cJSON *post)
{
    snc_tok_names one;
    return read_parts(&one, cJSON_GetObjectItemCaseSensitive(post, "single"), false) &&
           read_parts(out, cJSON_GetObjectItemCaseSensitive(post, "pair"), true) &&
           same_names(one.first.name, one.first.n, out->first.name, out->first.n) &&
           same_names(one.last.name, one.last.n, out->last.name, out->last.n);
}

/* Ids that the file gives are those of its vocabulary: they are what the library uses, names are what is kept here. */
static snc_err check_id(const snc_intake *r, const char *name, const cJSON *id)
{
    int i = cJSON_IsNumber(id) && id->valuedouble >= 0 && id->valuedouble < (double)r->n_lines ? (int)id->valuedouble : -1;
    SNC_CHECK(!id || (i >= 0 && r->lines[i] && strcmp(r->lines[i], name) == 0), SNC_E_FORMAT,
              "%s: post_processor: '%.64s' is not the token of the id that is given for it", r->where, name);
    return SNC_OK;
}

static snc_err check_ids(const snc_intake *r, const cJSON *post)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(post, "special_tokens"), *it;
    cJSON_ArrayForEach(it, all)
    {
        const cJSON *ids = cJSON_GetObjectItemCaseSensitive(it, "ids");
        SNC_CHECK(cJSON_GetArraySize(ids) == 1 && it->string, SNC_E_UNSUPPORTED, "%s: post_processor: '%.64s' is not of one id", r->where,
                  it->string ? it->string : "");
        SNC_TRY(check_id(r, it->string, cJSON_GetArrayItem(ids, 0)));
    }
    return SNC_OK;
}

/* Of RobertaProcessing and BertProcessing: post[key] = ["</s>", 2]. */
static snc_err pair_of(const char **name, const snc_intake *r, const cJSON *post, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(post, key);
    *name = cJSON_GetStringValue(cJSON_GetArrayItem(v, 0));
    SNC_CHECK(*name, SNC_E_FORMAT, "%s: post_processor: '%s' must be a list of a token and its id", r->where, key);
    return check_id(r, *name, cJSON_GetArrayItem(v, 1));
}

/* The one part of a Sequence that is not about offsets; a post-processor that is none stands for itself. *many: there are several. */
static const cJSON *part_of_sequence(const cJSON *post, bool *many)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(post, "processors"), *it, *found = NULL;
    int n = 0;
    *many = false;
    if (!cJSON_IsArray(all)) return post;
    cJSON_ArrayForEach(it, all)
    {
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(it, "type"));
        if (type && strcmp(type, "ByteLevel") == 0) continue;
        found = it;
        n++;
    }
    *many = n > 1;
    return found;
}

snc_err snc_intake__template(snc_tok_names *out, bool *found, const snc_intake *r)
{
    bool many, ok = false;
    const cJSON *post = part_of_sequence(cJSON_GetObjectItemCaseSensitive(r->files->tokenizer, "post_processor"), &many);
    const char *type, *cls, *sep;
    SNC_TRY(snc_tok__type(&type, post, "post_processor", r->where));
    *found = type && strcmp(type, "ByteLevel") != 0;
    *out = (snc_tok_names){.second_type = 1};
    if (!*found) return SNC_OK;
    bool roberta = strcmp(type, "RobertaProcessing") == 0;
    if (roberta || strcmp(type, "BertProcessing") == 0) {
        SNC_TRY(pair_of(&cls, r, post, "cls"));
        SNC_TRY(pair_of(&sep, r, post, "sep"));
        *out = (snc_tok_names){.first = {{cls}, 1}, .between = {{sep, sep}, roberta ? 2 : 1}, .last = {{sep}, 1}, .second_type = !roberta};
        ok = true;
    } else if (strcmp(type, "TemplateProcessing") == 0) {
        ok = read_lists(out, post);
        if (ok) SNC_TRY(check_ids(r, post));
    }
    SNC_CHECK(ok && !many, SNC_E_UNSUPPORTED,
              "%s: post_processor '%.64s' is not special tokens around A, and around A and B, with types 0 and 1, or 0 alone", r->where,
              many ? "Sequence" : type);
    return SNC_OK;
}

static bool add_names(cJSON *to, const char *key, const char *const *names, int n)
{
    cJSON *list = cJSON_CreateStringArray(names, n);
    return list && cJSON_AddItemToObject(to, key, list);
}

snc_err snc_intake__put_template(snc_intake *r, const snc_tok_names *names)
{
    cJSON *t = cJSON_AddObjectToObject(r->out, "template");
    bool ok = t && add_names(t, "first", names->first.name, names->first.n) &&
              add_names(t, "between", names->between.name, names->between.n) && add_names(t, "last", names->last.name, names->last.n) &&
              cJSON_AddNumberToObject(t, "second_type", names->second_type) &&
              (!names->between_second || cJSON_AddNumberToObject(t, "between_second", names->between_second));
    return ok ? SNC_OK : snc_intake__no_memory();
}
