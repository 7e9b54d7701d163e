/* tokenizer/added_priv.h: added tokens ([SEP] and friends) found in running text before words are made.
 *
 * At each place the longest token matches, matches do not overlap, and a match that single_word refuses is skipped whole.
 * lstrip and rstrip take the white space around into the token. A set keeps its tokens sorted by their bytes, each with the
 * longest other one that it begins with: those that stand at a place are the last that is not above the text, and its
 * beginnings.
 * Source: `tokenizers` crate, added_vocabulary (leftmost-longest automaton).
 */
#ifndef SNC_TOKENIZER_ADDED_PRIV_H
#define SNC_TOKENIZER_ADDED_PRIV_H

#include "tokenizer/unicode_priv.h"

typedef struct snc_added {
    const unsigned char *text; /* [n], borrowed; n >= 1 */
    size_t n;
    int32_t id, begins_with; /* place of the longest token that is its beginning; -1: none */
    bool single_word, lstrip, rstrip;
} snc_added;

typedef struct snc_added_set {
    snc_added *tokens;
    size_t count, cap;
    int32_t end[257]; /* tokens that start with byte c are [end[c], end[c + 1]) */
    int only;         /* the one first byte of all tokens; -1: several or none */
} snc_added_set;

typedef struct snc_added_match {
    size_t gap, start; /* text [gap, start) before the token is ordinary */
    int32_t id;        /* -1: the text has ended */
    size_t done, scan; /* where to go on */
} snc_added_match;

void snc_added__init(snc_added_set *s);
snc_err snc_added__add(snc_added_set *s, const snc_added *token) SNC_MUST_USE; /* the first of equal texts wins */
void snc_added__sort(snc_added_set *s);                                        /* after the last */
void snc_added__dispose(snc_added_set *s);

/* Start with *m = {0}; call until m->id < 0. */
void snc_added__next(snc_added_match *m, const snc_added_set *s, const snc_uni *u, const unsigned char *text, size_t n);

#endif
