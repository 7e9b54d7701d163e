/* train/turns.h: nets whose options take turns: of every gene, each option once before any of them comes again.
 *
 * A gene with n options goes round in rounds of n nets, each round a permutation of its own. Heads and FFN of a layer count the nets
 * that have the layer, so how often two options were drawn differs by at most one at any time. Which layers a space of single layers
 * keeps is drawn uniformly.
 *
 * What is here are the functions of a sampler (sampler.h) that draws `random` nets by turns and no other; its state is where the turns
 * stand.
 */
#ifndef SNC_TRAIN_TURNS_H
#define SNC_TRAIN_TURNS_H

#include "train/sampler.h"

snc_err snc_turns_create(void **state, const snc_space *s, const snc_sampler_opts *o) SNC_MUST_USE;
void snc_turns_destroy(void *state);
int snc_turns_draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng);
void snc_turns_tell(void *state, const snc_sampler_at *at, const snc_sampler_seen *seen);
snc_block snc_turns_block(void *state);

#define SNC_TURNS \
    .create = snc_turns_create, .destroy = snc_turns_destroy, .draw = snc_turns_draw, .tell = snc_turns_tell, .block = snc_turns_block

#endif
