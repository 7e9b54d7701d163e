/* Formulas first, then the clock on the smallest net. */
#include "candidate/reach.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/latency_table.h"
#include "artifact/spaces.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "base/stats.h"
#include "candidate/evaluator.h"
#include "candidate/workload.h"
#include "models/cost.h"
#include "models/latency.h"
#include "models/trim.h"

/* By so much the smallest net must miss a latency target for certain: a busy machine shows half as long again at times. */
static const double CLEARLY = 1.5;

/* What the smallest net needs against what is asked; `certain`: a miss above it is no matter of measurement. */
static snc_err judge(const snc_ctx *ctx, snc_target_kind kind, const snc_target *t, double least, double full, double certain)
{
    char asked[32], has[32], share[64] = "";
    double found = t->relative ? least / full : least;
    if (!t->given || found <= t->value) return SNC_OK;
    if (t->relative) snprintf(asked, sizeof asked, "%gx", t->value);
    else snc_target_number(asked, kind, t->value);
    if (t->relative) snprintf(share, sizeof share, "%.3fx of the full-size INT8 model, ", found);
    snc_target_number(has, kind, least);
    SNC_CHECK(found <= certain * t->value, SNC_E_ARG, "%s %s: out of reach: the smallest net of the space needs %s%s",
              snc_target_option(kind), asked, share, has);
    snc_log(ctx, SNC_LOG_WARN, "%s %s: the smallest net of the space needs %s%s: it will be missed, or met by luck",
            snc_target_option(kind), asked, share, has);
    return SNC_OK;
}

/* ---- formulas ------------------------------------------------------------------------------------------------------- */

/* Bytes of a file but for its header, whose length nobody knows before it is written; `all` with a header at its longest. */
static double bytes_of(double *all, const snc_encoder_config *c, const snc_arch *a, const snc_policy *p, size_t tokenizer)
{
    snc_bytes b;
    snc_cost_bytes(&b, c, a, p, tokenizer, SNC_METADATA_GUESS);
    *all = (double)b.total;
    return (double)(b.total - b.header);
}

static snc_err check_formulas(const snc_ctx *ctx, const snc_options *o, const snc_targets *a, const snc_inputs *in, const snc_model *m,
                              const snc_space *space)
{
    const snc_tok_assets *tok = &m->tokenizer;
    const snc_dataset *train = in->splits.train;
    size_t tokenizer = snc_tok_assets_bytes(tok);
    snc_encoder_config kept = m->cfg;
    snc_policy int8 = snc_policy_int8(), policy;
    snc_arch arch;
    snc_cfg least = {{0}};
    double full, all;
    snc_cfg_canonical(&least, space);
    snc_cfg_decode(&arch, &policy, space, &least);
    bytes_of(&full, &m->cfg, &m->arch, &int8, tokenizer);
    if (o->exporting.trim_vocab) {
        snc_trim t;
        SNC_TRY(snc_trim_new(&t, tok, m->cfg.vocab));
        snc_err err = snc_trim_see(&t, train->ids, train->start[train->n]);
        kept.vocab = t.kept;
        tokenizer = snc_trim_tokenizer_bytes(&t);
        snc_trim_dispose(&t);
        SNC_TRY(err);
    }
    SNC_TRY(judge(ctx, SNC_TARGET_SIZE, &a->of[SNC_TARGET_SIZE], bytes_of(&all, &kept, &arch, &policy, tokenizer), full, 1));
    return judge(ctx, SNC_TARGET_MACS, &a->of[SNC_TARGET_MACS], (double)snc_cost_encoder_macs(&m->cfg, &arch, SNC_MACS_TOKENS),
                 (double)snc_cost_encoder_macs(&m->cfg, &m->arch, SNC_MACS_TOKENS), 1);
}

/* ---- the clock ------------------------------------------------------------------------------------------------------ */

/* Narrowest and shallowest, with INT8 where that is offered and, where INT4 is, with that as well: the workload says which of the two is
 * the faster one. Returns how many policies. */
static int smallest(snc_arch *a, snc_policy p[2], const snc_space *space)
{
    snc_cfg c = snc_cfg_uniform(space, 0, 0);
    c.o[1] = 0;
    snc_cfg_decode(a, &p[0], space, &c);
    if (space->gene[snc_space_layer(space, 0) + 2].value[0] != SNC_I4) return 1;
    p[1] = p[0];
    memset(p[1].linear, SNC_I4, sizeof p[1].linear);
    return 2;
}

/* The batch whose number of tokens is at the percentile: it stands for the others. */
static snc_err typical(const snc_tokens **out, const snc_workload *w, double percentile)
{
    double *tokens = NULL, middle;
    SNC_TRY(snc_alloc(&tokens, (size_t)w->count, sizeof *tokens));
    for (int i = 0; i < w->count; i++) tokens[i] = w->batches[i].T;
    snc_sort(tokens, w->count);
    middle = snc_quantile(tokens, w->count, percentile);
    *out = &w->batches[0];
    for (int i = 1; i < w->count; i++)
        if (fabs(w->batches[i].T - middle) < fabs((*out)->T - middle)) *out = &w->batches[i];
    snc_free(tokens);
    return SNC_OK;
}

/* A net as it would be delivered: dense and packed by itself. */
static snc_err time_net(snc_timing *out, const snc_ctx *work, snc_model *m, const snc_arch *a, const snc_policy *p, const snc_workload *w,
                        double percentile)
{
    snc_err err = SNC_OK;
    snc_model *cut = NULL;
    snc_weights *weights = NULL;
    snc_net *net = NULL;
    const snc_tokens *x;
    snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    const snc_net_opts no = {.max_tokens = w->max_tokens, .max_seqs = w->batch, .max_len = w->max_len};
    mo.warmup = 0.05;
    mo.seconds = 0.2;
    mo.min_samples = 1;
    mo.percentile = percentile;
    SNC_TRY(typical(&x, w, percentile));
    if (a) SNC_GOTO(snc_model_extract(&cut, m, a));
    SNC_GOTO(snc_weights_from_model(&weights, work, cut ? cut : m));
    SNC_GOTO(snc_net_create(&net, work, weights, NULL, p, &no));
    SNC_GOTO(snc_measure(out, net, x, 1, &mo));
out:
    snc_net_free(net);
    snc_weights_free(weights);
    snc_model_free(cut);
    return err;
}

/* The fastest run of the smallest net counts: what disturbs a machine makes no run faster. */
static snc_err check_clock(const snc_ctx *work, const snc_options *o, const snc_targets *a, const snc_inputs *in, snc_model *m,
                           const snc_space *space)
{
    snc_err err = SNC_OK;
    const snc_target *t = &a->of[SNC_TARGET_LATENCY];
    snc_workload w = {0};
    snc_policy int8 = snc_policy_int8(), policy[2];
    snc_arch arch;
    snc_timing one, full = {.value = 1};
    double least = (double)INFINITY;
    if (!t->given || snc_clock_host(work->comm, 0)) return SNC_OK; /* of other hosts their tables say it */
    const int policies = smallest(&arch, policy, space);
    SNC_TRY(snc_workload_of_options(&w, work, &o->workload, in->splits.rank, &m->cfg));
    for (int i = 0; i < policies; i++) {
        SNC_GOTO(time_net(&one, work, m, &arch, &policy[i], &w, o->workload.percentile / 100));
        least = fmin(least, one.min);
    }
    if (t->relative) SNC_GOTO(time_net(&full, work, m, NULL, &int8, &w, o->workload.percentile / 100));
    err = judge(work, SNC_TARGET_LATENCY, t, least, full.value, CLEARLY);
out:
    snc_workload_free(&w);
    return err;
}

/* ---- both ----------------------------------------------------------------------------------------------------------- */

snc_err snc_reach_check(const snc_ctx *work, const snc_options *o, const snc_targets *a, const snc_inputs *in, snc_model *m)
{
    snc_space *space = NULL;
    SNC_TRY(snc_space_asked(&space, o, m, "even"));
    snc_err err = check_formulas(work, o, a, in, m, space);
    if (!err) err = check_clock(work, o, a, in, m, space);
    snc_space_free(space);
    return err;
}

/* By the table of who measures k-th. */
static snc_err check_table(const snc_ctx *work, const snc_target *t, const snc_space *space, const snc_model *m, const char *path, int k)
{
    snc_latency *table = NULL;
    snc_policy int8 = snc_policy_int8(), policy[2];
    snc_arch arch;
    char file[SNC_TABLE_PATH];
    SNC_TRY(snc_latency_table_of(file, path, work, k));
    SNC_TRY(snc_latency_load(&table, file));
    const int policies = smallest(&arch, policy, space);
    double least = (double)INFINITY;
    for (int i = 0; i < policies; i++) least = fmin(least, snc_latency_predict(table, &arch, &policy[i]));
    snc_err err = judge(work, SNC_TARGET_LATENCY, t, least, snc_latency_predict(table, &m->arch, &int8), CLEARLY);
    snc_latency_free(table);
    return err && snc_clock_host(work->comm, k) ? snc_err_prefix(err, snc_clock_host(work->comm, k)->name) : err;
}

snc_err snc_reach_by_table(const snc_ctx *work, const snc_options *o, const snc_targets *a, const snc_model *m, const char *table)
{
    snc_err err = SNC_OK;
    snc_space *space = NULL;
    if (!a->of[SNC_TARGET_LATENCY].given) return SNC_OK;
    SNC_TRY(snc_space_asked(&space, o, m, "even"));
    for (int k = 0; k < snc_clocks(work->comm) && !err; k++) err = check_table(work, &a->of[SNC_TARGET_LATENCY], space, m, table, k);
    snc_space_free(space);
    return err;
}
