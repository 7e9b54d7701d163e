/* candidate/drop.h: how many points a model scores under another on the same rows, and what that says of rows that were not seen.
 *
 * Where accuracy alone is asked, the difference is that of the rows on which one of the two is right: exact, and it knows that no
 * differing row in n still leaves 3/n of all rows (base/stats.h). Every other score: a seeded bootstrap over rows, paired. Where
 * neither can say anything, it says why: one row, rows of one label, predictions that hardly differ, a score without a value.
 */
#ifndef SNC_CANDIDATE_DROP_H
#define SNC_CANDIDATE_DROP_H

#include "base/ctx.h"
#include "base/stats.h"
#include "data/dataset.h"

typedef struct snc_drop {
    snc_interval points; /* the other's score minus this one's; NaN where a score has no value; low and high where nothing is said */
    double bound, least; /* at most, and at least, so many points worse at 95 %, each one-sided; NaN likewise */
    double error;        /* standard error of points over rows; NaN likewise */
    char unsaid[160];    /* why nothing is said at 95 %; "" otherwise */
    int n, differ;       /* rows, and those on which the predictions do; of classes alone */
} snc_drop;

/* `of` against `to`: logits [d->n, K]. score: of each, by the task's metrics. */
snc_err snc_drop_of(snc_drop *out, const snc_ctx *ctx, const snc_task *task, const snc_dataset *d, const float *to, double to_score,
                    const float *of, double of_score, int K) SNC_MUST_USE;

/* Non-inferiority at a margin in points: shown where the upper bound is within it, refuted where the lower one is beyond it. */
typedef enum snc_margin { SNC_MARGIN_OPEN, SNC_MARGIN_SHOWN, SNC_MARGIN_REFUTED } snc_margin;
snc_margin snc_drop_margin(const snc_drop *d, double margin);
/* "872 rows are too few to show it of an equal model that differs as often: that needs about 9,900 rows" where that is why the bound is
 * not within the margin, "" otherwise. Rows by snc_rows_needed, and by the rule of three at least; to two digits. */
enum { SNC_DROP_SAID = 192 };
void snc_drop_say_rows(char buf[SNC_DROP_SAID], const snc_drop *d, double margin);
/* The number of them; NaN where rows are not what lacks. */
double snc_drop_rows(const snc_drop *d, double margin);

#endif
