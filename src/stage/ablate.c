/* compress study --ablate: a supernet for each task, seed and variant of an ablation's file, and one table of what their nets are worth.
 *
 *     OUT/ablation.json                    cells that are done, and of what; locked while an ablation is in the folder
 *     OUT/full/TASK/seed-42/teacher.snc    of --pretrained; "slice" in place of "full" in a stage that has not all rows
 *     OUT/full/TASK/seed-42/latency.json   where tau is asked for
 *     OUT/full/TASK/seed-42/logits.bin     what the teacher says of the rows that supernets learn, while there are cells to make
 *     OUT/report.{md,json,csv}             of what is done so far, written again after each cell
 *
 * A cell that was under way begins anew, so that its seconds are measured whole.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/depends.h"
#include "artifact/option.h"
#include "artifact/provenance.h"
#include "artifact/recipes.h"
#include "artifact/say.h"
#include "artifact/settle.h"
#include "artifact/stamp.h"
#include "base/fmap.h"
#include "base/lock.h"
#include "base/mem.h"
#include "candidate/ablation_cell.h"
#include "candidate/needs.h"
#include "candidate/preflight.h"
#include "report/ablation_report.h"
#include "stage/steps.h"
#include "stage/verbs.h"

typedef struct ablation_run {
    const snc_options *o;
    const snc_host *h;
    snc_ctx ctx, work;
    snc_ablation a;
    const char *from;           /* the teacher, or what it is made of */
    char path[SNC_CONFIG_PATH]; /* of ablation.json */
    snc_lock *lock;             /* NULL while there is no folder */
    cJSON *state;               /* {"cells":[...],"bands":[...]} */
    char why[SNC_ERR_TEXT];     /* the first failure; "" without */
    int failed;
} ablation_run;

/* All variants of one stage, task and seed. */
typedef struct group {
    ablation_run *r;
    int stage, task, seed;
    snc_options base; /* of what all share */
    snc_ctx ctx;      /* whose seed is the group's */
    snc_inputs in;
    char teacher[SNC_CONFIG_PATH], table[SNC_CONFIG_PATH], logits[SNC_CONFIG_PATH];
    cJSON *asked[SNC_ABLATION_VARIANTS]; /* stamps of its cells */
    snc_ablation_ground ground;
    bool standing; /* the ground is there */
} group;

static bool is_slice(const ablation_run *r, int stage) { return r->a.rows && stage == 0; }

static snc_err options_of(snc_options *out, const group *g, int variant)
{
    SNC_TRY(snc_ablation_options(out, &g->r->a, g->r->o, variant, g->task, g->seed, is_slice(g->r, g->stage)));
    return snc_settle(out, g->in.splits.train);
}

/* ---- the folder --------------------------------------------------------------------------------------------------------- */

static snc_err take_lock(ablation_run *r)
{
    char busy[SNC_CONFIG_PATH + 64];
    snprintf(busy, sizeof busy, "--output %s: another ablation is in it", r->o->output.path);
    return r->lock ? SNC_OK : snc_lock_take(&r->lock, r->path, busy);
}

static snc_err open_folder(ablation_run *r)
{
    const char *output = r->o->output.path;
    char *text = NULL;
    size_t n = 0;
    SNC_TRY(snc_path_join(r->path, sizeof r->path, output, "ablation.json"));
    SNC_CHECK(!snc_is_file(output), SNC_E_ARG, "--output %s: is a file; an ablation needs a folder", output);
    if (!snc_is_file(r->path)) {
        SNC_CHECK(!snc_is_dir(output) || snc_dir_is_empty(output), SNC_E_ARG, "--output %s: not empty and no ablation of this program",
                  output);
        r->state = cJSON_CreateObject();
        return SNC_OK;
    }
    SNC_TRY(take_lock(r));
    SNC_TRY(snc_file_read(&text, &n, r->path));
    snc_err err = n ? snc_json_parse(&r->state, text, n, r->path) : SNC_OK;
    if (!n) r->state = cJSON_CreateObject();
    snc_free(text);
    return err;
}

static snc_err save_state(const ablation_run *r)
{
    char *text = cJSON_Print(r->state);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory while printing JSON", r->path);
    snc_err err = snc_lock_write(r->lock, text, strlen(text));
    cJSON_free(text);
    return err;
}

static snc_err report(const ablation_run *r, bool say)
{
    cJSON *facts = snc_ablation_facts(&r->a, snc_json_list(r->state, "cells"));
    cJSON_AddItemToObject(facts, "host", snc_host_json(&r->ctx));
    snc_err err = snc_provenance_add(facts, r->o, NULL, SNC_VERB_STUDY, "study");
    if (!err) err = snc_ablation_report_write(r->o->output.path, facts);
    if (!err && say) snc_ablation_report_say(r->h, facts);
    cJSON_Delete(facts);
    return err;
}

/* ---- records ------------------------------------------------------------------------------------------------------------- */

static cJSON *cell_of(const group *g, int variant)
{
    return snc_ablation_record(snc_json_list(g->r->state, "cells"), &g->r->a, g->stage, g->task, g->seed, variant);
}

static cJSON *new_record(const group *g, const char *list, const char *variant, const cJSON *asked)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "stage", snc_ablation_stage(&g->r->a, g->stage));
    cJSON_AddStringToObject(j, "task", g->r->a.task[g->task].name);
    cJSON_AddNumberToObject(j, "seed", g->r->a.seed[g->seed]);
    cJSON_AddStringToObject(j, "variant", variant);
    cJSON_AddItemToObject(j, "asked", cJSON_Duplicate(asked, 1));
    cJSON_AddItemToArray(snc_json_list(g->r->state, list), j);
    return j;
}

static void drop_record(const group *g, const char *list, cJSON *j)
{
    if (j) cJSON_Delete(cJSON_DetachItemViaPointer(snc_json_list(g->r->state, list), j));
}

/* What a cell was made of and with. The first variant is what others are measured by. */
static snc_err ask(cJSON **out, const group *g, const snc_model *shape, int variant)
{
    const snc_ablation *a = &g->r->a;
    const double measures[] = {a->nets, a->repair_nets, a->tau_nets, a->tau_latency, a->equal, a->variant[variant].times};
    snc_options o;
    cJSON *repair = cJSON_CreateObject();
    snc_err err = snc_recipe_stamp(repair, &g->base, (const snc_section[]){SNC_SECTION_REPAIR}, 1);
    const uint64_t base = snc_json_hash(0, repair);
    SNC_TRY(err);
    SNC_TRY(options_of(&o, g, variant));
    SNC_TRY(snc_depends_supernet(out, &o, &g->in, shape, g->teacher));
    snc_stamp_hash(*out, "repair", base);
    snc_stamp_hash(*out, "select rows", snc_dataset_hash(g->in.splits.select));
    snc_stamp_hash(*out, "what is measured", snc_bytes_hash(0, measures, sizeof measures));
    if (variant) snc_stamp_hash(*out, "first variant", snc_json_hash(0, cJSON_Duplicate(g->asked[0], 1)));
    return SNC_OK;
}

/* Finished, of the same; training that diverged would do so again. */
static bool is_closed(const group *g, int variant)
{
    char why[SNC_WHY];
    const cJSON *cell = cell_of(g, variant);
    const bool same = cell && snc_stamp_same(why, snc_json_at(cell, "asked"), g->asked[variant]);
    if (cell && !same)
        snc_log(&g->ctx, SNC_LOG_INFO, "%s seed %d, %s: %s: made anew", g->r->a.task[g->task].name, g->r->a.seed[g->seed],
                g->r->a.variant[variant].name, why);
    return same && (cJSON_IsTrue(snc_json_at(cell, "done")) || cJSON_IsTrue(snc_json_at(cell, "diverged")));
}

/* ---- a group --------------------------------------------------------------------------------------------------------------- */

/* A teacher that is given has seen rows of splits by one seed; so all seeds have those. */
static snc_err open_inputs(group *g, bool quiet)
{
    snc_ctx ctx = g->ctx;
    if (g->r->o->input.teacher) ctx.seed = (uint64_t)g->r->o->job.seed;
    if (quiet) ctx.level = SNC_LOG_ERROR;
    SNC_TRY(snc_inputs_open(&g->in, &ctx, &g->base, "study --ablate", g->r->from, SNC_HOLD_OUT, NULL));
    return snc_settle(&g->base, g->in.splits.train);
}

static snc_err begin(group *g, ablation_run *r, int stage, int task, int seed)
{
    char name[2 * SNC_ABLATION_NAME], folder[SNC_CONFIG_PATH];
    *g = (group){.r = r, .stage = stage, .task = task, .seed = seed, .ctx = r->ctx};
    SNC_TRY(snc_ablation_options(&g->base, &r->a, r->o, -1, task, seed, is_slice(r, stage)));
    g->base.output.overwrite = true; /* of what lies in the folder and is of another command */
    g->ctx.seed = (uint64_t)g->base.job.seed;
    g->ctx.meter = r->ctx.meter;
    snprintf(name, sizeof name, "%s/%s/seed-%d", snc_ablation_stage(&r->a, stage), r->a.task[task].name, r->a.seed[seed]);
    SNC_TRY(snc_path_join(folder, sizeof folder, r->o->output.path, name));
    SNC_TRY(snc_path_join(g->table, sizeof g->table, folder, "latency.json"));
    SNC_TRY(snc_path_join(g->logits, sizeof g->logits, folder, "logits.bin"));
    if (!r->o->input.teacher) return snc_path_join(g->teacher, sizeof g->teacher, folder, "teacher.snc");
    snprintf(g->teacher, sizeof g->teacher, "%s", r->from);
    return SNC_OK;
}

static void end(group *g)
{
    for (int v = 0; v < SNC_ABLATION_VARIANTS; v++) cJSON_Delete(g->asked[v]);
    if (g->standing) snc_ablation_ground_close(&g->ground);
    snc_inputs_close(&g->in);
}

/* The teacher, and with it what each cell is asked for. */
static snc_err prepare(group *g)
{
    snc_err err = SNC_OK;
    snc_step_report made;
    snc_model *shape = NULL;
    bool fine_tuned;
    char folder[SNC_CONFIG_PATH];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(g->table, '/') - g->table), g->table);
    SNC_TRY(snc_mkdir(folder));
    SNC_TRY(open_inputs(g, false));
    if (!g->r->o->input.teacher) SNC_TRY(snc_step_finetune(&made, &g->ctx, &g->base, &g->in, g->r->from, g->teacher));
    SNC_GOTO(snc_inputs_model(&shape, &fine_tuned, &g->ctx, g->teacher, g->in.task));
    for (int v = 0; v < g->r->a.variants; v++) SNC_GOTO(ask(&g->asked[v], g, shape, v));
out:
    snc_model_free(shape);
    return err;
}

static cJSON *band_of(group *g)
{
    char why[SNC_WHY];
    cJSON *it, *list = snc_json_list(g->r->state, "bands");
    cJSON_ArrayForEach(it, list)
    {
        if (strcmp(snc_json_text(it, "stage"), snc_ablation_stage(&g->r->a, g->stage)) != 0 ||
            strcmp(snc_json_text(it, "task"), g->r->a.task[g->task].name) != 0 || snc_json_number(it, "seed") != g->r->a.seed[g->seed])
            continue;
        if (snc_stamp_same(why, snc_json_at(it, "asked"), g->asked[0])) return it;
        drop_record(g, "bands", it);
        break;
    }
    return new_record(g, "bands", "", g->asked[0]);
}

static snc_err stand(group *g)
{
    if (g->standing) return SNC_OK;
    g->ground =
        (snc_ablation_ground){.ctx = &g->ctx, .a = &g->r->a, .o = &g->base, .in = &g->in, .teacher = g->teacher, .logits = g->logits};
    SNC_TRY(snc_ablation_ground_open(&g->ground));
    g->standing = true;
    if (!g->r->a.tau_nets) return SNC_OK;
    SNC_TRY(snc_ablation_band(&g->ground, band_of(g), &g->r->work, g->table));
    return save_state(g->r);
}

/* ---- a cell ------------------------------------------------------------------------------------------------------------------ */

static snc_err measure(group *g, cJSON *cell, int variant)
{
    const snc_ablation *a = &g->r->a;
    const cJSON *first = cell_of(g, 0);
    const double times = a->variant[variant].times, made = snc_json_number(first, "steps_asked"), took = snc_json_number(first, "seconds");
    const bool timed = variant && a->equal == SNC_EQUAL_TIME;
    snc_options o;
    SNC_CHECK(!timed || took > 0, SNC_E_BACKEND, "'%s' has not finished: there are no seconds to equal", a->variant[0].name);
    SNC_TRY(options_of(&o, g, variant));
    SNC_TRY(stand(g));
    return snc_ablation_cell(cell, &g->ground, &o, variant && !timed && made > 0 ? times * made : 0, timed ? times * took : 0);
}

/* A failure is of this cell alone. */
static snc_err run_cell(group *g, int variant)
{
    ablation_run *r = g->r;
    const char *task = r->a.task[g->task].name, *name = r->a.variant[variant].name;
    drop_record(g, "cells", cell_of(g, variant));
    cJSON *cell = new_record(g, "cells", name, g->asked[variant]);
    snc_log(&g->ctx, SNC_LOG_INFO, "ablation: %s, %s seed %d: %s", snc_ablation_stage(&r->a, g->stage), task, r->a.seed[g->seed], name);
    snc_err err = measure(g, cell, variant);
    if (err == SNC_E_CANCELLED) return err;
    cJSON_AddBoolToObject(cell, "done", !err);
    if (err) {
        cJSON_AddBoolToObject(cell, "diverged", err == SNC_E_DIVERGED);
        cJSON_AddStringToObject(cell, "error", snc_err_text());
        snc_log(&g->ctx, SNC_LOG_ERROR, "%s seed %d, %s: %s; the others go on", task, r->a.seed[g->seed], name, snc_err_text());
    }
    SNC_TRY(save_state(r));
    return report(r, false);
}

static snc_err run_group(group *g, const bool *goes_on)
{
    SNC_TRY(prepare(g));
    for (int v = 0; v < g->r->a.variants; v++)
        if (goes_on[v] && !is_closed(g, v)) SNC_TRY(run_cell(g, v));
        else if (goes_on[v])
            snc_log(&g->ctx, SNC_LOG_INFO, "%s seed %d, %s: done before", g->r->a.task[g->task].name, g->r->a.seed[g->seed],
                    g->r->a.variant[v].name);
    remove(g->logits);
    return SNC_OK;
}

/* ---- before the work ----------------------------------------------------------------------------------------------------------- */

static snc_err check_variant(const group *g, snc_model *m, int variant)
{
    snc_options o;
    snc_train_opts t;
    SNC_TRY(options_of(&o, g, variant));
    SNC_TRY(snc_preflight_options(&g->ctx, &o, SNC_VERB_SUPERNET));
    SNC_TRY(snc_preflight_supernet(&o, m));
    SNC_TRY(snc_recipe_supernet(&t, &o, NULL));
    SNC_TRY(snc_objectives_check(t.objectives, &t, m, m));
    const snc_needs needs = {&g->ctx, &o, &g->in, m, SNC_VERB_SUPERNET, 0};
    return snc_needs_check(&needs, g->r->o->output.path, 0);
}

/* By its first seed: what would be refused in the middle. */
static snc_err check_task(ablation_run *r, int stage, int task)
{
    group g;
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    bool fine_tuned;
    SNC_GOTO(begin(&g, r, stage, task, 0));
    SNC_GOTO(open_inputs(&g, true));
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, &g.ctx, r->from, g.in.task));
    if (r->o->input.teacher && !fine_tuned)
        SNC_GOTO(
            snc_err_set(SNC_E_SHAPE, "%s: is not fine-tuned for %s: it has no matching classifier", r->from, snc_task_name(g.in.task)));
    const snc_needs needs = {&g.ctx, &g.base, &g.in, m, SNC_VERB_FINETUNE, 0};
    if (!r->o->input.teacher) SNC_GOTO(snc_needs_check(&needs, r->o->output.path, 0));
    for (int v = 0; v < r->a.variants; v++) {
        char where[SNC_CONFIG_PATH + SNC_ABLATION_NAME + 16];
        snprintf(where, sizeof where, "%s: variant %s", r->a.path, r->a.variant[v].name);
        err = check_variant(&g, m, v);
        if (err) SNC_GOTO(snc_err_prefix(err, where));
    }
out:
    snc_model_free(m);
    end(&g);
    return err;
}

static snc_err check(ablation_run *r)
{
    for (int s = 0; s < snc_ablation_stages(&r->a); s++)
        for (int t = 0; t < r->a.tasks; t++) SNC_TRY(check_task(r, s, t));
    return SNC_OK;
}

/* ---- the work -------------------------------------------------------------------------------------------------------------------- */

/* All tasks have a row as soon as can be. What goes wrong before the first cell of a group leaves its cells open. */
static snc_err run_stage(ablation_run *r, int stage)
{
    bool goes_on[SNC_ABLATION_VARIANTS];
    snc_ablation_choose(goes_on, &r->a, snc_json_list(r->state, "cells"));
    for (int v = 0; v < r->a.variants && stage == 0; v++) goes_on[v] = true;
    for (int k = 0; k < r->a.seeds; k++)
        for (int t = 0; t < r->a.tasks; t++) {
            group g;
            snc_err err = begin(&g, r, stage, t, k);
            if (!err) err = run_group(&g, goes_on);
            end(&g);
            if (err == SNC_E_CANCELLED || err == SNC_E_IO) return err;
            if (!err) continue;
            if (!r->failed++) snprintf(r->why, sizeof r->why, "%s", snc_err_text());
            snc_log(&r->ctx, SNC_LOG_ERROR, "%s seed %d: %s; the others go on", r->a.task[t].name, r->a.seed[k], snc_err_text());
        }
    return SNC_OK;
}

/* Of all runs of the program. */
static void count_failures(ablation_run *r)
{
    cJSON *facts = snc_ablation_facts(&r->a, snc_json_list(r->state, "cells"));
    const cJSON *it;
    cJSON_ArrayForEach(it, snc_json_at(facts, "cells"))
    {
        const char *error = snc_json_text(it, "error");
        if (error && !r->failed++) snprintf(r->why, sizeof r->why, "%s: %.900s", snc_json_text(it, "variant"), error);
    }
    cJSON_Delete(facts);
}

static snc_err work(ablation_run *r)
{
    SNC_TRY(snc_mkdir(r->o->output.path));
    SNC_TRY(take_lock(r));
    SNC_TRY(save_state(r));
    for (int s = 0; s < snc_ablation_stages(&r->a); s++) SNC_TRY(run_stage(r, s));
    count_failures(r);
    return report(r, true);
}

snc_err snc_ablate_run(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    ablation_run r = {.o = o, .h = h, .from = o->input.teacher ? o->input.teacher : o->input.pretrained};
    SNC_CHECK(!o->input.n_models, SNC_E_ARG, "study --ablate: %s: it makes its supernets itself", o->input.models[0]);
    SNC_TRY(snc_option_need("study --ablate", "--pretrained or --teacher", r.from));
    SNC_TRY(snc_option_need("study --ablate", "--data", o->rows.data));
    SNC_TRY(snc_option_need("study --ablate", "--output", o->output.path));
    SNC_TRY(snc_context_init(&r.work, o, h, o->workload.threads, 1));
    SNC_TRY(snc_context_init(&r.ctx, o, h, NULL, 0));
    r.work.meter = r.ctx.meter;
    SNC_GOTO(snc_ablation_open(&r.a, o));
    SNC_GOTO(open_folder(&r));
    SNC_GOTO(check(&r));
    SNC_GOTO(work(&r));
    snc_say(h, "report: %s/report.md", o->output.path);
    if (r.failed) err = snc_err_set(SNC_E_BACKEND, "ablation %s: %d failed: %s", r.a.path, r.failed, r.why);
out:
    snc_lock_release(r.lock);
    cJSON_Delete(r.state);
    snc_ablation_close(&r.a);
    return err;
}
