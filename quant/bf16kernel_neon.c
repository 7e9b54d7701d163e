/* BF16 weights on Arm: widened by shift and mask, then the chain of fused multiply-adds of bf16kernel.c. */
#include "quant/qlinear_priv.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline)) /* `rows` becomes a constant */

enum { ROWS = 4, FOURS = SNC_QPANEL / 4, WIDE = 32 /* inputs of a block */ };

INLINE void rows_neon(const snc_qjob *j, int t, int p, const int rows)
{
    float32x4_t acc[ROWS][FOURS];
    const int8_t *w = j->wq + (size_t)p * j->panel;
    size_t ldx = (size_t)j->kb * WIDE;
    const float *x = j->xf + (size_t)t * ldx;
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < FOURS; i++) acc[r][i] = vdupq_n_f32(0);
    for (int k = 0; k < j->kb * WIDE; k += 2)
#pragma GCC unroll 4
        for (int i = 0; i < FOURS; i++, w += 16) {
            uint32x4_t pair = vreinterpretq_u32_s8(vld1q_s8(w));
            float32x4_t even = vreinterpretq_f32_u32(vshlq_n_u32(pair, 16));
            float32x4_t odd = vreinterpretq_f32_u32(vandq_u32(pair, vdupq_n_u32(0xffff0000u)));
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++) {
                const float *xr = x + (size_t)r * ldx + (size_t)k;
                acc[r][i] = vfmaq_n_f32(vfmaq_n_f32(acc[r][i], even, xr[0]), odd, xr[1]);
            }
        }
    float s[ROWS * SNC_QPANEL];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < FOURS; i++) vst1q_f32(s + r * SNC_QPANEL + 4 * i, acc[r][i]);
    snc_qjob__finish(j, s, SNC_QPANEL, t, rows, p, 1);
}

static void run_neon(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    for (int p = p0; p < p1; p++) {
        int t = t0;
        for (; t + ROWS <= t1; t += ROWS) rows_neon(j, t, p, ROWS);
        for (; t < t1; t++) rows_neon(j, t, p, 1);
    }
}

const snc_qkernel snc_bf16kernel__neon = {.isa = SNC_ISA_NEON, .group = 2, .rows = 32, .blocks_us = 30, .run = run_neon};
#else
typedef int snc_bf16kernel__neon_absent;
#endif
