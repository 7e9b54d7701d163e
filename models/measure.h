/* models/measure.h: how long a net takes on a workload, and how sure that is.
 *
 * One sample is one run of one batch of the list, in turn; a workload of many batches mixes their lengths as users do. Where a
 * pass over all of them takes too long they are stood for by a stratified sample: in order of size, the middle of each of as
 * many equal shares as there is time for, so that every length counts as often as in the whole.
 * Percentiles come with a distribution-free 95% interval from order statistics: the k-th smallest of n samples is below
 * the q-quantile with probability P(Binomial(n, q) >= k).
 */
#ifndef SNC_MODELS_MEASURE_H
#define SNC_MODELS_MEASURE_H

#include "models/runtime.h"

typedef struct snc_measure_opts {
    double warmup, seconds;       /* time spent before (or 200 runs) and while sampling, about; at most the double and min_samples */
    double whole;                 /* a pass over all batches is made whole where it takes no longer */
    int min_samples, max_samples; /* bounds whatever the time; whole passes, over all or over the sample, are kept */
    double percentile;            /* the one that gets an interval, in (0, 1) */
} snc_measure_opts;
#define SNC_MEASURE_OPTS_INIT                                                                                 \
    {                                                                                                         \
        .warmup = 0.1, .seconds = 1.0, .whole = 1.0, .min_samples = 5, .max_samples = 4000, .percentile = 0.5 \
    }

typedef struct snc_timing { /* microseconds */
    int samples, lengths;   /* lengths: how many different batches they are of */
    double mean, min, median, p90, p99;
    double value, low, high; /* the asked percentile and its 95% interval */
    double tokens_per_s, seqs_per_s;
} snc_timing;

/* The n batches that stand for all `count` of them: order [count] begins with their indices, and every beginning of it is
 * spread over the sizes. n >= count: all, in their own order. SNC_E_NOMEM. */
snc_err snc_measure_spread(int *order, const snc_tokens *batches, int count, int n) SNC_MUST_USE;
/* SNC_E_ARG: options; errors of snc_net_run. */
snc_err snc_measure(snc_timing *out, snc_net *n, const snc_tokens *batches, int count, const snc_measure_opts *o) SNC_MUST_USE;

typedef struct snc_measured {
    snc_net *net;
    const snc_tokens *batches;
    int count;
    snc_net_state state; /* what each run begins with, or leaves: with room for the largest batch; zeros: neither */
    snc_timing t;        /* filled */
} snc_measured;

enum { SNC_MEASURED_MOST = 16 };

/* n nets beside each other, at most SNC_MEASURED_MOST: they take turns of some hundredths of a second until each has what o asks for.
 * Whatever makes the machine slow for longer than a turn is met by all of them, so that their ratios hold where their times do not. The
 * first run of a short turn, which finds what the others left in the caches, does not count. */
snc_err snc_measure_beside(snc_measured *m, int n, const snc_measure_opts *o) SNC_MUST_USE;

/* The statistics alone, of samples in microseconds (sorted in place). */
void snc_timing_of(snc_timing *out, double *us, int n, double percentile);

#endif
