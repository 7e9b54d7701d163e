/* artifact/paper_rows.h: rows that nobody has yet, so many of so many tokens, for a plan of what they would take.
 *
 * A task of two classes. Ids are drawn by seed from the model's whole vocabulary. Rank and select are what the rule of data/dataset.h
 * carves from a file of so many rows: a tenth each, 50 to 1,000; dev is as large.
 */
#ifndef SNC_ARTIFACT_PAPER_ROWS_H
#define SNC_ARTIFACT_PAPER_ROWS_H

#include "artifact/inputs.h"

typedef struct snc_paper_rows {
    snc_dataset all, train, rank, select; /* the last three begin the first: what the rows are does not matter */
} snc_paper_rows;

/* n of at least 200 rows; in borrows `out`. SNC_E_ARG: more than SNC_PAPER_TOKENS in all; SNC_E_SHAPE: longer than the model's
 * positions. */
snc_err snc_paper_rows_new(snc_paper_rows *out, snc_inputs *in, const char *model, int n, int tokens, uint64_t seed) SNC_MUST_USE;
#define SNC_PAPER_TOKENS 5e8
/* Both; nothing where there are none. */
void snc_paper_rows_dispose(snc_paper_rows *p, snc_inputs *in);

#endif
