/* central.h: the derivative of a scalar function along a direction, by four-point central differences. */
#ifndef SNC_TESTS_CENTRAL_H
#define SNC_TESTS_CENTRAL_H

#include <math.h>

#include "base/rng.h"

/* f(user, e): the function at x + e d. Error O(step^4) plus the function's own noise over the step. */
static inline double central(double (*f)(void *user, double e), void *user, double step)
{
    double near = f(user, step) - f(user, -step), far = f(user, 2.0 * step) - f(user, -2.0 * step);
    return (8.0 * near - far) / (12.0 * step);
}

static inline void normals(float *x, size_t n, double deviation, uint64_t seed, uint64_t stream)
{
    snc_rng r;
    snc_rng_init(&r, seed, stream);
    for (size_t i = 0; i < n; i++) x[i] = (float)(deviation * snc_rng_normal(&r));
}

static inline double dot_of(const float *a, const float *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

#endif
