/* The three products of every backend against a double-precision sum over the same (rounded) operands. */
#define _POSIX_C_SOURCE 200809L /* setenv, fork */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "core/dtype.h"
#include "core/gemm.h"
#include "core/gemm_bf16_priv.h"

/* Error bound relative to the sum of |a b|. f32: the worst seen over these shapes is 4e-7, from the order of the sum.
 * Operands in bf16 are compared after rounding, so only the f32 sums differ and the same bound holds. */
#define TOL_SUM 1e-5
/* Against unrounded operands: each of the two operands is off by at most 2^-9 relative, together 2^-8 = 3.9e-3 of the sum of
 * |a b|; doubled to leave no doubt. */
#define TOL_BF16 8e-3

enum { FORWARD, BACKWARD_X, BACKWARD_W, PRODUCTS };

typedef struct shape {
    int T, N, K, n, k; /* the weight is [N, K], the product uses [n, k] of it */
} shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 1},       {1, 100, 33, 100, 33},  {15, 17, 33, 17, 33},   {17, 33, 15, 33, 15},     {33, 100, 100, 100, 100},
    {16, 32, 32, 32, 32},  {32, 64, 96, 64, 96},   {64, 96, 64, 96, 64},   {40, 160, 384, 160, 384}, {33, 64, 96, 17, 33},
    {48, 100, 100, 33, 1}, {31, 96, 128, 80, 100}, {70, 128, 96, 65, 31},  {416, 96, 64, 96, 64},    {1, 96, 64, 80, 48},
    {40, 48, 48, 48, 48},  {2, 3, 384, 2, 384},    {1100, 17, 33, 17, 33},
};

enum { PAD = 5 }; /* every leading dimension is this much wider than its matrix */

typedef struct matrix {
    float *v;
    int rows, cols, ld;
} matrix;

static matrix random_matrix(int rows, int cols, uint64_t seed)
{
    matrix m = {NULL, rows, cols, cols + PAD};
    snc_rng r;
    snc_rng_init(&r, seed, 7);
    assert_int_equal(snc_alloc(&m.v, (size_t)rows * (size_t)m.ld, sizeof *m.v), SNC_OK);
    for (int i = 0; i < rows * m.ld; i++) m.v[i] = (float)snc_rng_normal(&r);
    return m;
}

static snc_ctx context(snc_backend backend, int threads)
{
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.backend = backend;
    ctx.threads = threads;
    assert_int_equal(snc_ctx_check(&ctx), SNC_OK);
    return ctx;
}

/* false: this build or CPU has no such backend. */
static bool available(snc_backend backend, snc_compute compute)
{
    snc_ctx ctx = context(backend, 1);
    snc_gemm *g;
    snc_err err = snc_gemm_create(&g, &ctx, compute, 4, 4);
    if (err != SNC_OK) assert_int_equal(err, SNC_E_UNSUPPORTED);
    snc_gemm_free(g);
    return err == SNC_OK;
}

/* Inputs of one case; all three products use the same. */
typedef struct inputs {
    shape s;
    matrix X, dY, W, b;
} inputs;

static inputs make_inputs(shape s)
{
    return (inputs){s, random_matrix(s.T, s.k, 1), random_matrix(s.T, s.n, 2), random_matrix(s.N, s.K, 3), random_matrix(1, s.N, 4)};
}

static void free_inputs(inputs *in)
{
    snc_free(in->X.v);
    snc_free(in->dY.v);
    snc_free(in->W.v);
    snc_free(in->b.v);
}

static int out_rows(shape s, int product) { return product == BACKWARD_W ? s.n : s.T; }
static int out_cols(shape s, int product) { return product == FORWARD ? s.n : s.k; }

static snc_err multiply(matrix out, snc_gemm *g, const inputs *in, const snc_gemm_weight *w, int product, bool bias, bool accumulate)
{
    shape s = in->s;
    if (product == FORWARD)
        return snc_gemm_forward(out.v, out.ld, g, in->X.v, in->X.ld, w, bias ? in->b.v : NULL, s.T, s.n, s.k, accumulate);
    if (product == BACKWARD_X) return snc_gemm_backward_x(out.v, out.ld, g, in->dY.v, in->dY.ld, w, s.T, s.n, s.k, accumulate);
    return snc_gemm_backward_w(out.v, out.ld, g, in->dY.v, in->dY.ld, in->X.v, in->X.ld, s.T, s.n, s.k, accumulate);
}

/* A fresh output with known old values, through a fresh plan. */
static matrix compute_product(snc_backend backend, snc_compute compute, int threads, const inputs *in, int product, bool bias,
                              bool accumulate)
{
    shape s = in->s;
    snc_ctx ctx = context(backend, threads);
    snc_gemm *g;
    snc_gemm_weight *w;
    matrix out = random_matrix(out_rows(s, product), out_cols(s, product), 5);
    int width = s.N > s.K ? s.N : s.K;
    assert_int_equal(snc_gemm_create(&g, &ctx, compute, s.T, width), SNC_OK);
    assert_int_equal(snc_gemm_weight_create(&w, g, in->W.v, in->W.ld, s.N, s.K), SNC_OK);
    assert_int_equal(multiply(out, g, in, w, product, bias, accumulate), SNC_OK);
    snc_gemm_weight_free(w);
    snc_gemm_free(g);
    return out;
}

static double rounded(float x, bool bf16) { return (double)(bf16 ? snc_bf16_to_f32(snc_bf16_from_f32(x)) : x); }

/* Sum and sum of magnitudes of output (i, j). */
static double exact(double *magnitude, const inputs *in, int product, int i, int j, bool bf16)
{
    shape s = in->s;
    int terms = product == FORWARD ? s.k : product == BACKWARD_X ? s.n : s.T;
    double sum = 0;
    *magnitude = 0;
    for (int t = 0; t < terms; t++) {
        float a = product == FORWARD      ? in->X.v[i * in->X.ld + t]
                  : product == BACKWARD_X ? in->dY.v[i * in->dY.ld + t]
                                          : in->dY.v[t * in->dY.ld + i];
        float b = product == FORWARD      ? in->W.v[j * in->W.ld + t]
                  : product == BACKWARD_X ? in->W.v[t * in->W.ld + j]
                                          : in->X.v[t * in->X.ld + j];
        double p = rounded(a, bf16) * rounded(b, bf16);
        sum += p;
        *magnitude += fabs(p);
    }
    return sum;
}

static double check_output(matrix out, const inputs *in, int product, bool bias, bool accumulate, bool bf16, double tol)
{
    matrix old = random_matrix(out.rows, out.cols, 5);
    double worst = 0;
    for (int i = 0; i < out.rows; i++)
        for (int j = 0; j < out.ld; j++) {
            float got = out.v[i * out.ld + j], was = old.v[i * old.ld + j];
            if (j >= out.cols) { /* between the rows: untouched */
                assert_memory_equal(&got, &was, sizeof got);
                continue;
            }
            double magnitude, want = exact(&magnitude, in, product, i, j, bf16);
            if (bias) want += (double)in->b.v[j], magnitude += fabs((double)in->b.v[j]);
            if (accumulate) want += (double)was, magnitude += fabs((double)was);
            double error = fabs((double)got - want) / magnitude;
            if (!(error <= tol))
                fail_msg("T %d n %d k %d product %d bias %d accumulate %d, output (%d, %d): %g, expected %g", in->s.T, in->s.n, in->s.k,
                         product, bias, accumulate, i, j, (double)got, want);
            if (error > worst) worst = error;
        }
    snc_free(old.v);
    return worst;
}

static void check_backend(snc_backend backend, snc_compute compute)
{
    bool bf16 = compute == SNC_COMPUTE_BF16;
    double worst = 0;
    if (!available(backend, compute)) {
        print_message("%s %s: not in this build or on this CPU\n", snc_backend_name(backend), bf16 ? "bf16" : "f32");
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        inputs in = make_inputs(shapes[i]);
        for (int product = 0; product < PRODUCTS; product++)
            for (int options = 0; options < 4; options += CHECK_EVERY) {
                bool bias = product == FORWARD && (options & 1), accumulate = options & 2;
                if (CHECK_EVERY == 1 && options & 1 && product != FORWARD) continue; /* again the same */
                matrix out = compute_product(backend, compute, 2, &in, product, bias, accumulate);
                double error = check_output(out, &in, product, bias, accumulate, bf16, TOL_SUM);
                if (error > worst) worst = error;
                if (bf16) check_output(out, &in, product, bias, accumulate, false, TOL_BF16);
                snc_free(out.v);
            }
        free_inputs(&in);
    }
    print_message("%s %s: largest error %.1e of the sum of magnitudes\n", snc_backend_name(backend), bf16 ? "bf16" : "f32", worst);
}

static void every_backend_equals_the_exact_sum(void **state)
{
    (void)state;
    for (int b = SNC_BACKEND_AUTO; b <= SNC_BACKEND_NATIVE; b++)
        for (int c = SNC_COMPUTE_F32; c <= SNC_COMPUTE_BF16; c++) check_backend((snc_backend)b, (snc_compute)c);
}

static snc_bf16 *round_matrix(matrix m)
{
    snc_bf16 *h;
    assert_int_equal(snc_alloc(&h, (size_t)m.rows * (size_t)m.ld, sizeof *h), SNC_OK);
    for (int i = 0; i < m.rows * m.ld; i++) h[i] = snc_bf16_from_f32(m.v[i]);
    return h;
}

typedef struct collector { /* a sink that puts the matrix together again */
    matrix out;
    int seen; /* elements */
} collector;

static void collect(void *user, float *y, int ld, int m0, int n0, int rows, int cols, int worker)
{
    collector *c = user;
    assert_int_equal(m0 % 16, 0);
    assert_int_equal(worker, 0);
    for (int m = 0; m < rows; m++) memcpy(c->out.v + (m0 + m) * c->out.ld + n0, y + m * ld, (size_t)cols * sizeof *y);
    c->seen += rows * cols;
}

/* Right, and the same bits whoever computed it. */
static void check_squares(double sum, matrix m, double *first)
{
    double want = 0;
    for (int i = 0; i < m.rows; i++)
        for (int j = 0; j < m.cols; j++) want += (double)m.v[i * m.ld + j] * (double)m.v[i * m.ld + j];
    assert_true(fabs(sum - want) <= TOL_SUM * want);
    if (*first < 0) *first = sum;
    assert_memory_equal(&sum, first, sizeof sum);
}

/* Operands rounded beforehand, and parts given to a sink, are the same bits as f32 operands and a matrix. */
static void check_rounded_operands(void)
{
    double first_squares[sizeof shapes / sizeof *shapes];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        inputs in = make_inputs(shapes[i]);
        shape s = in.s;
        snc_bf16 *X = round_matrix(in.X), *dY = round_matrix(in.dY);
        first_squares[i] = -1;
        for (int threads = 1; threads <= 25; threads *= 5) { /* cut by rows, by columns and both ways */
            snc_ctx ctx = context(SNC_BACKEND_NATIVE, threads);
            snc_gemm *g;
            snc_gemm_weight *w;
            assert_int_equal(snc_gemm_create(&g, &ctx, SNC_COMPUTE_BF16, s.T, s.N > s.K ? s.N : s.K), SNC_OK);
            assert_int_equal(snc_gemm_weight_create(&w, g, in.W.v, in.W.ld, s.N, s.K), SNC_OK);
            for (int p = 0; p < PRODUCTS; p++)
                for (int sunk = 0; sunk < 2 && snc_gemm_takes_bf16(g); sunk++) {
                    matrix want = random_matrix(out_rows(s, p), out_cols(s, p), 5), got = random_matrix(want.rows, want.cols, 5);
                    collector c = {got, 0};
                    snc_gemm_sink sink = {.fn = collect, .user = &c};
                    const snc_gemm_sink *to = sunk && threads == 1 ? &sink : NULL;
                    assert_int_equal(multiply(want, g, &in, w, p, true, p == BACKWARD_W), SNC_OK);
                    float *y = to ? NULL : got.v;
                    double squares;
                    if (p == FORWARD)
                        assert_int_equal(snc_gemm_forward16(y, got.ld, to, g, X, in.X.ld, w, in.b.v, s.T, s.n, s.k, false), SNC_OK);
                    if (p == BACKWARD_X)
                        assert_int_equal(snc_gemm_backward_x16(y, got.ld, to, g, dY, in.dY.ld, w, s.T, s.n, s.k, false), SNC_OK);
                    if (p == BACKWARD_W)
                        assert_int_equal(snc_gemm_backward_w16(got.v, got.ld, &squares, g, dY, in.dY.ld, X, in.X.ld, s.T, s.n, s.k, true),
                                         SNC_OK);
                    if (p == BACKWARD_W) check_squares(squares, got, &first_squares[i]);
                    if (to && p != BACKWARD_W) assert_int_equal(c.seen, got.rows * got.cols);
                    assert_memory_equal(got.v, want.v, (size_t)want.rows * (size_t)want.ld * sizeof(float));
                    snc_free(got.v);
                    snc_free(want.v);
                }
            snc_gemm_weight_free(w);
            snc_gemm_free(g);
        }
        snc_free(X);
        snc_free(dY);
        free_inputs(&in);
    }
}

static void check_threads(snc_backend backend, snc_compute compute, shape s)
{
    inputs in = make_inputs(s);
    for (int p = 0; p < PRODUCTS; p++) {
        matrix one = compute_product(backend, compute, 1, &in, p, p == FORWARD, p == BACKWARD_W);
        for (int threads = 2; threads <= CHECK_MOST_THREADS; threads *= threads == 2 ? 4 : 8) { /* 2, 8, 64 */
            matrix many = compute_product(backend, compute, threads, &in, p, p == FORWARD, p == BACKWARD_W);
            assert_memory_equal(one.v, many.v, (size_t)one.rows * (size_t)one.ld * sizeof(float));
            snc_free(many.v);
        }
        snc_free(one.v);
    }
    free_inputs(&in);
}

static void rounded_operands_change_no_bit(void **state)
{
    (void)state;
    char before[32] = "";
    const char *cap = getenv("SNC_ISA");
    if (cap) snprintf(before, sizeof before, "%s", cap);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        if (!snc_isa_covers((snc_isa)isa, SNC_ISA_BF16)) continue;
        assert_int_equal(setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1), 0);
        check_rounded_operands();
    }
    if (cap) setenv("SNC_ISA", before, 1);
    else unsetenv("SNC_ISA");
}

/* The choice of arithmetic by the clock is the same every time, and what the instructions take says which. */
static void the_best_compute_is_one(void **state)
{
    (void)state;
    char before[32] = "";
    const char *cap = getenv("SNC_ISA");
    if (cap) snprintf(before, sizeof before, "%s", cap);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        assert_int_equal(setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1), 0);
        snc_compute best = snc_gemm_best_compute();
        if (snc_isa_covers((snc_isa)isa, SNC_ISA_AMX)) assert_int_equal(best, SNC_COMPUTE_BF16);
        else if (!snc_isa_covers((snc_isa)isa, SNC_ISA_BF16)) assert_int_equal(best, SNC_COMPUTE_F32);
        else
            for (int i = 0; i < 20; i++) assert_int_equal(snc_gemm__bf16_pays(), best == SNC_COMPUTE_BF16);
    }
    if (cap) setenv("SNC_ISA", before, 1);
    else unsetenv("SNC_ISA");
}

static void bits_do_not_depend_on_the_thread_count(void **state)
{
    (void)state;
    static const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_NATIVE};
    for (int b = 0; b < 2; b++)
        for (int c = SNC_COMPUTE_F32; c <= SNC_COMPUTE_BF16; c++) {
            if (!available(backends[b], (snc_compute)c)) continue;
            for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_threads(backends[b], (snc_compute)c, shapes[i]);
        }
}

/* A narrower net sees the same numbers in a dense copy of its weights, bit for bit. */
static void ref_prefix_equals_dense_extract(void **state)
{
    (void)state;
    for (int c = SNC_COMPUTE_F32; c <= SNC_COMPUTE_BF16; c++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            shape s = shapes[i];
            inputs view = make_inputs(s), dense = make_inputs((shape){s.T, s.n, s.k, s.n, s.k});
            for (int n = 0; n < s.n; n++) memcpy(dense.W.v + n * dense.W.ld, view.W.v + n * view.W.ld, (size_t)s.k * sizeof(float));
            for (int p = 0; p < PRODUCTS; p++) {
                matrix a = compute_product(SNC_BACKEND_REF, (snc_compute)c, 2, &view, p, false, true);
                matrix b = compute_product(SNC_BACKEND_REF, (snc_compute)c, 1, &dense, p, false, true);
                assert_memory_equal(a.v, b.v, (size_t)a.rows * (size_t)a.ld * sizeof(float));
                snc_free(a.v);
                snc_free(b.v);
            }
            free_inputs(&view);
            free_inputs(&dense);
        }
}

static void sync_follows_the_master(void **state)
{
    (void)state;
    shape s = {40, 100, 70, 100, 70};
    for (int b = SNC_BACKEND_REF; b <= SNC_BACKEND_NATIVE; b++) {
        if (!available((snc_backend)b, SNC_COMPUTE_BF16)) continue;
        inputs in = make_inputs(s);
        snc_ctx ctx = context((snc_backend)b, 2);
        snc_gemm *g;
        snc_gemm_weight *w;
        assert_int_equal(snc_gemm_create(&g, &ctx, SNC_COMPUTE_BF16, s.T, 100), SNC_OK);
        assert_int_equal(snc_gemm_weight_create(&w, g, in.W.v, in.W.ld, s.N, s.K), SNC_OK);
        for (int by_rows = 0; by_rows < 2; by_rows++) {
            for (int i = 0; i < s.N * in.W.ld; i++) in.W.v[i] = -1.5f * in.W.v[i];
            if (!by_rows) snc_gemm_weight_sync(g, w);
            else
                for (int n = 0; n < s.N; n += SNC_GEMM_SYNC_ROWS)
                    snc_gemm_weight_sync_rows(g, w, n, n + SNC_GEMM_SYNC_ROWS < s.N ? n + SNC_GEMM_SYNC_ROWS : s.N);
            for (int p = FORWARD; p <= BACKWARD_X; p++) {
                matrix out = random_matrix(out_rows(s, p), out_cols(s, p), 5);
                assert_int_equal(multiply(out, g, &in, w, p, false, false), SNC_OK);
                check_output(out, &in, p, false, false, true, TOL_SUM);
                snc_free(out.v);
            }
        }
        snc_gemm_weight_free(w);
        snc_gemm_free(g);
        free_inputs(&in);
    }
}

/* One plan, many shapes: cached primitives and old scratch must not leak from one call into the next. */
static void a_plan_serves_changing_shapes(void **state)
{
    (void)state;
    static const shape runs[] = {{100, 96, 128, 96, 128}, {7, 96, 128, 33, 47},    {64, 96, 128, 96, 17},
                                 {1, 96, 128, 1, 128},    {100, 96, 128, 96, 128}, {33, 96, 128, 64, 64}};
    for (int b = SNC_BACKEND_REF; b <= SNC_BACKEND_NATIVE; b++)
        for (int c = SNC_COMPUTE_F32; c <= SNC_COMPUTE_BF16; c++) {
            if (!available((snc_backend)b, (snc_compute)c)) continue;
            snc_ctx ctx = context((snc_backend)b, 2);
            snc_gemm *g;
            snc_gemm_weight *w;
            inputs first = make_inputs(runs[0]);
            assert_int_equal(snc_gemm_create(&g, &ctx, (snc_compute)c, 100, 128), SNC_OK);
            assert_int_equal(snc_gemm_weight_create(&w, g, first.W.v, first.W.ld, 96, 128), SNC_OK);
            for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
                inputs in = make_inputs(runs[i]);
                for (int p = 0; p < PRODUCTS; p++) {
                    matrix out = random_matrix(out_rows(in.s, p), out_cols(in.s, p), 5);
                    assert_int_equal(multiply(out, g, &in, w, p, false, p == BACKWARD_W), SNC_OK);
                    check_output(out, &in, p, false, p == BACKWARD_W, c == SNC_COMPUTE_BF16, TOL_SUM);
                    snc_free(out.v);
                }
                free_inputs(&in);
            }
            snc_gemm_weight_free(w);
            snc_gemm_free(g);
            free_inputs(&first);
        }
}

static void empty_products_do_nothing_or_clear(void **state)
{
    (void)state;
    for (int b = SNC_BACKEND_REF; b <= SNC_BACKEND_NATIVE; b++)
        for (int c = SNC_COMPUTE_F32; c <= SNC_COMPUTE_BF16; c++) {
            if (!available((snc_backend)b, (snc_compute)c)) continue;
            snc_ctx ctx = context((snc_backend)b, 2);
            float W[6] = {1, 2, 3, 4, 5, 6}, x[2] = {1, 1}, y[3] = {7, 7, 7}, bias[3] = {1, 2, 3};
            snc_gemm *g;
            snc_gemm_weight *w;
            assert_int_equal(snc_gemm_create(&g, &ctx, (snc_compute)c, 1, 3), SNC_OK);
            assert_int_equal(snc_gemm_weight_create(&w, g, W, 2, 3, 2), SNC_OK);
            assert_int_equal(snc_gemm_forward(y, 3, g, x, 2, w, bias, 0, 3, 2, false), SNC_OK);
            assert_int_equal(snc_gemm_backward_x(x, 2, g, y, 3, w, 0, 3, 2, false), SNC_OK);
            assert_int_equal(snc_gemm_backward_w(W, 2, g, y, 3, x, 2, 0, 3, 2, true), SNC_OK);
            assert_true(y[0] == 7 && x[0] == 1 && W[0] == 1 && W[5] == 6);
            assert_int_equal(snc_gemm_forward(y, 3, g, x, 2, w, bias, 1, 3, 0, true), SNC_OK);
            assert_true(y[0] == 8 && y[1] == 9 && y[2] == 10);
            assert_int_equal(snc_gemm_backward_x(x, 2, g, y, 3, w, 1, 0, 2, false), SNC_OK);
            assert_true(x[0] == 0 && x[1] == 0);
            snc_gemm_weight_free(w);
            snc_gemm_free(g);
        }
}

static void wrong_sizes_are_refused(void **state)
{
    (void)state;
    snc_ctx ctx = context(SNC_BACKEND_REF, 1);
    float W[6] = {0}, x[8] = {0}, y[8] = {0};
    snc_gemm *g;
    snc_gemm_weight *w;
    assert_int_equal(snc_gemm_create(&g, &ctx, SNC_COMPUTE_F32, -1, 3), SNC_E_ARG);
    assert_int_equal(snc_gemm_create(&g, &ctx, SNC_COMPUTE_F32, 2, 3), SNC_OK);
    assert_int_equal(snc_gemm_weight_create(&w, g, W, 1, 3, 2), SNC_E_SHAPE);
    assert_null(w);
    assert_int_equal(snc_gemm_weight_create(&w, g, W, 2, 3, 2), SNC_OK);
    assert_int_equal(snc_gemm_forward(y, 3, g, x, 2, w, NULL, 3, 3, 2, false), SNC_E_SHAPE);
    assert_int_equal(snc_gemm_forward(y, 4, g, x, 2, w, NULL, 1, 4, 2, false), SNC_E_SHAPE);
    assert_int_equal(snc_gemm_backward_x(x, 3, g, y, 3, w, 1, 3, 3, false), SNC_E_SHAPE);
    assert_non_null(strstr(snc_err_text(), "[3, 2]"));
    snc_gemm_weight_free(w);
    snc_gemm_free(g);
    snc_gemm_weight_free(NULL);
    snc_gemm_free(NULL);
}

/* Native kernels of every level this CPU has; AUTO must find a backend at each. */
static void every_isa_level_is_right(void **state)
{
    (void)state;
    const char *cap = getenv("SNC_ISA");
    char before[32] = "";
    if (cap) snprintf(before, sizeof before, "%s", cap);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        print_message("SNC_ISA=%s\n", snc_isa_name((snc_isa)isa));
        assert_int_equal(setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1), 0);
        for (int c = SNC_COMPUTE_F32; c <= SNC_COMPUTE_BF16; c++) {
            assert_true(available(SNC_BACKEND_AUTO, (snc_compute)c));
            assert_true(available(SNC_BACKEND_NATIVE, (snc_compute)c) == (isa != SNC_ISA_SCALAR));
            check_backend(SNC_BACKEND_NATIVE, (snc_compute)c);
            if (available(SNC_BACKEND_NATIVE, (snc_compute)c))
                check_threads(SNC_BACKEND_NATIVE, (snc_compute)c, (shape){200, 384, 300, 384, 300});
        }
    }
    if (cap) setenv("SNC_ISA", before, 1);
    else unsetenv("SNC_ISA");
}

/* A plan that two threads have used goes on in a child of fork, where there is one. */
static void a_plan_survives_fork(void **state)
{
    static const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_BLAS, SNC_BACKEND_ONEDNN, SNC_BACKEND_NATIVE};
    (void)state;
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        for (int compute = 0; compute < 2; compute++) {
            if (!available(backends[i], (snc_compute)compute)) continue;
            snc_ctx ctx = context(backends[i], 2);
            inputs in = make_inputs((shape){416, 96, 64, 96, 64});
            matrix y = random_matrix(416, 96, 5), again = random_matrix(416, 96, 6);
            snc_gemm *g;
            snc_gemm_weight *w;
            int status = 0;
            assert_int_equal(snc_gemm_create(&g, &ctx, (snc_compute)compute, 416, 96), SNC_OK);
            assert_int_equal(snc_gemm_weight_create(&w, g, in.W.v, in.W.ld, 96, 64), SNC_OK);
            assert_int_equal(multiply(y, g, &in, w, FORWARD, true, false), SNC_OK);
            pid_t child = fork();
            if (child == 0) {
                alarm(20); /* a hang is a failure, not a wait */
                bool same = multiply(again, g, &in, w, FORWARD, true, false) == SNC_OK;
                for (int t = 0; t < 416 && same; t++)
                    for (int n = 0; n < 96 && same; n++) same = fabsf(again.v[t * again.ld + n] - y.v[t * y.ld + n]) < 1e-3f;
                _exit(same ? 0 : 1);
            }
            assert_true(child > 0);
            assert_int_equal(waitpid(child, &status, 0), child);
            if (status != 0) fail_msg("backend %s: child status %x", snc_backend_name(backends[i]), (unsigned)status);
            snc_gemm_weight_free(w);
            snc_gemm_free(g);
            snc_free(y.v);
            snc_free(again.v);
            free_inputs(&in);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_backend_equals_the_exact_sum),
        cmocka_unit_test(rounded_operands_change_no_bit),
        cmocka_unit_test(the_best_compute_is_one),
        cmocka_unit_test(bits_do_not_depend_on_the_thread_count),
        cmocka_unit_test(ref_prefix_equals_dense_extract),
        cmocka_unit_test(sync_follows_the_master),
        cmocka_unit_test(a_plan_serves_changing_shapes),
        cmocka_unit_test(empty_products_do_nothing_or_clear),
        cmocka_unit_test(a_plan_survives_fork),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(every_isa_level_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
