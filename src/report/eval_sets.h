/* report/eval_sets.h: the labelled rows that files are scored on at the end: a split of the task or a file each, and all of them as one.
 *
 *     --eval dev,test2.tsv      dev alone where nothing is said
 *
 * All are read before the work begins: every row has a label that is known.
 */
#ifndef SNC_REPORT_EVAL_SETS_H
#define SNC_REPORT_EVAL_SETS_H

#include "artifact/inputs.h"

enum { SNC_EVAL_SETS = 8 };

typedef struct snc_eval_set {
    char *name; /* as --eval has it */
    const snc_dataset *rows;
    snc_dataset *own; /* rows, where they are not in->dev */
} snc_eval_set;

typedef struct snc_eval_sets {
    int n;
    snc_eval_set of[SNC_EVAL_SETS];
    snc_dataset all;  /* n, target and sets of the rows of each, one after the other, and nothing else; borrowed of a single one */
    const char *name; /* of all: "dev", the one's own, or "pooled" */
} snc_eval_sets;

/* in->dev is there. SNC_E_ARG: an empty name, one that stands twice, too many; SNC_E_NOTFOUND, SNC_E_FORMAT as snc_dataset_load. */
snc_err snc_eval_sets_open(snc_eval_sets *out, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in) SNC_MUST_USE;
/* All but dev, which a reading has already. */
snc_err snc_eval_sets_read(cJSON *reading, const snc_eval_sets *s, const snc_inputs *in) SNC_MUST_USE;
void snc_eval_sets_dispose(snc_eval_sets *s);
/* Where the rows of a set begin in all. */
int snc_eval_sets_begin(const snc_eval_sets *s, int set);

#endif
