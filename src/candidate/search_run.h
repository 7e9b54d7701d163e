/* candidate/search_run.h: one search over an evaluator's space: first proposals, journal, loop. */
#ifndef SNC_CANDIDATE_SEARCH_RUN_H
#define SNC_CANDIDATE_SEARCH_RUN_H

#include "candidate/evaluator.h"
#include "candidate/target.h"

/* What a search is made of, beside what it evaluates with. Everything is borrowed. */
typedef struct snc_search_run {
    snc_evaluator *e;
    const snc_ctx *work; /* the workload's threads: what is measured is measured with them */
    const snc_options *o;
    const snc_targets *targets;
    double factor;        /* what nets near the latency limit take of what the table says; 1 without a limit */
    snc_limits limits;    /* absolute, what the search keeps to */
    char best_path[4096]; /* best-so-far, rewritten whenever it changes */
    double look_until;    /* the moment (snc_now) after which no more candidates are looked at on select; 0: none */
} snc_search_run;

/* Limits and factor of the targets, by the table's file; dir: where best.json goes. */
snc_err snc_search_run_init(snc_search_run *out, snc_evaluator *e, const snc_ctx *work, const snc_options *o, const snc_targets *targets,
                            const char *table, const char *dir) SNC_MUST_USE;

/* Space, searcher, warm start and repair of the options, before any work is done for them; dir: where the journal is. */
snc_err snc_search_run_check(const snc_options *o, const snc_inputs *in, const snc_model *m, const char *dir) SNC_MUST_USE;

typedef struct snc_evaluations {
    snc_obs *obs; /* every one of the journal, in the order they were made */
    int n;
    snc_run_report report;
} snc_evaluations;

/* Goes on with the journal when it is there. SNC_E_DIVERGED: no evaluation gave a number. */
snc_err snc_search_run_evaluate(snc_evaluations *out, const snc_search_run *r, const char *journal) SNC_MUST_USE;
void snc_evaluations_dispose(snc_evaluations *v);
/* What a whole job ended in, kept in its journal. */
snc_err snc_search_run_note_end(const snc_search_run *r, const char *journal, const cJSON *end) SNC_MUST_USE;

/* Microseconds of a config as it will be delivered. */
static inline double snc_search_run_predicted_us(const snc_search_run *r, const snc_obs *o) { return o->latency_us * r->factor; }

#endif
