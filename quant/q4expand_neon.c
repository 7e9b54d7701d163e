/* INT4 blocks to INT8 blocks on Arm, in the order of any kernel there: pieces of `group` bytes of 16 outputs in turn. */
#include "quant/q4linear_priv.h"

#if defined(__aarch64__)
#include <arm_neon.h>

/* Two lines of 64 bytes are eight inputs of every output, and so within a group of inputs. */
static inline __attribute__((always_inline)) void expand(int8_t *to, size_t step, const uint8_t *from, int count, const int group)
{
    uint8_t each[16];
    for (int i = 0; i < 16; i++) each[i] = (uint8_t)(i / group);
    const uint8x16_t spread = vld1q_u8(each);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step)
        for (int at = 0; at < SNC_Q4NIBBLES; at += 16) {
            int low = at / 64 * 128 + at % 64, high = low + 64;
            uint8x16_t v = vld1q_u8(from + at), m = vld1q_u8(from + SNC_Q4NIBBLES + at / 128 * SNC_QPANEL);
            uint8x16_t ml = vqtbl1q_u8(m, vaddq_u8(spread, vdupq_n_u8((uint8_t)(low / group % SNC_QPANEL))));
            uint8x16_t mh = vqtbl1q_u8(m, vaddq_u8(spread, vdupq_n_u8((uint8_t)(high / group % SNC_QPANEL))));
            int8x16_t l = vsubq_s8(vreinterpretq_s8_u8(vandq_u8(v, vdupq_n_u8(15))), vdupq_n_s8(8));
            int8x16_t h = vsubq_s8(vreinterpretq_s8_u8(vshrq_n_u8(v, 4)), vdupq_n_s8(8));
            vst1q_s8(to + low, vmulq_s8(l, vreinterpretq_s8_u8(ml)));
            vst1q_s8(to + high, vmulq_s8(h, vreinterpretq_s8_u8(mh)));
        }
}

void snc_q4expand__pairs_neon(int8_t *to, size_t step, const uint8_t *from, int count) { expand(to, step, from, count, 2); }
void snc_q4expand__quads_neon(int8_t *to, size_t step, const uint8_t *from, int count) { expand(to, step, from, count, 4); }
void snc_q4expand__octets_neon(int8_t *to, size_t step, const uint8_t *from, int count) { expand(to, step, from, count, 8); }
#else
typedef int snc_q4expand__neon_absent;
#endif
