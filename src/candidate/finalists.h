/* candidate/finalists.h: the second look at the best of a search: another split, a real clock, then one is chosen. */
#ifndef SNC_CANDIDATE_FINALISTS_H
#define SNC_CANDIDATE_FINALISTS_H

#include "candidate/net_clock.h"
#include "candidate/search_run.h"

enum { SNC_FINALISTS = SNC_CLOCKED };

/* A finalist after the second look: on the select split and on the clock. */
typedef struct snc_finalist {
    snc_obs o;
    double select_loss, select_score;
    double us, ratio; /* measured in this process, interleaved with the full-size INT8 net */
    double miss;      /* by how much the limits are missed as measured, in shares of them; 0: every one holds */
    bool meets;
    bool tied; /* no different in loss from the best of those that meet every limit */
} snc_finalist;

/* What a finalist has of each target. */
void snc_finalist_attained(snc_attained found[SNC_TARGETS], const snc_evaluator *e, const snc_finalist *f);

/* Up to 5 finalists, the chosen one first; those that miss a limit last, the nearest of them first. When nothing is within
 * the limits by its costs: the smallest net of the space, not meeting them. obs [n_obs] is sorted.
 *
 * Two finalists differ in loss when a paired bootstrap over the rows of select says so at 95%. Of those that do not differ
 * from the best, the faster one is chosen (the smaller one when size alone is limited), and of equally fast ones the smaller. */
snc_err snc_finalists_select(snc_finalist out[SNC_FINALISTS], int *n, const snc_search_run *r, snc_obs *obs, int n_obs) SNC_MUST_USE;

#endif
