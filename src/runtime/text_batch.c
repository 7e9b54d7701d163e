/* Ids of the texts lie one after the other, without padding, until they are run. */
#include "runtime/text_batch.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

typedef enum mode { ONE, CASCADE, BUDGET } mode; /* who answers */

struct snc_text_batch {
    const snc_tok *tok;
    snc_tok_scratch *scratch;
    snc_net *net[SNC_NETS_MOST];
    snc_escalation *cascade; /* NULL: there is none */
    snc_pacing *paced;       /* the same */
    mode mode;
    double us;                                   /* of BUDGET */
    int nets, now, classes, max_length, most, n; /* now: which net answers, of ONE */
    uint8_t *by;                                 /* [most] which one did */
    bool *over;                                  /* [most] */
    int32_t *ids, *types, *offsets;              /* [most * max_length], the same, [most + 1] */
};

snc_err snc_text_batch_new(snc_text_batch **out, const snc_ctx *ctx, snc_weights *const *weights, int nets, const snc_tok *tok,
                           int max_length, int most)
{
    snc_text_batch *b = NULL;
    snc_err err = SNC_OK;
    size_t tokens = (size_t)most * (size_t)max_length;
    const snc_net_opts o = {.max_tokens = (int)tokens, .max_seqs = most, .max_len = max_length};
    assert(nets >= 1 && nets <= SNC_NETS_MOST);
    SNC_TRY(snc_alloc(&b, 1, sizeof *b));
    b->tok = tok;
    b->max_length = max_length;
    b->classes = snc_weights_config(weights[0])->classes;
    b->most = most;
    SNC_GOTO(snc_tok_scratch_new(&b->scratch));
    SNC_GOTO(snc_alloc(&b->ids, tokens, sizeof *b->ids));
    SNC_GOTO(snc_alloc(&b->types, tokens, sizeof *b->types));
    SNC_GOTO(snc_alloc(&b->offsets, (size_t)most + 1, sizeof *b->offsets));
    SNC_GOTO(snc_alloc(&b->by, (size_t)most, sizeof *b->by));
    SNC_GOTO(snc_alloc(&b->over, (size_t)most, sizeof *b->over));
    for (; b->nets < nets; b->nets++) SNC_GOTO(snc_net_create(&b->net[b->nets], ctx, weights[b->nets], NULL, NULL, &o));
    *out = b;
    b = NULL;
out:
    snc_text_batch_free(b);
    return err;
}

void snc_text_batch_free(snc_text_batch *b)
{
    if (!b) return;
    snc_escalation_free(b->cascade);
    snc_pacing_free(b->paced);
    for (int k = 0; k < b->nets; k++) snc_net_free(b->net[k]);
    snc_tok_scratch_free(b->scratch);
    snc_free(b->ids);
    snc_free(b->types);
    snc_free(b->offsets);
    snc_free(b->by);
    snc_free(b->over);
    snc_free(b);
}

snc_err snc_text_batch_add(snc_text_facts *facts, snc_text_batch *b, const char *text, size_t bytes, const char *pair, size_t pair_bytes)
{
    snc_encoding e;
    const int at = b->offsets[b->n];
    assert(b->n < b->most);
    SNC_TRY(snc_tok_encode(&e, b->tok, b->scratch, text, bytes, pair, pair_bytes, b->max_length));
    memcpy(b->ids + at, e.ids, (size_t)e.n * sizeof *e.ids);
    memcpy(b->types + at, e.types, (size_t)e.n * sizeof *e.types);
    b->offsets[++b->n] = at + e.n;
    if (facts) *facts = (snc_text_facts){.cut = e.dropped > 0, .broken = e.broken};
    return SNC_OK;
}

void snc_text_batch_use(snc_text_batch *b, int k)
{
    assert(k >= 0 && k < b->nets);
    b->mode = ONE;
    b->now = k;
}

snc_err snc_text_batch_prepare(snc_text_batch *b, const snc_cascade *c, const snc_speeds *s)
{
    const int tokens = b->most * b->max_length;
    assert((!c || c->nets == b->nets) && (!s || s->nets == b->nets) && !b->cascade && !b->paced);
    if (c) SNC_TRY(snc_escalation_new(&b->cascade, b->net, c, b->classes, tokens, b->most));
    return s ? snc_pacing_new(&b->paced, b->net, s, b->classes, tokens, b->most) : SNC_OK;
}

void snc_text_batch_escalate(snc_text_batch *b)
{
    assert(b->cascade);
    b->mode = CASCADE;
}

void snc_text_batch_pace(snc_text_batch *b, double us)
{
    assert(b->paced && us > 0);
    b->mode = BUDGET;
    b->us = us;
}

int snc_text_batch_waiting(const snc_text_batch *b) { return b->n; }

void snc_text_batch_clear(snc_text_batch *b) { b->n = 0; }

snc_err snc_text_batch_run(float *logits, uint8_t *by, bool *over, snc_text_batch *b)
{
    const snc_tokens x = {.B = b->n, .T = b->offsets[b->n], .ids = b->ids, .types = b->types, .offsets = b->offsets};
    snc_text_batch_clear(b);
    if (!by) by = b->by;
    if (!over) over = b->over;
    if (!x.B) return SNC_OK;
    if (b->mode == BUDGET) return snc_pacing_run(logits, by, over, b->paced, b->us, &x);
    memset(over, false, (size_t)x.B * sizeof *over);
    if (b->mode == CASCADE) return snc_escalation_run(logits, by, b->cascade, &x);
    memset(by, b->now, (size_t)x.B);
    return snc_net_run(logits, b->net[b->now], &x);
}
