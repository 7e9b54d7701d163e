/* Rounding in whole numbers, so that every machine keeps the same layers. */
#include "models/elastic.h"

#include <string.h>

snc_err snc_elastic_keep(int *kept, const char *rule, int depth, int layers)
{
    SNC_CHECK(depth >= 1 && depth <= layers, SNC_E_SHAPE, "depth %d: the model has %d layers", depth, layers);
    for (int i = 0; i < depth; i++) {
        if (strcmp(rule, "first") == 0) kept[i] = i;
        else if (strcmp(rule, "last") == 0) kept[i] = layers - depth + i;
        else if (strcmp(rule, "even") == 0) kept[i] = depth == 1 ? layers - 1 : (2 * i * (layers - 1) + (depth - 1)) / (2 * (depth - 1));
        else return snc_err_set(SNC_E_ARG, "depth rule '%s': expected first, last or even", rule);
    }
    return SNC_OK;
}
