/* Batches come in bit-reversed order of size: whenever the time is over, the lengths seen are spread evenly. */
#include "models/measure.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"

void snc_timing_of(snc_timing *out, double *us, int n, double percentile)
{
    assert(n >= 1 && percentile > 0 && percentile < 1);
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

/* ---- which batches -------------------------------------------------------------------------------------------------- */

typedef struct sized {
    int tokens, at;
} sized;

static int by_tokens(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    return x->tokens != y->tokens ? (x->tokens > y->tokens) - (x->tokens < y->tokens) : (x->at > y->at) - (x->at < y->at);
}

/* i with its lowest `bits` bits in reverse: 0, 1/2, 1/4, 3/4, ... of the range. */
static int reversed(int i, int bits)
{
    int r = 0;
    for (int b = 0; b < bits; b++) r |= ((i >> b) & 1) << (bits - 1 - b);
    return r;
}

snc_err snc_measure_spread(int *order, const snc_tokens *batches, int count, int n)
{
    sized *s = NULL;
    int bits = 0, used = 0;
    for (int i = 0; i < count; i++) order[i] = i;
    if (n >= count) return SNC_OK;
    SNC_TRY(snc_alloc(&s, (size_t)count, sizeof *s));
    for (int i = 0; i < count; i++) s[i] = (sized){batches[i].T, i};
    qsort(s, (size_t)count, sizeof *s, by_tokens);
    while (1 << bits < n) bits++;
    for (int i = 0; i < 1 << bits; i++) {
        int share = reversed(i, bits);
        if (share < n) order[used++] = s[(int)((share + 0.5) * count / n)].at;
    }
    snc_free(s);
    return SNC_OK;
}

/* ---- the clock ------------------------------------------------------------------------------------------------------- */

/* Until the time is over or the net has run often enough; on the way, how long a pass over all batches takes, by the runs after the
 * first. */
static snc_err warm_up(double *pass, float *logits, snc_net *n, const snc_tokens *batches, int count, double seconds)
{
    static const double ENOUGH = 0.005; /* to know */
    static const int OFTEN = 1000;
    double all = 0, tokens = 0, spent = 0;
    for (int i = 0; i < count; i++) all += batches[i].T;
    SNC_TRY(snc_net_run(logits, n, &batches[0]));
    double start = snc_now();
    for (int i = 1; spent < ENOUGH || (spent < seconds && i < OFTEN); i++) {
        SNC_TRY(snc_net_run(logits, n, &batches[i % count]));
        tokens += batches[i % count].T;
        spent = snc_now() - start;
    }
    *pass = spent * all / tokens;
    return SNC_OK;
}

typedef struct samples {
    double *us, tokens, seqs, spent;
    size_t cap, used;
} samples;

static snc_err sample(samples *s, float *logits, snc_net *n, const snc_tokens *batches, const int *order, int count,
                      const snc_measure_opts *o)
{
    size_t least = (size_t)o->min_samples, most = (size_t)o->max_samples;
    for (size_t i = 0;; i++) {
        const snc_tokens *x = &batches[order[i % (size_t)count]];
        bool whole = i % (size_t)count == 0 && i > 0;
        if (whole && i >= least && (s->spent >= o->seconds || i >= most)) return SNC_OK;
        if (i >= least && s->spent >= 2 * fmax(o->seconds, o->whole)) return SNC_OK; /* it has become slower than it was */
        SNC_TRY(snc_grow(&s->us, &s->cap, s->used + 1, sizeof *s->us));
        double t = snc_now();
        SNC_TRY(snc_net_run(logits, n, x));
        t = snc_now() - t;
        s->us[s->used++] = t * 1e6;
        s->spent += t;
        s->tokens += x->T;
        s->seqs += x->B;
    }
}

static snc_err check(int count, const snc_measure_opts *o)
{
    SNC_CHECK(count >= 1, SNC_E_ARG, "nothing to measure: no batches");
    SNC_CHECK(o->percentile > 0 && o->percentile < 1, SNC_E_ARG, "percentile %g, expected between 0 and 1", o->percentile);
    SNC_CHECK(o->min_samples >= 1 && o->max_samples >= o->min_samples, SNC_E_ARG, "samples: at least %d, at most %d make no sense",
              o->min_samples, o->max_samples);
    return SNC_OK;
}

snc_err snc_measure(snc_timing *out, snc_net *n, const snc_tokens *batches, int count, const snc_measure_opts *o)
{
    snc_err err = SNC_OK;
    samples s = {0};
    float *logits = NULL;
    int *order = NULL, most = 0, strata = count;
    double pass = 0;
    SNC_TRY(check(count, o));
    for (int i = 0; i < count; i++) most = batches[i].B > most ? batches[i].B : most;
    SNC_GOTO(snc_alloc(&logits, (size_t)most * SNC_MAX_CLASSES, sizeof *logits));
    SNC_GOTO(snc_alloc(&order, (size_t)count, sizeof *order));
    SNC_GOTO(warm_up(&pass, logits, n, batches, count, o->warmup));
    if (pass > o->whole) strata = (int)fmin(count, fmax(o->min_samples, count * o->seconds / pass));
    SNC_GOTO(snc_measure_spread(order, batches, count, strata));
    SNC_GOTO(sample(&s, logits, n, batches, order, strata, o));
    snc_timing_of(out, s.us, (int)s.used, o->percentile);
    out->lengths = s.used < (size_t)strata ? (int)s.used : strata;
    out->tokens_per_s = s.tokens / s.spent;
    out->seqs_per_s = s.seqs / s.spent;
out:
    snc_free(order);
    snc_free(s.us);
    snc_free(logits);
    return err;
}
