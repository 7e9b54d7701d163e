/* base/rng.h: one small generator per consumer, its state saved in checkpoints.
 *
 * xoshiro256++ (Blackman, Vigna 2019) seeded by splitmix64 of (seed, stream). snc_hash64 is a stateless mixer for masks
 * that must be drawn again in a backward pass.
 */
#ifndef SNC_BASE_RNG_H
#define SNC_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct snc_rng {
    uint64_t s[4];
} snc_rng;

void snc_rng_init(snc_rng *r, uint64_t seed, uint64_t stream);
static inline uint64_t snc_rng__rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t snc_rng_u64(snc_rng *r)
{
    uint64_t *s = r->s, out = snc_rng__rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = snc_rng__rotl(s[3], 45);
    return out;
}

static inline double snc_rng_uniform(snc_rng *r) { return (double)(snc_rng_u64(r) >> 11) * 0x1p-53; } /* [0, 1) */
uint32_t snc_rng_below(snc_rng *r, uint32_t n); /* uniform in [0, n), n >= 1, no modulo bias */
double snc_rng_normal(snc_rng *r);              /* mean 0, deviation 1 */
void snc_rng_shuffle(snc_rng *r, int32_t *v, size_t n);

static inline uint64_t snc_hash64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

#endif
