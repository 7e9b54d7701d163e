/* base/names.h: the names of a registry: which row a name is, and all of them for a message.
 *
 * name(i) is the i-th name, NULL after the last.
 */
#ifndef SNC_BASE_NAMES_H
#define SNC_BASE_NAMES_H

#include <stddef.h>

int snc_names_find(const char *(*name)(int i), const char *asked); /* the row; -1: none is called so */
/* "a, b, c", or "a, b or c" with last " or "; cut where it does not fit. */
void snc_names_join(char *out, size_t size, const char *(*name)(int i), const char *last);

#endif
