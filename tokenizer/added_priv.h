/* tokenizer/added_priv.h: added tokens ([SEP] and friends) found in running text before words are made.
 *
 * A set keeps its tokens by first byte, longest first: at each place the longest token matches, matches do not overlap,
 * and a match that single_word refuses is skipped whole. lstrip and rstrip take the white space around into the token.
 * Source: `tokenizers` crate, added_vocabulary (leftmost-longest automaton).
 */
#ifndef SNC_TOKENIZER_ADDED_PRIV_H
#define SNC_TOKENIZER_ADDED_PRIV_H

#include "tokenizer/unicode_priv.h"

typedef struct snc_added {
    const unsigned char *text; /* [n], borrowed; n >= 1 */
    size_t n;
    int32_t id, next; /* next token with the same first byte, not longer; -1: the last */
    bool single_word, lstrip, rstrip;
} snc_added;

typedef struct snc_added_set {
    snc_added *tokens;
    size_t count, cap;
    int32_t first[256]; /* -1: no token starts so */
    int only;           /* the one first byte of all tokens; -1: several or none */
} snc_added_set;

typedef struct snc_added_match {
    size_t gap, start; /* text [gap, start) before the token is ordinary */
    int32_t id;        /* -1: the text has ended */
    size_t done, scan; /* where to go on */
} snc_added_match;

void snc_added__init(snc_added_set *s);
snc_err snc_added__add(snc_added_set *s, const snc_added *token) SNC_MUST_USE; /* the first of equal texts wins */
void snc_added__dispose(snc_added_set *s);

/* Start with *m = {0}; call until m->id < 0. */
void snc_added__next(snc_added_match *m, const snc_added_set *s, const snc_uni *u, const unsigned char *text, size_t n);

#endif
