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
/* The name that is the fewest letters away from what was asked (left out, put in, or another), the first of equals; NULL: there is none,
 * or it is so far away that it was hardly meant. */
const char *snc_names_nearest(const char *(*name)(int i), const char *asked);
/* How many letters have to be left out, put in or replaced to make b of a; of the first 40. */
int snc_names_distance(const char *a, const char *b);
/* How far away a name may be that was meant. */
int snc_names_far(const char *asked);
/* "a, b, c", or "a, b or c" with last " or "; cut where it does not fit. */
void snc_names_join(char *out, size_t size, const char *(*name)(int i), const char *last);
/* What a message says of a name that is none: "nearest is 'b'; expected one of a, b", with `some` "one". */
void snc_names_expected(char *out, size_t size, const char *(*name)(int i), const char *asked, const char *some);

#endif
