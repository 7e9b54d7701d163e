/* Bisection finds the last token not above the text; a chain of tokens that it begins with leads from it to the longest match. */
#include "tokenizer/added_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void snc_added__init(snc_added_set *s) { *s = (snc_added_set){.only = -1}; }

void snc_added__dispose(snc_added_set *s)
{
    snc_free(s->tokens);
    snc_added__init(s);
}

snc_err snc_added__add(snc_added_set *s, const snc_added *token)
{
    SNC_TRY(snc_grow(&s->tokens, &s->cap, s->count + 1, sizeof *s->tokens));
    unsigned char c = token->text[0];
    s->only = s->count == 0 || s->only == c ? c : -1;
    s->tokens[s->count] = *token;
    s->tokens[s->count].begins_with = (int32_t)s->count; /* until they are sorted: the order of arrival */
    s->count++;
    return SNC_OK;
}

static int compare(const unsigned char *a, size_t na, const unsigned char *b, size_t nb)
{
    int order = memcmp(a, b, na < nb ? na : nb);
    return order ? order : (na > nb) - (na < nb);
}

static int by_text(const void *a, const void *b)
{
    const snc_added *x = a, *y = b;
    int order = compare(x->text, x->n, y->text, y->n);
    return order ? order : x->begins_with - y->begins_with;
}

static bool begins(const snc_added *t, const unsigned char *text, size_t n) { return t->n <= n && memcmp(t->text, text, t->n) == 0; }

void snc_added__sort(snc_added_set *s)
{
    size_t n = 0;
    if (s->count > 1) qsort(s->tokens, s->count, sizeof *s->tokens, by_text);
    for (size_t i = 0; i < s->count; i++) {
        snc_added t = s->tokens[i];
        int32_t k = (int32_t)n - 1;
        if (n > 0 && compare(s->tokens[k].text, s->tokens[k].n, t.text, t.n) == 0) continue;
        while (k >= 0 && !begins(&s->tokens[k], t.text, t.n)) k = s->tokens[k].begins_with;
        t.begins_with = k;
        s->tokens[n++] = t;
        s->end[t.text[0] + 1] = (int32_t)n;
    }
    s->count = n;
    for (int c = 1; c <= 256; c++)
        if (s->end[c] == 0) s->end[c] = s->end[c - 1];
}

/* The character that ends at text[n], n >= 1. */
static uint32_t char_before(const unsigned char *text, size_t n, size_t *start)
{
    uint32_t cp;
    size_t i = n - 1;
    while (i > 0 && (text[i] & 0xc0) == 0x80) i--;
    (void)snc_utf8__get(&cp, text + i);
    *start = i;
    return cp;
}

static bool is_single(const snc_uni *u, const unsigned char *text, size_t n, size_t start, size_t stop)
{
    uint32_t cp;
    size_t at;
    if (start > 0 && snc_uni__flags(u, char_before(text, start, &at)) & SNC_UNI_WORD) return false;
    if (stop == n) return true;
    (void)snc_utf8__get(&cp, text + stop);
    return !(snc_uni__flags(u, cp) & SNC_UNI_WORD);
}

static size_t strip_left(const snc_uni *u, const unsigned char *text, size_t start, size_t floor)
{
    while (start > floor) {
        size_t at;
        if (!(snc_uni__flags(u, char_before(text, start, &at)) & SNC_UNI_SPACE)) break;
        start = at;
    }
    return start;
}

static size_t strip_right(const snc_uni *u, const unsigned char *text, size_t n, size_t stop)
{
    while (stop < n) {
        uint32_t cp;
        unsigned k = snc_utf8__get(&cp, text + stop);
        if (!(snc_uni__flags(u, cp) & SNC_UNI_SPACE)) break;
        stop += k;
    }
    return stop;
}

/* The token at text[i], the longest; NULL: none. */
static const snc_added *match_at(const snc_added_set *s, const unsigned char *text, size_t n, size_t i)
{
    int32_t low = s->end[text[i]], high = s->end[text[i] + 1];
    while (low < high) { /* to the first one above the text */
        int32_t k = low + (high - low) / 2;
        if (compare(s->tokens[k].text, s->tokens[k].n, text + i, n - i) > 0) high = k;
        else low = k + 1;
    }
    int32_t k = low > s->end[text[i]] ? low - 1 : -1;
    while (k >= 0 && !begins(&s->tokens[k], text + i, n - i)) k = s->tokens[k].begins_with;
    return k >= 0 ? &s->tokens[k] : NULL;
}

void snc_added__next(snc_added_match *m, const snc_added_set *s, const snc_uni *u, const unsigned char *text, size_t n)
{
    m->gap = m->done;
    for (size_t i = m->scan; i < n && s->count > 0;) {
        if (s->only >= 0) {
            const unsigned char *p = memchr(text + i, s->only, n - i);
            if (!p) break;
            i = (size_t)(p - text);
        }
        const snc_added *t = match_at(s, text, n, i);
        if (!t) {
            i++;
            continue;
        }
        size_t start = i, stop = i + t->n;
        i = m->scan = stop;
        if (t->single_word && !is_single(u, text, n, start, stop)) continue;
        /* A token that begins with white space may start inside what the token before has stripped. */
        if (t->lstrip) start = strip_left(u, text, start, m->done);
        if (t->rstrip) stop = strip_right(u, text, n, stop);
        m->start = start > m->gap ? start : m->gap;
        m->done = stop;
        m->id = t->id;
        return;
    }
    m->scan = m->start = n;
    m->id = -1;
    if (m->gap > n) m->gap = n;
}
