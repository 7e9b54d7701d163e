/* A group lasso over units, by what they cost: the sum over heads and FFN neurons of their share of the multiply-adds of all units times
 * the length of all their weights (a head: its rows of Q, K and V with their biases, its columns of O; a neuron likewise, with its
 * gate). SuperTickets (You et al. 2022, arXiv 2207.03677) weighs the L1 norm of the scale of a channel's BatchNorm so, with a ramp, and
 * removes channels below a threshold. There are no such scales here, so the group's own length stands for one; which units a net keeps
 * is what importance orders and the search says: none is removed, and no ramp is needed. Its gradient joins those of the step's nets
 * once, before the norm is clipped: AdamW divides it by what it divides theirs by. Off by default. */
#include <math.h>

#include "base/par.h"
#include "models/cost.h"
#include "train/objective.h"
#include "train/trainer.h"

enum { UNITS = 64, BLOCKS = 256 }; /* of a block; of a pass in parallel */

static double weight(const snc_train_opts *o, bool soft)
{
    (void)soft;
    return o->group_weight;
}

static snc_err check(const snc_train_opts *o, const snc_model *m, const snc_model *teacher)
{
    (void)teacher;
    SNC_CHECK(!m->source.kind->experts, SNC_E_UNSUPPORTED,
              "group weight %g: units of a model that mixes experts have no weights of their own", o->group_weight);
    return SNC_OK;
}

typedef struct job {
    snc_model *m;
    int layer, units, first; /* of the layer; the first of the pass */
    snc_axis axis;
    double scale; /* of the gradient */
    double *sums; /* [blocks] */
} job;

/* Rows or columns of a unit along this axis; 0: the axis has others. */
static int width_of(const job *j, snc_axis axis)
{
    if (axis == SNC_AXIS_FFN_IN && j->axis == SNC_AXIS_FFN) return snc_family_neuron(snc_family_of(&j->m->cfg));
    if (axis != j->axis) return 0;
    return axis == SNC_AXIS_HEAD ? j->m->cfg.head_width : 1;
}

/* Weights of `count` units from `first` on: their squares are added to sum, or with `times` each of them times that to its gradient. */
static void walk_param(const job *j, const snc_param *p, int first, int count, double *sum, const double *times)
{
    const int rows = width_of(j, snc_spec_of(p)->rows), cols = width_of(j, snc_spec_of(p)->cols);
    const int r0 = rows ? first * rows : 0, r1 = rows ? (first + count) * rows : p->rows;
    const int c0 = cols ? first * cols : 0, c1 = cols ? (first + count) * cols : p->cols;
    if (!rows && !cols) return;
    for (int r = r0; r < r1; r++) {
        const size_t at = p->offset + (size_t)r * (size_t)p->cols;
        for (int c = c0; c < c1; c++) {
            const int u = rows ? r / rows - first : c / cols - first;
            const double w = (double)j->m->params.w[at + (size_t)c];
            if (times) j->m->params.g[at + (size_t)c] += (float)(times[u] * w);
            else sum[u] += w * w;
        }
    }
}

static void walk(const job *j, int first, int count, double *sum, const double *times)
{
    for (int role = 0; role < SNC_ROLE_MIXTURE; role++) {
        const int i = snc_spec_rows[role].layer ? snc_model_at(j->m, (snc_role)role, j->layer) : -1;
        if (i >= 0) walk_param(j, &j->m->params.p[i], first, count, sum, times);
    }
}

static void block(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const job *j = payload;
    (void)chunk, (void)worker;
    for (int64_t b = begin; b < end; b++) {
        const int first = j->first + (int)b * UNITS, count = j->units - first < UNITS ? j->units - first : UNITS;
        double sum[UNITS] = {0}, times[UNITS];
        walk(j, first, count, sum, NULL);
        j->sums[b] = 0;
        for (int u = 0; u < count; u++) {
            const double length = sqrt(sum[u]);
            j->sums[b] += length;
            times[u] = length > 0 ? j->scale / length : 0; /* a unit that is nothing stays */
        }
        if (j->scale != 0) walk(j, first, count, NULL, times);
    }
}

static double lengths(const snc_ctx *ctx, job *j)
{
    double sums[BLOCKS], sum = 0;
    j->sums = sums;
    for (j->first = 0; j->first < j->units; j->first += UNITS * BLOCKS) {
        const int left = (j->units - j->first + UNITS - 1) / UNITS, n = left < BLOCKS ? left : BLOCKS;
        snc_par_for(ctx, n, 1, block, j);
        for (int b = 0; b < n; b++) sum += sums[b];
    }
    return sum;
}

/* Multiply-adds of a head, or of a neuron, of the layer. */
static double macs(const snc_model *m, int layer, snc_axis axis)
{
    snc_arch less = m->arch;
    int *n = axis == SNC_AXIS_HEAD ? &less.heads[layer] : &less.ffn[layer];
    if (*n == 0) return 0;
    --*n;
    return (double)(snc_cost_encoder_macs(&m->cfg, &m->arch, SNC_MACS_TOKENS) - snc_cost_encoder_macs(&m->cfg, &less, SNC_MACS_TOKENS));
}

static double of_weights(const snc_ctx *ctx, snc_model *m, double scale)
{
    static const snc_axis axes[] = {SNC_AXIS_HEAD, SNC_AXIS_FFN};
    double all = 0, sum = 0;
    for (int l = 0; l < m->arch.layers; l++) all += macs(m, l, axes[0]) * m->arch.heads[l] + macs(m, l, axes[1]) * m->arch.ffn[l];
    for (int l = 0; l < m->arch.layers; l++)
        for (int a = 0; a < 2; a++) {
            const double share = macs(m, l, axes[a]) / all;
            job j = {.m = m, .layer = l, .units = a ? m->arch.ffn[l] : m->arch.heads[l], .axis = axes[a], .scale = scale * share};
            sum += share * lengths(ctx, &j);
        }
    return sum;
}

const snc_objective snc_objective_group = {
    .name = "group penalty", .key = "group_weight", .weight = weight, .of_weights = of_weights, .check = check};
