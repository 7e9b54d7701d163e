/* core/relative.h: what is added to a score of attention by the distance of its key from its query.
 *
 * A map gives each distance d = key - query of -(len - 1) .. len - 1 a bucket, a table gives each bucket of each head a value: learned
 * (MPNet), or 0 and -inf (a window). What reads them gets the values of one head behind each other, so that those of a query, or of a
 * key, are a run of memory:
 *
 *   run [2 n - 1]    of n tokens: distance d at [n - 1 + d], or with `turned` at [n - 1 - d]
 */
#ifndef SNC_CORE_RELATIVE_H
#define SNC_CORE_RELATIVE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct snc_relative {
    const float *table;    /* [heads, buckets]; NULL: nothing is added */
    float *grad;           /* the same shape, added to by a backward pass; NULL: none is wanted */
    const uint8_t *bucket; /* [2 len - 1]: of distance d at [len - 1 + d] */
    int len, buckets;
} snc_relative;

/* MPNet's and T5's: 16 for keys at or before the query, 16 for those behind it; of each the distances 0 .. 7 singly, then two to an
 * octave, and the last from 90 on. */
enum { SNC_RELATIVE_BUCKETS = 32 };
void snc_relative_buckets(uint8_t *bucket /* [2 len - 1] */, int len);

/* A window: 0 for keys at most `reach` away, else 1. */
void snc_relative_window(uint8_t *bucket /* [2 len - 1] */, int len, int reach);

/* run [2 n - 1] = values of `head` times `factor`, for n <= r->len. */
void snc_relative_expand(float *run, const snc_relative *r, int head, int n, float factor, bool turned);
/* The way back: grad [buckets] += a turned run's sums by bucket, times `factor`. */
void snc_relative_fold(float *grad, const snc_relative *r, const float *run, int n, float factor);

#endif
