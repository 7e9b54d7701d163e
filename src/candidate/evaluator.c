/* Scores come from the very kernels and integers that an export will hold; costs from the table and the formulas. */

#include "candidate/evaluator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/evaluations.h"
#include "artifact/latency_table.h"
#include "artifact/load.h"
#include "artifact/spaces.h"
#include "artifact/task_score.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/rng.h"
#include "data/augment.h"
#include "models/cost.h"
#include "models/mixture.h"
#include "train/evaluate.h"
#include "train/loss.h"

_Static_assert((int)SNC_ROUND <= (int)SNC_SHARED_NETS, "a round is asked at once");

static double bytes_of(const snc_evaluator *e, const snc_arch *a, const snc_policy *policy)
{
    snc_bytes b;
    snc_encoder_config cfg = e->supernet->cfg;
    if (e->trim.rows) cfg.vocab = e->trim.kept;
    snc_cost_bytes(&b, &cfg, a, policy, e->tokenizer_bytes, SNC_METADATA_GUESS);
    return (double)b.total;
}

static double macs_of(const snc_evaluator *e, const snc_arch *a)
{
    return (double)snc_cost_encoder_macs(&e->supernet->cfg, a, SNC_MACS_TOKENS);
}

static double latency_from(const snc_evaluator *e, const snc_arch *a, const snc_policy *policy, int from)
{
    double worst = 0;
    for (int k = 0; k < e->tables; k++) worst = fmax(worst, e->weight[k] * snc_latency_predict_from(e->table[k], a, policy, from));
    return worst;
}

double snc_evaluator_latency(const snc_evaluator *e, const snc_arch *a, const snc_policy *policy) { return latency_from(e, a, policy, 0); }

/* What the larger net of a pair takes behind the smaller one: by the clock that says what it takes alone. */
static double latency_behind(const snc_evaluator *e, const snc_arch *a, const snc_policy *policy)
{
    const snc_pairing *p = e->pair;
    const bool one = !snc_mixture_any(&e->supernet->cfg); /* whose nets begin with the very same numbers */
    const int from = one ? snc_arch_handover(&e->supernet->cfg, a, policy, &p->arch, &p->policy) : 0;
    return from ? p->us * latency_from(e, &p->arch, &p->policy, from) / latency_from(e, &p->arch, &p->policy, 0) : p->us;
}

void snc_evaluator_cost(const snc_evaluator *e, snc_obs *o)
{
    snc_arch a;
    snc_policy policy;
    snc_cfg_decode(&a, &policy, e->space, &o->cfg);
    o->latency_us = snc_evaluator_latency(e, &a, &policy);
    o->bytes = bytes_of(e, &a, &policy);
    o->macs = macs_of(e, &a);
}

double snc_loss_to_teacher(const float *z, const float *teacher, int n, int K, snc_meaning problem)
{
    return snc_loss_soft(NULL, z, teacher, problem, n, K, 1, 1);
}

/* ---- losses and scores ------------------------------------------------------------------------------------------------ */

/* Nets that are asked of one set of rows, and who is told what comes of each. */
typedef struct question {
    snc_evaluator *e;
    const snc_shared_net *nets;
    const snc_dataset *d;
    const float *teacher;
    snc_err (*told)(void *user, int i, double loss);
    void *user;
} question;

/* A net's logits become its loss; NULL: they are not finite, a finding about the config: it is never chosen. */
static snc_err judge(void *user, int i, const float *logits)
{
    const question *q = user;
    const snc_shared_net *net = &q->nets[i];
    snc_evaluator *e = q->e;
    const int K = e->supernet->cfg.classes;
    snc_err err = SNC_OK;
    if (!logits) return q->told(q->user, i, NAN);
    if (logits != e->logits) memcpy(e->logits, logits, snc_dataset_logits(q->d, K) * sizeof *logits);
    if (e->pair)
        err = snc_pairing_answer(e->logits, e->pair, e->net, q->d, K, SNC_EVALUATOR_BATCH,
                                 snc_evaluator_latency(e, &net->arch, &net->policy), latency_behind(e, &net->arch, &net->policy));
    if (err == SNC_E_DIVERGED) return q->told(q->user, i, NAN);
    SNC_TRY(err);
    return q->told(q->user, i,
                   snc_loss_to_teacher(e->logits, q->teacher, (int)snc_dataset_answers(q->d), K, snc_meaning_of(&e->supernet->cfg)));
}

/* On the very kernels and integers that an export will hold. */
static snc_err ask_nets(question *q, int n)
{
    snc_evaluator *e = q->e;
    if (e->shared && snc_shared_out_has(e->shared, q->d)) return snc_shared_out_answer(e->shared, q->nets, n, q->d, judge, q);
    for (int i = 0; i < n; i++) {
        SNC_TRY(snc_net_rebind(e->net, &q->nets[i].arch, &q->nets[i].policy));
        snc_err err = snc_loaded_logits(e->logits, e->net, e->supernet->cfg.classes, q->d, SNC_EVALUATOR_BATCH, NULL, NULL);
        if (err != SNC_E_DIVERGED) SNC_TRY(err);
        SNC_TRY(judge(q, i, err ? NULL : e->logits));
    }
    return SNC_OK;
}

static snc_err keep_loss(void *user, int i, double loss)
{
    ((double *)user)[i] = loss;
    return SNC_OK;
}

snc_err snc_evaluator_loss(double *loss, snc_evaluator *e, const snc_arch *a, const snc_policy *policy, const snc_dataset *d,
                           const float *teacher)
{
    const snc_shared_net net = {*a, *policy};
    question q = {e, &net, d, teacher, keep_loss, loss};
    return ask_nets(&q, 1);
}

/* Of the net whose logits are there. */
static snc_err score_of(double *score, const snc_evaluator *e, double loss, const snc_dataset *d)
{
    *score = e->supernet->cfg.vector ? 1 - loss : (double)NAN;
    if (e->supernet->cfg.vector || isnan(loss)) return SNC_OK;
    return snc_task_score_at(score, e->in->task, e->logits, d, e->supernet->cfg.classes, e->threshold);
}

snc_err snc_evaluator_score_net(double *loss, double *score, snc_evaluator *e, const snc_arch *a, const snc_policy *policy,
                                const snc_dataset *d, const float *teacher)
{
    *score = NAN;
    SNC_TRY(snc_evaluator_loss(loss, e, a, policy, d, teacher));
    return score_of(score, e, *loss, d);
}

typedef struct scoring {
    snc_evaluator *e;
    snc_obs *const *o;
    snc_err (*scored)(void *run);
    void *run;
} scoring;

static snc_err keep_score(void *user, int i, double loss)
{
    const scoring *s = user;
    s->o[i]->loss = loss;
    SNC_TRY(score_of(&s->o[i]->metric, s->e, loss, s->e->rank));
    return s->scored(s->run);
}

snc_err snc_evaluator_score_round(snc_obs *const *o, int n, snc_evaluator *e, snc_err (*scored)(void *run), void *run)
{
    snc_shared_net nets[SNC_ROUND];
    scoring s = {e, o, scored, run};
    question q = {e, nets, e->rank, e->teacher_rank, keep_score, &s};
    for (int i = 0; i < n; i++) snc_cfg_decode(&nets[i].arch, &nets[i].policy, e->space, &o[i]->cfg);
    return ask_nets(&q, n);
}

snc_err snc_evaluator_score(double *loss, double *score, snc_evaluator *e, const snc_cfg *cfg, const snc_dataset *d, const float *teacher)
{
    snc_arch a;
    snc_policy policy;
    snc_cfg_decode(&a, &policy, e->space, cfg);
    return snc_evaluator_score_net(loss, score, e, &a, &policy, d, teacher);
}

snc_err snc_evaluator_observe(snc_obs *out, snc_evaluator *e, const snc_cfg *cfg)
{
    *out = (snc_obs){.cfg = *cfg};
    snc_cfg_canonical(&out->cfg, e->space);
    snc_evaluator_cost(e, out);
    return snc_evaluator_score(&out->loss, &out->metric, e, &out->cfg, e->rank, e->teacher_rank);
}

cJSON *snc_evaluator_obs_json(const snc_evaluator *e, const snc_obs *o)
{
    char text[4 * SNC_MAX_GENES];
    snc_arch a;
    snc_policy policy;
    cJSON *j = cJSON_CreateObject();
    snc_cfg_print(text, sizeof text, e->space, &o->cfg);
    snc_cfg_decode(&a, &policy, e->space, &o->cfg);
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

static snc_err ask(float **out, const snc_evaluator *e, const snc_loaded *l, const snc_dataset *d)
{
    SNC_TRY(snc_alloc(out, snc_dataset_logits(d, l->classes), sizeof **out));
    SNC_TRY(snc_loaded_answer(*out, e->ctx, l, d, NULL));
    snc_loaded_order_classes(*out, l, e->in->task, (int)snc_dataset_answers(d));
    return SNC_OK;
}

static snc_err teacher_logits(snc_evaluator *e, const char *path)
{
    snc_loaded l;
    int K = e->supernet->cfg.classes;
    const snc_splits *s = &e->in->splits;
    SNC_TRY(snc_loaded_open(&l, e->ctx, path, K, snc_meaning_of(&e->supernet->cfg)));
    snc_err err = SNC_OK;
    if (!l.has_head) err = snc_err_set(SNC_E_SHAPE, "--teacher %s: has no trained classifier", path);
    else if (l.classes != K) err = snc_err_set(SNC_E_SHAPE, "%s: has %d classes, the supernet %d", path, l.classes, K);
    if (!err) err = ask(&e->teacher_rank, e, &l, e->rank);
    if (!err) err = ask(&e->teacher_select, e, &l, s->select);
    if (!err) err = snc_task_score_at(&e->teacher_rank_score, e->in->task, e->teacher_rank, e->rank, K, l.threshold);
    if (!err) err = snc_task_score_at(&e->teacher_select_score, e->in->task, e->teacher_select, s->select, K, l.threshold);
    if (!err) err = snc_path_hash(&e->teacher_hash, path);
    if (e->supernet->cfg.vector) e->teacher_rank_score = e->teacher_select_score = 1;
    e->threshold = l.threshold;
    e->teacher = path;
    snc_loaded_close(&l);
    return err;
}

snc_err snc_evaluator_fresh(snc_evaluator *e)
{
    const snc_dataset *train = e->in->splits.train;
    snc_augment a = {.join = 0.5, .replace = 0.15}; /* of its own: what judges does not change with the recipe */
    snc_ctx other = *e->ctx;
    snc_model *teacher = NULL;
    snc_err err = SNC_OK;
    bool fine_tuned;
    if (e->teacher_fresh) return SNC_OK;
    other.seed = snc_hash64(e->ctx->seed);
    a.rows = fmin((SNC_FRESH * snc_min(e->in->splits.select->n, e->rank->n) + 0.5) / train->n, 100);
    SNC_TRY(snc_dataset_augment(&e->made, &other, train, &a, NULL));
    e->fresh = snc_dataset_rows_view(e->made, train->n, e->made->n);
    SNC_GOTO(snc_inputs_model(&teacher, &fine_tuned, e->ctx, e->teacher, e->in->task));
    SNC_GOTO(snc_alloc(&e->teacher_fresh, snc_dataset_logits(&e->fresh, teacher->cfg.classes), sizeof *e->teacher_fresh));
    SNC_GOTO(snc_train_eval_model(e->teacher_fresh, e->ctx, teacher, NULL, e->compute, &e->fresh, SNC_EVALUATOR_BATCH, "second look"));
out:
    snc_model_free(teacher);
    return err;
}

static snc_err draw_rank(snc_evaluator *e, const snc_options *o)
{
    const snc_dataset *all = e->in->splits.rank;
    const int n = (int)lround(o->search.rank_share * all->n);
    e->rank = all;
    if (n >= all->n) return SNC_OK;
    SNC_TRY(snc_dataset_draw(&e->drawn, all, snc_max(n, 1), e->ctx->seed));
    e->rank = e->drawn;
    return SNC_OK;
}

static snc_err trim_vocabulary(snc_evaluator *e)
{
    const snc_dataset *train = e->in->splits.train;
    SNC_TRY(snc_trim_new(&e->trim, &e->supernet->tokenizer, e->supernet->cfg.vocab));
    SNC_TRY(snc_trim_see(&e->trim, train->ids, train->start[train->n]));
    e->tokenizer_bytes = snc_trim_tokenizer_bytes(&e->trim);
    return SNC_OK;
}

static void set_full(snc_evaluator *e)
{
    snc_policy int8 = snc_policy_int8();
    e->full[SNC_COST_LATENCY] = snc_evaluator_latency(e, &e->supernet->arch, &int8);
    e->full[SNC_COST_SIZE] = bytes_of(e, &e->supernet->arch, &int8);
    e->full[SNC_COST_MACS] = macs_of(e, &e->supernet->arch);
}

static snc_err load_tables(snc_evaluator *e, const char *path)
{
    for (int k = 0; k < snc_clocks(e->ctx->comm); k++) {
        char table[SNC_TABLE_PATH];
        SNC_TRY(snc_latency_table_of(table, path, e->ctx, k));
        SNC_TRY(snc_latency_load(&e->table[k], table));
        e->weight[k] = 1;
        e->tables = k + 1;
    }
    return SNC_OK;
}

snc_err snc_evaluator_open(snc_evaluator *out, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                           const char *supernet, const char *table, const char *journal)
{
    snc_err err = SNC_OK;
    const snc_splits *s = &in->splits;
    *out = (snc_evaluator){.ctx = ctx, .in = in, .compute = snc_inputs_compute(&o->job)};
    int max_len = snc_max(s->train->max_len, snc_max(s->rank->max_len, s->select->max_len));
    const int most = snc_max(s->rank->n, SNC_FRESH * s->select->n), each = s->train->answers ? max_len : 1;
    const size_t rows = (size_t)most * (size_t)each; /* answers of a row, at most */
    out->plan = (snc_net_opts){.max_tokens = SNC_EVALUATOR_BATCH * max_len, .max_seqs = SNC_EVALUATOR_BATCH, .max_len = max_len};
    SNC_GOTO(snc_model_load(&out->supernet, ctx, supernet, snc_task_classes(in->task), snc_task_meaning(in->task)));
    out->tokenizer_bytes = snc_tok_assets_bytes(&out->supernet->tokenizer);
    SNC_GOTO(load_tables(out, table));
    SNC_GOTO(snc_evaluations_space(&out->space, ctx, o, out->supernet, supernet, out->table[0], journal));
    SNC_GOTO(snc_weights_from_model(&out->weights, ctx, out->supernet));
    SNC_GOTO(snc_net_create(&out->net, ctx, out->weights, NULL, NULL, &out->plan));
    SNC_GOTO(snc_alloc(&out->logits, rows * (size_t)out->supernet->cfg.classes, sizeof *out->logits));
    SNC_GOTO(draw_rank(out, o));
    SNC_GOTO(teacher_logits(out, teacher));
    set_full(out);
    if (o->exporting.trim_vocab)
        SNC_GOTO(trim_vocabulary(out)); /* of what is delivered; the full-size model that x is measured in keeps all */
out:
    if (err) snc_evaluator_close(out);
    return err;
}

snc_dataset snc_evaluator_fresh_rows(const snc_evaluator *e, bool rest)
{
    const int first = e->fresh.n / SNC_FRESH;
    return rest ? snc_dataset_rows_view(&e->fresh, first, e->fresh.n) : snc_dataset_rows_view(&e->fresh, 0, first);
}

snc_err snc_evaluator_share(snc_evaluator *e)
{
    snc_dataset sets[SNC_SHARED_SETS] = {*e->rank, *e->in->splits.select};
    int n = 2;
    if (e->shared || !e->ctx->comm) return SNC_OK;
    if (e->teacher_fresh) {
        sets[n++] = snc_evaluator_fresh_rows(e, false);
        sets[n++] = snc_evaluator_fresh_rows(e, true);
    }
    return snc_shared_out_open(&e->shared, e->ctx, e->supernet, e->net, &e->plan, sets, n);
}

void snc_evaluator_release(snc_evaluator *e)
{
    snc_shared_out_close(e->shared);
    e->shared = NULL;
}

snc_evaluator snc_evaluator_over(const snc_evaluator *e, snc_space *space)
{
    snc_evaluator other = *e;
    other.space = space;
    return other;
}

void snc_evaluator_pair(snc_evaluator *e, snc_pairing *pair)
{
    e->pair = pair;
    e->teacher_hash = snc_pairing_hash(pair, e->teacher_hash);
}

void snc_evaluator_close(snc_evaluator *e)
{
    snc_net_free(e->net);
    snc_weights_free(e->weights);
    for (int k = 0; k < e->tables; k++) snc_latency_free(e->table[k]);
    snc_space_free(e->space);
    snc_model_free(e->supernet);
    snc_free(e->teacher_rank);
    snc_free(e->teacher_select);
    snc_free(e->teacher_fresh);
    snc_dataset_free(e->made);
    snc_dataset_free(e->drawn);
    snc_free(e->logits);
    snc_trim_dispose(&e->trim);
    *e = (snc_evaluator){0};
}
