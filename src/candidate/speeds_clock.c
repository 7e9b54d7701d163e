/* Nets are planned once, for the longest text. */
#include "candidate/speeds_clock.h"

#include "candidate/far_clock.h"
#include "candidate/workload.h"
#include "models/bundle.h"

static const double BUSY = 2; /* 90th percentile over median */

static snc_err clock_length(snc_speeds *s, int i, const snc_ctx *ctx, const snc_loaded *l, snc_net *const *nets)
{
    snc_workload w;
    snc_measured m[SNC_NETS_MOST] = {{0}};
    snc_measure_opts o = SNC_MEASURE_OPTS_INIT;
    o.warmup = 0.05;
    o.seconds = 0.5;
    o.max_samples = 1000;
    _Static_assert((int)SNC_NETS_MOST <= (int)SNC_MEASURED_MOST, "all nets of a file can be measured beside each other");
    SNC_TRY(snc_workload_new(&w, 1, s->tokens[i], NULL, 0, snc_weights_config(l->weights)->vocab, ctx->seed));
    for (int k = 0; k < s->nets; k++) m[k] = (snc_measured){.net = nets[k], .batches = w.batches, .count = w.count};
    snc_err err = snc_measure_beside(m, s->nets, &o);
    for (int k = 0; k < s->nets && !err; k++) snc_speeds_add(s, k, i, m[k].t.median, m[k].t.p90);
    snc_workload_free(&w);
    return err;
}

snc_err snc_speeds_clock(snc_speeds *out, const snc_ctx *ctx, const snc_loaded *l)
{
    snc_err err = SNC_OK;
    snc_net *net[SNC_NETS_MOST] = {NULL};
    const snc_net_opts no = {.max_tokens = l->max_length, .max_seqs = 1, .max_len = l->max_length};
    snc_speeds_begin(out, snc_loaded_nets(l), l->max_length, ctx);
    for (int k = 0; k < out->nets; k++) SNC_GOTO(snc_net_create(&net[k], ctx, l->net[k], NULL, NULL, &no));
    for (int i = 0; i < out->lengths; i++) {
        snc_progress(ctx, "times", i, out->lengths, "%d tokens", out->tokens[i]);
        SNC_GOTO(clock_length(out, i, ctx, l, net));
    }
out:
    for (int k = 0; k < out->nets; k++) snc_net_free(net[k]);
    return err;
}

snc_err snc_speeds_measure(snc_speeds *out, const snc_ctx *ctx, const snc_loaded *l, const char *path)
{
    snc_far_clock *far;
    SNC_TRY(snc_far_clock_open(&far, ctx, 0));
    snc_err err = far ? snc_far_clock_speeds(out, far, path) : snc_speeds_clock(out, ctx, l);
    snc_far_clock_close(far);
    return err;
}

snc_err snc_speeds_put(snc_speeds *out, const snc_ctx *ctx, const char *path, const char *name, const cJSON *inputs)
{
    snc_loaded l;
    SNC_TRY(snc_loaded_open(&l, ctx, path, 0, SNC_MEANS_CLASSES));
    snc_err err = snc_loaded_open_nets(&l);
    if (!err) err = snc_speeds_measure(out, ctx, &l, path);
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
