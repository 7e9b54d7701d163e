/* Texts that move inside the arrays never move back. */
#include "runtime/regroup.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

snc_err snc_regroup_init(snc_regroup *g, int K, int max_tokens, int max_seqs)
{
    const size_t tokens = (size_t)max_tokens, seqs = (size_t)max_seqs;
    *g = (snc_regroup){.K = K, .max_tokens = max_tokens, .max_seqs = max_seqs};
    SNC_TRY(snc_alloc(&g->ids, tokens, sizeof *g->ids));
    SNC_TRY(snc_alloc(&g->types, tokens, sizeof *g->types));
    SNC_TRY(snc_alloc(&g->offsets, seqs + 1, sizeof *g->offsets));
    SNC_TRY(snc_alloc(&g->at, seqs, sizeof *g->at));
    SNC_TRY(snc_alloc(&g->z, seqs * (size_t)K, sizeof *g->z));
    snc_regroup_clear(g);
    return SNC_OK;
}

void snc_regroup_dispose(snc_regroup *g)
{
    snc_free(g->ids);
    snc_free(g->types);
    snc_free(g->offsets);
    snc_free(g->at);
    snc_free(g->z);
    *g = (snc_regroup){.K = 0};
}

void snc_regroup_clear(snc_regroup *g) { g->x = (snc_tokens){.ids = g->ids, .types = g->types, .offsets = g->offsets}; }

void snc_regroup_add(snc_regroup *g, const snc_tokens *x, int i, int at)
{
    const int from = x->offsets[i], len = x->offsets[i + 1] - from, n = g->x.B, T = g->x.T;
    assert(n < g->max_seqs && T + len <= g->max_tokens);
    memmove(g->ids + T, x->ids + from, (size_t)len * sizeof *g->ids);
    memmove(g->types + T, x->types + from, (size_t)len * sizeof *g->types);
    g->offsets[n + 1] = T + len; /* n <= i: the same as it was, or none that is still to be read */
    g->at[n] = at;
    g->x.B = n + 1;
    g->x.T = T + len;
}

void snc_regroup_put(float *logits, const snc_regroup *g, int i)
{
    const size_t K = (size_t)g->K;
    memcpy(logits + (size_t)g->at[i] * K, g->z + (size_t)i * K, K * sizeof *logits);
}
