/* data/conll_priv.h: files of tagged words, in the columns of CoNLL.
 *
 *     U.N.         NNP  I-NP  B-ORG
 *     official     NN   I-NP  O
 *                                      an empty line, or one that begins with -DOCSTART-, ends a sentence
 *     Ekeus        NNP  I-NP  B-PER
 *
 * Columns are parted by blanks or TABs. A row is a sentence: its words are rows->word[row.first ..], its text has a blank between them.
 */
#ifndef SNC_DATA_CONLL_PRIV_H
#define SNC_DATA_CONLL_PRIV_H

#include <math.h>

#include "data/labels_priv.h"
#include "data/source_priv.h"

#define SNC_ROWS__UNSEEN NAN /* the target of what has no label */

/* The next word: text_a and target of r, and whether a sentence begins with it (r->gap). SNC_E_FORMAT: a column is missing. */
snc_err snc_conll__next(bool *more, snc_reader *r) SNC_MUST_USE;
/* All rows of a file. SNC_E_FORMAT: an unknown tag; one inside of what has not begun, unless the task takes any sequence. */
snc_err snc_conll__fill(snc_rows *rows, snc_labels *labels, snc_reader *r) SNC_MUST_USE;
/* A line of words without tags as a row. */
snc_err snc_conll__plain(snc_rows *rows, snc_span line, int64_t number) SNC_MUST_USE;

#endif
