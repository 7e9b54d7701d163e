/* A row is timed from its ids on, as those of a net alone are. */
#include "stage/bench_cascade.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/rng.h"
#include "runtime/escalation.h"
#include "runtime/pacing.h"

typedef struct timed {
    const snc_loaded *l;
    const snc_dataset *d;
    snc_net *net[SNC_NETS_MOST];
    snc_escalation *e; /* or: */
    snc_pacing *p;
    int32_t *order; /* [n] */
    float *logits;  /* [K] */
    double *us;
    size_t used, cap;
} timed;

static snc_err begin(timed *t, const snc_ctx *ctx)
{
    const snc_loaded *l = t->l;
    const snc_net_opts o = {.max_tokens = t->d->max_len, .max_seqs = 1, .max_len = t->d->max_len};
    snc_rng rng;
    for (int k = 0; k < snc_loaded_nets(l); k++) SNC_TRY(snc_net_create(&t->net[k], ctx, l->net[k], NULL, NULL, &o));
    if (l->cascade) SNC_TRY(snc_escalation_new(&t->e, t->net, l->cascade, l->classes, t->d->max_len, 1));
    else SNC_TRY(snc_pacing_new(&t->p, t->net, l->speeds, l->classes, t->d->max_len, 1));
    SNC_TRY(snc_alloc(&t->order, (size_t)t->d->n, sizeof *t->order));
    SNC_TRY(snc_alloc(&t->logits, (size_t)t->l->classes, sizeof *t->logits));
    for (int i = 0; i < t->d->n; i++) t->order[i] = i;
    snc_rng_init(&rng, ctx->seed, 0x63617363);
    snc_rng_shuffle(&rng, t->order, (size_t)t->d->n);
    return SNC_OK;
}

/* The i-th row in that order. */
static snc_err run_row(double *seconds, int *tokens, timed *t, int i)
{
    const int row = t->order[i % t->d->n], len = snc_dataset_len(t->d, row);
    const int64_t at = t->d->start[row];
    const int32_t offsets[] = {0, len};
    const snc_tokens x = {.B = 1, .T = len, .ids = t->d->ids + at, .types = t->d->types + at, .offsets = offsets};
    uint8_t by;
    bool over;
    const double start = snc_now();
    if (t->e) SNC_TRY(snc_escalation_run(t->logits, &by, t->e, &x));
    else SNC_TRY(snc_pacing_run(t->logits, &by, &over, t->p, t->l->budget, &x));
    *seconds = snc_now() - start;
    *tokens = len;
    return SNC_OK;
}

static snc_err warm_up(timed *t, const snc_measure_opts *o)
{
    enum { OFTEN = 1000 };
    double spent = 0, s = 0;
    int tokens = 0;
    for (int i = 0; i == 0 || (spent < o->warmup && i < OFTEN); i++) {
        SNC_TRY(run_row(&s, &tokens, t, i));
        spent += s;
    }
    return SNC_OK;
}

/* Until a pass ends behind the time, or the double of it is over: what was seen then is a sample at random all the same. */
static snc_err sample(snc_timing *out, timed *t, const snc_measure_opts *o)
{
    double spent = 0, all = 0, s = 0;
    int tokens = 0, n = t->d->n;
    for (bool enough = false; !enough;) {
        SNC_TRY(snc_grow(&t->us, &t->cap, t->used + 1, sizeof *t->us));
        SNC_TRY(run_row(&s, &tokens, t, (int)t->used));
        t->us[t->used++] = s * 1e6;
        spent += s;
        all += tokens;
        const bool whole = t->used % (size_t)n == 0, many = t->used >= (size_t)o->max_samples;
        enough = t->used >= (size_t)o->min_samples && ((whole && spent >= o->seconds) || many || spent >= 2 * o->seconds);
    }
    snc_timing_of(out, t->us, (int)t->used, o->percentile);
    out->lengths = snc_min((int)t->used, n);
    out->tokens_per_s = all / spent;
    out->seqs_per_s = (double)t->used / spent;
    return SNC_OK;
}

static double share_within(const timed *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->used; i++) kept += !t->p || t->us[i] <= t->l->budget;
    return (double)kept / (double)t->used;
}

snc_err snc_bench_cascade_time(snc_timing *out, double *within, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d,
                               const snc_measure_opts *o)
{
    timed t = {.l = l, .d = d};
    snc_err err = begin(&t, ctx);
    if (!err) err = warm_up(&t, o);
    if (!err) err = sample(out, &t, o);
    if (!err) *within = share_within(&t);
    snc_escalation_free(t.e);
    snc_pacing_free(t.p);
    for (int k = 0; k < SNC_NETS_MOST; k++) snc_net_free(t.net[k]);
    snc_free(t.order);
    snc_free(t.logits);
    snc_free(t.us);
    return err;
}
