/* candidate/finalists.h: the second look at the best of a search: rows that it has not seen, a real clock, then one is chosen.
 *
 *   rank     the search's own rows: the lowest loss on them is too low, since hundreds of nets were asked and it is the least
 *   fresh    rows made for this (candidate/evaluator.h), as many as are wanted: a first part says which of the lowest on rank are
 *            looked at more closely, the rest, that nothing was chosen by, which of those is taken
 *   select   nothing is chosen by: what is said of the chosen net, and whether it keeps a drop, is as true as its rows can tell
 *
 * With a drop alone there is a choice to make on select: candidates stand in one order, found without it, and each is held to the bound
 * as long as all before it have kept it. So at most one search in twenty gives a net that drops more, however many are looked at: a
 * fixed sequence of tests (Maurer, Hothorn and Lehmacher 1995; for models Angelopoulos, Bates, Candes, Jordan and Lei 2021).
 */
#ifndef SNC_CANDIDATE_FINALISTS_H
#define SNC_CANDIDATE_FINALISTS_H

#include "candidate/drop.h"
#include "candidate/net_clock.h"
#include "candidate/search_run.h"

enum { SNC_FINALISTS = SNC_CLOCKED };

/* A finalist after the second look: on other rows and on the clock. */
typedef struct snc_finalist {
    snc_obs o;
    double look_loss;              /* on the first part of the fresh rows */
    double fresh_loss, fresh_most; /* on the rest, and at most so much at 95 %, one-sided */
    double select_loss, select_score;
    snc_drop drop;    /* under the teacher on select */
    double us, ratio; /* measured in this process, interleaved with the full-size INT8 net; of several hosts the worst of each */
    struct {
        double us, ratio;
    } on[SNC_COMM_CLOCKS]; /* of each who measures */
    double miss;           /* by how much limits on costs are missed as measured, in shares of them; 0: every one holds */
    bool meets;            /* every target, the drop by its bound on select */
} snc_finalist;

/* What a finalist has of each target. */
void snc_finalist_attained(snc_attained found[SNC_TARGETS], const snc_evaluator *e, const snc_finalist *f);

/* Up to 5 finalists, the chosen one first; those that miss a limit on costs last, the nearest of them first. When nothing is within
 * the limits by its costs: the smallest net of the space, not meeting them. obs [n_obs] is sorted. The fresh
 * rows are there (snc_evaluator_fresh).
 *
 * Of those within the limits the one with the lowest upper bound of its loss on fresh rows is chosen, the lower bound of its quality;
 * of equal ones the faster, then the smaller. With a drop alone: the fastest. Where all miss a latency on the clock, those are asked that
 * keep it by what the clock said of the first. */
snc_err snc_finalists_select(snc_finalist out[SNC_FINALISTS], int *n, const snc_search_run *r, snc_obs *obs, int n_obs) SNC_MUST_USE;

/* Loss of a net on the fresh rows that decide, and its upper bound at 95 %. */
snc_err snc_finalists_fresh_loss(double *loss, double *most, snc_evaluator *e, const snc_arch *a, const snc_policy *policy) SNC_MUST_USE;

#endif
