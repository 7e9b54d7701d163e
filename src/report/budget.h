/* report/budget.h: the clock of a whole job: its estimate, its plan where there is a limit, and the plan made again as stages end.
 *
 *     SNC_TRY(snc_budget_open(&b, o));                          --time-limit, before any work
 *     snc_budget_recall(&b, o, &folder);                        what an earlier run in the folder had planned, into the options
 *     SNC_TRY(snc_budget_plan(&b, ctx, ..., o));                measures and plans; SNC_E_ARG: the least does not fit
 *     snc_budget_say(&b, ctx, host);                            the estimate, and what is given up
 *     snc_budget_begin(&b, ctx, SNC_JOB_FINETUNE, SNC_JOB_FINETUNE);      ctx->until is when these parts have to end
 *     ... SNC_TRY(snc_budget_end(&b, ctx, o, &folder, SNC_JOB_FINETUNE, SNC_JOB_FINETUNE, seconds));
 *
 * The limit is of this run of the program: what is in the folder already takes no time. A plan is kept in run.json. The same command
 * goes on with that plan, so that nothing is made anew because the clock says something else today; it may give up more, never less.
 * With another limit what is made, or in the making, stays as it was planned, and the rest is planned anew.
 */
#ifndef SNC_REPORT_BUDGET_H
#define SNC_REPORT_BUDGET_H

#include "artifact/folder.h"
#include "report/eval_sets.h"
#include "report/plan.h"

typedef struct snc_budget {
    double limit, started; /* seconds, 0: none; the moment */
    snc_plan wanted, plan;
    bool asked[SNC_KNOBS], kept[SNC_KNOBS]; /* by the user; by him or by what is there */
    bool recalled;                          /* the plan is an earlier run's */
    snc_pace pace;
    double seconds[SNC_JOB_PARTS]; /* of the plan */
} snc_budget;

snc_err snc_budget_open(snc_budget *out, const snc_options *o) SNC_MUST_USE;
void snc_budget_recall(snc_budget *b, snc_options *o, const snc_folder *f);
/* Takes a few seconds. */
snc_err snc_budget_plan(snc_budget *b, const snc_ctx *ctx, const snc_ctx *work, snc_options *o, const snc_inputs *in,
                        const snc_eval_sets *scored, const snc_folder *there, const char *from) SNC_MUST_USE;
double snc_budget_all(const snc_budget *b); /* seconds of all parts, as planned */
/* Seconds by stage as an answer line, and another that says what is given up; plans ctx's meter. */
void snc_budget_say(const snc_budget *b, const snc_ctx *ctx, const snc_host *h);

/* Keeps the plan in run.json; nothing without a limit. */
snc_err snc_budget_note(const snc_budget *b, const snc_options *o, snc_folder *f) SNC_MUST_USE;

/* Parts from..to; those that are there take no time. */
void snc_budget_begin(const snc_budget *b, snc_ctx *ctx, snc_job_part from, snc_job_part to);
/* The moment by which they end, from now on; 0 without a limit. */
double snc_budget_until(const snc_budget *b, snc_job_part from, snc_job_part to);
/* all: what they took, or would have taken had they not been cut short; 0: nothing is learnt of it. What is left is planned again. */
snc_err snc_budget_end(snc_budget *b, snc_ctx *ctx, snc_options *o, snc_folder *f, snc_job_part from, snc_job_part to,
                       double all) SNC_MUST_USE;

/* {"effort","time_limit_s","took_s","gave_up":[{"option","asked","planned","why"}]}; without a limit the effort alone. */
cJSON *snc_budget_json(const snc_budget *b, const snc_options *o);

#endif
