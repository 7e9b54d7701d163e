/* The registry of data samplers, and what is the same for all of them. */
#include "train/data_sampler.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"

/* A new data sampler is a file that defines snc_data_sampler_NAME, and its NAME here. */
/* clang-format off */
#define DATA_SAMPLERS(X) \
    X(shuffle) \
    X(focal) \
    X(pada) \
    X(confusion)
/* clang-format on */

#define DECLARE(name) extern const snc_data_sampler_kind snc_data_sampler_##name;
#define ROW(name)     &snc_data_sampler_##name,
DATA_SAMPLERS(DECLARE)
static const snc_data_sampler_kind *const registry[] = {DATA_SAMPLERS(ROW)};
enum { KINDS = sizeof registry / sizeof registry[0] };
static const uint64_t DRAWS = 0x64617461u, BATCHES = 0x62617463u; /* streams: "data", "batc" */

struct snc_data_sampler {
    const snc_data_sampler_kind *kind;
    snc_batcher *b;
    const snc_data_view *v;
    uint64_t seed;
    int64_t steps, epoch, taken; /* the epoch, or chunk, whose batches the batcher has; -1: none */
    int rows, per_chunk, batch;  /* of a chunk; batches of one; rows of a batch at most */
    /* The block, one after the other. */
    int64_t *chunk; /* whose rows are drawn; -1: none */
    float *state, *weight;
    int32_t *drawn; /* [rows] */
    size_t bytes;
    double *scratch;
    snc_data_told told;
};

const char *snc_data_sampler_name(int i) { return i >= 0 && i < KINDS ? registry[i]->name : NULL; }

snc_err snc_data_sampler_find(const snc_data_sampler_kind **out, const char *name)
{
    char expected[256];
    const int i = snc_names_find(snc_data_sampler_name, name);
    snc_names_expected(expected, sizeof expected, snc_data_sampler_name, name, "one");
    SNC_CHECK(i >= 0, SNC_E_ARG, "data sampler '%.40s': %s", name, expected);
    *out = registry[i];
    return SNC_OK;
}

static snc_err allocate(snc_data_sampler *s)
{
    const size_t n = (size_t)s->v->d->n, batch = (size_t)s->batch, k = batch * (size_t)s->v->K;
    const size_t floats = s->kind->floats(s->v->d->n, s->v->K), weights = s->kind->weighs ? n : 0;
    char *block;
    s->bytes = sizeof *s->chunk + (floats + weights) * sizeof(float) + (size_t)s->rows * sizeof *s->drawn;
    SNC_TRY(snc_alloc(&block, s->bytes, 1));
    s->chunk = (int64_t *)(void *)block;
    s->state = (float *)(void *)(block + sizeof *s->chunk);
    s->weight = weights ? s->state + floats : NULL;
    s->drawn = (int32_t *)(void *)(s->state + floats + weights);
    *s->chunk = -1;
    SNC_TRY(snc_alloc(&s->scratch, n + 1, sizeof *s->scratch));
    SNC_TRY(snc_alloc(&s->told.logits, k, sizeof *s->told.logits));
    SNC_TRY(snc_alloc(&s->told.loss, batch, sizeof *s->told.loss));
    return snc_alloc(&s->told.gradient, batch, sizeof *s->told.gradient);
}

snc_err snc_data_sampler_create(snc_data_sampler **out, const snc_data_sampler_kind *kind, uint64_t seed, snc_batcher *b,
                                const snc_data_view *v, int64_t steps)
{
    snc_data_sampler *s;
    assert(!kind->draw == !kind->tell && !kind->draw == !kind->floats && (kind->draw || !kind->weighs));
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    *s = (snc_data_sampler){.kind = kind, .b = b, .v = v, .seed = seed, .steps = steps, .epoch = -1, .taken = -1};
    s->per_chunk = snc_batcher_chunk(&s->rows, b);
    s->batch = snc_batcher_max_tokens(b) / v->d->max_len;
    snc_err err = kind->draw ? allocate(s) : SNC_OK;
    if (err) snc_data_sampler_free(s);
    else *out = s;
    return err;
}

void snc_data_sampler_free(snc_data_sampler *s)
{
    if (!s) return;
    snc_free(s->chunk); /* and with it the block */
    snc_free(s->scratch);
    snc_free(s->told.logits);
    snc_free(s->told.loss);
    snc_free(s->told.gradient);
    snc_free(s);
}

/* The chunk's rows are drawn once; its batches are cut anew of a block that was read. */
static void take(snc_data_sampler *s, int64_t chunk)
{
    snc_rng rng;
    if (chunk != *s->chunk) {
        snc_rng_init(&rng, s->seed, DRAWS + ((uint64_t)chunk << 32));
        s->kind->draw(s->drawn, s->weight, s->state, s->v, s->rows, (double)(chunk * s->per_chunk) / (double)s->steps, s->scratch, &rng);
        *s->chunk = chunk;
    }
    snc_rng_init(&rng, s->seed, BATCHES + ((uint64_t)chunk << 32));
    snc_batcher_take(s->b, s->drawn, &rng);
    s->taken = chunk;
}

void snc_data_sampler_batch(snc_tokens *x, const int32_t **rows, snc_data_sampler *s, int64_t step)
{
    const int64_t count = snc_batcher_count(s->b);
    if (!s->kind->draw) {
        if (step / count != s->epoch) snc_batcher_epoch(s->b, s->seed, (int)(step / count));
        s->epoch = step / count;
        snc_batcher_get(x, rows, s->b, (int)(step % count));
        return;
    }
    if (step / s->per_chunk != s->taken) take(s, step / s->per_chunk);
    snc_batcher_get(x, rows, s->b, (int)(step % s->per_chunk));
    assert(x->B <= s->batch);
    s->told.rows = *rows;
    s->told.B = x->B;
}

static double loss_of(const snc_data_seen *n, int K, int b)
{
    const snc_loss_labels one = {.problem = n->y->problem, .target = n->y->target + b, .sets = n->y->sets};
    const int64_t at = (int64_t)b * K;
    if (!isnan((double)n->y->target[b])) return snc_loss_hard(NULL, n->logits + at, &one, 1, K, 1);
    return n->soft ? snc_loss_soft(NULL, n->logits + at, n->soft + at, n->y->problem, 1, K, 1, 1) : 0;
}

void snc_data_sampler_see(snc_data_sampler *s, const snc_data_seen *n)
{
    const int K = s->v->K;
    snc_data_told *t = &s->told;
    if (!s->kind->draw) return;
    for (int b = 0; b < n->B; b++) {
        const int at = n->first + b;
        float *d = n->dlogits + (int64_t)b * K;
        double squares = 0;
        for (int k = 0; k < K; k++) squares += (double)d[k] * (double)d[k];
        if (n->anew) {
            t->gradient[at] = 0;
            t->loss[at] = (float)loss_of(n, K, b);
            memcpy(t->logits + (int64_t)at * K, n->logits + (int64_t)b * K, (size_t)K * sizeof *t->logits);
        }
        t->gradient[at] += (float)(sqrt(squares) * t->B); /* losses are means over the batch */
        for (int k = 0; k < K && s->weight; k++) d[k] *= s->weight[t->rows[at]];
    }
}

snc_data_told snc_data_sampler_told(const snc_data_sampler *s) { return s->told; }

void snc_data_sampler_tell(snc_data_sampler *s)
{
    if (s->kind->tell) s->kind->tell(s->state, s->v, &s->told);
}

snc_block snc_data_sampler_block(snc_data_sampler *s) { return (snc_block){s->chunk, s->bytes}; }

void snc_data_draw_by(int32_t *rows, float *weight, double (*score)(float state), const float *state, int all, int n, double part,
                      double *scratch, snc_rng *rng)
{
    double sum = 0, met = 0;
    for (int i = 0; i < all; i++) {
        sum += state[i] > 0 ? score(state[i]) : 0;
        met += state[i] > 0;
    }
    const double mean = met > 0 && sum > 0 ? sum / met : 1, whole = (sum > 0 ? sum : met) + mean * (all - met);
    scratch[0] = 0;
    for (int i = 0; i < all; i++) {
        const double of = state[i] > 0 && sum > 0 ? score(state[i]) : mean, p = part * of / whole + (1 - part) / all;
        scratch[i + 1] = scratch[i] + p;
        if (weight) weight[i] = (float)fmin(SNC_DATA_WEIGHT_MOST, 1 / (all * p));
    }
    for (int k = 0; k < n; k++) {
        const double u = snc_rng_uniform(rng) * scratch[all];
        int low = 0, high = all - 1; /* the first whose end is above u */
        while (low < high) {
            const int middle = low + (high - low) / 2;
            if (scratch[middle + 1] > u) high = middle;
            else low = middle + 1;
        }
        rows[k] = low;
    }
}
