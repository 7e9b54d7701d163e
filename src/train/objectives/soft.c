/* The logits of the teacher, or of the largest net in its place: KL, MSE of a regression, of any number of labels the KL of each. */
#include "train/objective.h"
#include "train/trainer.h"

static double weight(const snc_train_opts *o, bool soft) { return soft ? 1 - o->alpha : 0; }

static double loss(snc_objective_net *n, double scale)
{
    return snc_loss_soft(n->dlogits, n->logits, n->soft, n->labels->problem, n->answers, n->K, n->o->temperature, scale);
}

const snc_objective snc_objective_soft = {.name = "soft", .weight = weight, .loss = loss};
