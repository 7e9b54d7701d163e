/* quant/int4.h: weights in 4 bits, in rows that expand to INT8.
 *
 *   value[n, k] = sw[n] * m[n, k/16] * q[n, k]      q in -7 .. 7, m in 1 .. 16, so m q is a byte (at most 112)
 *
 *   data   [N, K/2]        U8    two weights a byte, q + 8, the even k in the low half
 *   group  [N, ceil(K/32)] U8    two multipliers a byte, m - 1, the even group in the low half
 *   sw     [N]             f32   scale of a row
 *
 * K is a multiple of 16; a narrower net reads a prefix of each row, in multiples of 16. 4.25 bits a weight and one f32 a
 * row. The integers m q go through the very products of an INT8 layer, so sums stay exact on every ISA. A scale of its own
 * for each 32 weights in 16 bits takes 4.5 bits and leaves a quarter more error (tests/bench/RESULTS.md).
 * Source: scales in two levels with a second one of integers, QServe (arXiv 2405.04532), section 4.1; there over INT8
 * weights, here fitted to the f32 row by squared error.
 */
#ifndef SNC_QUANT_INT4_H
#define SNC_QUANT_INT4_H

#include <stddef.h>
#include <stdint.h>

enum { SNC_INT4_GROUP = 16, SNC_INT4_TOP = 7, SNC_INT4_MULTIPLIERS = 16 };

static inline size_t snc_int4_data_bytes(int K) { return (size_t)K / 2; } /* of a row */
static inline size_t snc_int4_group_bytes(int K) { return ((size_t)K / SNC_INT4_GROUP + 1) / 2; }

/* The multiplier of group g of a row. */
static inline int snc_int4_multiplier(const uint8_t *group, int g) { return (group[g / 2] >> (g % 2 * 4) & 15) + 1; }

/* Rows of W [N, ldw] by least squares: every multiplier is the best of those that cut off at most 0.4 of its group's
 * largest weight, and the row's scale is fitted to the integers, twice. A zero row (below 1e-30) has scale 0; one with
 * NaN or infinity has scale NaN. */
void snc_int4_quantize(uint8_t *data, uint8_t *group, float *sw, const float *W, int ldw, int N, int K);
/* The integers m q of the first k weights of a row; the same on every ISA. */
void snc_int4_expand(int8_t *q /* [k] */, const uint8_t *data, const uint8_t *group, int k);

#endif
