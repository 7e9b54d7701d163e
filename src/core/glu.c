/* In strips of neurons, whose inputs and gates are taken apart for the kernels of activations and stay in L1. */
#include "core/glu.h"

#include <assert.h>
#include <string.h>

#include "base/par.h"
#include "core/ops_priv.h"

enum { STRIP = 128 };

/* a [n] and d [2n] of one row; each may be where h is. */
static void forward_strip(float *a, float *d, const snc_ops *o, snc_ops_act act, const float *h, int n)
{
    float u[STRIP] = {0}, g[STRIP], slope[STRIP];
    for (int j = 0; j < n; j++) u[j] = h[2 * j], g[j] = h[2 * j + 1];
    o->k->act_forward[act](u, slope, u, n);
    for (int j = 0; j < n; j++) a[j] = u[j] * g[j];
    for (int j = 0; j < n && d; j++) d[2 * j] = slope[j] * g[j], d[2 * j + 1] = u[j];
}

/* dh [2n] of one row, added to sums [2n]. */
static void backward_strip(float *dh, float *sums, const float *da, const float *d, int n)
{
    for (int j = 0; j < n; j++) dh[2 * j] = da[j] * d[2 * j], dh[2 * j + 1] = da[j] * d[2 * j + 1];
    for (int j = 0; j < 2 * n; j++) sums[j] += dh[j];
}

typedef struct glu_job {
    const snc_ops *o;
    float *a, *d;
    const float *h, *cd;
    int n;
    snc_ops_act act;
} glu_job;

static void forward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const glu_job *j = p;
    (void)chunk, (void)worker;
    for (int64_t r = begin; r < end; r++)
        for (int c = 0; c < j->n; c += STRIP)
            forward_strip(j->a + r * j->n + c, j->d ? j->d + 2 * (r * j->n + c) : NULL, j->o, j->act, j->h + 2 * (r * j->n + c),
                          j->n - c < STRIP ? j->n - c : STRIP);
}

void snc_glu_forward(float *a, float *d, snc_ops *o, const float *h, int rows, int n, snc_ops_act act)
{
    assert(a != h && rows >= 0 && rows <= o->max.rows && 2 * n <= o->max.width && act < SNC_OPS_ACTS);
    glu_job j = {.o = o, .a = a, .d = d, .h = h, .n = n, .act = act};
    snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, forward_body, &j);
}

static void backward_body(void *p, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const glu_job *j = p;
    float *sums = j->o->partial + chunk * 2 * j->n;
    (void)worker;
    memset(sums, 0, 2 * (size_t)j->n * sizeof *sums);
    for (int64_t r = begin; r < end; r++) backward_strip(j->d + 2 * r * j->n, sums, j->h + r * j->n, j->cd + 2 * r * j->n, j->n);
}

void snc_glu_backward(float *dh, float *dbias, snc_ops *o, const float *da, const float *d, int rows, int n)
{
    assert(rows >= 0 && rows <= o->max.rows && 2 * n <= o->max.width);
    glu_job j = {.o = o, .d = dh, .h = da, .cd = d, .n = n};
    snc_par_for(o->ctx, rows, SNC_OPS_GRAIN, backward_body, &j);
    snc_ops__join(dbias, o, o->partial, snc_ops__chunks(rows), 2 * (int64_t)n, 2 * n);
}

static void forward_rows(void *user, float *y, int ld, int m0, int n0, int rows, int cols, int worker)
{
    const snc_act_rows *b = user;
    const snc_ops *o = b->o;
    float a[STRIP], d[2 * STRIP];
    (void)worker;
    assert(n0 % 2 == 0 && cols % 2 == 0); /* a neuron's two columns are of one part */
    for (int r = 0; r < rows; r++, y += ld)
        for (int c = 0, n; c < cols / 2; c += n) {
            int64_t at = (int64_t)(m0 + r) * b->n + n0 / 2 + c;
            n = cols / 2 - c < STRIP ? cols / 2 - c : STRIP;
            forward_strip(a, b->d ? d : NULL, o, b->act, y + 2 * c, n);
            o->narrow(b->a + at, b->n, a, n, 1, n);
            if (b->d) o->narrow(b->d + 2 * at, 2 * b->n, d, 2 * n, 1, 2 * n);
        }
}

static void backward_rows(void *user, float *y, int ld, int m0, int n0, int rows, int cols, int worker)
{
    const snc_act_rows *b = user;
    const snc_ops *o = b->o;
    float d[2 * STRIP], dh[2 * STRIP];
    (void)worker;
    for (int r = 0; r < rows; r++, y += ld) {
        float *sums = o->partial + (int64_t)((m0 + r) / SNC_OPS_GRAIN) * 2 * b->n + 2 * (int64_t)n0;
        if ((m0 + r) % SNC_OPS_GRAIN == 0) memset(sums, 0, 2 * (size_t)cols * sizeof *sums);
        for (int c = 0, n; c < cols; c += n) {
            int64_t at = 2 * ((int64_t)(m0 + r) * b->n + n0 + c);
            n = cols - c < STRIP ? cols - c : STRIP;
            o->k->widen(d, 2 * n, b->d + at, 2 * b->n, 1, 2 * n);
            backward_strip(dh, sums + 2 * c, y + c, d, n);
            o->narrow(b->a + at, 2 * b->n, dh, 2 * n, 1, 2 * n);
        }
    }
}

snc_gemm_sink snc_glu_forward_sink(snc_act_rows *b) { return (snc_gemm_sink){forward_rows, b}; }

snc_gemm_sink snc_glu_backward_sink(snc_act_rows *b) { return (snc_gemm_sink){backward_rows, b}; }
