/* train/sweep.h: logits of a whole split by several ranks, each a share of the batches. */
#ifndef SNC_TRAIN_SWEEP_H
#define SNC_TRAIN_SWEEP_H

#include "base/duty.h"
#include "train/evaluate.h"

enum {
    SNC_SWEEP_BATCH = 128,
    SNC_SWEEP_SHARED = 512 /* rows: of fewer rank 0 is told before a model has been sent */
};

/* snc_train_sweep, called by every rank of comm, with equal models and rows; comm NULL: by one alone. The ranks have agreed on an error. */
snc_err snc_sweep_among(float **logits, const snc_ctx *ctx, snc_comm *comm, snc_model *teacher, snc_compute compute, const snc_dataset *d,
                        const uint8_t *met, const char *what) SNC_MUST_USE;
extern const snc_duty snc_duty_sweep;

#endif
