/* Entries of flags become added tokens, names around texts become ids, and both stay right in a vocabulary that was cut. */
#include "tokenizer/special_priv.h"

#include <stdlib.h>
#include <string.h>

static const char WHERE[] = SNC_SPECIAL_WHERE;

snc_err snc_special__flags(snc_tok *t, const snc_tok_assets *a, int flags,
                           snc_err (*build)(snc_tok *t, const snc_tok_assets *a, const cJSON *flags))
{
    cJSON *j;
    SNC_TRY(snc_json_parse(&j, a->blob[flags].data, a->blob[flags].bytes, WHERE));
    snc_err err = build(t, a, j);
    cJSON_Delete(j);
    return err;
}

/* ---- added tokens ----------------------------------------------------------------------------------------------- */

/* A copy with readable bytes after it, as tables of pieces want. */
static snc_err copy_padded(char **out, snc_arena *a, const char *s, size_t n)
{
    SNC_TRY(snc_arena_alloc(out, a, n + SNC_NORM_PAD));
    memcpy(*out, s, n);
    return SNC_OK;
}

static snc_err added_list(const cJSON **list, const cJSON *flags)
{
    *list = cJSON_GetObjectItemCaseSensitive(flags, "added");
    SNC_CHECK(!*list || cJSON_IsArray(*list), SNC_E_FORMAT, "%s: 'added' must be a list", WHERE);
    return SNC_OK;
}

/* An entry with an "id" names a line of its own that is no piece of the model; that line or -1. */
static snc_err entry_line(const char **content, int *line, const cJSON *entry, int n)
{
    static const char *const keys[] = {"content", "id", "normalized", "single_word", "lstrip", "rstrip", NULL};
    SNC_TRY(snc_json_check_keys(entry, keys, WHERE));
    SNC_TRY(snc_json_str(content, entry, "content", NULL, WHERE));
    SNC_CHECK(*content, SNC_E_FORMAT, "%s: an entry of 'added' has no 'content'", WHERE);
    return snc_json_int(line, entry, "id", -1, 0, n - 1, WHERE);
}

static snc_err add_entry(const snc_special *s, snc_norm_buf *buf, const cJSON *entry)
{
    const char *content;
    char *copy;
    bool normalized;
    int id;
    snc_added tok = {.n = 0};
    SNC_TRY(entry_line(&content, &id, entry, s->t->ids));
    SNC_TRY(snc_json_bool(&normalized, entry, "normalized", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.single_word, entry, "single_word", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.lstrip, entry, "lstrip", false, WHERE));
    SNC_TRY(snc_json_bool(&tok.rstrip, entry, "rstrip", false, WHERE));
    size_t n = strlen(content);
    if (n == 0) return SNC_OK;
    SNC_CHECK(snc_utf8__valid((const unsigned char *)content, n) == n, SNC_E_FORMAT, "%s: an added token is not valid UTF-8", WHERE);
    SNC_TRY(copy_padded(&copy, s->t->arena, content, n));
    tok.id = id >= 0 ? id : s->find(s->t, copy, n);
    SNC_CHECK(tok.id >= 0, SNC_E_FORMAT, "%s: the added token '%.64s' is not in the vocabulary", WHERE, content);
    if (normalized) {
        SNC_TRY(s->normalize(buf, s->t, (const unsigned char *)content, n));
        n = buf->n;
        if (n == 0) return SNC_OK;
        SNC_TRY(copy_padded(&copy, s->t->arena, (const char *)buf->text, n));
    }
    tok.text = (const unsigned char *)copy;
    tok.n = n;
    return snc_added__add(normalized ? s->normalized : &s->t->raw, &tok);
}

snc_err snc_special__added(const snc_special *s)
{
    snc_norm_buf buf = {.text = NULL};
    const cJSON *list, *it;
    snc_err err = SNC_OK;
    SNC_TRY(added_list(&list, s->flags));
    cJSON_ArrayForEach(it, list) SNC_GOTO(add_entry(s, &buf, it));
    snc_added__sort(s->normalized);
out:
    snc_norm__buf_dispose(&buf);
    return err;
}

snc_err snc_special__apart(bool *apart, const cJSON *flags, int n)
{
    const cJSON *list, *it;
    const char *content;
    SNC_TRY(added_list(&list, flags));
    cJSON_ArrayForEach(it, list)
    {
        int line;
        SNC_TRY(entry_line(&content, &line, it, n));
        if (line >= 0) apart[line] = true;
    }
    return SNC_OK;
}

snc_err snc_special__insert(snc_wp *w, const cJSON *flags)
{
    bool *apart = NULL;
    SNC_TRY(snc_alloc(&apart, (size_t)w->n_lines, sizeof *apart));
    snc_err err = snc_special__apart(apart, flags, w->n_lines);
    for (int32_t id = 0; id < w->n_lines && !err; id++)
        if (!apart[id]) snc_wp__insert(w, id);
    snc_free(apart);
    return err;
}

/* ---- around texts ----------------------------------------------------------------------------------------------- */

snc_err snc_special__id(int32_t *id, const snc_special *s, const char *text, const char *key)
{
    const cJSON *it;
    char *copy;
    SNC_TRY(copy_padded(&copy, s->t->arena, text, strlen(text)));
    *id = s->find(s->t, copy, strlen(text));
    cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(s->flags, "added"))
    {
        const char *content = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(it, "content"));
        int line;
        if (*id >= 0 || !content || strcmp(content, text) != 0) continue;
        SNC_TRY(snc_json_int(&line, it, "id", -1, 0, s->t->ids - 1, WHERE));
        *id = line;
    }
    SNC_CHECK(*id >= 0, SNC_E_FORMAT, "%s: '%s' is '%.64s', which is not in the vocabulary", WHERE, key, text);
    return SNC_OK;
}

static snc_err read_ids(int32_t *ids, int *n, const snc_special *s, const cJSON *template, const char *key)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(template, key), *it;
    SNC_CHECK(!list || (cJSON_IsArray(list) && cJSON_GetArraySize(list) <= SNC_TOK_AROUND), SNC_E_FORMAT,
              "%s: 'template.%s' must be a list of at most %d", WHERE, key, SNC_TOK_AROUND);
    cJSON_ArrayForEach(it, list)
    {
        SNC_CHECK(cJSON_IsString(it), SNC_E_FORMAT, "%s: 'template.%s' must be a list of names", WHERE, key);
        SNC_TRY(snc_special__id(&ids[(*n)++], s, it->valuestring, key));
    }
    return SNC_OK;
}

snc_err snc_special__template(const snc_special *s)
{
    static const char *const keys[] = {"first", "between", "last", "second_type", "between_second", NULL};
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(s->flags, "template");
    snc_tok_template *to = &s->t->around;
    if (!t) return SNC_OK;
    SNC_CHECK(cJSON_IsObject(t), SNC_E_FORMAT, "%s: 'template' must be an object", WHERE);
    SNC_TRY(snc_json_check_keys(t, keys, WHERE));
    SNC_TRY(read_ids(to->first.id, &to->first.n, s, t, "first"));
    SNC_TRY(read_ids(to->between.id, &to->between.n, s, t, "between"));
    SNC_TRY(read_ids(to->last.id, &to->last.n, s, t, "last"));
    SNC_TRY(snc_json_int(&to->between_second, t, "between_second", 0, 0, to->between.n, WHERE));
    return snc_json_int(&to->second_type, t, "second_type", 0, 0, 1, WHERE);
}

/* ---- fewer pieces ----------------------------------------------------------------------------------------------- */

static snc_err renumber(const cJSON *flags, const bool *keep, int n)
{
    const cJSON *it;
    int *to = NULL, id;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&to, (size_t)n + 1, sizeof *to));
    for (int i = 0; i < n; i++) to[i + 1] = to[i] + keep[i];
    cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(flags, "added"))
    {
        cJSON *line = cJSON_GetObjectItemCaseSensitive(it, "id");
        if (!line || cJSON_IsNull(line)) continue;
        SNC_GOTO(snc_json_whole(&id, line, 0, n - 1, "id", WHERE));
        cJSON_SetNumberValue(line, to[id]);
    }
out:
    snc_free(to);
    return err;
}

int snc_special__lines(const snc_tok_blob *vocab, char last)
{
    size_t n = 0;
    for (size_t i = 0; i < vocab->bytes; i++) n += vocab->data[i] == last || i + 1 == vocab->bytes;
    return n < INT32_MAX ? (int)n : INT32_MAX;
}

size_t snc_special__keep_lines(char *to, int *lines, const snc_tok_blob *vocab, const bool *keep, int rows, char last)
{
    const char *end = vocab->data + vocab->bytes;
    size_t n = 0;
    int id = 0;
    *lines = 0;
    for (const char *p = vocab->data; p < end && id < rows; id++) {
        const char *found = memchr(p, last, (size_t)(end - p)), *e = found ? found : end;
        size_t bytes = (size_t)(e - p) + 1;
        if (keep[id]) {
            if (to) memcpy(to + n, p, bytes - 1), to[n + bytes - 1] = last;
            n += bytes;
            ++*lines;
        }
        p = e + 1;
    }
    return n;
}

snc_err snc_special__trim_lines(snc_tok_blob *out, const snc_tok_blob *vocab, const bool *keep, int n, char last)
{
    int lines, kept = 0;
    for (int i = 0; i < n; i++) kept += keep[i];
    size_t bytes = snc_special__keep_lines(NULL, &lines, vocab, keep, n, last);
    SNC_CHECK(lines == kept, SNC_E_SHAPE, "trim keeps %d pieces of a vocabulary that has %d of them", kept, lines);
    SNC_TRY(snc_alloc(&out->data, bytes + 1, 1));
    out->bytes = snc_special__keep_lines(out->data, &lines, vocab, keep, n, last);
    return SNC_OK;
}

/* Texts that flags name, borrowed from them. */
typedef struct names {
    const char **v; /* [n], sorted */
    size_t n;
} names;

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void add_name(names *out, const cJSON *name)
{
    if (cJSON_IsString(name)) out->v[out->n++] = name->valuestring;
}

static snc_err find_names(names *out, const cJSON *flags, const char *const *keys)
{
    const cJSON *added = cJSON_GetObjectItemCaseSensitive(flags, "added"), *template = cJSON_GetObjectItemCaseSensitive(flags, "template");
    const cJSON *alone = cJSON_GetObjectItemCaseSensitive(flags, "alone"), *it, *list;
    size_t most = (size_t)cJSON_GetArraySize(added) + (size_t)cJSON_GetArraySize(alone), roles = 0;
    while (keys[roles]) roles++;
    most += roles;
    cJSON_ArrayForEach(list, template) most += (size_t)cJSON_GetArraySize(list);
    SNC_TRY(snc_alloc(&out->v, most, sizeof *out->v));
    for (size_t i = 0; i < roles; i++) add_name(out, cJSON_GetObjectItemCaseSensitive(flags, keys[i]));
    cJSON_ArrayForEach(list, template) cJSON_ArrayForEach(it, list) add_name(out, it);
    cJSON_ArrayForEach(it, added) add_name(out, cJSON_GetObjectItemCaseSensitive(it, "content"));
    cJSON_ArrayForEach(it, alone) add_name(out, it);
    qsort(out->v, out->n, sizeof *out->v, by_text);
    return SNC_OK;
}

typedef struct piece {
    const char *p;
    size_t n;
} piece;

static int piece_to_name(const void *key, const void *name)
{
    const piece *k = key;
    const char *s = *(const char *const *)name;
    int order = strncmp(k->p, s, k->n);
    return order ? order : s[k->n] ? -1 : 0;
}

static bool is_named(const names *all, const char *p, size_t n)
{
    return all->n && bsearch(&(piece){p, n}, all->v, all->n, sizeof *all->v, piece_to_name) != NULL;
}

snc_err snc_special__mark(bool *keep, int n, const snc_tok_blob *vocab, char last, const cJSON *flags, const char *const *keys,
                          bool (*stays)(const char *p, size_t n))
{
    const char *end = vocab->data + vocab->bytes;
    names special = {.n = 0};
    int id = 0;
    SNC_TRY(find_names(&special, flags, keys));
    for (const char *p = vocab->data; p < end && id < n; id++) {
        const char *found = memchr(p, last, (size_t)(end - p)), *e = found ? found : end;
        if (stays(p, (size_t)(e - p)) || is_named(&special, p, (size_t)(e - p))) keep[id] = true;
        p = e + 1;
    }
    snc_free(special.v);
    return snc_special__apart(keep, flags, n);
}

snc_err snc_special__print(snc_tok_blob *out, const cJSON *flags)
{
    char *text = cJSON_PrintUnformatted(flags);
    SNC_CHECK(text, SNC_E_NOMEM, "out of memory while writing a tokenizer");
    out->bytes = strlen(text);
    snc_err err = snc_strndup(&out->data, text, out->bytes);
    cJSON_free(text);
    return err;
}

snc_err snc_special__trim_flags(snc_tok_blob *out, const snc_tok_blob *config, const bool *keep, int n)
{
    cJSON *flags = NULL;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    snc_err err = renumber(flags, keep, n);
    if (!err) err = snc_special__print(out, flags);
    cJSON_Delete(flags);
    return err;
}
