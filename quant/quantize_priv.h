/* quant/quantize_priv.h: one row to int8 by its largest absolute value; every width gives the same integers. */
#ifndef SNC_QUANT_QUANTIZE_PRIV_H
#define SNC_QUANT_QUANTIZE_PRIV_H

#include <stdint.h>

#include "base/isa.h"

/* The two halves of a row's quantization, so that one who knows the maximum already needs the second alone. */
typedef struct snc_quantizer {
    uint32_t (*max_bits)(uint32_t top, const float *x, int n);       /* the largest of top and the bits of |x| */
    void (*round)(int8_t *q, const float *x, int n, float f);        /* q = round(x f), ties to even; 0 where f is 0 */
    void (*round_f16)(int8_t *q, const uint16_t *x, int n, float f); /* the same of f16; NULL where no epilogue makes them */
    void (*through_f16)(float *x, int n);                            /* x rounded to f16 and back */
} snc_quantizer;
extern const snc_quantizer snc_quantizer__ref;
#if defined(__aarch64__)
extern const snc_quantizer snc_quantizer__neon;
#endif
const snc_quantizer *snc_quantizer__get(snc_isa isa);

/* The factor that takes x to integers and, in *scale, the one that takes them back, from the bits of max|x| (as integers
 * floats without sign are in order, and NaN is the largest, so it cannot hide). A row below 1e-30 counts as zero: scale 0;
 * a row that is not finite has scale NaN and integers 0, so that every output of it shows. */
float snc_quantize__factor(float *scale, uint32_t max_bits);

/* How many words hold the largest |x| of a row between them while it is computed. */
enum { SNC_TOP_SLOTS = 16 };
/* As snc_quantize_rows, but values (not the largest of a row, which makes its scale) pass through f16, and 65520 counts as
 * infinite. Rows of an epilogue that ends in f16, and what it noted; and rows of one that does not. */
void snc_quantize__f16(int8_t *xq, float *sx, const uint16_t *x, int ldx, const uint32_t *top, int T, int k, int ldq);
void snc_quantize__through_f16(int8_t *xq, float *sx, float *x, int ldx, int T, int k, int ldq);

#endif
