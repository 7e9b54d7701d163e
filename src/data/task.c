/* Read strictly into an arena; the effective JSON is printed from what was read, and its hash tells whether two tasks are one. */
#include "data/task_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/json.h"
#include "base/place.h"
#include "data/entities.h"
#include "data/metrics.h"

static const char *const format_names[] = {"tsv", "csv", "jsonl", "auto"};
static const char *const quoting_names[] = {"auto", "none", "csv"};
enum { FORMATS = sizeof format_names / sizeof *format_names, QUOTINGS = sizeof quoting_names / sizeof *quoting_names };

/* The place of a name in a list; n: it is not there. */
static int find_name(const char *const *names, int n, const char *name)
{
    int k = 0;
    while (k < n && strcmp(name, names[k]) != 0) k++;
    return k;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* A string or a list of strings, copied into the task; none of them empty. */
static snc_err read_strings(snc_strings *out, snc_arena *arena, const cJSON *v, const char *key, const char *where)
{
    bool list = cJSON_IsArray(v);
    int n = list ? cJSON_GetArraySize(v) : 1;
    SNC_CHECK((list && n > 0) || cJSON_IsString(v), SNC_E_FORMAT, "%s: '%s' must be a string or a list of strings", where, key);
    SNC_TRY(snc_arena_alloc(&out->v, arena, (size_t)n * sizeof *out->v));
    const cJSON *it = list ? v->child : v;
    for (out->n = 0; out->n < n; out->n++, it = it->next) {
        SNC_CHECK(cJSON_IsString(it) && *it->valuestring, SNC_E_FORMAT, "%s: '%s' must hold strings that are not empty", where, key);
        SNC_TRY(snc_arena_strndup(&out->v[out->n], arena, it->valuestring, strlen(it->valuestring)));
    }
    return SNC_OK;
}

static int find_string(const snc_strings *s, const char *x)
{
    for (int i = 0; i < s->n; i++)
        if (strcmp(s->v[i], x) == 0) return i;
    return -1;
}

static snc_err check_distinct(const snc_strings *s, const char *key, const char *where)
{
    for (int i = 0; i < s->n; i++) SNC_CHECK(find_string(s, s->v[i]) == i, SNC_E_FORMAT, "%s: '%s' holds '%s' twice", where, key, s->v[i]);
    return SNC_OK;
}

static snc_err read_column(snc_column *c, snc_arena *arena, const cJSON *v, const char *key, const char *where)
{
    const cJSON *it = cJSON_IsArray(v) ? v->child : v;
    int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 1;
    SNC_CHECK(it, SNC_E_FORMAT, "%s: '%s' names no column", where, key);
    SNC_TRY(snc_arena_alloc(&c->names.v, arena, (size_t)n * sizeof *c->names.v));
    for (; it; it = cJSON_IsArray(v) ? it->next : NULL) {
        if (cJSON_IsString(it) && *it->valuestring) {
            SNC_TRY(snc_arena_strndup(&c->names.v[c->names.n++], arena, it->valuestring, strlen(it->valuestring)));
        } else {
            int index;
            SNC_CHECK(snc_json_whole(&index, it, -1, 9999, key, where) == SNC_OK, SNC_E_FORMAT,
                      "%s: '%s' must be a column name, or an index from 0 (-1: the last), or a list of them", where, key);
            if (!c->has_index) c->index = index;
            c->has_index = true;
        }
    }
    return SNC_OK;
}

/* header: one value for all files, or an object with a value for every split of "files". */
static snc_err read_header(snc_task *t, const cJSON *j, const char *where)
{
    const cJSON *h = cJSON_GetObjectItemCaseSensitive(j, "header");
    bool all = true;
    if (!cJSON_IsObject(h)) SNC_TRY(snc_json_bool(&all, j, "header", true, where));
    for (int i = 0; i < t->n_files; i++) t->files[i].header = all;
    if (!cJSON_IsObject(h)) return SNC_OK;
    SNC_CHECK(cJSON_GetArraySize(h) == t->n_files, SNC_E_FORMAT, "%s: 'header' must have the keys of 'files'", where);
    for (int i = 0; i < t->n_files; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(h, t->files[i].split);
        SNC_CHECK(cJSON_IsBool(v), SNC_E_FORMAT, "%s: 'header' must say true or false for '%s'", where, t->files[i].split);
        t->files[i].header = cJSON_IsTrue(v);
    }
    return SNC_OK;
}

static snc_err read_files(snc_task *t, const cJSON *j, const char *where)
{
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(j, "files"), *it;
    SNC_CHECK(cJSON_IsObject(files) && files->child, SNC_E_FORMAT, "%s: 'files' must name a file for each split", where);
    SNC_TRY(snc_arena_alloc(&t->files, t->arena, (size_t)cJSON_GetArraySize(files) * sizeof *t->files));
    cJSON_ArrayForEach(it, files)
    {
        snc_split_file *f = &t->files[t->n_files];
        SNC_CHECK(*it->string, SNC_E_FORMAT, "%s: 'files' holds a split without a name", where);
        SNC_TRY(snc_arena_strndup(&f->split, t->arena, it->string, strlen(it->string)));
        SNC_TRY(read_strings(&f->files, t->arena, it, it->string, where));
        t->n_files++;
    }
    return read_header(t, j, where);
}

/* Whether every file can resolve the column: names need a header or jsonl, a file without header needs an index. */
static snc_err check_column(const snc_task *t, const snc_column *c, const char *key, const char *where)
{
    SNC_CHECK(t->format == SNC_FORMAT_TSV || t->format == SNC_FORMAT_CSV || c->names.n, SNC_E_FORMAT,
              "%s: '%s' must be a name for format %s", where, key, format_names[t->format]);
    for (int i = 0; i < t->n_files && t->format != SNC_FORMAT_JSONL; i++)
        SNC_CHECK(t->files[i].header || c->has_index, SNC_E_FORMAT, "%s: '%s' needs an index: the %s file has no header", where, key,
                  t->files[i].split);
    return SNC_OK;
}

static snc_err read_columns(snc_task *t, const cJSON *j, const char *where)
{
    const struct {
        const char *key;
        snc_column *column;
    } columns[] = {{"text_a", &t->text_a}, {"label", &t->label}, {"text_b", &t->text_b}};
    bool second = cJSON_GetObjectItemCaseSensitive(j, "text_b") != NULL;
    const char *pair;
    SNC_TRY(snc_json_str(&pair, j, "pair", "", where));
    t->auto_pair = strcmp(pair, "auto") == 0;
    SNC_CHECK(t->auto_pair ? second : !*pair, SNC_E_FORMAT, "%s: 'pair' can only be \"auto\", beside a 'text_b'", where);
    t->pair = second && !t->auto_pair;
    for (int i = 0; i < (second ? 3 : 2); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, columns[i].key);
        SNC_CHECK(v, SNC_E_FORMAT, "%s: '%s' is missing", where, columns[i].key);
        SNC_TRY(read_column(columns[i].column, t->arena, v, columns[i].key, where));
        SNC_TRY(check_column(t, columns[i].column, columns[i].key, where));
    }
    return SNC_OK;
}

static snc_err read_labels(snc_task *t, const cJSON *j, const char *where)
{
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(j, "labels");
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(j, "label_names");
    t->auto_labels = cJSON_IsString(labels) && strcmp(labels->valuestring, "auto") == 0;
    if (t->regression || t->auto_labels) {
        SNC_CHECK(!t->regression || !labels, SNC_E_FORMAT, "%s: 'labels' make no sense in a regression", where);
        SNC_CHECK(!names, SNC_E_FORMAT, "%s: 'label_names' need a list of 'labels'", where);
        return SNC_OK;
    }
    snc_strings s = {0};
    SNC_CHECK(cJSON_IsArray(labels), SNC_E_FORMAT, "%s: 'labels' must be a list of strings, or \"auto\"", where);
    SNC_CHECK(cJSON_GetArraySize(labels) > 0, SNC_E_FORMAT, "%s: 'labels' is an empty list, expected 2 to %d, or \"auto\"", where,
              SNC_TASK__MAX_LABELS);
    SNC_TRY(read_strings(&s, t->arena, labels, "labels", where));
    t->labels = t->label_names = s;
    if (names) {
        SNC_TRY(read_strings(&t->label_names, t->arena, names, "label_names", where));
        SNC_CHECK(t->label_names.n == s.n, SNC_E_FORMAT, "%s: %d 'label_names' for %d 'labels'", where, t->label_names.n, s.n);
        for (int i = 0; i < s.n; i++) SNC_TRY(snc_json_check_line(t->label_names.v[i], "label", where));
        SNC_TRY(check_distinct(&t->label_names, "label_names", where));
    }
    return SNC_OK;
}

/* What holds between labels and metrics, checked again once labels were discovered. */
static snc_err check_labels(const snc_task *t, const char *where)
{
    SNC_CHECK(t->labels.n != 1, SNC_E_FORMAT, "%s: one label, '%.60s', expected 2 to %d", where, t->labels.v[0], SNC_TASK__MAX_LABELS);
    SNC_CHECK(t->labels.n >= 2 && t->labels.n <= SNC_TASK__MAX_LABELS, SNC_E_FORMAT, "%s: %d labels, expected 2 to %d", where, t->labels.n,
              SNC_TASK__MAX_LABELS);
    SNC_CHECK(t->labels.n == 2 || find_string(&t->metrics, "f1") < 0, SNC_E_FORMAT,
              "%s: metric f1 is for two labels, there are %d: expected macro_f1 or micro_f1", where, t->labels.n);
    for (int i = 0; i < t->labels.n; i++) SNC_TRY(snc_json_check_line(t->labels.v[i], "label", where));
    for (int i = 0; i < t->labels.n && t->multilabel; i++)
        SNC_CHECK(!strchr(t->labels.v[i], t->label_separator), SNC_E_FORMAT, "%s: label '%s' holds the separator '%c' of labels", where,
                  t->labels.v[i], t->label_separator);
    return check_distinct(&t->labels, "labels", where);
}

static snc_err read_metrics(snc_task *t, const cJSON *j, const char *where)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, "metrics");
    SNC_CHECK(cJSON_IsArray(v), SNC_E_FORMAT, "%s: 'metrics' must be a list of strings", where);
    SNC_TRY(read_strings(&t->metrics, t->arena, v, "metrics", where));
    SNC_TRY(check_distinct(&t->metrics, "metrics", where));
    for (int i = 0; i < t->metrics.n; i++) {
        bool of_classes = false;
        bool known = snc_metric_known(&of_classes, t->metrics.v[i]) && of_classes != t->regression;
        if (t->tags && snc_metric_of_entities(t->metrics.v[i])) continue;
        SNC_CHECK(t->multilabel ? snc_metric_of_sets(t->metrics.v[i]) : known, SNC_E_FORMAT, "%s: 'metrics' holds '%s', expected %s", where,
                  t->metrics.v[i],
                  t->multilabel   ? "micro_f1, macro_f1 or accuracy"
                  : t->regression ? "pearson or spearman"
                  : t->tags       ? "entity_f1, entity_precision, entity_recall, accuracy or macro_f1"
                                  : "accuracy, f1, micro_f1, macro_f1, balanced_accuracy or matthews");
    }
    return SNC_OK;
}

static snc_err read_separator(snc_task *t, const cJSON *j, const char *where)
{
    const char *s;
    SNC_TRY(snc_json_str(&s, j, "label_separator", ",", where));
    SNC_CHECK(strlen(s) == 1 && *s > ' ' && *s != '"', SNC_E_FORMAT,
              "%s: 'label_separator' must be one character, no blank, quote or control character", where);
    SNC_CHECK(t->multilabel || !cJSON_HasObjectItem(j, "label_separator"), SNC_E_FORMAT,
              "%s: 'label_separator' needs \"type\": \"multilabel\"", where);
    t->label_separator = *s;
    return SNC_OK;
}

static snc_err read_sequences(snc_task *t, const cJSON *j, const char *where)
{
    const char *tags;
    SNC_TRY(snc_json_str(&tags, j, "tags", "bio", where));
    t->any_tags = strcmp(tags, "any") == 0;
    SNC_CHECK(t->any_tags || strcmp(tags, "bio") == 0, SNC_E_FORMAT, "%s: 'tags' must be \"bio\" or \"any\"", where);
    SNC_CHECK(t->tags || !cJSON_HasObjectItem(j, "tags"), SNC_E_FORMAT, "%s: 'tags' needs \"type\": \"tags\"", where);
    SNC_TRY(snc_long_of(&t->long_texts, j, where));
    SNC_CHECK(t->tags || !cJSON_HasObjectItem(j, "long_texts"), SNC_E_FORMAT, "%s: 'long_texts' needs \"type\": \"tags\"", where);
    return SNC_OK;
}

static snc_err read_scalars(snc_task *t, const cJSON *j, const char *where)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *name, *folder, *format, *type, *quoting;
    SNC_TRY(snc_json_str(&name, j, "name", "", where));
    SNC_TRY(snc_json_str(&folder, j, "folder", "", where));
    SNC_TRY(snc_json_str(&format, j, "format", "tsv", where));
    SNC_TRY(snc_json_str(&type, j, "type", "classes", where));
    SNC_TRY(snc_json_str(&quoting, j, "quoting", "auto", where));
    SNC_CHECK(*name && name[strspn(name, legal)] == 0 && strlen(name) <= 64, SNC_E_FORMAT,
              "%s: 'name' must be 1 to 64 letters, digits, '.', '_' or '-'", where);
    t->score = strcmp(type, "score") == 0;
    t->vectors = strcmp(type, "embedding") == 0;
    t->regression = t->score || t->vectors || strcmp(type, "regression") == 0;
    t->multilabel = strcmp(type, "multilabel") == 0;
    t->tags = strcmp(type, "tags") == 0;
    SNC_CHECK(t->regression || t->multilabel || t->tags || strcmp(type, "classes") == 0, SNC_E_FORMAT,
              "%s: 'type' must be \"classes\", \"regression\", \"score\", \"multilabel\", \"embedding\" or \"tags\"", where);
    SNC_TRY(read_sequences(t, j, where));
    SNC_TRY(read_separator(t, j, where));
    int f = find_name(format_names, FORMATS, format), q = find_name(quoting_names, QUOTINGS, quoting);
    SNC_CHECK(f < FORMATS, SNC_E_FORMAT, "%s: 'format' must be \"tsv\", \"csv\", \"jsonl\" or \"auto\"", where);
    SNC_CHECK(q < QUOTINGS, SNC_E_FORMAT, "%s: 'quoting' must be \"auto\", \"none\" or \"csv\"", where);
    t->format = (snc_format)f;
    t->quoting = (snc_quoting)q;
    SNC_TRY(snc_arena_strndup(&t->name, t->arena, name, strlen(name)));
    SNC_TRY(snc_arena_strndup(&t->folder, t->arena, folder, strlen(folder)));
    SNC_TRY(snc_json_int(&t->max_length, j, "max_length", 128, 8, 8192, where));
    SNC_TRY(snc_json_bool(&t->skip_short_rows, j, "skip_short_rows", false, where));
    return snc_json_bool(&t->phrases, j, "phrases", false, where);
}

static snc_err read_task(snc_task *t, const cJSON *j, const char *where)
{
    static const char *const keys[] = {
        "name",   "folder",      "files", "format",          "header",  "text_a",     "text_b",          "label",
        "labels", "label_names", "type",  "label_separator", "metrics", "max_length", "skip_short_rows", "phrases",
        "pair",   "quoting",     "tags",  "long_texts",      NULL};
    SNC_TRY(snc_json_check_keys(j, keys, where));
    SNC_TRY(read_scalars(t, j, where));
    SNC_TRY(read_files(t, j, where));
    for (int i = 0; i < t->n_files && t->tags; i++) t->files[i].header = false; /* those of CoNLL have none */
    SNC_TRY(read_columns(t, j, where));
    SNC_TRY(read_labels(t, j, where));
    SNC_TRY(read_metrics(t, j, where));
    if (!t->regression && !t->auto_labels) SNC_TRY(check_labels(t, where));
    return snc_task__hash(t);
}

snc_err snc_task_parse(snc_task **out, const char *text, size_t n, const char *where)
{
    snc_err err = SNC_OK;
    cJSON *j = NULL;
    snc_task *t = NULL;
    SNC_GOTO(snc_json_parse(&j, text, n, where));
    SNC_GOTO(snc_alloc(&t, 1, sizeof *t));
    SNC_GOTO(snc_arena_new(&t->arena));
    SNC_GOTO(read_task(t, j, where));
    *out = t;
    t = NULL;
out:
    cJSON_Delete(j);
    snc_task_close(t);
    return err;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

snc_err snc_task_open(snc_task **out, const char *name_or_path)
{
    char path[SNC_CONFIG_PATH], *text = NULL;
    size_t n;
    SNC_TRY(snc_config_find(path, "task", name_or_path));
    SNC_TRY(snc_file_read(&text, &n, path));
    snc_err err = snc_task_parse(out, text, n, path);
    snc_free(text);
    return err;
}

void snc_task_close(snc_task *t)
{
    if (!t) return;
    snc_arena_free(t->arena);
    snc_free(t);
}

/* ---- labels that were not in the file ------------------------------------------------------------------------------ */

snc_err snc_task__set_labels(snc_task *t, const char *const *labels, int n, const char *where)
{
    snc_strings s = {0};
    SNC_TRY(snc_arena_alloc(&s.v, t->arena, (size_t)n * sizeof *s.v));
    for (; s.n < n; s.n++) SNC_TRY(snc_arena_strndup(&s.v[s.n], t->arena, labels[s.n], strlen(labels[s.n])));
    snc_strings before = t->labels;
    t->labels = s;
    snc_err err = check_labels(t, where);
    if (err != SNC_OK) {
        t->labels = before;
        return err;
    }
    t->label_names = s;
    return snc_task__hash(t);
}

snc_err snc_task_set_labels(snc_task *t, const char *const *labels, int n)
{
    if (!t->auto_labels || t->labels.n) return SNC_OK;
    return snc_task__set_labels(t, labels, n, t->name);
}

/* ---- the effective JSON -------------------------------------------------------------------------------------------- */

static void add_strings(cJSON *j, const char *key, const snc_strings *s)
{
    cJSON *list = cJSON_AddArrayToObject(j, key);
    for (int i = 0; i < s->n; i++) cJSON_AddItemToArray(list, cJSON_CreateString(s->v[i]));
}

static void add_column(cJSON *j, const char *key, const snc_column *c)
{
    cJSON *list = cJSON_AddArrayToObject(j, key);
    for (int i = 0; i < c->names.n; i++) cJSON_AddItemToArray(list, cJSON_CreateString(c->names.v[i]));
    if (c->has_index) cJSON_AddItemToArray(list, cJSON_CreateNumber(c->index));
}

static const char *type_name(const snc_task *t)
{
    if (t->regression) return t->score ? "score" : t->vectors ? "embedding" : "regression";
    return t->multilabel ? "multilabel" : t->tags ? "tags" : "classes";
}

snc_err snc_task_json(char **out, const snc_task *t)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "name", t->name);
    cJSON_AddStringToObject(j, "folder", t->folder);
    cJSON *files = cJSON_AddObjectToObject(j, "files"), *header = cJSON_AddObjectToObject(j, "header");
    for (int i = 0; i < t->n_files; i++) {
        add_strings(files, t->files[i].split, &t->files[i].files);
        cJSON_AddBoolToObject(header, t->files[i].split, t->files[i].header);
    }
    cJSON_AddStringToObject(j, "format", format_names[t->format]);
    add_column(j, "text_a", &t->text_a);
    if (t->pair || t->auto_pair) add_column(j, "text_b", &t->text_b);
    if (t->auto_pair) cJSON_AddStringToObject(j, "pair", "auto");
    add_column(j, "label", &t->label);
    cJSON_AddStringToObject(j, "type", type_name(t));
    if (t->multilabel) cJSON_AddStringToObject(j, "label_separator", (char[]){t->label_separator, 0});
    if (t->labels.n) {
        add_strings(j, "labels", &t->labels);
        add_strings(j, "label_names", &t->label_names);
    } else if (t->auto_labels) {
        cJSON_AddStringToObject(j, "labels", "auto");
    }
    add_strings(j, "metrics", &t->metrics);
    cJSON_AddNumberToObject(j, "max_length", t->max_length);
    cJSON_AddBoolToObject(j, "skip_short_rows", t->skip_short_rows);
    cJSON_AddBoolToObject(j, "phrases", t->phrases);
    if (t->any_tags) cJSON_AddStringToObject(j, "tags", "any");
    snc_long_put(j, t->long_texts);
    if (t->quoting != SNC_QUOTING_AUTO) cJSON_AddStringToObject(j, "quoting", quoting_names[t->quoting]);
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory while printing JSON", t->name);
    snc_err err = snc_strdup(out, text);
    cJSON_free(text);
    return err;
}

snc_err snc_task__hash(snc_task *t)
{
    char *text;
    SNC_TRY(snc_task_json(&text, t));
    t->hash = snc_bytes_hash(0, text, strlen(text));
    snc_free(text);
    return SNC_OK;
}

/* ---- looks --------------------------------------------------------------------------------------------------------- */

snc_err snc_task_set_max_length(snc_task *t, int tokens)
{
    SNC_CHECK(tokens >= 8 && tokens <= 8192, SNC_E_ARG, "max length %d: expected 8 to 8192", tokens);
    t->max_length = tokens;
    return snc_task__hash(t);
}

static snc_err set_column(snc_column *c, snc_task *t, const char *name)
{
    if (!name) return SNC_OK;
    *c = (snc_column){0};
    SNC_TRY(snc_arena_alloc(&c->names.v, t->arena, sizeof *c->names.v));
    c->names.n = 1;
    return snc_arena_strndup(&c->names.v[0], t->arena, name, strlen(name));
}

/* A column of a name takes a header, which files that were said to have none may have after all. */
snc_err snc_task_set_columns(snc_task *t, const char *text_a, const char *text_b, const char *label)
{
    if (!text_a && !text_b && !label) return SNC_OK;
    SNC_TRY(set_column(&t->text_a, t, text_a));
    SNC_TRY(set_column(&t->text_b, t, text_b));
    SNC_TRY(set_column(&t->label, t, label));
    if (text_a || text_b) {
        t->pair = text_b != NULL;
        t->auto_pair = false;
    }
    for (int i = 0; i < t->n_files; i++) t->files[i].header = true;
    return snc_task__hash(t);
}

void snc_task_set_width(snc_task *t, int width)
{
    if (t->vectors) t->width = width;
}

snc_err snc_task_set_quoting(snc_task *t, const char *quoting)
{
    int q = find_name(quoting_names, QUOTINGS, quoting);
    SNC_CHECK(q < QUOTINGS, SNC_E_ARG, "--quoting '%s': expected auto, none or csv", quoting);
    t->quoting = (snc_quoting)q;
    return snc_task__hash(t);
}

snc_err snc_task_set_long_texts(snc_task *t, const char *what)
{
    SNC_CHECK(t->tags, SNC_E_ARG, "--long-texts: task %s asks for answers of whole texts, which are cut", t->name);
    SNC_TRY(snc_long_option(&t->long_texts, what));
    return snc_task__hash(t);
}

const char *snc_task_name(const snc_task *t) { return t->name; }
bool snc_task_regression(const snc_task *t) { return t->regression; }
bool snc_task_multilabel(const snc_task *t) { return t->multilabel; }
bool snc_task_vectors(const snc_task *t) { return t->vectors; }
bool snc_task_tags(const snc_task *t) { return t->tags; }
int snc_task_classes(const snc_task *t) { return t->vectors ? t->width : t->regression ? 1 : t->labels.n; }
int snc_task_outputs(const snc_task *t) { return t->vectors ? 1 : snc_task_classes(t); }
int snc_task_max_length(const snc_task *t) { return t->max_length; }
snc_long snc_task_long_texts(const snc_task *t) { return t->long_texts; }
bool snc_task_pair(const snc_task *t) { return t->pair; }
int snc_task_metrics(const snc_task *t) { return t->metrics.n; }
int snc_task_splits(const snc_task *t) { return t->n_files; }
uint64_t snc_task_hash(const snc_task *t) { return t->hash; }

snc_meaning snc_task_meaning(const snc_task *t)
{
    if (t->vectors) return SNC_MEANS_VECTOR;
    if (t->regression) return t->score ? SNC_MEANS_SCORE : SNC_MEANS_REGRESSION;
    return t->multilabel ? SNC_MEANS_MULTILABEL : t->tags ? SNC_MEANS_TAGS : SNC_MEANS_CLASSES;
}

const char *snc_task_label(const snc_task *t, int k) { return k >= 0 && k < t->label_names.n ? t->label_names.v[k] : NULL; }

static int find_text(const snc_strings *s, const char *text, size_t n)
{
    for (int k = 0; k < s->n; k++)
        if (strlen(s->v[k]) == n && memcmp(s->v[k], text, n) == 0) return k;
    return -1;
}

int snc_task_class(const snc_task *t, const char *text, size_t n)
{
    int k = find_text(&t->label_names, text, n);
    return k >= 0 ? k : find_text(&t->labels, text, n);
}

const char *snc_task_metric(const snc_task *t, int i) { return i >= 0 && i < t->metrics.n ? t->metrics.v[i] : NULL; }
const char *snc_task_split(const snc_task *t, int i) { return i >= 0 && i < t->n_files ? t->files[i].split : NULL; }
