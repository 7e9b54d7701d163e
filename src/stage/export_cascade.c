/* The step around the fit: what it needs, whether it is there already, what it was made of. */
#include "stage/export_cascade.h"

#include <stdio.h>

#include "artifact/inputs.h"
#include "artifact/option.h"
#include "artifact/stamp.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "candidate/cascade_fit.h"

typedef struct cascade_job {
    const snc_ctx *ctx;
    const snc_options *o;
    const snc_host *h;
    snc_loaded l;
    snc_inputs in;
} cascade_job;

snc_err snc_cascade_need(const snc_options *o)
{
    SNC_CHECK(o->input.net < 0, SNC_E_ARG, "export --cascade: without --net: all nets of a cascade answer");
    SNC_CHECK(o->input.n_models >= 2, SNC_E_ARG, "export --cascade: expected two models or more, a file each");
    SNC_TRY(snc_option_need("export --cascade", "--task", snc_inputs_task_name(o)));
    return snc_option_need("export --cascade", "--data", o->rows.data);
}

/* Whether a file at out was made of the same nets, rows and limit. */
static snc_err look_there(bool *current, cJSON **stamp, const cascade_job *j, const char *draft, const char *out)
{
    uint64_t nets;
    char limit[32], why[SNC_WHY] = "is another file";
    snc_sncfile *f = NULL;
    snc_state state = snc_file_size(out) == 0 ? SNC_ABSENT : SNC_STALE;
    SNC_TRY(snc_path_hash(&nets, draft));
    snprintf(limit, sizeof limit, "%g", snc_cascade_points(j->o));
    *stamp = snc_stamp_new("export --cascade", 0, j->o);
    snc_stamp_hash(*stamp, "nets", nets);
    snc_stamp_hash(*stamp, "select rows", snc_dataset_hash(j->in.splits.select));
    snc_stamp_note(*stamp, "--max-drop", limit);
    if (j->o->exporting.cascade_limits) snc_stamp_note(*stamp, "--cascade-limits", j->o->exporting.cascade_limits);
    if (state == SNC_STALE && snc_path_is_snc(out) && snc_sncfile_open(&f, out) == SNC_OK) {
        const cJSON *there = snc_json_at(snc_sncfile_cascade_view(f), "inputs");
        if (there && snc_stamp_same(why, there, *stamp)) state = SNC_CURRENT;
        snc_sncfile_close(f);
    }
    return snc_stamp_allow(current, j->o->output.path, state, why, j->o->output.overwrite);
}

static snc_err run(cJSON **cascade, bool *current, cascade_job *j, const char *draft, const char *out)
{
    cJSON *stamp = NULL;
    SNC_TRY(snc_loaded_open(&j->l, j->ctx, draft, 0, SNC_MEANS_CLASSES));
    SNC_TRY(snc_loaded_call(&j->l, j->o->input.models[0]));
    SNC_TRY(snc_cascade_able(snc_weights_config(j->l.weights), j->l.path));
    SNC_TRY(snc_inputs_open(&j->in, j->ctx, j->o, "export --cascade", j->l.path, SNC_HOLD_OUT, NULL));
    SNC_TRY(snc_loaded_check(&j->l, j->ctx, j->o, j->in.task));
    SNC_TRY(snc_loaded_fit(j->in.task, &j->l));
    SNC_TRY(snc_inputs_dev(&j->in, j->ctx, j->o));
    snc_ctx clock = *j->ctx; /* as many threads as are asked for, or one */
    if (!j->o->job.threads) clock.threads = 1;
    snc_err err = look_there(current, &stamp, j, draft, out);
    if (!err && !*current) err = snc_cascade_fit(cascade, j->ctx, &clock, j->o, j->h, &j->l, draft, &j->in);
    if (*cascade) cJSON_AddItemToObject(*cascade, "inputs", stamp);
    else cJSON_Delete(stamp);
    return err;
}

snc_err snc_cascade_make(cJSON **cascade, bool *current, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const char *draft,
                         const char *out)
{
    cascade_job j = {.ctx = ctx, .o = o, .h = h};
    *cascade = NULL;
    *current = false;
    snc_err err = run(cascade, current, &j, draft, out);
    snc_inputs_close(&j.in);
    snc_loaded_close(&j.l);
    return err;
}
