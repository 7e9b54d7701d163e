/* A piece is drawn as a place in a drawn row, so common pieces come often and nothing has to be counted. */
#include "data/augment.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/neighbours.h"

enum { STREAM_AUGMENT = 0x5c03, MOST_NEIGHBOURS = 64 };

/* Pieces of a row's first text at [1, a), of its second, in segment `second`, at [b, n - 1); without a second text b = n - 1. */
typedef struct parts {
    const int32_t *ids;
    int a, b, n;
    int32_t second;
    const int32_t *read; /* of tags: tokens of the row that are read, and how many */
    int reads;
} parts;

static parts parts_of(const snc_dataset *d, int row)
{
    const int32_t *types = d->types + d->start[row];
    parts p = {.ids = d->ids + d->start[row], .n = snc_dataset_len(d, row)};
    if (d->answers) p.read = d->read + snc_dataset_answer(d, row);
    if (d->answers) p.reads = (int)(snc_dataset_answer(d, row + 1) - snc_dataset_answer(d, row));
    const int32_t end = p.ids[p.n - 1];
    p.second = types[p.n - 1];
    p.b = p.n - 1;
    while (p.b > 1 && types[p.b - 1] == 1) p.b--;
    p.a = p.second == 1 ? p.b - 1 : 1;
    if (p.second == 1) return p;
    while (p.a < p.n - 1 && p.ids[p.a] != end) p.a++; /* both in one segment: what ends a row parts its texts, once or twice */
    for (p.b = p.a; p.b < p.n - 1 && p.b < p.a + 2 && p.ids[p.b] == end; p.b++) {}
    return p;
}

snc_err snc_augment_from_json(snc_augment *a, const cJSON *j, const char *where)
{
    SNC_TRY(snc_json_double(&a->rows, j, "rows", 0, 0, 100, where));
    SNC_TRY(snc_json_double(&a->join, j, "join", 0, 0, 1, where));
    SNC_TRY(snc_json_double(&a->replace, j, "replace", 0, 0, 1, where));
    SNC_TRY(snc_json_bool(&a->whole_words, j, "whole_words", false, where));
    return snc_json_int(&a->neighbours, j, "neighbours", 0, 0, MOST_NEIGHBOURS, where);
}

cJSON *snc_augment_to_json(const snc_augment *a)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "rows", a->rows);
    cJSON_AddNumberToObject(j, "join", a->join);
    cJSON_AddNumberToObject(j, "replace", a->replace);
    cJSON_AddBoolToObject(j, "whole_words", a->whole_words);
    cJSON_AddNumberToObject(j, "neighbours", a->neighbours);
    return j;
}

/* Pieces in a row of their own. */
typedef struct word {
    const int32_t *ids;
    int n;
} word;

typedef struct maker {
    const snc_dataset *d;
    const snc_augment *a;
    const snc_augment_pieces *p;
    snc_neighbours *near; /* NULL: none */
    snc_dataset *out;
    size_t ids_cap, types_cap, read_cap, target_cap;
    snc_rng rng;
    int32_t one; /* a word of one piece */
} maker;

static parts draw_row(maker *m) { return parts_of(m->d, (int)snc_rng_below(&m->rng, (uint32_t)m->d->n)); }

static bool continues(const maker *m, int32_t id) { return m->p && id >= 0 && id < m->p->V && m->p->continues[id]; }

/* Where what begins at i ends, in a text that ends at n: a word, or a piece where those are replaced one by one. */
static int end_of(const maker *m, const int32_t *ids, int i, int n)
{
    for (i++; m->a->whole_words && i < n && continues(m, ids[i]); i++) {}
    return i;
}

/* A piece of some text, drawn from all positions of the dataset but the special tokens at the ends of the texts, or the word it is in. */
static word draw_word(maker *m, word otherwise)
{
    for (int tries = 0; tries < 8; tries++) {
        parts p = draw_row(m);
        int texts = p.a - 1 + (p.n - 1 - p.b);
        if (texts < 1) continue;
        int i = (int)snc_rng_below(&m->rng, (uint32_t)texts);
        const bool first = i < p.a - 1;
        const int from = first ? 1 : p.b, to = first ? p.a : p.n - 1;
        i += first ? 1 : p.b - (p.a - 1);
        while (m->a->whole_words && i > from && continues(m, p.ids[i])) i--;
        return (word){p.ids + i, end_of(m, p.ids, i, to) - i};
    }
    return otherwise;
}

static word draw_instead(maker *m, word w)
{
    int n = 0;
    const int32_t *near = m->near && w.n == 1 ? snc_neighbours_of(&n, m->near, w.ids[0]) : NULL;
    if (n == 0) return draw_word(m, w);
    m->one = near[snc_rng_below(&m->rng, (uint32_t)n)];
    return (word){&m->one, 1};
}

static void put(maker *m, int64_t *at, int32_t id, int32_t type)
{
    m->out->ids[*at] = id;
    m->out->types[(*at)++] = type;
}

/* Of tags: the token that comes next is read where that of the row it is of, or stands for, was. */
static void put_read(maker *m, const parts *p, int i, int64_t at)
{
    snc_dataset *x = m->out;
    int k = 0;
    while (k < p->reads && p->read[k] != i) k++;
    if (k == p->reads) return;
    x->read[x->answers[x->n + 1]++] = (int32_t)(at - x->start[x->n]);
}

/* The row's tokens from `from` on, at most `room`; returns how many. */
static int put_text(maker *m, int64_t *at, const parts *p, int from, int n, int room, int32_t type)
{
    const int32_t *ids = p->ids + from;
    int written = 0;
    for (int i = 0, next; i < n && written < room; i = next) {
        next = end_of(m, ids, i, n);
        put_read(m, p, from + i, *at);
        word w = {ids + i, next - i};
        if (snc_rng_uniform(&m->rng) < m->a->replace) w = draw_instead(m, w);
        for (int k = 0; k < w.n && written < room; k++, written++) put(m, at, w.ids[k], type);
    }
    return written;
}

/* Writes one row from *at on, of at most d->max_len tokens. */
static void make_row(maker *m, int64_t *at)
{
    parts p = draw_row(m), q = p;
    bool pair = p.b < p.n - 1, joined = !pair && snc_rng_uniform(&m->rng) < m->a->join;
    if (joined) q = draw_row(m);
    int room = m->d->max_len - 2 - (pair ? p.b - p.a : 0);
    put(m, at, p.ids[0], 0);
    room -= put_text(m, at, &p, 1, p.a - 1, room, 0);
    if (pair) {
        for (int i = p.a; i < p.b; i++) put(m, at, p.ids[i], 0);
        put_text(m, at, &p, p.b, p.n - 1 - p.b, room, p.second);
        put(m, at, p.ids[p.n - 1], p.second);
        return;
    }
    if (joined) put_text(m, at, &q, 1, q.a - 1, room, 0);
    put(m, at, p.ids[p.n - 1], 0);
}

static snc_err make_room(maker *m, int64_t tokens)
{
    SNC_TRY(snc_grow(&m->out->ids, &m->ids_cap, (size_t)tokens, sizeof *m->out->ids));
    if (m->d->answers) SNC_TRY(snc_grow(&m->out->read, &m->read_cap, (size_t)tokens, sizeof *m->out->read)); /* no more than tokens */
    if (m->d->answers) SNC_TRY(snc_grow(&m->out->target, &m->target_cap, (size_t)tokens, sizeof *m->out->target));
    return snc_grow(&m->out->types, &m->types_cap, (size_t)tokens, sizeof *m->out->types);
}

static snc_err allocate(snc_dataset *out, const snc_dataset *d, int made)
{
    size_t n = (size_t)d->n + (size_t)made;
    SNC_TRY(snc_alloc(&out->start, n + 1, sizeof *out->start));
    if (d->answers) SNC_TRY(snc_alloc(&out->answers, n + 1, sizeof *out->answers));
    else SNC_TRY(snc_alloc(&out->target, n, sizeof *out->target));
    if (d->sets) SNC_TRY(snc_sets_dup(&out->sets, d->sets));
    return snc_alloc(&out->line, n, sizeof *out->line);
}

/* The pieces that stand in texts: neighbours are sought among them, for them. */
static snc_err find_neighbours(maker *m, const snc_ctx *ctx)
{
    uint8_t *seen = NULL;
    SNC_TRY(snc_alloc(&seen, (size_t)m->p->V, 1));
    for (int row = 0; row < m->d->n; row++) {
        const parts p = parts_of(m->d, row);
        for (int i = 1; i < p.a; i++) seen[p.ids[i]] = 1;
        for (int i = p.b; i < p.n - 1; i++) seen[p.ids[i]] = 1;
    }
    snc_err err = snc_neighbours_find(&m->near, ctx, m->p, seen, m->a->neighbours);
    snc_free(seen);
    return err;
}

static snc_err copy_rows(snc_dataset *x, maker *m)
{
    const snc_dataset *d = m->d;
    size_t n = (size_t)d->n, tokens = (size_t)d->start[d->n];
    SNC_TRY(make_room(m, d->start[d->n]));
    memcpy(x->start, d->start, (n + 1) * sizeof *x->start);
    memcpy(x->ids, d->ids, tokens * sizeof *x->ids);
    memcpy(x->types, d->types, tokens * sizeof *x->types);
    memcpy(x->target, d->target, (size_t)snc_dataset_answers(d) * sizeof *x->target);
    for (int i = 0; d->answers && i <= d->n; i++) x->answers[i] = snc_dataset_answer(d, i);
    if (d->answers) memcpy(x->read, d->read, (size_t)snc_dataset_answers(d) * sizeof *x->read);
    memcpy(x->line, d->line, n * sizeof *x->line);
    x->n = d->n;
    x->max_len = d->max_len;
    x->truncated = d->truncated;
    return SNC_OK;
}

snc_err snc_dataset_augment(snc_dataset **out, const snc_ctx *ctx, const snc_dataset *d, const snc_augment *a, const snc_augment_pieces *p)
{
    snc_dataset *x = NULL;
    snc_err err = SNC_OK;
    int made = (int)(a->rows * d->n);
    SNC_CHECK(a->rows >= 0 && a->rows <= 100, SNC_E_ARG, "augmentation: %g made rows for each, expected 0 to 100", a->rows);
    SNC_CHECK(a->join >= 0 && a->join <= 1 && a->replace >= 0 && a->replace <= 1, SNC_E_ARG, "augmentation: shares are from 0 to 1");
    assert(p || (!a->whole_words && !a->neighbours));
    SNC_TRY(snc_alloc(&x, 1, sizeof *x));
    maker m = {.d = d, .a = a, .p = p, .out = x};
    snc_rng_init(&m.rng, ctx->seed, STREAM_AUGMENT);
    if (a->neighbours && made > 0) SNC_GOTO(find_neighbours(&m, ctx));
    SNC_GOTO(allocate(x, d, made));
    SNC_GOTO(copy_rows(x, &m));
    for (int i = 0; i < made; i++) {
        int64_t at = x->start[x->n];
        SNC_GOTO(make_room(&m, at + d->max_len));
        if (x->answers) x->answers[x->n + 1] = x->answers[x->n];
        make_row(&m, &at);
        x->start[x->n + 1] = at;
        for (int64_t k = snc_dataset_answer(x, x->n); k < snc_dataset_answer(x, x->n + 1); k++) x->target[k] = NAN;
        x->n++;
    }
    *out = x;
    x = NULL;
out:
    snc_neighbours_free(m.near);
    snc_dataset_free(x);
    return err;
}
