/* base/mem.h: memory in few, big, aligned pieces.
 *
 * snc_alloc gives zeroed, 64-byte aligned blocks that snc_free returns. An arena serves many small things freed at once
 * (vocabularies, rows of text); building with SNC_ARENA_MALLOC maps each piece to its own block for leak hunts.
 */
#ifndef SNC_BASE_MEM_H
#define SNC_BASE_MEM_H

#include "base/error.h"

#define SNC_ALIGN 64
static inline size_t snc_align_up(size_t n, size_t a) { return (n + a - 1) / a * a; }

/* `n` elements of `size` bytes, zeroed, 64-byte aligned; n = 0 gives a valid block. SNC_E_NOMEM names the bytes. */
snc_err snc_alloc(void *out /* T ** */, size_t n, size_t size) SNC_MUST_USE;
void snc_free(void *p); /* NULL is fine */

/* Grows *p (from snc_alloc, or NULL) to hold at least `need` elements, doubling *cap; old contents are kept. */
snc_err snc_grow(void *p /* T ** */, size_t *cap, size_t need, size_t size) SNC_MUST_USE;

typedef struct snc_arena snc_arena;
snc_err snc_arena_new(snc_arena **out) SNC_MUST_USE;
snc_err snc_arena_alloc(void *out /* T ** */, snc_arena *a, size_t bytes) SNC_MUST_USE;    /* 16-byte aligned, zeroed */
snc_err snc_arena_strndup(char **out, snc_arena *a, const char *s, size_t n) SNC_MUST_USE; /* NUL-terminated copy */
void snc_arena_free(snc_arena *a);

/* Large read-mostly data that lives and dies together, such as the matrices of a net: pieces of blocks on 2 MB pages, which
 * cores read from the last-level cache a quarter faster than small pages. Not thread-safe. */
typedef struct snc_pool snc_pool;
snc_err snc_pool_new(snc_pool **out) SNC_MUST_USE;
/* 64-byte aligned, zeroed. p NULL: a block of its own, from snc_alloc. */
snc_err snc_pool_alloc(void *out /* T ** */, snc_pool *p, size_t bytes) SNC_MUST_USE;
/* Everything in it is gone; its blocks are used again. */
void snc_pool_reset(snc_pool *p);
void snc_pool_free(snc_pool *p);

/* Heap copy of a string; freed with snc_free. */
snc_err snc_strndup(char **out, const char *s, size_t n) SNC_MUST_USE;
snc_err snc_strdup(char **out, const char *s) SNC_MUST_USE;

#endif
