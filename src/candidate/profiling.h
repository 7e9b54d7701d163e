/* candidate/profiling.h: the latency table of a supernet on a workload.
 *
 * Of all nets of m's shapes: times depend on no weight, so it can be made before anything is trained. Reused on the same host,
 * shapes, space, workload and lengths.
 */
#ifndef SNC_CANDIDATE_PROFILING_H
#define SNC_CANDIDATE_PROFILING_H

#include "artifact/inputs.h"

snc_err snc_profile_make(const snc_ctx *work, const snc_options *o, const snc_inputs *in, snc_model *m, const char *out) SNC_MUST_USE;
snc_err snc_profile_make_of_file(const snc_ctx *work, const snc_options *o, const snc_inputs *in, const char *supernet,
                                 const char *out) SNC_MUST_USE;

#endif
