/* stage/report.h: the proof as files: report.json (everything), report.md (to paste), report.csv (a row a model), report.html
 * (with the search, see page.h). */
#ifndef SNC_STAGE_REPORT_H
#define SNC_STAGE_REPORT_H

#include "stage/pick.h"
#include "stage/proof.h"

typedef struct snc_verdict {
    bool latency, size, drop; /* holds, or was not asked */
    bool all;
    double full_us, full_bytes; /* what x means, measured */
} snc_verdict;

/* Latency by the upper 95% bound, size by the file's bytes, drop by the difference in dev points. */
snc_verdict snc_report_judge(const snc_proof *p, const snc_limits_asked *asked);

typedef struct snc_report_facts {
    const snc_options *o;
    const snc_inputs *in;
    const snc_limits_asked *asked;
    const snc_proof *proof;
    const cJSON *config;  /* the chosen arch and policy */
    const cJSON *stages;  /* seconds by stage, and what was reused */
    const cJSON *search;  /* evaluations, finalists */
    const cJSON *host;
    const char *repair;   /* one sentence */
} snc_report_facts;

/* Writes dir/report.{json,md,csv,html}; the last of front.json and the journal beside it. */
snc_err snc_report_write(const char *dir, const snc_report_facts *f, const snc_verdict *v) SNC_MUST_USE;
/* The table and the verdict for people, as answer lines. */
void    snc_report_say(const snc_host *h, const snc_report_facts *f, const snc_verdict *v);

#endif
