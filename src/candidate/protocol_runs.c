/* A search by the study's options, under a name and a seed. */
#include "candidate/protocol_runs.h"

#include <stdio.h>

#include "base/fmap.h"
#include "base/stats.h"

enum { NAME = 512 };

snc_spread snc_spread_of(const double *x, int n) { return (snc_spread){snc_mean(x, n), snc_standard_error(x, n)}; }

snc_err snc_study_search(snc_evaluations *out, const snc_protocol_study *l, snc_evaluator *e, const char *name, const char *searcher,
                         int repeat, int evals, double limit_us)
{
    char file[NAME], path[4096];
    snc_options o = *l->o;
    snc_search_run run = l->run;
    o.job.seed += repeat;
    o.search.searcher = searcher;
    o.search.evals = evals;
    o.search.objectives = o.search.warm_start = o.search.time_budget = NULL;
    run.e = e;
    run.o = &o;
    run.limits = (snc_limits){.latency_us = limit_us};
    SNC_CHECK(snprintf(file, sizeof file, "%s-%d.sqlite", name, (int)o.job.seed) < NAME, SNC_E_ARG, "name too long: %.80s...", name);
    SNC_TRY(snc_path_join(path, sizeof path, l->o->output.path, file));
    *out = (snc_evaluations){0};
    return snc_search_run_evaluate(out, &run, path);
}

double snc_study_limit(const snc_protocol_study *l)
{
    return snc_target_value(&l->targets.of[SNC_TARGET_LATENCY], l->e.full[SNC_COST_LATENCY]);
}
