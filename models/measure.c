#include "models/measure.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Linear between order statistics, as numpy's default. */
static double quantile(const double *sorted, int n, double q)
{
    double at = q * (n - 1);
    int i = (int)at;
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* Ranks lo, hi (from 0) whose samples enclose the q-quantile with at least 95%: 2.5% is left out on each side of the
 * binomial number of samples below it; the outermost samples where n is too small for that. */
static void interval(int *lo, int *hi, int n, double q)
{
    double log_p = n * log1p(-q), sum = 0;
    *lo = 0;
    *hi = n - 1;
    for (int k = 0; k <= n; k++) { /* P(K = k), K ~ Binomial(n, q) */
        double before = sum;
        sum += exp(log_p);
        if (before <= 0.025 && k >= 1) *lo = k - 1; /* P(K < k) <= 2.5%: sample k - 1 lies below the quantile */
        if (sum >= 0.975) {
            *hi = k < n ? k : n - 1;
            break;
        }
        log_p += log((double)(n - k) / (k + 1)) + log(q) - log1p(-q);
    }
}

void snc_timing_of(snc_timing *out, double *us, int n, double percentile)
{
    int lo, hi;
    double sum = 0;
    qsort(us, (size_t)n, sizeof *us, ascending);
    for (int i = 0; i < n; i++) sum += us[i];
    interval(&lo, &hi, n, percentile);
    *out = (snc_timing){.samples = n,
                        .mean = sum / n,
                        .min = us[0],
                        .median = quantile(us, n, 0.5),
                        .p90 = quantile(us, n, 0.9),
                        .p99 = quantile(us, n, 0.99),
                        .value = quantile(us, n, percentile),
                        .low = us[lo],
                        .high = us[hi]};
}

static snc_err warm_up(float *logits, snc_net *n, const snc_tokens *batches, int count, double seconds)
{
    double start = snc_now();
    int i = 0;
    do SNC_TRY(snc_net_run(logits, n, &batches[i % count]));
    while (++i < count || snc_now() - start < seconds);
    return SNC_OK;
}

snc_err snc_measure(snc_timing *out, snc_net *n, const snc_tokens *batches, int count, const snc_measure_opts *o)
{
    SNC_CHECK(count >= 1, SNC_E_ARG, "nothing to measure: no batches");
    SNC_CHECK(o->percentile > 0 && o->percentile < 1, SNC_E_ARG, "percentile %g, expected between 0 and 1",
              o->percentile);
    SNC_CHECK(o->min_samples >= 1 && o->max_samples >= o->min_samples, SNC_E_ARG,
              "samples: at least %d, at most %d make no sense", o->min_samples, o->max_samples);
    snc_err err = SNC_OK;
    double *us = NULL, tokens = 0, seqs = 0, spent = 0;
    float *logits = NULL;
    size_t cap = 0, used = 0;
    int most = 0;
    for (int i = 0; i < count; i++) most = batches[i].B > most ? batches[i].B : most;
    SNC_GOTO(snc_alloc(&logits, (size_t)most * SNC_MAX_CLASSES, sizeof *logits));
    SNC_GOTO(warm_up(logits, n, batches, count, o->warmup));
    for (size_t i = 0;; i++) {
        const snc_tokens *x = &batches[i % (size_t)count];
        bool whole = i % (size_t)count == 0 && i > 0;
        if (whole && i >= (size_t)o->min_samples && (spent >= o->seconds || i >= (size_t)o->max_samples)) break;
        SNC_GOTO(snc_grow(&us, &cap, used + 1, sizeof *us));
        double t = snc_now();
        SNC_GOTO(snc_net_run(logits, n, x));
        t = snc_now() - t;
        us[used++] = t * 1e6;
        spent += t;
        tokens += x->T;
        seqs += x->B;
    }
    snc_timing_of(out, us, (int)used, o->percentile);
    out->tokens_per_s = tokens / spent;
    out->seqs_per_s = seqs / spent;
out:
    snc_free(us);
    snc_free(logits);
    return err;
}
