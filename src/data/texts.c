/* Equal digests come together; those of empty rows come first. */
#include "data/texts.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void snc_texts_sort(uint64_t *text, size_t n) { qsort(text, n, sizeof *text, by_value); }

bool snc_texts_have(const uint64_t *sorted, size_t n, uint64_t text) { return text && bsearch(&text, sorted, n, sizeof *sorted, by_value); }

void snc_texts_count(int *empty, int *duplicate, const uint64_t *sorted, size_t n)
{
    *empty = *duplicate = 0;
    for (size_t i = 0; i < n; i++) {
        *empty += sorted[i] == 0;
        *duplicate += i && sorted[i] && sorted[i] == sorted[i - 1];
    }
}
