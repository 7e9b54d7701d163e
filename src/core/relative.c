/* Two to an octave without logarithms: the square of a distance counts octaves by twos, so that no rounding decides a bucket. */
#include "core/relative.h"

#include <assert.h>

void snc_relative_buckets(uint8_t *bucket, int len)
{
    enum { SIDE = SNC_RELATIVE_BUCKETS / 2, EXACT = SIDE / 2 };
    for (int n = 0, far = EXACT; n < len; n++) {
        while (far + 1 < SIDE && n >= EXACT && (int64_t)n * n >= (int64_t)EXACT * EXACT << (far + 1 - EXACT)) far++;
        int b = n < EXACT ? n : far;
        bucket[len - 1 - n] = (uint8_t)b;
        if (n > 0) bucket[len - 1 + n] = (uint8_t)(SIDE + b);
    }
}

void snc_relative_window(uint8_t *bucket, int len, int reach)
{
    for (int d = 1 - len; d < len; d++) bucket[len - 1 + d] = d > reach || -d > reach;
}

void snc_relative_expand(float *run, const snc_relative *r, int head, int n, float factor, bool turned)
{
    const float *value = r->table + (int64_t)head * r->buckets;
    const uint8_t *middle = r->bucket + r->len - 1;
    assert(n >= 1 && n <= r->len);
    for (int d = 1 - n; d < n; d++) run[n - 1 + d] = value[middle[turned ? -d : d]] * factor;
}

void snc_relative_fold(float *grad, const snc_relative *r, const float *run, int n, float factor)
{
    const uint8_t *middle = r->bucket + r->len - 1;
    assert(n >= 1 && n <= r->len);
    for (int d = 1 - n; d < n; d++) grad[middle[-d]] += run[n - 1 + d] * factor;
}
