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

enum { MOST = 40 }; /* letters that count when names are compared */

static int length(const char *s)
{
    size_t n = strlen(s);
    return n < MOST ? (int)n : MOST;
}

int snc_names_distance(const char *a, const char *b)
{
    int row[MOST + 1], n = length(a), m = length(b);
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 1; i <= n; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int above = row[j], least = corner + (a[i - 1] != b[j - 1]);
            if (above + 1 < least) least = above + 1;
            if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
            corner = above;
            row[j] = least;
        }
    }
    return row[m];
}

int snc_names_far(const char *asked) { return length(asked) / 2; }

const char *snc_names_nearest(const char *(*name)(int i), const char *asked)
{
    const char *best = NULL;
    int least = snc_names_far(asked) + 1;
    for (int i = 0; name(i); i++) {
        int d = snc_names_distance(name(i), asked);
        if (d < least) least = d, best = name(i);
    }
    return best;
}

void snc_names_join(char *out, size_t size, const char *(*name)(int i), const char *last)
{
    size_t n = 0;
    if (size) out[0] = '\0';
    for (int i = 0; name(i) && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i == 0 ? "" : name(i + 1) ? ", " : last, name(i));
}

void snc_names_expected(char *out, size_t size, const char *(*name)(int i), const char *asked, const char *some)
{
    char names[256];
    const char *near = snc_names_nearest(name, asked);
    snc_names_join(names, sizeof names, name, ", ");
    snprintf(out, size, "%s%s%sexpected %s of %s", near ? "nearest is '" : "", near ? near : "", near ? "'; " : "", some, names);
}
