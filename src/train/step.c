/* A step of the training loop: nets on the rows of a batch, as many rows at a time as are computed at once, then the optimiser. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "train/gradients.h"
#include "train/together.h"

/* What is not finite: the source of the weights may know it more exactly. */
static snc_err diverged(const snc_trainer *t, const char *what)
{
    const snc_source_kind *kind = t->m->source.kind;
    char of[SNC_PARAM_NAME], more[SNC_PARAM_NAME + 40] = "";
    if (kind->broken && kind->broken(of, t->m)) snprintf(more, sizeof more, ", nor %s (weights %s)", of, kind->name);
    return snc_err_set(SNC_E_DIVERGED, "step %lld: %s is not finite%s; try a smaller learning rate than %g", (long long)t->step + 1, what,
                       more, t->o->lr);
}

/* The largest net, which the others may learn from; false where the sampler draws none. */
static bool is_largest(const snc_trainer *t, int i) { return i == 0 && !(t->sampler && t->o->sampler->no_largest); }

/* What net i of the step learns from beside the labels, or NULL. */
static const float *soft_target(const snc_trainer *t, int i)
{
    if (i > 0 && t->o->in_place) return t->full;
    return t->taught && !(is_largest(t, i) && t->o->largest_by_labels) ? t->soft : NULL;
}

/* Logits of the net before it, where both are random nets, which are the last of a step, and of the same rows; or NULL. */
static const float *other_of(const snc_trainer *t, int i)
{
    const bool random = i > 0 && !is_largest(t, i - 1) && i - 1 >= t->n_nets - t->o->random_nets;
    return random && !snc_trainer_in_parts(t) ? t->before : NULL;
}

/* Rows [at, next) of the batch, the part of it that is computed at once of rows [first, end), which are those of a net. */
typedef struct piece {
    int at, next, first, end;
} piece;

static int answers_in(const snc_trainer *t, const snc_tokens *whole, int first, int end)
{
    return snc_tokens_answers_before(whole, end, t->tags) - snc_tokens_answers_before(whole, first, t->tags);
}

static int tokens_in(const snc_tokens *whole, int first, int end) { return whole->offsets[end] - whole->offsets[first]; }

/* The masks of the part are those that it has in the whole. */
static snc_dropout dropout_of(const snc_trainer *t, const snc_tokens *whole, const piece *p, int i)
{
    snc_dropout drop = {.seed = t->ctx->seed,
                        .step = (uint64_t)t->step * SNC_SAMPLER_MAX + (uint64_t)i,
                        .hidden = t->m->cfg.hidden_dropout,
                        .attention = t->m->cfg.attention_dropout,
                        .head = snc_head_dropout(&t->m->cfg),
                        .seq = (uint32_t)(p->at - p->first),
                        .token = (uint32_t)tokens_in(whole, p->first, p->at),
                        .answer = (uint32_t)answers_in(t, whole, p->first, p->at)};
    for (int b = p->first; b < p->end; b++) drop.longest = snc_max(drop.longest, tokens_in(whole, b, b + 1));
    return drop;
}

/* Forward, loss and backward of net i of the step on a part of the batch, which x is, with `weight` of all of its rows. */
static snc_err run_net(snc_trainer *t, int i, const snc_tokens *whole, const snc_tokens *x, const piece *p, double weight)
{
    const snc_arch *a = &t->nets[i];
    const bool on = is_largest(t, i) ? t->o->dropout : t->o->subnet_dropout;
    const snc_dropout drop = dropout_of(t, whole, p, i);
    const int first = snc_tokens_answers_before(whole, p->at, t->tags), all = answers_in(t, whole, p->first, p->end);
    const snc_loss_labels y = {snc_meaning_of(&t->m->cfg), t->target + first, t->d->sets, t->balance};
    const int answers = snc_tokens_answers(x, t->tags);
    const size_t at = (size_t)first * (size_t)t->K, k = (size_t)answers * (size_t)t->K;
    const float *soft = soft_target(t, i), *other = other_of(t, i);
    snc_objective_net net = {.ctx = t->ctx,
                             .o = t->o,
                             .arch = a,
                             .x = x,
                             .labels = &y,
                             .K = t->K,
                             .answers = answers,
                             .of_answers = all ? (double)answers / all : 0,
                             .of_texts = (double)x->B / (p->end - p->first),
                             .of_tokens = (double)x->T / tokens_in(whole, p->first, p->end),
                             .logits = t->logits,
                             .soft = soft ? soft + at : NULL,
                             .other = other ? other + at : NULL,
                             .slow = t->copy && !is_largest(t, i) ? t->slow + at : NULL,
                             .student = t->e,
                             .teacher = t->te,
                             .teacher_arch = t->te ? &t->teacher->arch : NULL,
                             .dlogits = t->dlogits,
                             .block = t->dhidden,
                             .attention = t->relations};
    t->attention.asked = false;
    SNC_TRY(snc_engine_forward(t->e, t->logits, a, x, on ? &drop : NULL));
    memset(t->dlogits, 0, k * sizeof(float));
    t->loss[i] += snc_objectives_loss(t->o->objectives, &net, weight);
    if (!isfinite(t->loss[i])) {
        char what[128];
        snc_objectives_broken(what, sizeof what, t->o->objectives, &net);
        return diverged(t, what);
    }
    memcpy((is_largest(t, i) ? t->full : t->before) + at, t->logits, k * sizeof(float));
    const snc_data_seen seen = {.anew = i == 0 || snc_trainer_in_parts(t),
                                .first = first,
                                .B = x->B,
                                .dlogits = t->dlogits,
                                .logits = t->logits,
                                .soft = net.soft,
                                .y = &y};
    if (!t->tags) snc_data_sampler_see(t->rows, &seen); /* it tells rows apart by their one answer */
    float *const *d = t->attention.d;
    if (t->attention.asked) snc_engine_add_attention(t->e, d[0], d[1], d[2]);
    return snc_engine_backward(t->e, t->dlogits, net.dhidden, a->layers + 1);
}

/* Rows [first, end) of the batch, as a batch. */
static snc_tokens part_of(snc_trainer *t, const snc_tokens *x, int first, int end)
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

/* Nets [from, to) of the step, each with `weight`, on this rank's share of rows [first, end) of the batch: as many at a time as are
 * computed at once. */
static snc_err run_rows(snc_trainer *t, const snc_tokens *whole, int from, int to, int first, int end, double weight)
{
    const int rank = snc_comm_rank(t->comm), size = snc_comm_size(t->comm);
    const size_t n = (size_t)(end - first);
    const int from_row = first + (int)snc_comm_from(n, rank, size), rows = first + (int)snc_comm_from(n, rank + 1, size) - from_row;
    const int parts = (rows + t->at_once - 1) / t->at_once;
    for (int k = 0; k < parts; k++) {
        const piece p = {from_row + rows * k / parts, from_row + rows * (k + 1) / parts, first, end};
        const snc_tokens x = p.at == 0 && p.next == whole->B ? *whole : part_of(t, whole, p.at, p.next);
        const size_t at = (size_t)snc_tokens_answers_before(whole, p.at, t->tags) * (size_t)t->K;
        if (t->te) SNC_TRY(snc_engine_forward(t->te, t->logits, &t->teacher->arch, &x, NULL));
        if (t->copy) SNC_TRY(snc_momentum_forward(t->copy, t->slow + at, &t->m->arch, &x));
        for (int i = from; i < to; i++) {
            if (i == t->n_nets - 1 && k == parts - 1) snc_together_expect(t); /* what its backward pass leaves is the step's */
            SNC_TRY(run_net(t, i, whole, &x, &p, weight));
        }
        t->ran = true;
    }
    return SNC_OK;
}

/* Losses of the step into those of the epoch. */
static void account(snc_trainer *t, int B)
{
    for (int i = 0; i < t->n_nets; i++) {
        const double rows = snc_trainer_in_parts(t) ? snc_trainer_part(t, B, i + 1) - snc_trainer_part(t, B, i) : B;
        if (is_largest(t, i)) t->tally.full_loss += t->loss[i] * rows;
        t->tally.loss += t->loss[i] * rows / (snc_trainer_in_parts(t) ? 1 : t->n_nets);
    }
    t->tally.rows += B;
}

/* All nets of a step; gradients add up in the model. */
static snc_err run_nets(snc_trainer *t, const snc_tokens *x, const int32_t *rows)
{
    snc_rng rng;
    snc_rng_init(&rng, t->ctx->seed, 0x70617468u + ((uint64_t)t->step << 32)); /* "path" */
    int n = 1;
    if (t->sampler) n = snc_sampler_draw(t->nets, t->sampler, snc_trainer_done(t), &rng);
    else if (t->o->n_nets) memcpy(t->nets, t->o->nets, (size_t)(n = t->o->n_nets) * sizeof *t->nets);
    else t->nets[0] = t->m->arch;
    if (n > x->B && snc_trainer_in_parts(t)) n = x->B;
    t->n_nets = n;
    memset(t->loss, 0, sizeof t->loss);
    t->ran = false;
    snc_batcher_gather(t->target, t->d->target, t->d, rows, x->B, 1);
    if (t->taught) snc_batcher_gather(t->soft, t->taught, t->d, rows, x->B, t->K);
    if (!snc_trainer_in_parts(t)) SNC_TRY(run_rows(t, x, 0, n, 0, x->B, 1.0 / n));
    for (int i = 0; i < n && snc_trainer_in_parts(t); i++) {
        const int first = snc_trainer_part(t, x->B, i), end = snc_trainer_part(t, x->B, i + 1);
        SNC_TRY(run_rows(t, x, i, i + 1, first, end, (double)(end - first) / x->B));
    }
    return SNC_OK;
}

/* What is of the weights themselves; any: their gradients have more in them than the nets'. */
static snc_err run_weights(bool *any, snc_trainer *t, const snc_tokens *x)
{
    const char *broken;
    char what[64];
    t->tally.loss += x->B * snc_objectives_of_weights(any, &broken, t->o->objectives, t->o, t->ctx, t->m);
    if (!broken) return SNC_OK;
    snprintf(what, sizeof what, "the loss of '%s'", broken);
    return diverged(t, what);
}

snc_err snc_trainer_step(snc_trainer *t)
{
    snc_tokens x;
    const int32_t *rows;
    snc_data_sampler_batch(&x, &rows, t->rows, t->step);
    int n_sets;
    const snc_row_set *sets = snc_touched_scan(&n_sets, t->touched, &x);
    snc_adamw_prepare(t->adamw, sets, n_sets);
    snc_engine_start_grads(t->e);
    const snc_tally before = t->tally;
    bool more = false;
    snc_err err = snc_together_sum(t, run_nets(t, &x, rows), &x, sets, n_sets);
    if (err || t->left) return err; /* the step has not been */
    account(t, x.B);
    err = run_weights(&more, t, &x);
    if (err) t->tally = before;
    SNC_TRY(err);
    if (t->gradient) snc_layer_gradients(t->gradient, t->ctx, t->m);
    for (int i = 0; i < t->m->params.n; i++) {
        double sum;
        if (!more && !t->comm && snc_engine_grad_squares(&sum, t->e, i)) snc_adamw_known_squares(t->adamw, i, sum);
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
    if (t->sampler) snc_sampler_tell(t->sampler, snc_trainer_done(t), &seen);
    snc_data_sampler_tell(t->rows);
    t->step++;
    t->rows_done += x.B;
    return SNC_OK;
}
