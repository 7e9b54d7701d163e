/* Two random nets of a step agree: the KL of a random net's logits to those of the random net before it, which are taken as they are. From
 * cross-path learning of Pi-NAS (Peng et al. 2021, arXiv 2108.09671), where both learn, from a momentum copy, by InfoNCE over a queue of
 * negatives and two views of an image. Here one learns in a step: both are drawn alike, so that each is as often the one, and gradients of
 * both would need a third pass. Labels and teacher beside it keep logits from collapsing, which negatives do there; `momentum` is an
 * objective of its own, and dropout of subnets makes views. Off by default. */
#include "train/objective.h"
#include "train/trainer.h"

static double weight(const snc_train_opts *o, bool soft)
{
    (void)soft;
    return o->consistency_weight;
}

static double loss(snc_objective_net *n, double scale)
{
    if (!n->other) return 0;
    return snc_loss_soft(n->dlogits, n->logits, n->other, n->labels->problem, n->answers, n->K, n->o->temperature, scale);
}

const snc_objective snc_objective_consistency = {.name = "consistency", .key = "consistency_weight", .weight = weight, .loss = loss};
