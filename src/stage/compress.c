/* compress: the whole job. One call a step; each step's artifact stands in the output folder and is reused while its inputs
 * are the same, so a killed run goes on where it was. */
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/depends.h"
#include "artifact/evaluations.h"
#include "artifact/folder.h"
#include "artifact/latency_table.h"
#include "artifact/memorised.h"
#include "artifact/option.h"
#include "artifact/provenance.h"
#include "artifact/say.h"
#include "artifact/settle.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "candidate/cascade_fit.h"
#include "candidate/chain.h"
#include "candidate/deploy.h"
#include "candidate/needs.h"
#include "candidate/preflight.h"
#include "candidate/profiling.h"
#include "candidate/reach.h"
#include "candidate/search_result.h"
#include "models/bundle.h"
#include "report/budget.h"
#include "report/reading.h"
#include "report/report.h"
#include "stage/steps.h"
#include "stage/verbs.h"

typedef struct job {
    const snc_options *o; /* mine */
    snc_options mine;     /* as asked, then as planned */
    snc_budget budget;
    const snc_host *h;
    snc_ctx ctx, work; /* all cores; the workload's threads */
    snc_targets targets;
    snc_inputs in;
    snc_eval_sets eval; /* what the proof scores */
    snc_distillation_set set;
    snc_model *model; /* the input, until the latency table of its shapes is there */
    snc_folder folder;
    cJSON *read, *stages, *search, *chosen;
    char repair[SNC_SENTENCE];
    bool fine_tuned; /* the input is a teacher already */
} job;

static snc_err check_model(job *j, const char *from)
{
    SNC_TRY(snc_inputs_model(&j->model, &j->fine_tuned, &j->ctx, from, j->in.task));
    SNC_CHECK(!j->o->input.teacher || j->fine_tuned, SNC_E_SHAPE, "--teacher %s: has no classifier that fits task %s", from,
              snc_task_name(j->in.task));
    return snc_preflight_supernet(j->o, j->model);
}

static snc_err check_needs(job *j)
{
    const snc_folder *f = &j->folder;
    const char *const files[] = {f->teacher, f->supernet, f->distillation, f->journal, f->int8, f->compressed, f->baseline[0]};
    const snc_needs needs = {&j->ctx, j->o, &j->in, j->model, SNC_VERB_COMPRESS, 0};
    double there = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) there += snc_file_size(files[i]);
    return snc_needs_check(&needs, j->o->output.path, there);
}

static snc_err survey(job *j, const char *from)
{
    return snc_folder_survey(&j->folder, &j->ctx, &j->work, &j->in, from, j->model, j->fine_tuned);
}

/* What it will take and, with a limit, what is given up: the folder then is of that. */
static snc_err plan(job *j, const char *from)
{
    SNC_TRY(snc_budget_plan(&j->budget, &j->ctx, &j->work, &j->mine, &j->in, &j->eval, &j->folder, from));
    if (j->budget.limit > 0) SNC_TRY(survey(j, from));
    return snc_budget_note(&j->budget, j->o, &j->folder);
}

/* The clock of the parts that have ended, and all of them in the report's words. */
static snc_err end_stage(job *j, const char *name, double t0, snc_job_part from, snc_job_part to, const snc_step_report *r)
{
    double took = snc_now() - t0, all = r ? r->reused ? 0 : took - r->seconds + r->all_seconds : 0;
    if (name) cJSON_AddNumberToObject(j->stages, name, (double)(long)(took * 10 + 0.5) / 10);
    return snc_budget_end(&j->budget, &j->ctx, &j->mine, &j->folder, from, to, all);
}

/* A choice between nets needs several in the file; thresholds of a cascade are chosen by classes, a text at a time. */
static snc_err check_nets(const job *j)
{
    static const char needs[] = "needs several latencies, a net for each: --target-latency 0.6x,0.3x";
    static const char or_mean[] = ", or a mean that the smaller net is searched for by: --cascade-limits mean=0.35x";
    const snc_task *t = j->in.task;
    const bool several = snc_chain_length(j->o, &j->targets) > 1;
    SNC_TRY(snc_cascade_limits_check(j->o));
    SNC_CHECK(!j->o->exporting.measure || several, SNC_E_ARG, "--measure: %s", needs);
    SNC_CHECK(!snc_chain_by_depth(j->o) || several, SNC_E_ARG, "--nest depth: %s, or --cascade", needs);
    SNC_CHECK(!snc_chain_by_depth(j->o) || snc_share(j->o) != SNC_SHARE_OFF, SNC_E_ARG,
              "--nest depth: beside --share off: nets that are trained apart have no layers in common to go on from");
    if (!j->o->exporting.cascade) return SNC_OK;
    SNC_CHECK(j->targets.n_faster || snc_cascade_mean(j->o, 1) > 0, SNC_E_ARG, "--cascade: %s%s", needs, or_mean);
    SNC_CHECK(snc_clocks(j->work.comm) == 1, SNC_E_ARG, "--cascade: beside --profile-on %s: thresholds are chosen by times on one host",
              j->o->workload.profile_on);
    SNC_CHECK(snc_task_meaning(t) == SNC_MEANS_CLASSES, SNC_E_UNSUPPORTED, "--cascade: task %s has %s, not one class of several",
              snc_task_name(t), snc_meaning_says(snc_task_meaning(t)));
    SNC_CHECK(strcmp(j->o->workload.batch, "1") == 0 && strcmp(j->o->workload.threads, "1") == 0, SNC_E_ARG,
              "--cascade: beside --batch %s and --threads %s: texts are answered one at a time, by one thread", j->o->workload.batch,
              j->o->workload.threads);
    return SNC_OK;
}

/* All that can be refused before work, for a dry run and a real one. dev is read here, and scored at the end. */
static snc_err check(job *j, const char *from)
{
    const snc_targets least = snc_targets_least(&j->targets);
    double t0 = snc_now();
    SNC_TRY(snc_preflight_options(&j->ctx, j->o, SNC_VERB_COMPRESS));
    SNC_TRY(snc_folder_open(&j->folder, j->o));
    SNC_TRY(snc_inputs_open(&j->in, &j->ctx, j->o, "compress", from, SNC_HOLD_OUT_BESIDE_ALL, j->o->rows.unlabeled));
    SNC_TRY(check_nets(j));
    SNC_TRY(snc_settle(&j->mine, j->in.splits.train));
    snc_budget_recall(&j->budget, &j->mine, &j->folder);
    j->set.path = j->folder.distillation;
    SNC_TRY(snc_inputs_dev(&j->in, &j->ctx, j->o));
    SNC_TRY(snc_eval_sets_open(&j->eval, &j->ctx, j->o, &j->in));
    SNC_TRY(check_model(j, from));
    snc_inputs_teach(&j->in, j->o, j->fine_tuned);
    SNC_TRY(survey(j, from));
    SNC_TRY(check_needs(j));
    SNC_TRY(snc_preflight_search(&j->work, j->o, &least, &j->in, j->model, j->o->output.path));
    snc_log(&j->ctx, SNC_LOG_INFO, "checked in %.1f s", snc_now() - t0);
    return SNC_OK;
}

/* First of all steps: it takes seconds, and what is out of reach by it need not be trained for. */
static snc_err make_table(job *j)
{
    const snc_targets least = snc_targets_least(&j->targets);
    double t0 = snc_now();
    SNC_TRY(snc_profile_make(&j->work, j->o, &j->in, j->model, j->folder.table));
    SNC_TRY(snc_reach_by_table(&j->work, j->o, &least, j->model, j->folder.table));
    snc_model_free(j->model);
    j->model = NULL;
    return end_stage(j, "profile", t0, SNC_JOB_TABLE, SNC_JOB_CALIBRATION, NULL);
}

/* What it says of rows that it has learnt says less of others. */
static snc_err adopt_teacher(job *j, const char *from)
{
    snc_memorised m;
    SNC_TRY(snc_step_adopt(&j->ctx, j->o, &j->in, from, j->folder.teacher));
    SNC_TRY(snc_memorised_look(&m, &j->ctx, j->o, &j->in, j->folder.teacher));
    if (!m.likely) return SNC_OK;
    snc_json_warn(j->read, "memorised",
                  "%s has likely learnt the rows of rank and select: its loss is %.4f on select, %.4f on dev; nets are chosen by what it "
                  "says of text that it knows",
                  from, m.select, m.dev);
    snc_reading_log_last(&j->ctx, j->read);
    return SNC_OK;
}

/* Teacher: --teacher, a fine-tuned model, or the result of fine-tuning; always a copy of our own in the folder. */
static snc_err make_teacher(job *j, const char *from)
{
    snc_step_report r;
    double t0 = snc_now();
    if (j->fine_tuned) return adopt_teacher(j, from);
    snc_budget_begin(&j->budget, &j->ctx, SNC_JOB_FINETUNE, SNC_JOB_FINETUNE);
    SNC_TRY(snc_step_finetune(&r, &j->ctx, j->o, &j->in, from, j->folder.teacher));
    return end_stage(j, "finetune", t0, SNC_JOB_FINETUNE, SNC_JOB_FINETUNE, &r);
}

/* What a user has without us: the same recipe on every row. A teacher that came with the job is that already. */
static snc_err make_baselines(job *j, const char *from)
{
    const double t0 = snc_now();
    snc_step_report r, all = {.reused = true};
    if (j->fine_tuned) return SNC_OK;
    snc_budget_begin(&j->budget, &j->ctx, SNC_JOB_BASELINE, SNC_JOB_BASELINE);
    for (int i = 0; i < j->folder.baselines.n; i++) {
        if (j->folder.baselines.path[i] == j->folder.teacher) continue;
        SNC_TRY(snc_step_baseline(&r, &j->ctx, j->o, &j->in, from, j->folder.teacher, i, j->folder.baseline[i]));
        all.reused = all.reused && r.reused;
        all.seconds += r.seconds;
        all.all_seconds += r.all_seconds;
    }
    return end_stage(j, "baseline", t0, SNC_JOB_BASELINE, SNC_JOB_BASELINE, &all);
}

static snc_err make_supernet(job *j)
{
    snc_step_report r;
    double t0 = snc_now();
    snc_budget_begin(&j->budget, &j->ctx, SNC_JOB_LOGITS, SNC_JOB_SUPERNET);
    SNC_TRY(snc_step_supernet(&r, &j->ctx, j->o, &j->in, &j->set, j->folder.teacher, j->folder.supernet));
    if (*r.generator) {
        snc_json_warn(j->read, "generator", "%s", r.generator);
        snc_reading_log_last(&j->ctx, j->read);
    }
    return end_stage(j, "supernet", t0, SNC_JOB_LOGITS, SNC_JOB_SUPERNET, &r);
}

/* The file of an earlier run of the same command, whole, with what that run had found: then there is nothing to search. */
static snc_err recall_end(bool *same, job *j, const cJSON *made, const char *table)
{
    cJSON *end = NULL, *it;
    snc_sncfile *f = NULL;
    char why[SNC_WHY];
    *same = false;
    SNC_TRY(snc_evaluations_end(&end, j->folder.journal));
    const char *digest = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(end, "digest"));
    const char *of = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(end, "table"));
    const char *repair = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(end, "repair"));
    if (digest && of && repair && strcmp(of, table) == 0 && snc_stamp_same(why, cJSON_GetObjectItemCaseSensitive(end, "made"), made) &&
        snc_is_file(j->folder.compressed) && snc_sncfile_open(&f, j->folder.compressed) == SNC_OK)
        *same = strcmp(snc_sncfile_digest_view(f), digest) == 0;
    snc_sncfile_close(f);
    if (*same) {
        if ((it = cJSON_DetachItemFromObjectCaseSensitive(end, "search"))) {
            cJSON_Delete(j->search);
            j->search = it;
        }
        j->chosen = cJSON_DetachItemFromObjectCaseSensitive(end, "chosen");
        snprintf(j->repair, sizeof j->repair, "%s", repair);
    }
    cJSON_Delete(end);
    return SNC_OK;
}

/* After the file, so that it speaks of one that is there. */
static snc_err note_end(const job *j, const snc_search_run *r, const cJSON *made, const char *table)
{
    char digest[SNC_DIGEST_TEXT];
    SNC_TRY(snc_sncfile_digest_read(digest, j->folder.compressed));
    cJSON *end = cJSON_CreateObject();
    cJSON_AddStringToObject(end, "digest", digest);
    cJSON_AddStringToObject(end, "table", table);
    cJSON_AddItemToObject(end, "made", cJSON_Duplicate(made, 1));
    cJSON_AddItemToObject(end, "chosen", cJSON_Duplicate(j->chosen, 1));
    cJSON_AddItemToObject(end, "search", cJSON_Duplicate(j->search, 1));
    cJSON_AddStringToObject(end, "repair", j->repair);
    snc_err err = snc_search_run_note_end(r, j->folder.journal, end);
    cJSON_Delete(end);
    return err;
}

/* Which latency each net of the file answers for, so that a proof of it needs no search. */
static void note_chain(job *j, const snc_chain *c)
{
    cJSON *list = cJSON_AddArrayToObject(j->search, "latencies");
    for (int k = 0; k < c->n; k++) cJSON_AddItemToArray(list, cJSON_CreateNumber(c->latency[k].value));
    cJSON_AddItemToObject(j->search, "nets", snc_chain_json(c));
}

static snc_err find_and_export(job *j, cJSON *made, const char *table)
{
    snc_err err = SNC_OK;
    snc_evaluator e;
    snc_search_run r;
    snc_search_result found = {0};
    snc_chain chain;
    const snc_finalist *best = &found.f[0];
    const bool cascade = j->o->exporting.cascade; /* on select, which no net has learnt then */
    const snc_delivery_clock clock = {j->h, &j->work};
    snc_refit refit = {.rows = cascade ? j->in.splits.train : j->in.splits.all, .teachers = j->folder.baselines};
    double t0 = snc_now();
    SNC_TRY(snc_evaluator_open(&e, &j->ctx, j->o, &j->in, j->folder.teacher, j->folder.supernet, j->folder.table, j->folder.journal));
    SNC_GOTO(snc_search_run_init(&r, &e, &j->work, j->o, &j->targets, j->folder.table, j->o->output.path));
    snc_budget_begin(&j->budget, &j->ctx, SNC_JOB_SEARCH, SNC_JOB_SEARCH);
    const double until = snc_budget_until(&j->budget, SNC_JOB_SEARCH, SNC_JOB_LOOK), now = snc_now();
    r.look_until = until > 0 ? now + (until - now) / snc_chain_length(j->o, &j->targets) : 0;
    SNC_GOTO(snc_search_result_find(&found, &r, j->o->output.path, j->read));
    SNC_GOTO(snc_chain_find(&chain, &r, &found, j->folder.table, j->o->output.path, j->read, until));
    SNC_GOTO(end_stage(j, "search", t0, SNC_JOB_SEARCH, SNC_JOB_FINALISTS, NULL));
    snc_stamp_renew(made, SNC_DECIDES_FILE, j->o);
    j->chosen = snc_evaluator_obs_json(&e, &best->o);
    cJSON_AddNumberToObject(j->search, "evaluations", found.all.n);
    cJSON_AddNumberToObject(j->search, "evaluations_per_s",
                            found.all.report.seconds > 0 ? found.all.report.evaluated / found.all.report.seconds : 0);
    cJSON_AddNumberToObject(j->search, "predicted_us", snc_search_run_predicted_us(&r, &best->o));
    cJSON_AddNumberToObject(j->search, "measured_us", best->us);
    cJSON_AddNumberToObject(j->search, "rank_loss", best->o.loss);
    cJSON_AddNumberToObject(j->search, "select_loss", best->select_loss);
    cJSON_AddNumberToObject(j->search, "select_score", best->select_score);
    cJSON_AddItemToObject(j->search, "winners_curse", snc_curse_json(&found.curse));
    if (snc_chain_length(j->o, &j->targets) > 1) note_chain(j, &chain);
    t0 = snc_now();
    SNC_GOTO(snc_folder_drop_reports(&j->folder));
    snc_budget_begin(&j->budget, &j->ctx, SNC_JOB_REFIT_LOGITS, SNC_JOB_REPAIR);
    SNC_GOTO(snc_deliver(j->repair, &e, j->o, chain.net, chain.n, &refit, &clock, made, j->folder.compressed));
    SNC_GOTO(note_end(j, &r, made, table));
    SNC_GOTO(end_stage(j, "repair and export", t0, SNC_JOB_REFIT_LOGITS, SNC_JOB_REPAIR, NULL));
out:
    snc_distillation_dispose(&refit.set);
    snc_search_result_dispose(&found);
    snc_evaluator_close(&e);
    return err;
}

static snc_err search(job *j)
{
    snc_err err = SNC_OK;
    cJSON *made = NULL;
    char table[SNC_DIGEST_TEXT];
    bool same;
    SNC_TRY(snc_latency_tables_digest(table, j->folder.table, &j->work));
    SNC_TRY(snc_depends_file(&made, j->o, &j->in, j->folder.teacher, j->folder.supernet, &j->folder.baselines));
    SNC_GOTO(recall_end(&same, j, made, table));
    if (!same) SNC_GOTO(find_and_export(j, made, table));
    else {
        snc_log(&j->ctx, SNC_LOG_INFO, "search: %s is up to date", j->folder.compressed);
        SNC_GOTO(end_stage(j, NULL, snc_now(), SNC_JOB_SEARCH, SNC_JOB_REPAIR, NULL));
    }
out:
    cJSON_Delete(made);
    return err;
}

/* The command that makes the same again says what was planned, and no time. */
static snc_err provenance(cJSON *made, const job *j)
{
    snc_options same = *j->o;
    for (int k = 0; k < SNC_KNOBS && j->budget.limit > 0; k++)
        if (snc_knob_option(k)) snc_option_mark(&same, snc_option_row(snc_knob_option(k), SNC_VERB_COMPRESS), true);
    same.job.time_limit = NULL;
    snc_option_mark(&same, snc_option_row("--time-limit", SNC_VERB_COMPRESS), false);
    return snc_provenance_add(made, &same, j->in.task, SNC_VERB_COMPRESS, "compress");
}

typedef struct cut_nets {
    char path[SNC_LATENCIES][SNC_PATH];
} cut_nets;

/* Of a file with several nets each beside the first as a file of its own, as `export --net` cuts it out; with what is asked of each. */
static snc_err files_of(snc_proof_files *out, cut_nets *cut, const job *j)
{
    snc_err err = SNC_OK;
    snc_sncfile *f = NULL;
    const cJSON *latency = snc_json_at(j->search, "latencies");
    snc_target t = j->targets.of[SNC_TARGET_LATENCY];
    *out = (snc_proof_files){.path = {j->folder.compressed, j->folder.int8, j->folder.baselines.path[0]}, .n = SNC_PROOF_MODELS};
    out->train = snc_json_text(j->in.splits.train->source, "file");
    out->dev = j->in.splits.dev ? NULL : snc_json_text(j->in.dev->source, "file");
    out->latency[0] = t;
    SNC_TRY(snc_sncfile_open(&f, j->folder.compressed));
    out->cascade = snc_sncfile_cascade(f) != NULL;
    for (int k = 0; k < cJSON_GetArraySize(latency); k++) {
        t.value = cJSON_GetArrayItem(latency, k)->valuedouble;
        out->latency[k] = t;
        if (k == 0) continue;
        snprintf(cut->path[k], sizeof cut->path[k], "%.4000s.net-%d.snc", j->folder.compressed, k);
        out->path[out->n++] = cut->path[k];
        SNC_GOTO(snc_bundle_cut(cut->path[k], f, k));
    }
out:
    snc_sncfile_close(f);
    return err;
}

static snc_err prove(job *j, int *missed)
{
    snc_err err = SNC_OK;
    snc_proof proof = {0};
    snc_proof_files files = {.n = 0};
    cut_nets cut;
    cJSON *host = snc_host_json(&j->work), *made = cJSON_CreateObject();
    double t0 = snc_now();
    snc_budget_begin(&j->budget, &j->ctx, SNC_JOB_SCORES, SNC_JOB_PROOF);
    SNC_GOTO(files_of(&files, &cut, j));
    SNC_GOTO(snc_proof_run(&proof, &j->ctx, j->o, j->h, j->in.task, &j->eval, &files));
    SNC_GOTO(end_stage(j, "proof", t0, SNC_JOB_SCORES, SNC_JOB_PROOF, NULL));
    SNC_GOTO(provenance(made, j));
    cJSON_AddItemToObject(made, "plan", snc_budget_json(&j->budget, j->o));
    snc_verdict v = snc_report_judge(&proof, &j->targets, &files);
    const snc_report_facts facts = {j->o,      &j->in,    &j->targets, &proof, &files,    j->chosen,
                                    j->stages, j->search, host,        made,   j->repair, j->read};
    err = snc_report_write(j->o->output.path, &facts, &v);
    if (err) { /* all of it or none */
        snc_err dropped = snc_folder_drop_reports(&j->folder);
        (void)dropped;
        goto out;
    }
    snc_report_say(j->h, &facts, &v);
    snc_say(j->h, "file: %s  report: %s/report.md", j->folder.compressed, j->o->output.path);
    *missed = !v.all;
out:
    for (int k = SNC_PROOF_MODELS; k < files.n; k++) remove(files.path[k]);
    snc_proof_dispose(&proof);
    cJSON_Delete(host);
    cJSON_Delete(made);
    return err;
}

static snc_err run(job *j, const char *from, int *missed)
{
    SNC_TRY(make_table(j));
    SNC_TRY(make_teacher(j, from));
    SNC_TRY(make_baselines(j, from));
    SNC_TRY(snc_deploy_full(&j->ctx, j->o, &j->in, j->folder.baselines.path[0], j->folder.int8));
    SNC_TRY(make_supernet(j));
    snc_distillation_dispose(&j->set);
    SNC_TRY(search(j));
    return prove(j, missed);
}

snc_err snc_compress_job(double *estimate, int *missed, const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    job j = {.mine = *o, .h = h};
    const char *from = o->input.teacher ? o->input.teacher : o->input.pretrained;
    double t0 = snc_now();
    *estimate = 0;
    *missed = 0;
    j.o = o = &j.mine;
    SNC_TRY(snc_option_need("compress", "--pretrained", from));
    SNC_TRY(snc_option_need("compress", "--output", o->output.path));
    SNC_TRY(snc_budget_open(&j.budget, o));
    SNC_TRY(snc_targets_parse(&j.targets, &o->targets, "compress"));
    SNC_TRY(snc_context_init(&j.work, o, h, o->workload.threads, 1));
    SNC_TRY(snc_context_init(&j.ctx, o, h, NULL, 0)); /* training and scoring use every core */
    j.work.meter = j.ctx.meter;
    j.stages = cJSON_CreateObject();
    j.search = cJSON_CreateObject();
    SNC_GOTO(check(&j, from));
    SNC_GOTO(plan(&j, from));
    *estimate = snc_budget_all(&j.budget);
    SNC_GOTO(snc_reading_new(&j.read, &j.in));
    SNC_GOTO(snc_eval_sets_read(j.read, &j.eval, &j.in));
    SNC_GOTO(snc_reading_say(h, &j.ctx, j.read));
    snc_budget_say(&j.budget, &j.ctx, h);
    if (o->job.dry_run) goto out;
    SNC_GOTO(snc_folder_claim(&j.folder, &j.ctx));
    SNC_GOTO(run(&j, from, missed));
    snc_say(h, "%.0f s in all", snc_now() - t0);
out:
    snc_folder_close(&j.folder);
    snc_model_free(j.model);
    cJSON_Delete(j.read);
    cJSON_Delete(j.stages);
    cJSON_Delete(j.search);
    cJSON_Delete(j.chosen);
    snc_distillation_dispose(&j.set);
    snc_eval_sets_dispose(&j.eval);
    snc_inputs_close(&j.in);
    return err;
}

snc_err snc_verb_compress(const snc_options *o, const snc_host *h, int *missed)
{
    double estimate;
    return snc_compress_job(&estimate, missed, o, h);
}
