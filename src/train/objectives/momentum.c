/* The subnets learn from a momentum copy of the largest net (train/momentum_copy.h): the KL to its logits. In-place distillation (Yu and
 * Huang 2019) with the teacher of Tarvainen and Valpola 2017 (arXiv 1703.01780): a mean over steps in place of the net of this very
 * step, which learns while it teaches. It stands beside a frozen teacher and `in_place` and takes no share from them; in the mean
 * teacher's paper the student is the whole net, and the loss the square of probabilities. Off by default. */
#include "train/objective.h"
#include "train/trainer.h"

static double weight(const snc_train_opts *o, bool soft)
{
    (void)soft;
    return o->momentum_weight;
}

static double loss(snc_objective_net *n, double scale)
{
    if (!n->slow) return 0;
    return snc_loss_soft(n->dlogits, n->logits, n->slow, n->labels->problem, n->answers, n->K, n->o->temperature, scale);
}

const snc_objective snc_objective_momentum = {
    .name = "momentum", .key = "momentum_weight", .reads = SNC_READS_COPY, .weight = weight, .loss = loss};
