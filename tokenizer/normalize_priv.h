/* tokenizer/normalize_priv.h: BERT's text cleaning, in the order of Hugging Face's BertNormalizer.
 *
 *   clean_text       drop control characters, every other white space becomes U+0020
 *   cjk              a space on both sides of an ideograph
 *   strip_accents    canonical decomposition with reordering (NFD), then nonspacing marks are dropped; one without the other where
 *                    a Sequence of normalizers says so
 *   lowercase        one character at a time
 *
 * All four in one pass over the text, except reordering: marks that stay are sorted when their run ends.
 */
#ifndef SNC_TOKENIZER_NORMALIZE_PRIV_H
#define SNC_TOKENIZER_NORMALIZE_PRIV_H

#include "tokenizer/unicode_priv.h"

/* Which marks go: none, those of BERT's strip_accents, or every one (the crate's StripAccents). */
typedef enum snc_norm_drop { SNC_NORM_KEEP, SNC_NORM_MN, SNC_NORM_MARKS } snc_norm_drop;

typedef struct snc_norm {
    bool clean, cjk, decompose, lower;
    snc_norm_drop drop;
    uint8_t ascii[128]; /* what each becomes; SNC_NORM_DROP: nothing */
    const snc_uni *uni;
} snc_norm;

/* Buffers end with PAD readable bytes, so that words load 8 at a time. */
enum { SNC_NORM_DROP = 0xff, SNC_NORM_PAD = 16 };

typedef struct snc_norm_buf {
    unsigned char *text; /* [n] then at least SNC_NORM_PAD bytes */
    size_t n, cap;
    unsigned char *sorted; /* one run of marks while it is put in order */
    size_t sorted_cap;
} snc_norm_buf;

void snc_norm__init(snc_norm *m, const snc_uni *uni); /* after the flags are set */
snc_err snc_norm__run(snc_norm_buf *out, const snc_norm *m, const unsigned char *s, size_t n) SNC_MUST_USE;
void snc_norm__buf_dispose(snc_norm_buf *b);

#endif
