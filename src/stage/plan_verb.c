/* plan: what a whole job would take of time and memory on ranks and cores that need not be there. The checks and the estimate are those of
 * compress; nothing is trained but for the steps that are timed, and nothing is written. */
#include <math.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/effort.h"
#include "artifact/folder.h"
#include "artifact/option.h"
#include "artifact/paper_rows.h"
#include "artifact/parse.h"
#include "artifact/settle.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/room.h"
#include "candidate/preflight.h"
#include "candidate/workload.h"
#include "report/budget.h"
#include "report/scale_clock.h"
#include "report/scale_table.h"
#include "stage/verbs.h"

typedef struct job {
    snc_options o;
    const snc_host *h;
    snc_ctx ctx, work; /* all cores; the workload's threads */
    snc_int_list ranks, cores;
    snc_paper_rows paper; /* with --rows */
    snc_inputs in;
    snc_eval_sets eval;
    snc_folder there; /* of an output that does not exist */
    snc_model *model;
    bool fine_tuned;
    snc_budget budget;
    snc_scale scale;
} job;

/* ---- before any work ----------------------------------------------------------------------------------------------------- */

static snc_err parse_lists(job *j)
{
    const snc_plan_opts *p = &j->o.plan;
    j->cores = (snc_int_list){.n = 1, .v = {j->ctx.threads}};
    SNC_TRY(snc_parse_list(&j->ranks, "--ranks", p->ranks ? p->ranks : "1", false));
    if (p->cores) SNC_TRY(snc_parse_list(&j->cores, "--cores", p->cores, false));
    SNC_TRY(snc_scale_network(&j->scale, p->network ? p->network : "10gbit"));
    if (p->memory_bandwidth) SNC_TRY(snc_parse_bytes(&j->scale.memory, "--memory-bandwidth", p->memory_bandwidth));
    for (int i = 0; i < j->ranks.n; i++) {
        const int least = snc_min(j->o.training.batch_size, j->o.supernet.batch_size);
        SNC_CHECK(j->ranks.v[i] <= least, SNC_E_ARG, "--ranks %d: more than the %d rows of a batch (--batch-size)", j->ranks.v[i], least);
    }
    return SNC_OK;
}

/* The machine that all of them share need not be this one. */
static void say_shared(const job *j)
{
    int ranks = 0, cores = 0;
    for (int i = 0; i < j->ranks.n; i++) ranks = snc_max(ranks, j->ranks.v[i]);
    for (int k = 0; k < j->cores.n; k++) cores = snc_max(cores, j->cores.v[k]);
    if (j->scale.shared && (double)ranks * cores > j->ctx.threads)
        snc_log(&j->ctx, SNC_LOG_INFO,
                "--network shared: %d ranks with %d core%s each are more than the %d core%s here: of a larger machine", ranks, cores,
                cores == 1 ? "" : "s", j->ctx.threads, j->ctx.threads == 1 ? "" : "s");
}

/* Rows by hand have the one length of the workload. */
static snc_err open_paper(job *j, const char *from)
{
    snc_int_list len;
    snc_eval_set *dev = &j->eval.of[0];
    SNC_CHECK(strcmp(j->o.workload.seq_len, "data") != 0, SNC_E_ARG, "--rows %d: --seq-len is missing: tokens of a row", j->o.plan.rows);
    SNC_TRY(snc_parse_list(&len, "--seq-len", j->o.workload.seq_len, false));
    SNC_TRY(snc_paper_rows_new(&j->paper, &j->in, from, j->o.plan.rows, len.v[0], j->ctx.seed));
    dev->rows = j->in.dev;
    j->eval.n = 1;
    return SNC_OK;
}

static snc_err open_task(job *j, const char *from)
{
    SNC_TRY(snc_option_need("plan", "--task", snc_inputs_task_name(&j->o)));
    SNC_TRY(snc_option_need("plan", "--data", j->o.rows.data));
    SNC_TRY(snc_inputs_open(&j->in, &j->ctx, &j->o, "plan", from, SNC_HOLD_OUT_BESIDE_ALL, j->o.rows.unlabeled));
    SNC_TRY(snc_inputs_dev(&j->in, &j->ctx, &j->o));
    return snc_eval_sets_open(&j->eval, &j->ctx, &j->o, &j->in);
}

static snc_err check(job *j, const char *from)
{
    int batch, seq;
    snc_targets targets;
    SNC_TRY(snc_preflight_options(&j->ctx, &j->o, SNC_VERB_PLAN));
    SNC_TRY(snc_targets_parse(&targets, &j->o.targets, "compress")); /* which takes several latencies */
    SNC_TRY(parse_lists(j));
    say_shared(j);
    SNC_TRY(j->o.plan.rows ? open_paper(j, from) : open_task(j, from));
    SNC_TRY(snc_settle(&j->o, j->in.splits.train));
    SNC_TRY(snc_inputs_model(&j->model, &j->fine_tuned, &j->ctx, from, j->in.task));
    SNC_CHECK(!j->o.input.teacher || j->fine_tuned, SNC_E_SHAPE, "--teacher %s: has no classifier that fits task %s", from,
              snc_task_name(j->in.task));
    SNC_TRY(snc_workload_check(&batch, &seq, &j->o.workload, &j->model->cfg));
    SNC_TRY(snc_preflight_supernet(&j->o, j->model));
    snc_inputs_teach(&j->in, &j->o, j->fine_tuned);
    j->there.o = &j->o;
    snc_folder_baselines(&j->there, &j->in, j->fine_tuned);
    return SNC_OK;
}

/* ---- what it takes ------------------------------------------------------------------------------------------------------- */

static snc_err most_of_others(double *out, const snc_needs *n, int at_once, bool twice)
{
    double part[SNC_NEEDS];
    SNC_TRY(snc_needs_others(part, n, at_once, twice));
    *out = 0;
    for (int k = 0; k < SNC_NEEDS; k++) *out = fmax(*out, part[k]);
    return SNC_OK;
}

/* As many rows of a rank's share at once as --max-memory allows, found as the trainer finds them; what this machine has is not asked. */
static snc_err memory(snc_scale_row *r, const snc_needs *n, double now, bool shared)
{
    const double most = n->ctx->max_memory, room = fmax(most - now, 1);
    double need;
    bool twice = n->ctx->recompute == SNC_RECOMPUTE_ON;
    SNC_TRY(snc_needs_fit(n, 0, most > 0 ? room : 0));
    r->at_once = (snc_max(n->o->training.batch_size, n->o->supernet.batch_size) + r->ranks - 1) / r->ranks;
    for (;; r->at_once = (r->at_once + 1) / 2) {
        SNC_TRY(snc_needs_memory(&need, n, r->at_once, twice));
        SNC_TRY(most_of_others(&r->other, n, r->at_once, twice));
        if (most <= 0 || (need <= SNC_ROOM_SURE * room && r->other <= SNC_ROOM_SURE * most)) break;
        if (r->at_once > 1) continue;
        if (twice || n->ctx->recompute == SNC_RECOMPUTE_OFF) break;
        twice = true;
    }
    SNC_TRY(snc_needs_parts(r->memory, n, r->at_once, twice));
    SNC_TRY(snc_needs_machine(&r->machine, n, shared ? r->ranks - 1 : 0, r->at_once, twice));
    for (int k = 0; k < SNC_NEEDS; k++)
        if (r->memory[k] > 0) r->memory[k] += now;
    r->most = need + now;
    r->machine += now;
    return SNC_OK;
}

static snc_err memory_of_all(snc_scale_row *row, const job *j)
{
    snc_ctx quiet = j->ctx;
    quiet.level = SNC_LOG_ERROR; /* that steps are computed in parts is in the table */
    const double now = snc_room_resident();
    for (int i = 0; i < j->ranks.n; i++)
        for (int k = 0; k < j->cores.n; k++, row++) {
            const snc_needs n = {&quiet, &j->o, &j->in, j->model, SNC_VERB_COMPRESS, j->ranks.v[i]};
            *row = (snc_scale_row){.ranks = j->ranks.v[i], .cores = j->cores.v[k]};
            SNC_TRY(memory(row, &n, now, j->scale.shared));
        }
    return SNC_OK;
}

static snc_err measure(job *j, const char *from)
{
    const double memory = j->scale.memory;
    SNC_TRY(snc_budget_plan(&j->budget, &j->ctx, &j->work, &j->o, &j->in, &j->eval, &j->there, from));
    SNC_TRY(snc_scale_measure(&j->scale, &j->ctx, &j->o, j->in.splits.train, j->model, strcmp(j->o.job.exchange, "bf16") == 0));
    if (memory > 0) j->scale.memory = memory;
    return SNC_OK;
}

static snc_err answer(job *j, snc_scale_row *row)
{
    const snc_budget *b = &j->budget;
    const snc_scale_table t = {&j->scale, &b->pace, &b->plan, snc_budget_all(b), row, j->ranks.n * j->cores.n};
    for (int i = 0; i < t.n; i++) {
        row[i].all = snc_scale_seconds(row[i].part, &row[i].exchange, t.scale, t.pace, t.plan, row[i].ranks, row[i].cores);
        row[i].step = snc_scale_step(t.scale, t.pace, row[i].ranks, row[i].cores);
    }
    if (strcmp(j->o.output.format, "md") == 0) snc_budget_say(b, &j->ctx, j->h);
    return snc_scale_say(&t, &j->ctx, j->h, j->o.output.format);
}

snc_err snc_verb_plan(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_scale_row *row = NULL;
    job j = {.o = *o, .h = h};
    const char *from = o->input.teacher ? o->input.teacher : o->input.pretrained;
    SNC_TRY(snc_option_need("plan", "--pretrained", from));
    snc_effort_apply(&j.o);
    if (!o->targets.latency) j.o.targets.latency = "0.5x"; /* how low a target is changes nothing here */
    SNC_TRY(snc_budget_open(&j.budget, &j.o));
    SNC_TRY(snc_context_init(&j.work, o, h, o->workload.threads, 1));
    SNC_TRY(snc_context_init(&j.ctx, o, h, NULL, 0));
    j.work.meter = NULL;
    SNC_GOTO(check(&j, from));
    SNC_GOTO(snc_alloc(&row, (size_t)j.ranks.n * (size_t)j.cores.n, sizeof *row));
    SNC_GOTO(memory_of_all(row, &j));
    SNC_GOTO(measure(&j, from));
    SNC_GOTO(answer(&j, row));
out:
    snc_free(row);
    snc_model_free(j.model);
    if (j.o.plan.rows) snc_paper_rows_dispose(&j.paper, &j.in);
    else {
        snc_eval_sets_dispose(&j.eval);
        snc_inputs_close(&j.in);
    }
    return err;
}
