/* tokenizer/spbpe_priv.h: SentencePiece's BPE model (Llama, Gemma, mmBERT) as a kind of tokenizer, as the `tokenizers` package has it.
 *
 * Its blobs:
 *   vocab     pieces, then added tokens that are none, each NUL-ended; place = id
 *   merges    as of byte-level BPE (bpe_priv.h)
 *   charsmap  charsmap_priv.h; of no keys where no step of the normalizer is Precompiled
 *   config    {"unk":"<unk>","fuse_unk":true,"byte_fallback":true,"ignore_merges":false, what makes parts of a text (parts_priv.h),
 *              "added":[],"template":{} (intake_priv.h)}; without "unk" what is unknown is nothing
 *
 * The characters of a part are pieces, merged two by two, the earliest merge first and the leftmost of equal ones. One that is no piece is
 * its bytes, "<0xE4>" and so on, where byte_fallback is on and all of them are pieces; else it is "unk" (a run of them one, with
 * fuse_unk). As in that package an unknown waits for the next piece that is a character: bytes after it come before it.
 * With ignore_merges a part that is a piece as a whole is that piece. A part is cut before every U+2581 that follows another character
 * where that changes nothing: no merge makes a piece with one inside, and every character leaves an id.
 *
 * Source: Kudo and Richardson 2018 (arXiv 1808.06226); the crate's models/bpe (merge_word).
 */
#ifndef SNC_TOKENIZER_SPBPE_PRIV_H
#define SNC_TOKENIZER_SPBPE_PRIV_H

#include "tokenizer/kind.h"

enum { SNC_SPBPE_VOCAB, SNC_SPBPE_MERGES, SNC_SPBPE_CHARSMAP, SNC_SPBPE_CONFIG }; /* the blobs */

/* ---- trim: a kept piece keeps what is made on the way to it; every character and, where they count, every byte stays ---- */
snc_err snc_spbpe__need(bool *keep, int n, const snc_tok_assets *a) SNC_MUST_USE;
size_t snc_spbpe__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n);
snc_err snc_spbpe__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n) SNC_MUST_USE;

#endif
