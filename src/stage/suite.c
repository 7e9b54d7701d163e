/* compress suite: the whole job over the tasks and seeds of a suite, one after the other, and one report of all.
 *
 *     OUT/suite.json          which jobs are done, of what; locked while a suite is in the folder
 *     OUT/TASK/seed-42/       a job of its own, as `compress` leaves it
 *     OUT/report.*            of what is done so far, written again after each job
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/effort.h"
#include "artifact/inputs.h"
#include "artifact/load.h"
#include "artifact/option.h"
#include "artifact/provenance.h"
#include "artifact/recipes.h"
#include "artifact/say.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "base/lock.h"
#include "base/mem.h"
#include "models/snc_file.h"
#include "report/plan.h"
#include "report/suite_others.h"
#include "report/suite_report.h"
#include "stage/verbs.h"

typedef struct suite_run {
    const snc_options *o;
    const snc_host *h;
    snc_ctx ctx;
    snc_suite suite;
    snc_suite_rows *rows; /* [suite.n] */
    snc_suite_others others;
    char path[SNC_CONFIG_PATH]; /* of suite.json */
    snc_lock *lock;             /* NULL while there is no folder */
    cJSON *jobs;                /* of suite.json */
    uint64_t model;             /* what --pretrained is */
    char why[SNC_ERR_TEXT];     /* the first failure; "" without */
    int failed;
} suite_run;

/* ---- what a job says ------------------------------------------------------------------------------------------------------ */

/* A job's lines go on with its name before them; its answers are the suite's log. */
typedef struct teller {
    const snc_host *to;
    char name[2 * SNC_SUITE_NAME];
    bool checks; /* estimates alone are of interest */
} teller;

static void tell_log(void *user, snc_level level, const char *line)
{
    const teller *t = user;
    char text[2048];
    snprintf(text, sizeof text, "%s: %s", t->name, line);
    if (t->to->log && !(t->checks && level > SNC_LEVEL_ERROR)) t->to->log(t->to->user, level, text);
}

static void tell_progress(void *user, const char *what, double done, double total, const char *note)
{
    const teller *t = user;
    if (t->to->progress) t->to->progress(t->to->user, what, done, total, note);
}

static void tell_status(void *user, const snc_status *s)
{
    const teller *t = user;
    char what[4 * SNC_SUITE_NAME];
    snc_status said = *s;
    snprintf(what, sizeof what, "%s %s", t->name, s->what);
    said.what = what;
    if (t->to->status) t->to->status(t->to->user, &said);
}

static void tell_result(void *user, const char *text)
{
    const teller *t = user;
    char line[2048];
    for (const char *p = text; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n')) {
        snprintf(line, sizeof line, "%s: %.*s", t->name, (int)strcspn(p, "\n"), p);
        if (t->checks) t->to->result(t->to->user, line);
        else if (t->to->log) t->to->log(t->to->user, SNC_LEVEL_INFO, line);
    }
}

static void tell_evaluation(void *user, const snc_evaluation *e)
{
    const teller *t = user;
    t->to->evaluation(t->to->user, e);
}

static snc_host host_of(teller *t)
{
    snc_host h = *t->to;
    h.user = t;
    h.log = tell_log;
    h.progress = tell_progress;
    h.status = tell_status;
    h.result = tell_result;
    if (h.evaluation) h.evaluation = tell_evaluation;
    h.input = NULL;
    h.ready = NULL;
    return h;
}

static snc_err compress(const suite_run *r, int i, int k, bool dry, bool quiet, double *estimate, int *missed)
{
    char folder[SNC_CONFIG_PATH];
    snc_options job;
    teller t = {.to = r->h, .checks = dry};
    snprintf(t.name, sizeof t.name, "%s seed %lld", r->suite.v[i].name, (long long)r->o->job.seed + k);
    snc_host h = host_of(&t);
    if (dry && (quiet || !r->h->result)) h.result = NULL;
    SNC_TRY(snc_suite_folder(folder, &r->suite, i, k, r->o));
    SNC_TRY(snc_suite_job(&job, &r->suite, i, k, r->o, folder));
    job.job.dry_run = dry;
    SNC_TRY(snc_recipe_apply(&job));
    snc_effort_apply(&job);
    snc_err err = snc_compress_job(estimate, missed, &job, &h);
    return err ? snc_err_prefix(err, t.name) : SNC_OK;
}

/* ---- the folder ------------------------------------------------------------------------------------------------------------- */

static snc_err take_lock(suite_run *r)
{
    char busy[SNC_CONFIG_PATH + 64];
    snprintf(busy, sizeof busy, "--output %s: another suite is in it", r->o->output.path);
    return r->lock ? SNC_OK : snc_lock_take(&r->lock, r->path, busy);
}

/* What suite.json says, if there is one. */
static snc_err open_folder(suite_run *r)
{
    const char *output = r->o->output.path;
    char *text = NULL;
    cJSON *was = NULL;
    size_t n = 0;
    SNC_TRY(snc_path_join(r->path, sizeof r->path, output, "suite.json"));
    SNC_CHECK(!snc_is_file(output), SNC_E_ARG, "--output %s: is a file; suite needs a folder", output);
    r->jobs = cJSON_CreateArray();
    if (!snc_is_file(r->path)) {
        SNC_CHECK(r->o->output.overwrite || !snc_is_dir(output) || snc_dir_is_empty(output), SNC_E_ARG,
                  "--output %s: not empty and no suite of this program (--overwrite takes it)", output);
        return SNC_OK;
    }
    SNC_TRY(take_lock(r));
    SNC_TRY(snc_file_read(&text, &n, r->path));
    snc_err err = n ? snc_json_parse(&was, text, n, r->path) : SNC_OK;
    cJSON *jobs = cJSON_DetachItemFromObjectCaseSensitive(was, "jobs");
    if (cJSON_IsArray(jobs)) {
        cJSON_Delete(r->jobs);
        r->jobs = jobs;
    } else cJSON_Delete(jobs);
    cJSON_Delete(was);
    snc_free(text);
    return r->o->output.overwrite ? SNC_OK : err;
}

static snc_err save_state(const suite_run *r)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "suite", r->suite.name);
    cJSON_AddItemToObject(j, "jobs", cJSON_Duplicate(r->jobs, 1));
    char *text = cJSON_Print(j);
    cJSON_Delete(j);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory while printing JSON", r->path);
    snc_err err = snc_lock_write(r->lock, text, strlen(text));
    cJSON_free(text);
    return err;
}

/* ---- what is done ------------------------------------------------------------------------------------------------------------ */

static void add_hash(cJSON *j, const char *key, uint64_t h)
{
    char hex[24];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)h);
    cJSON_AddStringToObject(j, key, hex);
}

/* What a job is asked for: every option of it, and what is behind those that name files. */
static snc_err asked_of(cJSON **out, const suite_run *r, int i, int k)
{
    static const char *const elsewhere[] = {"output", "overwrite", "verbose", "dry-run", "pretrained", "data", "task"};
    char folder[SNC_CONFIG_PATH];
    snc_options job;
    cJSON *made = cJSON_CreateObject();
    snc_err err = snc_suite_folder(folder, &r->suite, i, k, r->o);
    if (!err) err = snc_suite_job(&job, &r->suite, i, k, r->o, folder);
    if (!err) err = snc_provenance_add(made, &job, NULL, SNC_VERB_COMPRESS, "compress");
    if (!err) {
        *out = cJSON_DetachItemFromObjectCaseSensitive(made, "options");
        for (size_t e = 0; e < sizeof elsewhere / sizeof *elsewhere; e++) cJSON_DeleteItemFromObjectCaseSensitive(*out, elsewhere[e]);
        add_hash(*out, "model", r->model);
        add_hash(*out, "task", snc_task_hash(r->rows[i].task));
        add_hash(*out, "dev rows", snc_dataset_hash(r->rows[i].dev));
    }
    cJSON_Delete(made);
    return err;
}

/* The report is there, and it speaks of the file that is there. */
static bool is_whole(const char *folder)
{
    char path[SNC_CONFIG_PATH], digest[SNC_DIGEST_TEXT];
    cJSON *report = NULL;
    const cJSON *m;
    bool same = false;
    if (snc_path_join(path, sizeof path, folder, "answers.tsv") || !snc_is_file(path)) return false;
    if (snc_path_join(path, sizeof path, folder, "report.json") || snc_json_load(&report, path)) return false;
    if (snc_path_join(path, sizeof path, folder, "compressed.snc") == SNC_OK && snc_sncfile_digest_read(digest, path) == SNC_OK)
        cJSON_ArrayForEach(m, snc_json_at(report, "models"))
        {
            const char *name = snc_json_text(m, "name"), *says = snc_json_text(m, "digest");
            same = same || (name && says && strcmp(name, SNC_SUITE_FILE) == 0 && strcmp(says, digest) == 0);
        }
    cJSON_Delete(report);
    return same;
}

/* Jobs of an earlier run that are not what is asked now are open again. */
static snc_err look_at_job(suite_run *r, int i, int k)
{
    const double seed = (double)(r->o->job.seed + k);
    const char *name = r->suite.v[i].name;
    char folder[SNC_CONFIG_PATH];
    cJSON *asked = NULL, *job = snc_suite_record(r->jobs, name, seed);
    SNC_TRY(asked_of(&asked, r, i, k));
    const bool same = job && cJSON_Compare(snc_json_at(job, "asked"), asked, true) && !r->o->output.overwrite;
    SNC_TRY(snc_suite_folder(folder, &r->suite, i, k, r->o));
    if (same && (!cJSON_IsTrue(snc_json_at(job, "done")) || is_whole(folder))) {
        cJSON_DeleteItemFromObjectCaseSensitive(job, "error"); /* it is tried again */
        cJSON_Delete(asked);
        return SNC_OK;
    }
    if (job) cJSON_Delete(cJSON_DetachItemViaPointer(r->jobs, job));
    job = cJSON_CreateObject();
    cJSON_AddItemToArray(r->jobs, job);
    cJSON_AddStringToObject(job, "task", name);
    cJSON_AddNumberToObject(job, "seed", seed);
    cJSON_AddBoolToObject(job, "done", false);
    cJSON_AddNumberToObject(job, "seconds", 0);
    cJSON_AddItemToObject(job, "asked", asked);
    return SNC_OK;
}

static cJSON *job_of(const suite_run *r, int i, int k)
{
    return snc_suite_record(r->jobs, r->suite.v[i].name, (double)(r->o->job.seed + k));
}

static bool is_done(const suite_run *r, int i, int k) { return cJSON_IsTrue(snc_json_at(job_of(r, i, k), "done")); }

/* ---- before the work ----------------------------------------------------------------------------------------------------------- */

static snc_err load_rows(suite_run *r)
{
    snc_tok_assets assets = {0};
    snc_tok *tok = NULL;
    snc_err err = SNC_OK;
    snc_ctx quiet = r->ctx; /* each job says what it reads */
    quiet.level = SNC_LOG_ERROR;
    SNC_TRY(snc_alloc(&r->rows, (size_t)r->suite.n, sizeof *r->rows));
    SNC_GOTO(snc_path_hash(&r->model, r->o->input.pretrained));
    SNC_GOTO(snc_load_tokenizer(&assets, r->o->input.pretrained));
    SNC_GOTO(snc_tok_new(&tok, &assets));
    for (int i = 0; i < r->suite.n; i++) {
        snc_options job;
        SNC_GOTO(snc_suite_job(&job, &r->suite, i, 0, r->o, r->o->output.path));
        SNC_GOTO(snc_go_on(&r->ctx));
        err = snc_inputs_task(&r->rows[i].task, &job, snc_inputs_task_name(&job));
        if (!err) err = snc_dataset_load(&r->rows[i].dev, &quiet, r->rows[i].task, tok, job.rows.data, "dev", 0);
        if (err) SNC_GOTO(snc_err_prefix(err, r->suite.v[i].name));
    }
out:
    snc_tok_free(tok);
    snc_tok_assets_dispose(&assets);
    return err;
}

/* A task by its first seed, which tells of rows that are others now, and what else would be refused in the middle. Adds what its jobs
 * take: those that are not begun take what the first did, or is said to take. */
static snc_err check_task(suite_run *r, int i, double *takes)
{
    char folder[SNC_CONFIG_PATH];
    double first = 0, estimate;
    int missed;
    for (int k = 0; k < r->suite.seeds; k++) {
        const bool done = is_done(r, i, k);
        SNC_TRY(snc_suite_folder(folder, &r->suite, i, k, r->o));
        const bool looked = k == 0 || (!done && snc_is_dir(folder));
        if (looked) SNC_TRY(compress(r, i, k, true, k > 0 || done, &estimate, &missed));
        if (k == 0) first = done ? snc_json_number(job_of(r, i, k), "seconds") : estimate;
        if (!done) *takes += looked ? estimate : first;
    }
    return SNC_OK;
}

static snc_err check(suite_run *r)
{
    char clock[SNC_CLOCK];
    const double t0 = snc_now();
    double takes = 0;
    SNC_TRY(load_rows(r));
    SNC_TRY(snc_suite_predictions(&r->others, &r->ctx, &r->suite, r->rows, r->o->suite.predictions));
    SNC_TRY(snc_suite_models(&r->others, &r->ctx, &r->suite, r->rows, r->o));
    for (int i = 0; i < r->suite.n; i++)
        for (int k = 0; k < r->suite.seeds; k++) SNC_TRY(look_at_job(r, i, k));
    for (int i = 0; i < r->suite.n; i++) SNC_TRY(check_task(r, i, &takes));
    snc_say(r->h, "suite %s: about %s for all that is not done", r->suite.name, snc_clock_words(clock, takes));
    snc_log(&r->ctx, SNC_LOG_INFO, "suite %s: %d tasks, %d seeds, checked in %.1f s", r->suite.name, r->suite.n, r->suite.seeds,
            snc_now() - t0);
    return SNC_OK;
}

/* ---- the work -------------------------------------------------------------------------------------------------------------------- */

static snc_err report(const suite_run *r, bool say)
{
    const snc_suite_state s = {r->o, &r->ctx, &r->suite, r->rows, r->others.v, (int)r->others.n, r->jobs};
    cJSON *facts = NULL;
    SNC_TRY(snc_suite_facts_new(&facts, &s));
    cJSON_AddItemToObject(facts, "host", snc_host_json(&r->ctx));
    snc_err err = snc_provenance_add(facts, r->o, NULL, SNC_VERB_SUITE, "suite");
    if (!err) err = snc_suite_report_write(r->o->output.path, facts);
    if (!err && say) snc_suite_report_say(r->h, facts);
    cJSON_Delete(facts);
    return err;
}

static void put(cJSON *j, const char *key, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(j, key);
    cJSON_AddItemToObject(j, key, value);
}

static void note_failure(suite_run *r)
{
    if (!r->failed++) snprintf(r->why, sizeof r->why, "%s", snc_err_text());
    snc_log(&r->ctx, SNC_LOG_ERROR, "%s; the others go on", snc_err_text());
}

/* What it took, of all runs of the program; how it ended. A failure is of this job alone. */
static snc_err run_job(suite_run *r, int i, int k)
{
    cJSON *job = job_of(r, i, k);
    int missed = 0;
    double estimate;
    const double t0 = snc_now();
    snc_err err = compress(r, i, k, false, false, &estimate, &missed);
    put(job, "seconds", cJSON_CreateNumber(round(10 * (snc_json_number(job, "seconds") + snc_now() - t0)) / 10));
    put(job, "done", cJSON_CreateBool(!err));
    put(job, "missed", cJSON_CreateBool(missed));
    if (err && err != SNC_E_CANCELLED) {
        put(job, "error", cJSON_CreateString(snc_err_text()));
        note_failure(r);
    }
    if (err == SNC_E_CANCELLED) { /* what was interrupted stays the last failure */
        char why[SNC_ERR_TEXT];
        snprintf(why, sizeof why, "%s", snc_err_text());
        snc_err saved = save_state(r);
        return saved ? saved : snc_err_set(SNC_E_CANCELLED, "%s", why);
    }
    SNC_TRY(save_state(r));
    return report(r, false);
}

static snc_err score_models(suite_run *r)
{
    for (size_t m = 0; m < r->others.n; m++) {
        snc_suite_other *x = &r->others.v[m];
        snc_options job;
        if (!x->file) continue;
        snc_progress(&r->ctx, "models", (double)m, (double)r->others.n, "%s", x->name);
        SNC_TRY(snc_suite_job(&job, &r->suite, x->task, 0, r->o, r->o->output.path));
        snc_err err = snc_suite_score_model(x, &r->ctx, &job, r->h);
        if (err == SNC_E_CANCELLED) return err;
        if (err) note_failure(r);
    }
    return SNC_OK;
}

static snc_err work(suite_run *r)
{
    SNC_TRY(snc_mkdir(r->o->output.path));
    SNC_TRY(take_lock(r));
    SNC_TRY(save_state(r));
    for (int k = 0; k < r->suite.seeds; k++) /* all tasks have a row as soon as can be */
        for (int i = 0; i < r->suite.n; i++)
            if (!is_done(r, i, k)) SNC_TRY(run_job(r, i, k));
            else snc_log(&r->ctx, SNC_LOG_INFO, "%s seed %lld: done before", r->suite.v[i].name, (long long)r->o->job.seed + k);
    SNC_TRY(score_models(r));
    return report(r, true);
}

static bool any_missed(const suite_run *r)
{
    bool any = false;
    for (int i = 0; i < r->suite.n; i++)
        for (int k = 0; k < r->suite.seeds; k++) any = any || cJSON_IsTrue(snc_json_at(job_of(r, i, k), "missed"));
    return any;
}

static void dispose(suite_run *r)
{
    for (int i = 0; i < r->suite.n && r->rows; i++) {
        snc_dataset_free(r->rows[i].dev);
        snc_task_close(r->rows[i].task);
    }
    snc_free(r->rows);
    snc_suite_others_dispose(&r->others);
    snc_lock_release(r->lock);
    cJSON_Delete(r->jobs);
    snc_suite_close(&r->suite);
}

snc_err snc_verb_suite(const snc_options *o, const snc_host *h, int *missed)
{
    snc_err err = SNC_OK;
    suite_run r = {.o = o, .h = h};
    const double t0 = snc_now();
    *missed = 0;
    SNC_TRY(snc_option_need("suite", "a suite", o->input.n_models ? o->input.models[0] : NULL));
    SNC_TRY(snc_option_need("suite", "--pretrained", o->input.pretrained));
    SNC_TRY(snc_option_need("suite", "--data", o->rows.data));
    SNC_TRY(snc_option_need("suite", "--output", o->output.path));
    SNC_TRY(snc_context_init(&r.ctx, o, h, NULL, 0));
    SNC_GOTO(snc_suite_open(&r.suite, o));
    SNC_GOTO(open_folder(&r));
    SNC_GOTO(check(&r));
    if (o->job.dry_run) goto out;
    SNC_GOTO(work(&r));
    *missed = any_missed(&r);
    snc_say(h, "report: %s/report.md", o->output.path);
    snc_say(h, "%.0f s in all", snc_now() - t0);
    if (r.failed) err = snc_err_set(SNC_E_BACKEND, "suite %s: %d failed: %s", r.suite.name, r.failed, r.why);
out:
    dispose(&r);
    return err;
}
