/* The reference products: plain loops that define the bits.
 *
 * Every output is one sum in f32, from 0, over the reduction index upwards, product rounded before it is added; then
 * + bias, then + the old value. Operands are rounded to bf16 first in SNC_COMPUTE_BF16. Vector lanes are different
 * outputs, and work is cut by output column, so neither the compiler's width nor the thread count changes a bit.
 */
#include <string.h>

#include "core/gemm_priv.h"

enum { ROWS = 4, COLS = 8 };

typedef struct ref_run {
    const snc_gemm *g;
    const snc_gemm__job *j;
} ref_run;

/* P [K][COLS]: columns n0.. of B, missing ones zero. */
static void pack_cols(float *P, const snc_gemm__job *j, int n0, bool bf16)
{
    int cols = snc_min(COLS, j->N - n0);
    for (int k = 0; k < j->K; k++, P += COLS) {
        const float *b = j->B + k * j->b_row + n0 * j->b_col;
        for (int c = 0; c < COLS; c++) P[c] = c < cols ? snc_gemm__round(b[c * j->b_col], bf16) : 0.0f;
    }
}

/* P [K][ROWS]: rows m0.. of A, missing ones zero. */
static void pack_rows(float *P, const snc_gemm__job *j, int m0, bool bf16)
{
    int rows = snc_min(ROWS, j->M - m0);
    for (int r = 0; r < ROWS; r++) {
        const float *a = j->A + (m0 + r) * j->a_row;
        for (int k = 0; k < j->K; k++) P[k * ROWS + r] = r < rows ? snc_gemm__round(a[k * j->a_col], bf16) : 0.0f;
    }
}

static void store(const snc_gemm__job *j, float acc[ROWS][COLS], int m0, int n0)
{
    for (int r = 0; r < ROWS && m0 + r < j->M; r++) {
        float *y = j->C + (m0 + r) * j->ldc + n0;
        for (int c = 0; c < COLS && n0 + c < j->N; c++) {
            float v = acc[r][c];
            if (j->bias) v += j->bias[n0 + c];
            y[c] = j->accumulate ? y[c] + v : v;
        }
    }
}

/* Four lanes, four columns: the compiler's vectors add and multiply lane by lane, as the plain loop would. */
typedef float lanes __attribute__((vector_size(16)));

static void sums(float acc[ROWS][COLS], const float *A, const float *B, int K)
{
    lanes s[ROWS][2] = {{{0}}};
    for (int k = 0; k < K; k++, A += ROWS, B += COLS) {
        lanes b[2];
        memcpy(b, B, sizeof b);
#pragma GCC unroll 4
        for (int r = 0; r < ROWS; r++) {
            s[r][0] += A[r] * b[0];
            s[r][1] += A[r] * b[1];
        }
    }
    memcpy(acc, s, sizeof s);
}

static void columns(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const ref_run *run = payload;
    const snc_gemm__job *j = run->j;
    bool bf16 = run->g->compute == SNC_COMPUTE_BF16;
    float *B = run->g->panel + (size_t)worker * run->g->panel_size, *A = B + (size_t)j->K * COLS;
    (void)end;
    (void)chunk;
    int n0 = (int)begin * COLS;
    pack_cols(B, j, n0, bf16);
    for (int m0 = 0; m0 < j->M; m0 += ROWS) {
        float acc[ROWS][COLS];
        pack_rows(A, j, m0, bf16);
        sums(acc, A, B, j->K);
        store(j, acc, m0, n0);
    }
}

static snc_err ref_open(snc_gemm *g)
{
    g->panel_size = snc_align_up((size_t)snc_max(g->max_tokens, g->max_width) * (ROWS + COLS), 16);
    return snc_alloc(&g->panel, (size_t)g->ctx->threads * g->panel_size, sizeof(float));
}

static snc_err ref_run_job(snc_gemm *g, const snc_gemm__job *j)
{
    ref_run run = {g, j};
    snc_par_for(g->ctx, (j->N + COLS - 1) / COLS, 1, columns, &run);
    return SNC_OK;
}

const snc_gemm__ops *snc_gemm__ref(void)
{
    static const snc_gemm__ops ops = {.backend = SNC_BACKEND_REF, .open = ref_open, .run = ref_run_job};
    return &ops;
}
