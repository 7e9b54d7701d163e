/* The INT8 linear layer: equal integers on every instruction set, prefixes, epilogues, odd sizes, extreme values. */
#define _POSIX_C_SOURCE 200112L /* setenv */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "quant/qlinear.h"

/* Measured 3e-7 for tanh; the sum before it has rounding of its own. */
#define EPI_TOL 2e-6
/* What epilogue.h states of the GELU of INT8 sums. */
#define QUICK_GELU_TOL 1.4e-5

static const snc_ctx ctx1 = SNC_CTX_INIT;

static void cap_isa(snc_isa isa) { assert_int_equal(setenv("SNC_ISA", snc_isa_name(isa), 1), 0); }
static void uncap_isa(void) { assert_int_equal(unsetenv("SNC_ISA"), 0); }

static void *grab(size_t n, size_t size)
{
    void *p;
    assert_int_equal(snc_alloc(&p, n, size), SNC_OK);
    return p;
}

static int up64(int k) { return (k + 63) / 64 * 64; }

/* A layer's inputs, random, and what it should give. */
typedef struct fixture {
    int T, N, K, ldq;
    int8_t *q, *xq;
    float *sw, *b, *sx;
} fixture;

static fixture make(int T, int N, int K, int amplitude, uint64_t seed)
{
    fixture f = {.T = T, .N = N, .K = K, .ldq = up64(K)};
    snc_rng r;
    snc_rng_init(&r, seed, 0);
    f.q = grab((size_t)N * (size_t)K, 1);
    f.xq = grab((size_t)T * (size_t)f.ldq, 1);
    f.sw = grab((size_t)N, sizeof(float));
    f.b = grab((size_t)N, sizeof(float));
    f.sx = grab((size_t)T, sizeof(float));
    uint32_t span = (uint32_t)(2 * amplitude + 1);
    for (size_t i = 0; i < (size_t)N * (size_t)K; i++) f.q[i] = (int8_t)((int)snc_rng_below(&r, span) - amplitude);
    for (int t = 0; t < T; t++)
        for (int k = 0; k < K; k++) f.xq[t * f.ldq + k] = (int8_t)((int)snc_rng_below(&r, span) - amplitude);
    for (int n = 0; n < N; n++) {
        f.sw[n] = (float)(0.001 + 0.001 * snc_rng_uniform(&r));
        f.b[n] = (float)snc_rng_normal(&r);
    }
    for (int t = 0; t < T; t++) f.sx[t] = (float)(0.01 + 0.01 * snc_rng_uniform(&r));
    return f;
}

static void drop(fixture *f)
{
    snc_free(f->q);
    snc_free(f->xq);
    snc_free(f->sw);
    snc_free(f->b);
    snc_free(f->sx);
}

static snc_qlinear *layer(const fixture *f, const snc_ctx *ctx)
{
    snc_qlinear *l;
    assert_int_equal(snc_qlinear_create_packed(&l, ctx, f->q, f->sw, f->b, f->N, f->K), SNC_OK);
    return l;
}

static void run(float *y, int ldy, const snc_qlinear *l, const snc_ctx *ctx, const fixture *f, const int8_t *xq, int ldq, int T, int n,
                int k, snc_epilogue epi)
{
    void *ws = grab(snc_qlinear_workspace_size(l, ctx, T), 1);
    if (snc_qlinear_run(y, ldy, l, ctx, xq, ldq, f->sx, T, n, k, epi, ws) != SNC_OK)
        fail_msg("T %d, n %d, k %d: %s", T, n, k, snc_err_text());
    snc_free(ws);
}

static int32_t exact_sum(const fixture *f, int t, int n, int k)
{
    int32_t s = 0;
    for (int i = 0; i < k; i++) s += (int32_t)f->xq[t * f->ldq + i] * f->q[n * f->K + i];
    return s;
}

/* With unit scales and no bias y is the integer itself (below 2^24 it is exact in f32). */
static void unit_scales(fixture *f)
{
    for (int n = 0; n < f->N; n++) f->sw[n] = 1.0f, f->b[n] = 0.0f;
    for (int t = 0; t < f->T; t++) f->sx[t] = 1.0f;
}

static void check_sums(const snc_ctx *ctx, fixture *f, int T, int n, int k)
{
    int ldq = up64(k), ldy = n + 3;
    int8_t *xq = grab((size_t)T * (size_t)ldq, 1);
    float *y = grab((size_t)T * (size_t)ldy, sizeof(float));
    for (int t = 0; t < T; t++) {
        memcpy(xq + (size_t)t * (size_t)ldq, f->xq + (size_t)t * (size_t)f->ldq, (size_t)k);
        for (int i = n; i < ldy; i++) y[t * ldy + i] = -7.0f;
    }
    snc_qlinear *l = layer(f, ctx);
    run(y, ldy, l, ctx, f, xq, ldq, T, n, k, SNC_EPI_NONE);
    for (int t = 0; t < T; t++) {
        for (int i = 0; i < n; i++) {
            int32_t want = exact_sum(f, t, i, k);
            if (y[t * ldy + i] != (float)want)
                fail_msg("%s T %d n %d of %d k %d of %d: y[%d, %d] = %.1f, expected %d", snc_isa_name(snc_isa_now()), T, n, f->N, k, f->K,
                         t, i, (double)y[t * ldy + i], want);
        }
        for (int i = n; i < ldy; i++) assert_true(y[t * ldy + i] == -7.0f);
    }
    snc_qlinear_free(l);
    snc_free(xq);
    snc_free(y);
}

static const int sizes[][4] = {/* N, K, n, k */
                               {16, 64, 16, 64}, {64, 64, 64, 64},     {1, 1, 1, 1},         {1, 1, 1, 1},         {17, 65, 17, 65},
                               {17, 65, 16, 64}, {48, 128, 33, 100},   {80, 192, 80, 192},   {80, 192, 5, 32},     {112, 96, 97, 96},
                               {30, 7, 29, 6},   {384, 384, 320, 288}, {96, 1536, 96, 1536}, {96, 1536, 64, 1000}, {130, 312, 130, 312}};
static const int tokens[] = {0, 1, 2, 3, 5, 6, 7, 11, 12, 15, 16, 17, 31, 32, 33, 49, 64, 65, 90, 96, 100, 129, 257, 300};

static void walk(const snc_ctx *ctx)
{
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        fixture f = make(300, sizes[s][0], sizes[s][1], 127, 10 + s);
        unit_scales(&f);
        for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
            if (tokens[i] <= 100 || sizes[s][0] * sizes[s][1] < 20000) check_sums(ctx, &f, tokens[i], sizes[s][2], sizes[s][3]);
        drop(&f);
    }
}

static void integer_sums_are_exact_on_every_isa(void **state)
{
    (void)state;
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        cap_isa((snc_isa)isa);
        walk(&ctx1);
    }
    uncap_isa();
}

static void integer_sums_are_exact_on_ref_and_onednn(void **state)
{
    (void)state;
    snc_ctx c = SNC_CTX_INIT;
    c.backend = SNC_BACKEND_REF;
    walk(&c);
#ifdef SNC_WITH_ONEDNN
    c.backend = SNC_BACKEND_ONEDNN;
    walk(&c);
#endif
}

static void extreme_values_do_not_saturate(void **state)
{
    (void)state;
    static const int8_t ends[] = {-127, 127, -128};
    enum { N = 40, K = 1000, T = 19 };
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa))
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) {
                fixture f = make(T, N, K, 1, 3);
                unit_scales(&f);
                memset(f.q, ends[a], (size_t)N * K);
                for (int t = 0; t < T; t++) memset(f.xq + t * f.ldq, ends[b], K);
                cap_isa((snc_isa)isa);
                check_sums(&ctx1, &f, T, N, K);
                drop(&f);
            }
    uncap_isa();
}

static double activation(double v, snc_epilogue epi, double old)
{
    switch (epi) {
    case SNC_EPI_NONE: return v;
    case SNC_EPI_GELU: return 0.5 * v * (1.0 + erf(v / sqrt(2.0)));
    case SNC_EPI_GELU_TANH: return 0.5 * v * (1.0 + tanh(sqrt(2.0 / acos(-1.0)) * (v + 0.044715 * v * v * v)));
    case SNC_EPI_RELU: return v > 0 ? v : 0;
    case SNC_EPI_TANH: return tanh(v);
    case SNC_EPI_ADD: return v + old;
    }
    return NAN;
}

static void epilogues_match_double_and_are_equal_bits_on_every_isa(void **state)
{
    (void)state;
    enum { T = 37, N = 75, K = 130 };
    fixture f = make(T, N, K, 127, 5);
    float *y = grab(T * N, sizeof(float)), *first = grab(T * N, sizeof(float));
    for (int epi = SNC_EPI_NONE; epi <= SNC_EPI_ADD; epi++)
        for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
            cap_isa((snc_isa)isa);
            snc_qlinear *l = layer(&f, &ctx1);
            for (int i = 0; i < T * N; i++) y[i] = (float)(i % 13) - 6.0f;
            run(y, N, l, &ctx1, &f, f.xq, f.ldq, T, N, K, (snc_epilogue)epi);
            for (int t = 0; t < T; t++)
                for (int n = 0; n < N; n++) {
                    double s = exact_sum(&f, t, n, K);
                    double want =
                        activation(s * (double)f.sx[t] * (double)f.sw[n] + (double)f.b[n], (snc_epilogue)epi, (t * N + n) % 13 - 6.0);
                    double tol = EPI_TOL * (1.0 + fabs(want)) + (epi == SNC_EPI_GELU ? QUICK_GELU_TOL : 0);
                    assert_true(fabs((double)y[t * N + n] - want) <= tol);
                }
            if (isa == SNC_ISA_SCALAR) memcpy(first, y, T * N * sizeof *y);
            else assert_memory_equal(first, y, T * N * sizeof *y);
            snc_qlinear_free(l);
        }
    uncap_isa();
    snc_free(y);
    snc_free(first);
    drop(&f);
}

static void activations_hold_their_stated_error(void **state)
{
    (void)state;
    enum { N = 200001 };
    static const double bound[] = {0, 1e-6, 1e-6, 0, 3e-7};
    float *x = grab(N, sizeof(float)), *y = grab(N, sizeof(float));
    for (int i = 0; i < N; i++) x[i] = -20.0f + 40.0f * (float)i / (float)(N - 1);
    for (int epi = SNC_EPI_GELU; epi <= SNC_EPI_TANH; epi++) {
        memcpy(y, x, N * sizeof *y);
        snc_epilogue_rows(y, N, NULL, 1, N, (snc_epilogue)epi);
        for (int i = 0; i < N; i++) {
            double e = fabs((double)y[i] - activation((double)x[i], (snc_epilogue)epi, 0));
            double slack = epi == SNC_EPI_TANH ? 0 : epi == SNC_EPI_GELU ? 6e-8 : 3e-7;
            if (e > bound[epi] + slack * fabs((double)x[i])) fail_msg("epilogue %d at %g: error %g", epi, (double)x[i], e);
        }
    }
    static const float wild[] = {INFINITY, 1e30f, -1e30f, NAN};
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        cap_isa((snc_isa)isa);
        for (int epi = SNC_EPI_GELU; epi <= SNC_EPI_TANH; epi++) {
            float v[20];
            for (int i = 0; i < 20; i++) v[i] = wild[i % 4];
            snc_epilogue_rows(v, 20, NULL, 1, 20, (snc_epilogue)epi);
            for (int i = 0; i < 20; i++) {
                if (i % 4 == 3) assert_true(isnan(v[i]));
                else if (i % 4 == 2) assert_true(epi == SNC_EPI_TANH ? v[i] == -1.0f : fabsf(v[i]) < 1e-6f);
                else assert_true(epi == SNC_EPI_TANH ? v[i] == 1.0f : v[i] == wild[i % 4]);
            }
        }
    }
    uncap_isa();
    snc_free(x);
    snc_free(y);
}

/* With inputs of zero the sum is the bias: the quick GELU on a line of points, and on what is no number to be proud of. */
static void quick_gelu_holds_its_stated_error(void **state)
{
    (void)state;
    enum { N = 20001 };
    int8_t *q = grab(N, 1), xq[64] = {0};
    float *sw = grab(N, sizeof(float)), *b = grab(N, sizeof(float)), *y = grab(N, sizeof(float)), sx = 1.0f;
    for (int i = 0; i < N; i++) b[i] = -10.0f + 20.0f * (float)i / (float)(N - 1), sw[i] = 1.0f;
    b[0] = 1e30f, b[1] = -1e30f, b[2] = NAN;
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        cap_isa((snc_isa)isa);
        snc_qlinear *l;
        assert_int_equal(snc_qlinear_create_packed(&l, &ctx1, q, sw, b, N, 1), SNC_OK);
        void *ws = grab(snc_qlinear_workspace_size(l, &ctx1, 1), 1);
        assert_int_equal(snc_qlinear_run(y, N, l, &ctx1, xq, 64, &sx, 1, N, 1, SNC_EPI_GELU, ws), SNC_OK);
        assert_true(y[0] == 1e30f && fabsf(y[1]) < 2e-5f && isnan(y[2]));
        for (int i = 3; i < N; i++) {
            double e = fabs((double)y[i] - activation((double)b[i], SNC_EPI_GELU, 0));
            if (e > QUICK_GELU_TOL) fail_msg("%s: gelu(%g) is off by %g", snc_isa_name((snc_isa)isa), (double)b[i], e);
        }
        snc_free(ws);
        snc_qlinear_free(l);
    }
    uncap_isa();
    snc_free(q);
    snc_free(sw);
    snc_free(b);
    snc_free(y);
}

static void bf16_output_is_the_rounded_sum_on_every_isa(void **state)
{
    (void)state;
    enum { T = 70, N = 75, K = 130, LD = 160 };
    fixture f = make(T, N, K, 127, 5), g = make(T, N, K, 90, 6); /* two layers beside each other */
    float *y = grab(T * N, sizeof(float)), *y2 = grab(T * N, sizeof(float));
    snc_bf16 *h = grab(T * LD, sizeof *h);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        cap_isa((snc_isa)isa);
        snc_qlinear *l[2] = {layer(&f, &ctx1), layer(&g, &ctx1)};
        void *ws = grab(snc_qlinear_workspace_size(l[0], &ctx1, T), 1);
        run(y, N, l[0], &ctx1, &f, f.xq, f.ldq, T, N, K, SNC_EPI_NONE);
        run(y2, N, l[1], &ctx1, &f, f.xq, f.ldq, T, N, K, SNC_EPI_NONE);
        for (int threads = 1; threads <= 2; threads++) {
            snc_ctx c = SNC_CTX_INIT;
            c.threads = threads;
            for (int i = 0; i < T * LD; i++) h[i] = 0x7777;
            const snc_qlinear *both[2] = {l[0], l[1]};
            assert_int_equal(snc_qlinear_run_bf16(h, LD, both, 2, &c, f.xq, f.ldq, f.sx, T, N, K, ws), SNC_OK);
            for (int t = 0; t < T; t++)
                for (int n = 0; n < LD; n++) {
                    float want = n < N ? y[t * N + n] : n < 2 * N ? y2[t * N + n - N] : 0;
                    assert_int_equal(h[t * LD + n], n < 2 * N ? snc_bf16_from_f32(want) : 0x7777);
                }
        }
        snc_free(ws);
        snc_qlinear_free(l[0]);
        snc_qlinear_free(l[1]);
    }
    uncap_isa();
    snc_free(y);
    snc_free(y2);
    snc_free(h);
    drop(&f);
    drop(&g);
}

static void rows_quantize_alike_on_every_isa(void **state)
{
    (void)state;
    enum { T = 9 };
    static const int widths[] = {1, 3, 16, 31, 32, 63, 64, 65, 96, 100, 384, 1000};
    snc_rng r;
    snc_rng_init(&r, 11, 0);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        int k = widths[w], ldx = k + 5, ldq = up64(k) + 64;
        float *x = grab((size_t)(T * ldx), sizeof(float)), sx[T], s0[T];
        int8_t *q = grab((size_t)(T * ldq), 1), *q0 = grab((size_t)(T * ldq), 1);
        for (int i = 0; i < T * ldx; i++) x[i] = (float)snc_rng_normal(&r);
        for (int i = 0; i < k; i++) {
            x[1 * ldx + i] = 0.0f;
            x[2 * ldx + i] = (float)(i % 7) - 3.0f;           /* ties: multiples of max / 127 * ... */
            x[3 * ldx + i] = 1e-38f;                          /* counts as zero */
            x[4 * ldx + i] = ((float)(i % 255) - 127.0f) / 2; /* halves, some exactly between integers after scaling */
        }
        x[5 * ldx + k - 1] = NAN;
        x[6 * ldx + k / 2] = -INFINITY;
        x[7 * ldx + k - 1] = -100.0f;
        for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
            cap_isa((snc_isa)isa);
            memset(q, 77, (size_t)(T * ldq));
            snc_quantize_rows(q, sx, x, ldx, T, k, ldq);
            if (isa == SNC_ISA_SCALAR) {
                memcpy(q0, q, (size_t)(T * ldq));
                memcpy(s0, sx, sizeof sx);
            }
            assert_memory_equal(q0, q, (size_t)(T * ldq));
            assert_memory_equal(s0, sx, sizeof sx);
        }
        for (int t = 0; t < T; t++)
            for (int i = k; i < ldq; i++) assert_int_equal(q[t * ldq + i], 0);
        assert_true(sx[1] == 0.0f && sx[3] == 0.0f && isnan(sx[5]) && isnan(sx[6]));
        for (int i = 0; i < k; i++) {
            assert_int_equal(q[1 * ldq + i], 0);
            assert_true(fabs((double)x[i] - (double)sx[0] * q[i]) <= (double)sx[0] * 0.5001);
        }
        assert_int_equal(q[7 * ldq + k - 1], -127);
        snc_free(x);
        snc_free(q);
        snc_free(q0);
    }
    uncap_isa();
}

static void zero_rows_and_columns_give_the_bias(void **state)
{
    (void)state;
    enum { N = 20, K = 70, T = 3 };
    float W[N * K], b[N], x[T * K] = {0}, sx[T], y[T * N];
    int8_t xq[T * 128];
    for (int i = 0; i < N * K; i++) W[i] = i / K % 2 ? 0.0f : (float)(i % 5) - 2.0f;
    for (int i = 0; i < N; i++) b[i] = (float)i;
    for (int i = 0; i < K; i++) x[K + i] = 1.0f;
    snc_quantize_rows(xq, sx, x, K, T, K, 128);
    snc_qlinear *l;
    assert_int_equal(snc_qlinear_create(&l, &ctx1, W, K, b, N, K), SNC_OK);
    void *ws = grab(snc_qlinear_workspace_size(l, &ctx1, T), 1);
    assert_int_equal(snc_qlinear_run(y, N, l, &ctx1, xq, 128, sx, T, N, K, SNC_EPI_NONE, ws), SNC_OK);
    for (int t = 0; t < T; t++)
        for (int n = 0; n < N; n++)
            if (t != 1 || n % 2) assert_true(y[t * N + n] == b[n]);
            else assert_true(isfinite(y[t * N + n]));
    snc_free(ws);
    snc_qlinear_free(l);
}

static void unpack_returns_what_was_quantized(void **state)
{
    (void)state;
    enum { N = 37, K = 150, LDW = 160 };
    float *W = grab(N * LDW, sizeof(float)), sw[N], su[N];
    int8_t *q = grab(N * K, 1), *u = grab(N * K, 1);
    snc_rng r;
    snc_rng_init(&r, 21, 0);
    for (int i = 0; i < N * LDW; i++) W[i] = (float)snc_rng_normal(&r);
    for (int i = 0; i < K; i++) W[5 * LDW + i] = 0.0f;
    snc_quantize_weight(q, sw, W, LDW, N, K);
    for (int isa = SNC_ISA_SCALAR; isa <= SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        snc_ctx c = SNC_CTX_INIT;
        if (isa == SNC_ISA_COUNT) {
#ifdef SNC_WITH_ONEDNN
            c.backend = SNC_BACKEND_ONEDNN;
#endif
            uncap_isa();
        } else {
            cap_isa((snc_isa)isa);
        }
        snc_qlinear *l, *again;
        assert_int_equal(snc_qlinear_create(&l, &c, W, LDW, NULL, N, K), SNC_OK);
        snc_qlinear_unpack(u, su, l, N, K);
        assert_memory_equal(q, u, N * K);
        assert_memory_equal(sw, su, sizeof sw);
        snc_qlinear_unpack(u, su, l, 20, 77);
        for (int n = 0; n < 20; n++) assert_memory_equal(q + n * K, u + n * 77, 77);
        /* Made from the integers, the layer computes the same bits. */
        assert_int_equal(snc_qlinear_create_packed(&again, &c, q, sw, NULL, N, K), SNC_OK);
        fixture f = make(18, N, K, 127, 4);
        float y0[18 * N], y1[18 * N];
        run(y0, N, l, &c, &f, f.xq, f.ldq, 18, N, K, SNC_EPI_GELU);
        run(y1, N, again, &c, &f, f.xq, f.ldq, 18, N, K, SNC_EPI_GELU);
        assert_memory_equal(y0, y1, sizeof y0);
        drop(&f);
        snc_qlinear_free(l);
        snc_qlinear_free(again);
    }
    uncap_isa();
    snc_free(W);
    snc_free(q);
    snc_free(u);
}

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const int T[] = {1, 33, 130, 700};
    enum { N = 400, K = 500 };
    fixture f = make(700, N, K, 127, 8);
    float *one = grab(700 * N, sizeof(float)), *many = grab(700 * N, sizeof(float));
    for (int isa = snc_isa_next(SNC_ISA_SCALAR); isa < SNC_ISA_COUNT; isa = snc_isa_next(isa))
        for (int i = 0; i < 4; i++) {
            cap_isa((snc_isa)isa);
            snc_qlinear *l = layer(&f, &ctx1);
            run(one, N, l, &ctx1, &f, f.xq, f.ldq, T[i], N, K, SNC_EPI_GELU);
            for (int threads = 2; threads <= 5; threads += 3) {
                snc_ctx c = SNC_CTX_INIT;
                c.threads = threads;
                memset(many, 0, 700 * N * sizeof(float));
                run(many, N, l, &c, &f, f.xq, f.ldq, T[i], N, K, SNC_EPI_GELU);
                assert_memory_equal(one, many, (size_t)(T[i] * N) * sizeof(float));
            }
            snc_qlinear_free(l);
        }
    uncap_isa();
    snc_free(one);
    snc_free(many);
    drop(&f);
}

/* Every f16 comes back, and between two neighbours the nearer one is taken, the even one in the middle. */
static void f16_rounds_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x7c00; h++) {
        float low = snc_f16_to_f32((uint16_t)h), high = h + 1 < 0x7c00 ? snc_f16_to_f32((uint16_t)(h + 1)) : 65536.0f;
        float middle = 0.5f * (low + high);
        assert_int_equal(snc_f16_from_f32(low), h);
        assert_int_equal(snc_f16_from_f32(-low), h | 0x8000);
        assert_int_equal(snc_f16_from_f32(nextafterf(middle, low)), h);
        assert_int_equal(snc_f16_from_f32(middle), h + (h & 1));
        assert_int_equal(snc_f16_from_f32(nextafterf(middle, high)), h + 1);
    }
    assert_int_equal(snc_f16_from_f32(INFINITY), 0x7c00);
    assert_int_equal(snc_f16_from_f32(1e30f), 0x7c00);
    assert_int_equal(snc_f16_from_f32(1e-30f), 0);
    assert_true(isnan(snc_f16_to_f32(snc_f16_from_f32(NAN))));
}

static void values_beyond_f16_show(void **state)
{
    (void)state;
    enum { N = 40, K = 64 };
    fixture f = make(1, N, K, 127, 3);
    int8_t q[64];
    float s;
    f.b[7] = 70000.0f;
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        cap_isa((snc_isa)isa);
        snc_qlinear *l = layer(&f, &ctx1);
        void *ws = grab(snc_qlinear_q8_workspace_size(l, &ctx1, 1), 1);
        assert_int_equal(snc_qlinear_run_q8(q, 64, &s, l, &ctx1, f.xq, f.ldq, f.sx, 1, N, K, SNC_EPI_GELU, ws), SNC_OK);
        assert_true(isnan(s));
        snc_free(ws);
        snc_qlinear_free(l);
    }
    uncap_isa();
    drop(&f);
}

static void fused_int8_output_equals_run_then_quantize(void **state)
{
    (void)state;
    static const int T[] = {0, 1, 7, 64, 65, 200};
    enum { N = 75, K = 130, LDY = 128 };
    fixture f = make(200, N, K, 127, 9);
    float *y = grab(200 * N, sizeof(float)), s0[200], s1[200];
    int8_t *q0 = grab(200 * LDY, 1), *q1 = grab(200 * LDY, 1);
    for (int isa = SNC_ISA_SCALAR; isa <= SNC_ISA_COUNT; isa = snc_isa_next(isa))
        for (int i = 0; i < 6; i++)
            for (int threads = 1; threads <= 2; threads++) {
                snc_ctx c = SNC_CTX_INIT;
                c.threads = threads;
#ifdef SNC_WITH_ONEDNN
                if (isa == SNC_ISA_COUNT) c.backend = SNC_BACKEND_ONEDNN;
#endif
                cap_isa(isa == SNC_ISA_COUNT ? snc_isa_hardware() : (snc_isa)isa);
                snc_qlinear *l = layer(&f, &c);
                run(y, N, l, &c, &f, f.xq, f.ldq, T[i], N, K, SNC_EPI_GELU);
                snc_quantize_rows(q0, s0, y, N, T[i], N, LDY);
                for (int v = 0; v < T[i] * N; v++) {
                    float most = 0;
                    for (int n = 0; n < N; n++) most = fmaxf(most, fabsf(y[v / N * N + n]));
                    q0[v / N * LDY + v % N] = (int8_t)lrintf(snc_f16_to_f32(snc_f16_from_f32(y[v])) * (127.0f / most));
                }
                memset(q1, 77, 200 * LDY);
                void *ws = grab(snc_qlinear_q8_workspace_size(l, &c, T[i]), 1);
                assert_int_equal(snc_qlinear_run_q8(q1, LDY, s1, l, &c, f.xq, f.ldq, f.sx, T[i], N, K, SNC_EPI_GELU, ws), SNC_OK);
                assert_memory_equal(q0, q1, (size_t)(T[i] * LDY));
                assert_memory_equal(s0, s1, (size_t)T[i] * sizeof *s0);
                assert_int_equal(snc_qlinear_run_q8(q1, LDY, s1, l, &c, f.xq, f.ldq, f.sx, T[i], N, K, SNC_EPI_ADD, ws), SNC_E_ARG);
                snc_free(ws);
                snc_qlinear_free(l);
            }
    uncap_isa();
    snc_free(y);
    snc_free(q0);
    snc_free(q1);
    drop(&f);
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    int8_t q[4] = {0};
    float s[4] = {0};
    snc_qlinear *l;
    assert_int_equal(snc_qlinear_create_packed(&l, &ctx1, q, s, NULL, 0, 4), SNC_E_SHAPE);
    assert_null(l);
    assert_int_equal(snc_qlinear_create_packed(&l, &ctx1, q, s, NULL, 1, 200000), SNC_E_SHAPE);
    assert_int_equal(snc_qlinear_create(&l, &ctx1, s, 0, NULL, 4, 0), SNC_E_SHAPE);
    assert_null(l);
    snc_qlinear_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integer_sums_are_exact_on_every_isa),
        cmocka_unit_test(integer_sums_are_exact_on_ref_and_onednn),
        cmocka_unit_test(extreme_values_do_not_saturate),
        cmocka_unit_test(epilogues_match_double_and_are_equal_bits_on_every_isa),
        cmocka_unit_test(activations_hold_their_stated_error),
        cmocka_unit_test(quick_gelu_holds_its_stated_error),
        cmocka_unit_test(bf16_output_is_the_rounded_sum_on_every_isa),
        cmocka_unit_test(rows_quantize_alike_on_every_isa),
        cmocka_unit_test(zero_rows_and_columns_give_the_bias),
        cmocka_unit_test(unpack_returns_what_was_quantized),
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(f16_rounds_to_nearest_even),
        cmocka_unit_test(values_beyond_f16_show),
        cmocka_unit_test(fused_int8_output_equals_run_then_quantize),
        cmocka_unit_test(impossible_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
