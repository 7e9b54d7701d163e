/* A buffer that doubles; the first failure is kept until the text is written. */
#include "base/textbuf.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"

static void append(snc_textbuf *d, const char *text, size_t n)
{
    if (d->err) return;
    d->err = snc_grow(&d->p, &d->cap, d->n + n + 1, 1);
    if (d->err) return;
    memcpy(d->p + d->n, text, n);
    d->n += n;
    d->p[d->n] = 0;
}

void snc_textbuf_put(snc_textbuf *d, const char *fmt, ...)
{
    char piece[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(piece, sizeof piece, fmt, ap);
    va_end(ap);
    if (n > 0) append(d, piece, (size_t)n < sizeof piece ? (size_t)n : sizeof piece - 1);
}

void snc_textbuf_bytes(snc_textbuf *d, const char *bytes, size_t n) { append(d, bytes, n); }
void snc_textbuf_text(snc_textbuf *d, const char *text) { append(d, text, strlen(text)); }

void snc_textbuf_number(snc_textbuf *d, double v, int digits, const char *none)
{
    if (isfinite(v)) snc_textbuf_put(d, "%.*f", digits, v);
    else snc_textbuf_put(d, "%s", none);
}

void snc_textbuf_html(snc_textbuf *d, const char *text)
{
    for (const char *c = text ? text : ""; *c; c++) {
        const char *as = *c == '&' ? "&amp;" : *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : *c == '"' ? "&quot;" : NULL;
        append(d, as ? as : c, as ? strlen(as) : 1);
    }
}

void snc_textbuf_json(snc_textbuf *d, const char *text)
{
    cJSON *j = cJSON_CreateString(text);
    char *quoted = j ? cJSON_PrintUnformatted(j) : NULL;
    if (quoted) snc_textbuf_text(d, quoted);
    else if (!d->err) d->err = snc_err_set(SNC_E_NOMEM, "out of memory while printing JSON");
    cJSON_free(quoted);
    cJSON_Delete(j);
}

void snc_textbuf_csv(snc_textbuf *d, const char *text)
{
    bool quoted = text[strcspn(text, ",\"\r\n")] != 0;
    if (quoted) append(d, "\"", 1);
    for (const char *c = text; *c; c++) {
        if (*c == '"') append(d, c, 1);
        append(d, c, 1);
    }
    if (quoted) append(d, "\"", 1);
}

snc_err snc_textbuf_write(snc_textbuf *d, const char *dir, const char *name)
{
    char path[4096];
    snc_err err = d->err;
    if (!err) err = snc_path_join(path, sizeof path, dir, name);
    if (!err) err = snc_file_write(path, d->p, d->n);
    snc_free(d->p);
    *d = (snc_textbuf){0};
    return err;
}
