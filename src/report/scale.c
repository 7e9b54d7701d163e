/* The equations of the header, a function each; a table says how each part of a job is shared. */
#include "report/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/distillation.h"
#include "artifact/parse.h"
#include "candidate/depth_rule.h"
#include "candidate/evaluator.h"
#include "train/importance.h"
#include "train/sweep.h"

enum { ROUND = 5 };                                            /* nets that a search which learns asks for at a time */
static const double MOVED = 2.5;                               /* bytes of memory for one that is exchanged: copied (2) or added (3) */
static const double NETWORK_US = 50, SHARED_US = 2, US = 1e-6; /* of a message, where nobody says */

/* ---- the network ------------------------------------------------------------------------------------------------------- */

snc_err snc_scale_network(snc_scale *out, const char *text)
{
    static const snc_unit units[] = {{"gbit", 1e9 / 8, false}, {"mbit", 1e6 / 8, false}, {NULL, 0, false}};
    static const char expected[] = "shared, or a rate and a latency such as 10gbit or 25gbit/20us";
    char rate[40];
    bool relative;
    const size_t n = strcspn(text, "/");
    SNC_CHECK(n < sizeof rate, SNC_E_ARG, "--network '%.40s': expected %s", text, expected);
    snprintf(rate, sizeof rate, "%.*s", (int)n, text);
    out->shared = strcmp(rate, "shared") == 0;
    out->network = INFINITY;
    if (!out->shared) SNC_TRY(snc_parse_unit(&out->network, &relative, "--network", rate, units, expected));
    double us = out->shared ? SHARED_US : NETWORK_US;
    if (text[n]) SNC_TRY(snc_parse_us(&us, "--network", text + n + 1));
    out->latency = us * US;
    return SNC_OK;
}

/* ---- a step ------------------------------------------------------------------------------------------------------------ */

static double amdahl(const snc_scale *s, int cores) { return s->serial + (1 - s->serial) / cores; }

double snc_scale_cores(const snc_scale *s, int cores) { return amdahl(s, cores) / amdahl(s, s->cores); }

double snc_scale_optimiser(const snc_scale *s, int ranks, int cores)
{
    const int here = s->shared ? ranks : 1;
    return fmax(s->optimiser / cores, here * s->traffic / s->memory) / ranks;
}

double snc_scale_bytes(const snc_scale *s) { return s->layers * s->layer + s->others + 2 * s->rows + s->weights; }

double snc_scale_exchange(const snc_scale *s, int ranks, double backward)
{
    const int here = s->shared ? ranks : 1;
    const double part = (ranks - 1.0) / ranks, sum = fmin(s->sum, s->memory / (MOVED * here)), turn = (ranks - 1) * s->latency;
    const double layer = part * s->layer / s->network + turn, late = fmax(layer - backward / s->layers, 0);
    const double behind = part * (s->others + 2 * s->rows + s->weights) / s->network + s->turns * turn;
    return part * snc_scale_bytes(s) / sum + layer + (s->layers - 1) * late + behind;
}

/* What the rows of a batch take, of what they take one rank on the machine that was measured. */
static double rows_of(const snc_scale *s, double batch, int ranks, int cores)
{
    return (s->fixed + (1 - s->fixed) * ceil(batch / ranks) / batch) * snc_scale_cores(s, cores);
}

/* Of n steps that take `whole` seconds; last: of a step's rows, what those of its last net take. */
static double trained(double *exchange, const snc_scale *s, double whole, double n, double batch, double last, int ranks, int cores)
{
    const double rows = fmax(whole - n * s->here, 0) * rows_of(s, batch, ranks, cores);
    *exchange = n * snc_scale_exchange(s, ranks, (1 - SNC_FORWARD) * last * rows / n);
    return rows + n * snc_scale_optimiser(s, ranks, cores) + *exchange;
}

double snc_scale_step(const snc_scale *s, const snc_pace *p, int ranks, int cores)
{
    double exchange;
    return trained(&exchange, s, p->step, 1, p->batch, 1, ranks, cores);
}

/* ---- what is asked --------------------------------------------------------------------------------------------------------- */

static double batches(double rows, int of) { return fmax(ceil(rows / of), 1); }

/* Of so many pieces, what one rank has at most. */
static double share(double pieces, int ranks) { return ceil(pieces / ranks) / pieces; }

/* The smallest parts that a net's answers on so many rows are handed out in. */
static double parts_of_net(double rows)
{
    const double n = batches(rows, SNC_EVALUATOR_BATCH);
    return ceil(n / snc_shared_least((int)n));
}

/* Seconds of one of `nets` that are asked at once: rows by parts, packing by nets. */
static double asked(const snc_look *l, double rows, int nets, int ranks, double g)
{
    return g * (l->rows * share(nets * parts_of_net(rows), ranks) + l->pack * share(nets, ranks));
}

/* Of a teacher, on a part of rows and what was made of them. */
static double swept(double rows, double made, double epochs)
{
    const double all = rows * (1 + snc_distillation_made(made, (int)rows));
    return all < SNC_SWEEP_SHARED ? 1 : batches(all * fmin(1, epochs), SNC_SWEEP_BATCH);
}

/* ---- the job ----------------------------------------------------------------------------------------------------------- */

/* How many pieces the rows of a part are shared in; 0: it is shared in another way, or not at all. */
static double pieces(snc_job_part i, const snc_pace *p, const snc_plan *plan)
{
    const snc_importance_opts io = SNC_IMPORTANCE_OPTS_INIT;
    const double *v = plan->v;
    switch (i) {
    case SNC_JOB_LOGITS: return swept(p->rows, v[SNC_KNOB_MADE], v[SNC_KNOB_SUPERNET]);
    case SNC_JOB_REFIT_LOGITS: return swept(p->all, v[SNC_KNOB_MADE], v[SNC_KNOB_REPAIR]);
    case SNC_JOB_IMPORTANCE: return batches(p->importance, io.batch_size);
    case SNC_JOB_RULE: return p->rule_rows < SNC_SWEEP_SHARED ? 1 : batches(p->rule_rows, SNC_RULE_BATCH);
    case SNC_JOB_SCORES: return 1;
    default: return 0;
    }
}

static double searched(const snc_pace *p, const snc_plan *plan, const snc_look *l, double rows, int ranks, double g)
{
    const double all = plan->v[SNC_KNOB_EVALS] * (l->own + asked(l, rows, ROUND, ranks, g));
    return (1 + p->faster) * (p->search > 0 ? fmin(all, p->search) : all);
}

double snc_scale_seconds(double part[SNC_JOB_PARTS], double *exchange, const snc_scale *s, const snc_pace *p, const snc_plan *plan,
                         int ranks, int cores)
{
    double steps[SNC_JOB_PARTS], sum = 0, sent = 0, one;
    const double g = snc_scale_cores(s, cores), rows = plan->v[SNC_KNOB_RANK] * p->ranked, fresh = snc_plan_fresh(p, plan);
    const double last[SNC_JOB_PARTS] = {
        [SNC_JOB_FINETUNE] = 1, [SNC_JOB_BASELINE] = 1, [SNC_JOB_SUPERNET] = p->last, [SNC_JOB_REPAIR] = 1 / (1 + p->faster)};
    const snc_look look = snc_plan_look(p, plan);
    snc_plan_seconds(part, p, plan);
    snc_plan_steps(steps, p, plan);
    for (snc_job_part i = 0; i < SNC_JOB_PARTS; i++) {
        const double n = pieces(i, p, plan);
        if (part[i] <= 0) continue;
        if (n > 0) part[i] *= g * share(n, ranks);
        else if (i == SNC_JOB_SEARCH) part[i] = searched(p, plan, &look, rows, ranks, g);
        else if (i == SNC_JOB_LOOK) part[i] *= asked(&look, rows, 1, ranks, g) / asked(&look, rows, 1, 1, 1);
        else if (i == SNC_JOB_FINALISTS) part[i] += fresh * (g * share(parts_of_net((SNC_FRESH - 1) * rows), ranks) - 1);
        else if (steps[i] > 0) {
            const bool tuned = i == SNC_JOB_FINETUNE || i == SNC_JOB_BASELINE;
            part[i] = trained(&one, s, part[i], steps[i], tuned ? p->batch : p->elastic, last[i], ranks, cores);
            sent += one;
        }
        sum += part[i];
    }
    if (exchange) *exchange = sent;
    return sum;
}
