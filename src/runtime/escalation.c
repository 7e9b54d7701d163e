/* What is left after a net is moved together in place, with the hidden state that a larger net goes on from: a text never moves back. */
#include "runtime/escalation.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "runtime/regroup.h"

enum { STATE_TOKENS = 4096 }; /* of which hidden states are kept at a time, or of one text that is longer */

struct snc_escalation {
    snc_net *net[SNC_NETS_MOST];
    const snc_cascade *c;
    int from[SNC_NETS_MOST];  /* the layer that a net begins with behind the one that is asked before it; 0: it starts anew */
    bool keep[SNC_NETS_MOST]; /* the net that is asked next goes on from this one's hidden state: */
    float *state;             /* [tokens of left, hidden]; NULL: none does */
    snc_regroup left;         /* the texts that have no answer yet */
};

/* Who goes on from whom; the widest hidden state of these. */
static int hand_over(snc_escalation *e)
{
    int hidden = 0;
    for (int k = 0; k < e->c->nets; k++) {
        const int before = snc_cascade_asks(e->c, k) ? snc_cascade_before(e->c, k) : -1;
        if (before >= 0) e->from[k] = snc_net_handover(e->net[before], e->net[k]);
        if (!e->from[k]) continue;
        e->keep[before] = true;
        hidden = snc_max(hidden, snc_net_arch(e->net[k])->hidden);
    }
    return hidden;
}

snc_err snc_escalation_new(snc_escalation **out, snc_net *const *nets, const snc_cascade *c, int K, int max_tokens, int max_seqs)
{
    snc_escalation *e = NULL;
    assert(c->nets >= 2 && c->nets <= SNC_NETS_MOST && K >= 2);
    SNC_TRY(snc_alloc(&e, 1, sizeof *e));
    memcpy(e->net, nets, (size_t)c->nets * sizeof(snc_net *));
    e->c = c;
    const int hidden = hand_over(e);
    if (hidden) max_tokens = snc_min(max_tokens, snc_max(STATE_TOKENS, snc_net_longest(nets[0])));
    snc_err err = snc_regroup_init(&e->left, K, max_tokens, max_seqs);
    if (!err && hidden) err = snc_alloc(&e->state, (size_t)max_tokens * (size_t)hidden, sizeof *e->state);
    if (err) snc_escalation_free(e);
    else *out = e;
    return err;
}

void snc_escalation_free(snc_escalation *e)
{
    if (!e) return;
    snc_regroup_dispose(&e->left);
    snc_free(e->state);
    snc_free(e);
}

/* Of a text's tokens, which net k has left, to where they come to lie. */
static void move_state(snc_escalation *e, int k, int token, int len)
{
    const size_t C = (size_t)snc_net_arch(e->net[k])->hidden;
    memmove(e->state + (size_t)e->left.x.T * C, e->state + (size_t)token * C, (size_t)len * C * sizeof *e->state);
}

/* Answers of net k that stand go out, the other texts are what is left. */
static void part(float *logits, uint8_t *by, snc_escalation *e, int k)
{
    snc_regroup *g = &e->left;
    const snc_tokens x = g->x;
    snc_regroup_clear(g);
    for (int i = 0; i < x.B; i++) {
        const int at = g->at[i];
        if (!snc_cascade_stands(e->c, k, g->z + (size_t)i * (size_t)g->K, g->K)) {
            if (e->keep[k]) move_state(e, k, x.offsets[i], x.offsets[i + 1] - x.offsets[i]);
            snc_regroup_add(g, &x, i, at);
            continue;
        }
        snc_regroup_put(logits, g, i);
        by[at] = (uint8_t)k;
    }
}

/* Texts [b0, b1) of x. */
static snc_err run_some(float *logits, uint8_t *by, snc_escalation *e, const snc_tokens *x, int b0, int b1)
{
    snc_err err = SNC_OK;
    snc_regroup_clear(&e->left);
    for (int i = b0; i < b1; i++) snc_regroup_add(&e->left, x, i, i);
    for (int k = e->c->nets - 1; k >= 0 && e->left.x.B; k--) {
        const snc_net_state state = {e->state, e->from[k], e->keep[k]};
        if (!snc_cascade_asks(e->c, k)) continue;
        err = snc_net_run_state(e->left.z, e->net[k], &e->left.x, &state);
        if (err && err != SNC_E_DIVERGED) return err;
        part(logits, by, e, k);
        if (k) err = SNC_OK; /* the texts of that answer are left */
    }
    return err;
}

snc_err snc_escalation_run(float *logits, uint8_t *by, snc_escalation *e, const snc_tokens *x)
{
    snc_err all = SNC_OK;
    for (int b0 = 0, b1; b0 < x->B; b0 = b1) {
        for (b1 = b0 + 1; b1 < x->B && x->offsets[b1 + 1] - x->offsets[b0] <= e->left.max_tokens; b1++) {}
        snc_err err = run_some(logits, by, e, x, b0, b1);
        if (err && err != SNC_E_DIVERGED) return err;
        if (err) all = err;
    }
    return all;
}
