/* models/trim.h: a .snc with fewer word pieces.
 *
 * WordPiece is greedy: at each place the longest piece that fits. A text whose pieces were all kept is therefore cut as
 * before: what is longer than its pieces was no match in the full vocabulary either. In other texts a lost piece is replaced by
 * shorter ones; every piece of one character stays, so that no word becomes unknown which was not before. Byte-level BPE keeps
 * every merge that makes a kept piece, and its parts: what merged a text of kept pieces merges it still, in the same order. Rows of the
 * word table are copied as they lie, whatever their dtype: logits of a text without lost pieces have the same bits.
 */
#ifndef SNC_MODELS_TRIM_H
#define SNC_MODELS_TRIM_H

#include <stdbool.h>

#include "models/snc_file.h"

typedef struct snc_trim {
    int rows, kept;
    bool *keep;                   /* [rows] */
    const snc_tok_assets *assets; /* borrowed by all but snc_trim_lost and snc_trim_file */
} snc_trim;

/* For a vocabulary of V rows; nothing is kept yet but what has to be (snc_tok_kind.need). SNC_E_FORMAT: the assets' flags. */
snc_err snc_trim_new(snc_trim *out, const snc_tok_assets *a, int V) SNC_MUST_USE;
void snc_trim_dispose(snc_trim *t);
snc_err snc_trim_see(snc_trim *t, const int32_t *ids, int64_t n) SNC_MUST_USE; /* keeps these too */
int64_t snc_trim_lost(const snc_trim *t, const int32_t *ids, int64_t n);       /* how many of them are not kept */
size_t snc_trim_tokenizer_bytes(const snc_trim *t);                            /* of the assets once trimmed, within a few */

/* Writes `from` with the kept rows alone, over `from` itself if need be; all or nothing. note: added to meta as "trim", taken
 * over, or NULL. SNC_E_SHAPE: the file has another number of rows or no tokenizer. */
snc_err snc_trim_file(const char *to, const char *from, const snc_trim *t, cJSON *note) SNC_MUST_USE;

#endif
