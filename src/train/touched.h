/* train/touched.h: which embedding rows a batch reads: distinct words, positions and types, in order of appearance. */
#ifndef SNC_TRAIN_TOUCHED_H
#define SNC_TRAIN_TOUCHED_H

#include "core/tokens.h"
#include "models/model.h"
#include "train/adamw.h"

typedef struct snc_touched snc_touched;
snc_err snc_touched_new(snc_touched **out, const snc_model *m) SNC_MUST_USE;
void snc_touched_free(snc_touched *t);
/* A row set for each of the n tables of which a batch reads a few rows, borrowed until the next scan. Ids must lie in the tables. */
const snc_row_set *snc_touched_scan(int *n, snc_touched *t, const snc_tokens *x);

#endif
