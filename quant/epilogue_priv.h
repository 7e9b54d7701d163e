/* quant/epilogue_priv.h: the epilogue of a block of sums, one function a vector width; all give the same bits. */
#ifndef SNC_QUANT_EPILOGUE_PRIV_H
#define SNC_QUANT_EPILOGUE_PRIV_H

#include <stdint.h>

#include "base/isa.h"
#include "quant/epilogue.h"

/* y [rows, cols] = epi(s * (sx[row] * sw[col]) + b[col]), s int32 [rows, lds]; with sx NULL s is f32 and is not scaled.
 * b may be NULL. s may be y itself. */
typedef void (*snc_epilogue_fn)(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b,
                                int rows, int cols, snc_epilogue epi);

void snc_epilogue__ref(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                       int cols, snc_epilogue epi);
#if defined(__x86_64__)
void snc_epilogue__avx2(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                        int cols, snc_epilogue epi);
void snc_epilogue__avx512(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b,
                          int rows, int cols, snc_epilogue epi);
#endif
snc_epilogue_fn snc_epilogue__get(snc_isa isa);

/* R(a) in powers of t = a * (2 / 5.1) - 1, lowest first. */
#define SNC_GELU_CUT 5.1f
enum { SNC_GELU_TERMS = 15, SNC_EXP_TERMS = 7 };
static const float snc_gelu_poly[SNC_GELU_TERMS] = {
    0x1.c21226p-7f,  -0x1.63351ap-4f, 0x1.cf135ap-3f, -0x1.172856p-2f, 0x1.64ccbap-6f,
    0x1.996368p-2f,  -0x1.0d6c3cp-1f, 0x1.23d6a8p-3f, 0x1.46af6cp-2f,  -0x1.3bd9cap-2f,
    -0x1.e387f6p-6f, 0x1.3d4a16p-3f,  -0x1.2819ccp-5f, -0x1.e24622p-6f, 0x1.6fbae2p-7f,
};
/* exp(r) on |r| <= ln(2) / 2, relative error 1.9e-9. */
static const float snc_exp_poly[SNC_EXP_TERMS] = {
    1.0f, 1.0f, 0.49999992f, 0.16666420f, 0.041668226f, 0.0083748158f, 0.0013836846f,
};
#define SNC_EXP_CUT   87.0f               /* 2^n stays a normal number */
#define SNC_EXP_MAGIC 12582912.0f         /* 1.5 * 2^23: adding it rounds to an integer, ties to even */
#define SNC_LOG2E     1.44269504f
#define SNC_LN2_HI    0.693359375f        /* 9 bits: n * hi is exact */
#define SNC_LN2_LO    (-2.12194440e-4f)
#define SNC_TANH_CUT  9.5f                /* tanh rounds to 1 */
#define SNC_GELU_A    0.044715f
#define SNC_GELU_B    (-1.59576912f)      /* -2 sqrt(2 / pi) */

#endif
