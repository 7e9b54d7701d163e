/* Steps are epochs x rows / batch size, rounded up to a thousandth of an epoch. */
#include "artifact/settle.h"

#include <math.h>
#include <string.h>

#include "artifact/distillation.h"
#include "artifact/option.h"
#include "artifact/recipes.h"

/* By the user himself, not by a recipe. */
static bool own(const snc_options *o, const char *option)
{
    const snc_option *row = snc_option_row(option, SNC_VERB_ALL);
    return snc_option_given(o, row) && !snc_option_by_recipe(o, row);
}

static snc_err epochs_of(double *out, const snc_options *o, snc_section s, const char *option, double rows)
{
    double steps, batch;
    SNC_TRY(snc_recipe_number(&steps, o, s, "min_steps"));
    SNC_TRY(snc_recipe_number(&batch, o, s, "batch_size"));
    *out = own(o, option) ? 0 : fmin(ceil(1000 * steps * batch / rows) / 1000, snc_option_row(option, SNC_VERB_ALL)->max);
    return SNC_OK;
}

bool snc_refits(const snc_options *o) { return o->exporting.repair_epochs > 0 && strcmp(o->exporting.repair, "off") != 0; }

snc_err snc_settle_least(snc_least *out, const snc_options *o, const snc_dataset *train)
{
    const snc_dataset labelled = snc_dataset_labelled_view(train);
    double least;
    *out = (snc_least){0};
    if (strcmp(o->job.effort, "quick") == 0) return SNC_OK;
    SNC_TRY(snc_recipe_number(&least, o, SNC_SECTION_AUGMENT, "least"));
    if (!own(o, "--augment")) out->augment = fmin(ceil(1000 * least / train->n) / 1000, snc_option_row("--augment", SNC_VERB_ALL)->max);
    const double rows = train->n * (1 + snc_distillation_made(fmax(o->supernet.augment, out->augment), train->n));
    SNC_TRY(epochs_of(&out->epochs, o, SNC_SECTION_FINETUNE, "--epochs", labelled.n));
    SNC_TRY(epochs_of(&out->supernet_epochs, o, SNC_SECTION_SUPERNET, "--supernet-epochs", rows));
    return epochs_of(&out->repair_epochs, o, SNC_SECTION_REPAIR, "--repair-epochs", rows);
}

snc_err snc_settle(snc_options *o, const snc_dataset *train)
{
    snc_least least;
    SNC_TRY(snc_settle_least(&least, o, train));
    o->supernet.augment = fmax(o->supernet.augment, least.augment);
    o->training.epochs = fmax(o->training.epochs, least.epochs);
    o->supernet.epochs = fmax(o->supernet.epochs, least.supernet_epochs);
    o->exporting.repair_epochs = fmax(o->exporting.repair_epochs, least.repair_epochs);
    return SNC_OK;
}
