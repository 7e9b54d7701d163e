/* core/gemm_priv.h: what the backends of the gemm seam share.
 *
 * All three products are one job, C [M, N] = A [M, K] . B [K, N], told apart by strides:
 *
 *   product     M  N  K  A             B             C
 *   forward     T  n  k  X             W^T           Y, with bias
 *   backward_x  T  k  n  dY            W             dX
 *   backward_w  n  k  T  dY^T          X             dW
 *
 * A backend is one table of functions. ref, blas, native f32 and oneDNN f32 read the borrowed master; AMX and oneDNN bf16
 * read the packed copies of the weight.
 */
#ifndef SNC_CORE_GEMM_PRIV_H
#define SNC_CORE_GEMM_PRIV_H

#include "base/isa.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/par.h"
#include "core/dtype.h"
#include "core/gemm.h"

typedef enum snc_gemm__product { GEMM_FORWARD, GEMM_BACKWARD_X, GEMM_BACKWARD_W } snc_gemm__product;

typedef struct snc_gemm__job {
    float *C;                  /* [M, N], ld = ldc */
    const float *A, *B, *bias; /* A[m, k] = A[m * a_row + k * a_col]; B[k, n] = B[k * b_row + n * b_col]; bias [N] or NULL */
    const snc_bf16 *A16, *B16; /* instead of A, and in backward_w of B; the same strides */
    const snc_gemm_sink *sink; /* instead of C */
    double *squares;           /* of C's elements, or NULL */
    const snc_gemm_weight *w;  /* NULL in backward_w */
    int64_t ldc, a_row, a_col, b_row, b_col;
    int M, N, K;
    bool accumulate;
    snc_gemm__product product;
} snc_gemm__job;

typedef struct snc_gemm__ops {
    snc_backend backend;
    bool takes_bf16;                                                          /* else run never sees A16 or a sink */
    snc_err (*open)(snc_gemm *g);                                             /* allocates scratch; on failure the caller runs close */
    void (*close)(snc_gemm *g);                                               /* NULL: only the shared scratch is to be freed */
    size_t (*weight_bytes)(int N, int K);                                     /* NULL: the master is read */
    void (*sync_rows)(const snc_gemm *g, snc_gemm_weight *w, int n0, int n1); /* with weight_bytes */
    snc_err (*run)(snc_gemm *g, const snc_gemm__job *job);                    /* M, N, K >= 1 */
} snc_gemm__ops;

struct snc_gemm {
    const snc_ctx *ctx;
    const snc_gemm__ops *ops;
    snc_compute compute;
    snc_isa isa;
    int max_tokens, max_width;
    void *a, *b;       /* operand scratch of the backend */
    double *squares;   /* sums of its parts */
    float *panel;      /* [threads][panel_size]: one worker's scratch */
    size_t panel_size; /* floats */
    struct snc_gemm__dnnl *dnnl;
};

struct snc_gemm_weight {
    const float *W; /* [N, K], ld = ldw: the caller's */
    int ldw, N, K;
    const snc_gemm__ops *ops; /* whose layout `packed` has */
    void *packed;             /* NULL when the backend reads the master */
};

/* NULL when this build or this CPU cannot do it. */
const snc_gemm__ops *snc_gemm__ref(void);
const snc_gemm__ops *snc_gemm__blas(snc_compute compute);
const snc_gemm__ops *snc_gemm__dnnl(snc_compute compute);
const snc_gemm__ops *snc_gemm__fma(snc_isa isa);
const snc_gemm__ops *snc_gemm__bf16(snc_compute compute, snc_isa isa);

static inline float snc_gemm__round(float x, bool bf16) { return bf16 ? snc_bf16_to_f32(snc_bf16_from_f32(x)) : x; }

#endif
