/* Rows to int8 on Arm: as the scalar twin in quantize.c, to which the last values of a row go. */
#include "quant/quantize_priv.h"

#if defined(__aarch64__)
#include <arm_neon.h>

static uint32_t max_bits(uint32_t top, const float *x, int n)
{
    uint32x4_t m[2] = {vdupq_n_u32(top), vdupq_n_u32(top)};
    int i = 0;
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 2; j++) m[j] = vmaxq_u32(m[j], vreinterpretq_u32_f32(vabsq_f32(vld1q_f32(x + i + 4 * j))));
    return snc_quantizer__ref.max_bits(vmaxvq_u32(vmaxq_u32(m[0], m[1])), x + i, n - i);
}

static void round_row(int8_t *q, const float *x, int n, float f)
{
    int i = 0, whole = f > 0.0f ? n & ~7 : 0;
    for (; i < whole; i += 8) {
        int32x4_t a = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + i), f)), b = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + i + 4), f));
        vst1_s8(q + i, vqmovn_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b))));
    }
    snc_quantizer__ref.round(q + i, x + i, n - i, f);
}

static void through_f16(float *x, int n)
{
    int i = 0;
    for (; i + 4 <= n; i += 4) vst1q_f32(x + i, vcvt_f32_f16(vcvt_f16_f32(vld1q_f32(x + i))));
    snc_quantizer__ref.through_f16(x + i, n - i);
}

const snc_quantizer snc_quantizer__neon = {max_bits, round_row, NULL, through_f16};
#else
typedef int snc_quantizer__neon_absent;
#endif
