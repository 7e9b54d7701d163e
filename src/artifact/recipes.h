/* artifact/recipes.h: what each step that trains is told: by the recipe, and by options, which override it.
 *
 * A recipe is a JSON file with a section for each step, whose keys are those of train/trainer.h:
 *
 *   finetune     the teacher
 *   supernet     elastic training
 *   repair       the distillation of the net that is delivered
 *   augment      rows made for the two: rows join replace (data/augment.h)
 *   importance   the order of units before elastic training: soft, the weight of made rows in it (train/importance.h)
 *   weights      where the supernet's matrices come from: kind, a source (models/source.h); experts rank neuron attention, of one that
 *                mixes them (models/mixture.h)
 *
 * and min_steps, of the three, and least, of made rows, as artifact/settle.h says.
 *
 * configs/recipes/default.json says every key of every section: no number of it stands in the program. Another recipe (--recipe: a name,
 * a file, or the JSON itself) says what differs from it. A key whose section comes first among those that one option speaks to is shown by
 * that option: its value stands in the options from the beginning of the verb on, so that plans, stamps and reports see what is in force,
 * and is taken from there. The other sections follow the option where the user gave it (--warmup, --supernet-lr, ...).
 */
#ifndef SNC_ARTIFACT_RECIPES_H
#define SNC_ARTIFACT_RECIPES_H

#include "data/augment.h"
#include "models/source.h"
#include "snc.h"
#include "train/trainer.h"

typedef enum snc_section {
    SNC_SECTION_FINETUNE,
    SNC_SECTION_SUPERNET,
    SNC_SECTION_REPAIR,
    SNC_SECTION_AUGMENT,
    SNC_SECTION_IMPORTANCE,
    SNC_SECTION_WEIGHTS,
    SNC_SECTIONS
} snc_section;

/* Puts what is in force by the recipe into o, where no option was given. SNC_E_NOTFOUND, SNC_E_FORMAT and SNC_E_ARG name the file
 * and the key: every section is looked at. */
snc_err snc_recipe_apply(snc_options *o) SNC_MUST_USE;

/* Fill *t and check it. o: after snc_recipe_apply. checkpoint: a path, or NULL. */
snc_err snc_recipe_finetune(snc_train_opts *t, const snc_options *o, const char *checkpoint) SNC_MUST_USE;
snc_err snc_recipe_supernet(snc_train_opts *t, const snc_options *o, const char *checkpoint) SNC_MUST_USE;
snc_err snc_recipe_repair(snc_train_opts *t, const snc_options *o) SNC_MUST_USE;
snc_err snc_recipe_augment(snc_augment *a, const snc_options *o) SNC_MUST_USE;

/* The mixture is what would hold of a kind that has experts. */
typedef struct snc_weights_asked {
    const snc_source_kind *kind;
    snc_mixture mixture;
} snc_weights_asked;
snc_err snc_recipe_weights(snc_weights_asked *w, const snc_options *o) SNC_MUST_USE;
cJSON *snc_weights_asked_json(const snc_weights_asked *w); /* the section, of a kind without experts its kind alone */

/* One number of a section. */
snc_err snc_recipe_number(double *out, const snc_options *o, snc_section s, const char *key) SNC_MUST_USE;

/* Notes in a stamp what these sections say that the stamp's options do not. */
snc_err snc_recipe_stamp(cJSON *stamp, const snc_options *o, const snc_section *sections, int n) SNC_MUST_USE;

#endif
