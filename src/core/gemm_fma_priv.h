/* core/gemm_fma_priv.h: a thread's share of an f32 product: rows [m0, m1) of C by columns [n0, n1), n0 a multiple of 32. */
#ifndef SNC_CORE_GEMM_FMA_PRIV_H
#define SNC_CORE_GEMM_FMA_PRIV_H

#include "core/gemm_priv.h"

enum {
    SNC_FMA_PART = 512, /* of K at a time: twelve rows of A are 24 KB */
    SNC_FMA_GROUP = 256,
    SNC_FMA_ROWS = 12,
    SNC_FMA_SCRATCH = (SNC_FMA_GROUP + 16) * SNC_FMA_PART /* floats, at most: a group's panels, and a strip */
};

typedef struct snc_gemm__cell {
    float *scratch; /* SNC_FMA_SCRATCH, 64-byte aligned */
    int m0, m1, n0, n1;
    bool bf16; /* operands are rounded */
} snc_gemm__cell;

void snc_gemm__fma_avx2(const snc_gemm__cell *c, const snc_gemm__job *j);
void snc_gemm__fma_avx512(const snc_gemm__cell *c, const snc_gemm__job *j);
void snc_gemm__fma_neon(const snc_gemm__cell *c, const snc_gemm__job *j);

#endif
