#include "tokenizer/added_priv.h"

#include <string.h>

#include "base/mem.h"

void snc_added__init(snc_added_set *s)
{
    *s = (snc_added_set){.only = -1};
    memset(s->first, 0xff, sizeof s->first);
}

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
    int32_t *link = &s->first[c];
    while (*link >= 0 && s->tokens[*link].n >= token->n) link = &s->tokens[*link].next;
    s->tokens[s->count] = *token;
    s->tokens[s->count].next = *link;
    *link = (int32_t)s->count++;
    return SNC_OK;
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
    for (int32_t k = s->first[text[i]]; k >= 0; k = s->tokens[k].next) {
        const snc_added *t = &s->tokens[k];
        if (t->n <= n - i && memcmp(t->text, text + i, t->n) == 0) return t;
    }
    return NULL;
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
