/* data/contain_priv.h: which rows are contained in others, as a run of words.
 *
 * A word is what stands between blanks, byte for byte. Row i is contained in row j when the words of its text are a run of
 * j's words; of a pair, when that holds for both texts. Equal rows contain each other; a row without words is contained
 * in every other.
 *
 * A row's words are looked up in an index of the rows that may contain it: only the list of its rarest word is walked, so
 * the whole of SST-2 takes tenths of a second.
 */
#ifndef SNC_DATA_CONTAIN_PRIV_H
#define SNC_DATA_CONTAIN_PRIV_H

#include "data/rows_priv.h"

typedef struct snc_contain snc_contain;

snc_err snc_contain__new(snc_contain **out) SNC_MUST_USE;
void snc_contain__free(snc_contain *c);
/* Adds rows [n], numbered on from those added before. Texts are borrowed for as long as the snc_contain lives. */
snc_err snc_contain__add(snc_contain *c, const snc_row *rows, int n) SNC_MUST_USE;
/* Makes `rows` [n] the ones that snc_contain__in looks among. Call it after the last add. */
snc_err snc_contain__index(snc_contain *c, const int32_t *rows, int n) SNC_MUST_USE;
/* Whether an indexed row other than `row` contains it. first_of_equals: an equal row counts only if its number is lower. */
bool snc_contain__in(const snc_contain *c, int row, bool first_of_equals);
int snc_contain__words(const snc_contain *c, int row); /* of both texts together */

#endif
