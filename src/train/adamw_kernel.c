#include "train/adamw_kernel.h"

#include <math.h>

#define BODY static inline __attribute__((always_inline)) void

/* Finite values only: the caller has checked the gradient norm. */
static inline __attribute__((always_inline)) snc_bf16 round_bf16(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return (snc_bf16)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

BODY step_body(float *restrict p, float *restrict g, float *restrict m, float *restrict v, int64_t n,
               const snc_adamw_coef *c, bool zero)
{
    const snc_adamw_coef k = *c;
    for (int64_t i = 0; i < n; i++) {
        float gi = g[i] * k.gscale;
        float mi = k.b1 * m[i] + k.c1 * gi;
        float vi = k.b2 * v[i] + k.c2 * gi * gi;
        p[i] = p[i] * k.decay - k.rate * (mi / (sqrtf(vi) * k.root + k.eps));
        m[i] = mi;
        v[i] = vi;
        if (zero) g[i] = 0.0f;
    }
}

BODY step_bf16_body(float *restrict p, float *restrict g, snc_bf16 *restrict m, float *restrict v, int64_t n,
                    const snc_adamw_coef *c, bool zero)
{
    const snc_adamw_coef k = *c;
    for (int64_t i = 0; i < n; i++) {
        float gi = g[i] * k.gscale;
        float mi = k.b1 * snc_bf16_to_f32(m[i]) + k.c1 * gi;
        float vi = k.b2 * v[i] + k.c2 * gi * gi;
        p[i] = p[i] * k.decay - k.rate * (mi / (sqrtf(vi) * k.root + k.eps));
        m[i] = round_bf16(mi);
        v[i] = vi;
        if (zero) g[i] = 0.0f;
    }
}

BODY skip_body(float *restrict p, float *restrict m, float *restrict v, int64_t n, const snc_adamw_skip *s)
{
    const snc_adamw_skip k = *s;
    for (int64_t i = 0; i < n; i++) {
        float x = sqrtf(v[i]);
        p[i] = p[i] * k.decay - m[i] * (k.wu[0] / (x + k.eu[0]) + k.wu[1] / (x + k.eu[1]));
        m[i] *= k.m;
        v[i] *= k.v;
    }
}

BODY skip_bf16_body(float *restrict p, snc_bf16 *restrict m, float *restrict v, int64_t n, const snc_adamw_skip *s)
{
    const snc_adamw_skip k = *s;
    for (int64_t i = 0; i < n; i++) {
        float x = sqrtf(v[i]), mi = snc_bf16_to_f32(m[i]);
        p[i] = p[i] * k.decay - mi * (k.wu[0] / (x + k.eu[0]) + k.wu[1] / (x + k.eu[1]));
        m[i] = round_bf16(mi * k.m);
        v[i] *= k.v;
    }
}

static inline __attribute__((always_inline)) double sumsq_body(const float *g, int64_t n)
{
    double lane[16] = {0};
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (int j = 0; j < 16; j++) lane[j] += (double)g[i + j] * (double)g[i + j];
    for (int j = 0; i < n; i++, j++) lane[j] += (double)g[i] * (double)g[i];
    double sum = 0;
    for (int j = 0; j < 16; j++) sum += lane[j];
    return sum;
}

#define VARIANT(isa, attr)                                                                                             \
    attr static void step_##isa(float *p, float *g, float *m, float *v, int64_t n, const snc_adamw_coef *c)            \
    {                                                                                                                  \
        if (c->keep) step_body(p, g, m, v, n, c, false);                                                               \
        else step_body(p, g, m, v, n, c, true);                                                                        \
    }                                                                                                                  \
    attr static void step_bf16_##isa(float *p, float *g, snc_bf16 *m, float *v, int64_t n, const snc_adamw_coef *c)    \
    {                                                                                                                  \
        if (c->keep) step_bf16_body(p, g, m, v, n, c, false);                                                          \
        else step_bf16_body(p, g, m, v, n, c, true);                                                                   \
    }                                                                                                                  \
    attr static void skip_##isa(float *p, float *m, float *v, int64_t n, const snc_adamw_skip *s)                      \
    {                                                                                                                  \
        skip_body(p, m, v, n, s);                                                                                      \
    }                                                                                                                  \
    attr static void skip_bf16_##isa(float *p, snc_bf16 *m, float *v, int64_t n, const snc_adamw_skip *s)              \
    {                                                                                                                  \
        skip_bf16_body(p, m, v, n, s);                                                                                 \
    }                                                                                                                  \
    attr static double sumsq_##isa(const float *g, int64_t n) { return sumsq_body(g, n); }                             \
    static const snc_adamw_kernels kernels_##isa = {step_##isa, step_bf16_##isa, skip_##isa, skip_bf16_##isa,          \
                                                    sumsq_##isa};

VARIANT(scalar, )
#if defined(__x86_64__)
VARIANT(avx2, __attribute__((target("avx2"))))
VARIANT(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"))))
#endif

const snc_adamw_kernels *snc_adamw_kernels_get(snc_isa isa)
{
#if defined(__x86_64__)
    if (isa >= SNC_ISA_AVX512) return &kernels_avx512;
    if (isa >= SNC_ISA_AVX2) return &kernels_avx2;
#endif
    (void)isa;
    return &kernels_scalar;
}
