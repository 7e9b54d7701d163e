/* Models as deployable files. */
#include "candidate/deploy.h"

#include <stdio.h>
#include <string.h>

#include "artifact/depends.h"
#include "artifact/load.h"
#include "artifact/stamp.h"
#include "artifact/threshold.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "models/export.h"

cJSON *snc_deploy_meta(const snc_model *m, const snc_options *o, const snc_inputs *in, cJSON *stamp)
{
    cJSON *meta = cJSON_CreateObject();
    const snc_dataset *rank = in ? in->splits.rank : NULL;
    const cJSON *max_length = cJSON_GetObjectItemCaseSensitive(m->meta, "max_length");
    const cJSON *long_texts = cJSON_GetObjectItemCaseSensitive(m->meta, "long_texts");
    const cJSON *threshold = m->cfg.multilabel ? cJSON_GetObjectItemCaseSensitive(m->meta, "threshold") : NULL;
    if (stamp) cJSON_AddItemToObject(meta, "inputs", stamp);
    if (in) cJSON_AddStringToObject(meta, "task", snc_task_name(in->task));
    if (in) cJSON_AddNumberToObject(meta, "max_length", snc_task_max_length(in->task));
    else if (max_length) cJSON_AddItemToObject(meta, "max_length", cJSON_Duplicate(max_length, 1));
    if (in) snc_long_put(meta, snc_task_long_texts(in->task));
    else if (long_texts) cJSON_AddItemToObject(meta, "long_texts", cJSON_Duplicate(long_texts, 1));
    if (threshold) cJSON_AddItemToObject(meta, "threshold", cJSON_Duplicate(threshold, 1));
    cJSON_AddNumberToObject(meta, "seed", (double)o->job.seed);
    if (rank) cJSON_AddItemToObject(meta, "lengths", snc_inputs_lengths(rank));
    return meta;
}

snc_err snc_deploy_write(const char *path, const snc_ctx *ctx, const snc_model *m, snc_weights *w, const snc_arch *a, const snc_policy *p,
                         const cJSON *meta)
{
    const snc_export_info info = {.labels = m->labels, .has_head = m->has_head, .tokenizer = &m->tokenizer, .meta = meta};
    snc_weights *own = NULL;
    snc_err err = SNC_OK;
    if (!w) err = snc_weights_from_model(&own, ctx, m);
    if (!err) err = snc_export(path, w ? w : own, a, p, &info);
    snc_weights_free(own);
    return err;
}

snc_err snc_deploy_write_cut(const char *path, const snc_ctx *ctx, const snc_inputs *in, const snc_model *m, snc_weights *w,
                             const snc_arch *a, const snc_policy *p, cJSON *meta)
{
    snc_err err = SNC_OK;
    snc_loaded l = {0};
    const snc_dataset *d = in->splits.select;
    float *logits = NULL;
    double threshold = 0.5;
    SNC_TRY(snc_deploy_write(path, ctx, m, w, a, p, meta));
    if (!m->cfg.multilabel || !d) return SNC_OK;
    SNC_GOTO(snc_alloc(&logits, (size_t)d->n * (size_t)m->cfg.classes, sizeof *logits));
    SNC_GOTO(snc_loaded_open(&l, ctx, path, 0, SNC_MEANS_CLASSES));
    SNC_GOTO(snc_loaded_answer(logits, ctx, &l, d, NULL));
    SNC_GOTO(snc_threshold_choose(&threshold, ctx, in->task, logits, d, l.classes));
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "threshold");
    cJSON_AddNumberToObject(meta, "threshold", threshold);
    SNC_GOTO(snc_deploy_write(path, ctx, m, w, a, p, meta));
out:
    snc_loaded_close(&l);
    snc_free(logits);
    return err;
}

snc_err snc_deploy_full(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher, const char *out)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    cJSON *stamp = NULL, *meta = NULL;
    char why[SNC_WHY];
    SNC_GOTO(snc_depends_int8(&stamp, o, in, teacher));
    if (snc_stamp_state(why, out, stamp) == SNC_CURRENT) goto out;
    SNC_GOTO(snc_model_load(&m, ctx, teacher, 0, SNC_MEANS_CLASSES));
    snc_policy int8 = snc_policy_int8();
    meta = snc_deploy_meta(m, o, in, cJSON_Duplicate(stamp, 1));
    SNC_GOTO(snc_deploy_write(out, ctx, m, NULL, NULL, &int8, meta));
out:
    cJSON_Delete(stamp);
    cJSON_Delete(meta);
    snc_model_free(m);
    return err;
}

/* ---- fewer word pieces --------------------------------------------------------------------------------------------- */

snc_err snc_deploy_trim(const char *path, const snc_ctx *ctx, const snc_dataset *dev, const snc_trim *t)
{
    double all = (double)dev->start[dev->n], lost = 100.0 * (double)snc_trim_lost(t, dev->ids, dev->start[dev->n]) / (all > 0 ? all : 1);
    cJSON *note = cJSON_CreateObject();
    cJSON_AddNumberToObject(note, "pieces", t->kept);
    cJSON_AddNumberToObject(note, "of", t->rows);
    cJSON_AddNumberToObject(note, "dev_lost_percent", lost);
    snc_log(ctx, SNC_LOG_INFO, "vocabulary: %d of %d pieces kept; %.2f%% of dev's tokens are others", t->kept, t->rows, lost);
    return snc_trim_file(path, path, t, note);
}
