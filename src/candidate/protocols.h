/* candidate/protocols.h: what a search on a real supernet is worth: experiments with repeats, each a comparison with chance.
 *
 *   hypervolume   every search of --searchers, --seeds runs of --evals evaluations without limits. Hypervolume of (loss on rank,
 *                 latency) up to a fixed point: the loss of the net with half of every width in INT8, the latency of the full-size
 *                 INT8 net; and after how many evaluations each run has what the first search of the list has at its end.
 *   improvement   8 runs of --searcher under --target-latency against 8 random nets whose latency is within 5 % under the limit, and
 *                 against the best even net (one depth, one share of every width, INT8) within it; all of them repaired with one recipe
 *                 and scored on select. RI = 100 (mean searched - mean random) / mean random (Yang, Esperanca and Carlucci 2020).
 *   tau           12 random nets within 5 % under --target-latency, so that cost says nothing of their order: loss and score on select
 *                 inside the supernet against the same after each was distilled alone from the teacher's weights (alone.h); Kendall's
 *                 tau-b (Sciuto et al. 2020) with its 95 % interval by a bootstrap over nets, and beside it that of multiply-adds alone.
 *   joint         --seeds runs of --searcher over architecture and dtypes together, over architectures in uniform INT8, and over
 *                 architectures in FP for half of the evaluations whose best are then taken in INT8; the fronts scored again on
 *                 select. Difference in hypervolume with its 95 % interval.
 *   cascade       --seeds runs of --searcher under --target-latency against as many that spend their evaluations on a pair: half on the
 *                 larger net, without a limit, half on nets within four of those, judged by what both say together at that mean time
 *                 (pairing.h). Loss and score on select, where as many texts go on as keep the same mean; by the table's times, by the
 *                 supernet's weights. The differences with their 95 % intervals, paired by seed.
 *
 * Every journal stays in the output folder, so that a study that was stopped goes on where it was; results are printed and
 * kept in study.json.
 */
#ifndef SNC_CANDIDATE_PROTOCOLS_H
#define SNC_CANDIDATE_PROTOCOLS_H

#include "snc.h"

/* --protocols: a list of the names above. */
snc_err snc_protocols_run(const snc_options *o, const snc_host *h) SNC_MUST_USE;

#endif
