/* tokenizer/word_cache_priv.h: words of up to 16 bytes that were cut before and the ids they became, for kinds of tokenizers whose words
 * are cut alike wherever they stand. A table of a place a word, of which the last one stays; a scratch keeps it.
 *
 *     SNC_TRY(snc_words__ready(&k->words, digest));                           once a text
 *     snc_word_key key = snc_words__key(word, n);                             n in 1 .. SNC_WORD_BYTES
 *     snc_word *c = snc_words__place(&k->words, &key);
 *     if (snc_words__is(c, &key)) ...                                         c->n ids; all SNC_WORD_IDS may be copied
 *     else snc_words__keep(c, &key, ids, count);                              nothing, where there are too many
 */
#ifndef SNC_TOKENIZER_WORD_CACHE_PRIV_H
#define SNC_TOKENIZER_WORD_CACHE_PRIV_H

#include <stdbool.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "tokenizer/kind.h"

enum { SNC_WORD_BYTES = 16, SNC_WORD_IDS = 11, SNC_WORD_BITS = 14 };

typedef struct snc_word_key {
    uint64_t part[2];
    size_t bytes;
} snc_word_key;

typedef struct snc_word {
    uint64_t part[2];
    uint8_t bytes, n; /* bytes 0: free */
    int32_t ids[SNC_WORD_IDS];
} snc_word;

typedef struct snc_words {
    snc_word *place; /* [1 << SNC_WORD_BITS] */
    uint64_t digest; /* of the tokenizer whose words they are */
} snc_words;

/* Of the first n blobs: what tells tokenizers of a kind apart. */
static inline uint64_t snc_words__digest(const snc_tok_blob *blob, int n)
{
    snc_digest_part parts[SNC_TOK_BLOBS];
    for (int i = 0; i < n; i++) parts[i] = (snc_digest_part){blob[i].data, blob[i].bytes};
    return snc_digest(parts, n);
}

/* Empty where the words are of another tokenizer. */
static inline snc_err snc_words__ready(snc_words *w, uint64_t digest)
{
    if (!w->place) SNC_TRY(snc_alloc(&w->place, (size_t)1 << SNC_WORD_BITS, sizeof *w->place));
    if (w->digest != digest) memset(w->place, 0, sizeof *w->place << SNC_WORD_BITS);
    w->digest = digest;
    return SNC_OK;
}

/* Up to 8 bytes, n >= 1: another number for other bytes of the same n. */
static inline uint64_t snc_words__load(const unsigned char *p, size_t n)
{
    uint32_t first, last;
    if (n < 4) return p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
    memcpy(&first, p, sizeof first);
    memcpy(&last, p + n - sizeof last, sizeof last);
    return first | (uint64_t)last << 32;
}

static inline snc_word_key snc_words__key(const unsigned char *word, size_t n)
{
    return (snc_word_key){{snc_words__load(word, n < 8 ? n : 8), n > 8 ? snc_words__load(word + 8, n - 8) : 0}, n};
}

static inline snc_word *snc_words__place(const snc_words *w, const snc_word_key *k)
{
    uint64_t h = (k->part[0] ^ k->bytes) * UINT64_C(0x9e3779b97f4a7c15) ^ k->part[1] * UINT64_C(0xd6e8feb86659fd93);
    return &w->place[(h ^ h >> 31) * UINT64_C(0xc2b2ae3d27d4eb4f) >> (64 - SNC_WORD_BITS)];
}

static inline bool snc_words__is(const snc_word *w, const snc_word_key *k)
{
    return w->bytes == k->bytes && w->part[0] == k->part[0] && w->part[1] == k->part[1];
}

static inline void snc_words__keep(snc_word *w, const snc_word_key *k, const int32_t *ids, size_t n)
{
    if (n > SNC_WORD_IDS) return;
    *w = (snc_word){.part = {k->part[0], k->part[1]}, .bytes = (uint8_t)k->bytes, .n = (uint8_t)n};
    memcpy(w->ids, ids, n * sizeof *ids);
}

#endif
