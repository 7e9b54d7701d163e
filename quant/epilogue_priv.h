/* quant/epilogue_priv.h: the epilogue of a block of sums, one function a vector width; all give the same bits. */
#ifndef SNC_QUANT_EPILOGUE_PRIV_H
#define SNC_QUANT_EPILOGUE_PRIV_H

#include <stdint.h>

#include "base/isa.h"
#include "core/dtype.h"
#include "quant/epilogue.h"
#include "quant/quantize_priv.h"

/* y [rows, cols] = epi(s * (sx[row] * sw[col]) + b[col]), s int32 [rows, lds]; with sx NULL s is f32 and is not scaled.
 * b may be NULL. s may be y itself. GELU of scaled sums is the quick one. top [rows][SNC_TOP_SLOTS], NULL or what the bits of |y| in a
 * row are raised to, spread over the row's slots in any way: their largest is the row's. */
typedef void (*snc_epilogue_fn)(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                                int cols, snc_epilogue epi, uint32_t *top);

void snc_epilogue__ref(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                       snc_epilogue epi, uint32_t *top);
#if defined(__x86_64__)
void snc_epilogue__avx2(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                        snc_epilogue epi, uint32_t *top);
void snc_epilogue__avx512(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                          snc_epilogue epi, uint32_t *top);
#elif defined(__aarch64__)
void snc_epilogue__neon(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                        snc_epilogue epi, uint32_t *top);
#endif
snc_epilogue_fn snc_epilogue__get(snc_isa isa);

/* y [rows, cols] = s * (sx[row] * sw[col]) + b[col], rounded to bf16: to nearest even (AVX512-BF16: numbers below 2^-126 become 0). */
typedef void (*snc_epilogue_bf16_fn)(snc_bf16 *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b,
                                     int rows, int cols);
void snc_epilogue__bf16_ref(snc_bf16 *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                            int cols);
#if defined(__x86_64__)
void snc_epilogue__bf16_avx512(snc_bf16 *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                               int cols);
void snc_epilogue__bf16_bf16(snc_bf16 *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                             int cols);
#endif
snc_epilogue_bf16_fn snc_epilogue__bf16_get(snc_isa isa);

/* As snc_epilogue_fn of scaled sums without SNC_EPI_ADD, y rounded to f16 and top from before the rounding, which keeps the order. */
typedef void (*snc_epilogue_f16_fn)(uint16_t *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b,
                                    int rows, int cols, snc_epilogue epi, uint32_t *top);
#if defined(__x86_64__)
void snc_epilogue__f16_avx512(uint16_t *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                              int cols, snc_epilogue epi, uint32_t *top);
#endif
snc_epilogue_f16_fn snc_epilogue__f16_get(snc_isa isa); /* NULL: none; rows are rounded afterwards */

/* R(a) in powers of t = a * (2 / 5.1) - 1, lowest first. */
#define SNC_GELU_CUT 5.1f
enum { SNC_GELU_TERMS = 15, SNC_EXP_TERMS = 7 };
static const float snc_gelu_poly[SNC_GELU_TERMS] = {
    0x1.c21226p-7f, -0x1.63351ap-4f, 0x1.cf135ap-3f,  -0x1.172856p-2f, 0x1.64ccbap-6f,  0x1.996368p-2f,  -0x1.0d6c3cp-1f, 0x1.23d6a8p-3f,
    0x1.46af6cp-2f, -0x1.3bd9cap-2f, -0x1.e387f6p-6f, 0x1.3d4a16p-3f,  -0x1.2819ccp-5f, -0x1.e24622p-6f, 0x1.6fbae2p-7f,
};
/* R(a) as c0 + c1 a + c2 a^2 on 32 pieces around i / SNC_GELU_PIECE; a stays below the end of the last. */
#define SNC_GELU_QUICK_CUT 4.62f
#define SNC_GELU_PIECE     6.8125f
/* clang-format off */
#define SNC_GELU_PIECES(X) \
    X(0.0f, 0.499981999f, -0.398365915f) \
    X(7.75983353e-05f, 0.498363733f, -0.389989734f) \
    X(0.00136358931f, 0.487133443f, -0.365283877f) \
    X(0.00668084016f, 0.458530396f, -0.326696783f) \
    X(0.0197246131f, 0.408029228f, -0.277734607f) \
    X(0.0438558199f, 0.335129857f, -0.222622052f) \
    X(0.0809323862f, 0.2433348f, -0.165766045f) \
    X(0.130503371f, 0.139381975f, -0.111240745f) \
    X(0.189578637f, 0.0319407359f, -0.0623714626f) \
    X(0.253020853f, -0.0699252263f, -0.0214695502f) \
    X(0.314438999f, -0.158207625f, 0.0102618728f) \
    X(0.367342591f, -0.227052316f, 0.0326632522f) \
    X(0.406271189f, -0.273351967f, 0.0464318134f) \
    X(0.427651405f, -0.296803594f, 0.0528633818f) \
    X(0.430223048f, -0.299510449f, 0.0535745695f) \
    X(0.415002733f, -0.285283595f, 0.0502497815f) \
    X(0.384873033f, -0.258841485f, 0.0444478393f) \
    X(0.343899727f, -0.225024313f, 0.0374695919f) \
    X(0.296601206f, -0.188196957f, 0.0303005204f) \
    X(0.247282341f, -0.151860103f, 0.0236070994f) \
    X(0.199546576f, -0.118485734f, 0.0177733768f) \
    X(0.156026155f, -0.0895380676f, 0.012959497f) \
    X(0.118319854f, -0.0656212717f, 0.00916677061f) \
    X(0.0870915502f, -0.0466919355f, 0.00629810756f) \
    X(0.0622671098f, -0.0322835818f, 0.00420734193f) \
    X(0.0432687551f, -0.021706149f, 0.002735032f) \
    X(0.0292388387f, -0.0142008439f, 0.00173126033f) \
    X(0.0192232132f, -0.00904493872f, 0.00106769416f) \
    X(0.0123015316f, -0.00561119197f, 0.000641825027f) \
    X(0.00766526628f, -0.00339183584f, 0.000376219949f) \
    X(0.00465243822f, -0.00199845969f, 0.000215113745f) \
    X(0.00276963552f, -0.00115612056f, 0.000120899196f)
#define SNC_GELU_C0(c0, c1, c2) c0,
#define SNC_GELU_C1(c0, c1, c2) c1,
#define SNC_GELU_C2(c0, c1, c2) c2,
/* clang-format on */
static const float snc_gelu_table[3][32] = {{SNC_GELU_PIECES(SNC_GELU_C0)}, {SNC_GELU_PIECES(SNC_GELU_C1)}, {SNC_GELU_PIECES(SNC_GELU_C2)}};
/* exp(r) on |r| <= ln(2) / 2, relative error 1.9e-9. */
static const float snc_exp_poly[SNC_EXP_TERMS] = {
    1.0f, 1.0f, 0.49999992f, 0.16666420f, 0.041668226f, 0.0083748158f, 0.0013836846f,
};
#define SNC_EXP_CUT   87.0f       /* 2^n stays a normal number */
#define SNC_EXP_MAGIC 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer, ties to even */
#define SNC_LOG2E     1.44269504f
#define SNC_LN2_HI    0.693359375f /* 9 bits: n * hi is exact */
#define SNC_LN2_LO    (-2.12194440e-4f)
#define SNC_TANH_CUT  9.5f /* tanh rounds to 1 */
#define SNC_GELU_A    0.044715f
#define SNC_GELU_B    (-1.59576912f) /* -2 sqrt(2 / pi) */

#endif
