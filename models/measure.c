/* Batches come in bit-reversed order of size: whenever the time is over, the lengths seen are spread evenly. */
#include "models/measure.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/minmax.h"
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

static snc_err run(float *logits, const snc_measured *m, int batch)
{
    return snc_net_run_state(logits, m->net, &m->batches[batch], &m->state);
}

/* Until the time is over or the net has run often enough; on the way, how long a pass over all batches takes, by the runs after the
 * first. */
static snc_err warm_up(double *pass, float *logits, const snc_measured *m, double seconds)
{
    static const double ENOUGH = 0.005; /* to know */
    static const int OFTEN = 200;
    double all = 0, tokens = 0, spent = 0;
    for (int i = 0; i < m->count; i++) all += m->batches[i].T;
    SNC_TRY(run(logits, m, 0));
    double start = snc_now();
    for (int i = 1; spent < ENOUGH || (spent < seconds && i < OFTEN); i++) {
        SNC_TRY(run(logits, m, i % m->count));
        tokens += m->batches[i % m->count].T;
        spent = snc_now() - start;
    }
    *pass = spent * all / tokens;
    return SNC_OK;
}

/* What a net has been timed for. */
typedef struct sampler {
    float *logits;
    int *order, strata;
    double *us, tokens, seqs, spent;
    size_t cap, used;
} sampler;

static snc_err begin(sampler *s, const snc_measured *m, const snc_measure_opts *o)
{
    int most = 0;
    double pass = 0;
    for (int i = 0; i < m->count; i++) most = snc_max(most, m->batches[i].T); /* tags have an answer for each token */
    SNC_TRY(snc_alloc(&s->logits, (size_t)most * SNC_MAX_CLASSES, sizeof *s->logits));
    SNC_TRY(snc_alloc(&s->order, (size_t)m->count, sizeof *s->order));
    SNC_TRY(warm_up(&pass, s->logits, m, o->warmup));
    s->strata = m->count;
    if (pass > o->whole) s->strata = (int)fmin(m->count, fmax(o->min_samples, m->count * o->seconds / pass));
    return snc_measure_spread(s->order, m->batches, m->count, s->strata);
}

static bool enough(const sampler *s, const snc_measure_opts *o)
{
    bool whole = s->used % (size_t)s->strata == 0 && s->used > 0;
    if (s->used < (size_t)o->min_samples) return false;
    if (whole && (s->spent >= o->seconds || s->used >= (size_t)o->max_samples)) return true;
    return s->spent >= 2 * fmax(o->seconds, o->whole); /* it has become slower than it was */
}

/* Samples for `seconds`, one at least. */
static snc_err take_turn(sampler *s, const snc_measured *m, const snc_measure_opts *o, double seconds)
{
    for (double until = s->spent + seconds; !enough(s, o);) {
        const int batch = s->order[s->used % (size_t)s->strata];
        SNC_TRY(snc_grow(&s->us, &s->cap, s->used + 1, sizeof *s->us));
        double t = snc_now();
        SNC_TRY(run(s->logits, m, batch));
        t = snc_now() - t;
        s->us[s->used++] = t * 1e6;
        s->spent += t;
        s->tokens += m->batches[batch].T;
        s->seqs += m->batches[batch].B;
        if (s->spent >= until) break;
    }
    return SNC_OK;
}

static snc_err take_turns(sampler *s, const snc_measured *m, int n, const snc_measure_opts *o)
{
    static const double TURN = 0.02, SHORT = TURN / 4; /* of a turn; of a run of which a turn can lose one */
    bool all = false;
    for (int round = 0; !all; round++) {
        all = true;
        for (int k = 0; k < n; k++) { /* there and back */
            int i = round % 2 ? n - 1 - k : k;
            if (enough(&s[i], o)) continue;
            bool brief = s[i].used == 0 || s[i].spent < SHORT * (double)s[i].used;
            if (n > 1 && brief) SNC_TRY(run(s[i].logits, &m[i], s[i].order[s[i].used % (size_t)s[i].strata]));
            SNC_TRY(take_turn(&s[i], &m[i], o, n > 1 ? TURN : (double)INFINITY));
            all = all && enough(&s[i], o);
        }
    }
    return SNC_OK;
}

static snc_err check(int count, const snc_measure_opts *o)
{
    SNC_CHECK(count >= 1, SNC_E_ARG, "nothing to measure: no batches");
    SNC_CHECK(o->percentile > 0 && o->percentile < 1, SNC_E_ARG, "percentile %g, expected between 0 and 1", o->percentile);
    SNC_CHECK(o->min_samples >= 1 && o->max_samples >= o->min_samples, SNC_E_ARG, "samples: at least %d, at most %d make no sense",
              o->min_samples, o->max_samples);
    return SNC_OK;
}

snc_err snc_measure_beside(snc_measured *m, int n, const snc_measure_opts *o)
{
    snc_err err = SNC_OK;
    sampler s[SNC_MEASURED_MOST] = {{0}};
    assert(n >= 1 && n <= SNC_MEASURED_MOST);
    for (int i = 0; i < n; i++) SNC_TRY(check(m[i].count, o));
    for (int i = 0; i < n; i++) SNC_GOTO(begin(&s[i], &m[i], o));
    SNC_GOTO(take_turns(s, m, n, o));
    for (int i = 0; i < n; i++) {
        snc_timing_of(&m[i].t, s[i].us, (int)s[i].used, o->percentile);
        m[i].t.lengths = snc_min((int)s[i].used, s[i].strata);
        m[i].t.tokens_per_s = s[i].tokens / s[i].spent;
        m[i].t.seqs_per_s = s[i].seqs / s[i].spent;
    }
out:
    for (int i = 0; i < n; i++) {
        snc_free(s[i].order);
        snc_free(s[i].us);
        snc_free(s[i].logits);
    }
    return err;
}

snc_err snc_measure(snc_timing *out, snc_net *n, const snc_tokens *batches, int count, const snc_measure_opts *o)
{
    snc_measured m = {.net = n, .batches = batches, .count = count};
    SNC_TRY(snc_measure_beside(&m, 1, o));
    *out = m.t;
    return SNC_OK;
}
