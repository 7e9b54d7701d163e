/* What is left after a net is moved together in place: a text never moves back. */
#include "runtime/escalation.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/regroup.h"

struct snc_escalation {
    snc_net *net[SNC_NETS_MOST];
    const snc_cascade *c;
    snc_regroup left; /* the texts that have no answer yet */
};

snc_err snc_escalation_new(snc_escalation **out, snc_net *const *nets, const snc_cascade *c, int K, int max_tokens, int max_seqs)
{
    snc_escalation *e = NULL;
    assert(c->nets >= 2 && c->nets <= SNC_NETS_MOST && K >= 2);
    SNC_TRY(snc_alloc(&e, 1, sizeof *e));
    memcpy(e->net, nets, (size_t)c->nets * sizeof(snc_net *));
    e->c = c;
    snc_err err = snc_regroup_init(&e->left, K, max_tokens, max_seqs);
    if (err) snc_escalation_free(e);
    else *out = e;
    return err;
}

void snc_escalation_free(snc_escalation *e)
{
    if (!e) return;
    snc_regroup_dispose(&e->left);
    snc_free(e);
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
            snc_regroup_add(g, &x, i, at);
            continue;
        }
        snc_regroup_put(logits, g, i);
        by[at] = (uint8_t)k;
    }
}

snc_err snc_escalation_run(float *logits, uint8_t *by, snc_escalation *e, const snc_tokens *x)
{
    snc_err err = SNC_OK;
    snc_regroup_clear(&e->left);
    for (int i = 0; i < x->B; i++) snc_regroup_add(&e->left, x, i, i);
    for (int k = e->c->nets - 1; k >= 0 && e->left.x.B; k--) {
        if (!snc_cascade_asks(e->c, k)) continue;
        err = snc_net_run(e->left.z, e->net[k], &e->left.x);
        if (err && err != SNC_E_DIVERGED) return err;
        part(logits, by, e, k);
        if (k) err = SNC_OK; /* the texts of that answer are left */
    }
    return err;
}
