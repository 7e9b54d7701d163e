/* compress profile: the latency table of a supernet on a workload. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "stage/depends.h"
#include "stage/exporting.h"
#include "stage/needs.h"
#include "stage/preflight.h"
#include "stage/folder.h"
#include "stage/verbs.h"

static const double FAR_OFF = 1.15;

static void add_dtypes(snc_dtype *list, int *n, const snc_gene *g)
{
    for (int i = 0; i < g->n; i++) {
        bool there = false;
        for (int k = 0; k < *n; k++) there = there || list[k] == (snc_dtype)g->value[i];
        if (!there && *n < SNC_LATENCY_DTYPES) list[(*n)++] = (snc_dtype)g->value[i];
    }
}

/* Every option the search may ask for, and INT8 throughout for the full-size model that x is measured in. */
static void options_of(snc_latency_space *out, const snc_space *s)
{
    const snc_gene *hidden = &s->gene[1], *heads = &s->gene[2], *ffn = &s->gene[3];
    *out = (snc_latency_space){.linear = {SNC_I8}, .embed = {SNC_I8}, .n_linear = 1, .n_embed = 1};
    out->n_hidden = hidden->n;
    out->n_heads = heads->n;
    out->n_ffn = ffn->n;
    memcpy(out->hidden, hidden->value, sizeof out->hidden);
    memcpy(out->heads, heads->value, sizeof out->heads);
    memcpy(out->ffn, ffn->value, sizeof out->ffn);
    for (int k = 2; k < s->layer_genes; k++) add_dtypes(out->linear, &out->n_linear, &s->gene[2 + k]);
    add_dtypes(out->linear, &out->n_linear, &s->gene[s->genes - 3]);
    add_dtypes(out->embed, &out->n_embed, &s->gene[s->genes - 1]);
}

/* What whole nets take of what the table says, in the middle of the probes. */
static double middle_factor(const cJSON *probed)
{
    double f[16];
    int n = 0;
    const cJSON *it;
    snc_timing t;
    cJSON_ArrayForEach(it, probed) if (n < 16) f[n++] = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 1)) / cJSON_GetNumberValue(cJSON_GetArrayItem(it, 0));
    if (n == 0) return 1;
    snc_timing_of(&t, f, n, 0.5);
    return t.median;
}

/* One table, and its probes by a few whole nets. */
static snc_err measure(snc_latency **t, cJSON **probed, snc_pick *p, const snc_latency_space *options, const snc_workload *load)
{
    snc_latency_opts lo = SNC_LATENCY_OPTS_INIT;
    lo.percentile = p->o->percentile / 100;
    cJSON_Delete(*probed);
    *probed = NULL;
    snc_latency_free(*t);
    *t = NULL;
    SNC_TRY(snc_latency_build(t, p->work, p->weights, options, load->batches, load->count, &lo));
    p->table = *t;
    return snc_pick_calibrate(probed, p);
}

/* Makes the table. One that is far off whole nets was disturbed while it was measured (seen: half as long again for a minute,
 * from a neighbour of a shared machine) and is measured once more. */
static snc_err build(cJSON **probed, const snc_ctx *work, const snc_options *o, const snc_inputs *in, snc_model *m, snc_space *space, const char *out)
{
    snc_err err = SNC_OK;
    snc_weights *w = NULL;
    snc_workload load = {0};
    snc_latency *t = NULL;
    snc_latency_space options;
    options_of(&options, space);
    SNC_GOTO(snc_weights_from_model(&w, work, m));
    SNC_GOTO(snc_pick_workload(&load, work, o, in->splits.rank, &m->cfg));
    snc_pick p = {.ctx = work, .work = work, .o = o, .in = in, .supernet = m, .space = space, .weights = w};
    SNC_GOTO(measure(&t, probed, &p, &options, &load));
    double factor = middle_factor(*probed);
    if (factor < 1 / FAR_OFF || factor > FAR_OFF) {
        snc_log(work, SNC_LOG_INFO, "profile: whole nets take %.2f of what the table says; measured again", factor);
        SNC_GOTO(measure(&t, probed, &p, &options, &load));
    }
    SNC_GOTO(snc_latency_save(t, out));
    snc_policy int8 = snc_policy_int8();
    snc_log(work, SNC_LOG_INFO, "profile: full-size INT8 %.0f us by the table", snc_latency_predict(t, &m->arch, &int8));
out:
    snc_latency_free(t);
    snc_workload_free(&load);
    snc_weights_free(w);
    return err;
}

/* What the table was made of and with, how whole nets compare, and the digest of it all, beside the table. */
static snc_err save_inputs(const char *out, cJSON *stamp, cJSON *probed)
{
    char path[4096], digest[SNC_DIGEST_TEXT];
    SNC_TRY(snc_table_inputs_path(path, sizeof path, out));
    SNC_TRY(snc_table_digest(digest, out, probed));
    cJSON_AddItemToObject(stamp, "calibration", cJSON_Duplicate(probed, 1));
    cJSON_AddStringToObject(stamp, "digest", digest);
    return snc_json_save(stamp, path);
}

snc_err snc_step_profile(const snc_ctx *work, const snc_options *o, const snc_inputs *in, snc_model *m, const char *out)
{
    snc_err err = SNC_OK;
    snc_space *space = NULL;
    cJSON *probed = NULL, *stamp = NULL;
    char why[SNC_WHY];
    bool current;
    SNC_GOTO(snc_step_space(&space, o, m, "even"));
    SNC_GOTO(snc_depends_table(&stamp, o, in, m));
    SNC_GOTO(snc_stamp_allow(&current, out, snc_table_state(why, out, stamp, work), why, o->overwrite));
    if (current) {
        snc_log(work, SNC_LOG_INFO, "profile: %s is up to date", out);
        goto out;
    }
    SNC_GOTO(build(&probed, work, o, in, m, space, out));
    SNC_GOTO(save_inputs(out, stamp, probed));
out:
    cJSON_Delete(stamp);
    cJSON_Delete(probed);
    snc_space_free(space);
    return err;
}

snc_err snc_step_profile_file(const snc_ctx *work, const snc_options *o, const snc_inputs *in, const char *supernet, const char *out)
{
    snc_model *m = NULL;
    SNC_TRY(snc_model_load(&m, work, supernet, snc_task_classes(in->task), snc_task_meaning(in->task)));
    const snc_needs needs = {work, o, in, m, SNC_VERB_PROFILE};
    snc_err err = snc_needs_check(&needs, out, 0);
    if (!err) err = snc_step_profile(work, o, in, m, out);
    snc_model_free(m);
    return err;
}

snc_err snc_verb_profile(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    snc_inputs in = {0};
    snc_lock *lock = NULL;
    SNC_TRY(snc_stage_need("profile", "a supernet", o->n_models ? o->models[0] : NULL));
    SNC_TRY(snc_stage_need_output("profile", o));
    SNC_TRY(snc_stage_ctx(&ctx, o, h, 1));
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_PROFILE));
    SNC_GOTO(snc_output_lock(&lock, o->output));
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "profile", o->models[0], true, NULL));
    SNC_GOTO(snc_step_profile_file(&ctx, o, &in, o->models[0], o->output));
    snc_stage_say(h, "%s", o->output);
out:
    snc_inputs_close(&in);
    snc_lock_release(lock);
    return err;
}
