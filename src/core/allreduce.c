/* A bucket goes through two turns of messages: numbers to the rank that adds them up, sums to everyone. What a rank has sent it may not
 * overwrite before it has left, so the second turn begins when the whole first one is over. */
#include "core/allreduce.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/par.h"
#include "core/ops_kernels.h"

enum { GRAIN = 1 << 14 };

typedef enum turn { SCATTER, GATHER, OVER } turn;

typedef struct bucket {
    float *x;
    size_t *at; /* [size + 1] where each rank's part begins, and the end */
    turn turn;
    bool all;            /* the sums go to everyone */
    char *in;            /* [size] parts, mine among them, of the other ranks' numbers */
    snc_bf16 *out;       /* with half: what is sent */
    snc_comm_message *m; /* [2 * size]: what comes from each rank, what goes to each */
    size_t in_cap, out_cap;
} bucket;

struct snc_allreduce {
    const snc_ctx *ctx;
    snc_comm *c;
    const snc_kernels *k;
    bool half;
    bucket *b;
    int cap, n;
    double seconds;
};

snc_err snc_allreduce_new(snc_allreduce **out, const snc_ctx *ctx, snc_comm *c, int buckets, bool half)
{
    snc_allreduce *a = NULL;
    snc_err err = SNC_OK;
    const int size = snc_comm_size(c);
    SNC_TRY(snc_alloc(&a, 1, sizeof *a));
    *a = (snc_allreduce){.ctx = ctx, .c = c, .k = snc_kernels_pick(ctx), .half = half, .cap = buckets};
    SNC_GOTO(snc_alloc(&a->b, (size_t)buckets, sizeof *a->b));
    for (int i = 0; i < buckets; i++) {
        SNC_GOTO(snc_alloc(&a->b[i].m, 2 * (size_t)size, sizeof *a->b[i].m));
        for (int k = 0; k < 2 * size; k++) a->b[i].m[k].done = true;
        SNC_GOTO(snc_alloc(&a->b[i].at, (size_t)size + 1, sizeof *a->b[i].at));
    }
    *out = a;
    return SNC_OK;
out:
    snc_allreduce_free(a);
    return err;
}

void snc_allreduce_free(snc_allreduce *a)
{
    if (!a) return;
    for (int i = 0; a->b && i < a->cap; i++) {
        for (int k = 0; a->b[i].m && k < 2 * snc_comm_size(a->c); k++) snc_comm_drop(&a->b[i].m[k], a->c);
        snc_free(a->b[i].in);
        snc_free(a->b[i].out);
        snc_free(a->b[i].m);
        snc_free(a->b[i].at);
    }
    snc_free(a->b);
    snc_free(a);
}

double snc_allreduce_seconds(const snc_allreduce *a) { return a ? a->seconds : 0; }

/* ---- arithmetic ------------------------------------------------------------------------------------------------------ */

static size_t width(const snc_allreduce *a) { return a->half ? sizeof(snc_bf16) : sizeof(float); }

typedef struct work {
    const snc_allreduce *a;
    bucket *b;
    size_t first, part; /* mine */
} work;

static void narrow(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const work *w = payload;
    (void)chunk, (void)worker;
    w->a->k->narrow(w->b->out + begin, end - begin, w->b->x + begin, end - begin, 1, (int)(end - begin));
}

static void to_floats(float *restrict to, const snc_bf16 *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] = snc_bf16_to_f32(from[i]);
}

static void widen(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const work *w = payload;
    (void)chunk, (void)worker;
    to_floats(w->b->x + begin, w->b->out + begin, end - begin);
}

/* to [n] += what rank r has there, the ranks in their order; of the lowest the numbers are taken as they are. */
static void add_rank(const work *w, int r, float *restrict to, int64_t begin, int64_t n)
{
    const size_t at = (size_t)r * w->part + (size_t)begin;
    const bool me = r == w->a->c->rank;
    float wide[GRAIN];
    const float *restrict x = me ? w->b->x + w->first + begin : (const float *)(const void *)w->b->in + at;
    if (w->a->half) {
        to_floats(wide, me ? w->b->out + w->first + begin : (const snc_bf16 *)(const void *)w->b->in + at, n);
        x = wide;
    }
    if (r == 0) memcpy(to, x, (size_t)n * sizeof *to);
    else
        for (int64_t i = 0; i < n; i++) to[i] += x[i];
}

static void add(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const work *w = payload;
    float sum[GRAIN];
    (void)chunk, (void)worker;
    for (int r = 0; r < w->a->c->size; r++) add_rank(w, r, sum, begin, end - begin);
    memcpy(w->b->x + w->first + begin, sum, (size_t)(end - begin) * sizeof *sum);
    if (w->a->half && w->b->all) narrow(payload, (int64_t)w->first + begin, (int64_t)w->first + end, 0, 0);
}

/* ---- turns ----------------------------------------------------------------------------------------------------------- */

static int tag_of(const snc_allreduce *a, const bucket *b) { return (int)(b - a->b) * 2 + (int)b->turn; }

static char *memory_of(const snc_allreduce *a, const bucket *b, size_t at) { return a->half ? (char *)(b->out + at) : (char *)(b->x + at); }

static snc_err post(const snc_allreduce *a, bucket *b)
{
    const int me = a->c->rank, size = a->c->size;
    const size_t mine = b->at[me], part = b->at[me + 1] - mine;
    for (int k = 1; k < size; k++) {
        const int to = (me + k) % size, other = (me + size - k) % size;
        const bool first = b->turn == SCATTER;
        const size_t in = b->at[other], out = first ? b->at[to] : mine;
        const size_t n_in = first ? part : b->at[other + 1] - in, n_out = first ? b->at[to + 1] - out : part;
        char *room = first ? b->in + (size_t)other * part * width(a) : memory_of(a, b, in);
        if (n_in) SNC_TRY(snc_comm_receive(&b->m[other], a->c, other, tag_of(a, b), room, n_in * width(a)));
        if (n_out) SNC_TRY(snc_comm_send(&b->m[size + to], a->c, to, tag_of(a, b), memory_of(a, b, out), n_out * width(a)));
    }
    return SNC_OK;
}

static snc_err start(snc_allreduce *a, float *x, const size_t *at, bool all)
{
    const double began = snc_now();
    const int size = a->c->size;
    bucket *b = &a->b[a->n++];
    const size_t n = at[size], part = at[a->c->rank + 1] - at[a->c->rank];
    assert(a->n <= a->cap);
    memcpy(b->at, at, ((size_t)size + 1) * sizeof *at);
    b->x = x;
    b->turn = SCATTER;
    b->all = all;
    SNC_TRY(snc_grow(&b->in, &b->in_cap, part * (size_t)size * width(a) + 1, 1));
    if (a->half) {
        SNC_TRY(snc_grow(&b->out, &b->out_cap, n + 1, sizeof *b->out));
        snc_par_for(a->ctx, (int64_t)n, GRAIN, narrow, &(work){.a = a, .b = b});
    }
    snc_err err = post(a, b);
    a->seconds += snc_now() - began;
    return err;
}

snc_err snc_allreduce_start(snc_allreduce *a, float *x, size_t n)
{
    size_t at[SNC_COMM_RANKS + 1];
    const int size = snc_comm_size(a->c);
    if (size == 1) return SNC_OK;
    for (int r = 0; r <= size; r++) at[r] = snc_comm_from(n, r, size);
    return start(a, x, at, true);
}

snc_err snc_allreduce_scatter(snc_allreduce *a, float *x, const size_t *at)
{
    return snc_comm_size(a->c) == 1 ? SNC_OK : start(a, x, at, false);
}

/* Takes a bucket as far as its messages let it. */
static snc_err push(const snc_allreduce *a, bucket *b)
{
    const int size = a->c->size;
    while (b->turn != OVER) {
        bool done = true;
        for (int k = 0; k < 2 * size; k++) {
            SNC_TRY(snc_comm_look(&b->m[k], a->c));
            done = done && b->m[k].done;
        }
        if (!done) return SNC_OK;
        if (b->turn == SCATTER) {
            const size_t first = b->at[a->c->rank], part = b->at[a->c->rank + 1] - first;
            snc_par_for(a->ctx, (int64_t)part, GRAIN, add, &(work){a, b, first, part});
            b->turn = b->all ? GATHER : OVER;
            if (b->all) SNC_TRY(post(a, b));
            continue;
        }
        if (a->half) snc_par_for(a->ctx, (int64_t)b->at[size], GRAIN, widen, &(work){.b = b});
        b->turn = OVER;
    }
    return SNC_OK;
}

static snc_err push_all(const snc_allreduce *a)
{
    for (int i = 0; i < a->n; i++) SNC_TRY(push(a, &a->b[i]));
    return SNC_OK;
}

snc_err snc_allreduce_go_on(snc_allreduce *a)
{
    const double began = snc_now();
    snc_err err = push_all(a);
    a->seconds += snc_now() - began;
    return err;
}

/* The rank that the first unfinished bucket waits for. */
static int late(const snc_allreduce *a)
{
    for (int i = 0; i < a->n; i++)
        for (int k = 0; k < 2 * a->c->size; k++)
            if (!a->b[i].m[k].done) return k % a->c->size;
    return a->c->rank;
}

static bool over(const snc_allreduce *a)
{
    for (int i = 0; i < a->n; i++)
        if (a->b[i].turn != OVER) return false;
    return true;
}

snc_err snc_allreduce_finish(snc_allreduce *a)
{
    const double began = snc_now();
    snc_err err = SNC_OK;
    while (!err) {
        err = push_all(a);
        if (err || over(a)) break;
        const double waited = snc_now() - began;
        snc_comm_idle(waited);
        if (waited > a->c->patience) err = snc_comm_late(a->c, late(a));
    }
    a->n = 0;
    a->seconds += snc_now() - began;
    return err;
}
