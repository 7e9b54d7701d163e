/* data/sets.h: the different sets of labels that rows have; a row holds the number of its own.
 *
 *   has   [n, K]   1: the label is in the set
 *
 * Rows of few labels have few different sets, and a number a row travels through splits, samples and resamples as a class does.
 */
#ifndef SNC_DATA_SETS_H
#define SNC_DATA_SETS_H

#include <stdint.h>

#include "base/error.h"

enum { SNC_SETS_MOST = 1 << 24 }; /* numbers that a float holds */

typedef struct snc_sets {
    int n, K;
    uint8_t *has;
    size_t cap;
    struct snc_sets_entry *index;
} snc_sets;

snc_err snc_sets_new(snc_sets **out, int K) SNC_MUST_USE;
snc_err snc_sets_dup(snc_sets **out, const snc_sets *s) SNC_MUST_USE;
void snc_sets_free(snc_sets *s);
/* The number of a set [K], which is taken in where it is new. SNC_E_UNSUPPORTED: more than SNC_SETS_MOST. */
snc_err snc_sets_number(int *out, snc_sets *s, const uint8_t *has) SNC_MUST_USE;
static inline const uint8_t *snc_sets_of(const snc_sets *s, int number) { return s->has + (int64_t)number * s->K; }

#endif
