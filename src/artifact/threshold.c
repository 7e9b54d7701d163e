/* Thresholds are tried from the middle outwards, so that the first of equals is the nearest to a half. */
#include "artifact/threshold.h"

#include <math.h>

#include "artifact/task_score.h"

enum { STEPS = 100 };

snc_err snc_threshold_choose(double *out, const snc_ctx *ctx, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    double best = -INFINITY, score;
    for (int i = 0; i < STEPS - 1; i++) { /* 50, 49, 51, 48, ... hundredths */
        const int hundredths = STEPS / 2 + (i % 2 ? -(i + 1) / 2 : i / 2);
        const double threshold = (double)hundredths / STEPS;
        SNC_TRY(snc_go_on(ctx));
        SNC_TRY(snc_task_score_at(&score, task, logits, d, K, threshold));
        if (!(score > best)) continue;
        best = score;
        *out = threshold;
    }
    return SNC_OK;
}

snc_err snc_threshold_note(snc_model *m, const snc_ctx *ctx, const snc_inputs *in, const float *logits)
{
    double threshold = 0.5;
    if (!m->cfg.multilabel || !logits) return SNC_OK;
    SNC_TRY(snc_threshold_choose(&threshold, ctx, in->task, logits, in->splits.select, m->cfg.classes));
    cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "threshold");
    cJSON_AddNumberToObject(m->meta, "threshold", threshold);
    return SNC_OK;
}
