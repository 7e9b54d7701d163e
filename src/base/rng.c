/* Integers by rejection, doubles from 53 bits, normals by Box-Muller without its second value (four words are all the state). */
#include "base/rng.h"

#include <math.h>

void snc_rng_init(snc_rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t x = snc_hash64(seed) ^ snc_hash64(~stream);
    for (int i = 0; i < 4; i++) r->s[i] = snc_hash64(x += 0x9e3779b97f4a7c15u);
}

uint32_t snc_rng_below(snc_rng *r, uint32_t n)
{
    uint64_t limit = UINT32_MAX - UINT32_MAX % n, x;
    do x = snc_rng_u64(r) >> 32;
    while (x >= limit);
    return (uint32_t)(x % n);
}

double snc_rng_normal(snc_rng *r)
{
    double u = 1.0 - snc_rng_uniform(r), v = snc_rng_uniform(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void snc_rng_shuffle(snc_rng *r, int32_t *v, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = snc_rng_below(r, (uint32_t)i);
        int32_t t = v[i - 1];
        v[i - 1] = v[j];
        v[j] = t;
    }
}
