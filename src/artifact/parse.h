/* artifact/parse.h: what options hold as text: lists, amounts with a unit, times. */
#ifndef SNC_ARTIFACT_PARSE_H
#define SNC_ARTIFACT_PARSE_H

#include <stdbool.h>

#include "base/error.h"

/* "1,8,32" -> numbers >= 1; "data" (where allowed) becomes 0. SNC_E_ARG names option and item. */
enum { SNC_LIST_MAX = 32 };
typedef struct snc_int_list {
    int n, v[SNC_LIST_MAX];
} snc_int_list;
snc_err snc_parse_list(snc_int_list *out, const char *option, const char *text, bool data_allowed) SNC_MUST_USE;

/* A positive number with one of the units, the last of which has no name. SNC_E_ARG: "OPTION 'TEXT': expected EXPECTED". */
typedef struct snc_unit {
    const char *name;
    double factor;
    bool relative; /* a share, not an amount */
} snc_unit;
extern const snc_unit snc_units_time[]; /* x, a share; then us, ms and s, in microseconds: without the first where no share is meant */
snc_err snc_parse_unit(double *out, bool *relative, const char *option, const char *text, const snc_unit *units,
                       const char *expected) SNC_MUST_USE;
/* "800us", "1.5ms", "2s" in microseconds. */
snc_err snc_parse_us(double *out, const char *option, const char *text) SNC_MUST_USE;
/* "12MB" (10^6), "800KB", "512B" in bytes. */
snc_err snc_parse_bytes(double *out, const char *option, const char *text) SNC_MUST_USE;
/* "90s", "5m", "1h", "3m40s", "45" (seconds). */
snc_err snc_parse_seconds(double *out, const char *option, const char *text) SNC_MUST_USE;

#endif
