/* tokenizer/unigram_priv.h: SentencePiece's unigram model as a kind of tokenizer, as the `tokenizers` package has it.
 *
 * No SentencePiece library is behind it. The ids to equal are those of that package, which differ from the library's: its map of
 * characters goes by grapheme clusters, words are cut apart before they reach the model, scores add up in doubles, tokens that a folder
 * adds and fairseq's numbers are its own. The library would serve tokenizer.json not at all and as a reader of .model files alone,
 * for which it brings C++ and protobuf, where a bounded reader of a few fields is enough (spm_priv.h).
 *
 * Its blobs:
 *   vocab     pieces, then added tokens that are none, each NUL-ended; place = id
 *   scores    of the pieces, little-endian: float32 [pieces] if that holds them exactly, else float64
 *   charsmap  charsmap_priv.h; of no keys where no step of the normalizer is Precompiled
 *   config    {"pieces":250002,"unk":3,"unk_score":-24.1,"byte_fallback":false, what makes parts of a text (parts_priv.h), "added":[],
 *              "template":{} (intake_priv.h)}
 */
#ifndef SNC_TOKENIZER_UNIGRAM_PRIV_H
#define SNC_TOKENIZER_UNIGRAM_PRIV_H

#include "tokenizer/kind.h"

enum { SNC_UNIGRAM_VOCAB, SNC_UNIGRAM_SCORES, SNC_UNIGRAM_CHARSMAP, SNC_UNIGRAM_CONFIG }; /* the blobs */

/* What is below every score by this much is an unknown character's. */
#define SNC_UNIGRAM_PENALTY 10.0

/* Scores as their blob. */
snc_err snc_unigram__pack(snc_tok_blob *out, const double *scores, size_t n) SNC_MUST_USE;
double snc_unigram__score(const snc_tok_assets *a, size_t bytes_each, size_t i); /* of piece i */
/* How many pieces have a score, and in how many bytes each; SNC_E_FORMAT: the blobs are of no such tokenizer. */
snc_err snc_unigram__count(int *pieces, size_t *bytes_each, const snc_tok_assets *a) SNC_MUST_USE;
int snc_unigram__ids(const snc_tok_assets *a);

/* ---- trim: the best way through a text stays the best where all of its pieces were kept ---- */
/* What any text may come down to: pieces of one character, and "<0x41>" where bytes stand for unknowns. */
bool snc_unigram__is_character(const char *p, size_t n);
bool snc_unigram__is_character_or_byte(const char *p, size_t n);
snc_err snc_unigram__need(bool *keep, int n, const snc_tok_assets *a) SNC_MUST_USE;
size_t snc_unigram__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n);
snc_err snc_unigram__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n) SNC_MUST_USE;

#endif
