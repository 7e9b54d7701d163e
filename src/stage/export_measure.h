/* stage/export_measure.h: how long the nets of a file take here, measured into it (models/speeds.h). */
#ifndef SNC_STAGE_EXPORT_MEASURE_H
#define SNC_STAGE_EXPORT_MEASURE_H

#include "artifact/load.h"

/* The file of several nets at `draft` becomes one with a table of this machine, which is said to h; *current: `out` is such a file of the
 * same nets already (times differ from run to run, so that it is not made twice), and the draft has no table. Threads: --threads or one.
 * SNC_E_ARG: something else is at `out` and may not be replaced. */
snc_err snc_measure_nets(bool *current, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const char *draft,
                         const char *out) SNC_MUST_USE;

#endif
