/* Largest, smallest, n random: the "sandwich rule" of OFA and BigNAS (Yu and Huang 2019). */
#include "train/sampler.h"

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    (void)state;
    snc_space_largest(&nets[0], at->space);
    snc_space_smallest(&nets[1], at->space);
    return snc_sampler_fill(nets, 2, at->space, at->random, rng);
}

/* 1.8 fine-tuning steps a step were measured, the smallest net among them. */
const snc_sampler_kind snc_sampler_sandwich = {.name = "sandwich", .random_nets = 2, .random_cost = 0.4, .draw = draw};
