/* tokenizer/kind.h: kinds of tokenizers: one row of functions each, and the registry of them.
 *
 * A kind is a file with its row, and a line of the registry in assets.c. All kinds share what comes before and after them
 * (tokenizer.c): bytes made valid, added tokens found in the raw text, special tokens around one text or two, truncation.
 *
 *   blobs   what a model file keeps of a tokenizer of the kind: tensors "tokenizer.NAME" of a .snc, a text each or bytes
 *   folder  how a Hugging Face folder is recognised and read; intake_priv.h has what readers share, special_priv.h what of their
 *           flags every tokenizer is made of
 *   text    a tokenizer made of the blobs, which cuts text into ids
 *   trim    the same tokenizer with fewer ids: `keep` [n] says which of its n stay
 */
#ifndef SNC_TOKENIZER_KIND_H
#define SNC_TOKENIZER_KIND_H

#include <stdbool.h>

#include "base/json.h"
#include "tokenizer/tokenizer.h"

enum { SNC_TOK_FILES = 4 };

/* A Hugging Face folder's files, read; NULL: absent. */
typedef struct snc_tok_folder {
    const char *dir;
    cJSON *tokenizer, *config, *special, *model; /* tokenizer.json, tokenizer_config.json, special_tokens_map.json, config.json */
    cJSON *added;                                /* added_tokens.json */
} snc_tok_folder;

struct snc_tok_json;
struct snc_tok_kind {
    const char *name;                    /* metadata "tokenizer" of a .snc; the first of the registry goes without */
    const char *blob[SNC_TOK_BLOBS + 1]; /* names, NULL after the last; a .snc holds all or none */

    const char *model_type; /* of tokenizer.json */
    const char *model_key;  /* which only this kind's model has there: files of old versions have no type */
    /* Where kinds share a model_type: whether this tokenizer.json is the kind's. NULL: every one of that type. */
    bool (*claims)(const cJSON *tokenizer);
    const char *file[SNC_TOK_FILES + 1]; /* where there is no tokenizer.json: the vocabulary is in one of these */
    /* Fills the blobs, of this kind or, as files of one name may hold another's, of that in out->kind; the caller disposes on errors. */
    snc_err (*read)(snc_tok_assets *out, const snc_tok_folder *f);
    /* And back: what is the kind's own in tokenizer.json (tok_json_priv.h); line_end ends a piece of its blob "vocab". */
    snc_err (*json)(struct snc_tok_json *j);
    char line_end;

    snc_err (*create)(snc_tok *t, const snc_tok_assets *a); /* fills state, ids, raw and around (tokenizer_priv.h) */
    void (*destroy)(void *state);
    const char *(*piece)(const snc_tok *t, int32_t id); /* borrowed; id is in range */
    bool spaced;                                        /* a word has other pieces behind a blank than in front of a text */
    size_t work_size; /* of what cutting by this kind keeps in a scratch from text to text, zero at first; 0: nothing */
    void (*work_free)(void *work);
    /* Pushes the ids of a text without raw added tokens: n >= 1 bytes of valid UTF-8. */
    snc_err (*cut)(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n);

    int (*ids)(const snc_tok_assets *a); /* how many there are */
    /* Marks what has to stay beside what is marked: special and added tokens, what any text may come down to, and where ids are
     * merged from others what every marked one is made of. Marking more afterwards asks for it again. */
    snc_err (*need)(bool *keep, int n, const snc_tok_assets *a);
    size_t (*trimmed_bytes)(const snc_tok_assets *a, const bool *keep, int n); /* of all blobs, within a few */
    snc_err (*trim)(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n);
};

extern const snc_tok_kind snc_tok_wordpiece, snc_tok_bpe, snc_tok_unigram, snc_tok_spbpe;

/* NULL: the first of the registry. SNC_E_UNSUPPORTED lists the names. */
snc_err snc_tok_kind_find(const snc_tok_kind **out, const char *name) SNC_MUST_USE;
/* Whether a .snc goes without the name of this kind. */
bool snc_tok_kind_is_implied(const snc_tok_kind *k);

#endif
