/* quant/quantize_priv.h: one row to int8 by its largest absolute value; every width gives the same integers. */
#ifndef SNC_QUANT_QUANTIZE_PRIV_H
#define SNC_QUANT_QUANTIZE_PRIV_H

#include <stdint.h>

#include "base/isa.h"

/* The two halves of a row's quantization, so that one who knows the maximum already needs the second alone. */
typedef struct snc_quantizer {
    uint32_t (*max_bits)(uint32_t top, const float *x, int n);  /* the largest of top and the bits of |x| */
    void (*round)(int8_t *q, const float *x, int n, float f);   /* q = round(x f), ties to even; 0 where f is 0 */
} snc_quantizer;
const snc_quantizer *snc_quantizer__get(snc_isa isa);

/* The factor that takes x to integers and, in *scale, the one that takes them back, from the bits of max|x| (as integers
 * floats without sign are in order, and NaN is the largest, so it cannot hide). A row below 1e-30 counts as zero: scale 0;
 * a row that is not finite has scale NaN and integers 0, so that every output of it shows. */
float snc_quantize__factor(float *scale, uint32_t max_bits);

#endif
