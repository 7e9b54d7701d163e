#include "models/measure.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"

void snc_timing_of(snc_timing *out, double *us, int n, double percentile)
{
    snc_sort(us, n);
    snc_interval i = snc_quantile_interval(us, n, percentile);
    *out = (snc_timing){.samples = n,
                        .mean = snc_mean(us, n),
                        .min = us[0],
                        .median = snc_quantile(us, n, 0.5),
                        .p90 = snc_quantile(us, n, 0.9),
                        .p99 = snc_quantile(us, n, 0.99),
                        .value = i.value,
                        .low = i.low,
                        .high = i.high};
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
