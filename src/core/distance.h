/* core/distance.h: contents and distances apart, as DeBERTa's attention has them.
 *
 * The distance d = query - key has a bucket, whose rows of two tables stand for it: `key` for what a query finds in a distance, `query`
 * for what a distance asks of a key. To the product q_i . k_j of each head is added, before the three of them are scaled,
 *
 *   q_i . key[bucket(i - j)] + query[bucket(i - j)] . k_j
 *
 * Source: DeBERTa (arXiv 2006.03654), with the buckets of its second version.
 */
#ifndef SNC_CORE_DISTANCE_H
#define SNC_CORE_DISTANCE_H

#include <stdint.h>

/* How many products a score is the sum of: it is scaled by 1 / sqrt(SNC_DISTANCE_PARTS head_width). */
enum { SNC_DISTANCE_PARTS = 3 };

typedef struct snc_distances {
    const float *key, *query; /* [2 reach + 1, heads x head_width], bucket b at row reach + b; NULL: nothing is added */
    float *dkey, *dquery;     /* of the same shape, overwritten by a backward pass */
    const int16_t *bucket;    /* [2 len - 1]: of distance d at [len - 1 + d] */
    int len, reach;
} snc_distances;

/* Of a distance of 0 .. longest - 1: those up to buckets / 2 singly, those beyond by their logarithm, the last with that of longest - 1;
 * below `buckets`, which is 2 at least. One to the other side has the negative. */
int snc_distance_bucket(int distance, int buckets, int longest);
void snc_distance_buckets(int16_t *bucket /* [2 len - 1] */, int len, int buckets, int longest);

#endif
