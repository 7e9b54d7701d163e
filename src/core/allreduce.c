/* A bucket goes through two turns of messages: numbers to the rank that adds them up, sums to everyone. What a rank has sent it may not
 * overwrite before it has left, so the second turn begins when the whole first one is over. */
#include "core/allreduce.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/par.h"
#include "core/dtype.h"

enum { GRAIN = 1 << 14 };

typedef enum turn { SCATTER, GATHER, OVER } turn;

typedef struct bucket {
    float *x;
    size_t n;
    turn turn;
    char *in;            /* [size] parts, mine among them, of the other ranks' numbers */
    snc_bf16 *out;       /* [n] with half: what is sent */
    snc_comm_message *m; /* [2 * size]: what comes from each rank, what goes to each */
    size_t in_cap, out_cap;
} bucket;

struct snc_allreduce {
    const snc_ctx *ctx;
    snc_comm *c;
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
    *a = (snc_allreduce){.ctx = ctx, .c = c, .half = half, .cap = buckets};
    SNC_GOTO(snc_alloc(&a->b, (size_t)buckets, sizeof *a->b));
    for (int i = 0; i < buckets; i++) {
        SNC_GOTO(snc_alloc(&a->b[i].m, 2 * (size_t)size, sizeof *a->b[i].m));
        for (int k = 0; k < 2 * size; k++) a->b[i].m[k].done = true;
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
    }
    snc_free(a->b);
    snc_free(a);
}

double snc_allreduce_seconds(const snc_allreduce *a) { return a ? a->seconds : 0; }

/* ---- arithmetic ------------------------------------------------------------------------------------------------------ */

static size_t from(const snc_allreduce *a, const bucket *b, int rank) { return snc_comm_from(b->n, rank, a->c->size); }

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
    for (int64_t i = begin; i < end; i++) w->b->out[i] = snc_bf16_from_f32(w->b->x[i]);
}

static void widen(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const work *w = payload;
    (void)chunk, (void)worker;
    for (int64_t i = begin; i < end; i++) w->b->x[i] = snc_bf16_to_f32(w->b->out[i]);
}

/* x[i] += what rank r has there, the ranks in their order; of the lowest the numbers are taken as they are. */
static void add_rank(const work *w, int r, float *to, int64_t begin, int64_t end)
{
    const size_t at = (size_t)r * w->part;
    const float *x = (const float *)(const void *)w->b->in + at;
    const snc_bf16 *h = (const snc_bf16 *)(const void *)w->b->in + at, *mine = w->b->out + w->first;
    const float *own = w->b->x + w->first;
    const bool me = r == w->a->c->rank;
    for (int64_t i = begin; i < end; i++) {
        const float v = !w->a->half ? (me ? own[i] : x[i]) : snc_bf16_to_f32(me ? mine[i] : h[i]);
        to[i - begin] = r ? to[i - begin] + v : v;
    }
}

static void add(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const work *w = payload;
    float sum[GRAIN];
    (void)chunk, (void)worker;
    for (int r = 0; r < w->a->c->size; r++) add_rank(w, r, sum, begin, end);
    memcpy(w->b->x + w->first + begin, sum, (size_t)(end - begin) * sizeof *sum);
    for (int64_t i = begin; i < end && w->a->half; i++) w->b->out[w->first + (size_t)i] = snc_bf16_from_f32(sum[i - begin]);
}

/* ---- turns ----------------------------------------------------------------------------------------------------------- */

static int tag_of(const snc_allreduce *a, const bucket *b) { return (int)(b - a->b) * 2 + (int)b->turn; }

static char *memory_of(const snc_allreduce *a, const bucket *b, size_t at) { return a->half ? (char *)(b->out + at) : (char *)(b->x + at); }

static snc_err post(const snc_allreduce *a, bucket *b)
{
    const int me = a->c->rank, size = a->c->size;
    const size_t mine = from(a, b, me), part = from(a, b, me + 1) - mine;
    for (int k = 1; k < size; k++) {
        const int to = (me + k) % size, other = (me + size - k) % size;
        const bool first = b->turn == SCATTER;
        const size_t in = from(a, b, other), out = first ? from(a, b, to) : mine;
        const size_t n_in = first ? part : from(a, b, other + 1) - in, n_out = first ? from(a, b, to + 1) - out : part;
        char *room = first ? b->in + (size_t)other * part * width(a) : memory_of(a, b, in);
        if (n_in) SNC_TRY(snc_comm_receive(&b->m[other], a->c, other, tag_of(a, b), room, n_in * width(a)));
        if (n_out) SNC_TRY(snc_comm_send(&b->m[size + to], a->c, to, tag_of(a, b), memory_of(a, b, out), n_out * width(a)));
    }
    return SNC_OK;
}

snc_err snc_allreduce_start(snc_allreduce *a, float *x, size_t n)
{
    if (snc_comm_size(a->c) == 1) return SNC_OK;
    assert(a->n < a->cap);
    const double start = snc_now();
    const int size = a->c->size;
    bucket *b = &a->b[a->n++];
    const size_t part = snc_comm_from(n, a->c->rank + 1, size) - snc_comm_from(n, a->c->rank, size);
    b->x = x;
    b->n = n;
    b->turn = SCATTER;
    SNC_TRY(snc_grow(&b->in, &b->in_cap, part * (size_t)size * width(a) + 1, 1));
    if (a->half) {
        SNC_TRY(snc_grow(&b->out, &b->out_cap, n + 1, sizeof *b->out));
        snc_par_for(a->ctx, (int64_t)n, GRAIN, narrow, &(work){.b = b});
    }
    snc_err err = post(a, b);
    a->seconds += snc_now() - start;
    return err;
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
            const size_t first = from(a, b, a->c->rank), part = from(a, b, a->c->rank + 1) - first;
            snc_par_for(a->ctx, (int64_t)part, GRAIN, add, &(work){a, b, first, part});
            b->turn = GATHER;
            SNC_TRY(post(a, b));
            continue;
        }
        if (a->half) snc_par_for(a->ctx, (int64_t)b->n, GRAIN, widen, &(work){.b = b});
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
    const double start = snc_now();
    snc_err err = push_all(a);
    a->seconds += snc_now() - start;
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
    const double start = snc_now();
    snc_err err = SNC_OK;
    for (int turns = 0; !err; turns++) {
        err = push_all(a);
        if (err || over(a)) break;
        snc_comm_idle(turns);
        if (snc_now() - start > a->c->patience) err = snc_comm_late(a->c, late(a));
    }
    a->n = 0;
    a->seconds += snc_now() - start;
    return err;
}
