/* How many steps a run makes, and which rows it meets in them. */
#include <math.h>
#include <string.h>

#include "train/trainer.h"

int64_t snc_train_steps(const snc_train_opts *o, int64_t per_epoch) { return (int64_t)ceil(o->epochs * (double)per_epoch - 1e-9); }

snc_err snc_train_rows_met(uint8_t *met, const snc_ctx *ctx, const snc_dataset *d, const snc_train_opts *o)
{
    snc_batcher *b = NULL;
    SNC_TRY(snc_batcher_new(&b, d, o->batch_size));
    int64_t per_epoch = snc_batcher_count(b), steps = snc_train_steps(o, per_epoch);
    const bool all = steps >= per_epoch || o->data_sampler->draw; /* one that draws may draw any */
    memset(met, all, (size_t)d->n);
    if (!all) snc_batcher_epoch(b, ctx->seed, 0);
    for (int i = 0; !all && i < steps; i++) {
        snc_tokens x;
        const int32_t *rows;
        snc_batcher_get(&x, &rows, b, i);
        for (int k = 0; k < x.B; k++) met[rows[k]] = 1;
    }
    snc_batcher_free(b);
    return SNC_OK;
}
