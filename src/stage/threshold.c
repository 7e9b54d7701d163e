#include "stage/threshold.h"

#include <math.h>

#include "base/mem.h"
#include "models/cutoff.h"
#include "train/evaluate.h"

enum { STEPS = 100 };

snc_err snc_threshold_choose(double *out, const snc_ctx *ctx, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    double best = -INFINITY, score;
    for (int i = 0; i < STEPS - 1; i++) { /* 50, 49, 51, 48, ... hundredths */
        double threshold = (double)(STEPS / 2 + (i % 2 ? -(i + 1) / 2 : i / 2)) / STEPS;
        SNC_TRY(snc_go_on(ctx));
        SNC_TRY(snc_inputs_score_at(&score, task, logits, d, K, threshold));
        if (!(score > best)) continue;
        best = score;
        *out = threshold;
    }
    return SNC_OK;
}

snc_err snc_threshold_note(snc_model *m, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in)
{
    snc_err err = SNC_OK;
    const snc_dataset *d = in->splits.select;
    float *logits = NULL;
    snc_compute compute;
    double threshold = 0.5;
    if (!m->cfg.multilabel || !d) return SNC_OK;
    SNC_TRY(snc_inputs_compute(&compute, o));
    SNC_TRY(snc_alloc(&logits, (size_t)d->n * (size_t)m->cfg.classes, sizeof *logits));
    SNC_GOTO(snc_train_eval_model(logits, ctx, m, &m->arch, compute, d, 64, NULL));
    SNC_GOTO(snc_threshold_choose(&threshold, ctx, in->task, logits, d, m->cfg.classes));
    cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "threshold");
    cJSON_AddNumberToObject(m->meta, "threshold", threshold);
out:
    snc_free(logits);
    return err;
}
