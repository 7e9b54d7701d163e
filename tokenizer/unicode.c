/* Sorted ranges are spread once over pages of 256 flags, found by two indices; mappings stay sorted and are found by bisection. */
#include "tokenizer/unicode_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/unicode_tables.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PAGES    0x1100

enum {
    HANGUL_FIRST = 0xac00,
    HANGUL_LAST = 0xd7a3,
    JAMO_L = 0x1100,
    JAMO_V = 0x1161,
    JAMO_T = 0x11a7,
    N_L = 19,
    N_V = 21,
    N_T = 28,
    N_VT = N_V * N_T
};

/* ---- properties ------------------------------------------------------------------------------------------------- */

/* Sets `bit` for the part of [first, last] inside the 256 code points from `base`. */
static void mark(uint8_t *row, uint32_t base, uint32_t first, uint32_t last, unsigned bit)
{
    uint32_t a = first > base ? first - base : 0;
    uint32_t b = last < base + 255 ? last - base : 255;
    for (uint32_t i = a; i <= b; i++) row[i] = (uint8_t)(row[i] | bit);
}

/* Walks sorted ranges along with the pages: *at is the first range that may still reach this page. */
static void mark_ranges(uint8_t *row, uint32_t base, size_t *at, const uni_range *r, size_t n, unsigned bit)
{
    while (*at < n && r[*at].last < base) ++*at;
    for (size_t i = *at; i < n && r[i].first <= base + 255; i++) mark(row, base, r[i].first, r[i].last, bit);
}

static void mark_mapped(uint8_t *row, uint32_t base, size_t at[3])
{
    while (at[0] < COUNT(uni_combining) && uni_combining[at[0]].last < base) ++at[0];
    for (size_t i = at[0]; i < COUNT(uni_combining) && uni_combining[i].first <= base + 255; i++)
        mark(row, base, uni_combining[i].first, uni_combining[i].last, SNC_UNI_MARK);
    while (at[1] < COUNT(uni_decomposition) && uni_decomposition[at[1]].cp < base) ++at[1];
    for (size_t i = at[1]; i < COUNT(uni_decomposition) && uni_decomposition[i].cp <= base + 255; i++)
        mark(row, base, uni_decomposition[i].cp, uni_decomposition[i].cp, SNC_UNI_MAPPED);
    while (at[2] < COUNT(uni_lowercase) && uni_lowercase[at[2]].last < base) ++at[2];
    for (size_t i = at[2]; i < COUNT(uni_lowercase) && uni_lowercase[i].first <= base + 255; i++)
        mark(row, base, uni_lowercase[i].first, uni_lowercase[i].last, SNC_UNI_MAPPED); /* also between steps: harmless */
    if (base <= HANGUL_LAST && base + 255 >= HANGUL_FIRST) mark(row, base, HANGUL_FIRST, HANGUL_LAST, SNC_UNI_MAPPED);
    if (base == 0x100) mark(row, base, 0x130, 0x130, SNC_UNI_MAPPED);
}

typedef struct prop {
    const uni_range *r;
    size_t n;
    unsigned bit;
} prop;
enum { MAX_PROPS = 6 };

static snc_err fill(snc_uni *u, const prop *props, size_t n_props, bool mapped)
{
    size_t at[MAX_PROPS] = {0}, mapped_at[3] = {0}, cap = 0, rows = 0;
    *u = (snc_uni){.flags = NULL};
    for (uint32_t p = 0; p < PAGES; p++) {
        uint8_t row[256] = {0};
        for (size_t k = 0; k < n_props; k++) mark_ranges(row, p << 8, &at[k], props[k].r, props[k].n, props[k].bit);
        if (mapped) mark_mapped(row, p << 8, mapped_at);
        if (rows == 0 || memcmp(row, u->flags[rows - 1], sizeof row) != 0) {
            snc_err err = snc_grow(&u->flags, &cap, rows + 1, sizeof row);
            if (err != SNC_OK) {
                snc_uni__dispose(u);
                return err;
            }
            memcpy(u->flags[rows++], row, sizeof row);
        }
        u->page[p] = (uint16_t)(rows - 1);
    }
    return SNC_OK;
}

snc_err snc_uni__init(snc_uni *u)
{
    static const prop props[MAX_PROPS] = {
        {uni_space, COUNT(uni_space), SNC_UNI_SPACE},
        {uni_punct, COUNT(uni_punct), SNC_UNI_PUNCT},
        {uni_removed, COUNT(uni_removed), SNC_UNI_REMOVED},
        {uni_cjk, COUNT(uni_cjk), SNC_UNI_CJK},
        {uni_mn, COUNT(uni_mn), SNC_UNI_MN},
        {uni_word, COUNT(uni_word), SNC_UNI_WORD},
    };
    return fill(u, props, COUNT(props), true);
}

snc_err snc_uni__init_level(snc_uni *u)
{
    static const prop props[] = {{uni_space, COUNT(uni_space), SNC_LEVEL_SPACE},
                                 {uni_letter, COUNT(uni_letter), SNC_LEVEL_LETTER},
                                 {uni_number, COUNT(uni_number), SNC_LEVEL_NUMBER}};
    return fill(u, props, COUNT(props), false);
}

void snc_uni__dispose(snc_uni *u)
{
    snc_free(u->flags);
    u->flags = NULL;
}

/* Of rows that begin with their first and last code point. */
static int by_range(const void *key, const void *row)
{
    const uint32_t *cp = key, *range = row;
    return *cp < range[0] ? -1 : *cp > range[1];
}

static int by_first(const void *key, const void *row)
{
    const uint32_t *cp = key, *first = row;
    return *cp < *first ? -1 : *cp > *first;
}

/* The row of a sorted table that cp belongs to, or NULL. */
#define FIND(table, cp, order) bsearch(&(cp), table, COUNT(table), sizeof *(table), order)

int snc_uni__decompose(uint32_t to[4], uint32_t cp)
{
    if (cp >= HANGUL_FIRST && cp <= HANGUL_LAST) {
        uint32_t i = cp - HANGUL_FIRST;
        to[0] = JAMO_L + i / N_VT;
        to[1] = JAMO_V + i % N_VT / N_T;
        to[2] = JAMO_T + i % N_T;
        return i % N_T ? 3 : 2;
    }
    const uni_decomp *d = FIND(uni_decomposition, cp, by_first);
    if (!d) {
        to[0] = cp;
        return 1;
    }
    int n = 0;
    for (; n < 4 && d->to[n]; n++) to[n] = d->to[n];
    return n;
}

int snc_uni__lower(uint32_t to[2], uint32_t cp)
{
    to[0] = cp;
    if (cp == 0x130) {
        to[0] = 'i';
        to[1] = 0x307;
        return 2;
    }
    const uni_lower *l = FIND(uni_lowercase, cp, by_range);
    if (l && (cp - l->first) % l->step == 0) to[0] = (uint32_t)((int32_t)cp + l->delta);
    return 1;
}

bool snc_uni__is_accent(uint32_t cp) { return FIND(uni_accent, cp, by_range) != NULL; }

unsigned snc_uni__class(uint32_t cp)
{
    const uni_class *c = FIND(uni_combining, cp, by_range);
    return c ? (unsigned)c->ccc : 0;
}

static int by_pair(const void *key, const void *row)
{
    const uint32_t *a = key;
    const uni_pair *p = row;
    return a[0] != p->first ? (a[0] < p->first ? -1 : 1) : a[1] < p->second ? -1 : a[1] > p->second;
}

bool snc_uni__compose(uint32_t *to, uint32_t first, uint32_t second)
{
    uint32_t l = first - JAMO_L, v = second - JAMO_V, s = first - HANGUL_FIRST, t = second - JAMO_T;
    if (l < N_L && v < N_V) {
        *to = HANGUL_FIRST + l * N_VT + v * N_T;
        return true;
    }
    if (s <= HANGUL_LAST - HANGUL_FIRST && s % N_T == 0 && t > 0 && t < N_T) {
        *to = first + t;
        return true;
    }
    const uint32_t key[2] = {first, second};
    const uni_pair *p = FIND(uni_composition, key[0], by_pair);
    if (p) *to = p->to;
    return p;
}

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------ */

unsigned snc_utf8__put(unsigned char *p, uint32_t cp)
{
    if (cp < 0x80) {
        p[0] = (unsigned char)cp;
        return 1;
    }
    if (cp < 0x800) {
        p[0] = (unsigned char)(0xc0 | cp >> 6);
        p[1] = (unsigned char)(0x80 | (cp & 63));
        return 2;
    }
    if (cp < 0x10000) {
        p[0] = (unsigned char)(0xe0 | cp >> 12);
        p[1] = (unsigned char)(0x80 | (cp >> 6 & 63));
        p[2] = (unsigned char)(0x80 | (cp & 63));
        return 3;
    }
    p[0] = (unsigned char)(0xf0 | cp >> 18);
    p[1] = (unsigned char)(0x80 | (cp >> 12 & 63));
    p[2] = (unsigned char)(0x80 | (cp >> 6 & 63));
    p[3] = (unsigned char)(0x80 | (cp & 63));
    return 4;
}

/* Bytes of the character at s (n >= 1) and whether it is well formed; else of the maximal ill-formed part. */
static unsigned part(bool *ok, const unsigned char *s, size_t n)
{
    unsigned lo = 0x80, hi = 0xbf, want;
    *ok = s[0] < 0x80;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 1;
    if (s[0] < 0xe0) {
        want = 2;
    } else if (s[0] < 0xf0) {
        want = 3;
        if (s[0] == 0xe0) lo = 0xa0; /* no overlong form */
        if (s[0] == 0xed) hi = 0x9f; /* no surrogate */
    } else {
        want = 4;
        if (s[0] == 0xf0) lo = 0x90;
        if (s[0] == 0xf4) hi = 0x8f; /* nothing above U+10FFFF */
    }
    for (unsigned i = 1; i < want; i++) {
        if (i >= n || s[i] < lo || s[i] > hi) return i;
        lo = 0x80;
        hi = 0xbf;
    }
    *ok = true;
    return want;
}

size_t snc_utf8__valid(const unsigned char *s, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint64_t w;
        if (n - i >= 8 && (memcpy(&w, s + i, 8), (w & 0x8080808080808080u) == 0)) {
            i += 8;
            continue;
        }
        bool ok;
        unsigned k = part(&ok, s + i, n - i);
        if (!ok) break;
        i += k;
    }
    return i;
}

size_t snc_utf8__repair(unsigned char *out, const unsigned char *s, size_t n)
{
    size_t m = 0;
    for (size_t i = 0; i < n;) {
        bool ok;
        unsigned k = part(&ok, s + i, n - i);
        if (ok) {
            memcpy(out + m, s + i, k);
            m += k;
        } else {
            m += snc_utf8__put(out + m, 0xfffd);
        }
        i += k;
    }
    return m;
}
