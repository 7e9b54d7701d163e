/* data/rows_priv.h: the rows of a split as text, before any tokenizer.
 *
 * A reader walks one file held in memory and gives raw columns; snc_rows is the whole split with targets. Texts of CSV and TSV
 * point into the file, those of JSON and those whose quotes were undone into an arena; both live as long as the snc_rows.
 */
#ifndef SNC_DATA_ROWS_PRIV_H
#define SNC_DATA_ROWS_PRIV_H

#include "base/json.h"
#include "base/blanks.h"
#include "data/delimited_priv.h"
#include "data/sets.h"
#include "data/task_priv.h"
#include "data/textfile_priv.h"

/* ---- reader --------------------------------------------------------------------------------------------------------- */

typedef enum snc_form {
    SNC_FORM__TSV,
    SNC_FORM__CSV,
    SNC_FORM__JSONL,
    SNC_FORM__LIST /* a JSON array of objects */,
    SNC_FORM__CONLL
} snc_form;

typedef struct snc_reader {
    const snc_task *task;
    const char *path; /* for messages, borrowed */
    snc_form form;
    snc_delimited text; /* what is left of the file; of JSON, without fields */
    const char *begin;  /* of a list, where its bracket is */
    int64_t line;       /* of the present row, from 1 */
    int skipped;        /* rows left out by skip_short_rows */
    bool needs_label, strict;
    bool gap;       /* of tagged words: a sentence begins with the present one */
    bool texts;     /* of vectors to learn: labels are passed over, and each text is a row */
    bool second;    /* a column of text_b is there, whatever the task makes of it; of JSON in the present row */
    snc_span *name; /* [names] cells of the header, in the arena */
    int names;
    int width;                       /* columns that every row has to have; 0: any number of at least `need` */
    int a, b, label, need;           /* columns: an index, -1 the last, NO_COLUMN */
    cJSON *json;                     /* the present row of JSON */
    char number[32];                 /* its label when it is a number */
    snc_span text_a, text_b, target; /* the present row; of JSON valid until the next; target.p NULL: no label */
    const cJSON *list;               /* in place of target: its labels, of JSON in a task of any number of labels */
} snc_reader;

/* The labels of the present row, one by one: its target, or what that is a list of (multilabel). */
typedef struct snc_label_walk {
    const cJSON *item;
    snc_span rest; /* p NULL: nothing is left */
} snc_label_walk;

/* data [n] stays the caller's; fields whose quotes were undone go to the arena. Reads the header. SNC_E_FORMAT: no rows at all, a
 * column that the header lacks or has twice. */
snc_err snc_reader__init(snc_reader *r, snc_arena *arena, const snc_task *t, const snc_split_file *f, const char *path, const void *data,
                         size_t n) SNC_MUST_USE;
/* *more false at the end. SNC_E_FORMAT: too few columns, not a JSON object, an absent key; each with its line number. */
snc_err snc_reader__next(bool *more, snc_reader *r) SNC_MUST_USE;
void snc_reader__dispose(snc_reader *r);
bool snc_reader__is_json(const snc_reader *r);
/* The key of a JSON row that a column reads; NULL: it has none. */
const cJSON *snc_reader__key(const snc_reader *r, const snc_column *c);
/* Equal, or so but for ASCII case and blanks around: what finds a column. */
bool snc_reader__alike(snc_span cell, const char *name);
snc_label_walk snc_reader__labels(const snc_reader *r);
/* *more false at the end; a number is written into r. SNC_E_FORMAT: a list item that is no label, an empty label between separators. */
snc_err snc_reader__label(bool *more, snc_span *label, snc_reader *r, snc_label_walk *walk) SNC_MUST_USE;

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

typedef struct snc_row {
    snc_span a, b; /* b.p NULL: a single text */
    float target;  /* class, value, or number of a set of labels; NaN: none */
    int64_t line;
    int first, words; /* of tags: its words among those of all rows */
} snc_row;

typedef struct snc_word {
    snc_span text;
    float target; /* class of its tag; NaN: none */
} snc_word;

typedef struct snc_rows {
    snc_row *row; /* [n] */
    int n, skipped;
    int dev, left_out; /* of a train file that has given its own dev rows: how many those are, and rows that they contain */
    size_t cap;
    snc_sets *sets; /* of multilabel; NULL otherwise */
    snc_word *word; /* [words] of tags, sentence after sentence; NULL otherwise */
    int words;
    size_t word_cap;
    snc_textfile file;
    snc_arena *arena;
    char *path;
    cJSON *source; /* of what was read how: data/source_priv.h */
} snc_rows;

/* Bytes of memory that a file of so many takes as rows and tokens: as measured, 3.4 for each of English in short rows. */
double snc_rows__memory(double bytes);
enum { SNC_ROWS__LARGE = 256000000 }; /* bytes of a file that is asked whether there is room */

/* One split of the task. dir holds the task's folder or the files themselves, or is one file, whose rows are train. What is no key of
 * "files" is the path of a file, from here or from the task's folder. SNC_E_NOTFOUND: no such split or file. */
snc_err snc_rows__load(snc_rows **out, const snc_task *t, const char *dir, const char *split) SNC_MUST_USE;
/* Whether a split has no file. SNC_E_UNSUPPORTED: it has one that nobody reads. */
snc_err snc_rows__absent(bool *out, const snc_task *t, const char *dir, const char *split) SNC_MUST_USE;
snc_err snc_rows__add(snc_rows *r, const snc_row *row) SNC_MUST_USE;
struct snc_labels;
/* The target of the reader's present row. */
snc_err snc_rows__target(float *out, struct snc_labels *labels, snc_reader *r, snc_sets *sets) SNC_MUST_USE;
/* The same from memory; data must outlive the rows. */
snc_err snc_rows__parse(snc_rows **out, const snc_task *t, const char *split, const char *path, const void *data, size_t n) SNC_MUST_USE;
/* A text file without labels: one row a line, a TAB parts a pair. */
snc_err snc_rows__load_unlabeled(snc_rows **out, const snc_task *t, const char *path) SNC_MUST_USE;
void snc_rows__free(snc_rows *r);
/* Of a row's texts. */
uint64_t snc_row__digest(const snc_row *r);
bool snc_row__is_empty(const snc_row *r); /* blanks alone */

/* A finite decimal number and nothing else: no hexadecimals, no "nan". */
bool snc_read_number(double *out, snc_span s);

#endif
