/* Largest, n random; n = 1 in the paper (InstaTune, arXiv 2308.15609). */
#include "train/sampler.h"

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    (void)state;
    snc_space_largest(&nets[0], at->space);
    return snc_sampler_fill(nets, 1, at->space, at->random, rng);
}

const snc_sampler_kind snc_sampler_instatune = {.name = "instatune", .random_nets = 1, .random_cost = 0.4, .draw = draw};
