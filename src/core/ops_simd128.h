/* core/ops_simd128.h: the vocabulary of ops_vec.h in NEON: 4 lanes, 32 registers; a tail is a number of lanes. */
#ifndef SNC_CORE_OPS_SIMD128_H
#define SNC_CORE_OPS_SIMD128_H

#include <arm_neon.h>
#include <string.h>

#include "core/ops_kernels.h"

#define SNC_VEC
#define SNC_IN static inline __attribute__((always_inline))

#define SNC_TILE_ROWS 8 /* rows of the small product's register tile */
enum { LANES = 4 };
typedef float32x4_t vf;
typedef int vm; /* lanes that count, 0 to LANES */

SNC_IN vm v_tail(int n) { return n < 0 ? 0 : n < LANES ? n : LANES; }
SNC_IN vf v_load(const float *p, vm m)
{
    float lane[LANES] = {0};
    if (m == LANES) return vld1q_f32(p);
    for (int i = 0; i < m; i++) lane[i] = p[i];
    return vld1q_f32(lane);
}
SNC_IN void v_store(float *p, vm m, vf x)
{
    float lane[LANES];
    if (m == LANES) {
        vst1q_f32(p, x);
        return;
    }
    vst1q_f32(lane, x);
    for (int i = 0; i < m; i++) p[i] = lane[i];
}
SNC_IN vf v_all(const float *p) { return vld1q_f32(p); }
SNC_IN void v_put(float *p, vf x) { vst1q_f32(p, x); }
SNC_IN vf v_set(float x) { return vdupq_n_f32(x); }
SNC_IN vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
SNC_IN vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
SNC_IN vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
SNC_IN vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }  /* a b + c */
SNC_IN vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); } /* c - a b */
SNC_IN vf v_max(vf a, vf b) { return vmaxq_f32(a, b); }
SNC_IN vf v_min(vf a, vf b) { return vminq_f32(a, b); }
SNC_IN vf v_abs(vf a) { return vabsq_f32(a); }
SNC_IN vf v_sign_of(vf a, vf s) /* |a| with the sign of s; a >= 0 */ { return vbslq_f32(vdupq_n_u32(0x80000000u), s, a); }
SNC_IN vf v_masked(uint32x4_t m, vf x) { return vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(x))); }
SNC_IN vf v_zero_off(vm m, vf x)
{
    const uint32_t lane[LANES] = {0, 1, 2, 3};
    return v_masked(vcltq_u32(vld1q_u32(lane), vdupq_n_u32((uint32_t)m)), x);
}
SNC_IN vf v_step(vf x) /* 1 where x > 0 */ { return v_masked(vcgtzq_f32(x), v_set(1.0f)); }
SNC_IN float v_sum(vf x) { return vaddvq_f32(x); }
SNC_IN vf v_rcp(vf x) { return vdivq_f32(v_set(1.0f), x); }

SNC_IN vf v_round(vf x) { return vrndnq_f32(x); }
SNC_IN vf v_scale2(vf p, vf n) /* p 2^n, n in [-126, 127]; below that 0; NaN stays */
{
    int32x4_t e = vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23);
    return v_masked(vmvnq_u32(vcleq_f32(n, v_set(-126.5f))), v_mul(p, vreinterpretq_f32_s32(e)));
}

SNC_IN uint32x4_t v_bits(uint32_t bits)
{
    const uint32_t lane[LANES] = {1, 2, 4, 8};
    return vtstq_u32(vdupq_n_u32(bits), vld1q_u32(lane));
}
/* Lanes whose bit is set, others 0; and x with its sign flipped where the bit is clear. */
SNC_IN vf v_keep(uint32_t bits, vf x) { return v_masked(v_bits(bits), x); }
SNC_IN vf v_flip(uint32_t bits, vf x)
{
    uint32x4_t sign = vbicq_u32(vdupq_n_u32(0x80000000u), v_bits(bits));
    return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(x), sign));
}

/* Eight bits from four counters. */
SNC_IN uint32_t v_mask_part(const snc_mask *m, uint32_t counter)
{
    const uint32_t lane[LANES] = {0, 1, 2, 3};
    const uint16_t place[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    uint32x4_t x = vaddq_u32(vdupq_n_u32(counter + m->key[0]), vld1q_u32(lane));
    x = veorq_u32(x, vshrq_n_u32(x, 16));
    x = vmulq_n_u32(x, 0x7feb352du);
    x = veorq_u32(x, vdupq_n_u32(m->key[1]));
    x = veorq_u32(x, vshrq_n_u32(x, 15));
    x = vmulq_n_u32(x, 0x846ca68bu);
    x = veorq_u32(x, vshrq_n_u32(x, 16));
    uint16x8_t kept = vcgeq_u16(vreinterpretq_u16_u32(x), vdupq_n_u16((uint16_t)m->threshold));
    return vaddvq_u16(vandq_u16(kept, vld1q_u16(place)));
}

/* The next 32 bits of a dropout row: bit c is set when column (2 x counter offset + c) is kept. */
SNC_IN uint32_t v_mask_bits(const snc_mask *m, uint32_t counter)
{
    if (m->threshold == 0) return 0xffffffffu;
    return v_mask_part(m, counter) | v_mask_part(m, counter + 4) << 8 | v_mask_part(m, counter + 8) << 16 |
           v_mask_part(m, counter + 12) << 24;
}

SNC_IN void v_transpose(vf r[LANES])
{
    float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]); /* columns 0 and 2, 1 and 3 of two rows */
    r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
    r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
    r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
    r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

#endif
