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

static double value_of(const char *effort, int i, const snc_option *row)
{
    return strcmp(effort, "quick") == 0      ? presets[i].quick
           : strcmp(effort, "thorough") == 0 ? presets[i].thorough
                                             : snc_option_number(&snc_options_defaults, row);
}

void snc_effort_apply(snc_options *o)
{
    for (int i = 0; i < PRESETS; i++) {
        const snc_option *row = snc_option_row(presets[i].option, SNC_VERB_COMPRESS);
        if (!snc_option_given(o, row)) snc_option_set_number(o, row, value_of(o->job.effort, i, row));
    }
}

bool snc_effort_asked(const snc_options *o, const char *option)
{
    for (int i = 0; i < PRESETS; i++) {
        const snc_option *row = snc_option_row(presets[i].option, SNC_VERB_COMPRESS);
        if (strcmp(presets[i].option, option) == 0)
            return snc_option_marked(o, row) || snc_option_number(o, row) != value_of(o->job.effort, i, row);
    }
    return snc_option_given(o, snc_option_row(option, SNC_VERB_COMPRESS));
}
