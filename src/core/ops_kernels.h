/* core/ops_kernels.h: one thread's share of each op: the table that ref and each width of vectors fill. Private to core/ops*.c. */
#ifndef SNC_CORE_OPS_KERNELS_H
#define SNC_CORE_OPS_KERNELS_H

#include <stddef.h>

#include "core/ops.h"

enum { SNC_QUERY_BLOCK = 32 }; /* queries that one pass over the keys serves */

/* One head of one sequence. Pointers stand at the head's first column of the sequence's first row; rows are ld apart. */
typedef struct snc_head {
    int keys, queries, width, ld;
    float scale;
    const float *q, *k, *v;
    float *scratch; /* snc_head_scratch floats, 64-byte aligned */
    const snc_mask *mask;
    uint32_t mask_row, mask_step; /* row of key 0 in the mask, and from one key to the next; columns are queries */
    /* Added to q k^T of query i and key j: bias[i + j * bias_step], readable up to whole blocks of queries; NULL: nothing. A backward
     * pass adds the gradients of that sum to dbias, at the same places; NULL: nobody asks. */
    const float *bias;
    float *dbias;
    ptrdiff_t bias_step;
} snc_head;

static inline size_t snc_head_scratch(int len, int width) { return (size_t)2 * SNC_QUERY_BLOCK * ((size_t)len + (size_t)width); }

typedef struct snc_kernels {
    void (*mask_apply)(float *x, const snc_mask *m, int row0, int rows, int n);
    void (*norm_forward)(float *y, float *s, float *stats, const float *r, const float *gamma, const float *beta, int row0, int rows, int n,
                         float eps, const snc_mask *m);
    /* sums [3, n] = column sums of dgamma, dbeta and dx over these rows, overwritten. */
    void (*norm_backward)(float *ds, float *dx, float *sums, const float *dy, const float *s, const float *stats, const float *gamma,
                          const float *past, int row0, int rows, int n, const snc_mask *m);
    void (*act_forward[SNC_OPS_ACTS])(float *a, float *d, const float *h, int64_t n);
    void (*act_backward)(float *dh, float *sums /* [n] overwritten */, const float *d, int rows, int n, int ldh, int ldd);
    void (*narrow)(snc_bf16 *dst, int64_t ldd, const float *src, int64_t lds, int rows, int n);
    void (*widen)(float *dst, int64_t ldd, const snc_bf16 *src, int64_t lds, int rows, int n);
    void (*col_sum)(float *sums /* [n] overwritten */, const float *x, int rows, int n, int ld);
    /* top, inv [queries]: largest scaled score, 1 / sum of exponentials. */
    void (*head_forward)(float *out, float *top, float *inv, const snc_head *h);
    void (*head_backward)(float *dq, float *dk, float *dv, const snc_head *h, const float *dout, const float *top, const float *inv);
    /* C [M, N] (+)= A [M, K] . B [K, N]; A(i, k) = A[i a_row + k a_col]. */
    void (*product)(float *C, int ldc, const float *A, int a_row, int a_col, const float *B, int ldb, int M, int N, int K, bool add);
} snc_kernels;

const snc_kernels *snc_kernels_pick(const snc_ctx *ctx); /* of the CPU and the backend */
extern const snc_kernels snc_kernels_ref;
#if defined(__x86_64__)
extern const snc_kernels snc_kernels_avx2, snc_kernels_avx512;
/* narrow by the CPU's own conversion (SNC_ISA_BF16), which flushes denormals. */
void snc_ops__narrow_native(snc_bf16 *dst, int64_t ldd, const float *src, int64_t lds, int rows, int n);
#elif defined(__aarch64__)
extern const snc_kernels snc_kernels_neon;
#endif

/* Counters of a mask's row start far apart (golden ratio), whatever the row's length. */
static inline uint32_t snc_mask_start(uint32_t row) { return row * 0x9e3779b1u; }

/* Two 16-bit draws of columns 2c and 2c + 1: the "lowbias32" mixer (C. Wellons) with a second key in its middle. */
static inline uint32_t snc_mask_hash(const snc_mask *m, uint32_t counter)
{
    uint32_t x = counter + m->key[0];
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= m->key[1];
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

#endif
