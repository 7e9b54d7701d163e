/* artifact/recipes.h: what each step that trains is told: by the options, and by the recipe where one is given.
 *
 * A recipe (configs/recipes/, keys in train/trainer.h) speaks of fine-tuning to `finetune` and of elastic training to `supernet` and
 * `compress`. Most of its keys say what an option says (its epochs are --epochs or --supernet-epochs, ...) and stand in the options
 * from the beginning of the verb on, except where the user gave that option; the others reach the training of that step alone.
 */
#ifndef SNC_ARTIFACT_RECIPES_H
#define SNC_ARTIFACT_RECIPES_H

#include "snc.h"
#include "train/trainer.h"

/* Puts the values of o->training.recipe into o. verb: SNC_VERB_FINETUNE, _SUPERNET or _COMPRESS. Does nothing without one.
 * SNC_E_NOTFOUND, SNC_E_FORMAT and SNC_E_ARG name the file and the key. */
snc_err snc_recipe_apply(snc_options *o, unsigned verb) SNC_MUST_USE;

/* Fill *t (from SNC_TRAIN_OPTS_INIT) and check it. checkpoint: a path, or NULL. */
snc_err snc_recipe_finetune(snc_train_opts *t, const snc_options *o, const char *checkpoint) SNC_MUST_USE;
snc_err snc_recipe_supernet(snc_train_opts *t, const snc_options *o, const char *checkpoint) SNC_MUST_USE;
snc_err snc_recipe_repair(snc_train_opts *t, const snc_options *o) SNC_MUST_USE;

/* Notes in a stamp what the recipe says and no option can, where that is not the default. */
typedef snc_err (*snc_recipe_fn)(snc_train_opts *t, const snc_options *o, const char *checkpoint);
snc_err snc_recipe_stamp(cJSON *stamp, const snc_options *o, snc_recipe_fn step) SNC_MUST_USE;

#endif
