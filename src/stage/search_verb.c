/* compress search: the search alone, on a supernet and a latency table that are there or are made; or what a journal holds. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/depends.h"
#include "artifact/evaluations.h"
#include "artifact/folder.h"
#include "artifact/latency_table.h"
#include "artifact/load.h"
#include "artifact/option.h"
#include "artifact/provenance.h"
#include "artifact/say.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "candidate/needs.h"
#include "candidate/preflight.h"
#include "candidate/profiling.h"
#include "candidate/search_result.h"
#include "report/html_report.h"
#include "report/reading.h"
#include "stage/verbs.h"

/* ---- --export ------------------------------------------------------------------------------------------------------- */

/* Nothing for NaN; all digits otherwise, so that files can be compared. */
static void csv_number(char buf[40], double v)
{
    buf[0] = 0;
    if (!isnan(v)) snprintf(buf, 40, "%.17g", v);
}

static void say_csv(const snc_host *h, const snc_journal_file *f)
{
    snc_say(h, "id,config,source,loss,metric,latency_us,bytes,macs,front");
    for (int i = 0; i < f->n; i++) {
        const snc_journal_row *r = &f->row[i];
        char loss[40], metric[40], us[40];
        csv_number(loss, r->o.loss);
        csv_number(metric, r->o.metric);
        csv_number(us, r->o.latency_us);
        snc_say(h, "%d,%s,%s,%s,%s,%s,%.0f,%.0f,%d", i + 1, r->config, r->source, loss, metric, us, r->o.bytes, r->o.macs, r->front);
    }
}

static snc_err say_json(const snc_host *h, const snc_journal_file *f)
{
    cJSON *j = cJSON_Duplicate(f->meta, 1), *list = cJSON_AddArrayToObject(j, "evaluations");
    for (int i = 0; i < f->n; i++) {
        const snc_journal_row *r = &f->row[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "id", i + 1);
        cJSON_AddStringToObject(o, "config", r->config);
        cJSON_AddStringToObject(o, "source", r->source);
        cJSON_AddNumberToObject(o, "loss", r->o.loss); /* NaN becomes null */
        cJSON_AddNumberToObject(o, "metric", r->o.metric);
        cJSON_AddNumberToObject(o, "latency_us", r->o.latency_us);
        cJSON_AddNumberToObject(o, "bytes", r->o.bytes);
        cJSON_AddNumberToObject(o, "macs", r->o.macs);
        cJSON_AddBoolToObject(o, "front", r->front);
        cJSON_AddItemToArray(list, o);
    }
    cJSON_AddItemToObject(j, "notes", cJSON_Duplicate(f->notes, 1));
    return snc_say_json(h, j, true, "search --export");
}

/* Every evaluation of a journal; needs nothing but the journal. */
static snc_err export_journal(const snc_options *o, const snc_host *h)
{
    snc_journal_file f;
    char path[4096];
    bool csv = strcmp(o->search.export_as, "csv") == 0;
    SNC_CHECK(o->search.journal || o->output.path, SNC_E_ARG, "search --export: --journal is missing");
    SNC_TRY(snc_evaluations_path(path, sizeof path, o, o->output.path ? o->output.path : ""));
    SNC_CHECK(snc_is_file(path), SNC_E_IO, "%s: no such file", path);
    SNC_TRY(snc_journal_read(&f, path));
    snc_err err = SNC_OK;
    if (csv) say_csv(h, &f);
    else err = say_json(h, &f);
    snc_journal_file_dispose(&f);
    return err;
}

/* ---- the search ----------------------------------------------------------------------------------------------------- */

static snc_err check_teacher(const snc_options *o, const snc_ctx *ctx, const snc_inputs *in)
{
    snc_loaded l;
    SNC_TRY(snc_loaded_open(&l, ctx, o->input.teacher, snc_task_classes(in->task), snc_task_meaning(in->task)));
    bool head = l.has_head;
    snc_loaded_close(&l);
    SNC_CHECK(head, SNC_E_SHAPE, "--teacher %s: has no trained classifier", o->input.teacher);
    return SNC_OK;
}

/* Table and journals are of this search, or may be made anew, before anything is written. */
static snc_err check_there(const snc_options *o, const snc_ctx *ctx, const snc_ctx *work, const snc_inputs *in, const snc_model *m,
                           const char *table, const char *journal)
{
    cJSON *stamp = NULL;
    char why[SNC_WHY];
    bool current;
    SNC_TRY(check_teacher(o, ctx, in));
    if (o->search.warm_start) SNC_TRY(snc_evaluations_fit(o->search.warm_start, ctx, o, in, o->input.teacher, m, o->input.models[0]));
    snc_err err = snc_evaluations_fit(journal, ctx, o, in, o->input.teacher, m, o->input.models[0]);
    if (err && o->output.overwrite && snc_is_file(journal)) {
        snc_log(ctx, SNC_LOG_INFO, "%s: made anew", snc_err_text());
        err = remove(journal) == 0 ? SNC_OK : snc_err_set(SNC_E_IO, "%s: cannot remove", journal);
    }
    SNC_TRY(err);
    SNC_TRY(snc_depends_table(&stamp, o, in, m));
    snc_state state = snc_latency_tables_state(why, table, stamp, work);
    if (state == SNC_DAMAGED) snc_latency_tables_drop(table, work); /* in a folder of searches it is ours; half a minute makes another */
    else err = snc_stamp_allow(&current, table, state, why, o->output.overwrite);
    cJSON_Delete(stamp);
    return err;
}

static snc_err search(int *missed, const snc_options *o, const snc_host *h, const snc_ctx *ctx, const snc_ctx *work, const snc_targets *a,
                      const snc_inputs *in)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL; /* until the table of its shapes is there */
    snc_evaluator e = {0};
    snc_search_run r;
    snc_search_result found = {0};
    snc_lock *lock = NULL;
    cJSON *read = NULL, *made = cJSON_CreateObject();
    char table[4096], journal[4096];
    SNC_GOTO(snc_evaluations_path(journal, sizeof journal, o, o->output.path));
    SNC_GOTO(snc_path_join(table, sizeof table, o->output.path, "latency.json"));
    SNC_GOTO(snc_model_load(&m, work, o->input.models[0], snc_task_classes(in->task), snc_task_meaning(in->task)));
    SNC_GOTO(snc_preflight_search(work, o, a, in, m, o->output.path));
    const snc_needs needs = {ctx, o, in, m, SNC_VERB_SEARCH, 0};
    SNC_GOTO(snc_needs_check(&needs, journal, 0));
    if (snc_is_dir(o->output.path)) SNC_GOTO(snc_folder_lock(&lock, o->output.path));
    SNC_GOTO(check_there(o, ctx, work, in, m, table, journal));
    SNC_GOTO(snc_mkdir(o->output.path));
    if (!lock) SNC_GOTO(snc_folder_lock(&lock, o->output.path));
    SNC_GOTO(snc_model_collapse(&m));
    SNC_GOTO(snc_profile_make(work, o, in, m, table));
    snc_model_free(m);
    m = NULL;
    SNC_GOTO(snc_evaluator_open(&e, ctx, o, in, o->input.teacher, o->input.models[0], table, journal));
    SNC_GOTO(snc_search_run_init(&r, &e, work, o, a, table, o->output.path));
    SNC_GOTO(snc_reading_new(&read, in));
    SNC_GOTO(snc_search_result_find(&found, &r, o->output.path, read));
    SNC_GOTO(snc_provenance_add(made, o, in->task, SNC_VERB_SEARCH, "search"));
    SNC_GOTO(snc_html_report_write(o->output.path, journal, NULL, made));
    snc_search_result_say(h, &r, &found);
    snc_say(h, "%d evaluations, %.1f a second; %s/config.json  %s/report.html", found.all.n,
            found.all.report.seconds > 0 ? found.all.report.evaluated / found.all.report.seconds : 0, o->output.path, o->output.path);
    *missed = !found.f[0].meets;
out:
    cJSON_Delete(read);
    cJSON_Delete(made);
    snc_search_result_dispose(&found);
    snc_evaluator_close(&e);
    snc_model_free(m);
    snc_lock_release(lock);
    return err;
}

snc_err snc_verb_search(const snc_options *o, const snc_host *h, int *missed)
{
    snc_err err = SNC_OK;
    snc_ctx ctx, work;
    snc_inputs in = {0};
    snc_targets targets;
    *missed = 0;
    SNC_TRY(snc_context_init(&work, o, h, o->workload.threads, 1));
    SNC_TRY(snc_context_init(&ctx, o, h, NULL, 0));
    work.meter = ctx.meter;
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_SEARCH));
    if (o->search.export_as) return export_journal(o, h);
    SNC_TRY(snc_option_need("search", "a supernet", o->input.n_models ? o->input.models[0] : NULL));
    SNC_TRY(snc_option_need("search", "--teacher", o->input.teacher));
    SNC_TRY(snc_option_need("search", "--output", o->output.path));
    SNC_TRY(snc_targets_parse(&targets, &o->targets, "search"));
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "search", o->input.models[0], SNC_HOLD_OUT, NULL));
    SNC_GOTO(search(missed, o, h, &ctx, &work, &targets, &in));
out:
    snc_inputs_close(&in);
    return err;
}
