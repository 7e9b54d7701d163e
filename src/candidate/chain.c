/* A search within the net before, with limits, journal and front of its own. */
#include "candidate/chain.h"

#include <stdio.h>
#include <string.h>

#include "artifact/evaluations.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "candidate/cascade_fit.h"

/* A journal of nets within another net: the one before was another then. Nothing in it is worth keeping. */
static snc_err drop_stale(const char *journal, const snc_evaluator *e, const snc_options *o)
{
    snc_journal_file f = {0};
    snc_search_identity id;
    if (!snc_is_file(journal)) return SNC_OK;
    snc_search_identity_of(&id, e->ctx, o, e->in, e->supernet, e->teacher_hash, e->space);
    SNC_TRY(snc_journal_read(&f, journal));
    const bool same = !f.meta->child || snc_journal_matches(&f, journal, id.key, SNC_SEARCH_KEYS) == SNC_OK;
    snc_journal_file_dispose(&f);
    if (!same) remove(journal);
    return SNC_OK;
}

bool snc_chain_by_depth(const snc_options *o) { return strcmp(o->search.nest, "depth") == 0; }

/* The finalist for a latency among the nets that begin `large`: alone or, with mean_us by the table, as what answers before it. */
static snc_err find_within(snc_chosen *out, double *predicted_us, const snc_search_run *r, const snc_chosen *large,
                           const snc_target *latency, double mean_us, const char *table, const char *dir, const cJSON *read, double until)
{
    snc_err err = SNC_OK;
    char journal[4096];
    snc_options o = *r->o; /* its own journal, and none to begin with */
    const snc_targets one = {.of = {[SNC_TARGET_LATENCY] = *latency}};
    snc_search_result found = {0};
    snc_search_run run;
    snc_space *within = NULL;
    snc_pairing pair = {.arch = large->arch, .policy = large->policy, .us = large->f.o.latency_us, .mean_us = mean_us};
    o.search.journal = o.search.warm_start = NULL;
    SNC_TRY((snc_chain_by_depth(&o) ? snc_space_prefixes : snc_space_within)(&within, r->e->space, &large->arch, &large->policy));
    snc_evaluator e = snc_evaluator_over(r->e, within);
    if (mean_us > 0) snc_evaluator_pair(&e, &pair);
    SNC_GOTO(snc_mkdir(dir));
    SNC_GOTO(snc_evaluations_path(journal, sizeof journal, &o, dir));
    SNC_GOTO(drop_stale(journal, &e, &o));
    SNC_GOTO(snc_search_run_init(&run, &e, r->work, &o, &one, table, dir));
    run.look_until = until;
    SNC_GOTO(snc_search_result_find(&found, &run, dir, read));
    *out = snc_chosen_of(within, &found.f[0]);
    *predicted_us = snc_search_run_predicted_us(&run, &found.f[0].o);
out:
    snc_search_result_dispose(&found);
    snc_pairing_dispose(&pair);
    snc_space_free(within);
    return err;
}

int snc_chain_length(const snc_options *o, const snc_targets *t) { return 1 + (t->n_faster || !o->exporting.cascade ? t->n_faster : 1); }

/* What the k-th net behind the first has to keep: its own latency or, of a pair, the mean of both, and that by the table. */
static snc_target latency_of(double *mean_us, const snc_search_run *r, const snc_chosen *first, int k)
{
    snc_target t = r->targets->of[SNC_TARGET_LATENCY];
    *mean_us = 0;
    if (k < r->targets->n_faster) return r->targets->faster[k];
    const double us = snc_search_run_predicted_us(r, &first->f.o), mean = snc_cascade_mean(r->o, us);
    *mean_us = mean / us * first->f.o.latency_us;
    t.given = true;
    t.value = t.relative ? mean / r->e->full[SNC_COST_LATENCY] : mean;
    return t;
}

snc_err snc_chain_find(snc_chain *out, const snc_search_run *r, const snc_search_result *first, const char *table, const char *dir,
                       const cJSON *read, double until)
{
    const snc_targets *t = r->targets;
    *out = (snc_chain){.n = 1, .net = {snc_chosen_of(r->e->space, &first->f[0])}, .latency = {t->of[SNC_TARGET_LATENCY]}};
    out->predicted_us[0] = snc_search_run_predicted_us(r, &first->f[0].o);
    for (int k = 0; k + 1 < snc_chain_length(r->o, t); k++) {
        char name[32], in[4096];
        double mean_us;
        const snc_target latency = latency_of(&mean_us, r, &out->net[0], k);
        const int at = out->n;
        const snc_chosen *large = &out->net[at - 1];
        snprintf(name, sizeof name, "net-%d", k + 1);
        SNC_TRY(snc_path_join(in, sizeof in, dir, name));
        const double now = snc_now(), by = until > 0 ? now + (until - now) / (snc_chain_length(r->o, t) - 1 - k) : 0;
        SNC_TRY(find_within(&out->net[at], &out->predicted_us[at], r, large, &latency, mean_us, table, in, read, by));
        out->latency[at] = latency;
        if (snc_arch_equal(&out->net[at].arch, &large->arch)) { /* it keeps both */
            snc_log(r->e->ctx, SNC_LOG_WARN, "one net is the answer to two latencies: of net %d nothing smaller is left", at - 1);
            out->latency[at - 1] = latency;
        } else out->n++;
    }
    return SNC_OK;
}

cJSON *snc_chain_json(const snc_chain *c)
{
    cJSON *list = cJSON_CreateArray();
    for (int k = 1; k < c->n; k++) {
        const snc_chosen *x = &c->net[k];
        cJSON *j = cJSON_CreateObject();
        cJSON_AddItemToObject(j, "arch", snc_arch_to_json(&x->arch));
        cJSON_AddItemToObject(j, "policy", snc_policy_to_json(&x->policy, x->arch.layers));
        cJSON_AddNumberToObject(j, "rank_loss", x->f.o.loss);
        cJSON_AddNumberToObject(j, "select_loss", x->f.select_loss);
        cJSON_AddNumberToObject(j, "select_score", x->f.select_score);
        cJSON_AddNumberToObject(j, "predicted_us", c->predicted_us[k]);
        cJSON_AddNumberToObject(j, "measured_us", x->f.us);
        cJSON_AddItemToArray(list, j);
    }
    return list;
}
