/* INT4 rows and the linear layer over them: the error promised, equal integers on every instruction set, prefixes, refusals. */
#define _POSIX_C_SOURCE 200112L /* setenv */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "quant/q4linear.h"
#include "quant/qlinear.h"

/* Relative squared error on normal rows; 0.0066 measured, 0.0098 for a plain scale per 32 weights. */
#define NORMAL_ERROR 0.0075

enum { N = 75, K = 208, T = 37, LDQ = 256 };

static void cap_isa(int isa) { assert_int_equal(setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1), 0); }
static void uncap_isa(void) { assert_int_equal(unsetenv("SNC_ISA"), 0); }

static float W[N * K], bias[N], sw[N], sx[T];
static uint8_t data[N * K / 2], group[N * ((K / SNC_INT4_GROUP + 1) / 2)];
static int8_t ints[N * K], xq[T * LDQ];

static int fill(void **state)
{
    snc_rng r;
    (void)state;
    snc_rng_init(&r, 3, 0);
    for (int i = 0; i < N * K; i++) W[i] = (float)snc_rng_normal(&r);
    for (int n = 0; n < N; n++) bias[n] = (float)snc_rng_normal(&r);
    for (int t = 0; t < T; t++) sx[t] = 0.01f + 0.001f * (float)t;
    for (int t = 0; t < T; t++)
        for (int k = 0; k < K; k++) xq[t * LDQ + k] = (int8_t)((int)snc_rng_below(&r, 255) - 127);
    snc_int4_quantize(data, group, sw, W, K, N, K);
    for (int n = 0; n < N; n++)
        snc_int4_expand(ints + n * K, data + (size_t)n * snc_int4_data_bytes(K), group + (size_t)n * snc_int4_group_bytes(K), K);
    return 0;
}

static double relative_error(const float *w, int k)
{
    double e = 0, s = 0;
    uint8_t d[K / 2], g[K / SNC_INT4_GROUP];
    int8_t q[K];
    float scale;
    snc_int4_quantize(d, g, &scale, w, k, 1, k);
    snc_int4_expand(q, d, g, k);
    for (int i = 0; i < k; i++) {
        double v = (double)w[i], off = v - (double)q[i] * (double)scale;
        e += off * off;
        s += v * v;
    }
    return e / s;
}

static void normal_rows_lose_under_a_hundredth(void **state)
{
    (void)state;
    double sum = 0;
    for (int n = 0; n < N; n++) sum += relative_error(W + n * K, K);
    assert_true(sum / N < NORMAL_ERROR);
    assert_true(sum / N > NORMAL_ERROR / 2); /* four bits are four bits */
}

static void representable_rows_come_back(void **state)
{
    (void)state;
    float w[32];
    for (int i = 0; i < 32; i++) w[i] = 0.5f * (float)(i % 15 - 7) * (i < 16 ? 16 : 4);
    assert_true(relative_error(w, 32) < 1e-12);
    for (int i = 0; i < 32; i++) w[i] = i == 5 ? 1e20f : 0.0f; /* one weight, however large */
    assert_true(relative_error(w, 32) < 1e-12);
}

static void zeros_are_zeros_and_nan_shows(void **state)
{
    (void)state;
    float w[2][16] = {{0}};
    uint8_t d[2][8], g[2];
    int8_t q[16];
    float s[2];
    w[1][9] = NAN;
    snc_int4_quantize(d[0], g, s, w[0], 16, 2, 16);
    assert_true(s[0] == 0.0f && isnan(s[1]));
    for (int r = 0; r < 2; r++) {
        snc_int4_expand(q, d[r], g + r, 16);
        for (int i = 0; i < 16; i++) assert_int_equal(q[i], 0);
    }
}

static void every_isa_expands_the_same(void **state)
{
    (void)state;
    int8_t q[K];
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        cap_isa(isa);
        for (int n = 0; n < N; n++) {
            snc_int4_expand(q, data + (size_t)n * snc_int4_data_bytes(K), group + (size_t)n * snc_int4_group_bytes(K), K);
            assert_memory_equal(q, ints + n * K, K);
            for (int i = 0; i < K; i++) assert_true(abs(q[i]) <= SNC_INT4_TOP * SNC_INT4_MULTIPLIERS);
        }
    }
    uncap_isa();
}

static snc_qlinear *make(const snc_ctx *ctx)
{
    snc_qlinear *l;
    assert_int_equal(snc_q4linear_create(&l, ctx, W, K, bias, N, K), SNC_OK);
    return l;
}

/* Against an INT8 layer of the expanded integers in plain C. */
static void outputs_have_the_bits_of_an_int8_layer_of_these_integers(void **state)
{
    (void)state;
    static const int shape[][3] = {{T, N, K},  {1, N, K},  {T, 64, 64}, {17, 16, 16}, {33, 70, 112}, {16, 1, 208}, {5, 48, 144},
                                   {0, N, K},  {2, N, K},  {3, 33, K},  {4, 17, 64},  {6, N, 128},   {7, N, 64},   {8, 75, K},
                                   {9, 40, K}, {10, N, K}, {11, N, K},  {12, 33, K},  {13, N, K},    {32, 75, K}};
    static const snc_epilogue epi[] = {SNC_EPI_NONE, SNC_EPI_GELU, SNC_EPI_ADD};
    static float want[T * N], got[T * N];
    snc_ctx ref = SNC_CTX_INIT;
    snc_qlinear *i8;
    ref.backend = SNC_BACKEND_REF;
    assert_int_equal(snc_qlinear_create_packed(&i8, &ref, ints, sw, bias, N, K), SNC_OK);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa))
        for (int threads = 1; threads <= 3; threads += 2)
            for (size_t s = 0; s < sizeof shape / sizeof shape[0]; s++)
                for (size_t e = 0; e < 3; e++) {
                    int t = shape[s][0], n = shape[s][1], k = shape[s][2];
                    snc_ctx ctx = SNC_CTX_INIT;
                    void *w1, *w2;
                    ctx.threads = threads;
                    cap_isa(isa);
                    snc_qlinear *l = make(&ctx);
                    assert_int_equal(snc_alloc(&w1, snc_qlinear_workspace_size(i8, &ref, T) + 64, 1), SNC_OK);
                    assert_int_equal(snc_alloc(&w2, snc_qlinear_workspace_size(l, &ctx, t), 1), SNC_OK);
                    for (int i = 0; i < T * N; i++) want[i] = got[i] = (float)(i % 7);
                    assert_int_equal(snc_qlinear_run(want, N, i8, &ref, xq, LDQ, sx, t, n, k / 64 * 64 == k ? k : K, epi[e], w1), SNC_OK);
                    assert_int_equal(snc_qlinear_run(got, N, l, &ctx, xq, LDQ, sx, t, n, k / 64 * 64 == k ? k : K, epi[e], w2), SNC_OK);
                    assert_memory_equal(got, want, sizeof want);
                    snc_free(w1);
                    snc_free(w2);
                    snc_qlinear_free(l);
                }
    uncap_isa();
    snc_qlinear_free(i8);
}

/* As bf16 beside each other and as the next layer's integers. */
static void the_other_endings_are_those_of_int8_too(void **state)
{
    (void)state;
    enum { LDY = 128 };
    static const int rows[] = {1, 9, 20, T};
    static snc_bf16 half[2][T * 2 * N];
    static int8_t yq[2][T * LDY];
    static float sy[2][T];
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa))
        for (int threads = 1; threads <= 3; threads += 2)
            for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                snc_ctx ctx = SNC_CTX_INIT;
                snc_qlinear *l[2];
                ctx.threads = threads;
                cap_isa(isa);
                assert_int_equal(snc_qlinear_create_packed(&l[0], &ctx, ints, sw, bias, N, K), SNC_OK);
                l[1] = make(&ctx);
                for (int d = 0; d < 2; d++) {
                    const snc_qlinear *both[] = {l[d], l[d]};
                    void *ws;
                    assert_int_equal(snc_alloc(&ws, snc_qlinear_q8_workspace_size(l[d], &ctx, T), 1), SNC_OK);
                    memset(half[d], 0x77, sizeof half[d]);
                    assert_int_equal(snc_qlinear_run_bf16(half[d], 2 * N, both, 2, &ctx, xq, LDQ, sx, rows[i], N, K, ws), SNC_OK);
                    memset(yq[d], 0x77, sizeof yq[d]);
                    assert_int_equal(snc_qlinear_run_q8(yq[d], LDY, sy[d], l[d], &ctx, xq, LDQ, sx, rows[i], N, K, SNC_EPI_GELU, ws),
                                     SNC_OK);
                    snc_free(ws);
                }
                assert_memory_equal(half[0], half[1], sizeof half[0]);
                assert_memory_equal(yq[0], yq[1], sizeof yq[0]);
                assert_memory_equal(sy[0], sy[1], (size_t)rows[i] * sizeof sy[0][0]);
                snc_qlinear_free(l[0]);
                snc_qlinear_free(l[1]);
            }
    uncap_isa();
}

/* A prefix of the inputs that ends inside a block of 64: the rest of xq's block is zero, as the quantizer leaves it. */
static void a_cut_inside_a_block_equals_the_dense_extract(void **state)
{
    (void)state;
    enum { n = 41, k = 112, LD = 128 };
    static float whole[T * n], cut[T * n];
    static int8_t x[T * LD];
    uint8_t d[n * k / 2], g[n * ((k / 16 + 1) / 2)];
    float s[n];
    for (int t = 0; t < T; t++) memcpy(x + t * LD, xq + t * LDQ, k);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        snc_ctx ctx = SNC_CTX_INIT;
        snc_qlinear *dense;
        void *ws;
        cap_isa(isa);
        snc_qlinear *l = make(&ctx);
        snc_q4linear_unpack(d, g, s, l, n, k);
        assert_int_equal(snc_q4linear_create_packed(&dense, &ctx, d, g, s, bias, n, k), SNC_OK);
        assert_int_equal(snc_alloc(&ws, snc_qlinear_workspace_size(l, &ctx, T), 1), SNC_OK);
        assert_int_equal(snc_qlinear_run(whole, n, l, &ctx, x, LD, sx, T, n, k, SNC_EPI_NONE, ws), SNC_OK);
        assert_int_equal(snc_qlinear_run(cut, n, dense, &ctx, x, LD, sx, T, n, k, SNC_EPI_NONE, ws), SNC_OK);
        assert_memory_equal(whole, cut, sizeof cut);
        snc_free(ws);
        snc_qlinear_free(dense);
        snc_qlinear_free(l);
    }
    uncap_isa();
}

static void the_packed_form_gives_back_what_it_took(void **state)
{
    (void)state;
    uint8_t d[sizeof data], g[sizeof group];
    float s[N];
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        snc_ctx ctx = SNC_CTX_INIT;
        cap_isa(isa);
        snc_qlinear *l = make(&ctx);
        snc_q4linear_unpack(d, g, s, l, N, K);
        assert_memory_equal(d, data, sizeof d);
        assert_memory_equal(g, group, sizeof g);
        assert_memory_equal(s, sw, sizeof s);
        snc_qlinear_free(l);
    }
    uncap_isa();
}

static void widths_outside_whole_groups_are_refused(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_qlinear *l;
    assert_int_equal(snc_q4linear_create(&l, &ctx, W, K, bias, N, 40), SNC_E_SHAPE);
    assert_non_null(strstr(snc_err_text(), "int4 linear [75, 40]"));
    assert_null(l);
    assert_int_equal(snc_q4linear_create(&l, &ctx, W, K, bias, 0, 32), SNC_E_SHAPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_rows_lose_under_a_hundredth),
        cmocka_unit_test(representable_rows_come_back),
        cmocka_unit_test(zeros_are_zeros_and_nan_shows),
        cmocka_unit_test(every_isa_expands_the_same),
        cmocka_unit_test(outputs_have_the_bits_of_an_int8_layer_of_these_integers),
        cmocka_unit_test(the_other_endings_are_those_of_int8_too),
        cmocka_unit_test(a_cut_inside_a_block_equals_the_dense_extract),
        cmocka_unit_test(the_packed_form_gives_back_what_it_took),
        cmocka_unit_test(widths_outside_whole_groups_are_refused),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
