/* INT4 blocks to INT8 blocks, in each order that the INT8 kernels want. */
#include "quant/q4linear_priv.h"

#if defined(__x86_64__)
#include "quant/q4simd512.h"
#endif

/* Scalar kernel: a line is an output, its four groups lie along it. */
static void expand_plain(int8_t *to, size_t step, const uint8_t *from, int count)
{
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step)
        for (int i = 0; i < SNC_QTILE; i++) {
            int line = i / 64, at = i % 64, nibble = from[line / 2 * 64 + at] >> (line % 2 * 4) & 15;
            to[i] = (int8_t)((nibble - 8) * from[SNC_Q4NIBBLES + at / SNC_INT4_GROUP * SNC_QPANEL + line]);
        }
}

#if defined(__x86_64__)
#define T256 __attribute__((target("avx2")))

/* Pairs: a line is two rows of [16 outputs][2 inputs], each one vector of 32 bytes; the arithmetic is q4simd512.h's. */
T256 static void expand_pairs_avx2(int8_t *to, size_t step, const uint8_t *from, int count)
{
    const __m256i low = _mm256_set1_epi8(15);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step)
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

/* Quads as w + 128: a line is two vectors of [8 outputs][4 inputs]. */
T256 static void expand_quads_avx2(int8_t *to, size_t step, const uint8_t *from, int count)
{
    const __m256i low = _mm256_set1_epi8(15), flip = _mm256_set1_epi8((char)128);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step)
        for (int s = 0; s < SNC_Q4LINES / 2; s++)
            for (int half = 0; half < 64; half += 32) {
                const uint8_t *row = from + SNC_Q4NIBBLES + s / 2 * SNC_QPANEL + half / 4;
                __m256i m = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)row));
                m = _mm256_or_si256(m, _mm256_slli_epi32(m, 16));
                __m256i off = _mm256_xor_si256(_mm256_or_si256(_mm256_slli_epi16(m, 3), _mm256_slli_epi16(m, 11)), flip);
                __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(from + s * 64 + half));
                __m256i lo = _mm256_and_si256(v, low), hi = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
                lo = _mm256_sub_epi8(_mm256_mullo_epi16(lo, m), off);
                hi = _mm256_sub_epi8(_mm256_mullo_epi16(hi, m), off);
                _mm256_storeu_si256((__m256i *)(void *)(to + s * 128 + half), lo);
                _mm256_storeu_si256((__m256i *)(void *)(to + s * 128 + 64 + half), hi);
            }
}

Q4_T512 static void expand_pairs_avx512(int8_t *to, size_t step, const uint8_t *from, int count)
{
    const __m512i spread = q4_spread(2);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step) q4_expand_block(to, from, spread, 0);
}

Q4_T512 static void expand_quads(int8_t *to, size_t step, const uint8_t *from, int count)
{
    const __m512i spread = q4_spread(4);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step) q4_expand_block(to, from, spread, 0);
}

Q4_T512 static void expand_quads_shifted(int8_t *to, size_t step, const uint8_t *from, int count)
{
    const __m512i spread = q4_spread(4);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step) q4_expand_block(to, from, spread, 128);
}
#endif

snc_q4expand_fn snc_q4expand__get(const snc_qkernel *kernel)
{
#if defined(__x86_64__)
    if (kernel->group == 4 && !snc_isa_covers(kernel->isa, SNC_ISA_AVX512)) return expand_quads_avx2;
    if (kernel->group == 4) return kernel->flip ? expand_quads_shifted : expand_quads;
    if (kernel->group == 2) return snc_isa_covers(kernel->isa, SNC_ISA_AVX512) ? expand_pairs_avx512 : expand_pairs_avx2;
#elif defined(__aarch64__)
    if (kernel->group == 8) return snc_q4expand__octets_neon;
    if (kernel->group == 4) return snc_q4expand__quads_neon;
    if (kernel->group == 2) return snc_q4expand__pairs_neon;
#else
    (void)kernel;
#endif
    return expand_plain;
}
