/* The batch in n parts, each through a net of its own, whose options take turns (turns.h): ViT-ResNAS (Liao et al. 2021, arXiv
 * 2109.00642, "multi-architectural sampling"). n nets take the time of one. Done otherwise: a part is a pass through the slice instead
 * of a mask over the whole, with the same gradient (weight: the part's share of the rows); an option's turns go on from step to step
 * instead of beginning anew; and widths are open from the start, where the paper opens them over its first epochs, as `stages` does. */
#include "train/turns.h"

const snc_sampler_kind snc_sampler_subbatch = {
    .name = "subbatch", .random_nets = 4, .no_largest = true, .parts = true, .random_cost = 0.4, SNC_TURNS};
