/* core/ops_simd256.h: the vocabulary of ops_vec.h in AVX2 and FMA: 8 lanes, tails by vector masks. */
#ifndef SNC_CORE_OPS_SIMD256_H
#define SNC_CORE_OPS_SIMD256_H

#include <immintrin.h>

#include "core/ops_kernels.h"

#define SNC_VEC __attribute__((target("avx2,fma")))
#define SNC_IN  SNC_VEC static inline __attribute__((always_inline))

#define SNC_TILE_ROWS 4 /* rows of the small product's register tile */
enum { LANES = 8 };
typedef __m256 vf;
typedef __m256i vm;

SNC_IN vm v_tail(int n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
SNC_IN vf v_load(const float *p, vm m) { return _mm256_maskload_ps(p, m); }
SNC_IN void v_store(float *p, vm m, vf x) { _mm256_maskstore_ps(p, m, x); }
SNC_IN vf v_all(const float *p) { return _mm256_loadu_ps(p); }
SNC_IN void v_put(float *p, vf x) { _mm256_storeu_ps(p, x); }
SNC_IN vf v_set(float x) { return _mm256_set1_ps(x); }
SNC_IN vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
SNC_IN vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
SNC_IN vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
SNC_IN vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }   /* a b + c */
SNC_IN vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); } /* c - a b */
SNC_IN vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
SNC_IN vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
SNC_IN vf v_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
SNC_IN vf v_sign_of(vf a, vf s) /* |a| with the sign of s; a >= 0 */ { return _mm256_or_ps(a, _mm256_and_ps(_mm256_set1_ps(-0.0f), s)); }
SNC_IN vf v_zero_off(vm m, vf x) { return _mm256_and_ps(_mm256_castsi256_ps(m), x); }
SNC_IN vf v_step(vf x) /* 1 where x > 0 */
{
    return _mm256_and_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ), _mm256_set1_ps(1.0f));
}
SNC_IN float v_sum(vf x)
{
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
}

/* 1 / x to 2 ulp: the 12-bit estimate and one Newton step. */
SNC_IN vf v_rcp(vf x)
{
    vf r = _mm256_rcp_ps(x);
    return v_fma(r, v_fnma(x, r, v_set(1.0f)), r);
}

SNC_IN vf v_round(vf x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
SNC_IN vf v_scale2(vf p, vf n) /* p 2^n, n in [-126, 127]; below that 0; NaN stays */
{
    __m256i e = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_and_ps(_mm256_mul_ps(p, _mm256_castsi256_ps(e)), _mm256_cmp_ps(n, _mm256_set1_ps(-126.5f), _CMP_NLE_UQ));
}

SNC_IN vf v_bits(uint32_t bits)
{
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)bits), lane), lane));
}
/* Lanes whose bit is set, others 0; and x with its sign flipped where the bit is clear. */
SNC_IN vf v_keep(uint32_t bits, vf x) { return _mm256_and_ps(v_bits(bits), x); }
SNC_IN vf v_flip(uint32_t bits, vf x) { return _mm256_xor_ps(x, _mm256_andnot_ps(v_bits(bits), _mm256_set1_ps(-0.0f))); }

SNC_IN uint32_t v_mask_half(const snc_mask *m, uint32_t counter)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i x = _mm256_add_epi32(_mm256_set1_epi32((int)(counter + m->key[0])), lane);
    __m256i t = _mm256_set1_epi16((short)m->threshold);
    x = _mm256_xor_si256(x, _mm256_srli_epi32(x, 16));
    x = _mm256_mullo_epi32(x, _mm256_set1_epi32(0x7feb352d));
    x = _mm256_xor_si256(x, _mm256_set1_epi32((int)m->key[1]));
    x = _mm256_xor_si256(x, _mm256_srli_epi32(x, 15));
    x = _mm256_mullo_epi32(x, _mm256_set1_epi32((int)0x846ca68bu));
    x = _mm256_xor_si256(x, _mm256_srli_epi32(x, 16));
    __m256i kept = _mm256_cmpeq_epi16(_mm256_max_epu16(x, t), x);
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(_mm256_castsi256_si128(kept), _mm256_extracti128_si256(kept, 1)));
}

/* The next 32 bits of a dropout row: bit c is set when column (2 x counter offset + c) is kept. */
SNC_IN uint32_t v_mask_bits(const snc_mask *m, uint32_t counter)
{
    if (m->threshold == 0) return 0xffffffffu;
    return v_mask_half(m, counter) | v_mask_half(m, counter + 8) << 16;
}

SNC_IN void v_transpose(vf r[LANES])
{
    vf t[LANES], u[LANES];
    for (int i = 0; i < 4; i++) {
        t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    for (int g = 0; g < 8; g += 4)
        for (int i = 0; i < 2; i++) {
            u[g + 2 * i] = _mm256_shuffle_ps(t[g + i], t[g + 2 + i], 0x44);
            u[g + 2 * i + 1] = _mm256_shuffle_ps(t[g + i], t[g + 2 + i], 0xee);
        }
    for (int i = 0; i < 4; i++) { /* u[g + i] holds columns i and 4 + i of rows g .. g + 3 */
        r[i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x20);
        r[4 + i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x31);
    }
}

#endif
