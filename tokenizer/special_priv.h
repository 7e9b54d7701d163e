/* tokenizer/special_priv.h: special and added tokens of a kind's flags (intake_priv.h), made part of a tokenizer, and trimmed.
 *
 * Kinds differ in where a text's id is found and in what normalization does; `added` and `template` of their flags are the same.
 *
 *     snc_special s = {.t = t, .flags = config, .normalized = &mine, .find = find_piece, .normalize = nfc};
 *     SNC_TRY(snc_special__added(&s));        before: t->ids, t->uni; sorts mine
 *     SNC_TRY(snc_special__template(&s));
 */
#ifndef SNC_TOKENIZER_SPECIAL_PRIV_H
#define SNC_TOKENIZER_SPECIAL_PRIV_H

#include "tokenizer/pieces_priv.h"
#include "tokenizer/tokenizer_priv.h"

#define SNC_SPECIAL_WHERE "tokenizer config" /* what errors of flags name */

typedef struct snc_special {
    snc_tok *t;
    const cJSON *flags;
    snc_added_set *normalized; /* gets the tokens that are looked for after normalization; the others are t->raw */
    int32_t (*find)(const snc_tok *t, const char *text, size_t n); /* of a piece of the model, SNC_NORM_PAD bytes after it; -1: none */
    snc_err (*normalize)(snc_norm_buf *out, const snc_tok *t, const unsigned char *s, size_t n);
} snc_special;

/* Calls build with the JSON of a blob; a->blob[flags].data is there. */
snc_err snc_special__flags(snc_tok *t, const snc_tok_assets *a, int flags,
                           snc_err (*build)(snc_tok *t, const snc_tok_assets *a, const cJSON *flags)) SNC_MUST_USE;
snc_err snc_special__added(const snc_special *s) SNC_MUST_USE;    /* flags["added"] */
snc_err snc_special__template(const snc_special *s) SNC_MUST_USE; /* flags["template"] */
/* The id of a token by its text, `key` names it in messages. SNC_E_FORMAT: there is none. */
snc_err snc_special__id(int32_t *id, const snc_special *s, const char *text, const char *key) SNC_MUST_USE;
/* Makes pieces of all lines but those that an added token claims by number. */
snc_err snc_special__insert(snc_wp *w, const cJSON *flags) SNC_MUST_USE;
/* Marks the ids of added tokens that are no pieces of the model. */
snc_err snc_special__apart(bool *apart, const cJSON *flags, int n) SNC_MUST_USE;

/* ---- fewer pieces: `keep` [n] stays ---- */
/* Lines of a vocabulary, each ended by `last`, LF or NUL. */
int snc_special__lines(const snc_tok_blob *vocab, char last);
/* Marks those that flags name, by `keys` (NULL-ended), in the template, the added tokens and "alone", and those that `stays` says. */
snc_err snc_special__mark(bool *keep, int n, const snc_tok_blob *vocab, char last, const cJSON *flags, const char *const *keys,
                          bool (*stays)(const char *p, size_t n)) SNC_MUST_USE;
/* Copies the kept ones to `to` (NULL: counts bytes); rows beyond the last line are padding and end with it. */
size_t snc_special__keep_lines(char *to, int *lines, const snc_tok_blob *vocab, const bool *keep, int rows, char last);
snc_err snc_special__trim_lines(snc_tok_blob *out, const snc_tok_blob *vocab, const bool *keep, int n, char last) SNC_MUST_USE;
/* Flags with the ids of their added tokens in the new numbers. */
snc_err snc_special__trim_flags(snc_tok_blob *out, const snc_tok_blob *config, const bool *keep, int n) SNC_MUST_USE;

snc_err snc_special__print(snc_tok_blob *out, const cJSON *flags) SNC_MUST_USE; /* flags as their blob */

#endif
