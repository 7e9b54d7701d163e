/* models/elastic.h: which layers a shallower net keeps.
 *
 *   first  0 .. k-1                     (InstaTune)
 *   last   L-k .. L-1
 *   even   round(i * (L-1) / (k-1))     (spread over the depth, first and last kept; k = 1 keeps the last)
 */
#ifndef SNC_MODELS_ELASTIC_H
#define SNC_MODELS_ELASTIC_H

#include "base/error.h"

/* kept [depth], ascending source layers of a model of `layers`. SNC_E_ARG: rule; SNC_E_SHAPE: depth out of 1 .. layers. */
snc_err snc_elastic_keep(int *kept, const char *rule, int depth, int layers) SNC_MUST_USE;

#endif
