/* train/agree.h: whether model, teacher and data of a run belong together: classes, meanings, lengths, ids. */
#ifndef SNC_TRAIN_AGREE_H
#define SNC_TRAIN_AGREE_H

#include "train/trainer.h"

/* teacher may be NULL. SNC_E_SHAPE, SNC_E_ARG: what does not. */
snc_err snc_train_agree(const snc_model *m, const snc_model *teacher, const snc_dataset *d, const snc_train_opts *o) SNC_MUST_USE;

#endif
