/* core/tokens.h: an unpadded batch: a flat run of tokens plus sequence offsets.
 *
 *   ids     [T]    word piece ids of all sequences, one after the other
 *   types   [T]    segment ids (0 first sentence, 1 second)
 *   offsets [B+1]  sequence b is tokens offsets[b] .. offsets[b+1]; offsets[0] = 0, offsets[B] = T
 *
 * Positions count from 0 in each sequence. Borrowed pointers; only attention looks at the offsets.
 */
#ifndef SNC_CORE_TOKENS_H
#define SNC_CORE_TOKENS_H

#include <stdint.h>

typedef struct snc_tokens {
    int B, T;
    const int32_t *ids, *types, *offsets;
} snc_tokens;

#endif
