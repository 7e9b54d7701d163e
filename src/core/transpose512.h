/* core/transpose512.h: 16 x 16 transposition of 32-bit words in registers, and what becomes of four vectors' lanes at once. */
#ifndef SNC_CORE_TRANSPOSE512_H
#define SNC_CORE_TRANSPOSE512_H

#include <immintrin.h>

__attribute__((target("avx512f"), always_inline)) static inline void snc_transpose512(__m512i *r)
{
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            r[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
            r[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
        }
    for (int i = 0; i < 4; i++) { /* r[4g + i]: words of rows 4g..4g+3 at columns i, 4+i, 8+i, 12+i */
        t[i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88);
        t[4 + i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd);
        t[8 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
        t[12 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
        r[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
        r[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
        r[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
    }
}

/* The maxima or sums of four vectors, as [0 1 2 3] in each group of four lanes. */
#define SNC_JOIN4(op, m, u)                                                                                 \
    do {                                                                                                    \
        __m512 t0_ = op(_mm512_unpacklo_ps(m[0], m[1]), _mm512_unpackhi_ps(m[0], m[1]));                    \
        __m512 t1_ = op(_mm512_unpacklo_ps(m[2], m[3]), _mm512_unpackhi_ps(m[2], m[3]));                    \
        __m512d a_ = _mm512_castps_pd(t0_), b_ = _mm512_castps_pd(t1_);                                     \
        u = op(_mm512_castpd_ps(_mm512_unpacklo_pd(a_, b_)), _mm512_castpd_ps(_mm512_unpackhi_pd(a_, b_))); \
        u = op(u, _mm512_shuffle_f32x4(u, u, 0x4e));                                                        \
        u = op(u, _mm512_shuffle_f32x4(u, u, 0xb1));                                                        \
    } while (0)

#endif
