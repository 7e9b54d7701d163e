/* reseal.h: gives a damaged .snc a digest that is right again, so that a test reaches what lies behind the check of it. */
#ifndef SNC_TESTS_RESEAL_H
#define SNC_TESTS_RESEAL_H

#include "core/seal.h"

/* In place; false for bytes that hold no digest. */
static inline bool reseal(unsigned char *p, size_t n)
{
    size_t header = 0;
    for (int i = 7; i >= 0 && n > 8; i--) header = header << 8 | p[i];
    size_t at = n > 8 && header <= n - 8 ? snc_seal_find(p + 8, header) : 0;
    if (at) snc_seal_set(p + 8 + at, &(snc_digest_part){p, n}, 1);
    return at > 0;
}

#endif
