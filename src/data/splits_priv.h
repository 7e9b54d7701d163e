/* data/splits_priv.h: who goes where: the carve of the train file, before any tokenizer. */
#ifndef SNC_DATA_SPLITS_PRIV_H
#define SNC_DATA_SPLITS_PRIV_H

#include "data/rows_priv.h"

/* Row numbers in file order; `extra` counts in the unlabelled rows. */
typedef struct snc_carve {
    int32_t *train, *rank, *select, *extra;
    int n_train, n_rank, n_select, n_extra;
    int removed, removed_extra; /* contained in a row of rank or select */
} snc_carve;

/* extra may be NULL. SNC_E_FORMAT: too few rows to hold any out. */
snc_err snc_carve__make(snc_carve *out, const snc_rows *rows, const snc_rows *extra, bool phrases, uint64_t seed) SNC_MUST_USE;
/* The dev rows of a task that has no file of them, taken out of train, for `dev`; or what is left, less the rows that these contain.
 * Stratified by class; drawn by the rows' own text with a seed that is not the user's, so that every command and every --seed finds the
 * same, and few change where a file grows. None where there are too few rows. A tenth of the rows, at least 50, at most 1,000, never more
 * than a quarter. */
snc_err snc_carve__dev(snc_rows *rows, bool dev, int classes, bool phrases) SNC_MUST_USE;
void snc_carve__dispose(snc_carve *c);
/* Keeps `keep` of the n row numbers, drawn by seed, in their order; all when keep is 0. A larger draw holds the smaller. */
snc_err snc_carve__sample(int32_t *rows, int *n, int keep, uint64_t seed) SNC_MUST_USE;

#endif
