/* candidate/chain.h: nets of one file, each a part of the one before it and faster: one search after the other.
 *
 * The first net is the finalist of the search over the whole space. Each other is that of a search of its own, with its own latency, over
 * the nets that begin the one before it (models/space.h: snc_space_within; with --nest depth snc_space_prefixes), by the weights of the
 * supernet. So the largest net is as good as it is alone, and what nesting costs falls to the smaller ones. Each search has a journal and
 * a front in a folder of its own, so that a killed job goes on in it.
 *
 * With --cascade and one latency the net that answers first is nobody's to name: it is searched for by what both say together at the mean
 * time that --cascade-limits ask for (candidate/pairing.h).
 */
#ifndef SNC_CANDIDATE_CHAIN_H
#define SNC_CANDIDATE_CHAIN_H

#include "candidate/delivery.h"
#include "candidate/search_result.h"

typedef struct snc_chain {
    int n; /* fewer than latencies asked for, where one net keeps two of them */
    snc_chosen net[SNC_LATENCIES];
    snc_target latency[SNC_LATENCIES]; /* that each net answers for */
    double predicted_us[SNC_LATENCIES];
} snc_chain;

/* --nest depth: each net is the first layers of the one before it. */
bool snc_chain_by_depth(const snc_options *o);
/* How many nets there are to find, the first among them. */
int snc_chain_length(const snc_options *o, const snc_targets *t);
/* first: what r found; the other latencies are those of r->targets. dir/net-K is where the search for net K keeps its files. until: the
 * moment by which they are to end, 0: none. */
snc_err snc_chain_find(snc_chain *out, const snc_search_run *r, const snc_search_result *first, const char *table, const char *dir,
                       const cJSON *read, double until) SNC_MUST_USE;
/* [{"arch","policy","rank_loss","select_loss","select_score","predicted_us","measured_us"}] of the nets beside the first. */
cJSON *snc_chain_json(const snc_chain *c);

#endif
