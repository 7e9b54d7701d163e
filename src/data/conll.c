/* A word a line, its tag in one of the columns, and an empty line between sentences (CoNLL): lines become words, words become rows. */
#include <string.h>

#include "data/conll_priv.h"

enum { SHOWN = 60, PAST = -1 };

static int shown(snc_span s) { return s.n < SHOWN ? (int)s.n : SHOWN; }

static snc_span line_of(snc_delimited *d)
{
    const char *begin = d->p, *lf = memchr(begin, '\n', (size_t)(d->end - begin)), *stop = lf ? lf : d->end;
    d->p = lf ? lf + 1 : d->end;
    d->lines++;
    while (begin < stop && snc_is_blank(*begin)) begin++;
    while (begin < stop && snc_is_blank(stop[-1])) stop--;
    return (snc_span){begin, (size_t)(stop - begin)};
}

/* The column of this number, or the last one; *n: how many there are. */
static snc_span column(int *n, snc_span line, int which)
{
    snc_span found = {0}, word;
    const char *p = line.p, *end = line.p + line.n;
    for (*n = 0; word.p = snc_next_word(&word.n, &p, end), word.n; ++*n)
        if (*n == which || which == PAST) found = word;
    return found;
}

snc_err snc_conll__next(bool *more, snc_reader *r)
{
    static const char mark[] = "-DOCSTART-"; /* stands for a document that begins, and is no word of it */
    int columns, same;
    snc_span line = {0};
    r->gap = r->line == 0;
    for (*more = false; r->text.p < r->text.end && !*more;) {
        line = line_of(&r->text);
        *more = line.n > 0 && !(line.n >= strlen(mark) && memcmp(line.p, mark, strlen(mark)) == 0);
        r->gap = r->gap || !*more;
    }
    if (!*more) return SNC_OK;
    r->line = r->text.lines;
    SNC_CHECK(!memchr(line.p, 0, line.n), SNC_E_FORMAT, "%s:%lld: a NUL character in the line", r->path, (long long)r->line);
    r->text_a = column(&columns, line, r->a);
    r->target = column(&same, line, r->label);
    const bool apart = r->target.p && r->target.p != r->text_a.p;
    SNC_CHECK(r->text_a.p && (apart || !r->needs_label), SNC_E_FORMAT, "%s:%lld: %d column%s, expected a word and its tag", r->path,
              (long long)r->line, columns, columns == 1 ? "" : "s");
    if (!apart) r->target = (snc_span){0};
    return SNC_OK;
}

/* What an inside tag stands behind: a tag of the same kind that begins or goes on. */
static snc_err check_sequence(const snc_reader *r, snc_span before)
{
    const snc_span tag = r->target;
    if (r->task->any_tags || tag.n < 2 || tag.p[0] != 'I' || tag.p[1] != '-') return SNC_OK;
    const bool goes_on = before.n == tag.n && (before.p[0] == 'B' || before.p[0] == 'I') && memcmp(before.p + 1, tag.p + 1, tag.n - 1) == 0;
    SNC_CHECK(goes_on, SNC_E_FORMAT,
              "%s:%lld: '%.*s' behind %s%.*s%s: expected 'B%.*s' before it (\"tags\": \"any\" in a task file takes sequences as they are)",
              r->path, (long long)r->line, shown(tag), tag.p, before.n ? "'" : "nothing", shown(before), before.n ? before.p : "",
              before.n ? "'" : "", shown(tag) - 1, tag.p + 1);
    return SNC_OK;
}

/* The sentence that has ended, as a text: its words with a blank between them. */
static snc_err close_row(snc_rows *rows, snc_row *row)
{
    size_t bytes = 0;
    char *text, *at;
    row->words = rows->words - row->first;
    if (row->words == 0) return SNC_OK;
    for (int i = 0; i < row->words; i++) bytes += rows->word[row->first + i].text.n + 1;
    SNC_TRY(snc_arena_alloc(&text, rows->arena, bytes));
    at = text;
    for (int i = 0; i < row->words; i++) {
        const snc_span w = rows->word[row->first + i].text;
        if (i) *at++ = ' ';
        memcpy(at, w.p, w.n);
        at += w.n;
    }
    row->a = (snc_span){text, (size_t)(at - text)};
    return snc_rows__add(rows, row);
}

static snc_err add_word(snc_rows *rows, snc_span text, float tag)
{
    SNC_TRY(snc_grow(&rows->word, &rows->word_cap, (size_t)rows->words + 1, sizeof *rows->word));
    rows->word[rows->words++] = (snc_word){text, tag};
    return SNC_OK;
}

static void begin(snc_row *row, const snc_rows *rows, int64_t line) { *row = (snc_row){.line = line, .first = rows->words}; }

snc_err snc_conll__fill(snc_rows *rows, snc_labels *labels, snc_reader *r)
{
    bool more;
    snc_row row = {0};
    snc_span before = {0};
    SNC_TRY(snc_reader__next(&more, r));
    if (more) snc_source__columns(rows->source, r);
    for (begin(&row, rows, r->line); more;) {
        float tag;
        if (r->gap) {
            SNC_TRY(close_row(rows, &row));
            begin(&row, rows, r->line);
            before = (snc_span){0};
        }
        SNC_TRY(check_sequence(r, before));
        SNC_TRY(snc_rows__target(&tag, labels, r, NULL));
        SNC_TRY(add_word(rows, r->text_a, tag));
        before = r->target;
        SNC_TRY(snc_reader__next(&more, r));
    }
    return close_row(rows, &row);
}

snc_err snc_conll__plain(snc_rows *rows, snc_span line, int64_t number)
{
    snc_row row;
    snc_span word;
    const char *p = line.p, *end = line.p + line.n;
    begin(&row, rows, number);
    while (word.p = snc_next_word(&word.n, &p, end), word.n) SNC_TRY(add_word(rows, word, SNC_ROWS__UNSEEN));
    return close_row(rows, &row);
}
