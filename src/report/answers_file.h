/* report/answers_file.h: what models answer to each row of dev, as a TSV: answers.tsv of a job, and other programs' answers in the form
 * in which they are handed in to GLUE.
 *
 *   index TAB label TAB compressed TAB full INT8 TAB teacher F32     a job's: the row from 0, what the data says, what each model says
 *   index TAB prediction                                             another program's; the line with the names may be missing
 *   prediction                                                       the same, a line a row, in the order of the rows
 *
 * A class goes by the name that people see, or as it stands in the data; a value is a number; of any number of labels those that are
 * there, parted as in the task. With an index rows stand in any order, each once; columns behind the second are passed over.
 */
#ifndef SNC_REPORT_ANSWERS_FILE_H
#define SNC_REPORT_ANSWERS_FILE_H

#include "data/dataset.h"

typedef struct snc_answer_column {
    const char *name;
    const float *logits; /* [d->n, K] */
} snc_answer_column;

/* dir/answers.tsv, all or nothing. */
snc_err snc_answers_write(const char *dir, const snc_task *task, const snc_dataset *d, int K, const snc_answer_column *columns,
                          int n) SNC_MUST_USE;

/* logits [d->n, K] that answer so: 1 for the class and 0 for others, 1 and -1 for labels, a value itself. column: its name in the first
 * line; NULL: another program's prediction. SNC_E_FORMAT: a line that is none, an unknown label, another number of rows. */
snc_err snc_answers_read(float *logits, const char *path, const char *column, const snc_task *task, const snc_dataset *d) SNC_MUST_USE;

#endif
