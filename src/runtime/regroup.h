/* runtime/regroup.h: some texts of a batch, moved together for a net, and its answers put where they belong.
 *
 *     snc_regroup_clear(&g);   snc_regroup_add(&g, &x, i, i);   ...
 *     SNC_TRY(snc_net_run(g.z, net, &g.x));   snc_regroup_put(logits, &g, 0);   ...
 */
#ifndef SNC_RUNTIME_REGROUP_H
#define SNC_RUNTIME_REGROUP_H

#include "models/runtime.h"

typedef struct snc_regroup {
    snc_tokens x;                   /* the texts that were added, in these arrays: */
    int32_t *ids, *types, *offsets; /* [max_tokens], the same, [max_seqs + 1] */
    int *at;                        /* [max_seqs] where they stand in the batch */
    float *z;                       /* [max_seqs, K] room for what a net says of them */
    int K, max_tokens, max_seqs;
} snc_regroup;

snc_err snc_regroup_init(snc_regroup *g, int K, int max_tokens, int max_seqs) SNC_MUST_USE;
void snc_regroup_dispose(snc_regroup *g); /* also of one that init has failed on */

void snc_regroup_clear(snc_regroup *g);
/* Text i of x, which stands at `at`. x may be of the same arrays, cleared since, where its texts are added in their order. */
void snc_regroup_add(snc_regroup *g, const snc_tokens *x, int i, int at);
/* z of the i-th text that was added, to its place in logits [batch, K]. */
void snc_regroup_put(float *logits, const snc_regroup *g, int i);

#endif
