/* base/textbuf.h: a text that grows, written to a file at the end; the first failure sticks until then. */
#ifndef SNC_BASE_TEXTBUF_H
#define SNC_BASE_TEXTBUF_H

#include <stddef.h>

#include "base/error.h"

typedef struct snc_textbuf {
    char *p; /* NUL-terminated once something was put */
    size_t n, cap;
    snc_err err;
} snc_textbuf;

/* A piece of at most 2,047 bytes; longer ones are cut. */
void snc_textbuf_put(snc_textbuf *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text of any length. */
void snc_textbuf_bytes(snc_textbuf *d, const char *bytes, size_t n);
void snc_textbuf_text(snc_textbuf *d, const char *text);
/* A number, or `none` where it is not finite. */
void snc_textbuf_number(snc_textbuf *d, double v, int digits, const char *none);
/* Any text, with &, <, > and quotes as HTML wants them. */
void snc_textbuf_html(snc_textbuf *d, const char *text);
/* Any text as a JSON string, quotes included. */
void snc_textbuf_json(snc_textbuf *d, const char *text);
/* Any text as a field of CSV (RFC 4180): between quotes where it has to be. */
void snc_textbuf_csv(snc_textbuf *d, const char *text);
/* dir/name, all or nothing; frees the text. */
snc_err snc_textbuf_write(snc_textbuf *d, const char *dir, const char *name) SNC_MUST_USE;

#endif
