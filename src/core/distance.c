/* Buckets of distances, and what they add to the scores of one head, forward and backward: products with the rows of all buckets that a
 * text reaches, of which each score takes one, or gives its gradient to. */
#include "core/distance.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "core/ops_priv.h"

int snc_distance_bucket(int distance, int buckets, int longest)
{
    int single = buckets / 2;
    assert(buckets >= 2 && distance >= 0 && distance < longest);
    if (distance <= single) return distance;
    double octaves = log((double)distance / single) / log((double)(longest - 1) / single);
    return single + (int)ceil(octaves * (single - 1));
}

void snc_distance_buckets(int16_t *bucket, int len, int buckets, int longest)
{
    for (int d = 0; d < len; d++) {
        int b = snc_distance_bucket(d, buckets, longest);
        bucket[len - 1 + d] = (int16_t)b;
        bucket[len - 1 - d] = (int16_t)-b;
    }
}

/* ---- of one head --------------------------------------------------------------------------------------------------- */

enum { KEYS, QUERIES }; /* the two tables */

/* A thread's room. */
typedef struct room {
    float *bias, *dbias; /* [keys, ld] of queries */
    float *of[2];        /* [queries, row] q . key, [keys, row] k . query of each bucket; or their gradients */
    int ld, row;
} room;

static size_t bias_size(const snc_ops_limits *max) { return (size_t)max->len * snc_align_up((size_t)max->len, SNC_QUERY_BLOCK); }

/* Floats from row to row where a column is a bucket. */
static size_t row_of(const snc_ops_limits *max) { return snc_align_up((size_t)max->distances, SNC_ALIGN / sizeof(float)); }

size_t snc_ops__distance_scratch(const snc_ops_limits *max)
{
    return max->distances ? 2 * bias_size(max) + 2 * (size_t)max->len * row_of(max) : 0;
}

size_t snc_ops__distance_turned(const snc_ops_limits *max) { return 2 * (size_t)max->width * row_of(max); }

static room room_of(const snc_ops *o, int worker)
{
    room r = {.bias = o->distance + (size_t)worker * snc_ops__distance_scratch(&o->max), .row = (int)row_of(&o->max)};
    r.ld = (int)snc_align_up((size_t)o->max.len, SNC_QUERY_BLOCK);
    r.dbias = r.bias + bias_size(&o->max);
    r.of[KEYS] = r.dbias + bias_size(&o->max);
    r.of[QUERIES] = r.of[KEYS] + (size_t)o->max.len * (size_t)r.row;
    return r;
}

static const float *table_of(const snc_distances *d, int which) { return which == KEYS ? d->key : d->query; }

/* [head_width, row]: a head's columns of a table as rows. */
static float *turned_of(const snc_ops *o, int which, int head, int head_width)
{
    return o->turned + ((size_t)which * (size_t)o->max.width + (size_t)head * (size_t)head_width) * row_of(&o->max);
}

void snc_ops__distance_turn(const snc_ops *o, const snc_distances *d, int head, int heads, int head_width)
{
    size_t A = (size_t)heads * (size_t)head_width, row = row_of(&o->max);
    for (int which = KEYS; which <= QUERIES; which++) {
        const float *from = table_of(d, which) + (size_t)head * (size_t)head_width;
        float *to = turned_of(o, which, head, head_width);
        for (size_t r = 0; r < 2 * (size_t)d->reach + 1; r++)
            for (size_t c = 0; c < (size_t)head_width; c++) to[c * row + r] = from[r * A + c];
    }
}

void snc_ops__distance_clear(const snc_distances *d, int head, int heads, int head_width)
{
    size_t width = (size_t)head_width, A = (size_t)heads * width;
    for (size_t row = 0; row < 2 * (size_t)d->reach + 1; row++) {
        memset(d->dkey + row * A + (size_t)head * width, 0, width * sizeof(float));
        memset(d->dquery + row * A + (size_t)head * width, 0, width * sizeof(float));
    }
}

/* The largest bucket of a text of so many keys. */
static int reach_of(const snc_distances *d, int keys) { return d->bucket[d->len - 1 + keys - 1]; }

enum { BLOCK = 16 }; /* queries whose rows of buckets stay in L1 */

void snc_ops__distance_lay(snc_head *h, const snc_ops *o, const snc_distances *d, int head, int worker, bool backward)
{
    room r = room_of(o, worker);
    int reach = reach_of(d, h->keys);
    for (int which = KEYS; which <= QUERIES; which++)
        o->k->product(r.of[which], r.row, which == KEYS ? h->q : h->k, h->ld, 1, turned_of(o, which, head, h->width) + d->reach - reach,
                      r.row, which == KEYS ? h->queries : h->keys, 2 * reach + 1, h->width, false);
    for (int i0 = 0; i0 < h->queries; i0 += BLOCK)
        for (int j = 0; j < h->keys; j++) {
            const int16_t *bucket = d->bucket + d->len - 1 - j;
            const float *of_key = r.of[QUERIES] + (size_t)j * (size_t)r.row + reach;
            float *bias = r.bias + (size_t)j * (size_t)r.ld;
            for (int i = i0; i < i0 + BLOCK && i < h->queries; i++) bias[i] = r.of[KEYS][i * r.row + reach + bucket[i]] + of_key[bucket[i]];
        }
    h->bias = r.bias;
    h->bias_step = r.ld;
    if (!backward) return;
    memset(r.dbias, 0, (size_t)h->keys * (size_t)r.ld * sizeof *r.dbias);
    h->dbias = r.dbias;
}

/* Each score's gradient to that of the two products it is of. */
static void gather(const room *r, const snc_head *h, const snc_distances *d, int reach)
{
    memset(r->of[KEYS], 0, (size_t)h->queries * (size_t)r->row * sizeof(float));
    memset(r->of[QUERIES], 0, (size_t)h->keys * (size_t)r->row * sizeof(float));
    for (int i0 = 0; i0 < h->queries; i0 += BLOCK)
        for (int j = 0; j < h->keys; j++) {
            const int16_t *bucket = d->bucket + d->len - 1 - j;
            const float *dbias = r->dbias + (size_t)j * (size_t)r->ld;
            float *of_key = r->of[QUERIES] + (size_t)j * (size_t)r->row + reach;
            for (int i = i0; i < i0 + BLOCK && i < h->queries; i++) {
                r->of[KEYS][i * r->row + reach + bucket[i]] += dbias[i];
                of_key[bucket[i]] += dbias[i];
            }
        }
}

void snc_ops__distance_back(float *dq, float *dk, const snc_head *h, const snc_ops *o, const snc_distances *d, int head, int worker)
{
    room r = room_of(o, worker);
    int reach = reach_of(d, h->keys), rows = 2 * reach + 1;
    size_t first = (size_t)(d->reach - reach) * (size_t)h->ld + (size_t)head * (size_t)h->width;
    gather(&r, h, d, reach);
    for (int which = KEYS; which <= QUERIES; which++) {
        float *dx = which == KEYS ? dq : dk, *dtable = (which == KEYS ? d->dkey : d->dquery) + first;
        int n = which == KEYS ? h->queries : h->keys;
        o->k->product(dx, h->ld, r.of[which], r.row, 1, table_of(d, which) + first, h->ld, n, h->width, rows, true);
        o->k->product(dtable, h->ld, r.of[which], 1, r.row, which == KEYS ? h->q : h->k, h->ld, rows, h->width, n, true);
    }
}
