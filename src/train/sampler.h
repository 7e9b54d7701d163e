/* train/sampler.h: which subnets one training step runs, by name.
 *
 *   full       the largest net alone
 *   sandwich   largest, smallest, n random (OFA / BigNAS "sandwich rule")
 *   instatune  largest, n random; n = 1 in the paper (InstaTune, arXiv 2308.15609)
 *
 * The first net is always the largest: in-place distillation takes its logits as the targets of the others. A new sampler is
 * one row of the table in sampler.c.
 */
#ifndef SNC_TRAIN_SAMPLER_H
#define SNC_TRAIN_SAMPLER_H

#include "train/subspace.h"

enum { SNC_SAMPLER_MAX = 16 };

typedef struct snc_sampler {
    const char *name;
    /* Fills nets and returns how many, at most random + 2. */
    int (*draw)(snc_arch *nets, const snc_subspace *s, int random, snc_rng *rng);
} snc_sampler;

snc_err snc_sampler_find(const snc_sampler **out, const char *name) SNC_MUST_USE; /* SNC_E_ARG lists the names */

#endif
