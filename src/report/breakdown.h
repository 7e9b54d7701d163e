/* report/breakdown.h: what a mean score hides: what each class got, which was taken for which, and what one answer to every row scores.
 *
 *   majority       the rows' own commonest label, answered to every row: a model that scores no more has learnt nothing
 *   class          precision, recall and F1 of each, as in scikit-learn (0 where there is nothing to divide by)
 *   matrix         [K, K] rows with label i that were answered j
 *   only           the one answer that the model gives to every row
 *
 * Of a multilabel task classes are labels, an answer is a set of them ("none" where it is empty), and there is no matrix: what was
 * taken for what is in rows, answered and right. A regression has none of it: K is 0 then, and every call does nothing.
 */
#ifndef SNC_REPORT_BREAKDOWN_H
#define SNC_REPORT_BREAKDOWN_H

#include "base/ctx.h"
#include "base/json.h"
#include "base/textbuf.h"
#include "data/dataset.h"

typedef struct snc_class_share {
    int64_t rows, answered, right; /* labelled with the class, answered with it, both */
} snc_class_share;

typedef struct snc_breakdown {
    int n, K;
    snc_class_share *class;                            /* [K] */
    int64_t *matrix;                                   /* [K, K] or NULL */
    char *majority, *only;                             /* names; only NULL: there are several */
    double majority_share, majority_score, only_share; /* shares: of the rows that have just that label */
} snc_breakdown;

/* logits [d->n, K], as snc_task_score takes them; every row has a label. */
snc_err snc_breakdown_make(snc_breakdown *out, const snc_task *task, const float *logits, const snc_dataset *d, int K) SNC_MUST_USE;
void snc_breakdown_dispose(snc_breakdown *b);

double snc_class_precision(const snc_class_share *c);
double snc_class_recall(const snc_class_share *c);
double snc_class_f1(const snc_class_share *c);

/* "majority" {"label","share","score"}: of the rows, whatever the model. */
void snc_breakdown_majority_json(cJSON *to, const snc_breakdown *b);
/* "classes" [{"label","rows","answered","precision","recall","f1"}], "confusion" [[rows]], and "one_answer" where there is one. */
void snc_breakdown_json(cJSON *to, const snc_breakdown *b, const snc_task *task);
/* Markdown: the majority, a table of classes with the models' columns side by side, and their matrices where they are small. */
void snc_breakdown_md(snc_textbuf *t, const snc_breakdown *const *b, const char *const *names, int models, const snc_task *task);
/* The same for the page, of what report.json holds: the first model is the file, the last the teacher. */
void snc_breakdown_html(snc_textbuf *t, const cJSON *report);
/* Whether it gives one answer to every row, though not every row has that label. */
bool snc_breakdown_blind(const snc_breakdown *b);
/* "PATH answers 'ham' to every row of dev, the label of 96.67% of them: ..." as a warning, where that is so. */
void snc_breakdown_warn(const snc_ctx *ctx, const snc_breakdown *b, const char *path, const char *split);

#endif
