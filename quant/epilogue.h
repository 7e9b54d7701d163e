/* quant/epilogue.h: what happens to a row of sums before it is stored, and the activations as plain row functions.
 *
 * Each function is one fixed sequence of IEEE operations (fused multiply-adds, adds, multiplies, one division where
 * stated), written once per vector width: scalar, AVX2 and AVX-512 give the same bits.
 *
 *   gelu(x)      = max(x, 0) - R(min(|x|, 5.1)), R(a) = a (1 - Phi(a)) as a minimax polynomial of degree 14
 *                  |error| < 1e-6 for every finite x (the polynomial 4.9e-7, the cut at 5.1 8.7e-7, the rest rounding)
 *   quick gelu   = max(x, 0) - R(min(|x|, 4.62)) with R as 32 parabolas out of a table: half the operations,
 *                  |error| < 1.4e-5; in the INT8 layer, whose sums carry a thousand times as much from rounding
 *   gelu_tanh(x) = x / (1 + exp(-2 u)), u = sqrt(2/pi) (x + 0.044715 x^3); |error| < 1e-6 + 3e-7 |x|
 *   tanh(x)      = sign(x) (1 - 2 / (exp(2 |x|) + 1)); |error| < 3e-7
 *
 * A NaN stays a NaN. The polynomial's coefficients come from Lawson's iteration for the weighted Chebyshev problem.
 */
#ifndef SNC_QUANT_EPILOGUE_H
#define SNC_QUANT_EPILOGUE_H

/* s is the scaled sum, b the bias. */
typedef enum snc_epilogue {
    SNC_EPI_NONE, /* y = s + b */
    SNC_EPI_GELU, /* y = gelu(s + b), erf form; quick for INT8 sums */
    SNC_EPI_GELU_TANH,
    SNC_EPI_RELU,
    SNC_EPI_TANH, /* pooler */
    SNC_EPI_ADD   /* y += s + b: onto the residual already in y */
} snc_epilogue;

/* The same activations for rows that came from elsewhere: y [T, n] = epi(y + b), b [n] or NULL. ADD is NONE here. */
void snc_epilogue_rows(float *y, int ldy, const float *b, int T, int n, snc_epilogue epi);

#endif
