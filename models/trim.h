/* models/trim.h: a .snc with fewer word pieces.
 *
 * Word pieces are greedy: at each place the longest piece that fits. A text whose pieces were all kept is therefore cut as
 * before: what is longer than its pieces was no match in the full vocabulary either. In other texts a lost piece is replaced by
 * shorter ones; every piece of one character stays, so that no word becomes unknown which was not before. Rows of the word
 * table are copied as they lie, whatever their dtype: logits of a text without lost pieces have the same bits.
 */
#ifndef SNC_MODELS_TRIM_H
#define SNC_MODELS_TRIM_H

#include <stdbool.h>

#include "models/snc_file.h"

typedef struct snc_trim {
    int rows, kept;
    bool *keep; /* [rows] */
} snc_trim;

/* For a vocabulary of V rows; nothing is kept yet but what exactness needs: added tokens, the special ones, and every piece
 * of one character, with and without ##. SNC_E_FORMAT: the assets' flags. */
snc_err snc_trim_new(snc_trim *out, const snc_tok_assets *a, int V) SNC_MUST_USE;
void    snc_trim_dispose(snc_trim *t);
void    snc_trim_see(snc_trim *t, const int32_t *ids, int64_t n); /* keeps these too */
int64_t snc_trim_lost(const snc_trim *t, const int32_t *ids, int64_t n); /* how many of them are not kept */
/* Bytes of the vocabulary's text once trimmed. */
size_t  snc_trim_vocab_bytes(const snc_trim *t, const snc_tok_assets *a);

/* Writes `from` with the kept rows alone, over `from` itself if need be; all or nothing. note: added to meta as "trim", taken
 * over, or NULL. SNC_E_SHAPE: the file has another number of rows or no tokenizer. */
snc_err snc_trim_file(const char *to, const char *from, const snc_trim *t, cJSON *note) SNC_MUST_USE;

#endif
