/* stage/workload.h: what latency is measured on. */
#ifndef SNC_STAGE_WORKLOAD_H
#define SNC_STAGE_WORKLOAD_H

#include "models/measure.h"
#include "stage/common.h"

/* Batches of a workload with seeded ids: `batch` sequences each, of `seq` tokens, or of the given lengths in turn. */
typedef struct snc_workload {
    int count, max_len, max_tokens, batch;
    snc_tokens *batches;
    int32_t *ids, *types, *offsets; /* behind the batches */
} snc_workload;

/* seq 0: lengths [n] in their order, cut into batches of `batch`; the last, smaller one is left out unless it is the only one. */
snc_err snc_workload_new(snc_workload *out, int batch, int seq, const int32_t *lengths, int n, int vocab, uint64_t seed) SNC_MUST_USE;
void    snc_workload_free(snc_workload *w);

#endif
