/* stage/bench_cascade.h: the time of real texts through the nets of a file that escalate or keep a budget: who answers depends on the text,
 * so that made ones say nothing of it. */
#ifndef SNC_STAGE_BENCH_CASCADE_H
#define SNC_STAGE_BENCH_CASCADE_H

#include "artifact/load.h"
#include "models/measure.h"

/* One row of d at a time in an order drawn by ctx's seed, whole passes where there is time, by what snc_loaded_use or snc_loaded_pace has
 * made ready. *within: the share of runs that took no longer than l's budget, 1 without one. */
snc_err snc_bench_cascade_time(snc_timing *out, double *within, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d,
                               const snc_measure_opts *o) SNC_MUST_USE;

#endif
