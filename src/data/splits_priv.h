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
void    snc_carve__dispose(snc_carve *c);
/* Keeps `keep` of the n row numbers, drawn by seed, in their order; all when keep is 0. A larger draw holds the smaller. */
snc_err snc_carve__sample(int32_t *rows, int *n, int keep, uint64_t seed) SNC_MUST_USE;

#endif
