/* artifact/effort.h: --effort: what a whole job does where neither an option nor the user's recipe says it. `normal`: the default one. */
#ifndef SNC_ARTIFACT_EFFORT_H
#define SNC_ARTIFACT_EFFORT_H

#include "snc.h"

/* Gives the options that were not asked for the values of o->job.effort. After the recipe. */
void snc_effort_apply(snc_options *o);

#endif
