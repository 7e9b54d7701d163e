/* candidate/protocol_runs.h: what the protocols of a study share (protocols.h): its parts, a search, numbers over repeats. */
#ifndef SNC_CANDIDATE_PROTOCOL_RUNS_H
#define SNC_CANDIDATE_PROTOCOL_RUNS_H

#include "candidate/alone.h"
#include "candidate/search_run.h"

enum { SNC_STUDY_SEEDS = 32 };

typedef struct snc_protocol_study {
    const snc_ctx *ctx;
    const snc_host *h;
    const snc_options *o;
    snc_evaluator e;
    snc_targets targets;
    snc_search_run run; /* what all searches share */
    snc_alone alone;
    double ref[2]; /* loss, us */
    cJSON *report;
} snc_protocol_study;

/* Over repeats. */
typedef struct snc_spread {
    double mean, error; /* standard error of the mean */
} snc_spread;
snc_spread snc_spread_of(const double *x, int n);

/* One search with a journal of its own, NAME-SEED.sqlite, by an evaluator; the evaluations come in the order they were made. limit_us 0:
 * none. */
snc_err snc_study_search(snc_evaluations *out, const snc_protocol_study *l, snc_evaluator *e, const char *name, const char *searcher,
                         int repeat, int evals, double limit_us) SNC_MUST_USE;
/* Microseconds that --target-latency asks for. */
double snc_study_limit(const snc_protocol_study *l);

#endif
