/* tokenizer/words.h: a text that is given as words, so that each piece knows its word (Hugging Face's is_split_into_words).
 *
 * Each word is cut by itself, as behind a blank, and between the special tokens of a text stand the pieces of all of them. What is
 * longer than max_length tokens becomes several windows, which part between words, or is one with SNC_LONG_CUT: the words behind it have
 * no place. A word that is longer than a window by itself loses its last pieces. A word is read at its first piece; one without a piece
 * has the special token that ends texts for it.
 *
 *     SNC_TRY(snc_tok_words_new(&w, tok, max_length, SNC_LONG_PARTS));
 *     SNC_TRY(snc_tok_words_begin(w));   SNC_TRY(snc_tok_words_add(w, "Ekeus", 5)); ...   snc_tok_words_end(w);
 *     window i of w->windows: tokens w->ids[w->start[i]] .. w->ids[w->start[i + 1]]
 *     word k is of window w->window[k], and read at token w->read[k] of all
 */
#ifndef SNC_TOKENIZER_WORDS_H
#define SNC_TOKENIZER_WORDS_H

#include "base/json.h"
#include "tokenizer/tokenizer.h"

/* What becomes of texts that are longer than max_length. */
typedef enum snc_long { SNC_LONG_PARTS, SNC_LONG_CUT, SNC_LONGS } snc_long; /* "parts", "cut", as --long-texts and files have them */
/* What --long-texts says. SNC_E_ARG. */
snc_err snc_long_option(snc_long *out, const char *name) SNC_MUST_USE;
/* Puts it into an object, in place of what is there; "parts", which goes without saying, is left out. */
void snc_long_put(cJSON *j, snc_long what);
/* "long_texts" of an object, "parts" where it has none. SNC_E_FORMAT. */
snc_err snc_long_of(snc_long *out, const cJSON *j, const char *where) SNC_MUST_USE;

typedef struct snc_tok_words {
    const snc_tok *tok; /* borrowed */
    snc_tok_scratch *scratch;
    int max_length;
    snc_long long_texts;
    bool full; /* the text that is open has lost a word */
    int32_t *ids, *start, *window, *read;
    size_t ids_cap, start_cap, window_cap, read_cap;
    int windows, words;
    int cut, broken, left_out; /* words that lost pieces; that were no UTF-8; that have no place */
} snc_tok_words;

/* SNC_E_ARG: no room in max_length for a piece beside the special tokens. */
snc_err snc_tok_words_new(snc_tok_words **out, const snc_tok *tok, int max_length, snc_long long_texts) SNC_MUST_USE;
void snc_tok_words_free(snc_tok_words *w);
/* Forgets the windows before. */
void snc_tok_words_clear(snc_tok_words *w);
/* A text, behind those that are there; of one that is cut the words that have a place are its first ones. */
snc_err snc_tok_words_begin(snc_tok_words *w) SNC_MUST_USE;
snc_err snc_tok_words_add(snc_tok_words *w, const char *word, size_t bytes) SNC_MUST_USE;
void snc_tok_words_end(snc_tok_words *w);

#endif
