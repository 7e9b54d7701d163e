/* train/checkpoint.h: the state of a training run in one file, written all at once or not at all.
 *
 *   "SNCTRAIN" | u32 version | u32 facts | u64 blocks | facts x {char name[24], f64 or u64 bits, u32 kind, u32 0} |
 *   blocks x u64 bytes | block bytes ... | u64 hash of everything before
 *
 * Facts say what the run is (options, hashes of model and data): a checkpoint resumes only a run with equal facts, and the
 * refusal names the first that differs. Blocks are raw memory of this machine's byte order: parameters, optimiser state.
 */
#ifndef SNC_TRAIN_CHECKPOINT_H
#define SNC_TRAIN_CHECKPOINT_H

#include "base/error.h"

enum { SNC_FACT_NAME = 24 };

typedef struct snc_fact {
    char name[SNC_FACT_NAME];
    union {
        double number;
        uint64_t hash;
    } v;
    uint32_t is_hash, zero;
} snc_fact;

snc_fact snc_fact_number(const char *name, double v);
snc_fact snc_fact_hash(const char *name, uint64_t v);

typedef struct snc_block {
    void *data;
    size_t bytes;
} snc_block;

snc_err snc_checkpoint_save(const char *path, const snc_fact *facts, int n_facts, const snc_block *blocks, int n_blocks) SNC_MUST_USE;
/* Fills the blocks. SNC_E_FORMAT: not a checkpoint, cut or damaged; SNC_E_ARG: of other inputs, named. On any error the blocks
 * are as they were. */
snc_err snc_checkpoint_load(const char *path, const snc_fact *facts, int n_facts, const snc_block *blocks, int n_blocks) SNC_MUST_USE;

#endif
