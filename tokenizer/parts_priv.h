/* tokenizer/parts_priv.h: text made into the parts that SentencePiece's models cut, as the `tokenizers` package has it.
 *
 * Of a kind's flags, the blob "config":
 *
 *   {"normalizer":[steps_priv.h],"whitespace_split":true,"prepend":"always","split":true,"alone":["..."]}
 *
 * A normalized text, between the added tokens that are found in it, is cut at white space (whitespace_split); each part gets U+2581 in
 * place of spaces and, by `prepend`, one in front ("always", "first": the text's first part only, "never"); "none" leaves spaces as they
 * are. It is then parted before every U+2581 (split), and around every text of `alone`, the longest that stands at a place.
 */
#ifndef SNC_TOKENIZER_PARTS_PRIV_H
#define SNC_TOKENIZER_PARTS_PRIV_H

#include "tokenizer/special_priv.h"
#include "tokenizer/steps_priv.h"

#define SNC_PARTS_SPACE "\xe2\x96\x81"                                                /* U+2581 */
#define SNC_PARTS_KEYS  "normalizer", "whitespace_split", "prepend", "split", "alone" /* of flags, for a kind's list of its own */

/* The piece that stands for a byte where a character has none: "<0x0A>". Returns its bytes. */
enum { SNC_BYTE_NAME = 8 };
int snc_parts__byte_name(char name[SNC_BYTE_NAME], unsigned byte);

typedef enum snc_prepend { SNC_PREPEND_ALWAYS, SNC_PREPEND_FIRST, SNC_PREPEND_NEVER, SNC_PREPEND_NONE } snc_prepend;

typedef struct snc_parts {
    snc_steps steps;
    snc_added_set normalized; /* tokens looked for after normalization */
    snc_added_set alone;      /* ids mean nothing */
    bool whitespace_split, split;
    snc_prepend prepend;
} snc_parts;

/* What a scratch keeps: texts between steps, a part. Zero at first. */
typedef struct snc_parts_work {
    snc_steps_work steps;
    snc_bytes part;
} snc_parts_work;

/* `map` is of the step Precompiled; t has its Unicode tables and its arena. Dispose of it after errors, too. */
snc_err snc_parts__init(snc_parts *p, const snc_tok *t, const cJSON *flags, const snc_tok_blob *map, const char *where) SNC_MUST_USE;
void snc_parts__dispose(snc_parts *p);
void snc_parts__work_dispose(snc_parts_work *w);

/* What steps make of n bytes, for snc_special.normalize. */
snc_err snc_parts__normalize(snc_norm_buf *out, const snc_parts *p, const unsigned char *text, size_t n) SNC_MUST_USE;

/* Of a text without raw added tokens: pushes the ids of those that are found, and calls push for every part: n >= 1 bytes, with
 * SNC_NORM_PAD readable ones after them. */
typedef snc_err (*snc_parts_push)(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n);
snc_err snc_parts__cut(snc_tok_scratch *s, const snc_tok *t, const snc_parts *p, snc_parts_work *w, const unsigned char *text, size_t n,
                       snc_parts_push push) SNC_MUST_USE;

#endif
