/* One pass of memchr over the bytes of the file: a field is a view, and copied only where "" inside quotes has to become one. */
#include "data/delimited_priv.h"

#include <string.h>

void snc_delimited__init(snc_delimited *d, snc_arena *arena, const char *path, const char *data, size_t n, char separator, bool quoted)
{
    *d = (snc_delimited){.arena = arena, .path = path, .p = data, .end = n ? data + n : data, .separator = separator, .quoted = quoted};
}

void snc_delimited__dispose(snc_delimited *d)
{
    snc_free(d->field);
    *d = (snc_delimited){0};
}

static snc_err add_field(snc_delimited *d, const char *p, size_t n)
{
    SNC_TRY(snc_grow(&d->field, &d->cap, (size_t)d->n + 1, sizeof *d->field));
    d->field[d->n++] = (snc_span){p, n};
    return SNC_OK;
}

/* Up to a separator or the end of the line, whichever is first; leaves d->p there. */
static const char *plain_end(const snc_delimited *d)
{
    const char *lf = memchr(d->p, '\n', (size_t)(d->end - d->p)), *stop = lf ? lf : d->end;
    const char *separator = memchr(d->p, d->separator, (size_t)(stop - d->p));
    if (separator) return separator;
    return stop > d->p && stop[-1] == '\r' ? stop - 1 : stop;
}

/* The text between quotes, each "" made one; d->p is behind the closing quote afterwards. */
static snc_err quoted_field(snc_delimited *d)
{
    const char *begin = d->p + 1, *q = begin;
    int64_t opened = d->lines + 1;
    bool doubled = false;
    for (;; q += 2) {
        q = memchr(q, '"', (size_t)(d->end - q));
        SNC_CHECK(q, SNC_E_FORMAT, "%s:%lld: a quote opens here and never closes (--quoting none: quotes are text)", d->path,
                  (long long)opened);
        if (q + 1 == d->end || q[1] != '"') break;
        doubled = true;
    }
    size_t n = (size_t)(q - begin);
    for (const char *lf = begin; (lf = memchr(lf, '\n', (size_t)(q - lf))) != NULL; lf++, d->spanned = true) d->lines++;
    d->doubled = d->doubled || doubled;
    d->spanned = d->spanned || memchr(begin, d->separator, n) != NULL;
    for (d->p = q + 1; d->p < d->end && *d->p == ' ' && d->separator != ' ';) d->p++; /* "good" ,1 as people type it */
    d->quotes++;
    bool ends = d->p == d->end || *d->p == d->separator || *d->p == '\n' || (*d->p == '\r' && d->p + 1 < d->end && d->p[1] == '\n');
    SNC_CHECK(ends, SNC_E_FORMAT, "%s:%lld: text after a closing quote (--quoting none: quotes are text)", d->path,
              (long long)d->lines + 1);
    if (d->p < d->end && *d->p == '\r') d->p++;
    if (!doubled) return add_field(d, begin, n);
    char *out;
    size_t at = 0;
    SNC_TRY(snc_arena_alloc(&out, d->arena, n));
    for (const char *c = begin; c < q; c++) {
        out[at++] = *c;
        if (*c == '"') c++;
    }
    return add_field(d, out, at);
}

static snc_err read_record(snc_delimited *d)
{
    d->n = d->quotes = 0;
    for (;;) {
        if (d->quoted && d->p < d->end && *d->p == '"') {
            SNC_TRY(quoted_field(d));
        } else {
            const char *stop = plain_end(d);
            SNC_TRY(add_field(d, d->p, (size_t)(stop - d->p)));
            d->p = stop + (stop < d->end && *stop == '\r');
        }
        if (d->p == d->end || *d->p == '\n') break;
        d->p++; /* the separator */
    }
    if (d->p < d->end) d->p++;
    d->lines++;
    return SNC_OK;
}

snc_err snc_delimited__next(bool *more, snc_delimited *d)
{
    *more = false;
    while (d->p < d->end) {
        d->line = d->lines + 1;
        SNC_TRY(read_record(d));
        if (d->n == 1 && d->field[0].n == 0) continue;
        *more = true;
        return SNC_OK;
    }
    return SNC_OK;
}

snc_err snc_delimited__is_quoted(bool *out, const char *data, size_t n, char separator)
{
    snc_delimited d;
    snc_arena *arena = NULL;
    bool more = true, same = true, all = false;
    int columns = 0;
    *out = false;
    if (n == 0 || !memchr(data, '"', n)) return SNC_OK;
    SNC_TRY(snc_arena_new(&arena));
    snc_delimited__init(&d, arena, "", data, n, separator, true);
    while (more && same) {
        same = snc_delimited__next(&more, &d) == SNC_OK && (!more || columns == 0 || d.n == columns);
        if (columns) continue;
        columns = d.n;
        all = columns && d.quotes == columns;
    }
    *out = same && (all || d.doubled || d.spanned);
    snc_delimited__dispose(&d);
    snc_arena_free(arena);
    return SNC_OK;
}
