/* n nets whose options take turns (turns.h), and no other: FairNAS (Chu et al. 2019, arXiv 1907.01845, algorithm 1, "strict fairness").
 * Done otherwise: there every gene has m options, and one update adds up m nets, a permutation of each gene; here genes have as many
 * options as they have, each goes round by itself, and a round may take several updates of n nets. */
#include "train/turns.h"

const snc_sampler_kind snc_sampler_fair = {.name = "fair", .random_nets = 4, .no_largest = true, .random_cost = 0.4, SNC_TURNS};
