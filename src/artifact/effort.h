/* artifact/effort.h: --effort: what a whole job does where neither an option nor a recipe says it. `normal` is the defaults. */
#ifndef SNC_ARTIFACT_EFFORT_H
#define SNC_ARTIFACT_EFFORT_H

#include <stdbool.h>

#include "snc.h"

/* Gives the options that were not asked for the values of o->job.effort. After the recipe. */
void snc_effort_apply(snc_options *o);
/* Whether the option was asked for by itself, seen after snc_effort_apply. */
bool snc_effort_asked(const snc_options *o, const char *option);

#endif
