/* tokenizer/tokenizer_priv.h: what a kind fills in of a tokenizer, and where it puts ids. */
#ifndef SNC_TOKENIZER_TOKENIZER_PRIV_H
#define SNC_TOKENIZER_TOKENIZER_PRIV_H

#include "base/mem.h"
#include "tokenizer/added_priv.h"
#include "tokenizer/kind.h"
#include "tokenizer/normalize_priv.h"

enum { SNC_TOK_AROUND = 4 };

/* first A last, or first A between B last: [CLS] A [SEP] B [SEP], <s> A </s></s> B </s>, A <sep> B <sep> <cls>. */
typedef struct snc_tok_template {
    struct {
        int32_t id[SNC_TOK_AROUND];
        int n;
    } first, between, last;
    int second_type;    /* segment of B and of what is last after it; all else is 0 */
    int between_second; /* of `between` so many at its end are of B's segment, too */
} snc_tok_template;

struct snc_tok {
    const snc_tok_kind *kind;
    void *state; /* the kind's own */
    int ids;
    snc_uni uni;
    snc_added_set raw; /* added tokens that are found before the kind sees the text */
    snc_tok_template around;
    snc_arena *arena; /* texts of added tokens */
};

struct snc_tok_scratch {
    int32_t *ids, *types;
    size_t n, cap, types_cap;
    unsigned char *repaired;
    size_t repaired_cap;
    int broken;
    bool at_start;              /* what is cut begins the text */
    snc_norm_buf norm;          /* for the kind */
    const snc_tok_kind *worker; /* whose work this is */
    void *work;                 /* [snc_tok_kind.work_size] */
};

static inline snc_err snc_tok__reserve(snc_tok_scratch *s, size_t more) { return snc_grow(&s->ids, &s->cap, s->n + more, sizeof *s->ids); }

static inline snc_err snc_tok__push(snc_tok_scratch *s, int32_t id)
{
    SNC_TRY(snc_tok__reserve(s, 1));
    s->ids[s->n++] = id;
    return SNC_OK;
}

#endif
