/* Registries have a handful of rows: a walk serves both. */
#include "base/names.h"

#include <stdio.h>
#include <string.h>

int snc_names_find(const char *(*name)(int i), const char *asked)
{
    for (int i = 0; name(i); i++)
        if (strcmp(name(i), asked) == 0) return i;
    return -1;
}

void snc_names_join(char *out, size_t size, const char *(*name)(int i), const char *last)
{
    size_t n = 0;
    if (size) out[0] = '\0';
    for (int i = 0; name(i) && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i == 0 ? "" : name(i + 1) ? ", " : last, name(i));
}
