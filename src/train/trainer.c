/* The training loop: set-up, checkpoints, a step, the loop. */
#include "train/trainer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "data/balance.h"
#include "train/adamw.h"
#include "train/evaluate.h"
#include "train/facts.h"
#include "train/fakequant.h"
#include "train/gradients.h"
#include "train/momentum_copy.h"
#include "train/touched.h"

enum { BLOCKS = 10, PACED = 8 /* steps that a pace is told by */ };
static const double PROGRESS_EVERY = 0.25; /* seconds */

typedef struct tally { /* of the epoch under way; part of the checkpoint */
    int64_t rows;
    double loss, full_loss; /* sums over rows */
} tally;

typedef struct trainer {
    const snc_ctx *ctx;
    snc_model *m, *teacher;
    const snc_dataset *d;
    const snc_space *space; /* NULL: the whole model alone */
    const snc_train_opts *o;
    snc_sampler *sampler;           /* NULL with it */
    snc_sampler_gradient *gradient; /* [L] where the sampler asks */
    snc_arch nets[SNC_SAMPLER_MAX];
    double loss[SNC_SAMPLER_MAX];
    int n_nets;         /* of the last step */
    snc_engine *e, *te; /* te: only for hidden states */
    snc_momentum *copy; /* NULL: no objective wants it */
    snc_adamw *adamw;
    snc_fakequant *quant; /* NULL: none */
    snc_touched *touched;
    snc_batcher *batcher;
    snc_data_view view; /* of the data and what the teacher says of it, for `rows` */
    snc_data_sampler *rows;
    int K, L;
    int64_t step, per_epoch, total, asked;                          /* total: those that fit; asked: of the options */
    float *swept;                                                   /* the teacher's logits, where the caller has none; else NULL */
    const float *taught;                                            /* [n, K] or NULL: no teacher */
    float *logits, *dlogits, *soft, *full, *before, *slow, *target; /* [answers, K]; of the net before, of the copy; and [answers] */
    int32_t *offsets, *read;                                        /* [batch + 1] of a part of it; [answers] of tags */
    bool tags;
    float *dhidden;                                /* [L+1, max tokens, C] or NULL */
    snc_objective_attention attention, *relations; /* the second NULL: no objective wants it */
    double *balance;                               /* weights of the classes or labels, or NULL */
    tally tally;
    snc_fact facts[SNC_TRAIN_FACTS];
    int n_facts;
    double started, shown, saved, paced, opening;
    int64_t rows_done, first; /* first: step of this process */
} trainer;

/* ---- set-up --------------------------------------------------------------------------------------------------------- */

static snc_err check_teacher(const snc_model *m, const snc_model *teacher, const snc_train_opts *o)
{
    if (!teacher) {
        SNC_CHECK(!o->teacher_logits || !o->checkpoint, SNC_E_ARG, "a checkpoint would not know whose the teacher's logits are");
        return SNC_OK;
    }
    SNC_CHECK(teacher->cfg.classes == m->cfg.classes && snc_meaning_of(&teacher->cfg) == snc_meaning_of(&m->cfg), SNC_E_SHAPE,
              "the teacher has %d classes, the model %d", teacher->cfg.classes, m->cfg.classes);
    return SNC_OK;
}

static snc_err check_data(const snc_dataset *d, const snc_model *m)
{
    SNC_CHECK(d->n >= 1, SNC_E_ARG, "no rows to train on");
    int V = m->cfg.vocab, P = snc_family_length(&m->cfg), types = m->cfg.types;
    SNC_CHECK(d->max_len <= P, SNC_E_SHAPE, "a row of %d tokens: the model has %d positions", d->max_len, P);
    for (int64_t i = 0; i < d->start[d->n]; i++)
        SNC_CHECK(d->ids[i] >= 0 && d->ids[i] < V && d->types[i] >= 0 && (d->types[i] < types || types == 0), SNC_E_SHAPE,
                  "token id %d, type %d: the model has %d words and %d types", (int)d->ids[i], (int)d->types[i], V, types);
    SNC_CHECK(!m->cfg.multilabel == !d->sets && (!d->sets || d->sets->K == m->cfg.classes), SNC_E_SHAPE,
              "rows of %d labels, the model has %d%s", d->sets ? d->sets->K : 1, m->cfg.classes, m->cfg.multilabel ? "" : " classes");
    SNC_CHECK(m->cfg.tags == (d->answers != NULL), SNC_E_SHAPE, "rows whose answers are %s, the model's are %s",
              d->answers ? "of words" : "one each", m->cfg.tags ? "of words" : "one each");
    for (int i = 0; i < snc_dataset_answers(d) && !m->cfg.regression && !m->cfg.vector; i++)
        SNC_CHECK(isnan((double)d->target[i]) || (d->target[i] >= 0 && d->target[i] < (float)(d->sets ? d->sets->n : m->cfg.classes)),
                  SNC_E_SHAPE, "row %d: class %g, the model has %d classes", i, (double)d->target[i], m->cfg.classes);
    return SNC_OK;
}

static void repack(void *user, int param, int r0, int r1) { snc_engine_sync_rows(user, param, r0, r1); }

static snc_err allocate_relations(trainer *t, const snc_engine_opts *o)
{
    int most = 0;
    for (int l = 0; l < t->L; l++) most = t->m->arch.heads[l] > most ? t->m->arch.heads[l] : most;
    const size_t rows[] = {(size_t)o->max_seqs, (size_t)o->max_tokens, (size_t)o->max_tokens};
    for (int i = 0; i < 3; i++) SNC_TRY(snc_alloc(&t->attention.d[i], rows[i] * (size_t)(most * t->m->cfg.head_width), sizeof(float)));
    SNC_TRY(snc_alloc(&t->attention.sums, (size_t)o->max_seqs * (size_t)most, sizeof(double)));
    SNC_TRY(snc_alloc(&t->attention.scratch, (size_t)t->ctx->threads * 2 * (size_t)o->max_len, sizeof(double)));
    t->attention.longest = o->max_len;
    t->relations = &t->attention;
    return SNC_OK;
}

static snc_err create_engines(trainer *t)
{
    snc_engine_opts o = SNC_ENGINE_OPTS_INIT;
    o.first_only = true;
    o.compute = t->o->compute;
    o.max_seqs = t->o->batch_size;
    o.max_len = t->d->max_len;
    o.max_tokens = snc_batcher_max_tokens(t->batcher);
    SNC_TRY(snc_engine_create(&t->e, t->ctx, t->m, &o));
    for (int i = 0; i < t->m->params.n; i++)
        if (snc_engine_owns_grad(t->e, i)) snc_adamw_keep_grad(t->adamw, i);
    if (!t->o->fake_quant) snc_adamw_on_write(t->adamw, repack, t->e);
    else {
        SNC_TRY(snc_fakequant_new(&t->quant, t->ctx, t->m, t->o->fake_quant));
        snc_fakequant_apply(t->quant);
        snc_engine_sync(t->e);
    }
    const unsigned reads = snc_objectives_reads(t->o->objectives, t->o);
    const bool hidden = reads & SNC_READS_HIDDEN, relations = reads & SNC_READS_ATTENTION;
    if (t->copy) SNC_TRY(snc_momentum_bind(t->copy, &o));
    if (hidden || relations) SNC_TRY(snc_engine_create(&t->te, t->ctx, t->teacher, &o));
    if (hidden) SNC_TRY(snc_alloc(&t->dhidden, (size_t)(t->L + 1) * (size_t)o.max_tokens * (size_t)t->m->arch.hidden, sizeof(float)));
    return relations ? allocate_relations(t, &o) : SNC_OK;
}

static snc_err allocate(trainer *t)
{
    size_t rows = (size_t)t->o->batch_size, n = (size_t)snc_batcher_max_answers(t->batcher), k = n * (size_t)t->K;
    SNC_TRY(snc_alloc(&t->logits, k, sizeof(float)));
    SNC_TRY(snc_alloc(&t->dlogits, k, sizeof(float)));
    SNC_TRY(snc_alloc(&t->soft, k, sizeof(float)));
    SNC_TRY(snc_alloc(&t->full, k, sizeof(float)));
    SNC_TRY(snc_alloc(&t->before, k, sizeof(float)));
    SNC_TRY(snc_alloc(&t->slow, k, sizeof(float)));
    if (snc_objectives_reads(t->o->objectives, t->o) & SNC_READS_COPY) SNC_TRY(snc_momentum_new(&t->copy, t->ctx, t->m, t->o->momentum));
    SNC_TRY(snc_alloc(&t->target, n, sizeof(float)));
    SNC_TRY(snc_alloc(&t->offsets, rows + 1, sizeof *t->offsets));
    if (t->tags) SNC_TRY(snc_alloc(&t->read, n, sizeof *t->read));
    if (t->o->balanced) SNC_TRY(snc_balance_new(&t->balance, t->d->target, (int)snc_dataset_answers(t->d), t->d->sets, t->K));
    return snc_touched_new(&t->touched, t->m);
}

static snc_err create_sampler(trainer *t)
{
    if (!t->space) return SNC_OK;
    SNC_TRY(snc_space_check(t->space, &t->m->arch));
    const snc_sampler_opts o = {
        .random = t->o->random_nets, .near = t->o->near, .pools = t->o->pools, .seed = t->ctx->seed, .cfg = &t->m->cfg};
    SNC_TRY(snc_sampler_create(&t->sampler, t->o->sampler, t->space, &o));
    return t->o->sampler->gradients ? snc_alloc(&t->gradient, (size_t)t->L, sizeof *t->gradient) : SNC_OK;
}

static snc_err create_optimiser(trainer *t)
{
    snc_schedule s = {.lr = t->o->lr, .total = t->total, .warmup = t->o->warmup};
    snc_adamw_opts a = SNC_ADAMW_OPTS_INIT;
    a.weight_decay = (float)t->o->weight_decay;
    a.clip = (float)t->o->clip;
    a.lazy = t->o->lazy_rows;
    a.half_state = t->o->half_state;
    SNC_TRY(snc_adamw_create(&t->adamw, t->ctx, &t->m->params, &s, &a));
    snc_params_zero_grad(&t->m->params);
    return SNC_OK;
}

static snc_err teacher_sweep(trainer *t)
{
    uint8_t *met = NULL;
    t->taught = t->o->teacher_logits;
    if (!t->teacher || t->taught) return SNC_OK;
    SNC_TRY(snc_alloc(&met, (size_t)t->d->n, 1));
    snc_err err = snc_train_rows_met(met, t->ctx, t->d, t->o);
    if (!err) err = snc_train_sweep(&t->swept, t->ctx, t->teacher, t->o->compute, t->d, met, "teacher logits");
    t->taught = t->swept;
    snc_free(met);
    return err;
}

/* ---- checkpoints ---------------------------------------------------------------------------------------------------- */

/* Returns how many. */
static int list_blocks(snc_block *b, trainer *t)
{
    snc_adamw_state a = snc_adamw_state_view(t->adamw);
    b[0] = (snc_block){a.step, sizeof *a.step};
    b[1] = (snc_block){a.schedule, sizeof *a.schedule};
    b[2] = (snc_block){&t->tally, sizeof t->tally};
    b[3] = (snc_block){t->m->params.w, t->m->params.total * sizeof(float)};
    for (int i = 0; i < 3; i++) b[4 + i] = (snc_block){a.block[i], a.bytes[i]};
    int n = 7;
    if (t->sampler && t->o->sampler->block) b[n++] = snc_sampler_block(t->sampler);
    if (t->copy) b[n++] = snc_momentum_block(t->copy);
    if (t->o->data_sampler->draw) b[n++] = snc_data_sampler_block(t->rows);
    return n;
}

static snc_err save(trainer *t)
{
    if (!t->o->checkpoint) return SNC_OK;
    snc_block b[BLOCKS];
    int n = list_blocks(b, t);
    snc_fakequant_restore(t->quant);
    snc_err err = snc_checkpoint_save(t->o->checkpoint, t->facts, t->n_facts, b, n);
    snc_fakequant_apply(t->quant);
    t->saved = snc_now();
    return err;
}

static snc_err resume(trainer *t)
{
    if (!t->o->checkpoint) return SNC_OK;
    t->n_facts = snc_train_facts(t->facts, t->ctx, t->m, t->teacher, t->d, t->space, t->o);
    if (!t->o->resume || !snc_is_file(t->o->checkpoint)) return SNC_OK;
    snc_block b[BLOCKS];
    int n = list_blocks(b, t);
    snc_err err = snc_checkpoint_load(t->o->checkpoint, t->facts, t->n_facts, b, n);
    if (err && t->o->discard) {
        snc_log(t->ctx, SNC_LOG_INFO, "%s; %s begins anew", snc_err_text(), t->o->what);
        return SNC_OK;
    }
    SNC_TRY(err);
    const snc_adamw_state a = snc_adamw_state_view(t->adamw);
    snc_adamw_state_written(t->adamw);
    t->step = *a.step;
    t->total = a.schedule->total; /* fewer than asked for where it was shortened */
    snc_log(t->ctx, SNC_LOG_INFO, "%s: resumed at step %lld of %lld", t->o->what, (long long)t->step, (long long)t->total);
    return SNC_OK;
}

/* ---- a step --------------------------------------------------------------------------------------------------------- */

/* What is not finite: the source of the weights may know it more exactly. */
static snc_err diverged(const trainer *t, const char *what)
{
    const snc_source_kind *kind = t->m->source.kind;
    char of[SNC_PARAM_NAME], more[SNC_PARAM_NAME + 40] = "";
    if (kind->broken && kind->broken(of, t->m)) snprintf(more, sizeof more, ", nor %s (weights %s)", of, kind->name);
    return snc_err_set(SNC_E_DIVERGED, "step %lld: %s is not finite%s; try a smaller learning rate than %g", (long long)t->step + 1, what,
                       more, t->o->lr);
}

/* The largest net, which the others may learn from; false where the sampler draws none. */
static bool is_largest(const trainer *t, int i) { return i == 0 && !(t->sampler && t->o->sampler->no_largest); }

static double done(const trainer *t) { return (double)t->step / (double)t->total; }

/* What net i of the step learns from beside the labels, or NULL. */
static const float *soft_target(const trainer *t, int i)
{
    if (i > 0 && t->o->in_place) return t->full;
    return t->taught && !(is_largest(t, i) && t->o->largest_by_labels) ? t->soft : NULL;
}

/* Logits of the net before it, where both are random nets, which are the last of a step, and of the same rows; or NULL. */
static const float *other_of(const trainer *t, int i)
{
    const bool random = i > 0 && !is_largest(t, i - 1) && i - 1 >= t->n_nets - t->o->random_nets;
    return random && !t->o->sampler->parts ? t->before : NULL;
}

/* Forward, loss and backward of net i of the step on the batch's answers from `first` on, which x has. */
static snc_err run_net(trainer *t, int i, const snc_tokens *x, int first, const snc_dropout *drop, double weight)
{
    const snc_arch *a = &t->nets[i];
    const snc_loss_labels y = {snc_meaning_of(&t->m->cfg), t->target + first, t->d->sets, t->balance};
    const int answers = snc_tokens_answers(x, t->tags);
    const size_t at = (size_t)first * (size_t)t->K, k = (size_t)answers * (size_t)t->K;
    const float *soft = soft_target(t, i);
    snc_objective_net net = {.ctx = t->ctx,
                             .o = t->o,
                             .arch = a,
                             .x = x,
                             .labels = &y,
                             .K = t->K,
                             .answers = answers,
                             .logits = t->logits,
                             .soft = soft ? soft + at : NULL,
                             .other = other_of(t, i),
                             .slow = t->copy && !is_largest(t, i) ? t->slow + at : NULL,
                             .student = t->e,
                             .teacher = t->te,
                             .teacher_arch = t->te ? &t->teacher->arch : NULL,
                             .dlogits = t->dlogits,
                             .block = t->dhidden,
                             .attention = t->relations};
    t->attention.asked = false;
    SNC_TRY(snc_engine_forward(t->e, t->logits, a, x, drop));
    memset(t->dlogits, 0, k * sizeof(float));
    t->loss[i] = snc_objectives_loss(t->o->objectives, &net, weight);
    if (!isfinite(t->loss[i])) {
        char what[128];
        snc_objectives_broken(what, sizeof what, t->o->objectives, &net);
        return diverged(t, what);
    }
    memcpy(is_largest(t, i) ? t->full : t->before, t->logits, k * sizeof(float));
    const snc_data_seen seen = {
        .anew = i == 0 || first > 0, .first = first, .B = x->B, .dlogits = t->dlogits, .logits = t->logits, .soft = net.soft, .y = &y};
    if (!t->tags) snc_data_sampler_see(t->rows, &seen); /* it tells rows apart by their one answer */
    float *const *d = t->attention.d;
    if (t->attention.asked) snc_engine_add_attention(t->e, d[0], d[1], d[2]);
    return snc_engine_backward(t->e, t->dlogits, net.dhidden, a->layers + 1);
}

/* Rows [first, end) of the batch, as a batch. */
static snc_tokens part_of(trainer *t, const snc_tokens *x, int first, int end)
{
    const int32_t at = x->offsets[first];
    for (int b = first; b <= end; b++) t->offsets[b - first] = x->offsets[b] - at;
    snc_tokens part = {.B = end - first, .T = x->offsets[end] - at, .ids = x->ids + at, .types = x->types + at, .offsets = t->offsets};
    if (!t->tags) return part;
    const int last = snc_tokens_answers_before(x, end, true);
    for (int r = snc_tokens_answers_before(x, first, true); r < last; r++) t->read[part.R++] = x->read[r] - at;
    part.read = t->read;
    return part;
}

/* Net i of n: on the whole batch, or on its part of it. */
static snc_err run_nth(trainer *t, const snc_tokens *whole, int i, int n)
{
    const bool parts = t->sampler && t->o->sampler->parts, on = is_largest(t, i) ? t->o->dropout : t->o->subnet_dropout;
    const int first = parts ? whole->B * i / n : 0, end = parts ? whole->B * (i + 1) / n : whole->B;
    const snc_tokens x = parts ? part_of(t, whole, first, end) : *whole;
    const snc_dropout drop = {.seed = t->ctx->seed,
                              .step = (uint64_t)t->step * SNC_SAMPLER_MAX + (uint64_t)i,
                              .hidden = t->m->cfg.hidden_dropout,
                              .attention = t->m->cfg.attention_dropout,
                              .head = snc_head_dropout(&t->m->cfg)};
    if (t->te && (i == 0 || parts)) SNC_TRY(snc_engine_forward(t->te, t->logits, &t->teacher->arch, &x, NULL));
    SNC_TRY(
        run_net(t, i, &x, snc_tokens_answers_before(whole, first, t->tags), on ? &drop : NULL, parts ? (double)x.B / whole->B : 1.0 / n));
    if (is_largest(t, i)) t->tally.full_loss += t->loss[i] * x.B;
    t->tally.loss += t->loss[i] * x.B / (parts ? 1 : n);
    return SNC_OK;
}

/* All nets of a step; gradients add up in the model. */
static snc_err run_nets(trainer *t, const snc_tokens *x, const int32_t *rows)
{
    snc_rng rng;
    snc_rng_init(&rng, t->ctx->seed, 0x70617468u + ((uint64_t)t->step << 32)); /* "path" */
    int n = 1;
    if (t->sampler) n = snc_sampler_draw(t->nets, t->sampler, done(t), &rng);
    else if (t->o->n_nets) memcpy(t->nets, t->o->nets, (size_t)(n = t->o->n_nets) * sizeof *t->nets);
    else t->nets[0] = t->m->arch;
    if (n > x->B && t->sampler && t->o->sampler->parts) n = x->B;
    t->n_nets = n;
    snc_batcher_gather(t->target, t->d->target, t->d, rows, x->B, 1);
    if (t->taught) snc_batcher_gather(t->soft, t->taught, t->d, rows, x->B, t->K);
    if (t->copy) SNC_TRY(snc_momentum_forward(t->copy, t->slow, &t->m->arch, x));
    for (int i = 0; i < n; i++) SNC_TRY(run_nth(t, x, i, n));
    t->tally.rows += x->B;
    return SNC_OK;
}

/* What is of the weights themselves; any: their gradients have more in them than the nets'. */
static snc_err run_weights(bool *any, trainer *t, const snc_tokens *x)
{
    const char *broken;
    char what[64];
    t->tally.loss += x->B * snc_objectives_of_weights(any, &broken, t->o->objectives, t->o, t->ctx, t->m);
    if (!broken) return SNC_OK;
    snprintf(what, sizeof what, "the loss of '%s'", broken);
    return diverged(t, what);
}

static snc_err train_step(trainer *t)
{
    snc_tokens x;
    const int32_t *rows;
    snc_data_sampler_batch(&x, &rows, t->rows, t->step);
    int n_sets;
    const snc_row_set *sets = snc_touched_scan(&n_sets, t->touched, &x);
    snc_adamw_prepare(t->adamw, sets, n_sets);
    snc_engine_start_grads(t->e);
    const tally before = t->tally;
    bool more = false;
    snc_err err = run_nets(t, &x, rows);
    if (!err) err = run_weights(&more, t, &x);
    if (err) t->tally = before; /* the step has not been */
    SNC_TRY(err);
    if (t->gradient) snc_layer_gradients(t->gradient, t->ctx, t->m);
    for (int i = 0; i < t->m->params.n; i++) {
        double sum;
        if (!more && snc_engine_grad_squares(&sum, t->e, i)) snc_adamw_known_squares(t->adamw, i, sum);
    }
    snc_fakequant_restore(t->quant);
    err = snc_adamw_step(NULL, t->adamw, sets, n_sets); /* repacks the engine's weights */
    if (err == SNC_E_DIVERGED) return diverged(t, "the gradient norm");
    SNC_TRY(err);
    snc_model_changed(t->m);
    if (t->copy) snc_momentum_follow(t->copy, t->m);
    if (t->quant) {
        snc_fakequant_apply(t->quant);
        snc_engine_sync(t->e);
    }
    const snc_sampler_seen seen = {.n = t->n_nets, .nets = t->nets, .loss = t->loss, .gradient = t->gradient};
    if (t->sampler) snc_sampler_tell(t->sampler, done(t), &seen);
    snc_data_sampler_tell(t->rows);
    t->step++;
    t->rows_done += x.B;
    return SNC_OK;
}

/* ---- the loop ------------------------------------------------------------------------------------------------------- */

static double rate(const trainer *t)
{
    double s = snc_now() - t->started;
    return s > 0 ? (double)t->rows_done / s : 0;
}

static void show(trainer *t, bool always)
{
    double now = snc_now();
    if (!always && now - t->shown < PROGRESS_EVERY) return;
    t->shown = now;
    snc_progress(t->ctx, t->o->what, (double)t->step, (double)t->total, "loss %.4f, %.1f sentences/s",
                 t->tally.rows ? t->tally.loss / (double)t->tally.rows : 0.0, rate(t));
}

static void report(snc_train_result *out, const trainer *t)
{
    double rows = t->tally.rows ? (double)t->tally.rows : 1;
    *out = (snc_train_result){.step = t->step,
                              .total_steps = t->asked,
                              .made = t->step - t->first,
                              .finished = t->step == t->total,
                              .loss = t->tally.loss / rows,
                              .full_loss = t->tally.full_loss / rows,
                              .seconds = snc_now() - t->started,
                              .first_seconds = t->opening,
                              .sentences_per_s = rate(t)};
}

static snc_err end_epoch(trainer *t)
{
    double rows = (double)t->tally.rows, paused = snc_now();
    int epoch = (int)((t->step + t->per_epoch - 1) / t->per_epoch);
    snc_adamw_flush(t->adamw);
    show(t, true);
    snc_log(t->ctx, SNC_LOG_INFO, "%s: epoch %d of %g, loss %.4f, %.1f sentences/s", t->o->what, epoch, t->o->epochs, t->tally.loss / rows,
            rate(t));
    char said[1024];
    if (t->sampler && snc_sampler_say(said, sizeof said, t->sampler))
        snc_log(t->ctx, SNC_LOG_INFO, "%s: sampler %s: %s", t->o->what, t->o->sampler->name, said);
    if (t->o->on_epoch) {
        SNC_TRY(t->o->on_epoch(t->o->user, epoch, t->e));
        t->started += snc_now() - paused; /* the caller's work is no training time */
    }
    return SNC_OK;
}

/* Between steps, or in the middle of one, of which nothing is kept: the weights change at a step's end. */
static snc_err interrupted(trainer *t)
{
    SNC_TRY(save(t));
    return snc_err_set(SNC_E_CANCELLED, "%s: interrupted at step %lld of %lld%s", t->o->what, (long long)t->step, (long long)t->total,
                       t->o->checkpoint ? "; the checkpoint is saved" : "");
}

/* By steps where the caller counts them, and by time whatever he says: a step may take a minute. */
static bool due(const trainer *t)
{
    int every = t->o->checkpoint_every;
    return (every > 0 && t->step % every == 0) || snc_now() - t->saved >= t->o->checkpoint_seconds;
}

/* As many steps as fit until the context's moment; at least one more where none was made. */
static void keep_time(trainer *t)
{
    const double now = snc_now(), left = t->ctx->until - now, made = (double)(t->step - t->first);
    if (t->ctx->until <= 0 || made < 1 || (left > 0 && (made < PACED || now - t->paced < PROGRESS_EVERY))) return;
    t->paced = now;
    double fit = left > 0 ? floor(left * made / (now - t->started)) : 0;
    if (fit >= (double)(t->total - t->step)) return;
    t->total = t->step + (int64_t)fit;
    if (fit >= 1) snc_adamw_shorten(t->adamw, t->total);
}

static snc_err loop(snc_train_result *out, trainer *t)
{
    t->started = t->saved = snc_now();
    t->first = t->step;
    show(t, true); /* where a resumed run begins */
    while (t->step < t->total) {
        if (snc_cancelled(t->ctx)) return interrupted(t);
        bool late = t->o->max_seconds > 0 && t->rows_done > 0 && snc_now() - t->started >= t->o->max_seconds;
        if (late || (t->o->max_steps > 0 && t->step >= t->o->max_steps)) {
            SNC_TRY(save(t));
            break;
        }
        if (t->step % t->per_epoch == 0) t->tally = (tally){0};
        snc_err err = train_step(t);
        if (err == SNC_E_CANCELLED) return interrupted(t);
        SNC_TRY(err);
        if (t->step == t->first + 1) t->opening = snc_now() - t->started;
        keep_time(t);
        show(t, false);
        bool ended = t->step % t->per_epoch == 0;
        if (ended || t->step == t->total) SNC_TRY(end_epoch(t));
        if (t->step < t->total && due(t)) SNC_TRY(save(t));
    }
    report(out, t);
    if (t->total < t->asked)
        snc_log(t->ctx, SNC_LOG_WARN, "%s: shortened to %lld of %lld steps to end in time", t->o->what, (long long)t->total,
                (long long)t->asked);
    return SNC_OK;
}

static void dispose(trainer *t)
{
    float *blocks[] = {t->swept, t->logits, t->dlogits, t->soft, t->full, t->before, t->slow, t->target, t->dhidden};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) snc_free(blocks[i]);
    for (int i = 0; i < 3; i++) snc_free(t->attention.d[i]);
    snc_free(t->attention.sums);
    snc_free(t->attention.scratch);
    snc_free(t->balance);
    snc_free(t->offsets);
    snc_free(t->read);
    snc_free(t->gradient);
    snc_sampler_free(t->sampler);
    snc_engine_free(t->e);
    snc_engine_free(t->te);
    snc_momentum_free(t->copy);
    snc_adamw_free(t->adamw);
    snc_fakequant_free(t->quant);
    snc_touched_free(t->touched);
    snc_data_sampler_free(t->rows);
    snc_batcher_free(t->batcher);
}

snc_err snc_train_run(snc_train_result *out, const snc_ctx *ctx, snc_model *m, snc_model *teacher, const snc_dataset *train,
                      const snc_space *space, const snc_train_opts *o)
{
    snc_err err = SNC_OK;
    trainer t = {.ctx = ctx,
                 .m = m,
                 .teacher = teacher,
                 .d = train,
                 .o = o,
                 .K = m->cfg.classes,
                 .L = m->arch.layers,
                 .space = space,
                 .tags = m->cfg.tags};
    assert(!o->n_nets || (!space && !o->checkpoint && o->n_nets <= SNC_SAMPLER_MAX));
    SNC_TRY(snc_train_opts_check(o));
    SNC_TRY(check_teacher(m, teacher, o));
    SNC_TRY(snc_objectives_check(o->objectives, o, m, teacher));
    SNC_TRY(check_data(train, m));
    SNC_TRY(snc_data_sampler_check(o->data_sampler, snc_meaning_of(&m->cfg)));
    SNC_CHECK(!o->balanced || !m->cfg.regression, SNC_E_ARG, "class weights: a regression has no classes");
    SNC_GOTO(create_sampler(&t));
    SNC_GOTO(snc_batcher_new(&t.batcher, train, o->batch_size));
    t.per_epoch = snc_batcher_count(t.batcher);
    t.total = t.asked = snc_train_steps(o, t.per_epoch);
    t.view = (snc_data_view){.d = train, .K = t.K, .problem = snc_meaning_of(&m->cfg)};
    SNC_GOTO(snc_data_sampler_create(&t.rows, o->data_sampler, ctx->seed, t.batcher, &t.view, t.asked));
    SNC_GOTO(allocate(&t));
    SNC_GOTO(create_optimiser(&t));
    SNC_GOTO(resume(&t));
    SNC_GOTO(teacher_sweep(&t));
    t.view.taught = t.taught;
    SNC_GOTO(create_engines(&t)); /* after resume: it packs the weights */
    err = loop(out, &t);
    snc_fakequant_restore(t.quant);
    snc_adamw_flush(t.adamw);
    snc_params_zero_grad(&m->params); /* the last step left those of the linears */
out:
    dispose(&t);
    return err;
}
