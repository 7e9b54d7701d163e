/* tokenizer/pieces_priv.h: greedy longest-match-first WordPiece over a flat hash table.
 *
 *   slot  [2^k, at most half full]   piece of up to 16 bytes: key = its bytes, zero padded, compared exactly
 *                                    longer:                  key[0] = hash, key[1] = offset of its text
 *   lens  [2][4096]  uint64          bit L: some piece of L bytes starts with these two bytes (bit 63: 63 or more), so
 * that most lengths are never looked up; first index: 0 starts a word, 1 continues it ("##") one   [2][128]   int32
 * pieces of one byte
 *
 * Source: Devlin et al. 2019, released code; matching as in the `tokenizers` crate, models/wordpiece.
 */
#ifndef SNC_TOKENIZER_PIECES_PRIV_H
#define SNC_TOKENIZER_PIECES_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct snc_wp_slot {
    uint64_t key[2];
    uint32_t len; /* bytes * 2 + continues; 0: free */
    int32_t id;
} snc_wp_slot;

typedef struct snc_wp {
    char *text;       /* pieces, each NUL-terminated, then padding */
    uint32_t *offset; /* [n_lines] of a piece in text */
    int n_lines, max_chars;
    bool plain; /* set before the first piece: "##" at the start of one means nothing */
    int32_t unk;
    snc_wp_slot *slot;
    uint32_t mask;  /* slots - 1 */
    size_t longest; /* bytes of the longest piece, "##" apart */
    uint64_t lens[2][4096];
    int32_t one[2][128];
} snc_wp;

/* Splits the vocabulary into lines (ids) that end with `end`, LF or NUL. A later line of the same piece wins, as in Hugging Face.
 * SNC_E_FORMAT: empty, not UTF-8. */
snc_err snc_wp__init(snc_wp *w, const char *vocab, size_t bytes, char end) SNC_MUST_USE;
/* Makes line `id` a piece that words may contain; lines of added tokens stay out. */
void snc_wp__insert(snc_wp *w, int32_t id);
/* Id of an inserted piece by its full name, "##" included, with 8 readable bytes after it; -1: none. */
int32_t snc_wp__find(const snc_wp *w, const char *piece, size_t n);
void snc_wp__dispose(snc_wp *w);

/* Pieces of one word of valid UTF-8, n >= 1 bytes, 8 readable bytes after it; returns how many ids (at most n). */
int snc_wp__word(int32_t *ids, const snc_wp *w, const unsigned char *word, size_t n);

#endif
