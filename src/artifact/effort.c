/* A row an option, a column a preset. */
#include "artifact/effort.h"

#include <string.h>

#include "artifact/option.h"

static const struct {
    const char *option;
    double quick, thorough;
} presets[] = {
    {"--epochs", 2, 3}, {"--supernet-epochs", 0.5, 2}, {"--augment", 1, 5}, {"--evals", 200, 800}, {"--repair-epochs", 0.5, 2},
};
enum { PRESETS = sizeof presets / sizeof presets[0] };

void snc_effort_apply(snc_options *o)
{
    const bool quick = strcmp(o->job.effort, "quick") == 0;
    if (strcmp(o->job.effort, "normal") == 0) return;
    for (int i = 0; i < PRESETS; i++) {
        const snc_option *row = snc_option_row(presets[i].option, SNC_VERB_COMPRESS);
        if (snc_option_given(o, row)) continue;
        snc_option_set_number(o, row, quick ? presets[i].quick : presets[i].thorough);
        snc_option_mark_recipe(o, row, false);
    }
}
