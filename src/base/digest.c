/* XXH3, inlined from xxHash: made against accidents, and fast enough to check every file that is opened. */
#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#if XXH_VERSION_NUMBER < 800
#error "xxHash 0.8.0 or later is needed: XXH3's values were not fixed before"
#endif

uint64_t snc_digest(const snc_digest_part *parts, int n)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (int i = 0; i < n; i++)
        if (parts[i].n) XXH3_64bits_update(&state, parts[i].p, parts[i].n);
    return XXH3_64bits_digest(&state);
}

void snc_digest_text(char out[SNC_DIGEST_TEXT], uint64_t digest) { snprintf(out, SNC_DIGEST_TEXT, SNC_DIGEST_KIND "%016" PRIx64, digest); }
