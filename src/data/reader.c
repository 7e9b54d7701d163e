#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "data/rows_priv.h"

enum { NO_COLUMN = -2, SHOWN = 60 };

/* The next line without its end; false at the end of the file. Empty lines are passed over, but counted. */
static bool next_line(snc_span *line, snc_reader *r)
{
    while (r->p < r->end) {
        const char *begin = r->p, *lf = memchr(begin, '\n', (size_t)(r->end - begin));
        const char *stop = lf ? lf : r->end;
        r->p = lf ? lf + 1 : r->end;
        r->line++;
        if (stop > begin && stop[-1] == '\r') stop--;
        *line = (snc_span){begin, (size_t)(stop - begin)};
        if (line->n) return true;
    }
    return false;
}

/* The next column of a TSV line; false after the last. `at` starts at the line's begin. */
static bool next_column(snc_span *out, const char **at, snc_span line)
{
    const char *end = line.p + line.n;
    if (!*at) return false;
    const char *tab = memchr(*at, '\t', (size_t)(end - *at));
    *out = (snc_span){*at, (size_t)((tab ? tab : end) - *at)};
    *at = tab ? tab + 1 : NULL;
    return true;
}

static bool same(snc_span s, const char *text) { return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0; }

static int shown(snc_span s) { return s.n < SHOWN ? (int)s.n : SHOWN; }

/* ---- TSV ------------------------------------------------------------------------------------------------------------ */

/* The index of the first name that the header has; NO_COLUMN when it has none of them. */
static int find_in_header(const snc_column *c, snc_span header)
{
    for (int k = 0; k < c->names.n; k++) {
        snc_span cell;
        const char *at = header.p;
        for (int i = 0; next_column(&cell, &at, header); i++)
            if (same(cell, c->names.v[k])) return i;
    }
    return NO_COLUMN;
}

static snc_err find_column(int *out, snc_reader *r, const snc_column *c, bool has_header, snc_span header, bool required)
{
    *out = c->index;
    if (has_header && c->names.n) {
        *out = find_in_header(c, header);
        SNC_CHECK(*out != NO_COLUMN || !required, SNC_E_FORMAT, "%s:%lld: no column '%s' in the header '%.*s'", r->path,
                  (long long)r->line, c->names.v[0], shown(header), header.p);
    }
    if (*out >= r->need) r->need = *out + 1;
    return SNC_OK;
}

/* Of two columns with one name nobody knows which is meant. Names may be left empty. */
static snc_err check_header(const snc_reader *r, snc_span header)
{
    snc_span cell, other;
    const char *at = header.p;
    while (header.n && next_column(&cell, &at, header)) {
        const char *next = at;
        while (cell.n && next_column(&other, &next, header))
            SNC_CHECK(other.n != cell.n || memcmp(other.p, cell.p, cell.n) != 0, SNC_E_FORMAT, "%s:%lld: column '%.*s' appears twice in the header",
                      r->path, (long long)r->line, shown(cell), cell.p);
    }
    return SNC_OK;
}

static snc_err read_header(snc_reader *r, bool has_header)
{
    const snc_task *t = r->task;
    snc_span header = {0};
    SNC_CHECK(!has_header || next_line(&header, r), SNC_E_FORMAT, "%s: no rows", r->path);
    SNC_TRY(check_header(r, header));
    r->need = 1;
    r->b = NO_COLUMN;
    SNC_TRY(find_column(&r->a, r, &t->text_a, has_header, header, true));
    if (t->pair) SNC_TRY(find_column(&r->b, r, &t->text_b, has_header, header, true));
    return find_column(&r->label, r, &t->label, has_header, header, r->needs_label);
}

/* Fills the row from one line; *found is the number of its columns. */
static void read_columns(int *found, snc_reader *r, snc_span line)
{
    snc_span cell = {0};
    const char *at = line.p;
    int n = 0;
    r->text_a = r->text_b = r->target = (snc_span){0};
    for (; next_column(&cell, &at, line); n++) {
        if (n == r->a) r->text_a = cell;
        if (n == r->b) r->text_b = cell;
        if (n == r->label) r->target = cell;
    }
    if (r->a == -1) r->text_a = cell;
    if (r->b == -1) r->text_b = cell;
    if (r->label == -1) r->target = cell;
    *found = n;
}

static snc_err next_tsv(bool *more, snc_reader *r)
{
    snc_span line;
    while ((*more = next_line(&line, r))) {
        int found;
        read_columns(&found, r, line);
        if (found >= r->need) return SNC_OK;
        SNC_CHECK(r->task->skip_short_rows, SNC_E_FORMAT, "%s:%lld: %d column%s, expected at least %d", r->path,
                  (long long)r->line, found, found == 1 ? "" : "s", r->need);
        r->skipped++;
    }
    return SNC_OK;
}

/* ---- JSONL ---------------------------------------------------------------------------------------------------------- */

/* cJSON strings end at a NUL, so a text with one in it would be cut without a word. */
static bool has_nul(snc_span line)
{
    if (memchr(line.p, 0, line.n)) return true;
    for (size_t i = 0; i + 6 <= line.n; i++)
        if (line.p[i] == '\\' && memcmp(line.p + i, "\\u0000", 6) == 0) return true;
    return false;
}

static const cJSON *find_key(const cJSON *row, const snc_column *c)
{
    for (int k = 0; k < c->names.n; k++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(row, c->names.v[k]);
        if (v && !cJSON_IsNull(v)) return v;
    }
    return NULL;
}

static snc_err read_text(snc_span *out, const snc_reader *r, const snc_column *c)
{
    const cJSON *v = find_key(r->json, c);
    SNC_CHECK(v, SNC_E_FORMAT, "%s:%lld: no key '%s'", r->path, (long long)r->line, c->names.v[0]);
    SNC_CHECK(cJSON_IsString(v), SNC_E_FORMAT, "%s:%lld: '%s' must be a string", r->path, (long long)r->line, v->string);
    *out = (snc_span){v->valuestring, strlen(v->valuestring)};
    return SNC_OK;
}

static snc_err read_target(snc_reader *r)
{
    const cJSON *v = find_key(r->json, &r->task->label);
    r->target = (snc_span){0};
    if (!v) {
        SNC_CHECK(!r->needs_label, SNC_E_FORMAT, "%s:%lld: no key '%s'", r->path, (long long)r->line,
                  r->task->label.names.v[0]);
        return SNC_OK;
    }
    const char *text = cJSON_IsString(v) ? v->valuestring : cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : r->number;
    if (text == r->number) {
        SNC_CHECK(cJSON_IsNumber(v), SNC_E_FORMAT, "%s:%lld: '%s' must be a string or a number", r->path, (long long)r->line,
                  v->string);
        snprintf(r->number, sizeof r->number, "%.17g", v->valuedouble);
    }
    r->target = (snc_span){text, strlen(text)};
    return SNC_OK;
}

static snc_err next_jsonl(bool *more, snc_reader *r)
{
    snc_span line;
    char where[1024];
    cJSON_Delete(r->json);
    r->json = NULL;
    if (!(*more = next_line(&line, r))) return SNC_OK;
    SNC_CHECK(!has_nul(line), SNC_E_FORMAT, "%s:%lld: a NUL character in the row", r->path, (long long)r->line);
    snprintf(where, sizeof where, "%.900s:%lld", r->path, (long long)r->line);
    SNC_TRY(snc_json_parse(&r->json, line.p, line.n, where));
    SNC_CHECK(cJSON_IsObject(r->json), SNC_E_FORMAT, "%s:%lld: expected a JSON object", r->path, (long long)r->line);
    SNC_TRY(read_text(&r->text_a, r, &r->task->text_a));
    r->text_b = (snc_span){0};
    if (r->task->pair) SNC_TRY(read_text(&r->text_b, r, &r->task->text_b));
    return read_target(r);
}

/* ---- both ----------------------------------------------------------------------------------------------------------- */

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

snc_err snc_reader__init(snc_reader *r, const snc_task *t, const snc_split_file *f, const char *path, const void *data,
                         size_t n)
{
    *r = (snc_reader){.task = t, .path = path, .p = data};
    if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        r->p += 3;
        n -= 3;
    }
    r->end = n ? r->p + n : r->p;
    r->jsonl = t->format == SNC_FORMAT_JSONL || (t->format == SNC_FORMAT_AUTO && ends_in(path, ".jsonl"));
    r->needs_label = strcmp(f->split, "train") == 0 || strncmp(f->split, "dev", 3) == 0;
    return r->jsonl ? SNC_OK : read_header(r, f->header);
}

snc_err snc_reader__next(bool *more, snc_reader *r)
{
    *more = false;
    return r->jsonl ? next_jsonl(more, r) : next_tsv(more, r);
}

void snc_reader__dispose(snc_reader *r)
{
    cJSON_Delete(r->json);
    r->json = NULL;
}
