/* Options in and out of a plan, the clock beside it, and what people are told. */
#include "report/budget.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/option.h"
#include "artifact/parse.h"
#include "artifact/say.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "report/estimate.h"
#include "report/proof.h"

enum { SAID = 512 };
static const double REPORT = 2;     /* seconds, after all parts */
static const double RESERVE = 1.08; /* jobs have taken up to a tenth more than their estimate; each stage that ends corrects the rest */

static const snc_option *row_of(snc_knob k) { return snc_option_row(snc_knob_option(k), SNC_VERB_COMPRESS); }

/* ---- plans and options -------------------------------------------------------------------------------------------------- */

static snc_plan plan_of(const snc_options *o)
{
    snc_plan p = {.v = {[SNC_KNOB_ROUNDS] = SNC_PROOF_ROUNDS}};
    for (int k = 0; k < SNC_KNOBS; k++)
        if (snc_knob_option(k)) p.v[k] = snc_option_number(o, row_of(k));
    return p;
}

static void apply(snc_options *o, const snc_plan *p)
{
    for (int k = 0; k < SNC_KNOBS; k++)
        if (snc_knob_option(k)) snc_option_set_number(o, row_of(k), p->v[k]);
}

static cJSON *plan_json(const snc_budget *b, const snc_options *o)
{
    cJSON *j = cJSON_CreateObject(), *wanted = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "time_limit_s", b->limit);
    cJSON_AddStringToObject(j, "effort", o->job.effort);
    for (int k = 0; k < SNC_KNOBS; k++) {
        if (!snc_knob_option(k)) continue;
        cJSON_AddNumberToObject(j, snc_knob_option(k), b->plan.v[k]);
        cJSON_AddNumberToObject(wanted, snc_knob_option(k), b->wanted.v[k]);
    }
    cJSON_AddItemToObject(j, "wanted", wanted);
    return j;
}

snc_err snc_budget_note(const snc_budget *b, const snc_options *o, snc_folder *f)
{
    return b->limit > 0 ? snc_folder_note_plan(f, plan_json(b, o)) : SNC_OK;
}

/* Of the same limit and effort: an earlier run of this command. */
static bool same_plan(const snc_budget *b, const snc_options *o, const cJSON *was)
{
    const char *effort = snc_json_text(was, "effort");
    return was && effort && strcmp(effort, o->job.effort) == 0 && snc_json_number(was, "time_limit_s") == b->limit;
}

snc_err snc_budget_open(snc_budget *out, const snc_options *o)
{
    *out = (snc_budget){.started = snc_now()};
    for (int k = 0; k < SNC_KNOBS; k++) out->asked[k] = out->kept[k] = snc_knob_option(k) && snc_option_given(o, row_of(k));
    if (o->job.time_limit) SNC_TRY(snc_parse_seconds(&out->limit, "--time-limit", o->job.time_limit));
    return SNC_OK;
}

/* What of the folder is there already, or begun, and depends on a knob: as it was then. */
static const cJSON *made_with(const snc_folder *f, snc_knob k, const cJSON *plan)
{
    static const char *const step[SNC_KNOBS] = {
        [SNC_KNOB_EPOCHS] = "teacher", [SNC_KNOB_SUPERNET] = "supernet", [SNC_KNOB_MADE] = "supernet"};
    if (k == SNC_KNOB_RANK) return snc_is_file(f->journal) ? snc_json_at(plan, snc_knob_option(k)) : NULL;
    return step[k] ? snc_folder_made_with(f, step[k], snc_knob_option(k)) : NULL;
}

void snc_budget_recall(snc_budget *b, snc_options *o, const snc_folder *f)
{
    const cJSON *was = snc_folder_plan(f);
    b->wanted = plan_of(o);
    if (b->limit <= 0) return;
    b->recalled = same_plan(b, o, was);
    for (int k = 0; k < SNC_KNOBS; k++) {
        const char *option = snc_knob_option(k);
        if (!option || b->asked[k]) continue;
        const cJSON *v = b->recalled ? snc_json_at(was, option) : made_with(f, (snc_knob)k, was),
                    *wanted = snc_json_at(snc_json_at(was, "wanted"), option);
        if (!cJSON_IsNumber(v)) continue;
        if (b->recalled && cJSON_IsNumber(wanted)) b->wanted.v[k] = wanted->valuedouble;
        b->kept[k] = !b->recalled;
        snc_option_set_number(o, row_of(k), v->valuedouble);
    }
}

/* ---- the first plan ------------------------------------------------------------------------------------------------------ */

static double sum(const double part[SNC_JOB_PARTS], snc_job_part from, snc_job_part to)
{
    double s = 0;
    for (int i = (int)from; i <= (int)to; i++) s += part[i];
    return s;
}

/* "--evals 400 and --epochs 10": what the user wants kept. */
static void say_asked(char buf[SAID], const snc_budget *b)
{
    size_t at = 0;
    buf[0] = 0;
    for (int k = 0; k < SNC_KNOBS && at < SAID; k++)
        if (b->asked[k]) at += (size_t)snprintf(buf + at, SAID - at, "%s%s %.12g", at ? ", " : " with ", snc_knob_option(k), b->plan.v[k]);
}

static snc_err too_little(const snc_budget *b, const snc_options *o, double past)
{
    char kept[SAID], all[SNC_CLOCK], tune[SNC_CLOCK], teach[SNC_CLOCK], find[SNC_CLOCK], rest[SNC_CLOCK];
    const double *s = b->seconds, whole = past + RESERVE * sum(s, 0, SNC_JOB_PARTS - 1),
                 t = RESERVE * sum(s, SNC_JOB_FINETUNE, SNC_JOB_BASELINE), l = RESERVE * sum(s, SNC_JOB_LOGITS, SNC_JOB_SUPERNET),
                 f = RESERVE * sum(s, SNC_JOB_SEARCH, SNC_JOB_LOOK);
    say_asked(kept, b);
    return snc_err_set(SNC_E_ARG, "--time-limit %.20s: this job%s takes at least %s here (teacher %s, supernet %s, search %s, the rest %s)",
                       o->job.time_limit, kept, snc_clock_words(all, ceil(whole)), snc_clock_words(tune, t), snc_clock_words(teach, l),
                       snc_clock_words(find, f), snc_clock_words(rest, whole - t - l - f));
}

/* A checkpoint is of the plan that it was begun with: another would begin it anew, whatever the clock says by now. */
static void keep_what_is_begun(snc_budget *b, const snc_folder *there)
{
    static const snc_item checkpoint[SNC_KNOBS] = {[SNC_KNOB_EPOCHS] = SNC_ITEM_TEACHER_CHECKPOINT,
                                                   [SNC_KNOB_SUPERNET] = SNC_ITEM_SUPERNET_CHECKPOINT,
                                                   [SNC_KNOB_MADE] = SNC_ITEM_SUPERNET_CHECKPOINT,
                                                   [SNC_KNOB_RANK] = SNC_ITEM_JOURNAL};
    for (int k = 0; k < SNC_KNOBS; k++)
        if (checkpoint[k] && there->item[checkpoint[k]].state == SNC_CURRENT) b->kept[k] = true;
}

snc_err snc_budget_plan(snc_budget *b, const snc_ctx *ctx, const snc_ctx *work, snc_options *o, const snc_inputs *in,
                        const snc_eval_sets *scored, const snc_folder *there, const char *from)
{
    SNC_TRY(snc_estimate_pace(&b->pace, ctx, work, o, in, scored, there, from));
    b->plan = plan_of(o);
    keep_what_is_begun(b, there);
    const double past = snc_now() - b->started;
    const bool fits = b->limit <= 0 || b->recalled || snc_plan_fit(&b->plan, &b->pace, b->kept, (b->limit - past) / RESERVE);
    snc_plan_seconds(b->seconds, &b->pace, &b->plan);
    if (!fits) return too_little(b, o, past);
    apply(o, &b->plan);
    return SNC_OK;
}

double snc_budget_all(const snc_budget *b) { return sum(b->seconds, 0, SNC_JOB_PARTS - 1); }

void snc_budget_say(const snc_budget *b, const snc_ctx *ctx, const snc_host *h)
{
    char said[SAID], clock[SNC_CLOCK];
    const double *s = b->seconds, tune = sum(s, SNC_JOB_FINETUNE, SNC_JOB_BASELINE), teach = sum(s, SNC_JOB_LOGITS, SNC_JOB_SUPERNET),
                 find = sum(s, SNC_JOB_SEARCH, SNC_JOB_LOOK), all = snc_budget_all(b);
    for (int i = 0; i < SNC_JOB_PARTS; i++)
        if (ctx->meter) snc_meter_plan(ctx->meter, snc_job_part_name(i), s[i]);
    snc_say(h, "estimate: finetune %.0f s, supernet %.0f s, search %.0f s, the rest %.0f s; %.1f minutes in all", tune, teach, find,
            all - tune - teach - find, all / 60);
    if (b->limit <= 0) return;
    snc_plan_words(said, sizeof said, &b->wanted, &b->plan);
    snc_say(h, "to end in %s%s: %s", snc_clock_words(clock, b->limit), b->recalled ? ", as planned before" : "",
            *said ? said : "nothing has to be given up");
}

/* ---- on the way ------------------------------------------------------------------------------------------------------------ */

/* Parts share what time is left as they share the work that is left; nothing is cut below what is planned, be it late. */
double snc_budget_until(const snc_budget *b, snc_job_part from, snc_job_part to)
{
    const double now = snc_now(), left = b->limit - REPORT - (now - b->started), all = snc_budget_all(b);
    if (b->limit <= 0) return 0;
    return now + sum(b->seconds, from, to) * (all > 0 ? fmax(1, left / all) : 1);
}

void snc_budget_begin(const snc_budget *b, snc_ctx *ctx, snc_job_part from, snc_job_part to) { ctx->until = snc_budget_until(b, from, to); }

/* How much slower than planned trains on: the machine has other work, or the estimate was wrong. */
static void learn(snc_budget *b, snc_job_part from, snc_job_part to, double all)
{
    const double planned = sum(b->seconds, from, to);
    if (to > SNC_JOB_SUPERNET || from < SNC_JOB_FINETUNE || !(all > 0) || !(planned > 0)) return;
    b->pace.step *= fmin(fmax(all / planned, 0.5), 5);
}

snc_err snc_budget_end(snc_budget *b, snc_ctx *ctx, snc_options *o, snc_folder *f, snc_job_part from, snc_job_part to, double all)
{
    char said[SAID], left[SNC_CLOCK];
    const snc_plan before = b->plan;
    ctx->until = 0;
    learn(b, from, to, all);
    for (int i = (int)from; i <= (int)to; i++) b->pace.done[i] = true;
    if (b->limit <= 0) return SNC_OK;
    const double rest = b->limit - (snc_now() - b->started);
    if (!b->recalled) snc_plan_restore(&b->plan, &b->wanted, &b->pace, b->kept);
    const bool fits = snc_plan_fit(&b->plan, &b->pace, b->kept, rest / RESERVE);
    const double takes = snc_plan_seconds(b->seconds, &b->pace, &b->plan);
    if (!fits && takes > rest)
        snc_log(ctx, SNC_LOG_WARN, "--time-limit %s: late: the least that is left takes %.0f s more than there is", o->job.time_limit,
                takes - rest);
    snc_plan_words(said, sizeof said, &before, &b->plan);
    if (*said) snc_log(ctx, SNC_LOG_INFO, "time: %s left: %s", snc_clock_words(left, rest), said);
    apply(o, &b->plan);
    return snc_budget_note(b, o, f);
}

/* ---- the report ------------------------------------------------------------------------------------------------------------- */

cJSON *snc_budget_json(const snc_budget *b, const snc_options *o)
{
    cJSON *j = cJSON_CreateObject(), *list;
    cJSON_AddStringToObject(j, "effort", o->job.effort);
    if (b->limit <= 0) return j;
    cJSON_AddNumberToObject(j, "time_limit_s", b->limit);
    cJSON_AddNumberToObject(j, "took_s", round(10 * (snc_now() - b->started)) / 10);
    list = cJSON_AddArrayToObject(j, "gave_up");
    for (int k = 0; k < SNC_KNOBS; k++) {
        if (b->plan.v[k] == b->wanted.v[k]) continue;
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(list, one);
        cJSON_AddStringToObject(one, "option", snc_knob_option(k) ? snc_knob_option(k) : "rounds of proof");
        cJSON_AddNumberToObject(one, "asked", b->wanted.v[k]);
        cJSON_AddNumberToObject(one, "planned", b->plan.v[k]);
        cJSON_AddStringToObject(one, "why", snc_knob_why(k));
    }
    return j;
}
