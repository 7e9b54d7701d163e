/* core/tokens.h: an unpadded batch: a flat run of tokens plus sequence offsets.
 *
 *   ids     [T]    word piece ids of all sequences, one after the other
 *   types   [T]    segment ids (0 first sentence, 1 second)
 *   offsets [B+1]  sequence b is tokens offsets[b] .. offsets[b+1]; offsets[0] = 0, offsets[B] = T
 *   read    [R]    for a model that tags tokens: which of the T it is asked for, ascending; NULL: all of them. Other models answer each
 *                  sequence, whatever stands here
 *
 * Positions count from 0 in each sequence. Borrowed pointers; only attention looks at the offsets.
 */
#ifndef SNC_CORE_TOKENS_H
#define SNC_CORE_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct snc_tokens {
    int B, T;
    const int32_t *ids, *types, *offsets;
    int R;
    const int32_t *read;
} snc_tokens;

/* How many answers a batch has of a model that tags tokens, or of another. */
static inline int snc_tokens_answers(const snc_tokens *x, bool tags) { return !tags ? x->B : x->read ? x->R : x->T; }

/* How many of them are of the sequences before b. */
static inline int snc_tokens_answers_before(const snc_tokens *x, int b, bool tags)
{
    int lo = 0, hi = x->R;
    if (!tags) return b;
    if (!x->read) return x->offsets[b];
    while (lo < hi) {
        const int mid = lo + (hi - lo) / 2;
        if (x->read[mid] < x->offsets[b]) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

/* Of which sequence an answer is. */
static inline int snc_tokens_answered(const snc_tokens *x, int answer, bool tags)
{
    int b = 0;
    while (snc_tokens_answers_before(x, b + 1, tags) <= answer) b++;
    return b;
}

#endif
