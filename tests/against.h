/* tests/against.h: what a model of ours answers, held against what PyTorch said of the same weights (tests/ref). */
#ifndef SNC_TESTS_AGAINST_H
#define SNC_TESTS_AGAINST_H

#include <math.h>

#include "files.h"
#include "models/runtime.h"

/* The largest difference over the largest value, or 1; of bf16 the root of the mean squares over each other. */
static inline double against_distance(const float *got, const float *want, size_t n, bool bf16)
{
    double top = 1, worst = 0, squares = 0, size = 1e-6;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)want[i]);
        top = fmax(top, fabs((double)want[i]));
        if (!(d <= worst)) worst = d;
        squares += d * d;
        size += (double)want[i] * (double)want[i];
    }
    return bf16 ? sqrt(squares / size) : worst / top;
}

static inline double against_correlation(const float *a, const float *b, int n)
{
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < n; i++) ma += (double)a[i] / n, mb += (double)b[i] / n;
    for (int i = 0; i < n; i++) {
        double x = (double)a[i] - ma, y = (double)b[i] - mb;
        ab += x * y, aa += x * x, bb += y * y;
    }
    return ab / sqrt(aa * bb);
}

/* The runtime's logits of a batch. */
static inline void against_run(float *logits, const snc_model *m, const snc_tokens *x, snc_backend backend, const snc_policy *p,
                               int threads)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_weights *w;
    snc_net *n;
    ctx.backend = backend;
    ctx.threads = threads;
    assert_ok(snc_weights_from_model(&w, &ctx, m));
    assert_ok(snc_net_create(&n, &ctx, w, NULL, p, &(snc_net_opts)SNC_NET_OPTS_INIT));
    assert_ok(snc_net_run(logits, n, x));
    snc_net_free(n);
    snc_weights_free(w);
}

#endif
