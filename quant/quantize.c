/* The maximum of |x| is taken over the bits as integers, which order alike and keep NaN on top; then one multiply and a rounding. */
#include "quant/quantize_priv.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "quant/qlinear.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

float snc_quantize__factor(float *scale, uint32_t max_bits)
{
    float top;
    memcpy(&top, &max_bits, sizeof top);
    if (max_bits >= 0x7f800000u) {
        *scale = NAN;
        return 0.0f;
    }
    if (top < 1e-30f) {
        *scale = 0.0f;
        return 0.0f;
    }
    *scale = top / 127.0f;
    return 127.0f / top;
}

static inline uint32_t abs_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u & 0x7fffffffu;
}

static uint32_t max_bits_ref(uint32_t top, const float *x, int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t u = abs_bits(x[i]);
        top = u > top ? u : top;
    }
    return top;
}

static void round_ref(int8_t *q, const float *x, int n, float f)
{
    /* A zero factor also stands for rows of NaN: no conversion there. */
    for (int i = 0; i < n; i++) q[i] = f > 0.0f ? (int8_t)lrintf(x[i] * f) : 0;
}

static void through_f16_ref(float *x, int n)
{
    for (int i = 0; i < n; i++) x[i] = snc_f16_to_f32(snc_f16_from_f32(x[i]));
}

#if defined(__x86_64__)
#define T256 __attribute__((target("avx2,fma,f16c")))
#define T512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

T256 static uint32_t max_bits_avx2(uint32_t top, const float *x, int n)
{
    const __m256i mask = _mm256_set1_epi32(0x7fffffff);
    int whole = n & ~31;
    __m256i m[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int i = 0; i < whole; i += 32)
        for (int j = 0; j < 4; j++)
            m[j] = _mm256_max_epi32(m[j], _mm256_and_si256(mask, _mm256_castps_si256(_mm256_loadu_ps(x + i + 8 * j))));
    uint32_t lane[8];
    m[0] = _mm256_max_epi32(_mm256_max_epi32(m[0], m[1]), _mm256_max_epi32(m[2], m[3]));
    memcpy(lane, &m[0], sizeof lane);
    for (int j = 0; j < 8; j++) top = lane[j] > top ? lane[j] : top;
    return max_bits_ref(top, x + whole, n - whole);
}

T256 static void round_avx2(int8_t *q, const float *x, int n, float f)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    int whole = f > 0.0f ? n & ~31 : 0;
    __m256 vf = _mm256_set1_ps(f);
    for (int i = 0; i < whole; i += 32) {
        __m256i v[4];
        for (int j = 0; j < 4; j++) v[j] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i + 8 * j), vf));
        /* Packing works inside 128-bit lanes; `order` puts the eight groups of four back in line. */
        __m256i p = _mm256_packs_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
        p = _mm256_permutevar8x32_epi32(p, order);
        memcpy(q + i, &p, sizeof p);
    }
    round_ref(q + whole, x + whole, n - whole, f);
}

T256 static void through_f16_avx2(float *x, int n)
{
    int i = 0;
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(x + i, _mm256_cvtph_ps(_mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT)));
    through_f16_ref(x + i, n - i);
}

T512 static uint32_t max_bits_avx512(uint32_t top, const float *x, int n)
{
    const __m512i mask = _mm512_set1_epi32(0x7fffffff);
    int whole = n & ~63;
    __m512i m0 = _mm512_set1_epi32((int)top), m1 = m0, m2 = m0, m3 = m0;
    for (int i = 0; i < whole; i += 64) {
        m0 = _mm512_max_epi32(m0, _mm512_and_si512(mask, _mm512_castps_si512(_mm512_loadu_ps(x + i))));
        m1 = _mm512_max_epi32(m1, _mm512_and_si512(mask, _mm512_castps_si512(_mm512_loadu_ps(x + i + 16))));
        m2 = _mm512_max_epi32(m2, _mm512_and_si512(mask, _mm512_castps_si512(_mm512_loadu_ps(x + i + 32))));
        m3 = _mm512_max_epi32(m3, _mm512_and_si512(mask, _mm512_castps_si512(_mm512_loadu_ps(x + i + 48))));
    }
    for (int i = whole; i < n; i += 16) {
        __mmask16 k = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        m1 = _mm512_max_epi32(m1, _mm512_and_si512(mask, _mm512_castps_si512(_mm512_maskz_loadu_ps(k, x + i))));
    }
    m0 = _mm512_max_epi32(_mm512_max_epi32(m0, m1), _mm512_max_epi32(m2, m3));
    return (uint32_t)_mm512_reduce_max_epi32(m0);
}

T512 static inline __m512i four_packed(__m512 a, __m512 b, __m512 c, __m512 d, __m512 f)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i ia = _mm512_cvtps_epi32(_mm512_mul_ps(a, f)), ib = _mm512_cvtps_epi32(_mm512_mul_ps(b, f));
    __m512i ic = _mm512_cvtps_epi32(_mm512_mul_ps(c, f)), id = _mm512_cvtps_epi32(_mm512_mul_ps(d, f));
    /* packing works inside 128-bit lanes, as above */
    ia = _mm512_packs_epi16(_mm512_packs_epi32(ia, ib), _mm512_packs_epi32(ic, id));
    return _mm512_permutexvar_epi32(order, ia);
}

/* Lanes k of x [i ..], f32 or f16; `f16` is a constant where this and the next are inlined. */
T512 static inline __attribute__((always_inline)) __m512 lanes(const void *x, int i, __mmask16 k, bool f16)
{
    if (f16) return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(k, (const uint16_t *)x + i));
    return _mm512_maskz_loadu_ps(k, (const float *)x + i);
}

T512 static inline __attribute__((always_inline)) void round_row(int8_t *q, const void *x, int n, float f, bool f16)
{
    __m512 vf = _mm512_set1_ps(f);
    int i = 0;
    if (!(f > 0.0f)) {
        memset(q, 0, (size_t)n);
        return;
    }
    for (; i + 64 <= n; i += 64)
        _mm512_storeu_si512(q + i, four_packed(lanes(x, i, 0xffff, f16), lanes(x, i + 16, 0xffff, f16), lanes(x, i + 32, 0xffff, f16),
                                               lanes(x, i + 48, 0xffff, f16), vf));
    for (; i < n; i += 16) {
        __mmask16 k = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        _mm512_mask_cvtepi32_storeu_epi8(q + i, k, _mm512_cvtps_epi32(_mm512_mul_ps(lanes(x, i, k, f16), vf)));
    }
}

T512 static void round_avx512(int8_t *q, const float *x, int n, float f) { round_row(q, x, n, f, false); }
T512 static void round_f16_avx512(int8_t *q, const uint16_t *x, int n, float f) { round_row(q, x, n, f, true); }
#endif

const snc_quantizer snc_quantizer__ref = {max_bits_ref, round_ref, NULL, through_f16_ref};
#if defined(__x86_64__)
static const snc_quantizer quantizer_avx2 = {max_bits_avx2, round_avx2, NULL, through_f16_avx2};
static const snc_quantizer quantizer_avx512 = {max_bits_avx512, round_avx512, round_f16_avx512, through_f16_avx2};
#endif

const snc_quantizer *snc_quantizer__get(snc_isa isa)
{
#if defined(__x86_64__)
    if (snc_isa_covers(isa, SNC_ISA_AVX512)) return &quantizer_avx512;
    if (snc_isa_covers(isa, SNC_ISA_AVX2)) return &quantizer_avx2;
#elif defined(__aarch64__)
    if (snc_isa_covers(isa, SNC_ISA_NEON)) return &snc_quantizer__neon;
#endif
    (void)isa;
    return &snc_quantizer__ref;
}

static float row(const snc_quantizer *z, int8_t *q, const float *x, int n)
{
    float scale, f = snc_quantize__factor(&scale, z->max_bits(0, x, n));
    z->round(q, x, n, f);
    return scale;
}

void snc_quantize_rows(int8_t *xq, float *sx, const float *x, int ldx, int T, int k, int ldq)
{
    assert(k >= 1 && k <= ldx && k <= ldq);
    const snc_quantizer *z = snc_quantizer__get(snc_isa_now());
    for (int t = 0; t < T; t++) {
        int8_t *q = xq + (size_t)t * (size_t)ldq;
        sx[t] = row(z, q, x + (size_t)t * (size_t)ldx, k);
        if (k < ldq) memset(q + k, 0, (size_t)(ldq - k));
    }
}

/* What f16 cannot hold counts as infinite. */
static uint32_t finite_f16(uint32_t max_bits)
{
    const uint32_t infinite = 0x7f800000u, end = 0x477ff000u; /* 65520 */
    return max_bits >= end && max_bits < infinite ? infinite : max_bits;
}

void snc_quantize__through_f16(int8_t *xq, float *sx, float *x, int ldx, int T, int k, int ldq)
{
    assert(k >= 1 && k <= ldx && k <= ldq);
    const snc_quantizer *z = snc_quantizer__get(snc_isa_now());
    for (int t = 0; t < T; t++) {
        int8_t *q = xq + (size_t)t * (size_t)ldq;
        float *row = x + (size_t)t * (size_t)ldx;
        uint32_t most = finite_f16(z->max_bits(0, row, k));
        z->through_f16(row, k);
        z->round(q, row, k, snc_quantize__factor(&sx[t], most));
        if (k < ldq) memset(q + k, 0, (size_t)(ldq - k));
    }
}

void snc_quantize__f16(int8_t *xq, float *sx, const uint16_t *x, int ldx, const uint32_t *top, int T, int k, int ldq)
{
    assert(k >= 1 && k <= ldx && k <= ldq);
    const snc_quantizer *z = snc_quantizer__get(snc_isa_now());
    for (int t = 0; t < T; t++) {
        int8_t *q = xq + (size_t)t * (size_t)ldq;
        uint32_t most = 0;
        for (int i = 0; i < SNC_TOP_SLOTS; i++) most = top[t * SNC_TOP_SLOTS + i] > most ? top[t * SNC_TOP_SLOTS + i] : most;
        z->round_f16(q, x + (size_t)t * (size_t)ldx, k, snc_quantize__factor(&sx[t], finite_f16(most)));
        if (k < ldq) memset(q + k, 0, (size_t)(ldq - k));
    }
}

void snc_quantize_weight(int8_t *q, float *sw, const float *W, int ldw, int N, int K)
{
    assert(K >= 1 && K <= ldw);
    const snc_quantizer *z = snc_quantizer__get(snc_isa_now());
    for (int n = 0; n < N; n++) sw[n] = row(z, q + (size_t)n * (size_t)K, W + (size_t)n * (size_t)ldw, K);
}
