/* tokenizer/tok_json_priv.h: a tokenizer's blobs as Hugging Face's tokenizer.json, while it is written: the way back of intake_priv.h.
 *
 * A kind says what is its own (snc_tok_kind.json): "normalizer", "pre_tokenizer", "decoder" and "model". Added tokens and what stands
 * around texts are written for all of them.
 */
#ifndef SNC_TOKENIZER_TOK_JSON_PRIV_H
#define SNC_TOKENIZER_TOK_JSON_PRIV_H

#include "base/mem.h"
#include "tokenizer/kind.h"

typedef struct snc_tok_json {
    const snc_tok_assets *a;
    cJSON *flags;      /* the blob "config" */
    cJSON *out;        /* tokenizer.json; what stands there is null until it is put */
    const char **line; /* [n] of the blob "vocab", by id; in the arena */
    bool *apart;       /* [n] added tokens that are no pieces of the model */
    int n;
    snc_arena *arena;
} snc_tok_json;

/* Puts v in the place of `key`; takes it over. SNC_E_NOMEM: v is NULL. */
snc_err snc_tok_json__put(snc_tok_json *j, const char *key, cJSON *v) SNC_MUST_USE;
/* The same of JSON that stands in the program. */
snc_err snc_tok_json__put_text(snc_tok_json *j, const char *key, const char *json) SNC_MUST_USE;
/* Flags by their keys. */
bool snc_tok_json__is(const snc_tok_json *j, const char *key, bool absent);
const char *snc_tok_json__text(const snc_tok_json *j, const char *key); /* NULL: there is none */
/* {"piece": id, ...} of the model's pieces; NULL: no memory. */
cJSON *snc_tok_json__vocab(const snc_tok_json *j);
/* {"type": "BPE", ...} of flags, vocab and the blob "merges"; NULL: no memory, or merges that are none. */
cJSON *snc_tok_json__bpe(const snc_tok_json *j);

/* ---- of the kinds ---- */
snc_err snc_wordpiece__json(snc_tok_json *j) SNC_MUST_USE;
snc_err snc_bpe__json(snc_tok_json *j) SNC_MUST_USE;
snc_err snc_unigram__json(snc_tok_json *j) SNC_MUST_USE;
snc_err snc_spbpe__json(snc_tok_json *j) SNC_MUST_USE;

#endif
