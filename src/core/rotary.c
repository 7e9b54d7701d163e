/* Angles as PyTorch has them, in f32: what checkpoints were trained with. */
#include "core/rotary.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "base/par.h"

struct snc_rotary {
    int len, half;
    float *cos, *sin; /* [len, half] */
};

snc_err snc_rotary_new(snc_rotary **out, int len, int width, float theta)
{
    snc_rotary *r;
    snc_err err = SNC_OK;
    assert(width % 2 == 0);
    SNC_TRY(snc_alloc(&r, 1, sizeof *r));
    r->len = len;
    r->half = width / 2;
    SNC_GOTO(snc_alloc(&r->cos, (size_t)len * (size_t)r->half, sizeof *r->cos));
    SNC_GOTO(snc_alloc(&r->sin, (size_t)len * (size_t)r->half, sizeof *r->sin));
    for (int d = 0; d < r->half; d++) {
        float frequency = 1.0f / (float)pow((double)theta, 2.0 * d / width);
        for (int t = 0; t < len; t++) {
            float angle = (float)t * frequency;
            r->cos[t * r->half + d] = (float)cos((double)angle);
            r->sin[t * r->half + d] = (float)sin((double)angle);
        }
    }
    *out = r;
    return SNC_OK;
out:
    snc_rotary_free(r);
    return err;
}

void snc_rotary_free(snc_rotary *r)
{
    if (!r) return;
    snc_free(r->cos);
    snc_free(r->sin);
    snc_free(r);
}

void snc_rotary_turn(float *x, int ld, const snc_rotary *r, int len, bool back)
{
    float sign = back ? -1.0f : 1.0f;
    assert(len <= r->len);
    for (int t = 0; t < len; t++, x += ld) {
        const float *c = r->cos + (size_t)t * (size_t)r->half, *s = r->sin + (size_t)t * (size_t)r->half;
        float *y = x + r->half;
        for (int d = 0; d < r->half; d++) {
            float a = x[d], b = y[d], turn = sign * s[d];
            x[d] = a * c[d] - b * turn;
            y[d] = b * c[d] + a * turn;
        }
    }
}

typedef struct turn_job {
    float *x;
    const snc_rotary *r;
    const snc_tokens *batch;
    int heads;
    bool back;
} turn_job;

static void turn_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const turn_job *j = p;
    int D = 2 * j->r->half, A = j->heads * D;
    (void)chunk, (void)worker;
    for (int64_t i = begin; i < end; i++) {
        int seq = (int)(i / j->heads), head = (int)(i % j->heads), first = j->batch->offsets[seq];
        snc_rotary_turn(j->x + (size_t)first * (size_t)A + (size_t)(head * D), A, j->r, j->batch->offsets[seq + 1] - first, j->back);
    }
}

void snc_rotary_turn_all(float *x, const snc_ctx *ctx, const snc_rotary *r, const snc_tokens *batch, int heads, bool back)
{
    turn_job j = {x, r, batch, heads, back};
    snc_par_for(ctx, (int64_t)batch->B * heads, 1, turn_body, &j);
}
