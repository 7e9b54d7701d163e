/* Sorted ranges are spread once over pages of 256 classes; a cluster is walked with what the rules look back for kept in two flags. */
#include "tokenizer/graphemes_priv.h"

#include <string.h>

#include "base/mem.h"
#include "tokenizer/forms_unicode_tables.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PAGES    0x1100

enum { HANGUL_FIRST = 0xac00, HANGUL_LAST = 0xd7a3, N_T = 28 };

static const form_range hangul[3][2] = {
    {{0x1100, 0x115f}, {0xa960, 0xa97c}}, {{0x1160, 0x11a7}, {0xd7b0, 0xd7c6}}, {{0x11a8, 0x11ff}, {0xd7cb, 0xd7fb}}};

static void paint(uint8_t *row, uint32_t base, const form_range *r, size_t n, snc_grapheme_class k)
{
    for (size_t i = 0; i < n; i++) {
        if (r[i].last < base || r[i].first > base + 255) continue;
        uint32_t first = r[i].first > base ? r[i].first - base : 0, last = r[i].last < base + 255 ? r[i].last - base : 255;
        memset(row + first, (int)k, last - first + 1);
    }
}

static void paint_page(uint8_t *row, uint32_t base)
{
    static const struct {
        const form_range *r;
        size_t n;
        snc_grapheme_class k;
    } sets[] = {
        {form_prepend, COUNT(form_prepend), SNC_GR_PREPEND},
        {form_control, COUNT(form_control), SNC_GR_CONTROL},
        {form_spacing, COUNT(form_spacing), SNC_GR_SPACING},
        {form_extend, COUNT(form_extend), SNC_GR_EXTEND},
        {form_joining, COUNT(form_joining), SNC_GR_JOINING},
        {form_linker, COUNT(form_linker), SNC_GR_LINKER},
        {form_picture, COUNT(form_picture), SNC_GR_PICTURE},
        {form_consonant, COUNT(form_consonant), SNC_GR_CONSONANT},
        {hangul[0], 2, SNC_GR_L},
        {hangul[1], 2, SNC_GR_V},
        {hangul[2], 2, SNC_GR_T},
    };
    memset(row, SNC_GR_OTHER, 256);
    for (size_t i = 0; i < COUNT(sets); i++) paint(row, base, sets[i].r, sets[i].n, sets[i].k);
    for (uint32_t c = base; c < base + 256; c++)
        if (c >= HANGUL_FIRST && c <= HANGUL_LAST) row[c - base] = (c - HANGUL_FIRST) % N_T ? SNC_GR_LVT : SNC_GR_LV;
    if (base == 0) {
        row['\r'] = SNC_GR_CR;
        row['\n'] = SNC_GR_LF;
    }
    if (base == 0x2000) row[0x0d] = SNC_GR_ZWJ;
}

snc_err snc_graphemes__init(snc_graphemes *g)
{
    size_t cap = 0, rows = 0;
    snc_err err = SNC_OK;
    *g = (snc_graphemes){.klass = NULL};
    for (uint32_t p = 0; p < PAGES; p++) {
        uint8_t row[256];
        paint_page(row, p << 8);
        if (rows == 0 || memcmp(row, g->klass[rows - 1], sizeof row) != 0) {
            SNC_GOTO(snc_grow(&g->klass, &cap, rows + 1, sizeof row));
            memcpy(g->klass[rows++], row, sizeof row);
        }
        g->page[p] = (uint16_t)(rows - 1);
    }
out:
    if (err) snc_graphemes__dispose(g);
    return err;
}

void snc_graphemes__dispose(snc_graphemes *g)
{
    snc_free(g->klass);
    g->klass = NULL;
}

/* What lies behind inside the cluster: a picture, extending marks and a joiner; a consonant, marks and a linker. */
typedef struct behind {
    snc_grapheme_class last;
    bool picture, joined; /* PICTURE Extend*, and a ZWJ after it just now */
    bool consonant, linked;
} behind;

static bool extends(snc_grapheme_class k) { return k >= SNC_GR_EXTEND && k <= SNC_GR_ZWJ; }

static void look(behind *b, snc_grapheme_class k)
{
    b->joined = k == SNC_GR_ZWJ && b->picture;
    b->picture = k == SNC_GR_PICTURE || (b->picture && extends(k));
    b->linked = b->consonant && (k == SNC_GR_LINKER || (b->linked && (k == SNC_GR_JOINING || k == SNC_GR_ZWJ)));
    b->consonant = k == SNC_GR_CONSONANT || (b->consonant && (k == SNC_GR_LINKER || k == SNC_GR_JOINING || k == SNC_GR_ZWJ));
    b->last = k;
}

/* GB3 to GB11 of UAX 29. */
static bool goes_on(const behind *b, snc_grapheme_class k)
{
    snc_grapheme_class last = b->last;
    if (last == SNC_GR_CR) return k == SNC_GR_LF;
    if (last == SNC_GR_LF || last == SNC_GR_CONTROL) return false;
    if (k == SNC_GR_CR || k == SNC_GR_LF || k == SNC_GR_CONTROL) return false;
    if (last == SNC_GR_L && (k == SNC_GR_L || k == SNC_GR_V || k == SNC_GR_LV || k == SNC_GR_LVT)) return true;
    if ((last == SNC_GR_LV || last == SNC_GR_V) && (k == SNC_GR_V || k == SNC_GR_T)) return true;
    if ((last == SNC_GR_LVT || last == SNC_GR_T) && k == SNC_GR_T) return true;
    if (extends(k) || k == SNC_GR_SPACING || last == SNC_GR_PREPEND) return true;
    return (b->linked && k == SNC_GR_CONSONANT) || (b->joined && k == SNC_GR_PICTURE);
}

size_t snc_graphemes__next(const snc_graphemes *g, const unsigned char *text, size_t n)
{
    behind b = {.last = SNC_GR_OTHER};
    size_t i = 0;
    while (i < n) {
        uint32_t cp;
        size_t bytes = snc_utf8__get(&cp, text + i);
        snc_grapheme_class k = (snc_grapheme_class)g->klass[g->page[cp >> 8]][cp & 255];
        if (i > 0 && !goes_on(&b, k)) break;
        look(&b, k);
        i += bytes;
    }
    return i;
}
