/* A map is checked once, unit by unit; walks check where they go, so that one made to lead astray finds nothing. */
#include "tokenizer/charsmap_priv.h"

#include <string.h>

#include "base/mem.h"

enum { KEEP = 128, DROP, LOOK }; /* of `ascii`, beside characters */
enum { CLUSTER = 6 };            /* bytes from which on a cluster goes by its characters */

snc_err snc_bytes__add(snc_bytes *b, const void *p, size_t n)
{
    SNC_TRY(snc_grow(&b->p, &b->cap, b->n + n + 1, 1)); /* one more: a text of nothing has a place, too */
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
    return SNC_OK;
}

/* ---- units ------------------------------------------------------------------------------------------------------ */

static uint32_t u32_at(const unsigned char *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

static uint32_t unit(const snc_charsmap *m, uint32_t i) { return u32_at(m->units + 4 * (size_t)i); }

static bool has_text(uint32_t u) { return u >> 8 & 1; }

static uint32_t label(uint32_t u) { return u & 0x800000ffu; }

static uint32_t offset(uint32_t u) { return u >> 10 << ((u & 0x200) >> 6); }

static uint32_t place(uint32_t u) { return u & 0x7fffffffu; }

/* The text of the shortest beginning of key that is in the map; NULL: none. */
static const unsigned char *find(size_t *n, const snc_charsmap *m, const unsigned char *key, size_t bytes)
{
    uint32_t at = offset(unit(m, 0));
    for (size_t i = 0; i < bytes && key[i]; i++) {
        at ^= key[i];
        if (at >= m->n_units) return NULL;
        uint32_t u = unit(m, at);
        if (label(u) != key[i]) return NULL;
        at ^= offset(u);
        if (at >= m->n_units) return NULL;
        if (!has_text(u)) continue;
        const unsigned char *text = m->texts + place(unit(m, at));
        *n = strlen((const char *)text);
        return text;
    }
    return NULL;
}

/* ---- making one ------------------------------------------------------------------------------------------------- */

/* What any unit with a text points at is the beginning of a character, and no long text. */
static snc_err check_units(const snc_charsmap *m)
{
    for (uint32_t i = 0; i < m->n_units; i++) {
        uint32_t u = unit(m, i), leaf = i ^ offset(u);
        if (!has_text(u) || u >> 31) continue;
        SNC_CHECK(leaf < m->n_units, SNC_E_FORMAT, "character map: unit %u points outside of its %u units", i, m->n_units);
        uint32_t at = place(unit(m, leaf));
        SNC_CHECK(at < m->n_texts && (m->texts[at] & 0xc0) != 0x80, SNC_E_FORMAT, "character map: unit %u has no text at %u of %zu bytes",
                  i, at, m->n_texts);
        SNC_CHECK(memchr(m->texts + at, 0, m->n_texts + 1 - at < SNC_CHARSMAP_TEXT ? m->n_texts + 1 - at : SNC_CHARSMAP_TEXT), SNC_E_FORMAT,
                  "character map: unit %u has a text of more than %d bytes", i, SNC_CHARSMAP_TEXT - 1);
    }
    return SNC_OK;
}

static void set_ascii(snc_charsmap *m)
{
    for (unsigned c = 0; c < 128; c++) {
        unsigned char key = (unsigned char)c;
        size_t n = 0;
        const unsigned char *text = find(&n, m, &key, 1);
        m->ascii[c] = !text ? KEEP : n == 0 ? DROP : n == 1 ? text[0] : LOOK;
    }
}

snc_err snc_charsmap__init(snc_charsmap *m, const void *blob, size_t n, const snc_graphemes *g)
{
    const unsigned char *p = blob;
    uint32_t bytes = n >= 4 ? u32_at(p) : 0;
    *m = (snc_charsmap){.graphemes = g};
    SNC_CHECK(n >= 8 && bytes >= 4 && bytes % 4 == 0 && bytes <= n - 4, SNC_E_FORMAT, "character map of %zu bytes: its array has %u", n,
              bytes);
    m->n_texts = n - 4 - bytes;
    SNC_CHECK(snc_utf8__valid(p + 4 + bytes, m->n_texts) == m->n_texts, SNC_E_FORMAT, "character map: its texts are not valid UTF-8");
    SNC_TRY(snc_alloc(&m->units, n, 1)); /* a NUL after the last text */
    memcpy(m->units, p + 4, n - 4);
    m->n_units = bytes / 4;
    m->texts = m->units + bytes;
    SNC_TRY(check_units(m));
    set_ascii(m);
    return SNC_OK;
}

void snc_charsmap__dispose(snc_charsmap *m)
{
    snc_free(m->units);
    m->units = NULL;
}

/* ---- applying it ------------------------------------------------------------------------------------------------ */

static snc_err add_mapped(snc_bytes *out, const snc_charsmap *m, const unsigned char *part, size_t n, bool *is_mapped)
{
    size_t bytes = 0;
    const unsigned char *text = find(&bytes, m, part, n);
    *is_mapped = text != NULL;
    return text ? snc_bytes__add(out, text, bytes) : SNC_OK;
}

static snc_err add_cluster(snc_bytes *out, const snc_charsmap *m, const unsigned char *text, size_t n)
{
    bool is_mapped = false;
    if (n < CLUSTER) SNC_TRY(add_mapped(out, m, text, n, &is_mapped));
    for (size_t i = 0; i < n && !is_mapped;) {
        uint32_t cp;
        bool one;
        size_t bytes = snc_utf8__get(&cp, text + i);
        SNC_TRY(add_mapped(out, m, text + i, bytes, &one));
        if (!one) SNC_TRY(snc_bytes__add(out, text + i, bytes));
        i += bytes;
    }
    return SNC_OK;
}

snc_err snc_charsmap__run(snc_bytes *out, const snc_charsmap *m, const unsigned char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        SNC_TRY(snc_grow(&out->p, &out->cap, out->n + n - i, 1)); /* a byte of ASCII gives at most one by the table */
        unsigned char *o = out->p + out->n;
        for (; i < n && text[i] < 0x80 && (i + 1 == n || text[i + 1] < 0x80); i++) { /* nothing of ASCII but CR LF makes a cluster */
            uint8_t to = m->ascii[text[i]];
            if (to == LOOK || text[i] == '\r') break;
            *o = to < KEEP ? to : text[i];
            o += to != DROP;
        }
        out->n = (size_t)(o - out->p);
        if (i == n) break;
        size_t bytes = snc_graphemes__next(m->graphemes, text + i, n - i);
        SNC_TRY(add_cluster(out, m, text + i, bytes));
        i += bytes;
    }
    return SNC_OK;
}
