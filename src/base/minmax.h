/* base/minmax.h: the lesser and the greater of two ints. */
#ifndef SNC_BASE_MINMAX_H
#define SNC_BASE_MINMAX_H

static inline int snc_min(int a, int b) { return a < b ? a : b; }
static inline int snc_max(int a, int b) { return a > b ? a : b; }

#endif
