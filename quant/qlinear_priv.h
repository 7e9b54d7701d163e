/* quant/qlinear_priv.h: what the layer and its kernels share.
 *
 * Every kernel fills int32 sums of a small block of rows by outputs and hands it to the epilogue of its vector width. All
 * packed forms are [N/16][K/64] blocks of 1024 bytes; inside a block the order is [64/group][16][group]:
 *
 *   group 64   plain         [16 n][64 k]           scalar: the canonical order; also what oneDNN's copy starts from
 *   group 2    pairs    [32][16 n][ 2 k]            AVX2, AVX-512: 16 n x 2 k widen to int16 for one multiply-add of pairs
 *   group 4    quads    [16][16 n][ 4 k]            VNNI (as w + 128, the unsigned operand) and AMX (as w): 64 bytes are
 *                                                   one vector of 16 n x 4 k, and 16 of them one 16 x 64 tile
 */
#ifndef SNC_QUANT_QLINEAR_PRIV_H
#define SNC_QUANT_QLINEAR_PRIV_H

#include <stdbool.h>

#include "base/isa.h"
#include "quant/epilogue_priv.h"
#include "quant/qlinear.h"

enum { SNC_QPANEL = 16, SNC_QBLOCK = 64, SNC_QTILE = SNC_QPANEL * SNC_QBLOCK };

typedef struct snc_qjob {
    float *y;           /* [T, ldy] */
    const int8_t *wq;
    const float *sw, *b; /* padded to whole panels */
    const int8_t *xq;   /* [T, ldq] */
    const int16_t *xw;  /* the same rows as int16, [T, 64 kb]: pairs only */
    const float *sx;
    size_t panel;       /* bytes from one panel of 16 outputs to the next */
    int ldy, ldq, n, kb; /* kb: 64-wide blocks of inputs in use */
    snc_epilogue epi;
    snc_epilogue_fn finish;
} snc_qjob;

typedef struct snc_qkernel {
    snc_isa isa;
    int group;      /* order inside a block */
    uint8_t flip;   /* 0x80: the packed bytes are w + 128 */
    bool widen;     /* needs xw */
    int rows;       /* rows of a cache-sized block of tokens */
    double macs_us; /* rough speed, to see which products are too small to share between threads */
    /* Rows [t0, t1), panels [p0, p1); p0 is a multiple of 4. */
    void (*run)(const snc_qjob *j, int t0, int t1, int p0, int p1);
} snc_qkernel;

extern const snc_qkernel snc_qkernel__ref;
#if defined(__x86_64__)
extern const snc_qkernel snc_qkernel__avx2, snc_qkernel__avx512, snc_qkernel__vnni, snc_qkernel__amx;
#endif

/* Hands a block of sums to the epilogue: rows t.., panels p.. p+np, cut at n. */
static inline void snc_qjob__finish(const snc_qjob *j, const int32_t *s, int lds, int t, int rows, int p, int np)
{
    int c0 = p * SNC_QPANEL, cols = np * SNC_QPANEL < j->n - c0 ? np * SNC_QPANEL : j->n - c0;
    j->finish(j->y + (size_t)t * (size_t)j->ldy + c0, j->ldy, s, lds, j->sx + t, j->sw + c0, j->b + c0, rows, cols, j->epi);
}

/* The library backend: a dense copy of the weights, primitives cached by shape. */
typedef struct snc_qdnnl snc_qdnnl;
#ifdef SNC_WITH_ONEDNN
bool    snc_qdnnl__usable(void); /* false where s8 x s8 would saturate in 16 bits */
snc_err snc_qdnnl__create(snc_qdnnl **out, const int8_t *q, int N, int K) SNC_MUST_USE;
void    snc_qdnnl__free(snc_qdnnl *d);
const int8_t *snc_qdnnl__weights(const snc_qdnnl *d); /* [N, K] dense */
size_t  snc_qdnnl__workspace_size(const snc_qdnnl *d, int T);
/* The sums of [T, k] x [n, k]^T, int32 [T, n], inside the workspace. */
snc_err snc_qdnnl__run(const int32_t **sums, snc_qdnnl *d, const int8_t *xq, int ldq, int T, int n, int k,
                       void *workspace) SNC_MUST_USE;
#endif

#endif
