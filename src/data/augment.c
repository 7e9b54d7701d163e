/* A piece is drawn as a place in a drawn row, so common pieces come often and nothing has to be counted. */
#include "data/augment.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { STREAM_AUGMENT = 0x5c03 };

/* Pieces of a row's first text at [1, a), of its second at [b, n - 1); without a second text b = n - 1. */
typedef struct parts {
    const int32_t *ids;
    int a, b, n;
} parts;

static parts parts_of(const snc_dataset *d, int row)
{
    const int32_t *types = d->types + d->start[row];
    parts p = {.ids = d->ids + d->start[row], .n = snc_dataset_len(d, row)};
    p.b = p.n - 1;
    while (p.b > 1 && types[p.b - 1] == 1) p.b--;
    p.a = types[p.n - 1] == 1 ? p.b - 1 : p.n - 1;
    return p;
}

snc_err snc_augment_from_json(snc_augment *a, const cJSON *j, const char *where)
{
    SNC_TRY(snc_json_double(&a->rows, j, "rows", 0, 0, 100, where));
    SNC_TRY(snc_json_double(&a->join, j, "join", 0, 0, 1, where));
    return snc_json_double(&a->replace, j, "replace", 0, 0, 1, where);
}

cJSON *snc_augment_to_json(const snc_augment *a)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "rows", a->rows);
    cJSON_AddNumberToObject(j, "join", a->join);
    cJSON_AddNumberToObject(j, "replace", a->replace);
    return j;
}

typedef struct maker {
    const snc_dataset *d;
    const snc_augment *a;
    snc_dataset *out;
    size_t ids_cap, types_cap;
    snc_rng rng;
} maker;

static parts draw_row(maker *m) { return parts_of(m->d, (int)snc_rng_below(&m->rng, (uint32_t)m->d->n)); }

/* A piece of some text, drawn from all positions of the dataset but the special tokens at the ends of the texts. */
static int32_t draw_piece(maker *m, int32_t otherwise)
{
    for (int tries = 0; tries < 8; tries++) {
        parts p = draw_row(m);
        int texts = p.a - 1 + (p.n - 1 - p.b);
        if (texts < 1) continue;
        int i = (int)snc_rng_below(&m->rng, (uint32_t)texts);
        return i < p.a - 1 ? p.ids[1 + i] : p.ids[p.b + i - (p.a - 1)];
    }
    return otherwise;
}

static void put(maker *m, int64_t *at, int32_t id, int32_t type)
{
    m->out->ids[*at] = id;
    m->out->types[(*at)++] = type;
}

static void put_text(maker *m, int64_t *at, const int32_t *ids, int n, int32_t type)
{
    for (int i = 0; i < n; i++) put(m, at, snc_rng_uniform(&m->rng) < m->a->replace ? draw_piece(m, ids[i]) : ids[i], type);
}

static int at_most(int n, int room) { return n < room ? n : room < 0 ? 0 : room; }

/* Writes one row from *at on, of at most d->max_len tokens. */
static void make_row(maker *m, int64_t *at)
{
    parts p = draw_row(m), q = p;
    bool pair = p.b < p.n - 1, joined = !pair && snc_rng_uniform(&m->rng) < m->a->join;
    if (joined) q = draw_row(m);
    int room = m->d->max_len - (pair ? 3 : 2), first = at_most(p.a - 1, room);
    put(m, at, p.ids[0], 0);
    put_text(m, at, p.ids + 1, first, 0);
    if (pair) {
        put(m, at, p.ids[p.a], 0);
        put_text(m, at, p.ids + p.b, at_most(p.n - 1 - p.b, room - first), 1);
        put(m, at, p.ids[p.a], 1);
        return;
    }
    if (joined) put_text(m, at, q.ids + 1, at_most(q.a - 1, room - first), 0);
    put(m, at, p.ids[p.n - 1], 0);
}

static snc_err make_room(maker *m, int64_t tokens)
{
    SNC_TRY(snc_grow(&m->out->ids, &m->ids_cap, (size_t)tokens, sizeof *m->out->ids));
    return snc_grow(&m->out->types, &m->types_cap, (size_t)tokens, sizeof *m->out->types);
}

static snc_err allocate(snc_dataset *out, const snc_dataset *d, int made)
{
    size_t n = (size_t)d->n + (size_t)made;
    SNC_TRY(snc_alloc(&out->start, n + 1, sizeof *out->start));
    SNC_TRY(snc_alloc(&out->target, n, sizeof *out->target));
    if (d->sets) SNC_TRY(snc_sets_dup(&out->sets, d->sets));
    return snc_alloc(&out->line, n, sizeof *out->line);
}

snc_err snc_dataset_augment(snc_dataset **out, const snc_dataset *d, const snc_augment *a, uint64_t seed)
{
    snc_dataset *x = NULL;
    snc_err err = SNC_OK;
    int made = (int)(a->rows * d->n);
    size_t n = (size_t)d->n, tokens = (size_t)d->start[d->n];
    SNC_CHECK(a->rows >= 0 && a->rows <= 100, SNC_E_ARG, "augmentation: %g made rows for each, expected 0 to 100", a->rows);
    SNC_CHECK(a->join >= 0 && a->join <= 1 && a->replace >= 0 && a->replace <= 1, SNC_E_ARG, "augmentation: shares are from 0 to 1");
    SNC_TRY(snc_alloc(&x, 1, sizeof *x));
    maker m = {.d = d, .a = a, .out = x};
    snc_rng_init(&m.rng, seed, STREAM_AUGMENT);
    SNC_GOTO(allocate(x, d, made));
    SNC_GOTO(make_room(&m, d->start[d->n]));
    memcpy(x->start, d->start, (n + 1) * sizeof *x->start);
    memcpy(x->ids, d->ids, tokens * sizeof *x->ids);
    memcpy(x->types, d->types, tokens * sizeof *x->types);
    memcpy(x->target, d->target, n * sizeof *x->target);
    memcpy(x->line, d->line, n * sizeof *x->line);
    x->n = d->n;
    x->max_len = d->max_len;
    x->truncated = d->truncated;
    for (int i = 0; i < made; i++) {
        int64_t at = x->start[x->n];
        SNC_GOTO(make_room(&m, at + d->max_len));
        make_row(&m, &at);
        x->target[x->n] = NAN;
        x->start[++x->n] = at;
    }
    *out = x;
    x = NULL;
out:
    snc_dataset_free(x);
    return err;
}
