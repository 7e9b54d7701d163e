/* The training loop: set-up, checkpoints, the loop; a step is step.c. */
#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/room.h"
#include "data/balance.h"
#include "train/agree.h"
#include "train/sweep.h"
#include "train/together.h"

enum { BLOCKS = 10, PACED = 8 /* steps that a pace is told by */ };
static const double PROGRESS_EVERY = 0.25; /* seconds */
static const double AGAIN = 4.0 / 3;       /* work of a step that computes activations twice, in that of one that does not */
static const double MOVED = 32;            /* tokens that are computed in the time in which weights and gradients are moved once */

/* ---- set-up --------------------------------------------------------------------------------------------------------- */

static void repack(void *user, int param, int r0, int r1) { snc_engine_sync_rows(user, param, r0, r1); }

static snc_err allocate_relations(snc_trainer *t, const snc_engine_opts *o)
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

static snc_engine_opts engine_of(const snc_trainer *t, int rows, bool recompute)
{
    snc_engine_opts o = SNC_ENGINE_OPTS_INIT;
    o.first_only = true;
    o.compute = t->o->compute;
    o.recompute = recompute;
    o.max_seqs = rows;
    o.max_len = t->d->max_len;
    o.max_tokens = rows * t->d->max_len;
    return o;
}

/* The same without a backward pass, whose views a student is compared with. */
static snc_engine_opts shown(snc_engine_opts o)
{
    o.train = false;
    o.views = true;
    return o;
}

/* Bytes of engines for so many rows, and of gradients of hidden states. */
static snc_err engines_take(double *out, const snc_trainer *t, const snc_engine_opts *o)
{
    snc_engine_opts forward = shown(*o);
    const unsigned reads = snc_objectives_reads(t->o->objectives, t->o);
    double other = 0;
    SNC_TRY(snc_engine_bytes(out, t->ctx, t->m, o));
    if (reads & (SNC_READS_HIDDEN | SNC_READS_ATTENTION)) SNC_TRY(snc_engine_bytes(&other, t->ctx, t->teacher, &forward));
    *out += other;
    if (reads & SNC_READS_HIDDEN) *out += (t->L + 1.0) * o->max_tokens * t->m->arch.hidden * sizeof(float);
    forward.views = false;
    other = 0;
    if (t->copy) SNC_TRY(snc_engine_bytes(&other, t->ctx, t->m, &forward));
    *out += other;
    return SNC_OK;
}

/* Of a step that are this rank's, at most. */
static int own_rows(const snc_trainer *t)
{
    const int size = snc_comm_size(t->comm);
    return (t->o->batch_size + size - 1) / size;
}

/* Bytes of gradients and moments, and on several ranks of others' gradients on their way to sums. Moments of others rank 0 has where it
 * writes checkpoints. */
static double state_takes(const snc_trainer *t)
{
    const int size = snc_comm_size(t->comm);
    const snc_adamw_state a = snc_adamw_state_view(t->adamw);
    const double all = (double)t->m->params.total, tables = snc_adamw_tables(&t->m->params), dense = all - tables;
    const double mine = t->o->checkpoint && snc_comm_rank(t->comm) == 0 ? 1 : (tables + dense / size) / all;
    return (all + (size > 1 ? dense : 0)) * sizeof(float) + mine * (double)(a.bytes[0] + a.bytes[1]) + (double)a.bytes[2];
}

/* As many rows as there is memory for beside gradients and moments; a row where there is none (*fits false). */
static snc_err rows_that_fit(int *rows, bool *fits, const snc_trainer *t, bool recompute)
{
    const double state = state_takes(t);
    for (*rows = own_rows(t);; *rows = (*rows + 1) / 2) {
        const snc_engine_opts o = engine_of(t, *rows, recompute);
        double bytes;
        SNC_TRY(engines_take(&bytes, t, &o));
        *fits = state + bytes <= SNC_ROOM_SURE * t->room;
        if (*fits || *rows == 1) return SNC_OK;
    }
}

/* Of a token, in those of a step that has all rows at once: each part of a step moves all weights and gradients. */
static double price(const snc_trainer *t, int rows, bool recompute)
{
    const double tokens = rows * (double)t->d->start[t->d->n] / t->d->n;
    return (recompute ? AGAIN : 1) * (1 + MOVED / tokens);
}

static snc_err choose_rows(snc_trainer *t)
{
    const snc_recompute asked = t->ctx->recompute;
    const int own = own_rows(t);
    int rows[2];
    bool fits[2];
    t->recompute = asked == SNC_RECOMPUTE_ON;
    t->at_once = t->o->at_once > 0 ? snc_min(t->o->at_once, own) : own;
    if (t->o->at_once > 0 || t->room <= 0) return SNC_OK;
    for (int r = 0; r < 2; r++) SNC_TRY(rows_that_fit(&rows[r], &fits[r], t, r));
    if (asked == SNC_RECOMPUTE_AUTO) t->recompute = !fits[0] || price(t, rows[1], true) < price(t, rows[0], false);
    t->at_once = rows[t->recompute];
    if (t->at_once < own || (t->recompute && asked == SNC_RECOMPUTE_AUTO))
        snc_log(t->ctx, SNC_LOG_INFO, "%s: %d of the %d rows of a step%s are computed at once%s, as memory allows", t->o->what, t->at_once,
                own, t->comm ? " and rank" : "", t->recompute ? ", activations twice" : "");
    return SNC_OK;
}

static snc_err create_engines(snc_trainer *t)
{
    SNC_TRY(choose_rows(t));
    const snc_engine_opts o = engine_of(t, t->at_once, t->recompute), forward = shown(o);
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
    if (hidden || relations) SNC_TRY(snc_engine_create(&t->te, t->ctx, t->teacher, &forward));
    if (hidden) SNC_TRY(snc_alloc(&t->dhidden, (size_t)(t->L + 1) * (size_t)o.max_tokens * (size_t)t->m->arch.hidden, sizeof(float)));
    return relations ? allocate_relations(t, &o) : SNC_OK;
}

static snc_err allocate(snc_trainer *t)
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

static snc_err create_sampler(snc_trainer *t)
{
    if (!t->space) return SNC_OK;
    SNC_TRY(snc_space_check(t->space, &t->m->arch));
    const snc_sampler_opts o = {
        .random = t->o->random_nets, .near = t->o->near, .pools = t->o->pools, .seed = t->ctx->seed, .cfg = &t->m->cfg};
    SNC_TRY(snc_sampler_create(&t->sampler, t->o->sampler, t->space, &o));
    return t->o->sampler->gradients ? snc_alloc(&t->gradient, (size_t)t->L, sizeof *t->gradient) : SNC_OK;
}

static snc_err create_optimiser(snc_trainer *t)
{
    snc_schedule s = {.lr = t->o->lr, .total = t->total, .warmup = t->o->warmup};
    snc_adamw_opts a = SNC_ADAMW_OPTS_INIT;
    a.weight_decay = (float)t->o->weight_decay;
    a.clip = (float)t->o->clip;
    a.lazy = t->o->lazy_rows;
    a.half_state = t->o->half_state;
    t->room = snc_room_within(t->ctx->max_memory, snc_comm_neighbours(t->comm));
    if (t->room > 0 && t->m->params.g) t->room += (double)t->m->params.total * sizeof(float); /* gradients that are there */
    SNC_TRY(snc_adamw_create(&t->adamw, t->ctx, &t->m->params, &s, &a));
    snc_params_zero_grad(&t->m->params);
    return SNC_OK;
}

static snc_err teacher_sweep(snc_trainer *t)
{
    uint8_t *met = NULL;
    t->taught = t->o->teacher_logits;
    if (!t->teacher || t->taught) return SNC_OK;
    snc_err err = snc_alloc(&met, (size_t)t->d->n, 1);
    if (!err) err = snc_train_rows_met(met, t->ctx, t->d, t->o);
    err = snc_comm_agree(t->comm, err);
    if (!err) err = snc_sweep_among(&t->swept, t->ctx, t->comm, t->teacher, t->o->compute, t->d, met, "teacher logits");
    t->taught = t->swept;
    snc_free(met);
    return err;
}

/* ---- checkpoints ---------------------------------------------------------------------------------------------------- */

/* Returns how many. */
static int list_blocks(snc_block *b, snc_trainer *t)
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

/* By all ranks: each has moments of its own, which rank 0 writes. */
static snc_err save(snc_trainer *t)
{
    if (!t->o->checkpoint) return SNC_OK;
    SNC_TRY(snc_adamw_collect(t->adamw));
    if (snc_comm_rank(t->comm) > 0) return SNC_OK;
    snc_block b[BLOCKS];
    int n = list_blocks(b, t);
    snc_fakequant_restore(t->quant);
    snc_err err = snc_checkpoint_save(t->o->checkpoint, t->facts, t->n_facts, b, n);
    snc_fakequant_apply(t->quant);
    t->saved = snc_now();
    return err;
}

/* Where the blocks say that the run stands. */
static void take_up(snc_trainer *t)
{
    const snc_adamw_state a = snc_adamw_state_view(t->adamw);
    snc_adamw_state_written(t->adamw);
    t->step = *a.step;
    t->total = a.schedule->total; /* fewer than asked for where it was shortened */
}

static snc_err resume(snc_trainer *t)
{
    if (!t->o->checkpoint || snc_comm_rank(t->comm) > 0) return SNC_OK;
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
    take_up(t);
    snc_log(t->ctx, SNC_LOG_INFO, "%s: resumed at step %lld of %lld", t->o->what, (long long)t->step, (long long)t->total);
    return SNC_OK;
}

/* ---- the loop ------------------------------------------------------------------------------------------------------- */

static double rate(const snc_trainer *t)
{
    double s = snc_now() - t->started;
    return s > 0 ? (double)t->rows_done / s : 0;
}

static void show(snc_trainer *t, bool always)
{
    double now = snc_now();
    if (!always && now - t->shown < PROGRESS_EVERY) return;
    t->shown = now;
    snc_progress(t->ctx, t->o->what, (double)t->step, (double)t->total, "loss %.4f, %.1f sentences/s",
                 t->tally.rows ? t->tally.loss / (double)t->tally.rows : 0.0, rate(t));
}

static void report(snc_train_result *out, const snc_trainer *t)
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

static snc_err end_epoch(snc_trainer *t)
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
static snc_err interrupted(snc_trainer *t)
{
    SNC_TRY(save(t));
    return snc_err_set(SNC_E_CANCELLED, "%s: interrupted at step %lld of %lld%s", t->o->what, (long long)t->step, (long long)t->total,
                       t->o->checkpoint ? "; the checkpoint is saved" : "");
}

/* By steps where the caller counts them, and by time whatever he says: a step may take a minute. */
static bool due(const snc_trainer *t)
{
    int every = t->o->checkpoint_every;
    return (every > 0 && t->step % every == 0) || snc_now() - t->saved >= t->o->checkpoint_seconds;
}

/* As many steps as fit until the context's moment; at least one more where none was made. With other ranks the run is shortened in the
 * step that is to come, by all of them. */
static void keep_time(snc_trainer *t)
{
    const double now = snc_now(), left = t->ctx->until - now, made = (double)(t->step - t->first);
    if (t->ctx->until <= 0 || made < 1 || (left > 0 && (made < PACED || now - t->paced < PROGRESS_EVERY))) return;
    t->paced = now;
    double fit = left > 0 ? floor(left * made / (now - t->started)) : 0;
    if (fit >= (double)(t->total - t->step)) return;
    t->wish = t->step + (int64_t)fit;
    if (!t->comm) snc_trainer_shorten(t);
}

void snc_trainer_shorten(snc_trainer *t)
{
    t->total = t->wish;
    if (t->total > t->step) snc_adamw_shorten(t->adamw, t->total);
    t->wish = 0;
}

/* As many steps as were asked for: every rank stops by itself. */
static bool enough(const snc_trainer *t) { return t->o->max_steps > 0 && t->step >= t->o->max_steps; }

static snc_err loop(snc_train_result *out, snc_trainer *t)
{
    t->started = t->saved = snc_now();
    t->first = t->step;
    show(t, true); /* where a resumed run begins */
    while (t->step < t->total) {
        const bool stop = enough(t);
        if (!stop && snc_cancelled(t->ctx)) {
            const snc_err said = snc_together_leave(t, SNC_E_CANCELLED);
            return said == SNC_E_CANCELLED ? interrupted(t) : said;
        }
        bool late = !stop && t->o->max_seconds > 0 && t->rows_done > 0 && snc_now() - t->started >= t->o->max_seconds;
        if (late) SNC_TRY(snc_together_leave(t, SNC_OK));
        if (t->left || late || stop) {
            SNC_TRY(save(t));
            break;
        }
        if (t->step % t->per_epoch == 0) t->tally = (snc_tally){0};
        snc_err err = snc_trainer_step(t);
        if (err == SNC_E_CANCELLED) return interrupted(t);
        SNC_TRY(err);
        if (t->left) continue;
        if (t->step == t->first + 1) t->opening = snc_now() - t->started;
        keep_time(t);
        show(t, false);
        bool ended = t->step % t->per_epoch == 0;
        if (ended || t->step == t->total) err = end_epoch(t);
        if (!err && t->step < t->total && (t->comm ? t->agreed : due(t))) err = save(t);
        t->due = due(t);
        if (err) return t->step == t->total || enough(t) ? err : snc_together_leave(t, err); /* other ranks are at an end, too, or go on */
    }
    report(out, t);
    if (t->total < t->asked)
        snc_log(t->ctx, SNC_LOG_WARN, "%s: shortened to %lld of %lld steps to end in time", t->o->what, (long long)t->total,
                (long long)t->asked);
    return SNC_OK;
}

static void dispose(snc_trainer *t)
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
    snc_together_close(t);
}

static snc_err check(const snc_model *m, const snc_model *teacher, const snc_dataset *d, const snc_space *space, const snc_train_opts *o,
                     snc_comm *comm)
{
    const int ranks = snc_comm_size(comm);
    assert(!o->n_nets || (!space && !o->checkpoint && o->n_nets <= SNC_SAMPLER_MAX));
    SNC_TRY(snc_train_opts_check(o));
    SNC_TRY(snc_objectives_check(o->objectives, o, m, teacher));
    SNC_TRY(snc_train_agree(m, teacher, d, o));
    SNC_TRY(snc_data_sampler_check(o->data_sampler, snc_meaning_of(&m->cfg)));
    SNC_CHECK(!o->balanced || !m->cfg.regression, SNC_E_ARG, "class weights: a regression has no classes");
    SNC_CHECK(o->batch_size >= ranks, SNC_E_ARG, "batches of %d rows for %d ranks: expected at least a row for each", o->batch_size, ranks);
    return SNC_OK;
}

/* What a run is made of before its weights are known. */
static snc_err prepare(snc_trainer *t)
{
    SNC_TRY(create_sampler(t));
    SNC_TRY(snc_batcher_new(&t->batcher, t->d, t->o->batch_size));
    t->per_epoch = snc_batcher_count(t->batcher);
    t->total = t->asked = snc_train_steps(t->o, t->per_epoch);
    t->view = (snc_data_view){.d = t->d, .K = t->K, .problem = snc_meaning_of(&t->m->cfg)};
    SNC_TRY(snc_data_sampler_create(&t->rows, t->o->data_sampler, t->ctx->seed, t->batcher, &t->view, t->asked));
    SNC_TRY(allocate(t));
    SNC_TRY(create_optimiser(t));
    SNC_TRY(snc_together_open(t));
    return resume(t);
}

static snc_err share_state(snc_trainer *t)
{
    snc_block b[BLOCKS];
    const int n = list_blocks(b, t);
    SNC_TRY(snc_together_resume(t, b, n));
    if (snc_comm_rank(t->comm) > 0) take_up(t);
    return SNC_OK;
}

snc_err snc_trainer_run(snc_train_result *out, const snc_ctx *ctx, snc_comm *comm, snc_model *m, snc_model *teacher,
                        const snc_dataset *train, const snc_space *space, const snc_train_opts *o)
{
    snc_trainer t = {.ctx = ctx,
                     .comm = comm,
                     .m = m,
                     .teacher = teacher,
                     .d = train,
                     .o = o,
                     .K = m->cfg.classes,
                     .L = m->arch.layers,
                     .space = space,
                     .tags = m->cfg.tags};
    snc_err err = snc_comm_agree(comm, prepare(&t));
    if (!err) err = share_state(&t);
    if (!err) err = teacher_sweep(&t);
    t.view.taught = t.taught;
    if (!err) err = snc_comm_agree(comm, create_engines(&t)); /* after resume: it packs the weights */
    if (!err) {
        err = loop(out, &t);
        snc_fakequant_restore(t.quant);
        snc_adamw_flush(t.adamw);
        snc_params_zero_grad(&m->params); /* the last step left those of the linears */
    }
    dispose(&t);
    return err;
}

snc_err snc_train_run(snc_train_result *out, const snc_ctx *ctx, snc_model *m, snc_model *teacher, const snc_dataset *train,
                      const snc_space *space, const snc_train_opts *o)
{
    const snc_ctx own = snc_ctx_alone(ctx);
    SNC_TRY(check(m, teacher, train, space, o, ctx->comm));
    if (ctx->comm) SNC_TRY(snc_train_call(&own, ctx->comm, m, teacher, train, space, o));
    return snc_trainer_run(out, &own, ctx->comm, m, teacher, train, space, o);
}
