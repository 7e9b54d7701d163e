/* data/labels_priv.h: how labels are spelt in files, and which class a spelling is.
 *
 * A label is what it is byte for byte, or, where no class is spelt so, the one class that differs from it in nothing but ASCII case, blanks
 * (in front, behind, or how many), quotes around all of it, or ".0" behind a whole number. That is what snc_label__fold makes equal.
 */
#ifndef SNC_DATA_LABELS_PRIV_H
#define SNC_DATA_LABELS_PRIV_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "data/rows_priv.h"

typedef struct snc_spelling {
    UT_hash_handle hh; /* by text; hh.next is the one that came after it */
    snc_span text;
    int class; /* -1: of two classes */
    int64_t rows;
} snc_spelling;

/* Which class a label of the task is. */
typedef struct snc_labels {
    snc_spelling *as_is, *folded; /* by text; the first of as_is are the task's. In the arena */
    snc_arena *arena;
} snc_labels;

snc_err snc_labels__init(snc_labels *l, const snc_task *t, snc_arena *arena) SNC_MUST_USE;
/* *class -1: none of them. */
snc_err snc_labels__class(int *class, snc_labels *l, snc_span label) SNC_MUST_USE;
void snc_labels__dispose(snc_labels *l);

snc_err snc_label__fold(snc_span *out, snc_arena *arena, snc_span label) SNC_MUST_USE;

/* Reads the file to its end and makes the task's labels of what it finds: one of all spellings that fold alike, as most rows have it. */
snc_err snc_labels__discover(snc_task *t, snc_reader *r) SNC_MUST_USE;

#endif
