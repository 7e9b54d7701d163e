/* tokenizer/tokenizer.h: text to the ids of a vocabulary, exactly as Hugging Face's `tokenizers` 0.23.3 gives them.
 *
 * A tokenizer is of a kind (kind.h): WordPiece, byte-level BPE, SentencePiece's unigram and BPE. Assets are what a model file carries of
 * one: its kind, and the kind's blobs, texts or bytes by name. What a kind keeps in them: wordpiece_priv.h, bpe_priv.h, unigram_priv.h,
 * spbpe_priv.h.
 *
 * That package goes by four Unicode versions at once: categories of 8.0, decomposition of 9.0, letter case and white
 * space of 17.0, letters and numbers of byte-level BPE's pattern of 16.0. unicode_tables.h holds what it does with every code
 * point; no system library is asked, so the ids are the same everywhere.
 *
 * A tokenizer is immutable and shared by threads; a scratch serves one thread.
 *
 *     SNC_TRY(snc_tok_assets_load(&a, folder));
 *     SNC_TRY(snc_tok_new(&t, &a));
 *     SNC_TRY(snc_tok_scratch_new(&s));
 *     SNC_TRY(snc_tok_encode(&e, t, s, text, strlen(text), NULL, 0, 128));
 */
#ifndef SNC_TOKENIZER_TOKENIZER_H
#define SNC_TOKENIZER_TOKENIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct snc_tok_kind snc_tok_kind;

enum { SNC_TOK_BLOBS = 4 };

typedef struct snc_tok_blob {
    char *data; /* [bytes], then a NUL */
    size_t bytes;
} snc_tok_blob;

typedef struct snc_tok_assets {
    const snc_tok_kind *kind;         /* NULL: no tokenizer */
    snc_tok_blob blob[SNC_TOK_BLOBS]; /* in the order of the kind's names; owned */
} snc_tok_assets;

/* Reads a Hugging Face folder: the kind is what tokenizer.json's model says, or without that file which vocabulary is there.
 * SNC_E_NOTFOUND: no vocabulary in the folder. SNC_E_UNSUPPORTED: of no kind that is known. SNC_E_FORMAT names file and field. */
snc_err snc_tok_assets_load(snc_tok_assets *out, const char *folder) SNC_MUST_USE;
/* The way back: tokenizer.json and tokenizer_config.json into an existing folder, of the class that takes the first as it stands, so that
 * load and Hugging Face's libraries make the same ids of it. max_length: what texts are cut to by default; types: whether the model reads
 * token types. SNC_E_UNSUPPORTED: what such files cannot say. */
snc_err snc_tok_assets_save(const char *folder, const snc_tok_assets *a, int max_length, bool types) SNC_MUST_USE;
int snc_tok_pad(const snc_tok_assets *a); /* the id that fills rows up, by its usual names; -1: none */
snc_err snc_tok_assets_dup(snc_tok_assets *out, const snc_tok_assets *a) SNC_MUST_USE;
void snc_tok_assets_dispose(snc_tok_assets *a);                                   /* fine on an empty struct */
size_t snc_tok_assets_bytes(const snc_tok_assets *a);                             /* of all blobs; 0: no tokenizer */
const snc_tok_blob *snc_tok_blob_view(const snc_tok_assets *a, const char *name); /* NULL: the kind has none of this name */

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

/* a, or a and b, with the special tokens of the kind around them ([CLS] a [SEP] b [SEP]); b = NULL for a single text. Bytes need
 * not be valid UTF-8 (U+FFFD) nor NUL-terminated.
 * max_length 0 never cuts; otherwise longest_first truncation to that many tokens, special tokens included.
 * SNC_E_ARG: max_length too small for the special tokens, or a text of more than 2^28 bytes. */
snc_err snc_tok_encode(snc_encoding *out, const snc_tok *t, snc_tok_scratch *s, const char *a, size_t a_bytes, const char *b,
                       size_t b_bytes, int max_length) SNC_MUST_USE;

#endif
