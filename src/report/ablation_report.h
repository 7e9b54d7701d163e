/* report/ablation_report.h: what an ablation's cells come to: one table, a row a stage, task and variant, and its files.
 *
 *   report.json   the facts: ablation, equal, first, cells_done, cells_failed, rows (below), cells, and command, options, date, versions
 *   report.md     the table, and which cells failed and why
 *   report.csv    a row a cell and net: stage,task,seed,variant,net,share,macs,kl,score,kl_repaired,score_repaired, net "largest" and
 *                 "smallest" among them
 *
 * A row has the means over the seeds that finished, and against the first variant the difference over seeds that finished for both:
 * {"points":[value, low, high],"nets_se","seeds_se","unsaid"}, of "kl", "score" and "score_repaired" of the fixed nets. Its interval adds
 * two sources of variance as report/pooled.h does: nets, between the nets' mean differences (other nets of these budgets), and seeds,
 * between the seeds' (other rows, teachers and trainings); the rows of select are not in it. One seed's is that of its nets alone. With
 * several tasks a row "all" follows, whose variances are those of its tasks.
 */
#ifndef SNC_REPORT_ABLATION_REPORT_H
#define SNC_REPORT_ABLATION_REPORT_H

#include "candidate/ablation.h"

/* The record of a cell in a list; NULL: it has none. seed: number of the ablation's. */
cJSON *snc_ablation_record(const cJSON *cells, const snc_ablation *a, int stage, int task, int seed, int variant);
/* Which variants stage 1 has: the first, and the go_on best of those that finished stage 0 whole, by the mean over tasks and seeds of the
 * logarithm of the nets' mean KL. */
void snc_ablation_choose(bool goes_on[SNC_ABLATION_VARIANTS], const snc_ablation *a, const cJSON *cells);
cJSON *snc_ablation_facts(const snc_ablation *a, const cJSON *cells);
snc_err snc_ablation_report_write(const char *dir, const cJSON *facts) SNC_MUST_USE;
/* The table for people. */
void snc_ablation_report_say(const snc_host *h, const cJSON *facts);

#endif
