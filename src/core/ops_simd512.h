/* core/ops_simd512.h: the vocabulary of ops_vec.h in AVX-512: 16 lanes, tails by mask registers. */
#ifndef SNC_CORE_OPS_SIMD512_H
#define SNC_CORE_OPS_SIMD512_H

#include <immintrin.h>

#include "core/ops_kernels.h"

#define SNC_VEC __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2")))
#define SNC_IN  SNC_VEC static inline __attribute__((always_inline))

#define SNC_TILE_ROWS 8 /* rows of the small product's register tile */
enum { LANES = 16 };
typedef __m512 vf;
typedef __mmask16 vm;

SNC_IN vm v_tail(int n) { return n >= LANES ? (vm)0xffff : n <= 0 ? (vm)0 : (vm)((1u << n) - 1); }
SNC_IN vf v_load(const float *p, vm m) { return _mm512_maskz_loadu_ps(m, p); }
SNC_IN void v_store(float *p, vm m, vf x) { _mm512_mask_storeu_ps(p, m, x); }
SNC_IN vf v_all(const float *p) { return _mm512_loadu_ps(p); }
SNC_IN void v_put(float *p, vf x) { _mm512_storeu_ps(p, x); }
SNC_IN vf v_set(float x) { return _mm512_set1_ps(x); }
SNC_IN vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
SNC_IN vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
SNC_IN vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
SNC_IN vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }   /* a b + c */
SNC_IN vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); } /* c - a b */
SNC_IN vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
SNC_IN vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
SNC_IN vf v_abs(vf a) { return _mm512_abs_ps(a); }
SNC_IN vf v_sign_of(vf a, vf s) /* |a| with the sign of s; a >= 0 */
{
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(a), _mm512_castps_si512(s), _mm512_set1_epi32((int)0x80000000u), 0xf8));
}
SNC_IN vf v_zero_off(vm m, vf x) { return _mm512_maskz_mov_ps(m, x); }
SNC_IN vf v_step(vf x) /* 1 where x > 0 */
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), _mm512_set1_ps(1.0f));
}
SNC_IN float v_sum(vf x) { return _mm512_reduce_add_ps(x); }

/* 1 / x to 1 ulp: the 14-bit estimate and one Newton step. */
SNC_IN vf v_rcp(vf x)
{
    vf r = _mm512_rcp14_ps(x);
    return v_fma(r, v_fnma(x, r, v_set(1.0f)), r);
}

SNC_IN vf v_round(vf x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
SNC_IN vf v_scale2(vf p, vf n) { return _mm512_scalef_ps(p, n); } /* p 2^n */

/* Lanes whose bit is set, others 0; and x with its sign flipped where the bit is clear. */
SNC_IN vf v_keep(uint32_t bits, vf x) { return _mm512_maskz_mov_ps((vm)bits, x); }
SNC_IN vf v_flip(uint32_t bits, vf x) { return _mm512_mask_sub_ps(x, (vm)~bits, _mm512_setzero_ps(), x); }

/* The next 32 bits of a dropout row: bit c is set when column (2 x counter offset + c) is kept. */
SNC_IN uint32_t v_mask_bits(const snc_mask *m, uint32_t counter)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    if (m->threshold == 0) return 0xffffffffu;
    __m512i x = _mm512_add_epi32(_mm512_set1_epi32((int)(counter + m->key[0])), lane);
    x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
    x = _mm512_mullo_epi32(x, _mm512_set1_epi32(0x7feb352d));
    x = _mm512_xor_si512(x, _mm512_set1_epi32((int)m->key[1]));
    x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 15));
    x = _mm512_mullo_epi32(x, _mm512_set1_epi32((int)0x846ca68bu));
    x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
    return _mm512_cmpge_epu16_mask(x, _mm512_set1_epi16((short)m->threshold));
}

SNC_IN void v_transpose(vf r[LANES])
{
    vf t[LANES];
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    for (int g = 0; g < 16; g += 4)
        for (int i = 0; i < 2; i++) {
            __m512d a = _mm512_castps_pd(t[g + i]), b = _mm512_castps_pd(t[g + 2 + i]);
            r[g + 2 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            r[g + 2 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    for (int c = 0; c < 4; c++) { /* r[4g + c] holds columns c, 4 + c, 8 + c, 12 + c of rows 4g .. 4g + 3 */
        vf e0 = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88), o0 = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xdd);
        vf e1 = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88), o1 = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xdd);
        t[c] = _mm512_shuffle_f32x4(e0, e1, 0x88);
        t[8 + c] = _mm512_shuffle_f32x4(e0, e1, 0xdd);
        t[4 + c] = _mm512_shuffle_f32x4(o0, o1, 0x88);
        t[12 + c] = _mm512_shuffle_f32x4(o0, o1, 0xdd);
    }
    for (int i = 0; i < LANES; i++) r[i] = t[i];
}

#endif
