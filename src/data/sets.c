/* A hash table from the bytes of a set to its number, beside the sets in order of number: each is kept once, whatever the rows. */
#include "data/sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

typedef struct snc_sets_entry {
    UT_hash_handle hh;
    int number;
    uint8_t has[];
} entry;

snc_err snc_sets_new(snc_sets **out, int K)
{
    SNC_TRY(snc_alloc(out, 1, sizeof **out));
    (*out)->K = K;
    return SNC_OK;
}

void snc_sets_free(snc_sets *s)
{
    entry *e, *next;
    if (!s) return;
    HASH_ITER(hh, s->index, e, next)
    {
        HASH_DEL(s->index, e);
        snc_free(e);
    }
    snc_free(s->has);
    snc_free(s);
}

static snc_err add(entry **out, snc_sets *s, const uint8_t *has)
{
    size_t K = (size_t)s->K;
    entry *e;
    SNC_CHECK(s->n < SNC_SETS_MOST, SNC_E_UNSUPPORTED, "more than %d different sets of labels", SNC_SETS_MOST);
    SNC_TRY(snc_grow(&s->has, &s->cap, ((size_t)s->n + 1) * K, 1));
    SNC_TRY(snc_alloc(&e, 1, sizeof *e + K));
    memcpy(s->has + (size_t)s->n * K, has, K);
    memcpy(e->has, has, K);
    e->number = s->n;
    HASH_ADD(hh, s->index, has, (unsigned)K, e);
    if (!e->hh.tbl) {
        snc_free(e);
        return snc_err_set(SNC_E_NOMEM, "out of memory for sets of labels");
    }
    s->n++;
    *out = e;
    return SNC_OK;
}

snc_err snc_sets_number(int *out, snc_sets *s, const uint8_t *has)
{
    entry *e = NULL;
    HASH_FIND(hh, s->index, has, (unsigned)s->K, e);
    if (!e) SNC_TRY(add(&e, s, has));
    *out = e->number;
    return SNC_OK;
}

snc_err snc_sets_dup(snc_sets **out, const snc_sets *s)
{
    snc_sets *d = NULL;
    snc_err err = snc_sets_new(&d, s->K);
    for (int i = 0, number; i < s->n && !err; i++) err = snc_sets_number(&number, d, snc_sets_of(s, i));
    if (err) snc_sets_free(d);
    else *out = d;
    return err;
}
