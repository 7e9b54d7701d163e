/* The equations of the header, a function each; a table says how each part of a job is shared. */
#include "report/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/parse.h"

enum { ROUND = 5 };                                            /* candidates that a learning search asks for at a time */
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
    return fmax(s->optimiser / cores, here * s->traffic / s->memory);
}

double snc_scale_exchange(const snc_scale *s, int ranks)
{
    const int here = s->shared ? ranks : 1;
    const double sent = 2.0 * (ranks - 1) / ranks * s->bytes, sum = fmin(s->sum, s->memory / (MOVED * here));
    return sent * (1 / sum + 1 / s->network) + 2 * (ranks - 1) * s->latency;
}

/* What the rows of a batch take, of what they take one rank on the machine that was measured. */
static double rows_of(const snc_scale *s, double batch, int ranks, int cores)
{
    return (s->fixed + (1 - s->fixed) * ceil(batch / ranks) / batch) * snc_scale_cores(s, cores);
}

/* Of n steps that take `whole` seconds. */
static double trained(double *exchange, const snc_scale *s, double whole, double n, double batch, int ranks, int cores)
{
    *exchange = n * snc_scale_exchange(s, ranks);
    return fmax(whole - n * s->here, 0) * rows_of(s, batch, ranks, cores) + n * snc_scale_optimiser(s, ranks, cores) + *exchange;
}

double snc_scale_step(const snc_scale *s, const snc_pace *p, int ranks, int cores)
{
    double exchange;
    return trained(&exchange, s, p->step, 1, p->batch, ranks, cores);
}

/* ---- the job ----------------------------------------------------------------------------------------------------------- */

typedef enum sharing { ALONE, ROWS, CANDIDATES, STEPS } sharing;
static const sharing sharing_of[SNC_JOB_PARTS] = {
    [SNC_JOB_FINETUNE] = STEPS, [SNC_JOB_BASELINE] = STEPS,    [SNC_JOB_SUPERNET] = STEPS,  [SNC_JOB_REPAIR] = STEPS,
    [SNC_JOB_LOGITS] = ROWS,    [SNC_JOB_REFIT_LOGITS] = ROWS, [SNC_JOB_RULE] = ROWS,       [SNC_JOB_IMPORTANCE] = ROWS,
    [SNC_JOB_SCORES] = ROWS,    [SNC_JOB_SEARCH] = CANDIDATES, [SNC_JOB_LOOK] = ROWS,       [SNC_JOB_TABLE] = ALONE,
    [SNC_JOB_PROOF] = ALONE,    [SNC_JOB_CALIBRATION] = ALONE, [SNC_JOB_FINALISTS] = ALONE,
};

double snc_scale_seconds(double part[SNC_JOB_PARTS], double *exchange, const snc_scale *s, const snc_pace *p, const snc_plan *plan,
                         int ranks, int cores)
{
    double steps[SNC_JOB_PARTS], sum = 0, sent = 0, one;
    const double g = snc_scale_cores(s, cores);
    snc_plan_seconds(part, p, plan);
    snc_plan_steps(steps, p, plan);
    for (int i = 0; i < SNC_JOB_PARTS; i++) {
        const bool tuned = i == SNC_JOB_FINETUNE || i == SNC_JOB_BASELINE;
        switch (sharing_of[i]) {
        case ALONE: break;
        case ROWS: part[i] *= g / ranks; break;
        case CANDIDATES: part[i] *= g * ceil((double)ROUND / ranks) / ROUND; break;
        case STEPS:
            part[i] = trained(&one, s, part[i], steps[i], tuned ? p->batch : p->elastic, ranks, cores);
            sent += one;
            break;
        }
        sum += part[i];
    }
    if (exchange) *exchange = sent;
    return sum;
}
