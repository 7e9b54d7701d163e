/* What is left after a net is moved together in place: a text never moves back. */
#include "runtime/escalation.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

struct snc_escalation {
    snc_net *net[SNC_NETS_MOST];
    const snc_cascade *c;
    int K, max_tokens, max_seqs;
    int32_t *ids, *types, *offsets; /* of the texts that are left: [max_tokens], the same, [max_seqs + 1] */
    int *at;                        /* [max_seqs] where they stand in the batch */
    float *z;                       /* [max_seqs, K] what the last net said of them */
};

snc_err snc_escalation_new(snc_escalation **out, snc_net *const *nets, const snc_cascade *c, int K, int max_tokens, int max_seqs)
{
    snc_escalation *e = NULL;
    snc_err err = SNC_OK;
    const size_t tokens = (size_t)max_tokens, seqs = (size_t)max_seqs;
    assert(c->nets >= 2 && c->nets <= SNC_NETS_MOST && K >= 2);
    SNC_TRY(snc_alloc(&e, 1, sizeof *e));
    memcpy(e->net, nets, (size_t)c->nets * sizeof(snc_net *));
    e->c = c;
    e->K = K;
    e->max_tokens = max_tokens;
    e->max_seqs = max_seqs;
    SNC_GOTO(snc_alloc(&e->ids, tokens, sizeof *e->ids));
    SNC_GOTO(snc_alloc(&e->types, tokens, sizeof *e->types));
    SNC_GOTO(snc_alloc(&e->offsets, seqs + 1, sizeof *e->offsets));
    SNC_GOTO(snc_alloc(&e->at, seqs, sizeof *e->at));
    SNC_GOTO(snc_alloc(&e->z, seqs * (size_t)K, sizeof *e->z));
    *out = e;
    e = NULL;
out:
    snc_escalation_free(e);
    return err;
}

void snc_escalation_free(snc_escalation *e)
{
    if (!e) return;
    snc_free(e->ids);
    snc_free(e->types);
    snc_free(e->offsets);
    snc_free(e->at);
    snc_free(e->z);
    snc_free(e);
}

/* Answers of net k that stand go out, the other texts of x are what is left. */
static void part(snc_tokens *left, float *logits, uint8_t *by, snc_escalation *e, const snc_tokens *x, int k)
{
    const size_t K = (size_t)e->K;
    int n = 0, T = 0;
    const int B = x->B;
    for (int i = 0; i < B; i++) {
        const float *z = e->z + (size_t)i * K;
        const int from = x->offsets[i], len = x->offsets[i + 1] - from, at = e->at[i];
        if (snc_cascade_stands(e->c, k, z, e->K)) {
            memcpy(logits + (size_t)at * K, z, K * sizeof *z);
            by[at] = (uint8_t)k;
            continue;
        }
        memmove(e->ids + T, x->ids + from, (size_t)len * sizeof *e->ids);
        memmove(e->types + T, x->types + from, (size_t)len * sizeof *e->types);
        e->offsets[n] = T; /* n <= i: none that is still to be read */
        e->at[n++] = at;
        T += len;
    }
    e->offsets[n] = T;
    *left = (snc_tokens){.B = n, .T = T, .ids = e->ids, .types = e->types, .offsets = e->offsets};
}

snc_err snc_escalation_run(float *logits, uint8_t *by, snc_escalation *e, const snc_tokens *x)
{
    snc_tokens left = *x;
    snc_err err = SNC_OK;
    assert(x->B <= e->max_seqs && x->T <= e->max_tokens);
    for (int i = 0; i < x->B; i++) e->at[i] = i;
    for (int k = e->c->nets - 1; k >= 0 && left.B; k--) {
        if (!snc_cascade_asks(e->c, k)) continue;
        err = snc_net_run(e->z, e->net[k], &left);
        if (err && err != SNC_E_DIVERGED) return err;
        part(&left, logits, by, e, &left, k);
        if (k) err = SNC_OK; /* the texts of that answer are left */
    }
    return err;
}
