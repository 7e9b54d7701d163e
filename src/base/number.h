/* base/number.h: whole numbers that stand in a text: a name in a file, a line of the kernel's. */
#ifndef SNC_BASE_NUMBER_H
#define SNC_BASE_NUMBER_H

#include <stdbool.h>

/* The number that text begins with, decimal, into *out; *end is what follows it, and where end is NULL nothing may. false: there is no
 * number, or none that an int holds. */
bool snc_int_read(int *out, const char *text, const char **end);

#endif
