/* artifact/settle.h: what a task of few rows needs more of: a recipe counts training by epochs and made rows by train rows, and says the
 * least numbers that make sense of both.
 *
 *   finetune, supernet, repair   min_steps: updates at least
 *   augment                      least: made rows at least, all in all
 *
 * They become epochs and made rows for each row as soon as the rows are known, before anything is planned, so that estimates, plans and
 * stamps count what will be done. Where a user says epochs or made rows by option, or asks for --effort quick, that holds.
 */
#ifndef SNC_ARTIFACT_SETTLE_H
#define SNC_ARTIFACT_SETTLE_H

#include "data/dataset.h"
#include "snc.h"

/* As the options of their names count; 0: the recipe says no least. */
typedef struct snc_least {
    double epochs, supernet_epochs, repair_epochs, augment;
} snc_least;

/* Whether a job trains the chosen net once more. */
bool snc_refits(const snc_options *o);

snc_err snc_settle_least(snc_least *out, const snc_options *o, const snc_dataset *train) SNC_MUST_USE;
/* Raises the options that are below it. After snc_recipe_apply and snc_effort_apply. */
snc_err snc_settle(snc_options *o, const snc_dataset *train) SNC_MUST_USE;

#endif
