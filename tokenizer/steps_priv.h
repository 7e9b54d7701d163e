/* tokenizer/steps_priv.h: a normalizer as a list of steps, each over the whole text, as a Sequence of the `tokenizers` crate.
 *
 * A list is tokenizer.json's: {"type":"Precompiled"} with its map beside it, {"type":"Replace","pattern":{"String":"''"},"content":"\""},
 * Prepend, Strip, Lowercase, NFD, NFC, NFKD, NFKC, StripAccents, BertNormalizer. Of regular expressions those are known that converters
 * of SentencePiece write: " {2,}", "\\s{2,}|[\\n\\r\\t]", "\\A +| +\\z", "\\A▁".
 *
 * Steps are immutable and shared by threads; a workspace serves one.
 */
#ifndef SNC_TOKENIZER_STEPS_PRIV_H
#define SNC_TOKENIZER_STEPS_PRIV_H

#include "base/json.h"
#include "base/mem.h"
#include "tokenizer/charsmap_priv.h"
#include "tokenizer/normalize_priv.h"

typedef struct snc_step snc_step;

typedef struct snc_steps {
    snc_step *step; /* [n], in the arena that they were made with */
    size_t n;
    const snc_uni *uni;
    snc_graphemes graphemes;
    snc_charsmap map; /* units NULL: none */
} snc_steps;

/* Two texts that take turns. Zero at first. */
typedef struct snc_steps_work {
    snc_bytes text[2];
    snc_norm_buf norm;
    bool cut; /* what the text began with is gone; what Precompiled drops is not, as in that package */
} snc_steps_work;

/* map: of the step Precompiled; NULL: none. SNC_E_UNSUPPORTED names a step that is not known. Dispose of it after errors, too. */
snc_err snc_steps__init(snc_steps *s, const cJSON *list, const void *map, size_t map_bytes, const snc_uni *uni, snc_arena *a,
                        const char *where) SNC_MUST_USE;
void snc_steps__dispose(snc_steps *s);

/* Replaces *text, *n by what the steps make of it: borrowed from w until its next use, or the text itself. */
snc_err snc_steps__run(const unsigned char **text, size_t *n, const snc_steps *s, snc_steps_work *w) SNC_MUST_USE;
void snc_steps__work_dispose(snc_steps_work *w);

#endif
