/* The 128-bit vectors of core/infer_simd.h on Arm; tails go through memory. */
#if defined(__aarch64__)
#include <arm_neon.h>
#include <stdint.h>

#include "core/infer_priv.h"

#define SIMD
#define SIMD_NAME(base) base##_neon
#define VW              4
typedef float32x4_t vf;

static inline vf vset(float x) { return vdupq_n_f32(x); }
static inline vf vload(const float *p) { return vld1q_f32(p); }
static inline vf vloadn(const float *p, int n)
{
    float lane[VW] = {0};
    for (int i = 0; i < n; i++) lane[i] = p[i];
    return vld1q_f32(lane);
}
static inline void vstore(float *p, vf v) { vst1q_f32(p, v); }
static inline void vstoren(float *p, vf v, int n)
{
    float lane[VW];
    vst1q_f32(lane, v);
    for (int i = 0; i < n; i++) p[i] = lane[i];
}
static inline vf vadd(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vsub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf vmul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vfma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf vmax(vf a, vf b) { return vmaxq_f32(a, b); }
static inline vf vmin(vf a, vf b) { return vminq_f32(a, b); }
static inline vf vround(vf a) { return vrndnq_f32(a); }
static inline vf vexp2i(vf a) { return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(a), vdupq_n_s32(127)), 23)); }
static inline float vsum(vf a) { return vaddvq_f32(a); }
static inline float vhmax(vf a) { return vmaxvq_f32(a); }
/* The float whose upper half are the bits of SNC_INFER__BEND's rule: its table is two registers. */
static inline vf vbent(vf v)
{
    static const uint8_t bend[32] = SNC_INFER__BEND;
    const uint8x16x2_t table = {{vld1q_u8(bend), vld1q_u8(bend + 16)}};
    int32x4_t i = vmaxq_s32(vcvtnq_s32_f32(v), vdupq_n_s32(0));
    /* Bytes 1 to 3 of a lane's index are beyond the table, which gives 0. */
    uint32x4_t at = vorrq_u32(vandq_u32(vreinterpretq_u32_s32(vshrq_n_s32(i, 2)), vdupq_n_u32(31)), vdupq_n_u32(0xffffff00u));
    int32x4_t b = vreinterpretq_s32_u8(vqtbl2q_u8(table, vreinterpretq_u8_u32(at)));
    return vreinterpretq_f32_s32(vshlq_n_s32(vmaxq_s32(vsubq_s32(i, b), vdupq_n_s32(0)), 16));
}
/* Rounded to bf16, to nearest even. */
static inline vf vbf16(vf v)
{
    uint32x4_t u = vreinterpretq_u32_f32(v), odd = vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1));
    u = vaddq_u32(u, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    return vreinterpretq_f32_u32(vandq_u32(u, vdupq_n_u32(0xffff0000u)));
}

#include "core/infer_simd.h"
#else
typedef int snc_infer_neon_needs_arm;
#endif
