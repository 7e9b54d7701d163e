/* report/suite_facts.h: what a suite has found so far, as one JSON: of its jobs' reports and answers, and of others' answers.
 *
 *   suite pretrained seeds     which one, of what, with which seeds
 *   tasks                      {"name","task","metrics","dev" (rows),"jobs":[...],"seconds" (mean of a job),"models":[...]}
 *     jobs                     {"seed","state":"done"|"failed"|"open","targets_hold","seconds","error"}
 *     models                   of the jobs, by the names of their reports, then other programs, then files:
 *                              {"name","kind":"job"|"program"|"file","scores":[a seed],"score","score_sd","latency_us","bytes",
 *                              "ratio_to_full_int8" (means), and twice {"points":[value, low, high],"rows_se","seeds_se","unsaid"}:
 *                              "drop" under the full INT8 of the same seed, "drop_to_teacher" under the teacher}
 *   average                    of each model that has all tasks: {"name","score","drop","drop_to_teacher"}
 *   done failed open missed    numbers of jobs
 */
#ifndef SNC_REPORT_SUITE_FACTS_H
#define SNC_REPORT_SUITE_FACTS_H

#include "base/ctx.h"
#include "data/dataset.h"
#include "report/suite_file.h"

typedef struct snc_suite_rows {
    snc_task *task;
    snc_dataset *dev;
} snc_suite_rows;

typedef struct snc_suite_other {
    char name[SNC_CONFIG_PATH];
    bool file;     /* a model, which has latency and bytes; else answers alone */
    int task;      /* of the suite */
    float *logits; /* [dev->n, classes]; NULL: not there yet */
    double latency_us, bytes;
} snc_suite_other;

typedef struct snc_suite_state {
    const snc_options *o;
    const snc_ctx *ctx;
    const snc_suite *suite;
    const snc_suite_rows *rows;   /* [suite->n] */
    const snc_suite_other *other; /* [others] */
    int others;
    const cJSON *jobs; /* [{"task","seed","done","missed","seconds","error"}] */
} snc_suite_state;

#define SNC_SUITE_BASE    "full INT8" /* the models of a job's report that others are compared with */
#define SNC_SUITE_TEACHER "teacher F32"
#define SNC_SUITE_FILE    "compressed"

snc_err snc_suite_facts_new(cJSON **out, const snc_suite_state *s) SNC_MUST_USE;
/* The record of a job; NULL: it has none. */
cJSON *snc_suite_record(const cJSON *jobs, const char *task, double seed);

#endif
