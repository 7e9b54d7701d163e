/* The second look at the best of a search: another split, a real clock, then one is chosen. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "search/pareto.h"
#include "stage/exporting.h"

enum { ROUNDS = 5 };

/* Candidates: with a latency or size limit the lowest losses within it; with a drop alone the front, fastest first. */
static int candidates(snc_obs *out, snc_obs *obs, int n, bool limited)
{
    int c = 0;
    snc_obs_sort(obs, n);
    if (limited) {
        for (int i = 0; i < n && c < SNC_FINALISTS; i++)
            if (!isnan(obs[i].loss) && obs[i].point.violation <= 0) out[c++] = obs[i];
        return c;
    }
    /* sorted by loss: walking up, a config enters the front when it is faster than all with less loss */
    double fastest = INFINITY;
    snc_obs front[SNC_FINALISTS];
    for (int i = 0; i < n; i++) {
        if (isnan(obs[i].loss) || obs[i].latency_us >= fastest) continue;
        fastest = obs[i].latency_us;
        memmove(front + 1, front, sizeof front - sizeof front[0]);
        front[0] = obs[i];
        c = c < SNC_FINALISTS ? c + 1 : c;
    }
    memcpy(out, front, (size_t)c * sizeof *out);
    return c;
}

snc_err snc_pick_workload_check(int *batch, int *seq, const snc_options *o, const snc_bert_config *c)
{
    snc_int_list b, s;
    SNC_TRY(snc_parse_list(&b, "--batch", o->batch ? o->batch : "1", false));
    SNC_TRY(snc_parse_list(&s, "--seq-len", o->seq_len ? o->seq_len : "data", true));
    SNC_CHECK(b.n == 1, SNC_E_ARG, "--batch '%s': a target has one batch", o->batch);
    SNC_CHECK(s.n == 1, SNC_E_ARG, "--seq-len '%s': a target has one length", o->seq_len);
    SNC_CHECK(s.v[0] <= c->positions, SNC_E_ARG, "--seq-len %d: the model has %d positions", s.v[0], c->positions);
    *batch = b.v[0];
    *seq = s.v[0];
    return SNC_OK;
}

snc_err snc_pick_workload(snc_workload *out, const snc_ctx *ctx, const snc_options *o, const snc_dataset *rank, const snc_bert_config *c)
{
    int batch, seq;
    int32_t *lengths = NULL;
    SNC_TRY(snc_pick_workload_check(&batch, &seq, o, c));
    SNC_TRY(snc_alloc(&lengths, (size_t)rank->n, sizeof *lengths));
    for (int i = 0; i < rank->n; i++) lengths[i] = snc_dataset_len(rank, i);
    snc_err err = snc_workload_new(out, batch, seq, lengths, rank->n, c->vocab, ctx->seed);
    snc_free(lengths);
    return err;
}

/* Interleaved: in each round every finalist and the full-size INT8 net are timed once; medians of rounds. */
static snc_err clock_finalists(snc_finalist *f, int n, snc_pick *p)
{
    snc_err err = SNC_OK;
    snc_workload w = {0};
    snc_net *net[SNC_FINALISTS + 1] = {NULL};
    double us[SNC_FINALISTS + 1][ROUNDS];
    snc_policy int8 = snc_policy_int8();
    snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    mo.seconds = 0.25;
    mo.warmup = 0.05;
    mo.percentile = p->o->percentile / 100;
    SNC_GOTO(snc_pick_workload(&w, p->work, p->o, p->in->splits.rank, &p->supernet->cfg));
    snc_net_opts no = {.max_tokens = w.max_tokens, .max_seqs = w.batch, .max_len = w.max_len};
    SNC_GOTO(snc_ctx_check(p->work));
    for (int i = 0; i <= n; i++) {
        snc_arch a = p->supernet->arch;
        snc_policy policy = int8;
        if (i < n) snc_cfg_decode(&a, &policy, p->space, &f[i].o.cfg);
        SNC_GOTO(snc_net_create(&net[i], p->work, p->weights, &a, &policy, &no));
    }
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i <= n; i++) {
            snc_timing t;
            SNC_GOTO(snc_measure(&t, net[i], w.batches, w.count, &mo));
            us[i][r] = t.value;
        }
    for (int i = 0; i < n; i++) {
        snc_timing t;
        double ratio[ROUNDS];
        for (int r = 0; r < ROUNDS; r++) ratio[r] = us[i][r] / us[n][r];
        snc_timing_of(&t, ratio, ROUNDS, 0.5);
        f[i].ratio = t.median;
        snc_timing_of(&t, us[i], ROUNDS, 0.5);
        f[i].us = t.median;
    }
out:
    for (int i = 0; i <= n; i++) snc_net_free(net[i]);
    snc_workload_free(&w);
    snc_err back = snc_ctx_check(p->ctx);
    return err ? err : back;
}

/* Even shares of every width at full and at less depth: what searches end near. */
static int probes(snc_finalist *f, snc_pick *p)
{
    static const double share[] = {0.85, 0.7, 0.55};
    int n = 0, deepest = p->space->gene[0].n - 1;
    for (int d = deepest; d >= 0 && d >= deepest - 1; d--)
        for (int i = d < deepest; i < 3; i++) {
            snc_obs o = {.cfg = snc_cfg_uniform(p->space, share[i], d)};
            snc_pick_cost(p, &o);
            f[n++] = (snc_finalist){.o = o};
        }
    return n;
}

snc_err snc_pick_calibrate(cJSON **out, snc_pick *p)
{
    snc_finalist f[SNC_FINALISTS];
    int n = probes(f, p);
    SNC_TRY(clock_finalists(f, n, p));
    *out = cJSON_CreateArray();
    for (int i = 0; i < n; i++) {
        const double v[] = {f[i].o.latency_us, f[i].us, f[i].ratio};
        cJSON_AddItemToArray(*out, cJSON_CreateDoubleArray(v, 3));
    }
    return SNC_OK;
}

double snc_pick_factor(const cJSON *probed, double limit_us, bool relative, double full_us)
{
    const cJSON *it;
    double sum = 0, weights = 0;
    cJSON_ArrayForEach(it, probed)
    {
        double predicted = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 0)), us = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 1));
        double ratio = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 2)), off = fabs(predicted / limit_us - 1);
        double w = 1 / (0.05 + off);
        if (!(predicted > 0 && us > 0 && ratio > 0)) continue;
        sum += w * (relative ? ratio * full_us : us) / predicted;
        weights += w;
    }
    return weights > 0 ? sum / weights : 1;
}

static void judge(snc_finalist *f, const snc_pick *p)
{
    const double sure = 0.985; /* so that the interval of the proof stays under the limit as well */
    const snc_target *t = &p->asked.latency;
    f->meets = true;
    if (t->given) f->meets = (t->relative ? f->ratio : f->us) <= sure * t->value;
    if (p->asked.size.given) f->meets = f->meets && f->o.bytes <= p->limits.bytes;
    if (p->asked.max_drop >= 0) f->meets = f->meets && 100 * (p->teacher_select_score - f->select_score) <= p->asked.max_drop;
}

/* Before b: meeting every limit, then the lower loss on select; with a drop alone, the faster. */
static bool before(const snc_finalist *a, const snc_finalist *b, bool limited)
{
    if (a->meets != b->meets) return a->meets;
    if (!limited && a->meets) return a->us < b->us;
    return a->select_loss < b->select_loss;
}

snc_err snc_pick_choose(snc_finalist out[SNC_FINALISTS], int *n, snc_pick *p, snc_obs *obs, int n_obs)
{
    snc_obs best[SNC_FINALISTS];
    bool limited = p->asked.latency.given || p->asked.size.given || p->asked.macs.given;
    *n = candidates(best, obs, n_obs, limited);
    if (*n == 0) {
        snc_log(p->ctx, SNC_LOG_WARN, "no config is within the limits: the smallest net of the space is the nearest");
        SNC_TRY(snc_pick_observe(&best[(*n)++], p, &(snc_cfg){{0}}));
    }
    for (int i = 0; i < *n; i++) {
        out[i] = (snc_finalist){.o = best[i]};
        SNC_TRY(snc_pick_look(&out[i].select_loss, &out[i].select_score, p, &best[i].cfg, p->in->splits.select, p->teacher_select));
    }
    SNC_TRY(clock_finalists(out, *n, p));
    for (int i = 0; i < *n; i++) {
        judge(&out[i], p);
        for (int k = i; k > 0 && before(&out[k], &out[k - 1], limited); k--) {
            snc_finalist t = out[k];
            out[k] = out[k - 1];
            out[k - 1] = t;
        }
    }
    for (int i = 0; i < *n; i++)
        snc_log(p->ctx, SNC_LOG_INFO, "finalist %d: loss %.4f on rank, %.4f on select, score %.2f (teacher %.2f), %.0f us = %.3fx (predicted %.0f us)%s",
                i + 1, out[i].o.loss, out[i].select_loss, 100 * out[i].select_score, 100 * p->teacher_select_score, out[i].us, out[i].ratio,
                out[i].o.latency_us, out[i].meets ? "" : ", misses a limit");
    return SNC_OK;
}

snc_err snc_pick_save_front(const char *path, const snc_pick *p, const snc_obs *obs, int n, const snc_finalist *f, int n_f)
{
    cJSON *j = cJSON_CreateObject(), *list;
    cJSON *chosen = snc_pick_obs_json(p, &f[0].o);
    cJSON_AddNumberToObject(chosen, "select_loss", f[0].select_loss);
    cJSON_AddNumberToObject(chosen, "select_score", f[0].select_score);
    cJSON_AddNumberToObject(chosen, "measured_us", f[0].us);
    cJSON_AddNumberToObject(chosen, "measured_ratio", f[0].ratio);
    cJSON_AddItemToObject(j, "chosen", chosen);
    cJSON_AddNumberToObject(j, "full_int8_us", p->full_us);
    cJSON_AddNumberToObject(j, "full_int8_bytes", p->full_bytes);
    cJSON_AddNumberToObject(j, "evaluations", n);
    cJSON_AddNumberToObject(j, "finalists", n_f);
    list = cJSON_AddArrayToObject(j, "front");
    for (int i = 0; i < n; i++) {
        bool beaten = isnan(obs[i].loss);
        for (int k = 0; k < n && !beaten; k++)
            beaten = !isnan(obs[k].loss) && obs[k].loss <= obs[i].loss && obs[k].latency_us <= obs[i].latency_us && obs[k].bytes <= obs[i].bytes &&
                     (obs[k].loss < obs[i].loss || obs[k].latency_us < obs[i].latency_us || obs[k].bytes < obs[i].bytes);
        if (!beaten) cJSON_AddItemToArray(list, snc_pick_obs_json(p, &obs[i]));
    }
    snc_err err = snc_json_save(j, path);
    cJSON_Delete(j);
    return err;
}
