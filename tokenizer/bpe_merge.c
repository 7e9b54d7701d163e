/* Merges: their blob, their table by pairs of ids, and a word merged by it: short ones by looking at every pair, long ones by a heap. */
#include <string.h>

#include "base/mem.h"
#include "tokenizer/bpe_priv.h"
#include "tokenizer/unicode_priv.h"

/* ---- the alphabet ----------------------------------------------------------------------------------------------- */

static bool is_itself(unsigned byte) { return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae; }

uint32_t snc_bpe__letter(unsigned byte)
{
    uint32_t others = 0;
    if (is_itself(byte)) return byte;
    for (unsigned b = 0; b < byte; b++) others += !is_itself(b);
    return 0x100 + others;
}

/* -1: no byte's letter. */
static int byte_of(uint32_t letter)
{
    if (letter < 256) return is_itself(letter) ? (int)letter : -1;
    for (unsigned b = 0, others = 0; b < 256 && letter < 0x180; b++) {
        if (is_itself(b)) continue;
        if (letter == 0x100 + others++) return (int)b;
    }
    return -1;
}

int snc_bpe__bytes(unsigned char *out, const char *text, size_t n)
{
    int bytes = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        i += snc_utf8__get(&cp, (const unsigned char *)text + i);
        int byte = byte_of(cp);
        if (byte < 0) return -1;
        out[bytes++] = (unsigned char)byte;
    }
    return bytes;
}

/* ---- the blob --------------------------------------------------------------------------------------------------- */

snc_bpe_blob snc_bpe__blob(const snc_tok_blob *merges)
{
    const unsigned char *p = (const unsigned char *)merges->data;
    return (snc_bpe_blob){.p = p, .end = p + merges->bytes};
}

static bool get_number(uint32_t *out, snc_bpe_blob *b)
{
    *out = 0;
    for (unsigned shift = 0; shift < 32 && b->p < b->end; shift += 7) {
        unsigned char c = *b->p++;
        if (shift == 28 && c > 15) return false;
        *out |= (uint32_t)(c & 127) << shift;
        if (c < 128) return true;
    }
    return false;
}

snc_err snc_bpe__next(snc_bpe_step *out, bool *more, snc_bpe_blob *b, int ids)
{
    uint32_t step;
    *more = b->p < b->end;
    if (!*more) return SNC_OK;
    bool ok = get_number(&step, b) && get_number(&out->left, b);
    int64_t id = !ok ? -1 : b->next + (step & 1 ? -(int64_t)(step >> 1) - 1 : (int64_t)(step >> 1));
    SNC_CHECK(id >= 0 && id < ids, SNC_E_FORMAT, "tokenizer merges: a merge that is cut short or makes no piece of the vocabulary");
    out->id = (int32_t)id;
    b->next = out->id + 1;
    return SNC_OK;
}

static size_t put_number(unsigned char *to, uint32_t v)
{
    size_t n = 0;
    for (;; v >>= 7) {
        if (to) to[n] = (unsigned char)(v < 128 ? v : 128 | (v & 127));
        n++;
        if (v < 128) return n;
    }
}

size_t snc_bpe__put(unsigned char *to, int32_t *next, snc_bpe_step step)
{
    int32_t d = step.id - *next;
    size_t n = put_number(to, d < 0 ? (uint32_t)(-(d + 1)) * 2 + 1 : (uint32_t)d * 2);
    *next = step.id + 1;
    return n + put_number(to ? to + n : NULL, step.left);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

enum { MAX_MERGES = 1 << 22 };

static inline uint32_t hash_pair(int32_t left, int32_t right)
{
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32 ^ h >> 51);
}

/* The pair's place, or the free one where it would go. */
static inline snc_bpe_pair *seek(const snc_bpe_table *t, int32_t left, int32_t right)
{
    for (uint32_t i = hash_pair(left, right) & t->mask;; i = (i + 1) & t->mask) {
        snc_bpe_pair *p = &t->pair[i];
        if (p->rank < 0 || (p->left == left && p->right == right)) return p;
    }
}

void snc_bpe__add(snc_bpe_table *t, snc_bpe_pair pair) { *seek(t, pair.left, pair.right) = pair; }

const snc_bpe_pair *snc_bpe__find(const snc_bpe_table *t, int32_t left, int32_t right)
{
    const snc_bpe_pair *p = seek(t, left, right);
    return p->rank < 0 ? NULL : p;
}

static snc_err add_merge(snc_bpe_table *t, const snc_wp *w, snc_bpe_step m, int32_t rank)
{
    const char *text = w->text + w->offset[m.id];
    size_t n = strlen(text);
    bool inside = m.left > 0 && m.left < n && ((unsigned char)text[m.left] & 0xc0) != 0x80;
    int32_t left = inside ? snc_wp__find(w, text, m.left) : -1, right = inside ? snc_wp__find(w, text + m.left, n - m.left) : -1;
    SNC_CHECK(left >= 0 && right >= 0 && snc_wp__find(w, text, n) == m.id, SNC_E_FORMAT,
              "tokenizer merges: merge %d makes '%.64s' of parts that are no pieces of the vocabulary", rank + 1, text);
    snc_bpe__add(t, (snc_bpe_pair){.left = left, .right = right, .to = m.id, .rank = rank});
    return SNC_OK;
}

snc_err snc_bpe__table(snc_bpe_table *out, const snc_wp *w, const snc_tok_blob *merges)
{
    snc_bpe_blob b = snc_bpe__blob(merges);
    snc_bpe_step m;
    bool more;
    size_t slots = 1024, numbers = 0; /* two of them are a merge */
    for (size_t i = 0; i < merges->bytes; i++) numbers += b.p[i] < 128;
    SNC_CHECK(numbers / 2 <= MAX_MERGES, SNC_E_FORMAT, "tokenizer merges: %zu are too many", numbers / 2);
    while (slots < numbers) slots *= 2;
    SNC_TRY(snc_alloc(&out->pair, slots, sizeof *out->pair));
    out->mask = (uint32_t)(slots - 1);
    for (size_t i = 0; i < slots; i++) out->pair[i].rank = -1;
    for (int32_t rank = 0;; rank++) {
        SNC_TRY(snc_bpe__next(&m, &more, &b, w->n_lines));
        if (!more) return SNC_OK;
        SNC_TRY(add_merge(out, w, m, rank));
    }
}

void snc_bpe__table_dispose(snc_bpe_table *t)
{
    snc_free(t->pair);
    *t = (snc_bpe_table){.pair = NULL};
}

/* ---- a short word ----------------------------------------------------------------------------------------------- */

static inline void look_up(int32_t *rank, int32_t *to, const snc_bpe_table *t, int32_t left, int32_t right)
{
    const snc_bpe_pair *p = seek(t, left, right);
    *rank = p->rank < 0 ? INT32_MAX : p->rank;
    *to = p->to;
}

int snc_bpe__merge_short(int32_t *ids, int n, const snc_bpe_table *t)
{
    int32_t rank[SNC_BPE_SHORT], to[SNC_BPE_SHORT]; /* of the pair that starts here */
    for (int i = 0; i + 1 < n; i++) look_up(&rank[i], &to[i], t, ids[i], ids[i + 1]);
    while (n > 1) {
        int best = 0;
        for (int i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best]) best = i;
        if (rank[best] == INT32_MAX) break;
        size_t behind = (size_t)(n - best - 2);
        ids[best] = to[best];
        memmove(ids + best + 1, ids + best + 2, behind * sizeof *ids);
        memmove(rank + best, rank + best + 1, behind * sizeof *rank);
        memmove(to + best, to + best + 1, behind * sizeof *to);
        n--;
        if (best > 0) look_up(&rank[best - 1], &to[best - 1], t, ids[best - 1], ids[best]);
        if (best + 1 < n) look_up(&rank[best], &to[best], t, ids[best], ids[best + 1]);
    }
    return n;
}

/* ---- a long word ------------------------------------------------------------------------------------------------ */

typedef struct snc_bpe_entry {
    int32_t rank, at, left, right, to;
} entry;

static bool is_before(const entry *a, const entry *b) { return a->rank != b->rank ? a->rank < b->rank : a->at < b->at; }

static snc_err push(snc_bpe_heap *h, const snc_bpe_table *t, const int32_t *ids, int32_t at)
{
    int32_t right = h->after[at];
    if (right < 0) return SNC_OK;
    const snc_bpe_pair *p = seek(t, ids[at], ids[right]);
    if (p->rank < 0) return SNC_OK;
    entry e = {.rank = p->rank, .at = at, .left = ids[at], .right = ids[right], .to = p->to};
    SNC_TRY(snc_grow(&h->entry, &h->cap, h->n + 1, sizeof *h->entry));
    size_t i = h->n++;
    for (; i > 0 && is_before(&e, &h->entry[(i - 1) / 2]); i = (i - 1) / 2) h->entry[i] = h->entry[(i - 1) / 2];
    h->entry[i] = e;
    return SNC_OK;
}

static entry pop(snc_bpe_heap *h)
{
    entry top = h->entry[0], last = h->entry[--h->n];
    size_t i = 0;
    for (size_t k = 1; k < h->n; i = k, k = 2 * k + 1) {
        if (k + 1 < h->n && is_before(&h->entry[k + 1], &h->entry[k])) k++;
        if (!is_before(&h->entry[k], &last)) break;
        h->entry[i] = h->entry[k];
    }
    h->entry[i] = last;
    return top;
}

/* Ids keep their places while they are merged, linked to the ones before and after; one that was merged away is -1. */
snc_err snc_bpe__merge_long(int32_t *ids, size_t *n, const snc_bpe_table *t, snc_bpe_heap *h)
{
    size_t left = 0;
    SNC_TRY(snc_grow(&h->before, &h->before_cap, *n, sizeof *h->before));
    SNC_TRY(snc_grow(&h->after, &h->after_cap, *n, sizeof *h->after));
    h->n = 0;
    for (size_t i = 0; i < *n; i++) {
        h->before[i] = (int32_t)i - 1;
        h->after[i] = i + 1 < *n ? (int32_t)i + 1 : -1;
    }
    for (size_t i = 0; i < *n; i++) SNC_TRY(push(h, t, ids, (int32_t)i));
    while (h->n > 0) {
        entry e = pop(h);
        int32_t right = h->after[e.at];
        if (ids[e.at] != e.left || right < 0 || ids[right] != e.right) continue; /* something else was merged here since */
        ids[e.at] = e.to;
        ids[right] = -1;
        h->after[e.at] = h->after[right];
        if (h->after[right] >= 0) h->before[h->after[right]] = e.at;
        if (h->before[e.at] >= 0) SNC_TRY(push(h, t, ids, h->before[e.at]));
        SNC_TRY(push(h, t, ids, e.at));
    }
    for (size_t i = 0; i < *n; i++)
        if (ids[i] >= 0) ids[left++] = ids[i];
    *n = left;
    return SNC_OK;
}

void snc_bpe__heap_dispose(snc_bpe_heap *h)
{
    snc_free(h->entry);
    snc_free(h->before);
    snc_free(h->after);
    *h = (snc_bpe_heap){.entry = NULL};
}
