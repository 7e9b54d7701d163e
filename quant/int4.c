/* A group's multiplier is the one of least squared error, sought at and below what its maximum needs; then the row's scale is fitted by
 * least squares. Two rounds, the second from the fitted scale. */
#include "quant/int4.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { G = SNC_INT4_GROUP, LANES = 4 };

/* Rounds |v| < 2^22 to nearest even in two additions, which vectorize where a library call does not. */
static inline float round_even(float v)
{
    const float shift = 12582912.0f; /* 1.5 * 2^23 */
    return (v + shift) - shift;
}

static inline float clamp7(float v)
{
    const float top = SNC_INT4_TOP;
    v = v > top ? top : v;
    return v < -top ? -top : v;
}

/* Squared error of a group with step s; lanes are added in a fixed order. */
static float group_error(const float *x, float s)
{
    float e[LANES] = {0}, f = 1.0f / s;
    for (int i = 0; i < G; i += LANES)
        for (int j = 0; j < LANES; j++) {
            float d = x[i + j] - clamp7(round_even(x[i + j] * f)) * s;
            e[j] += d * d;
        }
    return (e[0] + e[1]) + (e[2] + e[3]);
}

static int best_multiplier(const float *x, float sw)
{
    float top = 0, least = INFINITY;
    for (int i = 0; i < G; i++) top = fmaxf(top, fabsf(x[i]));
    float want = ceilf(top / (SNC_INT4_TOP * sw));
    int hi = want >= SNC_INT4_MULTIPLIERS ? SNC_INT4_MULTIPLIERS : want < 1 ? 1 : (int)want, lo = (6 * hi + 9) / 10, best = hi;
    for (int m = lo; m <= hi; m++) {
        float e = group_error(x, (float)m * sw);
        if (e < least) least = e, best = m;
    }
    return best;
}

/* Multipliers and integers of a row at scale sw; the scale that fits these integers best. */
static float fit_row(uint8_t *data, uint8_t *group, const float *x, int K, float sw)
{
    double xy = 0, yy = 0;
    memset(group, 0, snc_int4_group_bytes(K));
    for (int g = 0; g < K / G; g++) {
        const float *v = x + (size_t)g * G;
        int m = best_multiplier(v, sw);
        float f = 1.0f / ((float)m * sw), q[G];
        group[g / 2] = (uint8_t)(group[g / 2] | (m - 1) << (g % 2 * 4));
        for (int i = 0; i < G; i++) {
            q[i] = clamp7(round_even(v[i] * f));
            xy += (double)v[i] * (double)q[i] * m;
            yy += (double)q[i] * (double)q[i] * m * m;
        }
        for (int i = 0; i < G; i += 2) data[(g * G + i) / 2] = (uint8_t)(((int)q[i] + 8) | ((int)q[i + 1] + 8) << 4);
    }
    return yy > 0 && xy > 0 ? (float)(xy / yy) : sw;
}

static void quantize_row(uint8_t *data, uint8_t *group, float *sw, const float *x, int K)
{
    float top = 0;
    for (int i = 0; i < K; i++) top = fabsf(x[i]) > top || isnan(x[i]) ? fabsf(x[i]) : top;
    if (!isfinite(top) || top < 1e-30f) {
        *sw = isfinite(top) ? 0.0f : NAN;
        memset(data, 0x88, snc_int4_data_bytes(K));
        memset(group, 0, snc_int4_group_bytes(K));
        return;
    }
    float s = top / (SNC_INT4_TOP * SNC_INT4_MULTIPLIERS);
    s = fit_row(data, group, x, K, s);
    *sw = fit_row(data, group, x, K, s);
}

void snc_int4_quantize(uint8_t *data, uint8_t *group, float *sw, const float *W, int ldw, int N, int K)
{
    assert(K % G == 0 && K <= ldw);
    for (int n = 0; n < N; n++)
        quantize_row(data + (size_t)n * snc_int4_data_bytes(K), group + (size_t)n * snc_int4_group_bytes(K), sw + n,
                     W + (size_t)n * (size_t)ldw, K);
}

static void expand_ref(int8_t *q, const uint8_t *data, const uint8_t *group, int k)
{
    for (int i = 0; i < k; i++) q[i] = (int8_t)(((data[i / 2] >> (i % 2 * 4) & 15) - 8) * snc_int4_multiplier(group, i / G));
}

#if defined(__x86_64__)
/* Two weights share a 16-bit lane as (q0 + 8) + 256 (q1 + 8); no product with m <= 16 leaves its byte, so one 16-bit
 * multiplication scales both, and 8 m comes off each. */
__attribute__((target("avx2"))) static void expand_avx2(int8_t *q, const uint8_t *data, const uint8_t *group, int k)
{
    const __m128i low = _mm_set1_epi8(15);
    for (int g = 0; g < k / G; g++) {
        short m = (short)snc_int4_multiplier(group, g);
        __m128i v = _mm_loadl_epi64((const __m128i *)(const void *)(data + (size_t)g * (G / 2)));
        v = _mm_unpacklo_epi8(_mm_and_si128(v, low), _mm_and_si128(_mm_srli_epi16(v, 4), low));
        v = _mm_sub_epi8(_mm_mullo_epi16(v, _mm_set1_epi16(m)), _mm_set1_epi8((char)(8 * m)));
        _mm_storeu_si128((__m128i *)(void *)(q + (size_t)g * G), v);
    }
}
#endif

void snc_int4_expand(int8_t *q, const uint8_t *data, const uint8_t *group, int k)
{
#if defined(__x86_64__)
    if (snc_isa_covers(snc_isa_now(), SNC_ISA_AVX2)) {
        expand_avx2(q, data, group, k);
        return;
    }
#endif
    expand_ref(q, data, group, k);
}
