/* candidate/reach.h: whether any net of the space can meet the targets: known before anything is trained for them.
 *
 * Bytes and multiply-adds are formulas. Latency is the clock's: the smallest net and, where a share is asked for, the full-size INT8
 * net are timed for a quarter of a second each, with whatever weights the model has, for times depend on none; later the table says it
 * of all nets. What the smallest net misses by a clear margin is refused (SNC_E_ARG, with what that net needs); a near miss is
 * warned of, since the clock and the table are off by some percent.
 */
#ifndef SNC_CANDIDATE_REACH_H
#define SNC_CANDIDATE_REACH_H

#include "artifact/inputs.h"
#include "candidate/target.h"

/* work: the workload's threads. m: any model of the shapes. */
snc_err snc_reach_check(const snc_ctx *work, const snc_options *o, const snc_targets *a, const snc_inputs *in, snc_model *m) SNC_MUST_USE;
/* Latency alone, by the table in a file. */
snc_err snc_reach_by_table(const snc_ctx *work, const snc_options *o, const snc_targets *a, const snc_model *m,
                           const char *table) SNC_MUST_USE;

#endif
