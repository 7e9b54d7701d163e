/* ASCII goes through a table of 128 bytes; other characters are decoded once, and a run of marks is sorted by counting when it ends. */
#include "tokenizer/normalize_priv.h"

#include <string.h>

#include "base/mem.h"

/* A run of marks: what NFD sorts by combining class. `end` is where the next mark must start to belong to it. */
typedef struct mark_run {
    size_t start, end;
    unsigned last;
    bool unsorted;
} mark_run;

#define NO_RUN ((mark_run){.start = SIZE_MAX, .end = SIZE_MAX})

void snc_norm__init(snc_norm *m, const snc_uni *uni)
{
    m->uni = uni;
    for (uint32_t c = 0; c < 128; c++) {
        unsigned f = snc_uni__flags(uni, c);
        m->ascii[c] = (uint8_t)c;
        if (m->lower && c >= 'A' && c <= 'Z') m->ascii[c] = (uint8_t)(c + 32);
        if (m->clean && f & SNC_UNI_SPACE) m->ascii[c] = ' ';
        if (m->clean && f & SNC_UNI_REMOVED) m->ascii[c] = SNC_NORM_DROP;
    }
}

/* Stable counting sort of the run's characters by combining class; their bytes take the same room in any order. */
static snc_err sort_run(snc_norm_buf *b, const mark_run *r)
{
    size_t at[256] = {0}, n = r->end - r->start;
    uint32_t cp;
    if (!r->unsorted) return SNC_OK;
    const unsigned char *s = b->text + r->start;
    SNC_TRY(snc_grow(&b->sorted, &b->sorted_cap, n, 1));
    for (size_t i = 0; i < n;) {
        unsigned k = snc_utf8__get(&cp, s + i);
        at[snc_uni__class(cp)] += k;
        i += k;
    }
    for (size_t c = 0, sum = 0; c < 256; c++) {
        size_t bytes = at[c];
        at[c] = sum;
        sum += bytes;
    }
    for (size_t i = 0; i < n;) {
        unsigned k = snc_utf8__get(&cp, s + i);
        unsigned c = snc_uni__class(cp);
        memcpy(b->sorted + at[c], s + i, k);
        at[c] += k;
        i += k;
    }
    memcpy(b->text + r->start, b->sorted, n);
    return SNC_OK;
}

/* Appends a mark that stays. Marks have no lower case, so sorting afterwards is the same as NFD's sorting before. */
static snc_err add_mark(snc_norm_buf *b, mark_run *r, uint32_t cp)
{
    unsigned c = snc_uni__class(cp);
    if (b->n != r->end) {
        SNC_TRY(sort_run(b, r));
        *r = (mark_run){.start = b->n, .last = c};
    }
    r->unsorted = r->unsorted || c < r->last;
    r->last = c;
    b->n += snc_utf8__put(b->text + b->n, cp);
    r->end = b->n;
    return SNC_OK;
}

static void add_lower(snc_norm_buf *b, const snc_norm *m, uint32_t cp, unsigned flags)
{
    uint32_t to[2] = {cp, 0};
    int n = m->lower && flags & SNC_UNI_MAPPED ? snc_uni__lower(to, cp) : 1;
    for (int i = 0; i < n; i++) b->n += snc_utf8__put(b->text + b->n, to[i]);
}

static bool is_dropped(const snc_norm *m, uint32_t cp, unsigned flags)
{
    return m->drop == SNC_NORM_MN ? flags & SNC_UNI_MN : m->drop == SNC_NORM_MARKS && snc_uni__is_accent(cp);
}

static snc_err add_decomposed(snc_norm_buf *b, const snc_norm *m, mark_run *run, uint32_t cp, unsigned flags)
{
    uint32_t to[4] = {cp};
    int n = flags & SNC_UNI_MAPPED ? snc_uni__decompose(to, cp) : 1;
    for (int i = 0; i < n; i++) {
        unsigned f = n == 1 && to[0] == cp ? flags : snc_uni__flags(m->uni, to[i]);
        if (is_dropped(m, to[i], f)) {
            if (!(f & SNC_UNI_MARK)) { /* dropped, but while NFD sorted it stood between the marks around it */
                SNC_TRY(sort_run(b, run));
                *run = NO_RUN;
            }
        } else if (f & SNC_UNI_MARK) {
            SNC_TRY(add_mark(b, run, to[i]));
        } else {
            add_lower(b, m, to[i], f);
        }
    }
    return SNC_OK;
}

snc_err snc_norm__run(snc_norm_buf *b, const snc_norm *m, const unsigned char *s, size_t n)
{
    mark_run run = NO_RUN;
    b->n = 0;
    /* No character grows more than threefold: U+0390 takes 2 bytes and decomposes to 6. */
    SNC_TRY(snc_grow(&b->text, &b->cap, 3 * n + SNC_NORM_PAD, 1));
    for (size_t i = 0; i < n;) {
        unsigned char *o = b->text + b->n;
        for (; i < n && s[i] < 0x80; i++) {
            *o = m->ascii[s[i]];
            o += *o != SNC_NORM_DROP;
        }
        b->n = (size_t)(o - b->text);
        if (i == n) break;
        uint32_t cp;
        i += snc_utf8__get(&cp, s + i);
        unsigned f = snc_uni__flags(m->uni, cp);
        if (m->clean && f & (SNC_UNI_REMOVED | SNC_UNI_SPACE)) {
            if (!(f & SNC_UNI_REMOVED)) b->text[b->n++] = ' ';
            continue;
        }
        bool apart = m->cjk && f & SNC_UNI_CJK;
        if (apart) b->text[b->n++] = ' ';
        if (m->decompose) SNC_TRY(add_decomposed(b, m, &run, cp, f));
        else if (!is_dropped(m, cp, f)) add_lower(b, m, cp, f);
        if (apart) b->text[b->n++] = ' ';
    }
    SNC_TRY(sort_run(b, &run));
    memset(b->text + b->n, 0, SNC_NORM_PAD);
    return SNC_OK;
}

void snc_norm__buf_dispose(snc_norm_buf *b)
{
    snc_free(b->text);
    snc_free(b->sorted);
    *b = (snc_norm_buf){.text = NULL};
}
