#include "models/trim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- which pieces --------------------------------------------------------------------------------------------------- */

static const char *line_end(const char *p, const char *end)
{
    const char *nl = memchr(p, '\n', (size_t)(end - p));
    return nl ? nl : end;
}

static size_t utf8_bytes(unsigned char first) { return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

static bool one_character(const char *p, size_t n)
{
    if (n > 2 && p[0] == '#' && p[1] == '#') p += 2, n -= 2;
    return n > 0 && n == utf8_bytes((unsigned char)*p);
}

/* Pieces that the flags name: unk, cls, sep, pad, mask, and the added tokens; sorted. */
typedef struct names {
    const char **v;
    size_t n;
} names;

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void add_name(names *out, const cJSON *name)
{
    if (cJSON_IsString(name)) out->v[out->n++] = name->valuestring;
}

static snc_err names_of(names *out, const cJSON *flags)
{
    static const char *const keys[] = {"unk", "cls", "sep", "pad", "mask"};
    enum { ROLES = sizeof keys / sizeof *keys };
    const cJSON *added = cJSON_GetObjectItemCaseSensitive(flags, "added"), *it;
    SNC_TRY(snc_alloc(&out->v, (size_t)cJSON_GetArraySize(added) + ROLES, sizeof *out->v));
    for (size_t i = 0; i < ROLES; i++) add_name(out, cJSON_GetObjectItemCaseSensitive(flags, keys[i]));
    cJSON_ArrayForEach(it, added) add_name(out, cJSON_GetObjectItemCaseSensitive(it, "content"));
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

static bool named(const names *all, const char *p, size_t n)
{
    return bsearch(&(piece){p, n}, all->v, all->n, sizeof *all->v, piece_to_name) != NULL;
}

static void keep(snc_trim *t, int64_t id)
{
    if (id < 0 || id >= t->rows || t->keep[id]) return;
    t->keep[id] = true;
    t->kept++;
}

snc_err snc_trim_new(snc_trim *out, const snc_tok_assets *a, int V)
{
    snc_err err = SNC_OK;
    cJSON *flags = NULL;
    const cJSON *it;
    names special = {0};
    *out = (snc_trim){.rows = V};
    SNC_CHECK(a->vocab && a->config, SNC_E_SHAPE, "no vocabulary to trim: the model has no tokenizer");
    const char *end = a->vocab + a->vocab_bytes;
    SNC_GOTO(snc_json_parse(&flags, a->config, strlen(a->config), "tokenizer.config"));
    SNC_GOTO(names_of(&special, flags));
    SNC_GOTO(snc_alloc(&out->keep, (size_t)V, sizeof *out->keep));
    int id = 0;
    for (const char *p = a->vocab; p < end && id < V; id++) {
        const char *e = line_end(p, end);
        if (one_character(p, (size_t)(e - p)) || named(&special, p, (size_t)(e - p))) keep(out, id);
        p = e + 1;
    }
    cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(flags, "added"))
    {
        int line;
        SNC_GOTO(snc_json_int(&line, it, "id", -1, 0, V - 1, "tokenizer.config"));
        keep(out, line);
    }
out:
    snc_free(special.v);
    cJSON_Delete(flags);
    if (err) snc_trim_dispose(out);
    return err;
}

void snc_trim_dispose(snc_trim *t)
{
    snc_free(t->keep);
    *t = (snc_trim){0};
}

void snc_trim_see(snc_trim *t, const int32_t *ids, int64_t n)
{
    for (int64_t i = 0; i < n; i++) keep(t, ids[i]);
}

int64_t snc_trim_lost(const snc_trim *t, const int32_t *ids, int64_t n)
{
    int64_t lost = 0;
    for (int64_t i = 0; i < n; i++) lost += ids[i] >= t->rows || !t->keep[ids[i]];
    return lost;
}

/* ---- the tokenizer's texts ------------------------------------------------------------------------------------------ */

/* Copies kept lines to `to` (NULL: counts); rows beyond the last line are padding and end with it. */
static size_t copy_lines(char *to, int *lines, const snc_trim *t, const snc_tok_assets *a)
{
    const char *end = a->vocab + a->vocab_bytes;
    size_t n = 0;
    int id = 0;
    *lines = 0;
    for (const char *p = a->vocab; p < end && id < t->rows; id++) {
        const char *e = line_end(p, end);
        size_t bytes = (size_t)(e - p) + 1;
        if (t->keep[id]) {
            if (to) memcpy(to + n, p, bytes - 1), to[n + bytes - 1] = '\n';
            n += bytes;
            ++*lines;
        }
        p = e + 1;
    }
    return n;
}

size_t snc_trim_vocab_bytes(const snc_trim *t, const snc_tok_assets *a)
{
    int lines;
    return copy_lines(NULL, &lines, t, a);
}

/* The lines that added tokens claim by number, in the new numbers. */
static snc_err renumber(cJSON *added, const snc_trim *t)
{
    cJSON *it;
    int *to = NULL, id;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&to, (size_t)t->rows + 1, sizeof *to));
    for (int i = 0; i < t->rows; i++) to[i + 1] = to[i] + t->keep[i];
    cJSON_ArrayForEach(it, added)
    {
        cJSON *line = cJSON_GetObjectItemCaseSensitive(it, "id");
        if (!line || cJSON_IsNull(line)) continue;
        SNC_GOTO(snc_json_whole(&id, line, 0, t->rows - 1, "id", "tokenizer.config"));
        cJSON_SetNumberValue(line, to[id]);
    }
out:
    snc_free(to);
    return err;
}

static snc_err trimmed_assets(snc_tok_assets *out, const snc_trim *t, const snc_tok_assets *a)
{
    cJSON *flags = NULL;
    int lines;
    size_t n = copy_lines(NULL, &lines, t, a);
    SNC_TRY(snc_alloc(&out->vocab, n + 1, 1));
    out->vocab_bytes = copy_lines(out->vocab, &lines, t, a);
    SNC_CHECK(lines == t->kept, SNC_E_SHAPE, "trim keeps %d pieces of a vocabulary that has %d of them", t->kept, lines);
    SNC_TRY(snc_json_parse(&flags, a->config, strlen(a->config), "tokenizer.config"));
    snc_err err = renumber(cJSON_GetObjectItemCaseSensitive(flags, "added"), t);
    char *text = err ? NULL : cJSON_PrintUnformatted(flags);
    if (!err) err = text ? snc_strdup(&out->config, text) : snc_err_set(SNC_E_NOMEM, "out of memory");
    cJSON_free(text);
    cJSON_Delete(flags);
    return err;
}

/* ---- the file ------------------------------------------------------------------------------------------------------- */

typedef struct rewrite {
    snc_sncfile *f;
    snc_arch arch; /* with the sources as the file tells them */
    snc_tok_assets old, assets;
    snc_tensor *tensor;
    void *rows[3]; /* the word table's own tensors, cut */
    int n, cut;
} rewrite;

static bool of_word_table(const char *name)
{
    static const char word[] = "embeddings.word.weight";
    const char *rest = name + sizeof word - 1;
    return strncmp(name, word, sizeof word - 1) == 0 && (*rest == 0 || strcmp(rest, ".scale") == 0 || strcmp(rest, ".group") == 0);
}

static snc_err cut_rows(rewrite *w, snc_tensor *x, const snc_trim *t)
{
    SNC_CHECK(x->shape[0] == t->rows, SNC_E_SHAPE, "tensor '%s' has %lld rows, expected %d", x->name, (long long)x->shape[0], t->rows);
    size_t row = x->bytes / (size_t)t->rows;
    char *to = NULL;
    SNC_TRY(snc_alloc(&to, (size_t)t->kept, row));
    w->rows[w->cut++] = to;
    for (int i = 0; i < t->rows; i++)
        if (t->keep[i]) {
            memcpy(to, (const char *)x->data + (size_t)i * row, row);
            to += row;
        }
    x->data = w->rows[w->cut - 1];
    x->shape[0] = t->kept;
    x->bytes = row * (size_t)t->kept;
    return SNC_OK;
}

/* A reader numbers a file's layers anew; the rewritten file says what this one says. */
static snc_err read_arch(rewrite *w, const char *from)
{
    cJSON *j = NULL;
    const char *text = snc_st_metadata_view(snc_sncfile_tensors(w->f), "arch");
    SNC_TRY(snc_json_parse(&j, text, strlen(text), from));
    snc_err err = snc_arch_from_json(&w->arch, j, from);
    cJSON_Delete(j);
    return err;
}

static snc_err collect(rewrite *w, const snc_trim *t)
{
    const snc_st *st = snc_sncfile_tensors(w->f);
    SNC_TRY(snc_alloc(&w->tensor, (size_t)snc_st_count(st), sizeof *w->tensor));
    for (int i = 0; i < snc_st_count(st); i++) {
        snc_tensor x = snc_st_tensors_view(st)[i];
        if (strncmp(x.name, "tokenizer.", 10) == 0) continue;
        if (of_word_table(x.name)) SNC_TRY(cut_rows(w, &x, t));
        w->tensor[w->n++] = x;
    }
    return SNC_OK;
}

snc_err snc_trim_file(const char *to, const char *from, const snc_trim *t, cJSON *note)
{
    snc_err err = SNC_OK;
    rewrite w = {0};
    cJSON *meta = NULL;
    SNC_GOTO(snc_sncfile_open(&w.f, from));
    SNC_GOTO(snc_sncfile_tokenizer_dup(&w.old, w.f));
    SNC_GOTO(read_arch(&w, from));
    if (!w.old.vocab || snc_sncfile_config(w.f)->vocab != t->rows)
        SNC_GOTO(snc_err_set(SNC_E_SHAPE, "%s: a vocabulary of %d rows%s, expected %d", from, snc_sncfile_config(w.f)->vocab,
                             w.old.vocab ? "" : " without a tokenizer", t->rows));
    SNC_GOTO(trimmed_assets(&w.assets, t, &w.old));
    SNC_GOTO(collect(&w, t));
    meta = cJSON_Duplicate(snc_sncfile_meta_view(w.f), true);
    if (note) cJSON_AddItemToObject(meta, "trim", note);
    note = NULL;
    snc_bert_config cfg = *snc_sncfile_config(w.f);
    cfg.vocab = t->kept;
    const char *const *labels = snc_sncfile_labels_view(w.f);
    char **copy = NULL;
    if (labels) {
        err = snc_alloc(&copy, (size_t)cfg.classes, sizeof *copy);
        for (int i = 0; i < cfg.classes && !err; i++) err = snc_strndup(&copy[i], labels[i], strlen(labels[i]));
    }
    snc_sncfile_desc d = {.cfg = &cfg, .arch = &w.arch, .policy = snc_sncfile_policy(w.f), .labels = copy,
                          .has_head = snc_sncfile_has_head(w.f), .tokenizer = &w.assets, .meta = meta};
    if (!err) err = snc_sncfile_save(to, &d, w.tensor, w.n);
    for (int i = 0; copy && i < cfg.classes; i++) snc_free(copy[i]);
    snc_free(copy);
out:
    cJSON_Delete(note);
    cJSON_Delete(meta);
    for (int i = 0; i < w.cut; i++) snc_free(w.rows[i]);
    snc_free(w.tensor);
    snc_tok_assets_dispose(&w.old);
    snc_tok_assets_dispose(&w.assets);
    snc_sncfile_close(w.f);
    return err;
}
