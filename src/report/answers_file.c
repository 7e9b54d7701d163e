/* A row is a line; reading is strict, since what it accepts by mistake would be scored. */
#include "report/answers_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/textbuf.h"
#include "models/cutoff.h"

/* What parts the labels of a multilabel task. */
static snc_err separator(char *out, const snc_task *task)
{
    char *text = NULL;
    cJSON *j = NULL;
    *out = ',';
    if (!snc_task_multilabel(task)) return SNC_OK;
    SNC_TRY(snc_task_json(&text, task));
    snc_err err = snc_json_parse(&j, text, strlen(text), snc_task_name(task));
    const char *says = snc_json_text(j, "label_separator");
    if (says && *says) *out = *says;
    cJSON_Delete(j);
    snc_free(text);
    return err;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

static void put_set(snc_textbuf *t, const snc_task *task, const float *z, const uint8_t *has, int K, char comma)
{
    bool any = false;
    for (int k = 0; k < K; k++) {
        if (has ? !has[k] : z[k] < 0) continue;
        if (any) snc_textbuf_put(t, "%c", comma);
        snc_textbuf_text(t, snc_task_label(task, k));
        any = true;
    }
}

static void put_answer(snc_textbuf *t, const snc_task *task, const float *z, int K, char comma)
{
    if (snc_task_regression(task)) snc_textbuf_put(t, "%.9g", snc_value_of(snc_task_meaning(task), z));
    else if (snc_task_multilabel(task)) put_set(t, task, z, NULL, K, comma);
    else snc_textbuf_text(t, snc_task_label(task, snc_class_best(z, K)));
}

static void put_label(snc_textbuf *t, const snc_task *task, const snc_dataset *d, int i, int K, char comma)
{
    if (snc_task_regression(task)) snc_textbuf_put(t, "%.9g", (double)d->target[i]);
    else if (snc_task_multilabel(task)) put_set(t, task, NULL, snc_sets_of(d->sets, (int)d->target[i]), K, comma);
    else snc_textbuf_text(t, snc_task_label(task, (int)d->target[i]));
}

snc_err snc_answers_write(const char *dir, const snc_task *task, const snc_dataset *d, int K, const snc_answer_column *columns, int n)
{
    snc_textbuf t = {0};
    char comma;
    SNC_TRY(separator(&comma, task));
    snc_textbuf_put(&t, "index\tlabel");
    for (int c = 0; c < n; c++) snc_textbuf_put(&t, "\t%s", columns[c].name);
    for (int i = 0; i < snc_dataset_answers(d); i++) {
        snc_textbuf_put(&t, "\n%d\t", i);
        put_label(&t, task, d, i, K, comma);
        for (int c = 0; c < n; c++) {
            snc_textbuf_put(&t, "\t");
            put_answer(&t, task, columns[c].logits + (size_t)i * (size_t)K, K, comma);
        }
    }
    snc_textbuf_put(&t, "\n");
    return snc_textbuf_write(&t, dir, "answers.tsv");
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

typedef struct span {
    const char *p;
    size_t n;
} span;

typedef struct reading {
    const char *path;
    const snc_task *task;
    int n, K, column; /* -1: a prediction alone */
    char comma;
    float *z;
    uint8_t *seen; /* [n] */
} reading;

static bool is(span s, const char *text) { return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0; }

/* The line at *at without its end, and *at behind it; false at the end of the text. */
static bool next_line(span *line, const char **at)
{
    if (!**at) return false;
    line->p = *at;
    line->n = strcspn(*at, "\n");
    *at += line->n + ((*at)[line->n] == '\n');
    if (line->n && line->p[line->n - 1] == '\r') line->n--;
    return true;
}

static bool field(span *out, span line, int i)
{
    const char *end = line.p + line.n, *p = line.p;
    for (; i >= 0; i--) {
        const char *tab = memchr(p, '\t', (size_t)(end - p));
        *out = (span){p, (size_t)((tab ? tab : end) - p)};
        if (!tab) break;
        p = tab + 1;
    }
    return i <= 0;
}

static int find_column(span names, const char *column)
{
    span f;
    for (int i = 1; field(&f, names, i); i++)
        if (is(f, column)) return i;
    return -1;
}

static void known_labels(char *buf, size_t size, const snc_task *task)
{
    size_t at = 0;
    buf[0] = 0;
    for (int k = 0; k < snc_task_classes(task) && at < size; k++)
        at += (size_t)snprintf(buf + at, size - at, "%s%.60s", k ? ", " : "", snc_task_label(task, k));
}

static snc_err read_class(int *k, const reading *r, span s, long line)
{
    char known[256];
    *k = snc_task_class(r->task, s.p, s.n);
    if (*k >= 0) return SNC_OK;
    known_labels(known, sizeof known, r->task);
    return snc_err_set(SNC_E_FORMAT, "%s:%ld: '%.*s' is no label of %s (%s)", r->path, line, (int)(s.n < 60 ? s.n : 60), s.p,
                       snc_task_name(r->task), known);
}

static snc_err read_number(float *z, const reading *r, span s, long line)
{
    char text[64], *end = text;
    snprintf(text, sizeof text, "%.*s", (int)(s.n < 63 ? s.n : 63), s.p);
    double v = strtod(text, &end);
    SNC_CHECK(end != text && *end == 0 && isfinite(v), SNC_E_FORMAT, "%s:%ld: '%.40s': expected a number", r->path, line, text);
    const bool score = snc_task_meaning(r->task) == SNC_MEANS_SCORE;
    SNC_CHECK(!score || (v >= 0 && v <= 1), SNC_E_FORMAT, "%s:%ld: '%.40s': expected a score between 0 and 1", r->path, line, text);
    *z = (float)(score ? snc_threshold_logit(fmin(fmax(v, 1e-7), 1 - 1e-7)) : v);
    return SNC_OK;
}

static snc_err read_value(const reading *r, int row, span s, long line)
{
    float *z = r->z + (size_t)row * (size_t)r->K;
    int k;
    if (snc_task_regression(r->task)) return read_number(z, r, s, line);
    for (k = 0; k < r->K; k++) z[k] = snc_task_multilabel(r->task) ? -1 : 0;
    if (!snc_task_multilabel(r->task)) {
        SNC_TRY(read_class(&k, r, s, line));
        z[k] = 1;
        return SNC_OK;
    }
    while (s.n) {
        const char *comma = memchr(s.p, r->comma, s.n);
        span one = {s.p, comma ? (size_t)(comma - s.p) : s.n};
        SNC_TRY(read_class(&k, r, one, line));
        z[k] = 1;
        s = (span){one.p + one.n + (comma != NULL), s.n - one.n - (comma != NULL)};
    }
    return SNC_OK;
}

static snc_err read_row(const reading *r, int i, span text, long line)
{
    span value = text;
    const char *end;
    if (r->column < 0) return read_value(r, i, value, line);
    bool numbered = snc_int_read(&i, text.p, &end) && *end == '\t';
    SNC_CHECK(numbered && field(&value, text, r->column), SNC_E_FORMAT, "%s:%ld: expected index TAB prediction", r->path, line);
    SNC_CHECK(i >= 0 && i < r->n, SNC_E_FORMAT, "%s:%ld: index %d, and the %d dev rows of %s are 0 to %d", r->path, line, i, r->n,
              snc_task_name(r->task), r->n - 1);
    SNC_CHECK(!r->seen[i], SNC_E_FORMAT, "%s:%ld: index %d stands there twice", r->path, line, i);
    r->seen[i] = 1;
    return read_value(r, i, value, line);
}

/* Finds out the form by the first line; *at is behind the names. */
static snc_err open_form(reading *r, const char **at, const char *column)
{
    span line = {"", 0}, first;
    const char *behind = *at, *end;
    int i;
    next_line(&line, &behind);
    bool wide = memchr(line.p, '\t', line.n) != NULL, names;
    field(&first, line, 0);
    names = wide ? !(snc_int_read(&i, first.p, &end) && end == first.p + first.n) : is(line, "prediction");
    r->column = column ? find_column(line, column) : wide ? 1 : -1;
    SNC_CHECK(!column || r->column > 0, SNC_E_FORMAT, "%s: no column '%s'", r->path, column);
    if (names) *at = behind;
    return SNC_OK;
}

/* An empty line is a row where a set of labels stands alone. */
static bool is_row(const reading *r, span line) { return line.n || (r->column < 0 && snc_task_multilabel(r->task)); }

static snc_err read_rows(const reading *r, const char *text, const char *at)
{
    span line;
    int rows = 0, i = 0;
    long number = at == text ? 0 : 1;
    for (const char *p = at; next_line(&line, &p);) rows += is_row(r, line);
    SNC_CHECK(rows == r->n, SNC_E_FORMAT, "%s: %d answers, and %s has %d dev rows", r->path, rows, snc_task_name(r->task), r->n);
    while (next_line(&line, &at)) {
        number++;
        if (is_row(r, line)) SNC_TRY(read_row(r, i++, line, number));
    }
    return SNC_OK;
}

snc_err snc_answers_read(float *logits, const char *path, const char *column, const snc_task *task, const snc_dataset *d)
{
    snc_err err = SNC_OK;
    char *text = NULL;
    size_t size;
    reading r = {.path = path, .task = task, .n = (int)snc_dataset_answers(d), .K = snc_task_outputs(task), .z = logits};
    SNC_TRY(separator(&r.comma, task));
    SNC_TRY(snc_file_read(&text, &size, path));
    const char *at = text;
    SNC_GOTO(snc_alloc(&r.seen, (size_t)r.n, 1));
    if (strlen(text) != size) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "%s: a NUL byte in it: expected a TSV", path));
    if (strncmp(at, "\xef\xbb\xbf", 3) == 0) at += 3;
    SNC_GOTO(open_form(&r, &at, column));
    err = read_rows(&r, text, at);
out:
    snc_free(r.seen);
    snc_free(text);
    return err;
}
