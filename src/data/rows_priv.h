/* data/rows_priv.h: the rows of a split as text, before any tokenizer.
 *
 * A reader walks one file held in memory and gives raw columns; snc_rows is the whole split with targets. Texts of a TSV
 * point into the mapped file, those of JSONL into an arena; both live as long as the snc_rows.
 */
#ifndef SNC_DATA_ROWS_PRIV_H
#define SNC_DATA_ROWS_PRIV_H

#include "base/fmap.h"
#include "base/json.h"
#include "data/task_priv.h"

typedef struct snc_span {
    const char *p; /* not NUL-terminated; NULL: there is none */
    size_t n;
} snc_span;

/* ---- reader --------------------------------------------------------------------------------------------------------- */

typedef struct snc_reader {
    const snc_task *task;
    const char *path;     /* for messages, borrowed */
    const char *p, *end;  /* what is left of the file */
    int64_t line;         /* of the present row, from 1 */
    int skipped;          /* rows left out by skip_short_rows */
    bool jsonl, needs_label;
    int a, b, label, need;  /* TSV columns: an index, -1 the last, NO_COLUMN; a row needs `need` of them */
    cJSON *json;            /* the present row of a JSONL */
    char number[32];        /* its label when it is a number */
    snc_span text_a, text_b, target; /* the present row, valid until the next; target.p NULL: no label */
} snc_reader;

/* data [n] stays the caller's. Reads the header. SNC_E_FORMAT: no rows at all, a column that the header lacks. */
snc_err snc_reader__init(snc_reader *r, const snc_task *t, const snc_split_file *f, const char *path, const void *data,
                         size_t n) SNC_MUST_USE;
/* *more false at the end. SNC_E_FORMAT: too few columns, not a JSON object, an absent key; each with its line number. */
snc_err snc_reader__next(bool *more, snc_reader *r) SNC_MUST_USE;
void    snc_reader__dispose(snc_reader *r);

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

typedef struct snc_row {
    snc_span a, b;  /* b.p NULL: a single text */
    float target;   /* NaN: none */
    int64_t line;
} snc_row;

typedef struct snc_rows {
    snc_row *row; /* [n] */
    int n, skipped;
    size_t cap;
    snc_fmap *map;
    snc_arena *arena;
    char *path;
} snc_rows;

/* One split of the task. dir holds the task's folder or the files themselves. SNC_E_NOTFOUND: no such split or file. */
snc_err snc_rows__load(snc_rows **out, const snc_task *t, const char *dir, const char *split) SNC_MUST_USE;
/* The same from memory; data must outlive the rows. */
snc_err snc_rows__parse(snc_rows **out, const snc_task *t, const char *split, const char *path, const void *data,
                        size_t n) SNC_MUST_USE;
/* A text file without labels: one row a line, a TAB parts a pair. */
snc_err snc_rows__load_unlabeled(snc_rows **out, const snc_task *t, const char *path) SNC_MUST_USE;
void    snc_rows__free(snc_rows *r);

#endif
