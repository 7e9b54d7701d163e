/* Shuffled rows are sorted by length within 50 batches at a time, and the batches shuffled: rows of a batch have about one length. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"

enum { CHUNK_BATCHES = 50, STREAM_BATCHES = 0x5c10 };

struct snc_batcher {
    const snc_dataset *d;
    int batch_size, count;
    int32_t *order;                 /* [n] dataset rows, batch after batch */
    int32_t *turn;                  /* [count] which run of batch_size rows of `order` comes at which place */
    uint64_t *sorted;               /* [CHUNK_BATCHES * batch_size] length and place of a chunk's rows */
    int32_t *ids, *types, *offsets; /* the batch handed out: [max_tokens], [batch_size + 1] */
    int32_t *read;                  /* [max_tokens] of tags; NULL otherwise */
};

snc_err snc_batcher_new(snc_batcher **out, const snc_dataset *d, int batch_size)
{
    snc_err err = SNC_OK;
    snc_batcher *b = NULL;
    SNC_CHECK(batch_size >= 1 && batch_size <= INT_MAX / 2 / (d->max_len ? d->max_len : 1), SNC_E_ARG,
              "batch size %d: expected 1 or more, and at most 2^30 tokens a batch", batch_size);
    if (batch_size > d->n && d->n > 0) batch_size = d->n;
    size_t n = (size_t)batch_size, tokens = n * (size_t)d->max_len;
    SNC_GOTO(snc_alloc(&b, 1, sizeof *b));
    b->d = d;
    b->batch_size = batch_size;
    b->count = d->n / batch_size + (d->n % batch_size != 0);
    SNC_GOTO(snc_alloc(&b->order, (size_t)d->n, sizeof *b->order));
    SNC_GOTO(snc_alloc(&b->turn, (size_t)b->count, sizeof *b->turn));
    SNC_GOTO(snc_alloc(&b->sorted, CHUNK_BATCHES * n, sizeof *b->sorted));
    SNC_GOTO(snc_alloc(&b->ids, tokens, sizeof *b->ids));
    SNC_GOTO(snc_alloc(&b->types, tokens, sizeof *b->types));
    SNC_GOTO(snc_alloc(&b->offsets, n + 1, sizeof *b->offsets));
    if (d->answers) SNC_GOTO(snc_alloc(&b->read, tokens, sizeof *b->read));
    for (int i = 0; i < d->n; i++) b->order[i] = i;
    for (int i = 0; i < b->count; i++) b->turn[i] = i;
    *out = b;
    b = NULL;
out:
    snc_batcher_free(b);
    return err;
}

void snc_batcher_free(snc_batcher *b)
{
    if (!b) return;
    snc_free(b->order);
    snc_free(b->turn);
    snc_free(b->sorted);
    snc_free(b->ids);
    snc_free(b->types);
    snc_free(b->offsets);
    snc_free(b->read);
    snc_free(b);
}

int snc_batcher_count(const snc_batcher *b) { return b->count; }
int snc_batcher_max_tokens(const snc_batcher *b) { return b->batch_size * b->d->max_len; }
int snc_batcher_max_answers(const snc_batcher *b) { return b->d->answers ? snc_batcher_max_tokens(b) : b->batch_size; }

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Sorts rows [n] by length; rows of equal length keep the shuffle's order. `keys` [n] and the rows share their places. */
static void sort_by_length(int32_t *rows, uint64_t *keys, const snc_dataset *d, int n, const int32_t *shuffled)
{
    for (int i = 0; i < n; i++) keys[i] = (uint64_t)snc_dataset_len(d, shuffled[i]) << 32 | (uint32_t)i;
    qsort(keys, (size_t)n, sizeof *keys, by_key);
    for (int i = 0; i < n; i++) keys[i] = (uint64_t)shuffled[keys[i] & UINT32_MAX];
    for (int i = 0; i < n; i++) rows[i] = (int32_t)keys[i];
}

snc_err snc_dataset_by_length(int32_t **out, int *n, const snc_dataset *d, const uint8_t *met)
{
    snc_err err = SNC_OK;
    int32_t *rows = NULL;
    uint64_t *keys = NULL;
    *n = 0;
    SNC_GOTO(snc_alloc(&rows, (size_t)d->n, sizeof *rows));
    SNC_GOTO(snc_alloc(&keys, (size_t)d->n, sizeof *keys));
    for (int i = 0; i < d->n; i++)
        if (!met || met[i]) rows[(*n)++] = i;
    sort_by_length(rows, keys, d, *n, rows);
    *out = rows;
    rows = NULL;
out:
    snc_free(rows);
    snc_free(keys);
    return err;
}

void snc_batcher_epoch(snc_batcher *b, uint64_t seed, int epoch)
{
    const int n = b->d->n, chunk = CHUNK_BATCHES * b->batch_size;
    snc_rng rng;
    snc_rng_init(&rng, seed, STREAM_BATCHES + ((uint64_t)(uint32_t)epoch << 16));
    for (int i = 0; i < n; i++) b->order[i] = i;
    snc_rng_shuffle(&rng, b->order, (size_t)n);
    for (int at = 0; at < n; at += n - at < chunk ? n - at : chunk)
        sort_by_length(b->order + at, b->sorted, b->d, n - at < chunk ? n - at : chunk, b->order + at);
    for (int i = 0; i < b->count; i++) b->turn[i] = i;
    snc_rng_shuffle(&rng, b->turn, (size_t)b->count);
}

static int least(int a, int b) { return a < b ? a : b; }

int snc_batcher_chunk(int *rows, const snc_batcher *b)
{
    const int batches = least(CHUNK_BATCHES, b->count);
    *rows = least(batches * b->batch_size, b->d->n);
    return batches;
}

void snc_batcher_take(snc_batcher *b, const int32_t *drawn, snc_rng *rng)
{
    int rows;
    const int batches = snc_batcher_chunk(&rows, b);
    sort_by_length(b->order, b->sorted, b->d, rows, drawn);
    for (int i = 0; i < batches; i++) b->turn[i] = i;
    snc_rng_shuffle(rng, b->turn, (size_t)batches);
}

void snc_batcher_rows(snc_tokens *x, snc_batcher *b, const int32_t *rows, int n)
{
    const snc_dataset *d = b->d;
    b->offsets[0] = 0;
    for (int i = 0; i < n; i++) {
        int len = snc_dataset_len(d, rows[i]), at = b->offsets[i];
        memcpy(b->ids + at, d->ids + d->start[rows[i]], (size_t)len * sizeof *b->ids);
        memcpy(b->types + at, d->types + d->start[rows[i]], (size_t)len * sizeof *b->types);
        b->offsets[i + 1] = at + len;
    }
    *x = (snc_tokens){.B = n, .T = b->offsets[n], .ids = b->ids, .types = b->types, .offsets = b->offsets};
    if (!d->answers) return;
    for (int i = 0; i < n; i++)
        for (int64_t k = snc_dataset_answer(d, rows[i]); k < snc_dataset_answer(d, rows[i] + 1); k++)
            b->read[x->R++] = b->offsets[i] + d->read[k];
    x->read = b->read;
}

int snc_batcher_gather(float *out, const float *all, const snc_dataset *d, const int32_t *rows, int n, int K)
{
    int64_t at = 0;
    for (int i = 0; i < n; i++) {
        const int64_t from = snc_dataset_answer(d, rows[i]), have = snc_dataset_answer(d, rows[i] + 1) - from;
        memcpy(out + at * K, all + from * K, (size_t)(have * K) * sizeof *out);
        at += have;
    }
    return (int)at;
}

void snc_batcher_scatter(float *all, const float *in, const snc_dataset *d, const int32_t *rows, int n, int K)
{
    for (int i = 0; i < n; i++) {
        const int64_t to = snc_dataset_answer(d, rows[i]), have = snc_dataset_answer(d, rows[i] + 1) - to;
        memcpy(all + to * K, in, (size_t)(have * K) * sizeof *in);
        in += have * K;
    }
}

void snc_batcher_get(snc_tokens *x, const int32_t **rows, snc_batcher *b, int i)
{
    int at = b->turn[i] * b->batch_size, left = b->d->n - at;
    *rows = b->order + at;
    snc_batcher_rows(x, b, *rows, left < b->batch_size ? left : b->batch_size);
}
