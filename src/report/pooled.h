/* report/pooled.h: the drop of one model under another on one task, over several seeds, and over several tasks.
 *
 * Every seed made both models anew; all of them answered the same n rows. The drop is the mean over S seeds of the paired differences of
 * scores. It has two sources of variance, which are estimated apart and added:
 *
 *   rows    of the mean drop under resampling of the rows, the same rows for every seed (bootstrap): what other rows would say of these
 *           nets. It is taken for no less than what the seeds' own intervals (candidate/drop.h, exact for accuracy) come to over sqrt(S)
 *   seeds   the variance between the seeds' drops over S: what other seeds would have made. It counts the noise of rows that differs by
 *           seed once more, so the sum errs to the wide side
 *
 * The interval is Student's at 95 % with the degrees of freedom of Welch and Satterthwaite, n - 1 for rows and S - 1 for seeds: with two
 * or three seeds that differ it is as wide as so few say. One seed says nothing of others: its interval is that of its rows alone.
 */
#ifndef SNC_REPORT_POOLED_H
#define SNC_REPORT_POOLED_H

#include "base/ctx.h"
#include "base/stats.h"
#include "data/dataset.h"

typedef struct snc_pooled {
    snc_interval points;          /* low and high NaN where nothing is said */
    double rows_se, seeds_se;     /* standard errors in points; seeds_se NaN of one seed, both where nothing is said */
    double rows_free, seeds_free; /* degrees of freedom */
    char unsaid[160];             /* why nothing is said; "" otherwise */
} snc_pooled;

/* of[s] against to[s], logits [d->n, K] of the s-th of `seeds` >= 1. */
snc_err snc_pooled_drop(snc_pooled *out, const snc_ctx *ctx, const snc_task *task, const snc_dataset *d, const float *const *to,
                        const float *const *of, int seeds, int K) SNC_MUST_USE;
/* The mean over n >= 1 tasks, which are these tasks and no sample of others: their variances are added. */
void snc_pooled_average(snc_pooled *out, const snc_pooled *v, int n);

#endif
