/* The largest, the smallest, and n nets of pools: prioritised subnet sampling (Chen et al. 2021, PSS-Net, arXiv 2109.05432).
 *
 * A pool a budget (`pools` of them, budgets.h) holds the POOL nets of the least running loss that it has met. A net is drawn of a budget
 * that all are equally likely: while its pool is not full, or with a probability that falls from 1 to LAST over the run, a new one; else
 * one of the pool by softmax(-loss / T), T falling alike. A net's loss is its own less the largest net's on the same batch, and in the pool
 * runs by 0.9 old + 0.1 new; a new net enters a full pool in place of the worst where it is better.
 *
 * Done otherwise: the loss is that of the step's objectives, told after the step instead of in a pass before it; new nets are drawn by odds
 * (budgets.h) instead of tables counted from 100,000 random ones; one cost, multiply-adds. The pools are told of in the log; which net is
 * delivered is for the search. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "train/budgets.h"
#include "train/sampler.h"

enum { POOL = 50 };
static const double LAST = 0.01, KEPT = 0.9;

typedef struct pool {
    int n;
    snc_arch net[POOL];
    double loss[POOL];
} pool;

typedef struct pss {
    snc_budgets budgets;
    pool pool[]; /* [budgets.n] */
} pss;

static snc_err create(void **state, const snc_space *s, const snc_sampler_opts *o)
{
    pss *p;
    SNC_TRY(snc_alloc(&p, sizeof *p + (size_t)o->pools * sizeof p->pool[0], 1));
    snc_budgets_init(&p->budgets, s, o->cfg, o->pools);
    *state = p;
    return SNC_OK;
}

static void destroy(void *state) { snc_free(state); }

/* One of a pool, the better the likelier. */
static int prefer(const pool *q, double temperature, snc_rng *rng)
{
    double odds[POOL], sum = 0, least = q->loss[0];
    int i = 0;
    for (int k = 1; k < q->n; k++) least = fmin(least, q->loss[k]);
    for (int k = 0; k < q->n; k++) sum += odds[k] = exp((least - q->loss[k]) / temperature);
    double at = snc_rng_uniform(rng) * sum;
    while (i < q->n - 1 && at >= odds[i]) at -= odds[i++];
    return i;
}

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    const pss *p = state;
    const double fresh = pow(LAST, at->done);
    snc_space_largest(&nets[0], at->space);
    snc_space_smallest(&nets[1], at->space);
    for (int i = 2; i < 2 + at->random; i++) {
        const int b = (int)snc_rng_below(rng, (uint32_t)p->budgets.n);
        const pool *q = &p->pool[b];
        const bool anew = snc_rng_uniform(rng) < fresh;
        if (anew || q->n < POOL) snc_budget_draw(&nets[i], &p->budgets.budget, &p->budgets.range[b], rng);
        else nets[i] = q->net[prefer(q, fresh, rng)];
    }
    return 2 + at->random;
}

static void meet(pool *q, const snc_arch *net, double loss)
{
    int worst = 0;
    for (int k = 0; k < q->n; k++) {
        if (q->loss[k] > q->loss[worst]) worst = k;
        if (!snc_arch_equal(&q->net[k], net)) continue;
        q->loss[k] = KEPT * q->loss[k] + (1 - KEPT) * loss;
        return;
    }
    if (q->n == POOL && loss >= q->loss[worst]) return;
    const int at = q->n < POOL ? q->n++ : worst;
    q->net[at] = *net;
    q->loss[at] = loss;
}

static void tell(void *state, const snc_sampler_at *at, const snc_sampler_seen *seen)
{
    pss *p = state;
    (void)at;
    for (int i = 2; i < seen->n; i++)
        meet(&p->pool[snc_budgets_find(&p->budgets, &seen->nets[i])], &seen->nets[i], seen->loss[i] - seen->loss[0]);
}

static void say(char *buf, size_t size, const void *state)
{
    const pss *p = state;
    size_t n = (size_t)snprintf(buf, size, "nets in each pool, and the least loss above the largest net's:");
    for (int b = 0; b < p->budgets.n && n < size; b++) {
        const pool *q = &p->pool[b];
        double least = q->n ? q->loss[0] : (double)NAN;
        for (int k = 1; k < q->n; k++) least = fmin(least, q->loss[k]);
        n += (size_t)snprintf(buf + n, size - n, "%s to %.2f %d (%.3f)", b ? "," : "", p->budgets.range[b].high, q->n, least);
    }
}

static snc_block block(void *state)
{
    pss *p = state;
    return (snc_block){p->pool, (size_t)p->budgets.n * sizeof p->pool[0]};
}

const snc_sampler_kind snc_sampler_pss = {.name = "pss",
                                          .random_nets = 1,
                                          .budgets = true,
                                          .random_cost = 0.6,
                                          .create = create,
                                          .destroy = destroy,
                                          .draw = draw,
                                          .tell = tell,
                                          .say = say,
                                          .block = block};
