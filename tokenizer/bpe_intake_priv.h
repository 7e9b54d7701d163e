/* tokenizer/bpe_intake_priv.h: what a folder says of a BPE model, whatever cuts the text before it: pieces, merges, the unknown. */
#ifndef SNC_TOKENIZER_BPE_INTAKE_PRIV_H
#define SNC_TOKENIZER_BPE_INTAKE_PRIV_H

#include "tokenizer/intake_priv.h"

typedef struct snc_bpe_model {
    const cJSON *merges; /* of tokenizer.json */
    const char *unk;     /* NULL: none */
    bool fuse_unk, byte_fallback, ignore_merges;
} snc_bpe_model;

/* tokenizer.json's; its pieces become those of r. SNC_E_UNSUPPORTED: dropout, affixes. */
snc_err snc_bpe__model(snc_bpe_model *m, snc_intake *r) SNC_MUST_USE;

/* ---- merges, written as their blob (bpe_priv.h) one after another, once the pieces are all there ---- */
typedef struct snc_bpe_merging {
    snc_tok_blob *out;
    const snc_intake *r;
    size_t cap, joined_cap;
    char *joined;
    int32_t next;
    int rank;
} snc_bpe_merging;

snc_err snc_bpe__merging(snc_bpe_merging *g, snc_tok_blob *out, const snc_intake *r) SNC_MUST_USE;
void snc_bpe__merging_dispose(snc_bpe_merging *g); /* also after errors; the blob stays */
/* SNC_E_FORMAT: a part, or what they make, is no piece. */
snc_err snc_bpe__merge(snc_bpe_merging *g, const char *left, size_t n_left, const char *right, size_t n_right) SNC_MUST_USE;
snc_err snc_bpe__merges_of_json(snc_bpe_merging *g, const cJSON *list) SNC_MUST_USE; /* "left right" or ["left", "right"] */
snc_err snc_bpe__merges_of_text(snc_bpe_merging *g) SNC_MUST_USE;                    /* lines of the file that r names */

#endif
