/* The INT4 linear layer against the INT8 one: microseconds of a product, weights out of L3 and out of L2, both in turn.
 *
 *   quant_int4_speed [--rows 1,4,8,16,32] [--seconds 0.05] [--sizes]
 *
 * The matrices are MiniLM's and BERT-base's. Cold: as many copies of a matrix as make three times the L2 in INT4, one after
 * the other, so that no weight of either dtype is there when it is asked for. Warm: one copy, where INT8 fits in half the L2.
 * --sizes: a product of 384 x 384 in nets of 0.5 to 12 MB of them, all sizes in turn: what it costs where a net stays in L2.
 * Medians of rounds that time INT8, then INT4; the last column is INT4's time over INT8's. SNC_ISA caps the instruction set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/isa.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "quant/q4linear.h"
#include "quant/qlinear.h"

enum { MOST_ROWS = 64, MOST_COPIES = 512, ROUNDS = 4096, SIZES = 10, L2_UNKNOWN = 2 << 20 };

static void need(snc_err err)
{
    if (err == SNC_OK) return;
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static double l2_bytes(void)
{
    long n = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return n > 0 ? (double)n : L2_UNKNOWN;
}

typedef struct matrix {
    int N, K, copies;
    snc_qlinear *i8[MOST_COPIES];
    snc_qlinear *i4[MOST_COPIES];
} matrix;

static void make(matrix *m, const snc_ctx *ctx, int N, int K, double bytes)
{
    float *w = NULL;
    snc_rng r;
    snc_rng_init(&r, 7, 0);
    need(snc_alloc(&w, (size_t)N * (size_t)K, sizeof *w));
    for (size_t i = 0; i < (size_t)N * (size_t)K; i++) w[i] = (float)snc_rng_normal(&r);
    *m = (matrix){.N = N, .K = K, .copies = (int)(bytes / (0.56 * N * K)) + 1};
    if (m->copies > MOST_COPIES) m->copies = MOST_COPIES;
    for (int c = 0; c < m->copies; c++) {
        need(snc_qlinear_create(&m->i8[c], ctx, w, K, NULL, N, K));
        need(snc_q4linear_create(&m->i4[c], ctx, w, K, NULL, N, K));
    }
    snc_free(w);
}

static void drop(matrix *m)
{
    for (int c = 0; c < m->copies; c++) {
        snc_qlinear_free(m->i8[c]);
        snc_qlinear_free(m->i4[c]);
    }
}

typedef struct rows {
    int T, ldq;
    int8_t *xq;
    float *sx, *y;
    void *workspace;
} rows;

/* Microseconds of a product, over all copies. */
static double turn(const matrix *m, const snc_ctx *ctx, const rows *x, int copies, int times, int dtype)
{
    double t = snc_now();
    for (int i = 0; i < times; i++)
        for (int c = 0; c < copies; c++) {
            const snc_qlinear *l = dtype == 8 ? m->i8[c] : m->i4[c];
            need(snc_qlinear_run(x->y, m->N, l, ctx, x->xq, x->ldq, x->sx, x->T, m->N, m->K, SNC_EPI_NONE, x->workspace));
        }
    return (snc_now() - t) * 1e6 / (times * copies);
}

static void prepare(rows *x, const matrix *m, const snc_ctx *ctx, int T)
{
    *x = (rows){.T = T, .ldq = snc_quantized_stride(m->K)};
    need(snc_alloc(&x->xq, (size_t)T, (size_t)x->ldq));
    need(snc_alloc(&x->sx, (size_t)T, sizeof *x->sx));
    need(snc_alloc(&x->y, (size_t)T * (size_t)m->N, sizeof *x->y));
    need(snc_alloc(&x->workspace, snc_qlinear_workspace_size(m->i4[0], ctx, T) + snc_qlinear_workspace_size(m->i8[0], ctx, T) + 64, 1));
    for (size_t i = 0; i < (size_t)T * (size_t)x->ldq; i++) x->xq[i] = (int8_t)((int)(snc_hash64(i) % 255) - 127);
    for (int t = 0; t < T; t++) x->sx[t] = 0.01f;
}

static void dispose(rows *x)
{
    snc_free(x->xq);
    snc_free(x->sx);
    snc_free(x->y);
    snc_free(x->workspace);
}

static void compare(const matrix *m, const snc_ctx *ctx, int T, bool cold, double seconds)
{
    static double of8[ROUNDS], of4[ROUNDS];
    rows x;
    int n = 0, copies = cold ? m->copies : 1;
    prepare(&x, m, ctx, T);
    int times = (int)(200 / (turn(m, ctx, &x, copies, 1, 8) * copies)) + 1;
    turn(m, ctx, &x, copies, times, 4);
    for (double end = snc_now() + seconds; n < ROUNDS && (n < 5 || snc_now() < end); n++) {
        of8[n] = turn(m, ctx, &x, copies, times, 8);
        of4[n] = turn(m, ctx, &x, copies, times, 4);
    }
    double a = snc_median(of8, n), b = snc_median(of4, n), weights = (double)m->N * m->K;
    printf("%5d x %4d  %2d rows  %s  int8 %8.2f us %5.1f GB/s   int4 %8.2f us %5.1f GB/s   %.2f\n", m->N, m->K, T, cold ? "cold" : "warm",
           a, weights / a * 1e-3, b, 0.5625 * weights / b * 1e-3, b / a);
    fflush(stdout);
    dispose(&x);
}

static void by_size(const snc_ctx *ctx, int T, double seconds, double l2)
{
    static const double mb[SIZES] = {0.5, 1, 1.5, 2, 2.5, 3, 4, 6, 8, 12};
    static double of[SIZES][2][ROUNDS];
    enum { N = 384 };
    matrix m;
    rows x;
    int n = 0;
    make(&m, ctx, N, N, 0.5625 * (mb[SIZES - 1] + 1) * 1e6);
    prepare(&x, &m, ctx, T);
    for (double end = snc_now() + seconds * SIZES; n < ROUNDS && (n < 5 || snc_now() < end); n++)
        for (int i = 0; i < SIZES; i++)
            for (int d = 0; d < 2; d++) {
                int copies = (int)(mb[i] * 1e6 / (N * N));
                turn(&m, ctx, &x, copies, 1, d ? 4 : 8); /* what was there before goes */
                of[i][d][n] = turn(&m, ctx, &x, copies, 3, d ? 4 : 8);
            }
    for (int i = 0; i < SIZES; i++) {
        double a = snc_median(of[i][0], n), b = snc_median(of[i][1], n);
        printf("%2d rows  int8 %5.2f MB %s %6.2f us   int4 %5.2f MB %s %6.2f us   %.2f\n", T, mb[i], mb[i] * 1e6 < l2 ? "in L2" : "     ",
               a, 0.5625 * mb[i], 0.5625e6 * mb[i] < l2 ? "in L2" : "     ", b, b / a);
    }
    dispose(&x);
    drop(&m);
}

int main(int argc, char **argv)
{
    static const int shapes[][2] = {{384, 384}, {1536, 384}, {384, 1536}, {768, 768}, {3072, 768}, {768, 3072}};
    int count[MOST_ROWS] = {1, 4, 8, 16, 32}, counts = 5;
    double seconds = 0.05, l2 = l2_bytes();
    bool sizes = false;
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.threads = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--sizes") == 0) {
            sizes = true;
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = atof(argv[++i]);
        } else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc) {
            counts = 0;
            for (char *p = strtok(argv[++i], ","); p && counts < MOST_ROWS; p = strtok(NULL, ",")) count[counts++] = atoi(p);
        } else {
            fprintf(stderr, "usage: %s [--rows 1,4,8,16,32] [--seconds 0.05] [--sizes]\n", argv[0]);
            return 2;
        }
    }
    need(snc_ctx_check(&ctx));
    printf("%s, %s, L2 %.1f MB\n", snc_cpu_name(), snc_isa_name(snc_isa_now()), l2 / (1 << 20));
    for (int c = 0; c < counts && sizes; c++) by_size(&ctx, count[c], seconds, l2);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes && !sizes; s++) {
        matrix m;
        make(&m, &ctx, shapes[s][0], shapes[s][1], 3 * l2);
        for (int c = 0; c < counts; c++) {
            if ((double)m.N * m.K <= l2 / 2) compare(&m, &ctx, count[c], false, seconds);
            compare(&m, &ctx, count[c], true, seconds);
        }
        drop(&m);
    }
    return 0;
}
