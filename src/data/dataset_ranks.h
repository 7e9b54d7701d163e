/* data/dataset_ranks.h: rows that rank 0 has, on every rank. */
#ifndef SNC_DATA_DATASET_RANKS_H
#define SNC_DATA_DATASET_RANKS_H

#include "base/comm.h"
#include "data/dataset.h"

/* By all ranks. d: rank 0's; NULL elsewhere. *out: NULL on rank 0, elsewhere its rows and targets, without texts and source. The ranks have
 * agreed on an error. */
snc_err snc_dataset_share(snc_dataset **out, const snc_dataset *d, snc_comm *c) SNC_MUST_USE;
/* A block of n things that rank 0 has (NULL: nothing), on every rank, where it is allocated: *p. For what goes with rows. */
snc_err snc_block_share(void *p /* T ** */, size_t n, size_t size, snc_comm *c) SNC_MUST_USE;

#endif
