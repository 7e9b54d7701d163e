/* train/facts.h: what a training run is, as a checkpoint keeps it: every key of its options, and hashes of what it is given. */
#ifndef SNC_TRAIN_FACTS_H
#define SNC_TRAIN_FACTS_H

#include "train/checkpoint.h"
#include "train/trainer.h"

enum { SNC_TRAIN_FACTS = 64 };

/* Fills facts [SNC_TRAIN_FACTS] and returns how many. teacher and space may be NULL. */
int snc_train_facts(snc_fact *facts, const snc_ctx *ctx, const snc_model *m, const snc_model *teacher, const snc_dataset *d,
                    const snc_space *space, const snc_train_opts *o);

#endif
