/* n uniform nets and no other, n = 1 in the paper: single-path one-shot (SPOS, Guo et al. 2019, arXiv 1904.00420). With the largest before
 * them it is `instatune`. Done otherwise: n may be more than one, and their gradients are averaged. */
#include "train/sampler.h"

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    (void)state;
    return snc_sampler_fill(nets, 0, at->space, at->random, rng);
}

const snc_sampler_kind snc_sampler_uniform = {.name = "uniform", .random_nets = 1, .no_largest = true, .random_cost = 0.4, .draw = draw};
