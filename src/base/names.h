/* base/names.h: names that people give: of a registry, which row one is and all of them for a message; of a comma list, one by one.
 *
 * name(i) is the i-th name, NULL after the last.
 */
#ifndef SNC_BASE_NAMES_H
#define SNC_BASE_NAMES_H

#include <stddef.h>
#include <string.h>

/* The item of a comma list after this one; NULL: it was the last. An item ends where strcspn(item, ",") says. */
static inline const char *snc_list_next(const char *item)
{
    const char *comma = strchr(item, ',');
    return comma ? comma + 1 : NULL;
}

int snc_names_find(const char *(*name)(int i), const char *asked); /* the row; -1: none is called so */
/* "a, b, c", or "a, b or c" with last " or "; cut where it does not fit. */
void snc_names_join(char *out, size_t size, const char *(*name)(int i), const char *last);

#endif
