/* INT4 blocks to INT8 blocks. In the orders of pairs and quads of inputs two neighbouring bytes belong to one output, so one
 * 16-bit product scales both, (q0 + 8) m + 256 (q1 + 8) m with no carry, and 8 m comes off each byte (for the kernel that
 * wants w + 128: 8 m - 128). */
#include "quant/q4linear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Scalar kernel: a line is an output, its four groups lie along it. */
static void expand_plain(int8_t *to, const uint8_t *from, int blocks)
{
    for (int b = 0; b < blocks; b++, from += SNC_Q4TILE)
        for (int i = 0; i < SNC_QTILE; i++) {
            int line = i / 64, at = i % 64, nibble = from[line / 2 * 64 + at] >> (line % 2 * 4) & 15;
            *to++ = (int8_t)((nibble - 8) * from[SNC_Q4NIBBLES + at / SNC_INT4_GROUP * SNC_QPANEL + line]);
        }
}

#if defined(__x86_64__)
#define T256 __attribute__((target("avx2")))
#define T512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define INLINE __attribute__((always_inline)) static inline

/* Pairs: a line is two rows of [16 outputs][2 inputs], each one vector of 32 bytes. */
T256 static void expand_pairs_avx2(int8_t *to, const uint8_t *from, int blocks)
{
    const __m256i low = _mm256_set1_epi8(15);
    for (int b = 0; b < blocks; b++, from += SNC_Q4TILE, to += SNC_QTILE)
        for (int s = 0; s < SNC_Q4LINES / 2; s++) {
            const uint8_t *row = from + SNC_Q4NIBBLES + s / 2 * SNC_QPANEL;
            __m256i m = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)row));
            __m256i off = _mm256_or_si256(_mm256_slli_epi16(m, 3), _mm256_slli_epi16(m, 11));
            for (int half = 0; half < 64; half += 32) {
                __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(from + s * 64 + half));
                __m256i lo = _mm256_and_si256(v, low), hi = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
                lo = _mm256_sub_epi8(_mm256_mullo_epi16(lo, m), off);
                hi = _mm256_sub_epi8(_mm256_mullo_epi16(hi, m), off);
                _mm256_storeu_si256((__m256i *)(void *)(to + s * 128 + half), lo);
                _mm256_storeu_si256((__m256i *)(void *)(to + s * 128 + 64 + half), hi);
            }
        }
}

/* `spread` puts the multiplier of a byte's output in its place. */
T512 INLINE void expand512(int8_t *to, const uint8_t *from, int blocks, __m512i spread, const int shift)
{
    const __m512i low = _mm512_set1_epi8(15), one = _mm512_set1_epi16(255), flip = _mm512_set1_epi8((char)shift);
    for (int b = 0; b < blocks; b++, from += SNC_Q4TILE, to += SNC_QTILE)
#pragma GCC unroll 4
        for (int g = 0; g < SNC_Q4GROUPS; g++) {
            const uint8_t *row = from + SNC_Q4NIBBLES + g * SNC_QPANEL;
            __m512i m = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)row)), spread);
            __m512i off = _mm512_sub_epi8(_mm512_slli_epi16(m, 3), flip);
            m = _mm512_and_si512(m, one);
#pragma GCC unroll 2
            for (int s = 2 * g; s < 2 * g + 2; s++) {
                __m512i v = _mm512_loadu_si512(from + s * 64);
                __m512i lo = _mm512_and_si512(v, low), hi = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
                _mm512_storeu_si512(to + s * 128, _mm512_sub_epi8(_mm512_mullo_epi16(lo, m), off));
                _mm512_storeu_si512(to + s * 128 + 64, _mm512_sub_epi8(_mm512_mullo_epi16(hi, m), off));
            }
        }
}

T512 INLINE __m512i spread_by(const int inputs)
{
    char at[64];
    for (int i = 0; i < 64; i++) at[i] = (char)(i / inputs % SNC_QPANEL);
    return _mm512_loadu_si512(at);
}

T512 static void expand_pairs_avx512(int8_t *to, const uint8_t *from, int blocks) { expand512(to, from, blocks, spread_by(2), 0); }
T512 static void expand_quads(int8_t *to, const uint8_t *from, int blocks) { expand512(to, from, blocks, spread_by(4), 0); }
T512 static void expand_quads_shifted(int8_t *to, const uint8_t *from, int blocks) { expand512(to, from, blocks, spread_by(4), 128); }
#endif

snc_q4expand_fn snc_q4expand__get(const snc_qkernel *kernel)
{
#if defined(__x86_64__)
    if (kernel->group == 4) return kernel->flip ? expand_quads_shifted : expand_quads;
    if (kernel->group == 2) return kernel->isa >= SNC_ISA_AVX512 ? expand_pairs_avx512 : expand_pairs_avx2;
#else
    (void)kernel;
#endif
    return expand_plain;
}
