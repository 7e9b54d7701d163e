/* quant/quantize_priv.h: one row to int8 by its largest absolute value; every width gives the same integers. */
#ifndef SNC_QUANT_QUANTIZE_PRIV_H
#define SNC_QUANT_QUANTIZE_PRIV_H

#include <stdint.h>

#include "base/isa.h"

/* q [n] = round(x * (127 / max|x|)), ties to even; returns the scale max|x| / 127. */
typedef float (*snc_quantize_row_fn)(int8_t *q, const float *x, int n);

float snc_quantize_row__ref(int8_t *q, const float *x, int n);
#if defined(__x86_64__)
float snc_quantize_row__avx2(int8_t *q, const float *x, int n);
float snc_quantize_row__avx512(int8_t *q, const float *x, int n);
#endif
snc_quantize_row_fn snc_quantize_row__get(snc_isa isa);

/* The factor that takes x to integers and, in *scale, the one that takes them back, from the bits of max|x| (as integers
 * floats without sign are in order, and NaN is the largest, so it cannot hide). A row below 1e-30 counts as zero: scale 0;
 * a row that is not finite has scale NaN and integers 0, so that every output of it shows. */
float snc_quantize__factor(float *scale, uint32_t max_bits);

#endif
