/* A double array filled level by level; a node takes the first place that fits in the last blocks of 256 cells. */
#include "tokenizer/lattice_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK = 256, LAST_BLOCKS = 16 };

/* ---- building --------------------------------------------------------------------------------------------------- */

/* Pieces [low, high) share their first `depth` bytes, which lead to `cell`. */
typedef struct branch {
    uint32_t cell, low, high, depth;
} branch;

/* The free cells of a block, and those of its places that are no node's base yet: a bit each. */
typedef struct block_map {
    uint64_t room[BLOCK / 64], unbased[BLOCK / 64];
} block_map;

typedef struct builder {
    const snc_lattice_piece *piece;
    snc_lattice_cell *cell;
    size_t cells_cap;
    uint32_t cells;
    block_map *map; /* [cells / BLOCK] */
    size_t map_cap;
    branch *todo;
    size_t n_todo, todo_cap;
} builder;

static int compare(const snc_lattice_piece *a, const snc_lattice_piece *b)
{
    int order = memcmp(a->text, b->text, a->n < b->n ? a->n : b->n);
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

static int by_text(const void *a, const void *b)
{
    const snc_lattice_piece *x = a, *y = b;
    int order = compare(x, y);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static snc_err add_block(builder *b)
{
    SNC_CHECK(b->cells + BLOCK <= SNC_LATTICE_CELLS, SNC_E_FORMAT, "tokenizer: pieces that need more than %d cells", SNC_LATTICE_CELLS);
    SNC_TRY(snc_grow(&b->cell, &b->cells_cap, b->cells + BLOCK, sizeof *b->cell));
    SNC_TRY(snc_grow(&b->map, &b->map_cap, b->cells / BLOCK + 1, sizeof *b->map));
    memset(&b->map[b->cells / BLOCK], 0xff, sizeof *b->map);
    for (uint32_t i = b->cells; i < b->cells + BLOCK; i++) b->cell[i] = (snc_lattice_cell){.id = -1};
    b->cells += BLOCK;
    return SNC_OK;
}

static bool has(const uint64_t *bits, uint32_t i) { return bits[i % BLOCK / 64] >> i % 64 & 1; }

static void clear(uint64_t *bits, uint32_t i) { bits[i % BLOCK / 64] &= ~(UINT64_C(1) << i % 64); }

static bool fits(const block_map *m, uint32_t base, const uint8_t *labels, int n)
{
    if (!has(m->unbased, base)) return false;
    for (int i = 0; i < n; i++)
        if (!has(m->room, base ^ labels[i])) return false;
    return true;
}

/* The base of a node of n children. All of its cells lie in one block, as only the last byte of a place differs. */
static snc_err find_base(uint32_t *base, builder *b, const uint8_t *labels, int n)
{
    uint32_t blocks = b->cells / BLOCK;
    for (uint32_t k = blocks > LAST_BLOCKS ? blocks - LAST_BLOCKS : 0; k < blocks; k++)
        for (uint32_t w = 0; w < BLOCK / 64; w++)
            for (uint64_t bits = b->map[k].room[w]; bits; bits &= bits - 1) {
                *base = (k * BLOCK + w * 64 + (uint32_t)__builtin_ctzll(bits)) ^ labels[0];
                if (fits(&b->map[k], *base, labels, n)) return SNC_OK;
            }
    SNC_TRY(add_block(b));
    *base = (b->cells - BLOCK) ^ labels[0];
    return SNC_OK;
}

/* Gives a node its children, and each of them the pieces that go on with its byte. */
static snc_err grow_node(builder *b, branch at)
{
    uint8_t labels[256];
    uint32_t base;
    int n = 0;
    if (b->piece[at.low].n == at.depth) { /* the shortest sorts first; of equal ones all but the last are dropped */
        b->cell[at.cell].id = b->piece[at.low].id;
        b->cell[at.cell].score = b->piece[at.low].score;
        at.low++;
    }
    if (at.low == at.high) return SNC_OK;
    for (uint32_t i = at.low; i < at.high; i++)
        if (i == at.low || b->piece[i].text[at.depth] != labels[n - 1]) labels[n++] = b->piece[i].text[at.depth];
    SNC_TRY(find_base(&base, b, labels, n));
    b->cell[at.cell].link = base << 8 | (b->cell[at.cell].link & 0xff);
    clear(b->map[base / BLOCK].unbased, base);
    SNC_TRY(snc_grow(&b->todo, &b->todo_cap, b->n_todo + (size_t)n, sizeof *b->todo));
    for (uint32_t i = at.low, k = 0; i < at.high; k++) {
        branch child = {.cell = base ^ labels[k], .low = i, .depth = at.depth + 1};
        while (i < at.high && b->piece[i].text[at.depth] == labels[k]) i++;
        child.high = i;
        clear(b->map[child.cell / BLOCK].room, child.cell);
        b->cell[child.cell].link = labels[k];
        b->todo[b->n_todo++] = child;
    }
    return SNC_OK;
}

static snc_err build(builder *b, uint32_t n)
{
    SNC_TRY(add_block(b));
    clear(b->map[0].room, 0);    /* the root */
    clear(b->map[0].unbased, 0); /* what leaves have */
    SNC_TRY(snc_grow(&b->todo, &b->todo_cap, 1, sizeof *b->todo));
    b->todo[b->n_todo++] = (branch){.high = n};
    for (size_t i = 0; i < b->n_todo; i++) {
        branch at = b->todo[i];
        if (at.low < at.high) SNC_TRY(grow_node(b, at));
    }
    return SNC_OK;
}

snc_err snc_lattice__build(snc_lattice *l, snc_lattice_piece *pieces, size_t n)
{
    builder b = {.piece = pieces};
    size_t kept = 0;
    if (n > 1) qsort(pieces, n, sizeof *pieces, by_text);
    for (size_t i = 0; i < n; i++) {
        SNC_CHECK(pieces[i].n <= SNC_LATTICE_PIECE, SNC_E_FORMAT, "tokenizer: piece %d has %zu bytes: at most %d are taken", pieces[i].id,
                  pieces[i].n, SNC_LATTICE_PIECE);
        if (kept > 0 && compare(&pieces[kept - 1], &pieces[i]) == 0) kept--;
        pieces[kept++] = pieces[i];
    }
    snc_err err = build(&b, (uint32_t)kept);
    l->cell = b.cell;
    l->cells = b.cells;
    snc_free(b.map);
    snc_free(b.todo);
    return err;
}

void snc_lattice__dispose(snc_lattice *l)
{
    snc_free(l->cell);
    l->cell = NULL;
}

/* ---- walking ---------------------------------------------------------------------------------------------------- */

/* The child of a node; 0, the root, is no one's child. A base is one node's alone, so a cell of another node has another label there;
 * a leaf's base is 0, which no node has. */
static inline uint32_t child_of(const snc_lattice *l, uint32_t at, unsigned char c)
{
    uint32_t next = (l->cell[at].link >> 8) ^ c;
    return (l->cell[next].link & 0xff) == c ? next : 0;
}

int32_t snc_lattice__find(const snc_lattice *l, const unsigned char *text, size_t n)
{
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        at = child_of(l, at, text[i]);
        if (!at) return -1;
    }
    return l->cell[at].id;
}

static inline void offer(snc_lattice_node *to, double score, int32_t id, size_t start)
{
    if (to->start != UINT32_MAX && !(score > to->score)) return;
    *to = (snc_lattice_node){.score = score, .id = id, .start = (uint32_t)start};
}

static inline size_t char_bytes(unsigned char first) { return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

static void find_ways(const snc_lattice *l, const unsigned char *text, size_t n, snc_lattice_node *node)
{
    node[0] = (snc_lattice_node){.score = 0};
    for (size_t i = 1; i <= n; i++) node[i].start = UINT32_MAX;
    for (size_t start = 0; start < n;) {
        size_t one = char_bytes(text[start]);
        double so_far = node[start].score;
        bool known = false;
        uint32_t at = 0;
        for (size_t i = start; i < n; i++) {
            at = child_of(l, at, text[i]);
            if (!at) break;
            if (l->cell[at].id < 0) continue;
            offer(&node[i + 1], l->cell[at].score + so_far, l->cell[at].id, start);
            known = known || i + 1 == start + one;
        }
        if (!known) offer(&node[start + one], l->unk_score + so_far, l->unk, start);
        start += one;
    }
}

/* A run of unknowns, backwards: its text may be a piece after all; else its bytes, or the one id. */
static size_t push_unknown(int32_t *ids, const snc_lattice *l, const unsigned char *text, size_t n)
{
    int32_t id = snc_lattice__find(l, text, n);
    bool bytes = id < 0 && l->byte_fallback;
    for (size_t i = 0; i < n && bytes; i++) bytes = l->byte_id[text[i]] >= 0;
    if (bytes) {
        for (size_t i = 0; i < n; i++) ids[i] = l->byte_id[text[n - 1 - i]];
        return n;
    }
    ids[0] = id >= 0 ? id : l->unk;
    return 1;
}

size_t snc_lattice__best(int32_t *ids, const snc_lattice *l, const unsigned char *text, size_t n, snc_lattice_node *node)
{
    assert(n > 0 && n < UINT32_MAX);
    find_ways(l, text, n, node);
    size_t k = 0;
    for (size_t end = n; end > 0;) {
        size_t start = node[end].start;
        if (node[end].id != l->unk) {
            ids[k++] = node[end].id;
        } else {
            while (start > 0 && node[start].id == l->unk) start = node[start].start;
            k += push_unknown(ids + k, l, text + start, end - start);
        }
        end = start;
    }
    for (size_t i = 0, j = k; i + 1 < j; i++) {
        int32_t swap = ids[i];
        ids[i] = ids[--j];
        ids[j] = swap;
    }
    return k;
}
