/* base/place.h: what is installed beside this code, wherever that was moved to.
 *
 * This code lies in the program or in a shared library; what belongs to it is found from the folder of that file, so no
 * absolute path is built in.
 */
#ifndef SNC_BASE_PLACE_H
#define SNC_BASE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* The first of DIR/name, DIR/../name and DIR/../../name that exists, into path; false when none does. */
bool snc_place_find(char *path, size_t size, const char *name);

#endif
