/* Blocks are aligned and zeroed; arenas and pools are lists of blocks that only grow, since what is put into them dies together. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"

enum { HUGE_FROM = 4 << 20 }; /* bytes */

snc_err snc_alloc(void *out, size_t n, size_t size)
{
    SNC_CHECK(size == 0 || n <= (SIZE_MAX / 2) / size, SNC_E_NOMEM, "out of memory: %zu x %zu bytes", n, size);
    size_t bytes = snc_align_up(n * size, SNC_ALIGN);
    if (bytes == 0) bytes = SNC_ALIGN;
    void *p = aligned_alloc(SNC_ALIGN, bytes);
    SNC_CHECK(p, SNC_E_NOMEM, "out of memory: %zu bytes", bytes);
    if (bytes >= HUGE_FROM) {
        snc_advise_huge(p, bytes);
        snc_clear_block(p, bytes);
    } else memset(p, 0, bytes);
    memcpy(out, &p, sizeof p);
    return SNC_OK;
}

void snc_free(void *p) { free(p); }

snc_err snc_grow(void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return SNC_OK;
    size_t n = *cap ? *cap : 16;
    while (n < need) n *= 2;
    void *old, *block;
    memcpy(&old, p, sizeof old);
    SNC_TRY(snc_alloc(&block, n, size));
    if (old) memcpy(block, old, *cap * size);
    free(old);
    memcpy(p, &block, sizeof block);
    *cap = n;
    return SNC_OK;
}

enum { ARENA_BLOCK = 1 << 16 };

typedef struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char data[];
} arena_block;

struct snc_arena {
    arena_block *head;
};

snc_err snc_arena_new(snc_arena **out) { return snc_alloc(out, 1, sizeof **out); }

snc_err snc_arena_alloc(void *out, snc_arena *a, size_t bytes)
{
    bytes = snc_align_up(bytes ? bytes : 1, 16);
#ifdef SNC_ARENA_MALLOC
    size_t block = bytes;
#else
    size_t block = bytes > ARENA_BLOCK ? bytes : ARENA_BLOCK;
#endif
    if (!a->head || a->head->size - a->head->used < bytes) {
        arena_block *b;
        SNC_TRY(snc_alloc(&b, 1, sizeof *b + block));
        b->size = block;
        b->next = a->head;
        a->head = b;
    }
    void *p = a->head->data + a->head->used;
    a->head->used += bytes;
    memcpy(out, &p, sizeof p);
    return SNC_OK;
}

snc_err snc_arena_strndup(char **out, snc_arena *a, const char *s, size_t n)
{
    SNC_TRY(snc_arena_alloc(out, a, n + 1));
    memcpy(*out, s, n);
    (*out)[n] = 0;
    return SNC_OK;
}

void snc_arena_free(snc_arena *a)
{
    if (!a) return;
    for (arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        snc_free(b);
    }
    snc_free(a);
}

snc_err snc_strndup(char **out, const char *s, size_t n)
{
    SNC_TRY(snc_alloc(out, n + 1, 1));
    memcpy(*out, s, n);
    return SNC_OK;
}

snc_err snc_strdup(char **out, const char *s) { return snc_strndup(out, s, strlen(s)); }

enum { POOL_PAGE = 2 << 20, POOL_BLOCK = 16 << 20 };

typedef struct pool_block {
    struct pool_block *next;
    uint8_t *data;
    size_t used, size;
} pool_block;

struct snc_pool {
    pool_block *head, *spare; /* spare: zeroed, to be used before new ones */
};

snc_err snc_pool_new(snc_pool **out) { return snc_alloc(out, 1, sizeof **out); }

/* Fresh pages of the system are zero: a block costs nothing until it is written. */
static snc_err add_block(snc_pool *p, size_t bytes)
{
    size_t size = snc_align_up(bytes > POOL_BLOCK ? bytes : POOL_BLOCK, POOL_PAGE);
    pool_block *b = p->spare;
    if (b && b->size >= size) {
        p->spare = b->next;
        b->next = p->head;
        p->head = b;
        return SNC_OK;
    }
    SNC_TRY(snc_alloc(&b, 1, sizeof *b));
    b->data = snc_pages_map(size);
    if (!b->data) {
        snc_free(b);
        return snc_err_set(SNC_E_NOMEM, "out of memory: %zu bytes", size);
    }
    b->size = size;
    b->next = p->head;
    p->head = b;
    return SNC_OK;
}

snc_err snc_pool_alloc(void *out, snc_pool *p, size_t bytes)
{
    if (!p) return snc_alloc(out, bytes, 1);
    SNC_CHECK(bytes <= SIZE_MAX / 4, SNC_E_NOMEM, "out of memory: %zu bytes", bytes);
    bytes = snc_align_up(bytes ? bytes : 1, SNC_ALIGN);
    if (!p->head || p->head->size - p->head->used < bytes) SNC_TRY(add_block(p, bytes));
    uint8_t *at = p->head->data + p->head->used;
    p->head->used += bytes;
    memcpy(out, &at, sizeof at);
    return SNC_OK;
}

/* The first block becomes the first spare one: the same allocations find the same places. */
void snc_pool_reset(snc_pool *p)
{
    for (pool_block *b = p->head, *next; b; b = next) {
        next = b->next;
        memset(b->data, 0, b->used);
        b->used = 0;
        b->next = p->spare;
        p->spare = b;
    }
    p->head = NULL;
}

static void free_blocks(pool_block *b)
{
    for (pool_block *next; b; b = next) {
        next = b->next;
        snc_pages_unmap(b->data, b->size);
        snc_free(b);
    }
}

void snc_pool_free(snc_pool *p)
{
    if (!p) return;
    free_blocks(p->head);
    free_blocks(p->spare);
    snc_free(p);
}
