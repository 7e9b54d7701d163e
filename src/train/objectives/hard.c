/* The labels: CE, MSE of a regression, BCE of any number of labels. A teacher takes its share (alpha) from them. */
#include "train/objective.h"
#include "train/trainer.h"

static double weight(const snc_train_opts *o, bool soft) { return soft ? o->alpha : 1.0; }

static double loss(snc_objective_net *n, double scale) { return snc_loss_hard(n->dlogits, n->logits, n->labels, n->answers, n->K, scale); }

const snc_objective snc_objective_hard = {.name = "hard", .weight = weight, .loss = loss};
