/* report/report.h: the proof as files: report.json (everything), report.md (to paste), report.csv (a row a model, and one a set of rows
 * where several are scored), report.html (with the search, see html_report.h), answers.tsv (what each model says of each row that is
 * scored, see answers_file.h). */
#ifndef SNC_REPORT_REPORT_H
#define SNC_REPORT_REPORT_H

#include "candidate/evaluator.h"
#include "report/proof.h"

/* What the file has of each target, and whether every one that was asked for holds: a latency by the upper 95% bound, the size by
 * the file's bytes, multiply-adds by its arch, a drop by its upper bound at 95 %, one-sided, on the rows that are scored. */
typedef struct snc_verdict {
    snc_attained found[SNC_TARGETS];
    snc_attained net[SNC_LATENCIES]; /* the latency of each net of the file; [0] is found's */
    bool all;
} snc_verdict;

/* files: whose latencies those of the nets beside the first are. */
snc_verdict snc_report_judge(const snc_proof *p, const snc_targets *targets, const snc_proof_files *files);

typedef struct snc_report_facts {
    const snc_options *o;
    const snc_inputs *in;
    const snc_targets *targets;
    const snc_proof *proof;
    const snc_proof_files *files;
    const cJSON *config; /* the chosen arch and policy */
    const cJSON *stages; /* seconds by stage, and what was reused */
    const cJSON *search; /* evaluations, finalists */
    const cJSON *host;
    const cJSON *made;  /* command, options, date and versions: artifact/provenance.h; the plan: budget.h */
    const char *repair; /* one sentence */
    const cJSON *read;  /* what was read: reading.h */
} snc_report_facts;

/* Writes dir/report.{json,md,csv,html} and answers.tsv; the last of front.json and the journal beside it. */
snc_err snc_report_write(const char *dir, const snc_report_facts *f, const snc_verdict *v) SNC_MUST_USE;
/* The table and the verdict for people, as answer lines. */
void snc_report_say(const snc_host *h, const snc_report_facts *f, const snc_verdict *v);

#endif
