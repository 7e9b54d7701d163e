/* candidate/profiling.h: the latency table of a supernet on a workload.
 *
 * Of all nets of m's shapes: times depend on no weight, so it can be made before anything is trained. Reused on the same host,
 * shapes, space, workload and lengths. Where other hosts measure there is one of each kind of them (artifact/latency_table.h).
 */
#ifndef SNC_CANDIDATE_PROFILING_H
#define SNC_CANDIDATE_PROFILING_H

#include "artifact/inputs.h"
#include "candidate/net_clock.h"
#include "models/latency.h"

/* Of this machine, and its probes (candidate/calibrate.h). *t and *probed are NULL before; the caller's, after an error as well. */
snc_err snc_profile_measure(snc_latency **t, cJSON **probed, const snc_net_clock *c) SNC_MUST_USE;
snc_err snc_profile_make(const snc_ctx *work, const snc_options *o, const snc_inputs *in, const snc_model *m, const char *out) SNC_MUST_USE;
snc_err snc_profile_make_of_file(const snc_ctx *work, const snc_options *o, const snc_inputs *in, const char *supernet,
                                 const char *out) SNC_MUST_USE;

#endif
