/* quant/q4simd512.h: one INT4 block to one INT8 block with 512-bit vectors, for the files that inline it.
 *
 * In the orders of pairs and quads of inputs two neighbouring bytes belong to one output, so one 16-bit product scales both,
 * (q0 + 8) m + 256 (q1 + 8) m with no carry, and 8 m comes off each byte (for the kernel that wants w + 128: 8 m - 128).
 */
#ifndef SNC_QUANT_Q4SIMD512_H
#define SNC_QUANT_Q4SIMD512_H

#include <immintrin.h>

#include "quant/q4linear_priv.h"

#define Q4_T512   __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define Q4_INLINE Q4_T512 __attribute__((always_inline)) static inline

/* Byte i of a line belongs to output i / inputs % 16. */
Q4_INLINE __m512i q4_spread(const int inputs)
{
    char at[64];
    for (int i = 0; i < 64; i++) at[i] = (char)(i / inputs % SNC_QPANEL);
    return _mm512_loadu_si512(at);
}

/* What group g of a block multiplies by, m in every 16 bits, and takes off, 8 m - shift in every 8; `spread` puts the multiplier of
 * a byte's output in its place. */
Q4_INLINE __m512i q4_multipliers(__m512i *off, const uint8_t *from, int g, __m512i spread, const int shift)
{
    const uint8_t *row = from + SNC_Q4NIBBLES + g * SNC_QPANEL;
    __m512i m = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)row)), spread);
    *off = _mm512_slli_epi16(m, 3);
    if (shift) *off = _mm512_sub_epi8(*off, _mm512_set1_epi8((char)shift));
    return _mm512_and_si512(m, _mm512_set1_epi16(255));
}

/* Line l of the INT8 block. */
Q4_INLINE __m512i q4_line(const uint8_t *from, const int l, __m512i m, __m512i off)
{
    __m512i v = _mm512_loadu_si512(from + l / 2 * 64);
    if (l & 1) v = _mm512_srli_epi16(v, 4);
    return _mm512_sub_epi8(_mm512_mullo_epi16(_mm512_and_si512(v, _mm512_set1_epi8(15)), m), off);
}

Q4_INLINE void q4_expand_block(int8_t *to, const uint8_t *from, __m512i spread, const int shift)
{
#pragma GCC unroll 4
    for (int g = 0; g < SNC_Q4GROUPS; g++) {
        __m512i off, m = q4_multipliers(&off, from, g, spread, shift);
#pragma GCC unroll 4
        for (int l = 4 * g; l < 4 * g + 4; l++) _mm512_storeu_si512(to + l * 64, q4_line(from, l, m, off));
    }
}

#endif
