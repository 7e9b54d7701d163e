/* Three kernels for 64-bit Arm, by what the CPU has: 16 sums of 4 lanes for four rows by a panel of 16 outputs in all of them.
 *
 *   neon     pairs     smull: products in int16, of which two would overflow at -128 x -128; sadalp adds neighbours into int32
 *   dotprod  quads     sdot: four products and their sum into an int32 lane
 *   i8mm     octets    smmla: two rows of eight inputs by two outputs, a 2 x 2 block of sums
 */
#include "quant/qlinear_priv.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#define I8MM    __attribute__((target("arch=armv8.2-a+i8mm")))
#define INLINE  static inline __attribute__((always_inline)) /* `rows` becomes a constant */

enum { ROWS = 4, FOURS = SNC_QPANEL / 4 };

INLINE const int8_t *row_of(const snc_qjob *j, int t) { return j->xq + (size_t)t * (size_t)j->ldq; }

INLINE void finish(const snc_qjob *j, int32x4_t acc[][FOURS], int t, int p, const int rows)
{
    int32_t s[ROWS * SNC_QPANEL];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < FOURS; i++) vst1q_s32(s + r * SNC_QPANEL + 4 * i, acc[r][i]);
    snc_qjob__finish(j, s, SNC_QPANEL, t, rows, p, 1);
}

/* Each run walks its panels; rows that are left over are two and one. */
#define RUN(attr, name)                                                            \
    attr static void run_##name(const snc_qjob *j, int t0, int t1, int p0, int p1) \
    {                                                                              \
        for (int p = p0; p < p1; p++) {                                            \
            int t = t0;                                                            \
            for (; t + ROWS <= t1; t += ROWS) rows_##name(j, t, p, ROWS);          \
            if (t1 - t >= 2) rows_##name(j, t, p, 2), t += 2;                      \
            if (t1 - t >= 1) rows_##name(j, t, p, 1);                              \
        }                                                                          \
    }

INLINE void rows_neon(const snc_qjob *j, int t, int p, const int rows)
{
    int32x4_t acc[ROWS][FOURS];
    const int8_t *w = j->wq + (size_t)p * j->panel;
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < FOURS; i++) acc[r][i] = vdupq_n_s32(0);
    for (int k = 0; k < j->kb * SNC_QBLOCK; k += 4, w += 4 * SNC_QPANEL) {
        int8x8_t even[FOURS], odd[FOURS]; /* inputs k and k + 1, k + 2 and k + 3, of four outputs */
#pragma GCC unroll 4
        for (int i = 0; i < FOURS; i++) even[i] = vld1_s8(w + 8 * i), odd[i] = vld1_s8(w + 2 * SNC_QPANEL + 8 * i);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            int16_t pair[2];
            memcpy(pair, row_of(j, t + r) + k, sizeof pair);
            int8x8_t x0 = vreinterpret_s8_s16(vdup_n_s16(pair[0])), x1 = vreinterpret_s8_s16(vdup_n_s16(pair[1]));
#pragma GCC unroll 4
            for (int i = 0; i < FOURS; i++) {
                acc[r][i] = vpadalq_s16(acc[r][i], vmull_s8(even[i], x0));
                acc[r][i] = vpadalq_s16(acc[r][i], vmull_s8(odd[i], x1));
            }
        }
    }
    finish(j, acc, t, p, rows);
}

RUN(, neon)

DOTPROD INLINE void rows_dotprod(const snc_qjob *j, int t, int p, const int rows)
{
    int32x4_t acc[ROWS][FOURS];
    const int8_t *w = j->wq + (size_t)p * j->panel;
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < FOURS; i++) acc[r][i] = vdupq_n_s32(0);
    for (int k = 0; k < j->kb * SNC_QBLOCK; k += 16) {
        int8x16_t x[ROWS];
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) x[r] = vld1q_s8(row_of(j, t + r) + k);
#define QUAD(lane)                                                                                                    \
    for (int i = 0; i < FOURS; i++, w += 16) {                                                                        \
        int8x16_t v = vld1q_s8(w);                                                                                    \
        _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++) acc[r][i] = vdotq_laneq_s32(acc[r][i], v, x[r], lane); \
    }
#pragma GCC unroll 4
        QUAD(0)
#pragma GCC unroll 4
        QUAD(1)
#pragma GCC unroll 4
        QUAD(2)
#pragma GCC unroll 4
        QUAD(3)
#undef QUAD
    }
    finish(j, acc, t, p, rows);
}

RUN(DOTPROD, dotprod)

I8MM INLINE void rows_i8mm(const snc_qjob *j, int t, int p, const int rows)
{
    enum { TWOS = SNC_QPANEL / 2 };
    const int pairs = (rows + 1) / 2;
    int32x4_t block[ROWS / 2][TWOS], acc[ROWS][FOURS]; /* of rows 2 r and 2 r + 1 by outputs 2 i and 2 i + 1 */
    const int8_t *w = j->wq + (size_t)p * j->panel;
#pragma GCC unroll 2
    for (int r = 0; r < pairs; r++)
#pragma GCC unroll 8
        for (int i = 0; i < TWOS; i++) block[r][i] = vdupq_n_s32(0);
    for (int k = 0; k < j->kb * SNC_QBLOCK; k += 8) {
        int8x16_t x[ROWS / 2];
#pragma GCC unroll 2
        for (int r = 0; r < pairs; r++) /* one row alone counts twice */
            x[r] = vcombine_s8(vld1_s8(row_of(j, t + 2 * r) + k), vld1_s8(row_of(j, t + (rows > 1 ? 2 * r + 1 : 0)) + k));
#pragma GCC unroll 8
        for (int i = 0; i < TWOS; i++, w += 16) {
            int8x16_t v = vld1q_s8(w);
#pragma GCC unroll 2
            for (int r = 0; r < pairs; r++) block[r][i] = vmmlaq_s32(block[r][i], x[r], v);
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int i = 0; i < FOURS; i++) {
            int32x4_t a = block[r / 2][2 * i], b = block[r / 2][2 * i + 1];
            acc[r][i] = r % 2 ? vcombine_s32(vget_high_s32(a), vget_high_s32(b)) : vcombine_s32(vget_low_s32(a), vget_low_s32(b));
        }
    finish(j, acc, t, p, rows);
}

RUN(I8MM, i8mm)

/* Rough speeds by the count of instructions: nothing was timed. */
const snc_qkernel snc_qkernel__neon = {.isa = SNC_ISA_NEON, .group = 2, .rows = 48, .blocks_us = 40, .run = run_neon};
const snc_qkernel snc_qkernel__dotprod = {.isa = SNC_ISA_DOTPROD, .group = 4, .rows = 48, .blocks_us = 120, .run = run_dotprod};
const snc_qkernel snc_qkernel__i8mm = {.isa = SNC_ISA_I8MM, .group = 8, .rows = 48, .blocks_us = 240, .run = run_i8mm};
#else
typedef int snc_qkernel__neon_absent;
#endif
