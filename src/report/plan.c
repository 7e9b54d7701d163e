/* Parts are linear in what a plan says; a ladder is walked down until their sum fits. */
#include "report/plan.h"

#include <math.h>
#include <stdio.h>

#include "artifact/distillation.h"
#include "candidate/finalists.h"
#include "report/proof.h"

/* ---- what things take ------------------------------------------------------------------------------------------------- */

const char *snc_job_part_name(snc_job_part p)
{
    static const char *const names[SNC_JOB_PARTS] = {"latency table", "calibration",  "finetune", "baseline", "teacher logits",
                                                     "importance",    "depth rule",   "supernet", "search",   "second look",
                                                     "finalists",     "refit logits", "repair",   "scores",   "proof"};
    return names[p];
}

/* Nets on the clock beside each other, each for `seconds` a round or a few calls. */
static double clocked(const snc_pace *p, double nets, double rounds, double seconds, double calls)
{
    return nets * p->pack + nets * rounds * fmax(seconds, calls * p->call);
}

static const double FULL = 10; /* times INT8: what F32 takes, at most */

static double full(const snc_pace *p) { return p->full > 0 ? fmin(p->full, FULL) : FULL; }

/* Each process starts and packs for itself; the teacher runs in F32. */
static double proof(const snc_pace *p, double rounds)
{
    double one = 0.3 + p->pack + fmax(0.5, 5 * p->call), teacher = 0.3 + p->pack + fmax(0.5, 5 * full(p) * p->call);
    return (2 + p->faster) * rounds * one + SNC_PROOF_TEACHER_ROUNDS * teacher;
}

/* Training of all nets of the file, in that of the first: the others are smaller, by how much is not known yet. */
static double refits(const snc_pace *p) { return (1 + 0.6 * p->faster) * (p->both ? 2 : 1); }

/* The teacher's answers by forward passes alone, and those of each finalist. */
double snc_plan_fresh(const snc_pace *p, const snc_plan *plan)
{
    const double tokens = 1.3 * SNC_FRESH * plan->v[SNC_KNOB_RANK] * p->rank, batch = p->tokens / p->rows * p->batch;
    return tokens * ((SNC_FINALISTS + 1) * p->token + SNC_FORWARD * p->step / batch);
}

/* At one net of the space, on rank. */
snc_look snc_plan_look(const snc_pace *p, const snc_plan *plan)
{
    return (snc_look){0.03, 0.75 * plan->v[SNC_KNOB_RANK] * p->rank * p->token, p->mixed ? 0.75 * p->pack : 0};
}

double snc_plan_seconds(double part[SNC_JOB_PARTS], const snc_pace *p, const snc_plan *plan)
{
    const double *v = plan->v, epoch = p->rows / p->batch * p->step, whole = p->all / p->batch * p->step;
    /* made rows are longer */
    double distilled = (1 + 1.3 * snc_distillation_made(v[SNC_KNOB_MADE], (int)p->rows)) * epoch, sum = 0;
    double refit = (1 + 1.3 * snc_distillation_made(v[SNC_KNOB_MADE], (int)p->all)) * whole;
    const snc_look look = snc_plan_look(p, plan);
    double search = (look.own + look.rows + look.pack) * v[SNC_KNOB_EVALS];
    const double hosts = fmax(1, p->hosts);
    bool repairs = p->repairs && v[SNC_KNOB_REPAIR] > 0;
    if (p->search > 0 && search > p->search) search = p->search;
    search *= 1 + p->faster;
    const double seconds[SNC_JOB_PARTS] = {
        [SNC_JOB_TABLE] = hosts * (4 + 2 * p->pack + fmax(3, 500 * p->call)),
        [SNC_JOB_CALIBRATION] = hosts * clocked(p, 8, 5, 0.3, 4),
        [SNC_JOB_FINETUNE] = v[SNC_KNOB_EPOCHS] * p->taught / p->batch * p->step,
        [SNC_JOB_BASELINE] = p->baselines * v[SNC_KNOB_EPOCHS] * whole,
        [SNC_JOB_LOGITS] = 0.25 * distilled * fmin(1, v[SNC_KNOB_SUPERNET]),
        [SNC_JOB_IMPORTANCE] = p->importance / p->batch * p->step,
        [SNC_JOB_RULE] = SNC_FORWARD * p->rule / (p->tokens / p->rows * p->batch) * p->step,
        [SNC_JOB_SUPERNET] = v[SNC_KNOB_SUPERNET] * distilled * p->nets,
        [SNC_JOB_SEARCH] = search,
        [SNC_JOB_LOOK] = 0.6 * search, /* at what rank cannot tell from its lowest */
        [SNC_JOB_FINALISTS] = (1 + p->faster) * hosts * clocked(p, SNC_FINALISTS + 1, 5, 0.3, 4) + snc_plan_fresh(p, plan),
        [SNC_JOB_REFIT_LOGITS] = repairs ? p->teachers * 0.25 * refit * fmin(1, v[SNC_KNOB_REPAIR]) : 0,
        [SNC_JOB_REPAIR] = repairs ? v[SNC_KNOB_REPAIR] * 0.85 * refit * refits(p) : 0,
        [SNC_JOB_SCORES] = 2 + p->scored * p->token * (2 + p->faster + full(p)),
        [SNC_JOB_PROOF] = hosts * proof(p, v[SNC_KNOB_ROUNDS]),
    };
    for (int i = 0; i < SNC_JOB_PARTS; i++) sum += part[i] = p->done[i] ? 0 : seconds[i];
    return sum;
}

void snc_plan_steps(double steps[SNC_JOB_PARTS], const snc_pace *p, const snc_plan *plan)
{
    const double *v = plan->v;
    const double made = 1 + snc_distillation_made(v[SNC_KNOB_MADE], (int)p->rows),
                 refit = 1 + snc_distillation_made(v[SNC_KNOB_MADE], (int)p->all);
    const double made_of[SNC_JOB_PARTS] = {
        [SNC_JOB_FINETUNE] = v[SNC_KNOB_EPOCHS] * p->taught / p->batch,
        [SNC_JOB_BASELINE] = p->baselines * v[SNC_KNOB_EPOCHS] * p->all / p->batch,
        [SNC_JOB_SUPERNET] = v[SNC_KNOB_SUPERNET] * made * p->rows / p->elastic,
        [SNC_JOB_REPAIR] = p->repairs ? v[SNC_KNOB_REPAIR] * refit * p->all / p->elastic * (1 + p->faster) * (p->both ? 2 : 1) : 0,
    };
    for (int i = 0; i < SNC_JOB_PARTS; i++) steps[i] = p->done[i] ? 0 : made_of[i];
}

/* ---- what to give up --------------------------------------------------------------------------------------------------- */

typedef struct rung {
    snc_knob knob;
    double to;
} rung;
static const rung ladder[] = {
    {SNC_KNOB_EVALS, 400},  {SNC_KNOB_SUPERNET, 1},   {SNC_KNOB_MADE, 3},        {SNC_KNOB_EPOCHS, 3},  {SNC_KNOB_REPAIR, 1},
    {SNC_KNOB_EVALS, 200},  {SNC_KNOB_SUPERNET, 0.5}, {SNC_KNOB_MADE, 1},        {SNC_KNOB_EPOCHS, 2},  {SNC_KNOB_ROUNDS, 9},
    {SNC_KNOB_REPAIR, 0.5}, {SNC_KNOB_EVALS, 100},    {SNC_KNOB_SUPERNET, 0.25}, {SNC_KNOB_EPOCHS, 1},  {SNC_KNOB_REPAIR, 0.25},
    {SNC_KNOB_RANK, 0.5},   {SNC_KNOB_MADE, 0},       {SNC_KNOB_EVALS, 50},      {SNC_KNOB_RANK, 0.25}, {SNC_KNOB_REPAIR, 0},
    {SNC_KNOB_EPOCHS, 0},   {SNC_KNOB_SUPERNET, 0},
};
static const double first[SNC_KNOBS] = {[SNC_KNOB_EPOCHS] = 3,  [SNC_KNOB_SUPERNET] = 1, [SNC_KNOB_MADE] = 3,
                                        [SNC_KNOB_EVALS] = 400, [SNC_KNOB_REPAIR] = 1,   [SNC_KNOB_ROUNDS] = SNC_PROOF_ROUNDS,
                                        [SNC_KNOB_RANK] = 1};
enum {
    RUNGS = sizeof ladder / sizeof ladder[0],
    PIECES = 10 /* of a rung */,
    LEAST = 100, /* steps of training that are worth calling so */
    ROWS = 200   /* the same of rows to compare on */
};

/* What a knob never goes below, as long as more was wanted. */
static double least(const snc_pace *p, const snc_plan *plan, snc_knob k)
{
    const double steps = ceil(1000 * LEAST * p->batch / p->rows) / 1000, *v = plan->v;
    switch (k) {
    case SNC_KNOB_EPOCHS: return steps;
    case SNC_KNOB_SUPERNET: return ceil(1000 * steps / (1 + snc_distillation_made(v[SNC_KNOB_MADE], (int)p->rows))) / 1000;
    case SNC_KNOB_MADE: return fmax(steps / v[SNC_KNOB_SUPERNET] - 1, 0);
    case SNC_KNOB_REPAIR: return p->must ? steps : 0;
    case SNC_KNOB_ROUNDS: return SNC_PROOF_LEAST_ROUNDS;
    case SNC_KNOB_RANK: return fmin(ceil(1000 * ROWS / p->ranked) / 1000, 1);
    default: return 0;
    }
}

/* Changing it would save nothing, or take along what is there. */
static bool settled(const snc_pace *p, snc_knob k)
{
    static const snc_job_part of[SNC_KNOBS] = {SNC_JOB_FINETUNE, SNC_JOB_SUPERNET, SNC_JOB_SUPERNET, SNC_JOB_SEARCH,
                                               SNC_JOB_REPAIR,   SNC_JOB_PROOF,    SNC_JOB_SEARCH};
    return p->done[of[k]];
}

static double tidy(snc_knob k, double v) { return k == SNC_KNOB_EVALS || k == SNC_KNOB_ROUNDS ? ceil(v - 1e-9) : round(1000 * v) / 1000; }

bool snc_plan_fit(snc_plan *plan, const snc_pace *p, const bool kept[SNC_KNOBS], double seconds)
{
    double part[SNC_JOB_PARTS];
    if (snc_plan_seconds(part, p, plan) <= seconds) return true;
    for (int r = 0; r < RUNGS; r++) {
        const snc_knob k = ladder[r].knob;
        const double from = plan->v[k], to = fmax(ladder[r].to * fmax(1, p->need[k] / first[k]), least(p, plan, k));
        if (kept[k] || settled(p, k) || from <= to) continue;
        for (int i = 1; i <= PIECES; i++) {
            plan->v[k] = tidy(k, from + (to - from) * i / PIECES);
            if (snc_plan_seconds(part, p, plan) <= seconds) return true;
        }
    }
    return false;
}

void snc_plan_restore(snc_plan *plan, const snc_plan *wanted, const snc_pace *p, const bool kept[SNC_KNOBS])
{
    for (int k = 0; k < SNC_KNOBS; k++)
        if (!kept[k] && !settled(p, (snc_knob)k)) plan->v[k] = wanted->v[k];
}

/* ---- words ------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *option, *noun, *why;
} words[SNC_KNOBS] = {
    [SNC_KNOB_EPOCHS] = {"--epochs", "epochs of fine-tuning",
                         "the later epochs change the least; the baseline has as few, so drops against it may be larger after all"},
    [SNC_KNOB_SUPERNET] = {"--supernet-epochs", "supernet epochs", "repair trains the chosen net again, alone"},
    [SNC_KNOB_MADE] = {"--augment", "made rows for each row", "the first made row is worth more than those after it"},
    [SNC_KNOB_EVALS] = {"--evals", "evaluations", "the later evaluations find the least"},
    [SNC_KNOB_REPAIR] = {"--repair-epochs", "repair epochs", "its first steps gain the most"},
    [SNC_KNOB_ROUNDS] = {NULL, "rounds of proof", "fewer give a wider interval"},
    [SNC_KNOB_RANK] = {"--rank-share", "of the rows of rank", "finalists are judged again, on rows that no search has seen"},
};

const char *snc_knob_option(snc_knob k) { return words[k].option; }
const char *snc_knob_why(snc_knob k) { return words[k].why; }

void snc_plan_words(char *buf, size_t size, const snc_plan *wanted, const snc_plan *plan)
{
    size_t at = 0;
    buf[0] = 0;
    for (int k = 0; k < SNC_KNOBS && at < size; k++)
        if (plan->v[k] != wanted->v[k])
            at += (size_t)snprintf(buf + at, size - at, "%s%.12g %s instead of %.12g", at ? ", " : "", plan->v[k], words[k].noun,
                                   wanted->v[k]);
}

const char *snc_clock_words(char buf[SNC_CLOCK], double seconds)
{
    long s = lround(fmax(seconds, 0));
    if (s < 60) snprintf(buf, SNC_CLOCK, "%lds", s);
    else if (s < 3600 && s % 60 == 0) snprintf(buf, SNC_CLOCK, "%ldm", s / 60);
    else if (s < 3600) snprintf(buf, SNC_CLOCK, "%ldm%02lds", s / 60, s % 60);
    else if (s % 3600 < 60) snprintf(buf, SNC_CLOCK, "%ldh", s / 3600);
    else snprintf(buf, SNC_CLOCK, "%ldh%02ldm", s / 3600, s % 3600 / 60);
    return buf;
}
