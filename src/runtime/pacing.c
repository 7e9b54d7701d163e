/* Lengths alone decide who answers, before any net runs. */
#include "runtime/pacing.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/regroup.h"

struct snc_pacing {
    snc_net *net[SNC_NETS_MOST];
    const snc_speeds *s;
    snc_regroup its; /* the texts of a net */
};

snc_err snc_pacing_new(snc_pacing **out, snc_net *const *nets, const snc_speeds *s, int K, int max_tokens, int max_seqs)
{
    snc_pacing *p = NULL;
    assert(s->nets >= 2 && s->nets <= SNC_NETS_MOST);
    SNC_TRY(snc_alloc(&p, 1, sizeof *p));
    memcpy(p->net, nets, (size_t)s->nets * sizeof(snc_net *));
    p->s = s;
    snc_err err = snc_regroup_init(&p->its, K, max_tokens, max_seqs);
    if (err) snc_pacing_free(p);
    else *out = p;
    return err;
}

void snc_pacing_free(snc_pacing *p)
{
    if (!p) return;
    snc_regroup_dispose(&p->its);
    snc_free(p);
}

snc_err snc_pacing_run(float *logits, uint8_t *by, bool *over, snc_pacing *p, double us, const snc_tokens *x)
{
    snc_regroup *g = &p->its;
    snc_err all = SNC_OK;
    for (int i = 0; i < x->B; i++) by[i] = (uint8_t)snc_speeds_pick(&over[i], p->s, x->offsets[i + 1] - x->offsets[i], us);
    for (int k = 0; k < p->s->nets; k++) {
        snc_regroup_clear(g);
        for (int i = 0; i < x->B; i++)
            if (by[i] == k) snc_regroup_add(g, x, i, i);
        if (!g->x.B) continue;
        snc_err err = snc_net_run(g->z, p->net[k], &g->x);
        if (err && err != SNC_E_DIVERGED) return err;
        if (err) all = err;
        for (int i = 0; i < g->x.B; i++) snc_regroup_put(logits, g, i);
    }
    return all;
}
