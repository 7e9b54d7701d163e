/* base/parcel.h: small things packed one behind the other, to be unpacked in the same order by another process of the same program. */
#ifndef SNC_BASE_PARCEL_H
#define SNC_BASE_PARCEL_H

#include <stddef.h>

#include "base/error.h"

typedef struct snc_parcel {
    char *p;
    size_t n, cap, at;
    snc_err err; /* the first failure of packing, which sticks */
} snc_parcel;

void snc_parcel_put(snc_parcel *p, const void *data, size_t bytes);
void snc_parcel_put_text(snc_parcel *p, const char *text /* NULL stays NULL */);
/* SNC_E_FORMAT: there is less in it. */
snc_err snc_parcel_take(void *data, snc_parcel *p, size_t bytes) SNC_MUST_USE;
snc_err snc_parcel_take_text(const char **text, snc_parcel *p) SNC_MUST_USE; /* lives in the parcel */
void snc_parcel_dispose(snc_parcel *p);

#endif
