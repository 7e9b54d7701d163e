/* tokenizer/wordpiece_priv.h: BERT's WordPiece as a kind of tokenizer.
 *
 * Its blobs are the vocabulary, "vocab" (one piece a line, LF, line number = id), and a small JSON of flags, "config":
 *   {"lowercase":true,"strip_accents":null,"tokenize_chinese_chars":true,"clean_text":true,"max_chars":100,
 *    "unk":"[UNK]","cls":"[CLS]","sep":"[SEP]","pad":"[PAD]","mask":"[MASK]","added":[{"content":"[CLS]","normalized":false,
 *    "single_word":false,"lstrip":false,"rstrip":false}, ...]}
 * strip_accents null follows lowercase, as in Hugging Face. What is not BERT's has keys of its own: "accents" (in place of strip_accents)
 * "nfd", "nfd-strip" or "strip" (decompose, drop marks of every kind, or both), "pre_tokenizer" "whitespace" or "whitespace-split" as the
 * crate's Whitespace and WhitespaceSplit, "second_type" 0: the segment of a pair's second text, "separators" 2: so many "sep" between.
 * An added token that is not a piece of the model has an
 * "id": its line of the vocabulary, which then matches as an added token alone.
 *
 * A piece cannot hold U+0000 or a line feed: the first is no text here, the second never matches as words hold no space.
 */
#ifndef SNC_TOKENIZER_WORDPIECE_PRIV_H
#define SNC_TOKENIZER_WORDPIECE_PRIV_H

#include "tokenizer/kind.h"

enum { SNC_WORDPIECE_VOCAB, SNC_WORDPIECE_CONFIG }; /* the blobs */

/* From tokenizer.json if it is there (vocabulary and added tokens; its padding and truncation are ignored), else vocab.txt. Where
 * tokenizer.json and tokenizer_config.json disagree on flags, what the library does for that class and version is done: flags_priv.h.
 * Names of special tokens that are still open come from tokenizer_config.json and special_tokens_map.json, then BERT's own. */
snc_err snc_wordpiece__read(snc_tok_assets *out, const snc_tok_folder *f) SNC_MUST_USE;

/* ---- trim: greedy pieces are found as before where all of a text's were kept; every piece of one character stays ---- */
snc_err snc_wordpiece__need(bool *keep, int n, const snc_tok_assets *a) SNC_MUST_USE;
size_t snc_wordpiece__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n);
snc_err snc_wordpiece__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n) SNC_MUST_USE;

#endif
