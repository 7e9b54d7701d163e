/* tokenizer/tokenizer.h: text to word piece ids, exactly as Hugging Face's BertTokenizerFast (`tokenizers` 0.23.3).
 *
 * That package goes by three Unicode versions at once: categories of 8.0, decomposition of 9.0, letter case and white
 * space of 17.0. unicode_tables.h holds what it does with every code point; no system library is asked, so the ids are
 * the same everywhere.
 *
 * Assets are what a model file carries: the vocabulary (one piece a line, LF, line number = id) and a small JSON of
 * flags:
 *   {"lowercase":true,"strip_accents":null,"tokenize_chinese_chars":true,"clean_text":true,"max_chars":100,
 *    "unk":"[UNK]","cls":"[CLS]","sep":"[SEP]","pad":"[PAD]","mask":"[MASK]","added":[{"content":"[CLS]","normalized":false,
 *    "single_word":false,"lstrip":false,"rstrip":false}, ...]}
 * strip_accents null follows lowercase, as in Hugging Face. What is not BERT's has keys of its own: "accents" (in place of strip_accents)
 * "nfd", "nfd-strip" or "strip" (decompose, drop marks of every kind, or both), "pre_tokenizer" "whitespace" or "whitespace-split" as the
 * crate's Whitespace and WhitespaceSplit, "second_type" 0: the segment of a pair's second text.
 * An added token that is not a piece of the model has an
 * "id": its line of the vocabulary, which then matches as an added token alone.
 *
 * A piece cannot hold U+0000 or a line feed: the first is no text here, the second never matches as words hold no space.
 *
 * A tokenizer is immutable and shared by threads; a scratch serves one thread.
 */
#ifndef SNC_TOKENIZER_TOKENIZER_H
#define SNC_TOKENIZER_TOKENIZER_H

#include <stdint.h>

#include "base/error.h"

typedef struct snc_tok_assets {
    char *vocab; /* NUL-terminated text, one piece a line */
    size_t vocab_bytes;
    char *config; /* NUL-terminated JSON text, the keys above */
} snc_tok_assets;

/* Reads a Hugging Face folder: tokenizer.json if it is there (vocabulary and added tokens; its padding and truncation are ignored), else
 * vocab.txt. Where tokenizer.json and tokenizer_config.json disagree on flags, what the library does for that class and version is done:
 * flags_priv.h. Names of special tokens that are still open come from tokenizer_config.json and
 * special_tokens_map.json, then BERT's own. SNC_E_NOTFOUND: no vocabulary in the folder. SNC_E_UNSUPPORTED: not BERT's
 * WordPiece. SNC_E_FORMAT names file and field. */
snc_err snc_tok_assets_load(snc_tok_assets *out, const char *folder) SNC_MUST_USE;
snc_err snc_tok_assets_dup(snc_tok_assets *out, const snc_tok_assets *a) SNC_MUST_USE;
void snc_tok_assets_dispose(snc_tok_assets *a); /* fine on an empty struct */

typedef struct snc_tok snc_tok;
typedef struct snc_tok_scratch snc_tok_scratch;

snc_err snc_tok_new(snc_tok **out, const snc_tok_assets *a) SNC_MUST_USE; /* copies what it needs; SNC_E_FORMAT */
void snc_tok_free(snc_tok *t);
int snc_tok_vocab_size(const snc_tok *t);
const char *snc_tok_piece_view(const snc_tok *t, int32_t id); /* NULL out of range */

snc_err snc_tok_scratch_new(snc_tok_scratch **out) SNC_MUST_USE;
void snc_tok_scratch_free(snc_tok_scratch *s);

typedef struct snc_encoding {
    int n;
    const int32_t *ids, *types; /* [n], borrowed from the scratch until its next use */
    int dropped;                /* tokens cut by max_length */
    int broken;                 /* 1: bytes of it were no UTF-8 and read as U+FFFD */
} snc_encoding;

/* [CLS] a [SEP] (b [SEP]); b = NULL for a single text. Bytes need not be valid UTF-8 (U+FFFD) nor NUL-terminated.
 * max_length 0 never cuts; otherwise longest_first truncation to that many tokens, special tokens included.
 * SNC_E_ARG: max_length too small for the special tokens, or a text of more than 2^28 bytes. */
snc_err snc_tok_encode(snc_encoding *out, const snc_tok *t, snc_tok_scratch *s, const char *a, size_t a_bytes,
                       const char *b, size_t b_bytes, int max_length) SNC_MUST_USE;

#endif
