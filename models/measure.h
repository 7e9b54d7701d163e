/* models/measure.h: how long a net takes on a workload, and how sure that is.
 *
 * One sample is one run of one batch of the list, in turn; a workload of many batches mixes their lengths as users do.
 * Percentiles come with a distribution-free 95% interval from order statistics: the k-th smallest of n samples is below
 * the q-quantile with probability P(Binomial(n, q) >= k).
 */
#ifndef SNC_MODELS_MEASURE_H
#define SNC_MODELS_MEASURE_H

#include "models/runtime.h"

typedef struct snc_measure_opts {
    double warmup, seconds;       /* time spent before and while sampling, about */
    int min_samples, max_samples; /* bounds whatever the time; whole passes over the batches are kept */
    double percentile;            /* the one that gets an interval, in (0, 1) */
} snc_measure_opts;
#define SNC_MEASURE_OPTS_INIT                                                                                          \
    {                                                                                                                  \
        .warmup = 0.1, .seconds = 1.0, .min_samples = 20, .max_samples = 20000, .percentile = 0.5                      \
    }

typedef struct snc_timing { /* microseconds */
    int samples;
    double mean, min, median, p90, p99;
    double value, low, high; /* the asked percentile and its 95% interval */
    double tokens_per_s, seqs_per_s;
} snc_timing;

/* SNC_E_ARG: options; errors of snc_net_run. */
snc_err snc_measure(snc_timing *out, snc_net *n, const snc_tokens *batches, int count,
                    const snc_measure_opts *o) SNC_MUST_USE;

/* The statistics alone, of samples in microseconds (sorted in place). */
void snc_timing_of(snc_timing *out, double *us, int n, double percentile);

#endif
