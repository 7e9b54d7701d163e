/* candidate/workload.h: what latency is measured on. */
#ifndef SNC_CANDIDATE_WORKLOAD_H
#define SNC_CANDIDATE_WORKLOAD_H

#include "base/ctx.h"
#include "base/json.h"
#include "data/dataset.h"
#include "models/measure.h"

/* Batches of a workload with seeded ids: `batch` sequences each, of `seq` tokens, or of the given lengths in turn. */
typedef struct snc_workload {
    int count, max_len, max_tokens, batch;
    snc_tokens *batches;
    int32_t *ids, *types, *offsets; /* behind the batches */
} snc_workload;

/* seq 0: lengths [n] in their order, cut into batches of `batch`; the last, smaller one is left out unless it is the only one. */
snc_err snc_workload_new(snc_workload *out, int batch, int seq, const int32_t *lengths, int n, int vocab, uint64_t seed) SNC_MUST_USE;
void snc_workload_free(snc_workload *w);

/* What --batch, --seq-len and the rank rows say. */
snc_err snc_workload_of_options(snc_workload *out, const snc_ctx *ctx, const snc_workload_opts *o, const snc_dataset *rank,
                                const snc_encoder_config *c) SNC_MUST_USE;
/* The options alone: one batch, one length, within the model's positions; *seq 0: data. */
snc_err snc_workload_check(int *batch, int *seq, const snc_workload_opts *o, const snc_encoder_config *c) SNC_MUST_USE;
cJSON *snc_workload_json(const snc_workload_opts *o); /* {"batch","seq_len","threads","percentile"} */

#endif
