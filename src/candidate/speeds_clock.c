/* Nets are planned once, for the longest text. */
#include "candidate/speeds_clock.h"

#include "base/mem.h"
#include "candidate/far_clock.h"
#include "candidate/workload.h"
#include "models/bundle.h"

static const double BUSY = 2; /* 90th percentile over median */

/* All nets, planned, and what those that are gone on from leave. */
typedef struct clocked {
    snc_net *net[SNC_NETS_MOST];
    float *h[SNC_NETS_MOST]; /* [max_length, hidden]; NULL: nobody goes on from it */
} clocked;

static snc_err find_steps(snc_steps *out, clocked *c, int nets, const snc_loaded *l, const snc_ctx *ctx)
{
    int n = 0;
    *out = (snc_steps){.rest = {.nets = 0}};
    for (int apart = 1; apart < nets; apart++)
        for (int k = 0; k + apart < nets && nets + n < SNC_MEASURED_MOST; k++) {
            const int before = k + apart, from = snc_net_handover(c->net[before], c->net[k]);
            const size_t room = (size_t)l->max_length * (size_t)snc_net_arch(c->net[k])->hidden;
            if (from && !c->h[before]) SNC_TRY(snc_alloc(&c->h[before], room, sizeof **c->h));
            out->from[k][before] = from;
            if (from) out->row[k][before] = n++;
        }
    if (n) snc_speeds_begin(&out->rest, n, l->max_length, ctx);
    return SNC_OK;
}

static snc_err clock_length(snc_speeds *s, snc_steps *steps, int i, const snc_ctx *ctx, const snc_loaded *l, const clocked *c)
{
    snc_workload w;
    snc_measured m[SNC_MEASURED_MOST] = {{0}};
    snc_measure_opts o = SNC_MEASURE_OPTS_INIT;
    const int n = s->nets + (steps ? steps->rest.nets : 0);
    o.warmup = 0.05;
    o.seconds = 0.5;
    o.max_samples = 1000;
    _Static_assert((int)SNC_NETS_MOST <= (int)SNC_MEASURED_MOST, "all nets of a file can be measured beside each other");
    SNC_TRY(snc_workload_new(&w, 1, s->tokens[i], NULL, 0, snc_weights_config(l->weights)->vocab, ctx->seed));
    for (int k = 0; k < s->nets; k++)
        m[k] = (snc_measured){.net = c->net[k], .batches = w.batches, .count = w.count, .state = {.h = c->h[k], .keep = c->h[k] != NULL}};
    for (int k = 0; k < s->nets && steps; k++)
        for (int before = k + 1; before < s->nets; before++)
            if (steps->from[k][before]) {
                snc_measured *rest = &m[s->nets + steps->row[k][before]];
                *rest = m[k];
                rest->state = (snc_net_state){.h = c->h[before], .from = steps->from[k][before]};
            }
    snc_err err = snc_measure_beside(m, n, &o); /* nets first: what the others go on from is there */
    for (int k = 0; k < n && !err; k++)
        snc_speeds_add(k < s->nets ? s : &steps->rest, k < s->nets ? k : k - s->nets, i, m[k].t.median, m[k].t.p90);
    snc_workload_free(&w);
    return err;
}

snc_err snc_speeds_clock(snc_speeds *out, snc_steps *steps, const snc_ctx *ctx, const snc_loaded *l)
{
    snc_err err = SNC_OK;
    clocked c = {{NULL}, {NULL}};
    const snc_net_opts no = {.max_tokens = l->max_length, .max_seqs = 1, .max_len = l->max_length};
    snc_speeds_begin(out, snc_loaded_nets(l), l->max_length, ctx);
    for (int k = 0; k < out->nets; k++) SNC_GOTO(snc_net_create(&c.net[k], ctx, l->net[k], NULL, NULL, &no));
    if (steps) SNC_GOTO(find_steps(steps, &c, out->nets, l, ctx));
    for (int i = 0; i < out->lengths; i++) {
        snc_progress(ctx, "times", i, out->lengths, "%d tokens", out->tokens[i]);
        SNC_GOTO(clock_length(out, steps, i, ctx, l, &c));
    }
out:
    for (int k = 0; k < out->nets; k++) {
        snc_net_free(c.net[k]);
        snc_free(c.h[k]);
    }
    return err;
}

snc_err snc_speeds_measure(snc_speeds *out, snc_steps *steps, const snc_ctx *ctx, const snc_loaded *l, const char *path)
{
    snc_far_clock *far;
    SNC_TRY(snc_far_clock_open(&far, ctx, 0));
    snc_err err = far ? snc_far_clock_speeds(out, steps, far, path) : snc_speeds_clock(out, steps, ctx, l);
    snc_far_clock_close(far);
    return err;
}

double snc_steps_median(const snc_speeds *s, const snc_steps *steps, int k, int before, int tokens)
{
    const bool goes_on = before >= 0 && steps->from[k][before];
    return goes_on ? snc_speeds_median(&steps->rest, steps->row[k][before], tokens) : snc_speeds_median(s, k, tokens);
}

snc_err snc_speeds_put(snc_speeds *out, const snc_ctx *ctx, const char *path, const char *name, const cJSON *inputs)
{
    snc_loaded l;
    SNC_TRY(snc_loaded_open(&l, ctx, path, 0, SNC_MEANS_CLASSES));
    snc_err err = snc_loaded_open_nets(&l);
    if (!err) err = snc_speeds_measure(out, NULL, ctx, &l, path);
    if (!err) {
        cJSON *j = snc_speeds_json(out);
        if (inputs) cJSON_AddItemToObject(j, "inputs", cJSON_Duplicate(inputs, true));
        if (snc_speeds_spread(out) > BUSY)
            snc_log(ctx, SNC_LOG_WARN,
                    "%s: one run in ten takes %.1f times the median or more: was the machine busy? Budgets go by such runs", name,
                    snc_speeds_spread(out));
        err = snc_bundle_set_speeds(path, l.file, j);
        cJSON_Delete(j);
    }
    snc_loaded_close(&l);
    return err;
}
