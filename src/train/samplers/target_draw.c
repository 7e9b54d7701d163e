/* The largest, and n nets of what the job asks for: multiply-adds from a tenth under its share to the share itself, which is what a search
 * to this target may take and is likely to. The share is that of --target-macs, or of --target-latency where it is one ("0.5x"); where the
 * job says none, the recipe's `near`. Source: budget-conditioned draws of ShiftNAS (Zhang et al. 2023, arXiv 2307.08300)
 * with a single budget. Done otherwise: by odds (budgets.h) instead of a generator that is trained. `near` draws to both sides of a share,
 * and by uniform options. */
#include "base/mem.h"
#include "train/budgets.h"
#include "train/sampler.h"

static const double UNDER = 0.1;

typedef struct target {
    snc_budget budget;
    snc_budget_range range;
} target;

static snc_err create(void **state, const snc_space *s, const snc_sampler_opts *o)
{
    target *t;
    SNC_TRY(snc_alloc(&t, 1, sizeof *t));
    t->budget = snc_budget_of(s, o->cfg);
    t->range = snc_budget_fit(&t->budget, o->near - UNDER, o->near);
    *state = t;
    return SNC_OK;
}

static void destroy(void *state) { snc_free(state); }

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    const target *t = state;
    snc_space_largest(&nets[0], at->space);
    for (int i = 1; i <= at->random; i++) snc_budget_draw(&nets[i], &t->budget, &t->range, rng);
    return 1 + at->random;
}

const snc_sampler_kind snc_sampler_target = {
    .name = "target", .random_nets = 3, .to_target = true, .random_cost = -0.05, .create = create, .destroy = destroy, .draw = draw};
