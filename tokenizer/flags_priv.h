/* tokenizer/flags_priv.h: what text becomes before words are cut into pieces: one answer from files that may disagree.
 *
 * tokenizer.json has a normalizer, a pre-tokenizer and a post-processor; tokenizer_config.json has do_lower_case, strip_accents
 * and tokenize_chinese_chars; which of them holds depends on the tokenizer's class and on the library's version:
 *
 *   SNC_TOK_AS_FILE    tokenizer.json alone. PreTrainedTokenizerFast, TokenizersBackend, classes that are not known; from 5 on also
 *                      ConvBertTokenizer, RetriBertTokenizer and RealmTokenizer
 *   SNC_TOK_OVERLAID   BERT's classes up to 4.x: the three flags, with their defaults where they are absent, replace those of a
 *                      BertNormalizer; any other normalizer, and all else, stays as tokenizer.json has it
 *   SNC_TOK_REBUILT    BERT's classes from 5 on: tokenizer.json gives the vocabulary and added tokens alone. BertNormalizer by the three
 *                      flags with clean_text, BertPreTokenizer, words of at most 100 characters, [CLS] A [SEP] B [SEP] with types 0 and 1
 *
 * Tokens that tokenizer_config.json adds (added_tokens_decoder, further special ones, the roles that it names; for BERT's classes also
 * their own [CLS] and so on) come on top of tokenizer.json's; added_tokens_decoder in place of them where the tokenizer is rebuilt.
 *
 * BERT's classes are also what a folder means that names none. The version is the one that wrote the folder: `backend` in
 * tokenizer_config.json says 5 or later, else `transformers_version` in config.json tells, else it is taken as 5 or later.
 * Goldens: tests/ref/tokenizer_flags.py, of 4.57.6 and 5.24.0.
 */
#ifndef SNC_TOKENIZER_FLAGS_PRIV_H
#define SNC_TOKENIZER_FLAGS_PRIV_H

#include "tokenizer/kind.h"

typedef enum snc_tok_rule { SNC_TOK_AS_FILE, SNC_TOK_OVERLAID, SNC_TOK_REBUILT } snc_tok_rule;

/* SNC_E_UNSUPPORTED: without tokenizer.json, a class that is not BERT's WordPiece. */
snc_err snc_tok__rule(snc_tok_rule *out, const snc_tok_folder *f) SNC_MUST_USE;
/* Adds lowercase, strip_accents, tokenize_chinese_chars and clean_text to `out`, accents and pre_tokenizer where they are not BERT's.
 * SNC_E_UNSUPPORTED names a normalizer or pre-tokenizer that is not known. */
snc_err snc_tok__flags(cJSON *out, snc_tok_rule rule, const snc_tok_folder *f) SNC_MUST_USE;
/* Whether a version before 5 wrote the folder, as far as it says so. */
bool snc_tok__before_5(const snc_tok_folder *f);
bool snc_tok__is_class(const char *name, const char *class); /* name is `class`, or that with "Fast" */
/* part["type"]; NULL: no such part. */
snc_err snc_tok__type(const char **type, const cJSON *part, const char *name, const char *where) SNC_MUST_USE;

#endif
