/* Blocks are counted by those who allocate them, and the largest sum that lives at one time is compared with the machine. */
#include "candidate/needs.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/distillation.h"
#include "artifact/recipes.h"
#include "artifact/settle.h"
#include "base/comm.h"
#include "base/minmax.h"
#include "base/room.h"
#include "candidate/finalists.h"
#include "models/source_mos.h"
#include "train/adamw.h"
#include "train/importance.h"

static const double GB = 1e9, MB = 1e6;
static const double TABLES = 0.02e9; /* the search's tables, SQLite, libraries that are first used later */
enum { SWEEP = 128 };                /* sentences at once while a teacher is asked, or a net is scored */

static double params_of(const snc_model *m) { return (double)m->params.total * sizeof(float); }

/* Of a supernet beside a dense model of its shape: what mixes its matrices, be it asked for or there. */
typedef struct more {
    double experts, buffers;
} more;

static snc_err more_of(more *out, const snc_needs *n)
{
    const snc_encoder_config *c = &n->m->cfg;
    snc_weights_asked w = {.kind = n->m->source.kind, .mixture = c->mixture};
    *out = (more){0};
    if (!snc_mixture_any(c) && n->verb & (SNC_VERB_SUPERNET | SNC_VERB_COMPRESS)) SNC_TRY(snc_recipe_weights(&w, n->o));
    if (!w.kind->experts || w.mixture.experts < 2) return SNC_OK;
    return snc_mos_bytes(&out->experts, &out->buffers, c, &n->m->arch, &w.mixture);
}

/* Of a net that is cut out of the model at hand, at most. */
static double dense_of(const snc_needs *n, const more *x) { return params_of(n->m) - (snc_mixture_any(&n->m->cfg) ? x->experts : 0); }

/* What an engine is for: a forward pass, one whose hidden states are read, training, the same that computes activations twice. */
typedef enum use { FORWARD, SHOWN, TRAINED, TWICE } use;

/* Engine for batches of n rows of the longest kind. */
static snc_err engine(double *out, const snc_needs *n, int batch, use kind)
{
    snc_engine_opts bo = SNC_ENGINE_OPTS_INIT;
    bo.compute = snc_inputs_compute(&n->o->job);
    bo.max_len = n->in->splits.train->max_len;
    bo.max_seqs = batch;
    bo.max_tokens = batch * bo.max_len;
    bo.train = kind >= TRAINED;
    bo.recompute = kind == TWICE;
    bo.views = kind == SHOWN;
    bo.first_only = true;
    return snc_engine_bytes(out, n->ctx, n->m, &bo);
}

static int ranks_of(const snc_needs *n) { return n->ranks > 0 ? n->ranks : snc_comm_size(n->ctx->comm); }

/* Of a batch, the rows of a rank that are computed at once. */
static int rows_of(const snc_needs *n, int batch, int limit) { return snc_min((batch + ranks_of(n) - 1) / ranks_of(n), limit); }

/* Of training a model of `params` bytes that is there: gradients, moments, engine; on ranks, as many numbers of others as it has dense
 * gradients. saves: it has the moments of all, for checkpoints. */
static snc_err training(double *out, const snc_needs *n, double params, int rows, bool twice, bool saves)
{
    const snc_compute compute = snc_inputs_compute(&n->o->job);
    const int ranks = ranks_of(n);
    const double tables = snc_adamw_tables(&n->m->params) * sizeof(float), dense = params - tables;
    double e;
    SNC_TRY(engine(&e, n, rows, twice ? TWICE : TRAINED));
    const double moments = tables + dense / (saves ? 1 : ranks), sent = ranks > 1 ? dense : 0;
    *out = params + moments * (compute == SNC_COMPUTE_BF16 ? 1 : 2) + sent + e; /* moments of 16 or of 32 bits */
    return SNC_OK;
}

/* Rows that are made for distillation, with what the teacher says of them. Made rows are longer. */
static double distillation_set(const snc_needs *n)
{
    const snc_dataset *d = n->in->splits.all ? n->in->splits.all : n->in->splits.train;
    const double made = snc_distillation_made(n->o->supernet.augment, d->n);
    double rows = d->n * (1 + made), tokens = (double)d->start[d->n] * (1 + 1.3 * made);
    return tokens * 2 * sizeof(int32_t) +
           rows * (sizeof *d->start + sizeof *d->line + sizeof *d->target + (double)n->m->cfg.classes * sizeof(float));
}

/* A second model that follows the supernet, or none. */
static snc_err copies(int *out, const snc_needs *n)
{
    double weight = 0;
    if (n->verb & (SNC_VERB_SUPERNET | SNC_VERB_COMPRESS))
        SNC_TRY(snc_recipe_number(&weight, n->o, SNC_SECTION_SUPERNET, "momentum_weight"));
    *out = weight > 0;
    return SNC_OK;
}

static snc_err supernet(double *out, const snc_needs *n, int batch, bool twice, bool other)
{
    const snc_importance_opts io = SNC_IMPORTANCE_OPTS_INIT;
    double train, sweep, importance, hidden = 0, copy = 0;
    const snc_arch *a = &n->m->arch;
    more x;
    SNC_TRY(more_of(&x, n));
    SNC_TRY(training(&train, n, params_of(n->m) + x.experts, batch, twice, !other));
    SNC_TRY(engine(&sweep, n, SWEEP, FORWARD));
    SNC_TRY(engine(&importance, n, io.batch_size, twice ? TWICE : TRAINED));
    importance += params_of(n->m); /* gradients */
    double relations;
    int more_nets;
    SNC_TRY(snc_recipe_number(&relations, n->o, SNC_SECTION_SUPERNET, "relation_weight"));
    SNC_TRY(copies(&more_nets, n));
    if (more_nets) { /* the largest net a second time, which runs forward alone */
        SNC_TRY(engine(&copy, n, batch, FORWARD));
        copy += params_of(n->m) + x.experts + x.buffers;
    }
    if (n->o->supernet.hidden_weight > 0 || relations > 0) { /* the teacher runs in every step, and each state has a gradient */
        SNC_TRY(engine(&hidden, n, batch, SHOWN));
        hidden += (a->layers + 1.0) * batch * n->in->splits.train->max_len * a->hidden * sizeof(float);
    }
    *out = params_of(n->m) + distillation_set(n) +
           fmax(fmax(sweep, importance), params_of(n->m) + x.experts + x.buffers + train + hidden + copy);
    return SNC_OK;
}

/* Matrices in INT8, and in bf16 beside it where FP means that. */
static snc_err packed(double *out, const snc_needs *n, bool both)
{
    const snc_dtype fp = snc_inputs_fp(&n->o->job);
    *out = 0;
    for (int i = 0; i < n->m->params.n; i++) {
        const snc_param *p = &n->m->params.p[i];
        double size = (double)p->rows * p->cols;
        if (p->row >= SNC_ROLE_MIXTURE) continue;
        if (p->flags & SNC_PARAM_ROWS) *out += size;
        else if (p->flags & SNC_PARAM_DECAY) *out += size * (both && fp == SNC_BF16 ? 3 : 1);
    }
    return SNC_OK;
}

/* The supernet of a search, with its packed matrices. */
static snc_err searched(double *out, const snc_needs *n)
{
    more x;
    SNC_TRY(more_of(&x, n));
    SNC_TRY(packed(out, n, true));
    *out += dense_of(n, &x) + x.experts + x.buffers;
    return SNC_OK;
}

/* Of another rank: the net and its unrounded copy, which it trains. */
static snc_err repair(double *out, const snc_needs *n, int batch, bool twice, bool other)
{
    double train, beside = 0;
    more x;
    SNC_TRY(more_of(&x, n));
    SNC_TRY(training(&train, n, dense_of(n, &x), batch, twice, false));
    if (!other) SNC_TRY(searched(&beside, n));
    *out = beside + (other ? 2 : 3) * dense_of(n, &x) + distillation_set(n) + train; /* a teacher or the net's unrounded copy, the net */
    return SNC_OK;
}

/* The search's end: finalists and the full-size net side by side on the clock, each cut out and packed by itself. */
static snc_err finalists(double *out, const snc_needs *n)
{
    double one;
    more x;
    SNC_TRY(more_of(&x, n));
    SNC_TRY(searched(out, n));
    SNC_TRY(packed(&one, n, false));
    *out += (SNC_FINALISTS + 1) * (dense_of(n, &x) + one);
    return SNC_OK;
}

static bool repairs(const snc_needs *n)
{
    if (n->verb == SNC_VERB_STUDY) return n->o->study.protocols && strcmp(n->o->study.protocols, "hypervolume") != 0;
    return n->verb == SNC_VERB_COMPRESS && snc_refits(n->o);
}

static bool trains(const snc_needs *n) { return n->verb & (SNC_VERB_FINETUNE | SNC_VERB_SUPERNET | SNC_VERB_COMPRESS) || repairs(n); }

/* Of rank 0 beside what it has; other: of another rank, without TABLES as well. */
static snc_err parts_of(double out[SNC_NEEDS], const snc_needs *n, int limit, bool twice, bool other)
{
    const int batch = rows_of(n, n->o->training.batch_size, limit), elastic = rows_of(n, n->o->supernet.batch_size, limit);
    for (int i = 0; i < SNC_NEEDS; i++) out[i] = 0;
    if (n->verb & (SNC_VERB_FINETUNE | SNC_VERB_COMPRESS)) {
        SNC_TRY(training(&out[SNC_NEED_FINETUNE], n, params_of(n->m), batch, twice, !other));
        out[SNC_NEED_FINETUNE] += params_of(n->m);
    }
    if (n->verb & (SNC_VERB_SUPERNET | SNC_VERB_COMPRESS)) SNC_TRY(supernet(&out[SNC_NEED_SUPERNET], n, elastic, twice, other));
    if (n->verb & (SNC_VERB_COMPRESS | SNC_VERB_SEARCH | SNC_VERB_STUDY) || (n->verb == SNC_VERB_PROFILE && !other))
        SNC_TRY((other ? searched : finalists)(&out[SNC_NEED_CLOCK], n));
    if (repairs(n)) SNC_TRY(repair(&out[SNC_NEED_REPAIR], n, elastic, twice, other));
    return SNC_OK;
}

snc_err snc_needs_parts(double out[SNC_NEEDS], const snc_needs *n, int limit, bool twice)
{
    SNC_TRY(parts_of(out, n, limit, twice, false));
    for (int i = 0; i < SNC_NEEDS; i++) /* the model at hand is freed, or is the one that is trained */
        if (out[i] > 0) out[i] += TABLES - params_of(n->m);
    return SNC_OK;
}

snc_err snc_needs_others(double out[SNC_NEEDS], const snc_needs *n, int limit, bool twice)
{
    for (int i = 0; i < SNC_NEEDS; i++) out[i] = 0;
    if (ranks_of(n) > 1) SNC_TRY(parts_of(out, n, limit, twice, true));
    for (int i = 0; i < SNC_NEEDS; i++)
        if (out[i] > 0) out[i] += TABLES; /* libraries, rows */
    return SNC_OK;
}

snc_err snc_needs_machine(double *out, const snc_needs *n, int others, int limit, bool twice)
{
    double part[SNC_NEEDS], other[SNC_NEEDS];
    SNC_TRY(snc_needs_parts(part, n, limit, twice));
    SNC_TRY(snc_needs_others(other, n, limit, twice));
    *out = TABLES - params_of(n->m);
    for (int i = 0; i < SNC_NEEDS; i++) *out = fmax(*out, part[i] + others * other[i]);
    return SNC_OK;
}

snc_err snc_needs_memory(double *out, const snc_needs *n, int limit, bool twice) { return snc_needs_machine(out, n, 0, limit, twice); }

snc_err snc_needs_disk(double *out, const snc_needs *n)
{
    more x;
    int copy;
    SNC_TRY(more_of(&x, n));
    SNC_TRY(copies(&copy, n));
    const double file = dense_of(n, &x), state = (3 + copy) * (file + x.experts); /* a checkpoint has two moments beside the weights */
    *out = 20 * MB;
    if (n->verb & (SNC_VERB_SEARCH | SNC_VERB_PROFILE)) return SNC_OK;
    if (n->verb == SNC_VERB_STUDY) *out += file / 2; /* one net at a time */
    else if (n->verb != SNC_VERB_COMPRESS) *out = file + x.experts + state;
    else
        *out += (2 + n->o->training.teachers) * file + x.experts + state + distillation_set(n) +
                file / 2 /* full-size INT8, and twice the file while it is repaired */;
    return SNC_OK;
}

static const char *size_text(char buf[32], double bytes)
{
    if (bytes >= GB) snprintf(buf, 32, "%.1f GB", bytes / GB);
    else snprintf(buf, 32, "%.0f MB", bytes / MB);
    return buf;
}

/* All rows of a step at once. */
static snc_err whole_steps(double *out, const snc_needs *n, int others)
{
    return snc_needs_machine(out, n, others, INT_MAX, n->ctx->recompute == SNC_RECOMPUTE_ON);
}

/* What there is to take, by the machine or by what was asked for. */
static const char *room_text(char buf[64], const snc_needs *n, int others, double room)
{
    char size[32];
    snprintf(buf, 64, n->ctx->max_memory > 0 && others == 0 ? "--max-memory leaves %s" : "%s are free", size_text(size, room));
    return buf;
}

/* "needs 1.2 GB", and whose that is. */
static const char *need_text(char buf[96], int others, double need)
{
    char size[32];
    size_text(size, need);
    if (others) snprintf(buf, 96, "needs %s for %d ranks of this machine", size, others + 1);
    else snprintf(buf, 96, "needs %s", size);
    return buf;
}

snc_err snc_needs_fit(const snc_needs *n, int others, double room)
{
    double need, less;
    char a[96], b[64], c[32];
    SNC_TRY(whole_steps(&need, n, others));
    if (room <= 0 || need <= room) return SNC_OK;
    need_text(a, others, need);
    room_text(b, n, others, room);
    SNC_CHECK(trains(n), SNC_E_NOMEM, "memory: %s, %s", a, b);
    SNC_TRY(snc_needs_machine(&less, n, others, 1, n->ctx->recompute != SNC_RECOMPUTE_OFF));
    SNC_CHECK(less <= SNC_ROOM_SURE * room, SNC_E_NOMEM, "memory: %s, %s: even a row of a step at a time needs %s", a, b,
              size_text(c, less));
    snc_log(n->ctx, SNC_LOG_INFO, "memory: %s, %s: steps of training are computed in parts", a, b);
    return SNC_OK;
}

/* Ranks of rank 0's machine beside it. */
static int others_of(const snc_needs *n) { return snc_comm_neighbours(n->ctx->comm) - 1; }

snc_err snc_needs_here(const snc_needs *n)
{
    SNC_TRY(snc_needs_fit(n, 0, snc_room_within(n->ctx->max_memory, 1)));
    return others_of(n) ? snc_needs_fit(n, others_of(n), snc_room_machine()) : SNC_OK;
}

snc_err snc_needs_check(const snc_needs *n, const char *output, double there)
{
    char a[96], b[64], c[32], d[32];
    double need, disk, left;
    const int others = others_of(n);
    SNC_TRY(snc_needs_disk(&disk, n));
    SNC_TRY(snc_room_disk(&left, output));
    disk = fmax(disk - there, 0);
    SNC_CHECK(disk <= left, SNC_E_IO, "--output %s: needs %s of disk, %s are free", output, size_text(a, disk), size_text(d, left));
    SNC_TRY(snc_needs_here(n));
    SNC_TRY(whole_steps(&need, n, others));
    need_text(a, others, need);
    room_text(b, n, others, others ? snc_room_machine() : snc_room_within(n->ctx->max_memory, 1));
    size_text(c, disk);
    size_text(d, left);
    snc_log(n->ctx, SNC_LOG_DEBUG, "memory: %s beside %.0f MB now, %s; %s of disk, %s are free", a, snc_room_resident() / MB, b, c, d);
    return SNC_OK;
}
