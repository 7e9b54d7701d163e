/* core/gemm_fma_vec.h: one cell of an f32 product, written once in the vocabulary of ops_simd512.h, 256 or 128. The including
 * file defines SNC_CELL, the function's name, SNC_CELL_ROWS, a multiple of 3, and SNC_CELL_GROUP, columns of B that fit into L2
 * beside C.
 *
 * B is packed once a cell, part and group into panels [k][2 vectors] in L2; a strip of SNC_CELL_ROWS rows of A stays in L1 while the
 * group's panels pass it. Each part of K is summed upwards, from the bias in the first, and parts are added to C in their order, so
 * the bits depend on neither the thread count nor the place in the matrix. */
#include <string.h>

#include "core/gemm_fma_priv.h"

enum { COLS = 2 * LANES, WIDTH = (SNC_CELL_ROWS + LANES - 1) / LANES * LANES /* whole vectors of rows */ };

/* A strip of A over a part of K; `ahead` and lines ahead_step floats apart come to the cache, one a step. */
typedef struct strip {
    const float *A, *ahead;
    int64_t row, col, ahead_step; /* from one to the next, floats */
    int K;
} strip;

/* mr x nv vectors of C; the last vector of a row is cut by `t`. */
SNC_IN void sums(float *C, int64_t ldc, const strip *s, const float *B, const float *bias, bool add, const int mr, const int nv, vm t)
{
    const int64_t a_row = s->row, a_col = s->col, step = s->ahead_step;
    const float *A = s->A, *ahead = s->ahead;

    vf acc[SNC_CELL_ROWS][2];
    const vm full = v_tail(LANES);
    const float *a[SNC_CELL_ROWS / 3];
#pragma GCC unroll 4
    for (int i = 0; i < (mr + 2) / 3; i++) a[i] = A + 3 * i * a_row;
#pragma GCC unroll 12
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) {
            vm m = v == nv - 1 ? t : full;
            acc[i][v] = bias ? v_load(bias + v * LANES, m) : v_set(0.0f);
            __builtin_prefetch(C + i * ldc + v * LANES, 1);
        }
    for (int k = 0; k < s->K; k++, B += COLS, ahead += step) {
        __builtin_prefetch(ahead);
        vf b[2] = {v_all(B), nv == 2 ? v_all(B + LANES) : v_set(0.0f)};
#pragma GCC unroll 12
        for (int i = 0; i < mr; i++) {
            vf x = v_set(a[i / 3][i % 3 * a_row]);
            acc[i][0] = v_fma(x, b[0], acc[i][0]);
            if (nv == 2) acc[i][1] = v_fma(x, b[1], acc[i][1]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < (mr + 2) / 3; i++) a[i] += a_col;
    }
#pragma GCC unroll 12
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) {
            vm m = v == nv - 1 ? t : full;
            float *c = C + i * ldc + v * LANES;
            v_store(c, m, add ? v_add(acc[i][v], v_load(c, m)) : acc[i][v]);
        }
}

/* One strip of rows by one panel. */
#define SNC_STRIP(rows)                                                                                                           \
    SNC_VEC static void strip##rows(float *C, int64_t ldc, const strip *s, const float *B, const float *bias, bool add, int cols) \
    {                                                                                                                             \
        if (cols > LANES) sums(C, ldc, s, B, bias, add, rows, 2, v_tail(cols - LANES));                                           \
        else sums(C, ldc, s, B, bias, add, rows, 1, v_tail(cols));                                                                \
    }
SNC_STRIP(1)
SNC_STRIP(2)
SNC_STRIP(3)
SNC_STRIP(4)
SNC_STRIP(5)
SNC_STRIP(6)
#if SNC_CELL_ROWS == 12
SNC_STRIP(7)
SNC_STRIP(8)
SNC_STRIP(9)
SNC_STRIP(10)
SNC_STRIP(11)
SNC_STRIP(12)
#endif
#undef SNC_STRIP

static void (*const strips[])(float *C, int64_t ldc, const strip *s, const float *B, const float *bias, bool add, int cols) = {
    strip1, strip2, strip3, strip4,  strip5,  strip6,
#if SNC_CELL_ROWS == 12
    strip7, strip8, strip9, strip10, strip11, strip12,
#endif
};

/* Rows of B lie in memory: columns [n, n + COLS) of rows [k, k + K), 0 beyond N. */
SNC_VEC static void pack_rows(float *P, const float *B, int64_t ld, int K, int cols)
{
    vm low = v_tail(cols), high = v_tail(cols - LANES);
    for (int k = 0; k < K; k++, B += ld, P += COLS) {
        v_put(P, v_load(B, low));
        v_put(P + LANES, v_load(B + (cols > LANES ? LANES : 0), high));
    }
}

/* Columns of B lie in memory, ld apart: turned in squares. */
SNC_VEC static void pack_columns(float *P, const float *B, int64_t ld, int K, int cols)
{
    for (int half = 0; half < 2; half++, P += LANES, B += LANES * ld, cols -= LANES)
        for (int k = 0; k < K; k += LANES) {
            vf r[LANES];
            vm t = v_tail(K - k);
#pragma GCC unroll 16
            for (int i = 0; i < LANES; i++) r[i] = i < cols ? v_load(B + i * ld + k, t) : v_set(0.0f);
            v_transpose(r);
#pragma GCC unroll 16
            for (int i = 0; i < LANES; i++)
                if (k + i < K) v_put(P + (int64_t)(k + i) * COLS, r[i]);
        }
}

SNC_VEC static void round_all(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) x[i] = snc_gemm__round(x[i], true);
}

/* Rows [m, m + rows) of A over [k, k + K), read where they lie, or brought together where their columns are far apart, or rounded. */
SNC_VEC static strip strip_of(float *to, const snc_gemm__job *j, int m, int rows, int k, int K, bool bf16)
{
    const float *A = j->A + m * j->a_row + k * j->a_col;
    if (j->a_row == 1) { /* [K][WIDTH] */
        for (int i = 0; i < rows; i += LANES) {
            vm t = v_tail(rows - i);
            for (int c = 0; c < K; c++) v_put(to + c * WIDTH + i, v_load(A + i + c * j->a_col, t));
        }
        if (bf16) round_all(to, (int64_t)K * WIDTH);
        return (strip){to, A + rows, 1, WIDTH, j->a_col, K};
    }
    if (!bf16) return (strip){A, A, j->a_row, 1, 0, K};
    for (int i = 0; i < rows; i++) memcpy(to + i * K, A + i * j->a_row, (size_t)K * sizeof *to);
    round_all(to, (int64_t)rows * K);
    return (strip){to, to, K, 1, 0, K};
}

/* One group of columns over one part of K. */
static void group(const snc_gemm__cell *c, const snc_gemm__job *j, int n0, int n1, int k, int K)
{
    const bool bf16 = c->bf16, add = j->accumulate || k > 0;
    float *own = c->scratch + (size_t)SNC_CELL_GROUP * SNC_FMA_PART;
    for (int n = n0; n < n1; n += COLS) {
        float *P = c->scratch + (size_t)(n - n0) * (size_t)K;
        const float *B = j->B + k * j->b_row + n * j->b_col;
        if (j->b_col == 1) pack_rows(P, B, j->b_row, K, j->N - n);
        else pack_columns(P, B, j->b_col, K, j->N - n);
        if (bf16) round_all(P, (int64_t)K * COLS);
    }
    for (int m = c->m0; m < c->m1; m += SNC_CELL_ROWS) {
        int rows = snc_min(SNC_CELL_ROWS, c->m1 - m);
        strip s = strip_of(own, j, m, rows, k, K, bf16);
        for (int n = n0; n < n1; n += COLS, s.ahead = s.A, s.ahead_step = 0)
            strips[rows - 1](j->C + m * j->ldc + n, j->ldc, &s, c->scratch + (size_t)(n - n0) * (size_t)K,
                             j->bias && k == 0 ? j->bias + n : NULL, add, n1 - n);
    }
}

void SNC_CELL(const snc_gemm__cell *c, const snc_gemm__job *j)
{
    int parts = (j->K + SNC_FMA_PART - 1) / SNC_FMA_PART, each = (j->K + parts - 1) / parts;
    for (int n = c->n0; n < c->n1; n += SNC_CELL_GROUP)
        for (int k = 0; k < j->K; k += each) group(c, j, n, snc_min(n + SNC_CELL_GROUP, c->n1), k, snc_min(each, j->K - k));
}
