/* A flat hash table of word pieces, and words cut by the longest that fit. */
#include "tokenizer/pieces_priv.h"

#include <string.h>

#include "base/mem.h"
#include "tokenizer/unicode_priv.h"

enum { PAD = 16, SHORT = 16, LONG_BIT = 63, PREFIX = 2 };
#define MAX_LINES (1 << 22)

typedef struct key {
    uint64_t k[2], hash;
} key;

/* The first n (0 to 8) bytes at p, zero padded; reads 8. */
static inline uint64_t load(const unsigned char *p, size_t n)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    const union {
        uint16_t v;
        uint8_t first;
    } order = {1};
    if (n >= 8) return v;
    return order.first ? v & ((UINT64_C(1) << 8 * n) - 1) : v & ~(UINT64_MAX >> 8 * n);
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = a * UINT64_C(0x9e3779b97f4a7c15) ^ (b + UINT64_C(0x632be59bd9b4e019)) * UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
    return h * UINT64_C(0xc2b2ae3d27d4eb4f);
}

/* n >= 1 bytes with 8 readable ones after them. */
static inline key key_of(const unsigned char *p, size_t n, unsigned cont)
{
    key r;
    if (n <= SHORT) {
        r.k[0] = load(p, n);
        r.k[1] = n > 8 ? load(p + 8, n - 8) : 0;
        r.hash = mix(r.k[0], r.k[1] ^ cont << 3);
    } else {
        r.hash = n * 2 + cont;
        for (size_t i = 0; i < n; i += 8) r.hash = mix(r.hash, load(p + i, n - i));
        r.k[0] = r.hash;
        r.k[1] = 0;
    }
    r.hash ^= r.hash >> 29;
    return r;
}

/* The slot of a piece, or the free one where it would go. */
static inline uint32_t seek(const snc_wp *w, const unsigned char *p, size_t n, unsigned cont)
{
    key k = key_of(p, n, cont);
    uint32_t len = (uint32_t)n * 2 + cont;
    for (uint32_t i = (uint32_t)k.hash & w->mask;; i = (i + 1) & w->mask) {
        const snc_wp_slot *s = &w->slot[i];
        if (s->len == 0) return i;
        if (s->len != len || s->key[0] != k.k[0]) continue;
        if (n <= SHORT ? s->key[1] == k.k[1] : memcmp(w->text + s->key[1], p, n) == 0) return i;
    }
}

static inline unsigned prefix_hash(const unsigned char *p) { return (unsigned)(p[0] * 0x9e3u ^ p[1] * 0x35u) & 4095; }

static snc_err split_lines(snc_wp *w, const char *vocab, size_t bytes, char last)
{
    int line = 0;
    for (size_t i = 0, at = 0; i < bytes; line++) {
        const char *end = memchr(vocab + i, last, bytes - i);
        size_t n = end ? (size_t)(end - (vocab + i)) : bytes - i;
        const unsigned char *s = (const unsigned char *)vocab + i;
        SNC_CHECK(snc_utf8__valid(s, n) == n, SNC_E_FORMAT, "vocabulary line %d: not valid UTF-8", line + 1);
        SNC_CHECK(!memchr(s, 0, n), SNC_E_FORMAT, "vocabulary line %d: a NUL byte", line + 1);
        memcpy(w->text + at, s, n);
        w->offset[line] = (uint32_t)at;
        at += n + 1;
        i += n + 1;
    }
    return SNC_OK;
}

snc_err snc_wp__init(snc_wp *w, const char *vocab, size_t bytes, char end)
{
    size_t lines = 0, slots = 1024;
    *w = (snc_wp){.unk = -1, .max_chars = 100};
    memset(w->one, 0xff, sizeof w->one);
    SNC_CHECK(bytes > 0, SNC_E_FORMAT, "vocabulary: empty");
    SNC_CHECK(bytes < UINT32_MAX / 4, SNC_E_FORMAT, "vocabulary: %zu bytes are too many", bytes);
    for (size_t i = 0; i < bytes; i++) lines += vocab[i] == end || i + 1 == bytes;
    SNC_CHECK(lines <= MAX_LINES, SNC_E_FORMAT, "vocabulary: %zu lines are too many", lines);
    w->n_lines = (int)lines;
    SNC_TRY(snc_alloc(&w->text, bytes + 1 + PAD, 1));
    SNC_TRY(snc_alloc(&w->offset, lines, sizeof *w->offset));
    while (slots < 2 * lines) slots *= 2;
    SNC_TRY(snc_alloc(&w->slot, slots, sizeof *w->slot));
    w->mask = (uint32_t)(slots - 1);
    return split_lines(w, vocab, bytes, end);
}

void snc_wp__dispose(snc_wp *w)
{
    snc_free(w->text);
    snc_free(w->offset);
    snc_free(w->slot);
    *w = (snc_wp){.unk = -1};
}

/* "##ing" is the piece "ing" that continues a word. A line "##" alone can match nothing, like an empty one. */
static unsigned split_prefix(const snc_wp *w, const unsigned char **p, size_t *n)
{
    if (w->plain || *n < PREFIX || memcmp(*p, "##", PREFIX) != 0) return 0;
    *p += PREFIX;
    *n -= PREFIX;
    return 1;
}

void snc_wp__insert(snc_wp *w, int32_t id)
{
    const unsigned char *p = (const unsigned char *)w->text + w->offset[id];
    size_t n = strlen((const char *)p);
    unsigned cont = split_prefix(w, &p, &n);
    if (n == 0) return;
    snc_wp_slot *s = &w->slot[seek(w, p, n, cont)];
    key k = key_of(p, n, cont);
    s->key[0] = k.k[0];
    s->key[1] = n <= SHORT ? k.k[1] : (uint64_t)(p - (const unsigned char *)w->text);
    s->len = (uint32_t)n * 2 + cont;
    s->id = id;
    if (n > w->longest) w->longest = n;
    if (n == 1) w->one[cont][p[0]] = id; /* one byte of valid UTF-8 is ASCII */
    else w->lens[cont][prefix_hash(p)] |= UINT64_C(1) << (n < LONG_BIT ? n : LONG_BIT);
}

/* n >= 1 bytes with 8 readable ones after them. */
static int32_t lookup(const snc_wp *w, const unsigned char *p, size_t n, unsigned cont)
{
    const snc_wp_slot *s = &w->slot[seek(w, p, n, cont)];
    return s->len ? s->id : -1;
}

int32_t snc_wp__find(const snc_wp *w, const char *piece, size_t n)
{
    const unsigned char *p = (const unsigned char *)piece;
    unsigned cont = split_prefix(w, &p, &n);
    return n ? lookup(w, p, n, cont) : -1;
}

static size_t count_chars(const unsigned char *p, size_t n)
{
    size_t c = 0;
    for (size_t i = 0; i < n; i++) c += (p[i] & 0xc0) != 0x80;
    return c;
}

/* Longest piece at the start of p[n]; its bytes in *len; -1: none. */
static int32_t longest(size_t *len, const snc_wp *w, const unsigned char *p, size_t n, unsigned cont)
{
    if (n > 1) {
        uint64_t m = w->lens[cont][prefix_hash(p)];
        if (m >> LONG_BIT) {
            for (size_t l = n < w->longest ? n : w->longest; l >= LONG_BIT; l--) {
                int32_t id = lookup(w, p, l, cont);
                if (id >= 0) return *len = l, id;
            }
        }
        m &= n >= LONG_BIT ? UINT64_MAX >> 1 : (UINT64_C(2) << n) - 1;
        while (m) {
            size_t l = (size_t)(63 - __builtin_clzll(m));
            int32_t id = lookup(w, p, l, cont);
            if (id >= 0) return *len = l, id;
            m &= ~(UINT64_C(1) << l);
        }
    }
    *len = 1;
    return p[0] < 0x80 ? w->one[cont][p[0]] : -1;
}

int snc_wp__word(int32_t *ids, const snc_wp *w, const unsigned char *word, size_t n)
{
    int k = 0;
    if (n > (size_t)w->max_chars && count_chars(word, n) > (size_t)w->max_chars) return ids[0] = w->unk, 1;
    for (size_t at = 0; at < n;) {
        size_t len;
        int32_t id = longest(&len, w, word + at, n - at, at > 0);
        if (id < 0) return ids[0] = w->unk, 1;
        ids[k++] = id;
        at += len;
    }
    return k;
}
