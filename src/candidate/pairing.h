/* candidate/pairing.h: a net judged by what it is worth before a larger one that answers where it is not sure (models/cascade.h).
 *
 *     snc_pairing pair = {.arch = large.arch, .policy = large.policy, .us = 300, .mean_us = 150};
 *     e.pair = &pair;                       what e says of a net's answers is of both together from here on
 *     snc_pairing_dispose(&pair);
 *
 * A text takes the small net's time, and the larger one's too where that answers, or what is left of it where it goes on from the small
 * one's hidden state (models/arch.h: snc_arch_handover). So many of the rows as keep the mean within mean_us go on to it: those of which
 * the small net is the least sure, by its margin at a temperature of one. What is searched for is then no net of its own but the pair at
 * one mean time, thresholds included: a small net that leaves more time for the larger one may have a higher loss alone. The thresholds
 * that a file gets are chosen on the clock and on other rows (candidate/cascade_fit.h).
 */
#ifndef SNC_CANDIDATE_PAIRING_H
#define SNC_CANDIDATE_PAIRING_H

#include "artifact/load.h"
#include "data/dataset.h"

enum { SNC_PAIRING_SETS = 6 };

typedef struct snc_pairing {
    snc_arch arch; /* of the larger net, and its dtypes */
    snc_policy policy;
    double us, mean_us; /* of the larger net alone; that a text may take in the mean: by one clock or one table */
    /* What the larger net says, of each set of rows that was asked for: owned. A set is known by where its rows begin and their number. */
    int sets;
    struct {
        const int64_t *start;
        int n;
        float *z; /* [n, K] */
    } of[SNC_PAIRING_SETS];
} snc_pairing;

/* Puts the larger net's answers [n, K] in place of those rows of z [n, K] that go on to it; returns how many. small_us: of the net that
 * said z; larger_us: of the larger one behind it. */
int snc_pairing_put(float *z, const float *larger, int n, int K, double small_us, double larger_us, double mean_us);
/* The same with what p's net says of d, which net computes where it is not known yet: it is bound to that afterwards. */
snc_err snc_pairing_answer(float *z, snc_pairing *p, snc_net *net, const snc_dataset *d, int K, int batch, double small_us,
                           double larger_us) SNC_MUST_USE;
/* What is said of the pair hangs on it: mixed into `seed`, a hash of what it is said of. */
uint64_t snc_pairing_hash(const snc_pairing *p, uint64_t seed);
void snc_pairing_dispose(snc_pairing *p);

#endif
