/* report/suite_others.h: what a suite's own jobs are set beside: other programs' answers, and other model files.
 *
 *   --predictions NAME=DIR,...   DIR/TASK.tsv (report/answers_file.h), TASK being the suite's name of it, the task's own, its folder's, or
 *                                FOLDER-m, which GLUE says for MNLI; a program may lack tasks, not all of them
 *   --models FILE,TASK=FILE,...  each belongs to the task that its metadata names, or that stands before it
 *
 * All of it is looked at, and answers are read, before any work; models are scored after it.
 */
#ifndef SNC_REPORT_SUITE_OTHERS_H
#define SNC_REPORT_SUITE_OTHERS_H

#include "report/suite_facts.h"

typedef struct snc_suite_others {
    snc_suite_other *v;
    size_t n, cap;
} snc_suite_others;

/* SNC_E_ARG, SNC_E_NOTFOUND, SNC_E_FORMAT: a list that is none, a folder without answers, answers that do not fit the rows. */
snc_err snc_suite_predictions(snc_suite_others *out, const snc_ctx *ctx, const snc_suite *s, const snc_suite_rows *rows,
                              const char *list) SNC_MUST_USE;
/* SNC_E_ARG: of no task of the suite, or of several; SNC_E_SHAPE: other classes than the task's. */
snc_err snc_suite_models(snc_suite_others *out, const snc_ctx *ctx, const snc_suite *s, const snc_suite_rows *rows,
                         const snc_options *o) SNC_MUST_USE;
/* Answers of a model on its task's dev rows; bytes; its latency in the workload of `job`, the options of a job of that task, in fresh
 * processes. */
snc_err snc_suite_score_model(snc_suite_other *x, const snc_ctx *ctx, const snc_options *job, const snc_host *h) SNC_MUST_USE;
void snc_suite_others_dispose(snc_suite_others *o);

#endif
