/* quant/qlinear_priv.h: what the layer and its kernels share.
 *
 * Every kernel fills int32 sums of a small block of rows by outputs and hands it to the epilogue of its vector width. All
 * packed forms are [N/16][K/64] blocks of 1024 bytes; inside a block the order is [64/group][16][group]:
 *
 *   group 64   plain         [16 n][64 k]           scalar: the canonical order; also what oneDNN's copy starts from
 *   group 2    pairs    [32][16 n][ 2 k]            AVX2, AVX-512: 16 n x 2 k widen to int16 for one multiply-add of pairs
 *   group 4    quads    [16][16 n][ 4 k]            VNNI of both widths (as w + 128, the unsigned operand) and AMX (as w): 64 bytes are
 *                                                   one vector of 16 n x 4 k, and 16 of them one 16 x 64 tile
 *
 * The BF16 layer shares the frame: its block is [N/16][K/32] pieces of 1024 bytes, [16][16 n][2 k] bf16, and xq points to
 * rows of 64-byte steps of bf16 (AMX) or xf to rows of f32 (the others).
 */
#ifndef SNC_QUANT_QLINEAR_PRIV_H
#define SNC_QUANT_QLINEAR_PRIV_H

#include <stdbool.h>
#include <string.h>

#include "base/cut.h"
#include "base/isa.h"
#include "quant/epilogue_priv.h"
#include "quant/int4.h"
#include "quant/qlinear.h"

enum {
    SNC_QPANEL = 16,
    SNC_QBLOCK = 64,
    SNC_QTILE = SNC_QPANEL * SNC_QBLOCK,
    SNC_Q4NIBBLES = SNC_QTILE / 2,
    SNC_Q4GROUPS = SNC_QBLOCK / SNC_INT4_GROUP,             /* groups of inputs in a block */
    SNC_Q4TILE = SNC_Q4NIBBLES + SNC_Q4GROUPS * SNC_QPANEL, /* an INT4 block: nibbles, then multipliers */
    SNC_Q4PAIR = 2 * SNC_Q4TILE,                            /* those of two panels of outputs lie beside each other */
    SNC_Q4WIDE = 4                                          /* panels that are expanded at once */
};

/* Consecutive INT4 blocks to INT8 ones, each to its own place: to + i * step. */
typedef void (*snc_q4expand_fn)(int8_t *to, size_t step, const uint8_t *from, int count);

typedef struct snc_qjob {
    float *y;       /* [T, ldy] */
    snc_bf16 *half; /* [T, ldy] instead of y: no activation, no sum onto it; NULL: y */
    uint16_t *f16;  /* [T, ldy] instead of y: no sum onto it; NULL: y */
    const int8_t *wq;
    const float *sw, *b; /* padded to whole panels */
    const int8_t *xq;    /* [T, ldq] */
    const int16_t *xw;   /* the same rows as int16, [T, 64 kb]: pairs only */
    const float *xf;     /* rows as f32, [T, 32 kb]: bf16 weights without AMX */
    const float *sx;     /* NULL: the sums are f32 already */
    size_t panel;        /* bytes from one panel of 16 outputs to the next; INT4: half of those from a pair to the next */
    int ldy, ldq, n, kb; /* kb: blocks of 64 int8 or 32 bf16 inputs in use */
    snc_epilogue epi;
    snc_epilogue_bf16_fn finish_half;
    snc_epilogue_f16_fn finish_f16;
    uint32_t *top; /* [T][SNC_TOP_SLOTS] as in epilogue_priv.h, or NULL */
    snc_epilogue_fn finish;
    /* INT4 */
    const struct snc_qkernel *wide; /* of the expanded blocks */
    snc_q4expand_fn expand;
    int8_t *expanded; /* room for four panels, of the first worker; 64-aligned */
    size_t room;      /* bytes from it to the next worker's; 0: INT8, none */
} snc_qjob;

typedef struct snc_qkernel {
    snc_isa isa;
    int group;        /* order inside a block */
    uint8_t flip;     /* 0x80: the packed bytes are w + 128 */
    bool widen;       /* needs xw */
    bool pairs;       /* two blocks of 16 rows cost little more than one */
    int rows;         /* rows of a cache-sized block of tokens */
    double blocks_us; /* rough speed in 1024-byte blocks of weights times a row in a microsecond, to see which products are
                       * too small to share between threads */
    /* Rows [t0, t1), panels [p0, p1); p0 is a multiple of 4. */
    void (*run)(const snc_qjob *j, int t0, int t1, int p0, int p1);
    void (*run_int4)(const snc_qjob *j, int t0, int t1, int p0, int p1); /* its own way with nibbles; NULL: panels are expanded first */
} snc_qkernel;

const snc_qkernel *snc_qkernel__choose(const snc_ctx *ctx); /* by ctx's backend and the level of now */

extern const snc_qkernel snc_qkernel__ref, snc_bf16kernel__ref;
#if defined(__x86_64__)
extern const snc_qkernel snc_qkernel__avx2, snc_qkernel__avxvnni, snc_qkernel__avx512, snc_qkernel__vnni, snc_qkernel__amx;
extern const snc_qkernel snc_bf16kernel__avx2, snc_bf16kernel__avx512, snc_bf16kernel__amx;
#elif defined(__aarch64__)
extern const snc_qkernel snc_qkernel__neon, snc_qkernel__dotprod, snc_qkernel__i8mm, snc_bf16kernel__neon;
#endif

static inline __attribute__((always_inline)) void snc_qblock__put_pieces(uint8_t *block, const uint8_t *row, int i, const int size)
{
    for (int k = 0; k < SNC_QBLOCK; k += size) memcpy(block + (k / size * SNC_QPANEL + i) * size, row + k, (size_t)size);
}

/* Row i of a block, 64 inputs, to where the order of `group` has them: pieces of `group` bytes, SNC_QPANEL pieces apart. The size of a
 * piece is a constant wherever a kernel is, so that it is moved by an instruction and not by a call. */
static inline void snc_qblock__put(uint8_t *block, const uint8_t row[SNC_QBLOCK], int i, int group)
{
    switch (group) {
    case 2: snc_qblock__put_pieces(block, row, i, 2); break;
    case 4: snc_qblock__put_pieces(block, row, i, 4); break;
    case 8: snc_qblock__put_pieces(block, row, i, 8); break;
    default: snc_qblock__put_pieces(block, row, i, group);
    }
}

/* Hands a block of sums to the epilogue: rows t.., panels p.. p+np, cut at n. */
static inline void snc_qjob__finish(const snc_qjob *j, const void *s, int lds, int t, int rows, int p, int np)
{
    int c0 = p * SNC_QPANEL, cols = np * SNC_QPANEL < j->n - c0 ? np * SNC_QPANEL : j->n - c0;
    size_t at = (size_t)t * (size_t)j->ldy + (size_t)c0;
    if (j->half) {
        j->finish_half(j->half + at, j->ldy, s, lds, j->sx + t, j->sw + c0, j->b + c0, rows, cols);
        return;
    }
    uint32_t *top = j->top ? j->top + (size_t)t * SNC_TOP_SLOTS : NULL;
    if (j->f16) {
        j->finish_f16(j->f16 + at, j->ldy, s, lds, j->sx + t, j->sw + c0, j->b + c0, rows, cols, j->epi, top);
        return;
    }
    float *y = j->y ? j->y + at : NULL;
    if (j->sx) j->finish(y, j->ldy, s, lds, j->sx + t, j->sw + c0, j->b + c0, rows, cols, j->epi, top);
    else j->finish(y, j->ldy, s, lds, NULL, NULL, j->b + c0, rows, cols, j->epi, top);
}

/* xw for the kernels that want it, in a workspace of this many bytes; nothing, and none, for the others. */
size_t snc_qwiden__size(const snc_qkernel *kernel, int T, int blocks);
void snc_qwiden__rows(snc_qjob *job, const snc_qkernel *kernel, const snc_ctx *ctx, int T, void *workspace);

struct snc_qlinear {
    int N, K, panels, blocks;
    const snc_qkernel *kernel; /* INT4: `own` */
    snc_epilogue_fn finish;
    int8_t *wq;
    float *sw, *b; /* padded to whole groups of panels with zeros */
    bool pooled;   /* wq lies in the pool of the context */
    struct snc_qdnnl *dnnl;
    const snc_qkernel *wide; /* INT4: the INT8 kernel of the expanded blocks; else NULL */
    snc_q4expand_fn expand;
    snc_qkernel own;
};

/* The job as worker `w` has it. */
static inline void snc_qjob__on(snc_qjob *j, int w) { j->expanded = j->room ? j->expanded + (size_t)w * j->room : NULL; }

/* Runs the kernel over a grid of row blocks by groups of panels on ctx's threads, for `count` jobs of like shape; how that grid is
 * planned, in microseconds. */
snc_cut_work snc_qgrid__work(const snc_qkernel *kernel, int T, int n, int kb, int count, int threads);
void snc_qgrid__run(const snc_ctx *ctx, const snc_qkernel *kernel, const snc_qjob *jobs, int count, int T);

/* The library backend: a dense copy of the weights, primitives cached by shape. */
typedef struct snc_qdnnl snc_qdnnl;
#ifdef SNC_WITH_ONEDNN
bool snc_qdnnl__usable(void); /* false where s8 x s8 would saturate in 16 bits */
snc_err snc_qdnnl__create(snc_qdnnl **out, const int8_t *q, int N, int K) SNC_MUST_USE;
void snc_qdnnl__free(snc_qdnnl *d);
const int8_t *snc_qdnnl__weights(const snc_qdnnl *d); /* [N, K] dense */
size_t snc_qdnnl__workspace_size(const snc_qdnnl *d, int T);
/* The sums of [T, k] x [n, k]^T, int32 [T, n], inside the workspace. */
snc_err snc_qdnnl__run(const int32_t **sums, snc_qdnnl *d, const snc_ctx *ctx, const int8_t *xq, int ldq, int T, int n, int k,
                       void *workspace) SNC_MUST_USE;
#endif

#endif
