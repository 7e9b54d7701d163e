/* The epilogues on 128-bit vectors of Arm; the last columns go through the scalar twin, whose bits are the same. Minimum and maximum
 * are comparisons, since NEON's own give NaN where x86's give the second operand. */
#include "quant/epilogue_priv.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

typedef float32x4_t vf;

INLINE vf all(float x) { return vdupq_n_f32(x); }
INLINE vf min_keep(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
INLINE vf max_keep(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
INLINE vf fma4(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); } /* a b + c */

INLINE vf exp4(vf x)
{
    x = max_keep(all(-SNC_EXP_CUT), min_keep(all(SNC_EXP_CUT), x));
    vf m = fma4(x, all(SNC_LOG2E), all(SNC_EXP_MAGIC)), n = vsubq_f32(m, all(SNC_EXP_MAGIC));
    vf r = fma4(n, all(-SNC_LN2_LO), fma4(n, all(-SNC_LN2_HI), x)), p = all(snc_exp_poly[SNC_EXP_TERMS - 1]);
#pragma GCC unroll 8
    for (int i = SNC_EXP_TERMS - 2; i >= 0; i--) p = fma4(p, r, all(snc_exp_poly[i]));
    uint32x4_t bits = vshlq_n_u32(vaddq_u32(vreinterpretq_u32_f32(m), vdupq_n_u32(127)), 23);
    return vmulq_f32(p, vreinterpretq_f32_u32(bits));
}

INLINE vf gelu4(vf x)
{
    vf t = fma4(min_keep(all(SNC_GELU_CUT), vabsq_f32(x)), all(2 / SNC_GELU_CUT), all(-1.0f)), r = all(snc_gelu_poly[SNC_GELU_TERMS - 1]);
#pragma GCC unroll 16
    for (int i = SNC_GELU_TERMS - 2; i >= 0; i--) r = fma4(r, t, all(snc_gelu_poly[i]));
    return vsubq_f32(max_keep(all(0), x), r);
}

INLINE vf look_up(const float *table, const uint32_t at[4])
{
    vf v = vld1q_dup_f32(table + at[0]);
    v = vld1q_lane_f32(table + at[1], v, 1);
    v = vld1q_lane_f32(table + at[2], v, 2);
    return vld1q_lane_f32(table + at[3], v, 3);
}

INLINE vf gelu_quick4(vf x)
{
    uint32_t at[4];
    vf a = min_keep(all(SNC_GELU_QUICK_CUT), vabsq_f32(x)), m = fma4(a, all(SNC_GELU_PIECE), all(SNC_EXP_MAGIC));
    vst1q_u32(at, vandq_u32(vreinterpretq_u32_f32(m), vdupq_n_u32(31)));
    vf r = fma4(look_up(snc_gelu_table[2], at), a, look_up(snc_gelu_table[1], at));
    return vsubq_f32(max_keep(all(0), x), fma4(r, a, look_up(snc_gelu_table[0], at)));
}

INLINE vf gelu_tanh4(vf x)
{
    vf u = vmulq_f32(fma4(vmulq_f32(x, x), all(SNC_GELU_A), all(1)), x);
    return vdivq_f32(x, vaddq_f32(all(1), exp4(vmulq_f32(u, all(SNC_GELU_B)))));
}

INLINE vf tanh4(vf x)
{
    vf e = exp4(vmulq_f32(all(2), min_keep(all(SNC_TANH_CUT), vabsq_f32(x))));
    vf y = vdivq_f32(vsubq_f32(e, all(1)), vaddq_f32(e, all(1)));
    return vbslq_f32(vdupq_n_u32(0x80000000u), x, y);
}

/* `epi` and `scaled` are constants where this is inlined; cols is a multiple of 4. */
INLINE void block(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                  snc_epilogue epi, bool scaled, uint32_t *top)
{
    const int32_t *si = s;
    const float *sf = s;
    for (int j = 0; j < cols; j += 4) {
        vf bias = b ? vld1q_f32(b + j) : all(0), w = scaled ? vld1q_f32(sw + j) : all(0);
        for (int t = 0; t < rows; t++) {
            float *out = y + (size_t)t * (size_t)ldy + j;
            size_t at = (size_t)t * (size_t)lds + (size_t)j;
            vf v = scaled ? fma4(vcvtq_f32_s32(vld1q_s32(si + at)), vmulq_n_f32(w, sx[t]), bias) : vaddq_f32(vld1q_f32(sf + at), bias);
            if (epi == SNC_EPI_GELU) v = scaled ? gelu_quick4(v) : gelu4(v);
            if (epi == SNC_EPI_GELU_TANH) v = gelu_tanh4(v);
            if (epi == SNC_EPI_RELU) v = max_keep(all(0), v);
            if (epi == SNC_EPI_TANH) v = tanh4(v);
            if (epi == SNC_EPI_ADD) v = vaddq_f32(v, vld1q_f32(out));
            vst1q_f32(out, v);
            if (!top) continue;
            uint32_t *slot = top + (size_t)t * SNC_TOP_SLOTS;
            vst1q_u32(slot, vmaxq_u32(vld1q_u32(slot), vreinterpretq_u32_f32(vabsq_f32(v))));
        }
    }
}

#define CASE(e)                                                              \
    case e:                                                                  \
        if (sx) block(y, ldy, s, lds, sx, sw, b, rows, whole, e, true, top); \
        else block(y, ldy, s, lds, sx, sw, b, rows, whole, e, false, top);   \
        break

void snc_epilogue__neon(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                        snc_epilogue epi, uint32_t *top)
{
    int whole = cols & ~3;
    switch (epi) {
        CASE(SNC_EPI_NONE);
        CASE(SNC_EPI_GELU);
        CASE(SNC_EPI_GELU_TANH);
        CASE(SNC_EPI_RELU);
        CASE(SNC_EPI_TANH);
        CASE(SNC_EPI_ADD);
    }
    if (whole < cols)
        snc_epilogue__ref(y + whole, ldy, (const int32_t *)s + whole, lds, sx, sw ? sw + whole : sw, b ? b + whole : b, rows, cols - whole,
                          epi, top);
}
#else
typedef int snc_epilogue__neon_absent;
#endif
