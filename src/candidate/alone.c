/* A net is trained, written, opened again and scored; the file goes away after that. */
#include "candidate/alone.h"

#include <stdio.h>

#include "artifact/load.h"
#include "artifact/recipes.h"
#include "artifact/task_score.h"
#include "artifact/training.h"
#include "base/fmap.h"
#include "candidate/deploy.h"

static snc_err path_of(char path[4096], const snc_alone *a) { return snc_path_join(path, 4096, a->folder, "net.snc"); }

static snc_err score_file(snc_alone_score *out, const snc_alone *a, const char *path)
{
    const snc_evaluator *e = a->e;
    const snc_dataset *d = e->in->splits.select;
    snc_loaded file = {0};
    snc_err err = SNC_OK;
    SNC_GOTO(snc_loaded_open(&file, e->ctx, path, 0, SNC_MEANS_CLASSES));
    SNC_GOTO(snc_loaded_answer(e->logits, e->ctx, &file, d, NULL));
    out->loss = snc_loss_to_teacher(e->logits, e->teacher_select, (int)snc_dataset_answers(d), file.classes, file.problem);
    SNC_GOTO(snc_task_score_at(&out->score, e->in->task, e->logits, d, file.classes, e->threshold));
out:
    snc_loaded_close(&file);
    return err;
}

snc_err snc_alone_repaired(snc_alone_score *out, snc_alone *a, const snc_cfg *cfg)
{
    char path[4096], said[SNC_SENTENCE];
    snc_finalist f = {.o = {.cfg = *cfg}};
    snc_err err = SNC_OK;
    snc_options o = *a->o;
    o.exporting.repair = "on";
    SNC_TRY(path_of(path, a));
    snc_evaluator_cost(a->e, &f.o);
    const snc_chosen chosen = snc_chosen_of(a->e->space, &f);
    SNC_GOTO(snc_deliver(said, a->e, &o, &chosen, 1, &a->refit, NULL, NULL, path));
    SNC_GOTO(score_file(out, a, path));
out:
    remove(path);
    return err;
}

/* Rows are asked before: the order of channels moves the last bits of logits. */
static snc_err order_teacher(snc_alone *a)
{
    bool fine_tuned;
    snc_compute compute = snc_inputs_compute(&a->o->job);
    if (a->ordered) return SNC_OK;
    SNC_TRY(snc_inputs_model(&a->ordered, &fine_tuned, a->e->ctx, a->o->input.teacher, a->e->in->task));
    SNC_TRY(snc_distillation_fill(&a->refit.set, a->e->ctx, a->e->in, a->o, a->ordered, compute));
    return snc_training_order(a->e->ctx, a->ordered, a->e->in, a->refit.set.rows, a->o, compute);
}

snc_err snc_alone_taught(snc_alone_score *out, snc_alone *a, const snc_cfg *cfg)
{
    snc_err err = SNC_OK;
    snc_arch arch;
    snc_policy policy;
    snc_model *m = NULL;
    snc_train_result r;
    snc_train_opts t;
    cJSON *meta = NULL;
    char path[4096];
    SNC_TRY(path_of(path, a));
    snc_cfg_decode(&arch, &policy, a->e->space, cfg);
    SNC_GOTO(order_teacher(a));
    SNC_GOTO(snc_recipe_repair(&t, a->o));
    t.what = "alone";
    t.fake_quant = &policy;
    t.teacher_logits = a->refit.set.logits;
    SNC_GOTO(snc_model_extract(&m, a->ordered, &arch));
    SNC_GOTO(snc_train_run(&r, a->e->ctx, m, a->ordered, a->refit.set.rows, NULL, &t));
    meta = snc_deploy_meta(m, a->o, a->e->in, NULL);
    SNC_GOTO(snc_deploy_write(path, a->e->ctx, m, NULL, NULL, &policy, meta));
    SNC_GOTO(score_file(out, a, path));
out:
    cJSON_Delete(meta);
    snc_model_free(m);
    remove(path);
    return err;
}

void snc_alone_dispose(snc_alone *a)
{
    snc_distillation_dispose(&a->refit.set);
    snc_model_free(a->ordered);
    *a = (snc_alone){0};
}
