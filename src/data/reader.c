/* CSV, TSV, JSON lines and a JSON list behind one next(); columns are matched by exact name first, then without case and blanks. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "data/conll_priv.h"

enum { NO_COLUMN = -2, SHOWN = 60 };

static bool same(snc_span s, const char *text) { return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0; }

static int shown(snc_span s) { return s.n < SHOWN ? (int)s.n : SHOWN; }

/* ---- CSV and TSV ---------------------------------------------------------------------------------------------------- */

static char folded(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static snc_span trimmed(snc_span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* "Text " is the column text where no other is. */
bool snc_reader__alike(snc_span s, const char *text)
{
    s = trimmed(s);
    size_t n = strlen(text);
    for (size_t i = 0; i < n && i < s.n; i++)
        if (folded(s.p[i]) != folded(text[i])) return false;
    return s.n == n;
}

/* The index of the first name that the header has; NO_COLUMN when it has none of them. */
static int find_in_header(const snc_column *c, const snc_reader *r)
{
    for (int loose = 0; loose < 2; loose++)
        for (int k = 0; k < c->names.n; k++)
            for (int i = 0; i < r->names; i++)
                if (loose ? snc_reader__alike(r->name[i], c->names.v[k]) : same(r->name[i], c->names.v[k])) return i;
    return NO_COLUMN;
}

/* "Text" and "TEXT" are both what "text" may mean. */
static snc_err check_alone(const snc_reader *r, const snc_column *c, int found)
{
    for (int k = 0; k < c->names.n; k++) {
        if (same(r->name[found], c->names.v[k])) return SNC_OK;
        if (!snc_reader__alike(r->name[found], c->names.v[k])) continue;
        for (int i = found + 1; i < r->names; i++)
            SNC_CHECK(!snc_reader__alike(r->name[i], c->names.v[k]), SNC_E_FORMAT, "%s:%lld: columns '%.*s' and '%.*s' may both be '%s'",
                      r->path, (long long)r->text.line, shown(r->name[found]), r->name[found].p, shown(r->name[i]), r->name[i].p,
                      c->names.v[k]);
    }
    return SNC_OK;
}

/* Which there are, as many as a line has room for. */
static snc_err no_column(const snc_reader *r, const snc_column *c)
{
    char there[400] = "";
    for (int i = 0; i < r->names; i++) {
        size_t at = strlen(there);
        if (at > sizeof there - 2 * SHOWN) {
            snprintf(there + at, sizeof there - at, ", ...");
            break;
        }
        snprintf(there + at, sizeof there - at, "%s'%.*s'", i ? ", " : "", shown(r->name[i]), r->name[i].p);
    }
    return snc_err_set(SNC_E_FORMAT, "%s:%lld: no column '%s' in the header; it has %s (--text, --text-pair and --label name columns)",
                       r->path, (long long)r->text.line, c->names.v[0], there);
}

static snc_err find_column(int *out, snc_reader *r, const snc_column *c, bool has_header, bool required)
{
    *out = c->index;
    if (has_header && c->names.n) {
        *out = find_in_header(c, r);
        if (*out == NO_COLUMN && required) return no_column(r, c);
        if (*out != NO_COLUMN) SNC_TRY(check_alone(r, c, *out));
    }
    if (*out >= r->need) r->need = *out + 1;
    return SNC_OK;
}

/* Of two columns with one name nobody knows which is meant. Names may be left empty. */
static snc_err check_header(const snc_reader *r)
{
    const snc_span *cell = r->text.field;
    for (int i = 0; i < r->text.n; i++)
        for (int k = i + 1; k < r->text.n; k++)
            SNC_CHECK(!cell[i].n || cell[i].n != cell[k].n || memcmp(cell[i].p, cell[k].p, cell[i].n) != 0, SNC_E_FORMAT,
                      "%s:%lld: column '%.*s' appears twice in the header", r->path, (long long)r->text.line, shown(cell[i]), cell[i].p);
    return SNC_OK;
}

static snc_err read_header(snc_reader *r, bool has_header)
{
    const snc_task *t = r->task;
    bool more = true;
    if (has_header) {
        SNC_TRY(snc_delimited__next(&more, &r->text));
        SNC_CHECK(more, SNC_E_FORMAT, "%s: no rows", r->path);
        SNC_TRY(check_header(r));
        SNC_TRY(snc_arena_alloc(&r->name, r->text.arena, (size_t)r->text.n * sizeof *r->name));
        memcpy(r->name, r->text.field, (size_t)r->text.n * sizeof *r->name);
        r->names = r->text.n;
        r->width = r->strict ? r->text.n : 0;
    }
    r->need = 1;
    r->b = NO_COLUMN;
    SNC_TRY(find_column(&r->a, r, &t->text_a, has_header, true));
    if (t->pair) SNC_TRY(find_column(&r->b, r, &t->text_b, has_header, !r->texts));
    r->second = t->pair || (has_header && t->text_b.names.n && find_in_header(&t->text_b, r) != NO_COLUMN);
    return find_column(&r->label, r, &t->label, has_header, r->needs_label);
}

static snc_span field(const snc_delimited *d, int i)
{
    if (i == -1) i = d->n - 1;
    return i >= 0 && i < d->n ? d->field[i] : (snc_span){0};
}

/* ",,," and a line of blanks, as spreadsheets and editors leave them. */
static bool is_empty(const snc_delimited *d)
{
    for (int i = 0; i < d->n; i++)
        if (trimmed(d->field[i]).n) return false;
    return true;
}

static snc_err next_delimited(bool *more, snc_reader *r)
{
    const snc_delimited *d = &r->text;
    for (;;) {
        SNC_TRY(snc_delimited__next(more, &r->text));
        if (!*more) return SNC_OK;
        if (r->strict && is_empty(d)) continue;
        r->line = d->line;
        SNC_CHECK(r->width == 0 || d->n == r->width || r->task->skip_short_rows, SNC_E_FORMAT, "%s:%lld: %d column%s, the header has %d",
                  r->path, (long long)r->line, d->n, d->n == 1 ? "" : "s", r->width);
        if (d->n >= r->need) break;
        SNC_CHECK(r->task->skip_short_rows, SNC_E_FORMAT, "%s:%lld: %d column%s, expected at least %d", r->path, (long long)r->line, d->n,
                  d->n == 1 ? "" : "s", r->need);
        r->skipped++;
    }
    r->text_a = field(d, r->a);
    r->text_b = field(d, r->b);
    r->target = field(d, r->label);
    return SNC_OK;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------- */

/* cJSON strings end at a NUL, so a text with one in it would be cut without a word. */
static bool has_nul(snc_span line)
{
    if (memchr(line.p, 0, line.n)) return true;
    for (size_t i = 0; i + 6 <= line.n; i++)
        if (line.p[i] == '\\' && memcmp(line.p + i, "\\u0000", 6) == 0) return true;
    return false;
}

bool snc_reader__is_json(const snc_reader *r) { return r->form == SNC_FORM__JSONL || r->form == SNC_FORM__LIST; }

static const cJSON *find_key(const cJSON *row, const snc_column *c)
{
    for (int k = 0; k < c->names.n; k++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(row, c->names.v[k]);
        if (v && !cJSON_IsNull(v)) return v;
    }
    return NULL;
}

const cJSON *snc_reader__key(const snc_reader *r, const snc_column *c) { return find_key(r->json, c); }

static snc_err no_key(const snc_reader *r, const snc_column *c)
{
    char there[400] = "";
    const cJSON *key;
    cJSON_ArrayForEach(key, r->json)
    {
        size_t at = strlen(there);
        if (at < sizeof there - 2 * SHOWN) snprintf(there + at, sizeof there - at, "%s'%.*s'", at ? ", " : "", SHOWN, key->string);
    }
    return snc_err_set(SNC_E_FORMAT, "%s:%lld: no key '%s'%s%s", r->path, (long long)r->line, c->names.v[0], *there ? "; the row has " : "",
                       there);
}

static snc_err read_text(snc_span *out, const snc_reader *r, const snc_column *c)
{
    const cJSON *v = find_key(r->json, c);
    if (!v) return no_key(r, c);
    SNC_CHECK(cJSON_IsString(v), SNC_E_FORMAT, "%s:%lld: '%s' must be a string", r->path, (long long)r->line, v->string);
    *out = (snc_span){v->valuestring, strlen(v->valuestring)};
    return SNC_OK;
}

static snc_err json_label(snc_span *out, snc_reader *r, const cJSON *v, const char *key)
{
    const char *text = cJSON_IsString(v) ? v->valuestring : cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : r->number;
    if (text == r->number) {
        SNC_CHECK(cJSON_IsNumber(v), SNC_E_FORMAT, "%s:%lld: '%s' must be a string or a number%s", r->path, (long long)r->line, key,
                  r->task->multilabel ? ", or a list of those"
                  : cJSON_IsArray(v)  ? "; lists need \"type\": \"multilabel\""
                                      : "");
        snprintf(r->number, sizeof r->number, "%.17g", v->valuedouble);
    }
    *out = (snc_span){text, strlen(text)};
    return SNC_OK;
}

static snc_err read_target(snc_reader *r)
{
    const cJSON *v = find_key(r->json, &r->task->label);
    r->target = (snc_span){0};
    r->list = NULL;
    if (v && cJSON_IsArray(v) && r->task->multilabel) {
        r->list = v;
        return SNC_OK;
    }
    if (!v) { return r->needs_label ? no_key(r, &r->task->label) : SNC_OK; }
    return json_label(&r->target, r, v, v->string);
}

snc_label_walk snc_reader__labels(const snc_reader *r)
{
    if (r->list) return (snc_label_walk){.item = r->list->child};
    snc_span all = r->task->multilabel ? trimmed(r->target) : r->target;
    return (snc_label_walk){.rest = r->task->multilabel && !all.n ? (snc_span){0} : all};
}

snc_err snc_reader__label(bool *more, snc_span *label, snc_reader *r, snc_label_walk *walk)
{
    snc_span all = walk->rest;
    *more = walk->item || all.p;
    if (walk->item) {
        SNC_TRY(json_label(label, r, walk->item, r->list->string));
        walk->item = walk->item->next;
    } else if (all.p) {
        const char *cut = r->task->multilabel ? memchr(all.p, r->task->label_separator, all.n) : NULL;
        *label = cut ? (snc_span){all.p, (size_t)(cut - all.p)} : all;
        walk->rest = cut ? (snc_span){cut + 1, all.n - label->n - 1} : (snc_span){0};
    }
    if (*more && r->task->multilabel) {
        *label = trimmed(*label);
        SNC_CHECK(label->n, SNC_E_FORMAT, "%s:%lld: an empty label in a list of labels", r->path, (long long)r->line);
    }
    return SNC_OK;
}

/* The next line that is not empty. */
static bool next_line(snc_span *out, snc_reader *r)
{
    snc_delimited *d = &r->text;
    while (d->p < d->end) {
        const char *begin = d->p, *lf = memchr(begin, '\n', (size_t)(d->end - begin)), *stop = lf ? lf : d->end;
        d->p = lf ? lf + 1 : d->end;
        r->line = ++d->lines;
        *out = trimmed((snc_span){begin, (size_t)(stop - begin - (stop > begin && stop[-1] == '\r'))});
        if (out->n) return true;
    }
    return false;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_blanks(snc_delimited *d)
{
    for (; d->p < d->end && is_blank(*d->p); d->p++) d->lines += *d->p == '\n';
}

/* The next object of a list, by its brackets; what is between them is for the parser. */
static snc_err next_object(bool *more, snc_span *out, snc_reader *r)
{
    snc_delimited *d = &r->text;
    bool quoted = false, first = d->p == r->begin;
    int depth = 0;
    skip_blanks(d);
    SNC_CHECK(d->p < d->end, SNC_E_FORMAT, "%s:%lld: the list of rows never ends, expected ']'", r->path, (long long)d->lines + 1);
    if (*d->p == ']') {
        d->p++;
        skip_blanks(d);
        SNC_CHECK(d->p == d->end, SNC_E_FORMAT, "%s:%lld: text after the list of rows", r->path, (long long)d->lines + 1);
        *more = false;
        return SNC_OK;
    }
    SNC_CHECK(*d->p == (first ? '[' : ','), SNC_E_FORMAT, "%s:%lld: expected ',' or ']' after a row", r->path, (long long)d->lines + 1);
    d->p++;
    skip_blanks(d);
    if (first && d->p < d->end && *d->p == ']') return next_object(more, out, r);
    SNC_CHECK(d->p < d->end && *d->p == '{', SNC_E_FORMAT, "%s:%lld: expected a JSON object", r->path, (long long)d->lines + 1);
    r->line = d->lines + 1;
    out->p = d->p;
    for (; d->p < d->end; d->p++) {
        char c = *d->p;
        d->lines += c == '\n';
        if (quoted && c == '\\' && d->p + 1 < d->end) d->p++;
        else if (c == '"') quoted = !quoted;
        else if (!quoted && (c == '{' || c == '[')) depth++;
        else if (!quoted && (c == '}' || c == ']') && --depth == 0) break;
    }
    SNC_CHECK(d->p < d->end, SNC_E_FORMAT, "%s:%lld: the object that begins here never ends", r->path, (long long)r->line);
    out->n = (size_t)(++d->p - out->p);
    *more = true;
    return SNC_OK;
}

static snc_err next_json(bool *more, snc_reader *r)
{
    snc_span row = {0};
    char where[1024];
    cJSON_Delete(r->json);
    r->json = NULL;
    if (r->form == SNC_FORM__JSONL) *more = next_line(&row, r);
    else SNC_TRY(next_object(more, &row, r));
    if (!*more) return SNC_OK;
    SNC_CHECK(!has_nul(row), SNC_E_FORMAT, "%s:%lld: a NUL character in the row", r->path, (long long)r->line);
    snprintf(where, sizeof where, "%.900s:%lld", r->path, (long long)r->line);
    SNC_TRY(snc_json_parse(&r->json, row.p, row.n, where));
    SNC_CHECK(cJSON_IsObject(r->json), SNC_E_FORMAT, "%s:%lld: expected a JSON object", r->path, (long long)r->line);
    SNC_TRY(read_text(&r->text_a, r, &r->task->text_a));
    r->text_b = (snc_span){0};
    r->second = find_key(r->json, &r->task->text_b) != NULL;
    if (r->task->pair) SNC_TRY(read_text(&r->text_b, r, &r->task->text_b));
    return read_target(r);
}

/* ---- which it is ---------------------------------------------------------------------------------------------------- */

static bool ends_in(const char *s, size_t n, const char *end)
{
    size_t m = strlen(end);
    return n >= m && memcmp(s + n - m, end, m) == 0;
}

static bool has_end(const char *path)
{
    const char *name = strrchr(path, '/');
    return strchr(name ? name : path, '.');
}

/* By name, and a .json, or what has no end to its name, by how it begins. */
static snc_form form_of(const snc_task *t, const char *path, snc_span data)
{
    size_t n = strlen(path);
    if (ends_in(path, n, ".gz")) n -= 3;
    bool auto_ = t->format == SNC_FORMAT_AUTO;
    while (data.n && is_blank(*data.p)) data.p++, data.n--;
    if (t->format == SNC_FORMAT_JSONL || (auto_ && (ends_in(path, n, ".jsonl") || ends_in(path, n, ".ndjson")))) return SNC_FORM__JSONL;
    const char first = data.n ? *data.p : 0;
    if (auto_ && (ends_in(path, n, ".json") || (!has_end(path) && (first == '[' || first == '{'))))
        return first == '[' ? SNC_FORM__LIST : SNC_FORM__JSONL;
    return t->format == SNC_FORMAT_CSV || (auto_ && ends_in(path, n, ".csv")) ? SNC_FORM__CSV : SNC_FORM__TSV;
}

/* What parts the columns: a TAB in TSV and a comma in CSV, unless the first line has none of those and has another. */
static char separator_of(snc_form form, snc_span data)
{
    static const char all[] = ",\t;|";
    const char *lf = data.n ? memchr(data.p, '\n', data.n) : NULL;
    size_t n = lf ? (size_t)(lf - data.p) : data.n;
    char usual = form == SNC_FORM__CSV ? ',' : '\t', best = usual;
    int most = 0;
    if (n == 0 || memchr(data.p, usual, n)) return usual;
    for (int k = 0; all[k]; k++) {
        int count = 0;
        for (size_t i = 0; i < n; i++) count += data.p[i] == all[k];
        if (count > most) {
            most = count;
            best = all[k];
        }
    }
    return best;
}

static snc_err open_delimited(snc_reader *r, snc_arena *arena, const snc_split_file *f, snc_span data)
{
    const snc_task *t = r->task;
    bool quoted = t->quoting == SNC_QUOTING_CSV || (t->quoting == SNC_QUOTING_AUTO && r->form == SNC_FORM__CSV);
    char separator = t->format == SNC_FORMAT_TSV ? '\t' : separator_of(r->form, data);
    if (t->quoting == SNC_QUOTING_AUTO && r->form == SNC_FORM__TSV && t->format == SNC_FORMAT_AUTO)
        SNC_TRY(snc_delimited__is_quoted(&quoted, data.p, data.n, separator));
    r->strict = t->format != SNC_FORMAT_TSV;
    snc_delimited__init(&r->text, arena, r->path, data.p, data.n, separator, quoted);
    return read_header(r, f->header);
}

static snc_err open_conll(snc_reader *r, snc_arena *arena, snc_span data)
{
    snc_delimited__init(&r->text, arena, r->path, data.p, data.n, ' ', false);
    r->a = r->task->text_a.index;
    r->label = r->task->label.index;
    r->b = NO_COLUMN;
    return SNC_OK;
}

snc_err snc_reader__init(snc_reader *r, snc_arena *arena, const snc_task *t, const snc_split_file *f, const char *path, const void *data,
                         size_t n)
{
    *r = (snc_reader){.task = t, .path = path};
    snc_span s = {data, n};
    if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) s = (snc_span){s.p + 3, n - 3};
    r->form = t->tags ? SNC_FORM__CONLL : form_of(t, path, s);
    r->texts = t->vectors && strcmp(f->split, "train") == 0;
    r->needs_label = !r->texts && (strcmp(f->split, "train") == 0 || strncmp(f->split, "dev", 3) == 0);
    if (t->tags) return open_conll(r, arena, s);
    if (!snc_reader__is_json(r)) return open_delimited(r, arena, f, s);
    snc_delimited__init(&r->text, arena, path, s.p, s.n, 0, false);
    skip_blanks(&r->text);
    r->begin = r->text.p;
    return SNC_OK;
}

snc_err snc_reader__next(bool *more, snc_reader *r)
{
    *more = false;
    if (r->form == SNC_FORM__CONLL) return snc_conll__next(more, r);
    return snc_reader__is_json(r) ? next_json(more, r) : next_delimited(more, r);
}

void snc_reader__dispose(snc_reader *r)
{
    cJSON_Delete(r->json);
    r->json = NULL;
    snc_delimited__dispose(&r->text);
}
