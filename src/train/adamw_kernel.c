/* Bodies of plain C inlined into a function for each target attribute: the compiler vectorizes them, the bits stay the same. */
#include "train/adamw_kernel.h"

#include <math.h>

#define DITHER 0x9e3779b1u /* golden ratio */
#define BODY   static inline __attribute__((always_inline)) void

static inline __attribute__((always_inline)) uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline __attribute__((always_inline)) float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* Finite values only: the caller has checked the gradient norm. */
static inline __attribute__((always_inline)) snc_bf16 round_bf16(float f)
{
    uint32_t u = bits_of(f);
    return (snc_bf16)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

BODY step_body(float *restrict p, float *restrict g, float *restrict m, float *restrict v, int64_t n, const snc_adamw_coef *c, bool zero)
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

/* Up when the dither's 15 bits reach the rest of the way to the next value up. */
static inline __attribute__((always_inline)) snc_square round_square(float f, uint32_t dither)
{
    return (snc_square)((bits_of(f) + (dither >> 17)) >> 15);
}

BODY step_half_body(float *restrict p, float *restrict g, snc_bf16 *restrict m, snc_square *restrict v, uint32_t at, int64_t n,
                    const snc_adamw_coef *c, bool zero)
{
    const snc_adamw_coef k = *c;
    uint32_t dither = k.noise + at * DITHER;
    for (int64_t i = 0; i < n; i++, dither += DITHER) {
        float gi = g[i] * k.gscale;
        float mi = k.b1 * snc_bf16_to_f32(m[i]) + k.c1 * gi;
        float vi = k.b2 * float_of((uint32_t)v[i] << 15) + k.c2 * gi * gi;
        p[i] = p[i] * k.decay - k.rate * (mi / (sqrtf(vi) * k.root + k.eps));
        m[i] = round_bf16(mi);
        v[i] = round_square(vi, dither);
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

BODY skip_half_body(float *restrict p, snc_bf16 *restrict m, snc_square *restrict v, uint32_t at, int64_t n, const snc_adamw_skip *s)
{
    const snc_adamw_skip k = *s;
    uint32_t dither = k.noise + at * DITHER;
    for (int64_t i = 0; i < n; i++, dither += DITHER) {
        float vi = float_of((uint32_t)v[i] << 15), x = sqrtf(vi), mi = snc_bf16_to_f32(m[i]);
        p[i] = p[i] * k.decay - mi * (k.wu[0] / (x + k.eu[0]) + k.wu[1] / (x + k.eu[1]));
        m[i] = round_bf16(mi * k.m);
        v[i] = round_square(vi * k.v, dither);
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

#define VARIANT(isa, attr)                                                                                                          \
    attr static void step_##isa(float *p, float *g, float *m, float *v, int64_t n, const snc_adamw_coef *c)                         \
    {                                                                                                                               \
        if (c->keep) step_body(p, g, m, v, n, c, false);                                                                            \
        else step_body(p, g, m, v, n, c, true);                                                                                     \
    }                                                                                                                               \
    attr static void step_half_##isa(float *p, float *g, snc_bf16 *m, snc_square *v, size_t at, int64_t n, const snc_adamw_coef *c) \
    {                                                                                                                               \
        if (c->keep) step_half_body(p, g, m, v, (uint32_t)at, n, c, false);                                                         \
        else step_half_body(p, g, m, v, (uint32_t)at, n, c, true);                                                                  \
    }                                                                                                                               \
    attr static void skip_##isa(float *p, float *m, float *v, int64_t n, const snc_adamw_skip *s) { skip_body(p, m, v, n, s); }     \
    attr static void skip_half_##isa(float *p, snc_bf16 *m, snc_square *v, size_t at, int64_t n, const snc_adamw_skip *s)           \
    {                                                                                                                               \
        skip_half_body(p, m, v, (uint32_t)at, n, s);                                                                                \
    }                                                                                                                               \
    attr static double sumsq_##isa(const float *g, int64_t n) { return sumsq_body(g, n); }                                          \
    static const snc_adamw_kernels kernels_##isa = {step_##isa, step_half_##isa, skip_##isa, skip_half_##isa, sumsq_##isa};

VARIANT(scalar, )
#if defined(__x86_64__)
VARIANT(avx2, __attribute__((target("avx2"))))
#if defined(__clang__) /* drops the whole attribute for a word that it does not know */
#define WIDE ""
#else
#define WIDE ",prefer-vector-width=512"
#endif
VARIANT(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl" WIDE))))
#endif

const snc_adamw_kernels *snc_adamw_kernels_get(snc_isa isa)
{
#if defined(__x86_64__)
    if (snc_isa_covers(isa, SNC_ISA_AVX512)) return &kernels_avx512;
    if (snc_isa_covers(isa, SNC_ISA_AVX2)) return &kernels_avx2;
#endif
    (void)isa;
    return &kernels_scalar;
}
