/* data/task.h: what a task is: a JSON file that says where text, label and splits stand, and how it is scored.
 *
 *   {"name":"mrpc","folder":"MRPC","format":"tsv","header":true,"files":{"train":"train.tsv","dev":"dev.tsv","test":"test.tsv"},
 *    "text_a":"#1 String","text_b":"#2 String","label":"Quality","labels":["0","1"],"label_names":["not_equivalent","equivalent"],
 *    "metrics":["f1","accuracy"],"max_length":128}
 *
 * A column is a name (header: true) or an index from 0; a list is tried in order, -1 is the last column. `files` values may be lists (the first that exists).
 * `labels` are the strings in the file, k-th = class k; `label_names` (default: labels) are what people see. Regression:
 * "type":"regression" and no labels. format: tsv (no quoting) or jsonl (columns are keys). Unknown keys are errors.
 */
#ifndef SNC_DATA_TASK_H
#define SNC_DATA_TASK_H

#include <stdbool.h>

#include "base/ctx.h"

typedef struct snc_task snc_task;

/* `name_or_path`: a shipped task ("sst2") found in the configs/tasks folders, or a JSON file. */
snc_err snc_task_open(snc_task **out, const char *name_or_path) SNC_MUST_USE;
void    snc_task_close(snc_task *t);
const char *snc_task_name(const snc_task *t);
bool        snc_task_regression(const snc_task *t);
int         snc_task_classes(const snc_task *t);              /* 1 for regression */
const char *snc_task_label(const snc_task *t, int k);         /* the name people see */
int         snc_task_max_length(const snc_task *t);           /* 128 unless the file says so */
bool        snc_task_pair(const snc_task *t);
int         snc_task_metrics(const snc_task *t);              /* number of metrics; their mean is the score */
const char *snc_task_metric(const snc_task *t, int i);        /* "accuracy" "f1" "matthews" "pearson" "spearman" */
uint64_t    snc_task_hash(const snc_task *t);                 /* of the effective JSON */

#endif
