/* The largest, and n nets whose budgets are drawn by what training them still wins: probability shift (Zhang et al. 2023, ShiftNAS, arXiv
 * 2307.08300). A budget (`pools` of them, budgets.h) is drawn by p = FLOOR / K + (1 - FLOOR) softmax(B), a net of it by odds.
 * B is 0 until a sixth of the run is done, as long as in the paper; from then on B_k += RATE z_k after each step, z_k the budget's fall in
 * loss, less the mean of all and over their deviation. The fall is the slow less the fast running mean of a net's loss, less the largest
 * net's on the same batch.
 *
 * Done otherwise: the fall is of training losses, where the paper evaluates held-out rows every 100 steps and takes a gradient through the
 * draw by Gumbel-softmax; nets of a budget come by odds instead of an LSTM that is trained to give them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "train/budgets.h"
#include "train/sampler.h"

static const double FLOOR = 0.2, RATE = 0.02, FROZEN = 1.0 / 6, FAST = 0.8, SLOW = 0.95;

typedef struct learnt {
    double shift[SNC_BUDGETS_MOST]; /* B */
    double fast[SNC_BUDGETS_MOST], slow[SNC_BUDGETS_MOST];
    int64_t seen[SNC_BUDGETS_MOST];
} learnt;

typedef struct shift {
    snc_budgets budgets;
    learnt l;
} shift;

static snc_err create(void **state, const snc_space *s, const snc_sampler_opts *o)
{
    shift *h;
    SNC_TRY(snc_alloc(&h, 1, sizeof *h));
    snc_budgets_init(&h->budgets, s, o->cfg, o->pools);
    *state = h;
    return SNC_OK;
}

static void destroy(void *state) { snc_free(state); }

static void shares(double p[SNC_BUDGETS_MOST], const shift *h)
{
    const int K = h->budgets.n;
    double most = h->l.shift[0], sum = 0;
    for (int k = 1; k < K; k++) most = fmax(most, h->l.shift[k]);
    for (int k = 0; k < K; k++) sum += p[k] = exp(h->l.shift[k] - most);
    for (int k = 0; k < K; k++) p[k] = FLOOR / K + (1 - FLOOR) * p[k] / sum;
}

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    const shift *h = state;
    double p[SNC_BUDGETS_MOST];
    shares(p, h);
    snc_space_largest(&nets[0], at->space);
    for (int i = 1; i <= at->random; i++) {
        double u = snc_rng_uniform(rng);
        int k = 0;
        while (k < h->budgets.n - 1 && u >= p[k]) u -= p[k++];
        snc_budget_draw(&nets[i], &h->budgets.budget, &h->budgets.range[k], rng);
    }
    return 1 + at->random;
}

static void move(learnt *l, int K)
{
    double mean = 0, squares = 0, fall[SNC_BUDGETS_MOST];
    for (int k = 0; k < K; k++) mean += (fall[k] = l->slow[k] - l->fast[k]) / K;
    for (int k = 0; k < K; k++) squares += (fall[k] - mean) * (fall[k] - mean) / K;
    if (!(squares > 0)) return;
    for (int k = 0; k < K; k++) l->shift[k] += RATE * (fall[k] - mean) / sqrt(squares);
}

static void tell(void *state, const snc_sampler_at *at, const snc_sampler_seen *seen)
{
    shift *h = state;
    learnt *l = &h->l;
    for (int i = 1; i < seen->n; i++) {
        const int k = snc_budgets_find(&h->budgets, &seen->nets[i]);
        const double above = seen->loss[i] - seen->loss[0];
        l->fast[k] = l->seen[k] ? FAST * l->fast[k] + (1 - FAST) * above : above;
        l->slow[k] = l->seen[k] ? SLOW * l->slow[k] + (1 - SLOW) * above : above;
        l->seen[k]++;
    }
    if (at->done >= FROZEN) move(l, h->budgets.n);
}

static void say(char *buf, size_t size, const void *state)
{
    const shift *h = state;
    double p[SNC_BUDGETS_MOST];
    shares(p, h);
    size_t n = (size_t)snprintf(buf, size, "share of each budget:");
    for (int k = 0; k < h->budgets.n && n < size; k++)
        n += (size_t)snprintf(buf + n, size - n, "%s to %.2f %.3f", k ? "," : "", h->budgets.range[k].high, p[k]);
}

static snc_block block(void *state) { return (snc_block){&((shift *)state)->l, sizeof(learnt)}; }

const snc_sampler_kind snc_sampler_shift = {.name = "shift",
                                            .random_nets = 1,
                                            .budgets = true,
                                            .random_cost = 0.47,
                                            .create = create,
                                            .destroy = destroy,
                                            .draw = draw,
                                            .tell = tell,
                                            .say = say,
                                            .block = block};
