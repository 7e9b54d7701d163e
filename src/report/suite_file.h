/* report/suite_file.h: a suite: which tasks a compressor is put to, over how many seeds, and with which options.
 *
 *   {"name":"mine","seeds":3,"options":{"target-latency":"0.5x"},
 *    "tasks":["sst2",{"task":"custom","name":"tickets","data":"tickets","options":{"max-length":64}}]}
 *   {"name":"all","folders":"custom"}
 *
 *   key       default    meaning
 *   name      (needed)   for the report
 *   tasks     (needed)   names of shipped tasks, JSON files (from the suite's folder), or objects: "task", and
 *                          name      the task's     what the report and the folder of its jobs are called: letters, digits, '.', '_', '-'
 *                          data      ""             a folder in --data, whose files it has
 *                          options   {}             of its jobs alone, before those of the suite
 *   folders   (none)     in place of tasks: every folder in --data is one, of this task, or of the task.json that lies in it
 *   seeds     1          jobs a task; --seeds overrides it
 *   options   {}         of every job: names as on the command line, without the dashes; what the command line says holds before them
 *
 * Unknown keys, options and tasks are errors that name the file.
 */
#ifndef SNC_REPORT_SUITE_FILE_H
#define SNC_REPORT_SUITE_FILE_H

#include "base/json.h"
#include "base/place.h"

enum { SNC_SUITE_NAME = 64, SNC_SUITE_SEEDS = 32 };

typedef struct snc_suite_task {
    char name[SNC_SUITE_NAME], task[SNC_CONFIG_PATH], data[SNC_CONFIG_PATH]; /* as the report, --task and --data have it */
    const cJSON *options;                                                    /* of this task alone, or NULL */
} snc_suite_task;

typedef struct snc_suite {
    char path[SNC_CONFIG_PATH];
    cJSON *file;
    const char *name;
    int n, seeds;
    snc_suite_task *v; /* [n] */
    size_t cap;
} snc_suite;

/* o: input.models[0], rows.data and the suite's own. SNC_E_NOTFOUND, SNC_E_FORMAT, SNC_E_ARG. */
snc_err snc_suite_open(snc_suite *out, const snc_options *o) SNC_MUST_USE;
void snc_suite_close(snc_suite *s);
/* The i-th task's options of its job with the k-th seed, whose folder is `folder`; texts are borrowed from s, folder and o. */
snc_err snc_suite_job(snc_options *out, const snc_suite *s, int i, int k, const snc_options *o, const char *folder) SNC_MUST_USE;
/* OUT/TASK/seed-42 */
snc_err snc_suite_folder(char folder[SNC_CONFIG_PATH], const snc_suite *s, int i, int k, const snc_options *o) SNC_MUST_USE;

#endif
