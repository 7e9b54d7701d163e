/* strtoll, which stops at the ends of its range beyond those of int: a number that is too large is seen without errno. */
#include "base/number.h"

#include <limits.h>
#include <stdlib.h>

bool snc_int_read(int *out, const char *text, const char **end)
{
    char *after = NULL;
    long long v = strtoll(text, &after, 10);
    if (after == text || v < INT_MIN || v > INT_MAX || (!end && *after)) return false;
    if (end) *end = after;
    *out = (int)v;
    return true;
}
