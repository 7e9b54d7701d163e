/* Words are interned in a hash table and an index lists the rows of each; a row is compared along the list of its rarest word alone. */
#include "data/contain_priv.h"

#include <limits.h>
#include <string.h>

struct snc_contain {
    snc_span *word; /* [words] distinct words; the id is the position */
    size_t words, word_cap;
    int32_t *slot; /* [slots] open addressing, id + 1 or 0; slots is a power of two: half the time of chained entries */
    size_t slots;
    int32_t *id; /* word ids of all texts, one after the other */
    size_t ids, id_cap;
    size_t *start; /* [2 rows + 1] text s of row i is id[start[2i+s]] .. id[start[2i+s+1]] */
    size_t start_cap;
    int rows;
    int32_t *list; /* rows that hold word w in text s: list[first[2w+s]] .. list[first[2w+s+1]] */
    size_t *first; /* [2 words + 1] */
    int indexed;
    int32_t any[2]; /* two indexed rows, for rows without words */
};

snc_err snc_contain__new(snc_contain **out) { return snc_alloc(out, 1, sizeof **out); }

void snc_contain__free(snc_contain *c)
{
    if (!c) return;
    snc_free(c->word);
    snc_free(c->slot);
    snc_free(c->id);
    snc_free(c->start);
    snc_free(c->list);
    snc_free(c->first);
    snc_free(c);
}

/* ---- words ---------------------------------------------------------------------------------------------------------- */

static snc_err grow_slots(snc_contain *c)
{
    size_t slots = c->slots ? 2 * c->slots : 1024;
    snc_free(c->slot);
    c->slot = NULL;
    SNC_TRY(snc_alloc(&c->slot, slots, sizeof *c->slot));
    c->slots = slots;
    for (size_t w = 0; w < c->words; w++) {
        size_t at = snc_bytes_hash(0, c->word[w].p, c->word[w].n) & (slots - 1);
        while (c->slot[at]) at = (at + 1) & (slots - 1);
        c->slot[at] = (int32_t)w + 1;
    }
    return SNC_OK;
}

static snc_err intern(int32_t *out, snc_contain *c, snc_span s)
{
    if (2 * (c->words + 1) > c->slots) SNC_TRY(grow_slots(c));
    size_t at = snc_bytes_hash(0, s.p, s.n) & (c->slots - 1);
    for (; c->slot[at]; at = (at + 1) & (c->slots - 1)) {
        const snc_span *w = &c->word[c->slot[at] - 1];
        if (w->n != s.n || memcmp(w->p, s.p, s.n) != 0) continue;
        *out = c->slot[at] - 1;
        return SNC_OK;
    }
    SNC_CHECK(c->words < INT_MAX / 2, SNC_E_UNSUPPORTED, "more than %d different words", INT_MAX / 2);
    SNC_TRY(snc_grow(&c->word, &c->word_cap, c->words + 1, sizeof *c->word));
    *out = (int32_t)c->words++;
    c->word[*out] = s;
    c->slot[at] = *out + 1;
    return SNC_OK;
}

static snc_err add_text(snc_contain *c, snc_span s)
{
    const char *p = s.p, *end = s.n ? s.p + s.n : s.p;
    snc_span word;
    while (word.p = snc_next_word(&word.n, &p, end), word.n) {
        SNC_TRY(snc_grow(&c->id, &c->id_cap, c->ids + 1, sizeof *c->id));
        SNC_TRY(intern(&c->id[c->ids], c, word));
        c->ids++;
    }
    return SNC_OK;
}

snc_err snc_contain__add(snc_contain *c, const snc_row *rows, int n)
{
    SNC_TRY(snc_grow(&c->start, &c->start_cap, 2 * ((size_t)c->rows + (size_t)n) + 1, sizeof *c->start));
    for (int i = 0; i < n; i++) {
        SNC_TRY(add_text(c, rows[i].a));
        c->start[2 * (size_t)c->rows + 1] = c->ids;
        SNC_TRY(add_text(c, rows[i].b));
        c->start[2 * (size_t)c->rows + 2] = c->ids;
        c->rows++;
    }
    return SNC_OK;
}

int snc_contain__words(const snc_contain *c, int row) { return (int)(c->start[2 * (size_t)row + 2] - c->start[2 * (size_t)row]); }

/* ---- the index ------------------------------------------------------------------------------------------------------ */

/* Counting sort by (word, text). The first pass counts into first[key + 1], the second moves first[key] as it places rows.
 * last[key] drops the repeats of a word within a row. */
static void place(snc_contain *c, int32_t *last, const int32_t *rows, int n, bool count)
{
    memset(last, 0xff, 2 * c->words * sizeof *last);
    for (int i = 0; i < n; i++)
        for (size_t s = 0; s < 2; s++)
            for (size_t k = c->start[2 * (size_t)rows[i] + s]; k < c->start[2 * (size_t)rows[i] + s + 1]; k++) {
                size_t key = 2 * (size_t)c->id[k] + s;
                if (last[key] == rows[i]) continue;
                last[key] = rows[i];
                if (count) c->first[key + 1]++;
                else c->list[c->first[key]++] = rows[i];
            }
}

snc_err snc_contain__index(snc_contain *c, const int32_t *rows, int n)
{
    int32_t *last;
    size_t keys = 2 * c->words;
    snc_free(c->list);
    snc_free(c->first);
    c->list = NULL;
    c->first = NULL;
    SNC_TRY(snc_alloc(&c->first, keys + 1, sizeof *c->first));
    SNC_TRY(snc_alloc(&last, keys, sizeof *last));
    place(c, last, rows, n, true);
    for (size_t k = 0; k < keys; k++) c->first[k + 1] += c->first[k];
    snc_err err = snc_alloc(&c->list, c->first[keys], sizeof *c->list);
    if (err == SNC_OK) {
        place(c, last, rows, n, false);
        memmove(c->first + 1, c->first, keys * sizeof *c->first);
        c->first[0] = 0;
    }
    snc_free(last);
    c->indexed = n;
    for (int i = 0; i < 2; i++) c->any[i] = i < n ? rows[i] : -1;
    return err;
}

static bool run_in(const int32_t *x, size_t n, const int32_t *y, size_t m)
{
    if (n == 0) return true;
    for (size_t i = 0; i + n <= m; i++)
        if (y[i] == x[0] && memcmp(x, y + i, n * sizeof *x) == 0) return true;
    return false;
}

static bool row_in(const snc_contain *c, int x, int y)
{
    const size_t *a = c->start + 2 * (size_t)x, *b = c->start + 2 * (size_t)y;
    return run_in(c->id + a[0], a[1] - a[0], c->id + b[0], b[1] - b[0]) && run_in(c->id + a[1], a[2] - a[1], c->id + b[1], b[2] - b[1]);
}

bool snc_contain__in(const snc_contain *c, int row, bool first_of_equals)
{
    size_t rarest = SIZE_MAX, key = 0;
    for (size_t s = 0; s < 2; s++)
        for (size_t k = c->start[2 * (size_t)row + s]; k < c->start[2 * (size_t)row + s + 1]; k++) {
            size_t q = 2 * (size_t)c->id[k] + s, holders = c->first[q + 1] - c->first[q];
            if (holders < rarest) {
                rarest = holders;
                key = q;
            }
        }
    if (rarest == SIZE_MAX) return c->indexed > 1 || (c->indexed == 1 && c->any[0] != row);
    for (size_t i = c->first[key]; i < c->first[key + 1]; i++) {
        int other = c->list[i];
        if (other == row || !row_in(c, row, other)) continue;
        if (!first_of_equals || other < row || !row_in(c, other, row)) return true;
    }
    return false;
}
