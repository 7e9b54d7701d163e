#include "stage/exporting.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "models/cost.h"
#include "stage/depends.h"

enum { BATCH = 64 };

static double bytes_of(const snc_pick *p, const snc_arch *a, const snc_policy *policy)
{
    snc_bytes b;
    snc_bert_config cfg = p->supernet->cfg;
    if (p->trim.rows) cfg.vocab = p->trim.kept;
    snc_cost_bytes(&b, &cfg, a, policy, p->tokenizer_bytes, SNC_METADATA_GUESS);
    return (double)b.total;
}

static double macs_of(const snc_pick *p, const snc_arch *a) { return (double)snc_cost_encoder_macs(&p->supernet->cfg, a, SNC_MACS_TOKENS); }

void snc_pick_cost(const snc_pick *p, snc_obs *o)
{
    snc_arch a;
    snc_policy policy;
    snc_cfg_decode(&a, &policy, p->space, &o->cfg);
    o->latency_us = snc_latency_predict(p->table, &a, &policy);
    o->bytes = bytes_of(p, &a, &policy);
    o->macs = macs_of(p, &a);
}

/* On the very kernels and integers that an export will hold. The logits stay in p->logits. */
snc_err snc_pick_look_at(double *loss, double *score, snc_pick *p, const snc_arch *a, const snc_policy *policy, const snc_dataset *d,
                         const float *teacher)
{
    int K = p->supernet->cfg.classes;
    SNC_TRY(snc_net_rebind(p->net, a, policy));
    snc_err err = snc_loaded_logits(p->logits, p->net, K, d, BATCH, NULL, NULL);
    if (err == SNC_E_DIVERGED) { /* a finding about the config: it is never chosen */
        *loss = *score = NAN;
        return SNC_OK;
    }
    SNC_TRY(err);
    *loss = snc_step_distance(p->logits, teacher, d->n, K, snc_meaning_of(&p->supernet->cfg));
    return snc_inputs_score_at(score, p->in->task, p->logits, d, K, p->threshold);
}

snc_err snc_pick_look(double *loss, double *score, snc_pick *p, const snc_cfg *cfg, const snc_dataset *d, const float *teacher)
{
    snc_arch a;
    snc_policy policy;
    snc_cfg_decode(&a, &policy, p->space, cfg);
    return snc_pick_look_at(loss, score, p, &a, &policy, d, teacher);
}

snc_err snc_pick_observe(snc_obs *out, snc_pick *p, const snc_cfg *cfg)
{
    *out = (snc_obs){.cfg = *cfg};
    snc_cfg_canonical(&out->cfg, p->space);
    snc_pick_cost(p, out);
    return snc_pick_look(&out->loss, &out->metric, p, &out->cfg, p->in->splits.rank, p->teacher_rank);
}

cJSON *snc_pick_obs_json(const snc_pick *p, const snc_obs *o)
{
    char text[4 * SNC_MAX_GENES];
    snc_arch a;
    snc_policy policy;
    cJSON *j = cJSON_CreateObject();
    snc_cfg_print(text, sizeof text, p->space, &o->cfg);
    snc_cfg_decode(&a, &policy, p->space, &o->cfg);
    cJSON_AddStringToObject(j, "config", text);
    cJSON_AddItemToObject(j, "arch", snc_arch_to_json(&a));
    cJSON_AddItemToObject(j, "policy", snc_policy_to_json(&policy, a.layers));
    cJSON_AddNumberToObject(j, "loss", o->loss);
    cJSON_AddNumberToObject(j, "metric", o->metric);
    cJSON_AddNumberToObject(j, "latency_us", o->latency_us);
    cJSON_AddNumberToObject(j, "bytes", o->bytes);
    cJSON_AddNumberToObject(j, "macs", o->macs);
    return j;
}

static snc_err teacher_logits(snc_pick *p, const char *path)
{
    snc_loaded l;
    size_t K = (size_t)p->supernet->cfg.classes;
    const snc_splits *s = &p->in->splits;
    SNC_TRY(snc_loaded_open(&l, p->ctx, path, (int)K, snc_meaning_of(&p->supernet->cfg)));
    snc_err err = SNC_OK;
    if (!l.has_head) err = snc_err_set(SNC_E_SHAPE, "--teacher %s: has no trained classifier", path);
    else if (l.classes != p->supernet->cfg.classes) err = snc_err_set(SNC_E_SHAPE, "%s: has %d classes, the supernet %zu", path, l.classes, K);
    if (!err) err = snc_alloc(&p->teacher_rank, (size_t)s->rank->n * K, sizeof(float));
    if (!err) err = snc_alloc(&p->teacher_select, (size_t)s->select->n * K, sizeof(float));
    if (!err) err = snc_loaded_answer(p->teacher_rank, p->ctx, &l, s->rank, NULL);
    if (!err) err = snc_loaded_answer(p->teacher_select, p->ctx, &l, s->select, NULL);
    if (!err) snc_loaded_order_classes(p->teacher_rank, &l, p->in->task, s->rank->n);
    if (!err) snc_loaded_order_classes(p->teacher_select, &l, p->in->task, s->select->n);
    if (!err) err = snc_inputs_score_at(&p->teacher_rank_score, p->in->task, p->teacher_rank, s->rank, (int)K, l.threshold);
    if (!err) err = snc_inputs_score_at(&p->teacher_select_score, p->in->task, p->teacher_select, s->select, (int)K, l.threshold);
    if (!err) err = snc_path_hash(&p->teacher_hash, path);
    p->threshold = l.threshold;
    snc_loaded_close(&l);
    return err;
}

static snc_err trim_vocabulary(snc_pick *p)
{
    const snc_dataset *train = p->in->splits.train;
    const snc_tok_assets *a = &p->supernet->tokenizer;
    if (!p->o->trim_vocab) return SNC_OK;
    SNC_TRY(snc_trim_new(&p->trim, a, p->supernet->cfg.vocab));
    snc_trim_see(&p->trim, train->ids, train->start[train->n]);
    p->tokenizer_bytes = snc_trim_vocab_bytes(&p->trim, a) + strlen(a->config);
    return SNC_OK;
}

/* What nets near the latency limit take of what the table says. */
static snc_err set_factor(snc_pick *p, const char *table)
{
    char stamp[4096];
    cJSON *j = NULL;
    const snc_target *t = &p->asked.of[SNC_TARGET_LATENCY];
    if (!t->given) return SNC_OK;
    SNC_TRY(snc_table_inputs_path(stamp, sizeof stamp, table));
    SNC_TRY(snc_json_load(&j, stamp));
    p->factor = snc_pick_factor(cJSON_GetObjectItemCaseSensitive(j, "calibration"), snc_target_limit(SNC_TARGET_LATENCY, t, p->full[SNC_COST_LATENCY]),
                                t->relative, p->full[SNC_COST_LATENCY]);
    cJSON_Delete(j);
    snc_log(p->ctx, SNC_LOG_INFO, "calibration: nets near the target take %.3f of what the table says", p->factor);
    return SNC_OK;
}

static snc_err set_limits(snc_pick *p, const char *table)
{
    snc_policy int8 = snc_policy_int8();
    p->full[SNC_COST_LATENCY] = snc_latency_predict(p->table, &p->supernet->arch, &int8);
    p->full[SNC_COST_SIZE] = bytes_of(p, &p->supernet->arch, &int8);
    p->full[SNC_COST_MACS] = macs_of(p, &p->supernet->arch);
    SNC_TRY(trim_vocabulary(p)); /* of what is delivered; the full-size model that x is measured in keeps all */
    SNC_TRY(set_factor(p, table));
    for (int k = 0; k < SNC_COSTS; k++)
        if (p->asked.of[k].given) *snc_limit(&p->limits, k) = snc_target_limit(k, &p->asked.of[k], p->full[k]);
    p->limits.latency_us /= p->factor;
    return SNC_OK;
}

snc_err snc_pick_open(snc_pick *out, const snc_ctx *ctx, const snc_ctx *work, const snc_options *o, const snc_inputs *in,
                      const char *teacher, const char *supernet, const char *table, const char *dir)
{
    snc_err err = SNC_OK;
    const snc_splits *s = &in->splits;
    *out = (snc_pick){.ctx = ctx, .work = work, .o = o, .in = in, .factor = 1};
    int max_len = s->rank->max_len > s->select->max_len ? s->rank->max_len : s->select->max_len;
    int rows = s->rank->n > s->select->n ? s->rank->n : s->select->n;
    snc_net_opts no = {.max_tokens = BATCH * max_len, .max_seqs = BATCH, .max_len = max_len};
    SNC_GOTO(snc_asked_parse(&out->asked, o, "search"));
    SNC_GOTO(snc_model_load(&out->supernet, ctx, supernet, snc_task_classes(in->task), snc_task_meaning(in->task)));
    out->tokenizer_bytes = out->supernet->tokenizer.vocab_bytes + strlen(out->supernet->tokenizer.config ? out->supernet->tokenizer.config : "");
    SNC_GOTO(snc_step_trained_space(&out->space, o, out->supernet, supernet));
    SNC_GOTO(snc_latency_load(&out->table, table));
    SNC_GOTO(snc_weights_from_model(&out->weights, ctx, out->supernet));
    SNC_GOTO(snc_net_create(&out->net, ctx, out->weights, NULL, NULL, &no));
    SNC_GOTO(snc_alloc(&out->logits, (size_t)rows * (size_t)out->supernet->cfg.classes, sizeof *out->logits));
    SNC_GOTO(teacher_logits(out, teacher));
    SNC_GOTO(snc_path_join(out->best_path, sizeof out->best_path, dir, "best.json"));
    SNC_GOTO(set_limits(out, table));
out:
    if (err) snc_pick_close(out);
    return err;
}

void snc_pick_close(snc_pick *p)
{
    snc_net_free(p->net);
    snc_weights_free(p->weights);
    snc_latency_free(p->table);
    snc_space_free(p->space);
    snc_model_free(p->supernet);
    snc_free(p->teacher_rank);
    snc_free(p->teacher_select);
    snc_free(p->logits);
    snc_trim_dispose(&p->trim);
    *p = (snc_pick){0};
}
