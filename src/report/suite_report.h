/* report/suite_report.h: a suite's facts (suite_facts.h) as files and as answer lines.
 *
 *   report.json   the facts, with command, options, date and versions
 *   report.md     a row a task; what every model scores on every task; the jobs
 *   report.csv    a row a task and model, and the averages: task,model,kind,dev,seeds,score,score_sd,drop,drop_low,drop_high,rows_se,
 *                 seeds_se,teacher_drop,teacher_drop_low,teacher_drop_high,latency_us,ratio,bytes,seconds
 *   report.html   the tables of report.md as one page, light and dark
 */
#ifndef SNC_REPORT_SUITE_REPORT_H
#define SNC_REPORT_SUITE_REPORT_H

#include "base/json.h"

snc_err snc_suite_report_write(const char *dir, const cJSON *facts) SNC_MUST_USE;
/* The tables for people. */
void snc_suite_report_say(const snc_host *h, const cJSON *facts);

#endif
