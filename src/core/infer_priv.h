/* core/infer_priv.h: the vector kernels behind core/infer.h, one set per instruction set. */
#ifndef SNC_CORE_INFER_PRIV_H
#define SNC_CORE_INFER_PRIV_H

#include <stdint.h>

#include "core/infer.h"

typedef struct snc_infer__head { /* one head of one sequence, as in snc_infer_attention */
    float *y;
    const float *q, *k, *v;
    int ldy, ldq, ldkv, nq, nk, D;
    float scale;
    snc_infer_bias bias; /* at NULL: none */
    bool bf16;           /* operands hold numbers of bf16, and so shall probabilities */
} snc_infer__head;

typedef struct snc_infer__half { /* the first of some heads that lie side by side, operands in bf16 */
    float *y;
    const uint16_t *q, *k, *v;
    int ldy, ldq, ldkv, nq, nk, D;
    float scale;
    snc_infer_bias bias;
} snc_infer__half;

/* Exponentials in bf16, the same on every instruction set: with v = 128 (127 + log2 e (score - largest)) rounded to an integer, the
 * bits are v less a bend, 128 (1 + f - 2^f) by the upper five of v's seven bits of fraction f, each the integer with the least
 * relative error (0.9 %). Scores are not scaled before: SNC_INFER__LOG times the scale takes them to v. */
#define SNC_INFER__BEND                                                                                            \
    {                                                                                                              \
        1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 9, 10, 10, 10, 11, 11, 11, 11, 11, 11, 10, 10, 10, 9, 8, 8, 7, 6, 5, 4, 2, 1 \
    }
#define SNC_INFER__ONE 16256.0f /* 128 * 127 */
#define SNC_INFER__LOG (1.44269504f * 128.0f)

#define SNC_INFER__DECLARE(isa)                                                                                                          \
    void snc_infer__norm_##isa(float *y, int ldy, const float *x, int ldx, const float *gamma, const float *beta, int T, int C,          \
                               float eps);                                                                                               \
    void snc_infer__dot_##isa(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, const float *b, int T, int n, int k); \
    void snc_infer__slide_##isa(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, int T, int n, int k);               \
    void snc_infer__round_##isa(float *out, const float *x, int ldx, int rows, int D);                                                   \
    void snc_infer__attention_##isa(const snc_infer__head *a, float *scratch)

SNC_INFER__DECLARE(avx2);
SNC_INFER__DECLARE(avx512);
SNC_INFER__DECLARE(neon);
/* Operands in bf16, or (one head, one that came as f32) rounded to it. */
void snc_infer__half_avx512(const snc_infer__half *a, int heads, void *scratch);
void snc_infer__narrow_avx512(const snc_infer__head *a, void *scratch);
size_t snc_infer__attention_avx512_scratch(int max_len, int D);
void snc_infer__half_amx(const snc_infer__half *a, int heads, void *scratch);
void snc_infer__attention_amx(const snc_infer__head *a, void *scratch);
size_t snc_infer__attention_amx_scratch(int max_len, int D);

#endif
