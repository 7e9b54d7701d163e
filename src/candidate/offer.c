/* Costs by formula, times by whole nets on the clock, scores by the rows that candidates of a search are ranked by. */
#include "candidate/offer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/parse.h"
#include "artifact/recipes.h"
#include "artifact/task_score.h"
#include "base/mem.h"
#include "base/room.h"
#include "candidate/evaluator.h"
#include "candidate/needs.h"
#include "candidate/workload.h"
#include "models/cost.h"
#include "models/measure.h"
#include "models/snc_file.h"
#include "train/evaluate.h"
#include "tokenizer/kind.h"
#include "train/trainer.h"

/* ---- policies -------------------------------------------------------------------------------------------------------------- */

static const char *const policy_names[] = {"f32", "bf16", "int8", "int4"};

const char *snc_offer_policy_name(int i) { return i < SNC_OFFER_POLICIES ? policy_names[i] : NULL; }

bool snc_offer_policy(snc_policy *out, const char *name)
{
    if (strcmp(name, "f32") == 0) *out = snc_policy_uniform(SNC_F32, SNC_F32);
    else if (strcmp(name, "bf16") == 0) *out = snc_policy_uniform(SNC_BF16, SNC_BF16);
    else if (strcmp(name, "int8") == 0) *out = snc_policy_int8();
    else if (strcmp(name, "int4") != 0) return false;
    else {
        *out = snc_policy_uniform(SNC_I4, SNC_I4);
        out->pooler = SNC_I8; /* the head's two matrices are small, and the last to see the numbers */
        out->classifier = SNC_F32;
    }
    return true;
}

/* ---- what it is ------------------------------------------------------------------------------------------------------------- */

static void list_labels(snc_offer *x, const snc_model *m)
{
    size_t n = 0;
    for (int k = 0; m->labels && k < m->cfg.classes && n < sizeof x->labels; k++)
        n += (size_t)snprintf(x->labels + n, sizeof x->labels - n, "%s%s", k ? ", " : "", m->labels[k]);
}

void snc_offer_look(snc_offer *out, const char *name, const snc_model *m)
{
    int length = snc_family_length(&m->cfg) < SNC_MACS_TOKENS ? snc_family_length(&m->cfg) : SNC_MACS_TOKENS;
    *out = (snc_offer){.name = name, .cfg = m->cfg, .arch = m->arch, .has_head = m->has_head, .score = NAN, .seconds = NAN};
    const snc_tok_kind *kind = m->tokenizer.kind;
    snprintf(out->tokenizer, sizeof out->tokenizer, "%s", kind ? kind->name : "none");
    list_labels(out, m);
    out->parameters = (double)snc_cost_params(&m->cfg, &m->arch);
    out->embeddings = (double)m->cfg.vocab * m->arch.hidden;
    out->macs = (double)snc_cost_macs(&m->cfg, &m->arch, length);
    for (int i = 0; i < SNC_OFFER_POLICIES; i++) {
        snc_policy p;
        snc_bytes b;
        out->bytes[i] = out->us[i] = NAN;
        if (!snc_offer_policy(&p, policy_names[i])) continue;
        snc_cost_bytes(&b, &m->cfg, &m->arch, &p, snc_tok_assets_bytes(&m->tokenizer), SNC_METADATA_GUESS);
        out->bytes[i] = (double)b.total;
    }
}

/* ---- what it takes ------------------------------------------------------------------------------------------------------------ */

/* Without a task there are no real lengths: what would be theirs is then what multiply-adds are told at, or as long as the model takes. */
static snc_err open_workload(snc_workload *out, const snc_ctx *work, const snc_options *o, const snc_dataset *rank,
                             const snc_encoder_config *c)
{
    int batch, seq;
    if (rank) return snc_workload_of_options(out, work, &o->workload, rank, c);
    SNC_TRY(snc_workload_check(&batch, &seq, &o->workload, c));
    if (seq == 0) seq = snc_family_length(c) < SNC_MACS_TOKENS ? snc_family_length(c) : SNC_MACS_TOKENS;
    return snc_workload_new(out, batch, seq, NULL, 0, c->vocab, work->seed);
}

static snc_err time_policy(double *us, const snc_ctx *work, const snc_options *o, snc_weights *w, const snc_policy *p,
                           const snc_workload *load)
{
    snc_net *net = NULL;
    snc_timing t;
    snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    const snc_net_opts no = {.max_tokens = load->max_tokens, .max_seqs = load->batch, .max_len = load->max_len};
    if (o->bench.time_budget) {
        SNC_TRY(snc_parse_seconds(&mo.seconds, "--time-budget", o->bench.time_budget));
        mo.whole = mo.seconds;
        mo.warmup = mo.seconds < 1 ? mo.seconds / 10 : mo.warmup;
    }
    mo.percentile = o->workload.percentile / 100;
    SNC_TRY(snc_net_create(&net, work, w, NULL, p, &no));
    snc_err err = snc_measure(&t, net, load->batches, load->count, &mo);
    snc_net_free(net);
    if (!err) *us = t.value;
    return err;
}

snc_err snc_offer_time(snc_offer *x, const snc_ctx *work, const snc_options *o, const snc_dataset *rank, const snc_model *m)
{
    snc_err err = SNC_OK;
    snc_weights *w = NULL;
    snc_workload load = {0};
    SNC_TRY(snc_weights_from_model(&w, work, m));
    SNC_GOTO(open_workload(&load, work, o, rank, &m->cfg));
    for (int i = 0; i < SNC_OFFER_POLICIES; i++) {
        snc_policy p;
        snc_progress(work, "times", i, SNC_OFFER_POLICIES, "%s %s", x->name, policy_names[i]);
        SNC_GOTO(snc_go_on(work));
        if (!snc_offer_policy(&p, policy_names[i])) continue;
        err = time_policy(&x->us[i], work, o, w, &p, &load);
        if (err == SNC_E_CANCELLED) goto out;
        if (err) snc_log(work, SNC_LOG_WARN, "%s: %s is not timed: %s", x->name, policy_names[i], snc_err_text());
        err = SNC_OK;
    }
out:
    snc_workload_free(&load);
    snc_weights_free(w);
    return err;
}

/* ---- what it learns ------------------------------------------------------------------------------------------------------------- */

snc_err snc_offer_train(snc_offer *x, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *path)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    snc_train_opts t;
    snc_train_result r = {0};
    const snc_dataset rows = snc_dataset_labelled_view(in->splits.train), *rank = in->splits.rank;
    bool fine_tuned;
    SNC_TRY(snc_inputs_model(&m, &fine_tuned, ctx, path, in->task));
    const snc_needs needs = {ctx, o, in, m, SNC_VERB_FINETUNE, 0};
    SNC_GOTO(snc_needs_here(&needs));
    SNC_GOTO(snc_recipe_finetune(&t, o, NULL));
    t.what = x->name;
    SNC_GOTO(snc_train_run(&r, ctx, m, NULL, &rows, NULL, &t));
    SNC_GOTO(snc_alloc(&x->logits, snc_dataset_logits(rank, m->cfg.classes), sizeof *x->logits));
    SNC_GOTO(snc_train_eval_model(x->logits, ctx, m, &m->arch, snc_inputs_compute(&o->job), rank, 64, NULL));
    SNC_GOTO(snc_task_score(&x->score, NULL, in->task, x->logits, rank, m->cfg.classes));
    x->seconds = r.seconds;
out:
    snc_model_free(m);
    return err;
}

/* In their order where scores are equal: qsort would not keep it. */
static void sort(snc_offer *x, int n)
{
    for (int i = 1; i < n; i++) {
        snc_offer one = x[i];
        int k = i;
        for (; k > 0 && !isnan(one.score) && !(x[k - 1].score >= one.score); k--) x[k] = x[k - 1];
        x[k] = one;
    }
}

snc_err snc_offer_rank(snc_offer *x, int n, const snc_ctx *ctx, const snc_task *task, const snc_dataset *rank)
{
    sort(x, n);
    for (int i = 1; i < n && !isnan(x[i].score); i++)
        SNC_TRY(snc_drop_of(&x[i].under, ctx, task, rank, x[0].logits, x[0].score, x[i].logits, x[i].score, snc_task_classes(task)));
    return SNC_OK;
}

void snc_offer_dispose(snc_offer *x)
{
    snc_free(x->logits);
    *x = (snc_offer){0};
}
