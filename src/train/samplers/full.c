/* The largest net alone: fine-tuning, and the repair of a net that was cut out. */
#include "train/sampler.h"

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    (void)state, (void)rng;
    snc_space_largest(&nets[0], at->space);
    return 1;
}

const snc_sampler_kind snc_sampler_full = {.name = "full", .largest_alone = true, .draw = draw};
