/* models/latency.h: a measured latency table: what each part of a net costs on this machine for one workload.
 *
 * Whole nets are run through the runtime with its clock on, their layers going through the options of the space in
 * turn, so every part is timed where it will stand: after the part that precedes it, with weights that come from where
 * they come from in a real forward. A cell is the median time of one part at one shape:
 *
 *   qkv, attention, o   [linear dtype][hidden][heads][inner layer, last with heads]  (attention: dtype of qkv)
 *   ffn_in, ffn_out     [linear dtype][hidden][ffn][inner layer, of first tokens]    (from the last layer with heads on)
 *   embed               [embedding dtype][hidden]        head  [pooler dtype][hidden]
 *
 * A half that a layer skips is taken for free, though its LayerNorm takes a little. A net's prediction is the sum of its
 * cells plus a measured constant (checks, calls, clock) and a measured factor, less what a net saves that is small enough to stay in
 * the second-level cache. Where the grid is larger than the time given, every other option or fewer are measured, ends included, and
 * widths in between are interpolated. The whole is done three times, and a cell is the median of the three. A workload of mixed
 * lengths is stood for by the batches around its percentile of tokens.
 */
#ifndef SNC_MODELS_LATENCY_H
#define SNC_MODELS_LATENCY_H

#include "base/comm.h"
#include "models/runtime.h"
#include "models/space.h"

typedef struct snc_latency_opts {
    double percentile; /* of the workload's batches, in (0, 1) */
    double seconds;    /* to spend, about */
} snc_latency_opts;
#define SNC_LATENCY_OPTS_INIT             \
    {                                     \
        .percentile = 0.5, .seconds = 5.0 \
    }

typedef struct snc_latency snc_latency;

/* Every option that any layer of the space has, and INT8 throughout, for the full-size model that x is measured in. Packs what it
 * needs into w. SNC_E_SHAPE: an option wider than w. SNC_E_ARG: an empty list. */
snc_err snc_latency_build(snc_latency **out, const snc_ctx *ctx, snc_weights *w, const snc_space *s, const snc_tokens *batches, int count,
                          const snc_latency_opts *o) SNC_MUST_USE;
void snc_latency_free(snc_latency *t);

/* Microseconds of one batch at the percentile. Widths outside the measured ones are clamped to them, a dtype that was
 * not measured counts as the slowest that was. */
double snc_latency_predict(const snc_latency *t, const snc_arch *arch, const snc_policy *policy);
/* The same of its layers from `from` on, with the head: of a net that goes on from another's hidden state; 0: of all of it. */
double snc_latency_predict_from(const snc_latency *t, const snc_arch *arch, const snc_policy *policy, int from);
/* What a net takes with its matrices in INT4 of what it takes in INT8; infinite where INT4 was not measured. */
double snc_latency_int4_share(const snc_latency *t, const snc_arch *arch);

/* JSON, with the host's fingerprint. SNC_E_FORMAT names the field. */
snc_err snc_latency_save(const snc_latency *t, const char *path) SNC_MUST_USE;
snc_err snc_latency_load(snc_latency **out, const char *path) SNC_MUST_USE;
cJSON *snc_latency_to_json(const snc_latency *t);
snc_err snc_latency_from_json(snc_latency **out, const cJSON *j, const char *where) SNC_MUST_USE;
/* Whether the table was made on a machine such as this one, or as that of another rank, with these threads, backend and instruction set. */
bool snc_latency_fits_host(const snc_latency *t, const snc_ctx *ctx, const snc_comm_host *on /* NULL: this one */);

#endif
