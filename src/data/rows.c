/* The file of a split is read once and its texts stay views into it; only what dies with a row of JSON is copied. */
#include "data/rows_priv.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/room.h"
#include "data/conll_priv.h"

enum { SHOWN = 60, PATH_SIZE = 4096 };

/* ---- targets -------------------------------------------------------------------------------------------------------- */

static int shown(snc_span s) { return s.n < SHOWN ? (int)s.n : SHOWN; }

bool snc_read_number(double *out, snc_span s)
{
    char buf[64], *end;
    if (s.n == 0 || s.n >= sizeof buf) return false;
    memcpy(buf, s.p, s.n);
    buf[s.n] = 0;
    if (strspn(buf, "0123456789+-.eE") != s.n) return false;
    *out = strtod(buf, &end);
    return *end == 0 && isfinite(*out);
}

static snc_err unknown_label(const snc_reader *r, snc_span label)
{
    char known[160] = "";
    const snc_strings *labels = &r->task->labels;
    for (int k = 0; k < labels->n && strlen(known) < sizeof known / 2; k++) {
        size_t at = strlen(known);
        snprintf(known + at, sizeof known - at, "%s%.60s", k ? ", " : "", labels->v[k]);
    }
    return snc_err_set(SNC_E_FORMAT, "%s:%lld: label '%.*s' is not one of the task's %d: %s", r->path, (long long)r->line, shown(label),
                       label.p, labels->n, known);
}

static snc_err find_label(int *class, snc_labels *labels, const snc_reader *r, snc_span label)
{
    SNC_TRY(snc_labels__class(class, labels, label));
    return *class < 0 ? unknown_label(r, label) : SNC_OK;
}

/* The number of the row's set of labels; an empty list is a set too. */
static snc_err read_set(float *out, snc_labels *labels, snc_reader *r, snc_sets *sets)
{
    uint8_t has[SNC_TASK__MAX_LABELS] = {0};
    snc_label_walk walk = snc_reader__labels(r);
    snc_span label = {0};
    int number = 0;
    for (bool more = true;;) {
        int k;
        SNC_TRY(snc_reader__label(&more, &label, r, &walk));
        if (!more) break;
        SNC_TRY(find_label(&k, labels, r, label));
        has[k] = 1;
    }
    SNC_TRY(snc_sets_number(&number, sets, has));
    *out = (float)number;
    return SNC_OK;
}

snc_err snc_rows__target(float *out, snc_labels *labels, snc_reader *r, snc_sets *sets)
{
    int class;
    *out = NAN;
    if (!r->target.p && !r->list) return SNC_OK;
    if (sets) return read_set(out, labels, r, sets);
    if (r->task->regression) {
        double v = 0.0;
        SNC_CHECK(snc_read_number(&v, r->target) && fabs(v) < 1e30, SNC_E_FORMAT, "%s:%lld: '%.*s' is not a finite number", r->path,
                  (long long)r->line, shown(r->target), r->target.p);
        SNC_CHECK(!r->task->score || (v >= 0 && v <= 1), SNC_E_FORMAT, "%s:%lld: %g is no score between 0 and 1, as task %s has them",
                  r->path, (long long)r->line, v, r->task->name);
        *out = (float)v;
        return SNC_OK;
    }
    SNC_TRY(find_label(&class, labels, r, r->target));
    *out = (float)class;
    return SNC_OK;
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

static const snc_split_file *find_split(const snc_task *t, const char *split)
{
    for (int i = 0; i < t->n_files; i++)
        if (strcmp(t->files[i].split, split) == 0) return &t->files[i];
    return NULL;
}

/* dir/name, or dir/name.gz. */
static snc_err find_name(bool *found, char *path, const char *dir, const char *name)
{
    char gz[PATH_SIZE];
    SNC_TRY(snc_path_join(path, PATH_SIZE, dir, name));
    *found = snc_is_file(path);
    if (*found || snprintf(gz, sizeof gz, "%s.gz", path) >= (int)sizeof gz || !snc_is_file(gz)) return SNC_OK;
    memcpy(path, gz, sizeof gz);
    *found = true;
    return SNC_OK;
}

/* Says what lies there under a name without its end that nobody reads, or that there is nothing. */
static snc_err not_found(const snc_task *t, const snc_split_file *f, const char *folder, const char *dir)
{
    for (int i = 0; i < f->files.n; i++) {
        char stem[256];
        const char *name = f->files.v[i], *dot = strrchr(name, '.');
        snprintf(stem, sizeof stem, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
        if (*t->folder) SNC_TRY(snc_textfile__refuse_other(folder, stem));
        SNC_TRY(snc_textfile__refuse_other(dir, stem));
    }
    return snc_err_set(SNC_E_NOTFOUND, "%s: no %s file of task %s (%s%s%s%s) in it%s%s", dir, f->split, t->name, f->files.v[0],
                       f->files.n > 1 ? " or " : "", f->files.n > 1 ? f->files.v[1] : "", f->files.n > 2 ? " ..." : "",
                       *t->folder ? " or its folder " : "", t->folder);
}

/* dir/folder/name, then dir/name, for every name of the list. */
static snc_err find_file(char *path, const snc_task *t, const snc_split_file *f, const char *dir)
{
    char folder[PATH_SIZE];
    bool found = false;
    SNC_TRY(snc_path_join(folder, sizeof folder, dir, t->folder));
    for (int i = 0; i < f->files.n && !found; i++) {
        if (*t->folder) SNC_TRY(find_name(&found, path, folder, f->files.v[i]));
        if (!found) SNC_TRY(find_name(&found, path, dir, f->files.v[i]));
    }
    return found ? SNC_OK : not_found(t, f, folder, dir);
}

/* A file by its path, from here or from where the task's files are. */
static snc_err find_path(bool *found, char *path, const snc_task *t, const char *dir, const char *name)
{
    char folder[PATH_SIZE];
    *found = snc_is_file(name);
    if (*found) {
        SNC_CHECK(snprintf(path, PATH_SIZE, "%s", name) < PATH_SIZE, SNC_E_ARG, "path too long: %.80s...", name);
        return SNC_OK;
    }
    if (*name == '/' || !snc_is_dir(dir)) return SNC_OK;
    SNC_TRY(snc_path_join(folder, sizeof folder, dir, t->folder));
    if (*t->folder) SNC_TRY(find_name(found, path, folder, name));
    return *found ? SNC_OK : find_name(found, path, dir, name);
}

static snc_err open_split(const snc_split_file **f, char *path, const snc_task *t, const char *dir, const char *split)
{
    bool named = false;
    *f = find_split(t, split);
    if (!*f) { /* a file of labelled rows, read as dev is */
        *f = find_split(t, "dev") ? find_split(t, "dev") : find_split(t, "train");
        SNC_TRY(find_path(&named, path, t, dir, split));
        SNC_CHECK(*f && named, SNC_E_NOTFOUND, "task %s has no split '%s', and it is no file", t->name, split);
        return SNC_OK;
    }
    if (snc_is_file(dir)) { /* one file has one split */
        SNC_CHECK(strcmp(split, "train") == 0, SNC_E_NOTFOUND, "%s: is one file, of train rows: no %s rows", dir, split);
        SNC_CHECK(snprintf(path, PATH_SIZE, "%s", dir) < PATH_SIZE, SNC_E_ARG, "path too long: %.80s...", dir);
        return SNC_OK;
    }
    SNC_CHECK(snc_is_dir(dir), SNC_E_IO, "%s: no such folder or file", dir);
    return find_file(path, t, *f, dir);
}

snc_err snc_rows__absent(bool *out, const snc_task *t, const char *dir, const char *split)
{
    const snc_split_file *f;
    char path[PATH_SIZE];
    snc_err err = open_split(&f, path, t, dir, split);
    *out = err == SNC_E_NOTFOUND;
    return *out ? SNC_OK : err;
}

double snc_rows__memory(double bytes) { return 4 * bytes; }

static snc_err check_memory(const char *path, double bytes)
{
    double needs = snc_rows__memory(bytes), room = bytes > SNC_ROWS__LARGE ? snc_room_memory() : 0;
    SNC_CHECK(room == 0 || needs <= room, SNC_E_NOMEM,
              "%s: %.2f GB of rows take about %.2f GB of memory, %.2f GB are free: a part of the file may do", path, bytes / 1e9,
              needs / 1e9, room / 1e9);
    return SNC_OK;
}

static snc_err open_text(snc_textfile *out, const char *path)
{
    SNC_TRY(snc_textfile__open(out, path));
    return check_memory(path, (double)out->size);
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

static snc_err rows_new(snc_rows **out, const char *path)
{
    snc_rows *r;
    SNC_TRY(snc_alloc(&r, 1, sizeof *r));
    *out = r;
    SNC_TRY(snc_arena_new(&r->arena));
    return snc_strdup(&r->path, path);
}

snc_err snc_rows__add(snc_rows *r, const snc_row *row)
{
    SNC_CHECK(r->n < INT_MAX - 1, SNC_E_UNSUPPORTED, "%s: more than %d rows", r->path, INT_MAX - 1);
    SNC_TRY(snc_grow(&r->row, &r->cap, (size_t)r->n + 1, sizeof *r->row));
    r->row[r->n++] = *row;
    return SNC_OK;
}

static snc_err keep(snc_span *out, snc_arena *arena, snc_span s)
{
    char *copy = NULL;
    if (s.p) SNC_TRY(snc_arena_strndup(&copy, arena, s.p, s.n));
    *out = (snc_span){copy, s.n};
    return SNC_OK;
}

/* Each text by itself, for what it says to the teacher. */
static snc_err add_texts(snc_rows *rows, const snc_row *pair)
{
    SNC_TRY(snc_rows__add(rows, &(snc_row){.a = pair->a, .target = NAN, .line = pair->line}));
    return pair->b.n ? snc_rows__add(rows, &(snc_row){.a = pair->b, .target = NAN, .line = pair->line}) : SNC_OK;
}

static bool in_quotes(snc_span s) { return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"'; }

static snc_err rows_fill(snc_rows *rows, snc_labels *labels, snc_reader *r)
{
    bool more;
    int quoted = 0;
    SNC_TRY(snc_reader__next(&more, r));
    if (more) snc_source__columns(rows->source, r);
    while (more) {
        snc_row row = {.a = r->text_a, .b = r->text_b, .line = r->line};
        if (!r->texts) SNC_TRY(snc_rows__target(&row.target, labels, r, rows->sets));
        SNC_CHECK(!r->task->vectors || r->texts || row.b.p, SNC_E_FORMAT, "%s:%lld: one text, expected the two whose vectors are compared",
                  rows->path, (long long)r->line);
        if (r->json) { /* dies with the next row */
            SNC_TRY(keep(&row.a, rows->arena, r->text_a));
            SNC_TRY(keep(&row.b, rows->arena, r->text_b));
        }
        quoted += in_quotes(row.a);
        SNC_TRY(r->texts ? add_texts(rows, &row) : snc_rows__add(rows, &row));
        SNC_TRY(snc_reader__next(&more, r));
    }
    rows->skipped = r->skipped;
    SNC_CHECK(rows->n > 0, SNC_E_FORMAT, "%s: no rows", rows->path);
    SNC_CHECK(!r->needs_label || !rows->sets || rows->sets->n > 1 || memchr(rows->sets->has, 1, (size_t)rows->sets->K), SNC_E_FORMAT,
              "%s: every row has an empty list of labels", rows->path);
    return snc_source__rows(rows->source, r->task, rows, labels, quoted == rows->n && quoted > 1);
}

static snc_err fill_tagged(snc_rows *rows, snc_labels *labels, snc_reader *r)
{
    SNC_TRY(snc_conll__fill(rows, labels, r));
    SNC_CHECK(rows->n > 0, SNC_E_FORMAT, "%s: no rows", rows->path);
    return snc_source__rows(rows->source, r->task, rows, labels, false);
}

static snc_err rows_parse(snc_rows *rows, const snc_task *t, const snc_split_file *f, const void *data, size_t n)
{
    snc_reader r;
    snc_labels labels;
    SNC_CHECK(t->regression || t->labels.n, SNC_E_ARG, "task %s: its labels are not known yet", t->name);
    if (t->multilabel) SNC_TRY(snc_sets_new(&rows->sets, t->labels.n));
    rows->source = cJSON_CreateObject();
    snc_err err = snc_labels__init(&labels, t, rows->arena);
    if (err == SNC_OK) err = snc_reader__init(&r, rows->arena, t, f, rows->path, data, n);
    else r = (snc_reader){0};
    if (err == SNC_OK) err = r.form == SNC_FORM__CONLL ? fill_tagged(rows, &labels, &r) : rows_fill(rows, &labels, &r);
    snc_reader__dispose(&r);
    snc_labels__dispose(&labels);
    return err;
}

static bool is_blank(snc_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!snc_is_blank(s.p[i])) return false;
    return true;
}

bool snc_row__is_empty(const snc_row *r) { return is_blank(r->a) && is_blank(r->b); }

uint64_t snc_row__digest(const snc_row *r)
{
    const snc_digest_part parts[] = {{r->a.p, r->a.n}, {"\t", 1}, {r->b.p, r->b.n}};
    return snc_digest(parts, 3);
}

snc_err snc_rows__parse(snc_rows **out, const snc_task *t, const char *split, const char *path, const void *data, size_t n)
{
    snc_err err = SNC_OK;
    snc_rows *rows = NULL;
    const snc_split_file *f = find_split(t, split);
    SNC_CHECK(f, SNC_E_NOTFOUND, "task %s has no split '%s'", t->name, split);
    SNC_GOTO(rows_new(&rows, path));
    SNC_GOTO(rows_parse(rows, t, f, data, n));
    *out = rows;
    rows = NULL;
out:
    snc_rows__free(rows);
    return err;
}

static snc_err read_unlabeled(snc_rows *rows, const snc_task *t)
{
    const char *p = rows->file.data, *end = p ? p + rows->file.size : p;
    for (int64_t line = 1; p < end; line++) {
        const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;
        size_t n = (size_t)(stop - p);
        if (n && p[n - 1] == '\r') n--;
        const char *tab = memchr(p, '\t', n);
        snc_row row = {.a = {p, tab ? (size_t)(tab - p) : n}, .target = NAN, .line = line};
        if (tab) row.b = (snc_span){tab + 1, n - row.a.n - 1};
        SNC_CHECK(n == 0 || t->vectors || t->tags || (tab != NULL) == t->pair, SNC_E_FORMAT, "%s:%lld: expected %s", rows->path,
                  (long long)line, t->pair ? "two texts parted by a TAB" : "one text without a TAB");
        SNC_CHECK(!tab || t->tags || !memchr(row.b.p, '\t', row.b.n), SNC_E_FORMAT, "%s:%lld: more than one TAB", rows->path,
                  (long long)line);
        if (n)
            SNC_TRY(t->tags      ? snc_conll__plain(rows, (snc_span){p, n}, line)
                    : t->vectors ? add_texts(rows, &row)
                                 : snc_rows__add(rows, &row));
        p = lf ? lf + 1 : end;
    }
    SNC_CHECK(rows->n > 0, SNC_E_FORMAT, "%s: no rows", rows->path);
    return SNC_OK;
}

/* A train file of plain text, of vectors to learn: a text a line, or two parted by a TAB. */
static bool is_plain(const snc_task *t, const snc_split_file *f, const char *path)
{
    size_t n = strlen(path);
    if (n > 3 && strcmp(path + n - 3, ".gz") == 0) n -= 3;
    return t->vectors && strcmp(f->split, "train") == 0 && n > 4 && strncmp(path + n - 4, ".txt", 4) == 0;
}

static snc_err read_plain(snc_rows *rows, const snc_task *t)
{
    rows->source = cJSON_CreateObject();
    SNC_TRY(read_unlabeled(rows, t));
    cJSON_AddStringToObject(rows->source, "file", rows->path);
    cJSON_AddStringToObject(rows->source, "format", "plain text");
    cJSON_AddObjectToObject(rows->source, "columns");
    cJSON_AddArrayToObject(rows->source, "ignored");
    cJSON_AddArrayToObject(rows->source, "warnings");
    return snc_source__rows(rows->source, t, rows, NULL, false);
}

snc_err snc_rows__load(snc_rows **out, const snc_task *t, const char *dir, const char *split)
{
    snc_err err = SNC_OK;
    snc_rows *rows = NULL;
    const snc_split_file *f;
    char path[PATH_SIZE];
    SNC_TRY(open_split(&f, path, t, dir, split));
    SNC_GOTO(rows_new(&rows, path));
    SNC_GOTO(open_text(&rows->file, path));
    SNC_GOTO(is_plain(t, f, path) ? read_plain(rows, t) : rows_parse(rows, t, f, rows->file.data, rows->file.size));
    *out = rows;
    rows = NULL;
out:
    snc_rows__free(rows);
    return err;
}

snc_err snc_rows__load_unlabeled(snc_rows **out, const snc_task *t, const char *path)
{
    snc_err err = SNC_OK;
    snc_rows *rows = NULL;
    SNC_GOTO(rows_new(&rows, path));
    SNC_GOTO(open_text(&rows->file, path));
    SNC_GOTO(read_unlabeled(rows, t));
    *out = rows;
    rows = NULL;
out:
    snc_rows__free(rows);
    return err;
}

void snc_rows__free(snc_rows *r)
{
    if (!r) return;
    snc_free(r->row);
    snc_free(r->word);
    snc_sets_free(r->sets);
    snc_textfile__close(&r->file);
    cJSON_Delete(r->source);
    snc_arena_free(r->arena);
    snc_free(r->path);
    snc_free(r);
}

/* ---- what the train file says of the task ------------------------------------------------------------------------------ */

/* By the header; of JSON, which has none, by the first row. */
static snc_err discover_pair(snc_task *t, snc_reader *r)
{
    bool more = true;
    if (snc_reader__is_json(r)) SNC_TRY(snc_reader__next(&more, r));
    t->pair = r->second;
    t->auto_pair = false;
    return snc_task__hash(t);
}

static snc_err discover(snc_err (*find_out)(snc_task *, snc_reader *), snc_task *t, const snc_split_file *f, const char *path,
                        const snc_textfile *file)
{
    snc_arena *arena = NULL;
    snc_reader r;
    SNC_TRY(snc_arena_new(&arena));
    snc_err err = snc_reader__init(&r, arena, t, f, path, file->data, file->size);
    if (err == SNC_OK) err = find_out(t, &r);
    snc_reader__dispose(&r);
    snc_arena_free(arena);
    return err;
}

snc_err snc_task_discover(snc_task *t, const char *dir)
{
    snc_err err = SNC_OK;
    snc_textfile file = {0};
    const snc_split_file *f;
    char path[PATH_SIZE];
    bool labels = t->auto_labels && !t->labels.n;
    if (!labels && !t->auto_pair) return SNC_OK;
    SNC_TRY(open_split(&f, path, t, dir, "train"));
    SNC_GOTO(open_text(&file, path));
    if (t->auto_pair) SNC_GOTO(discover(discover_pair, t, f, path, &file));
    if (labels) SNC_GOTO(discover(snc_labels__discover, t, f, path, &file));
out:
    snc_textfile__close(&file);
    return err;
}
