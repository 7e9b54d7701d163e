/* data/delimited_priv.h: the records of CSV and TSV, one after the other.
 *
 *   quoted    RFC 4180: a field that begins with a quote ends at the next single one; inside it separators, line feeds and "" (one
 *             quote) are text. Any other quote is a character like every other, as Python's csv and pandas have it.
 *   unquoted  a record is a line and a quote means nothing: GLUE's files.
 *
 * Records end with LF or CR LF; empty lines are passed over. Fields point into the data, or, where "" was undone, into the arena.
 */
#ifndef SNC_DATA_DELIMITED_PRIV_H
#define SNC_DATA_DELIMITED_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

typedef struct snc_span {
    const char *p; /* not NUL-terminated; NULL: there is none */
    size_t n;
} snc_span;

typedef struct snc_delimited {
    const char *path;    /* for messages, borrowed */
    const char *p, *end; /* what is left */
    int64_t line, lines; /* of the present record's begin, from 1; lines behind us */
    bool quoted;
    char separator;
    snc_span *field; /* [n] of the present record */
    int n, quotes;   /* fields; those that stood in quotes */
    size_t cap;
    snc_arena *arena;      /* of fields without their doubled quotes; the caller's */
    bool doubled, spanned; /* seen so far: a doubled quote; a separator or a line feed inside quotes */
} snc_delimited;

void snc_delimited__init(snc_delimited *d, snc_arena *arena, const char *path, const char *data, size_t n, char separator, bool quoted);
/* *more false at the end. SNC_E_FORMAT: a quote that never closes, text after a closing one; with the line. */
snc_err snc_delimited__next(bool *more, snc_delimited *d) SNC_MUST_USE;
void snc_delimited__dispose(snc_delimited *d);

/* Whether the data reads as quoted and says so: every record has as many fields as the first, and some field needs its quotes (it
 * holds a separator, a line feed or a doubled quote) or all of the first record's have them. */
snc_err snc_delimited__is_quoted(bool *out, const char *data, size_t n, char separator) SNC_MUST_USE;

#endif
