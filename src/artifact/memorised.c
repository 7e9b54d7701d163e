/* The loss of each row by itself: its mean and the error of that. */
#include "artifact/memorised.h"

#include <math.h>

#include "base/mem.h"
#include "base/stats.h"
#include "train/evaluate.h"
#include "train/loss.h"

enum { MOST = 1000, BATCH = 64 };

static snc_err row_losses(double *mean, double *error, const snc_ctx *ctx, snc_model *m, snc_compute compute, const snc_dataset *d)
{
    snc_err err = SNC_OK;
    const int K = m->cfg.classes;
    float *z = NULL;
    double *loss = NULL;
    snc_dataset few = *d;
    if (few.n > MOST) few.n = MOST;
    SNC_GOTO(snc_alloc(&z, (size_t)few.n * (size_t)K, sizeof *z));
    SNC_GOTO(snc_alloc(&loss, (size_t)few.n, sizeof *loss));
    SNC_GOTO(snc_train_eval_model(z, ctx, m, &m->arch, compute, &few, BATCH, NULL));
    for (int i = 0; i < few.n; i++) {
        const snc_loss_labels y = {.problem = snc_meaning_of(&m->cfg), .target = few.target + i, .sets = few.sets};
        loss[i] = snc_loss_hard(NULL, z + (int64_t)i * K, &y, 1, K, 1);
    }
    *mean = snc_mean(loss, few.n);
    *error = snc_standard_error(loss, few.n);
out:
    snc_free(loss);
    snc_free(z);
    return err;
}

snc_err snc_memorised_look(snc_memorised *out, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher)
{
    snc_model *m = NULL;
    double select_error, dev_error;
    bool fine_tuned;
    *out = (snc_memorised){0};
    if (snc_task_vectors(in->task) || snc_task_tags(in->task)) return SNC_OK; /* no label, or many a row */
    SNC_TRY(snc_inputs_model(&m, &fine_tuned, ctx, teacher, in->task));
    const snc_compute compute = snc_inputs_compute(&o->job);
    snc_err err = row_losses(&out->select, &select_error, ctx, m, compute, in->splits.select);
    if (!err) err = row_losses(&out->dev, &dev_error, ctx, m, compute, in->dev);
    if (!err) out->likely = 2 * out->select < out->dev && out->dev - out->select > 3 * hypot(select_error, dev_error);
    snc_model_free(m);
    return err;
}
