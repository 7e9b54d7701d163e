/* mutate.h: seeded damage for fuzz tests: a copy of some bytes, exactly as long as it says so that ASan sees one byte too far.
 *
 * Most damage falls in [from, to): the header of a format, where the reader decides things.
 */
#ifndef SNC_TESTS_MUTATE_H
#define SNC_TESTS_MUTATE_H

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

typedef struct mutant {
    unsigned char *p; /* [n], freed with free */
    size_t n;
} mutant;

static inline size_t mutate_place(snc_rng *r, size_t n, size_t from, size_t to)
{
    if (to > n) to = n;
    if (from < to && snc_rng_below(r, 8)) return from + snc_rng_below(r, (uint32_t)(to - from));
    return n ? snc_rng_below(r, (uint32_t)n) : 0;
}

static inline void mutate_bytes(mutant *m, snc_rng *r, size_t from, size_t to)
{
    static const unsigned char nasty[] = {0, 1, 0x7f, 0x80, 0xff, '0', '9', '-', 'e', '"', '{', '}', '[', ']', ',', ':', '\\', '/', '.'};
    size_t at = mutate_place(r, m->n, from, to), len = 1 + snc_rng_below(r, 8);
    if (m->n == 0) return;
    if (len > m->n - at) len = m->n - at;
    switch (snc_rng_below(r, 6)) {
    case 0: m->p[at] ^= (unsigned char)(1u << snc_rng_below(r, 8)); break;
    case 1: m->p[at] = (unsigned char)snc_rng_below(r, 256); break;
    case 2: m->p[at] = nasty[snc_rng_below(r, sizeof nasty)]; break;
    case 3: memset(m->p + at, snc_rng_below(r, 2) ? 0xff : 0, len); break;
    case 4: memmove(m->p + at, m->p + at + len, m->n - at - len), m->n -= len; break; /* a gap closed */
    default: memmove(m->p + at, m->p + mutate_place(r, m->n - len + 1, from, to), len); break;
    }
}

static inline mutant mutate(const unsigned char *data, size_t n, snc_rng *r, size_t from, size_t to)
{
    mutant m = {malloc(n ? n : 1), n};
    if (!m.p) abort();
    if (n) memcpy(m.p, data, n);
    for (uint32_t k = 1 + snc_rng_below(r, 4); k > 0; k--) mutate_bytes(&m, r, from, to);
    if (snc_rng_below(r, 10) == 0 && m.n) m.n = snc_rng_below(r, (uint32_t)m.n);
    unsigned char *exact = malloc(m.n ? m.n : 1);
    if (!exact) abort();
    if (m.n) memcpy(exact, m.p, m.n);
    free(m.p);
    m.p = exact;
    return m;
}

#endif
