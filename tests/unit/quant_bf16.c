/* The BF16 linear layer against a double reference, and embedding tables in each dtype. */
#define _POSIX_C_SOURCE 200112L /* setenv */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "quant/bf16linear.h"
#include "quant/embed.h"

/* f32 sums of up to 400 products of the rounded operands; measured 4e-7 of the sum of absolute products. */
#define SUM_TOL 2e-6

static void cap_isa(int isa) { assert_int_equal(setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1), 0); }
static void uncap_isa(void) { assert_int_equal(unsetenv("SNC_ISA"), 0); }

static float *normals(size_t n, uint64_t seed)
{
    float *p;
    snc_rng r;
    snc_rng_init(&r, seed, 0);
    assert_int_equal(snc_alloc(&p, n ? n : 1, sizeof *p), SNC_OK);
    for (size_t i = 0; i < n; i++) p[i] = (float)snc_rng_normal(&r);
    return p;
}

static double rounded(float x) { return (double)snc_bf16_to_f32(snc_bf16_from_f32(x)); }

static void check(int isa, int T, int N, int K, int n, int k, const float *W, const float *b, const float *x, float *first)
{
    snc_ctx ctx = SNC_CTX_INIT;
    int ldw = K + 2, ldx = K + 1, ldy = n + 3;
    cap_isa(isa);
    snc_bf16linear *l;
    assert_int_equal(snc_bf16linear_create(&l, &ctx, W, ldw, b, N, K), SNC_OK);
    float *y = normals((size_t)T * (size_t)ldy, 3), *many = normals((size_t)T * (size_t)ldy, 3), *old = normals((size_t)T * (size_t)ldy, 3);
    void *ws;
    assert_int_equal(snc_alloc(&ws, snc_bf16linear_workspace_size(l, T), 1), SNC_OK);
    assert_int_equal(snc_bf16linear_run(y, ldy, l, &ctx, x, ldx, T, n, k, SNC_EPI_ADD, ws), SNC_OK);
    for (int t = 0; t < T; t++) {
        for (int i = 0; i < n; i++) {
            double s = 0, size = 1;
            for (int c = 0; c < k; c++) {
                double p = rounded(x[t * ldx + c]) * rounded(W[i * ldw + c]);
                s += p;
                size += fabs(p);
            }
            assert_true(fabs((double)y[t * ldy + i] - (s + (double)b[i] + (double)old[t * ldy + i])) <= SUM_TOL * size);
        }
        for (int i = n; i < ldy; i++) assert_true(y[t * ldy + i] == old[t * ldy + i]);
    }
    /* Everything below AMX has the bits of the scalar loop. */
    if (isa == SNC_ISA_SCALAR) memcpy(first, y, (size_t)(T * ldy) * sizeof *y);
    else if (!snc_isa_covers((snc_isa)isa, SNC_ISA_AMX)) assert_memory_equal(first, y, (size_t)(T * ldy) * sizeof *y);
    ctx.threads = 3;
    assert_int_equal(snc_bf16linear_run(many, ldy, l, &ctx, x, ldx, T, n, k, SNC_EPI_ADD, ws), SNC_OK);
    assert_memory_equal(y, many, (size_t)(T * ldy) * sizeof *y);
    snc_bf16linear_free(l);
    snc_free(ws);
    snc_free(y);
    snc_free(many);
    snc_free(old);
}

static void bf16_linear_matches_double_on_every_isa(void **state)
{
    (void)state;
    static const int sizes[][4] = {{1, 1, 1, 1}, {17, 33, 17, 33}, {64, 64, 48, 64}, {50, 100, 33, 70}, {96, 400, 96, 400}};
    static const int tokens[] = {0, 1, 15, 16, 17, 33, 70};
    for (size_t s = 0; s < 5; s++)
        for (size_t i = 0; i < 7; i++) {
            int T = tokens[i], N = sizes[s][0], K = sizes[s][1], n = sizes[s][2], k = sizes[s][3];
            float *W = normals((size_t)N * (size_t)(K + 2), 1), *b = normals((size_t)N, 2), *x = normals((size_t)T * (size_t)(K + 1), 4);
            float *first = normals((size_t)T * (size_t)(n + 3), 5);
            for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) check(isa, T, N, K, n, k, W, b, x, first);
            snc_free(W);
            snc_free(b);
            snc_free(x);
            snc_free(first);
        }
    uncap_isa();
}

static void bf16_weights_come_back_from_the_packed_form(void **state)
{
    (void)state;
    enum { N = 19, K = 45 };
    snc_ctx ctx = SNC_CTX_INIT;
    float *W = normals(N * K, 7);
    snc_bf16 w[N * K], u[N * K];
    snc_bf16linear *l;
    for (int i = 0; i < N * K; i++) w[i] = snc_bf16_from_f32(W[i]);
    assert_int_equal(snc_bf16linear_create_packed(&l, &ctx, w, NULL, N, K), SNC_OK);
    snc_bf16linear_unpack(u, l, N, K);
    assert_memory_equal(w, u, sizeof w);
    snc_bf16linear_unpack(u, l, 7, 20);
    for (int n = 0; n < 7; n++) assert_memory_equal(w + n * K, u + n * 20, 20 * sizeof *w);
    snc_bf16linear_free(l);
    assert_int_equal(snc_bf16linear_create(&l, &ctx, W, K, NULL, 0, K), SNC_E_SHAPE);
    assert_null(l);
    snc_free(W);
}

/* Half a step of INT4 is a 14th of its group's top; what least squares cut off may be 0.4 of it. */
#define INT4_STEP 0.4

static void embedding_rows_decode_a_prefix(void **state)
{
    (void)state;
    enum { V = 11, C = 48, LD = 50 };
    static const snc_dtype types[] = {SNC_F32, SNC_BF16, SNC_I8, SNC_I4};
    static const int bytes[] = {4 * C, 2 * C, C + 4, C / 2 + 2 + 4};
    float *W = normals(V * LD, 9);
    for (int i = 0; i < C; i++) W[3 * LD + i] = 0.0f;
    for (int d = 0; d < 4; d++)
        for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
            cap_isa(isa);
            snc_embed *e, *view;
            assert_int_equal(snc_embed_create(&e, types[d], W, LD, V, C), SNC_OK);
            _Alignas(64) char data[V * C * 4];
            float sw[V], y[C + 1], z[C];
            uint8_t group[V * 2];
            for (int c = d == 3 ? 16 : 1; c <= C; c += d == 3 ? 16 : 11) {
                for (int v = 0; v < V; v++) {
                    y[c] = 5.0f;
                    snc_embed_row(y, e, v, c);
                    assert_true(y[c] == 5.0f);
                    double top = 0;
                    for (int i = 0; i < C; i++) top = fmax(top, fabs((double)W[v * LD + i]));
                    double tol = d == 0 ? 0 : d == 1 ? top / 256 : d == 2 ? top / 254 * 1.0001 : top * INT4_STEP;
                    for (int i = 0; i < c; i++) assert_true(fabs((double)y[i] - (double)W[v * LD + i]) <= tol);
                    for (int i = 0; i < c; i++) z[i] = (float)i;
                    snc_embed_add_row(z, e, v, c);
                    for (int i = 0; i < c; i++) assert_true(z[i] == (float)i + y[i]);
                }
            }
            snc_embed_unpack(data, group, sw, e, C);
            assert_int_equal(snc_embed_view(&view, types[d], data, d == 3 ? group : NULL, d >= 2 ? sw : NULL, V, C), SNC_OK);
            for (int v = 0; v < V; v++) {
                snc_embed_row(y, e, v, C);
                snc_embed_row(z, view, v, C);
                assert_memory_equal(y, z, sizeof z);
            }
            assert_int_equal(snc_embed_bytes(e, C), V * bytes[d]);
            snc_embed_free(e);
            snc_embed_free(view);
        }
    uncap_isa();
    snc_embed *e;
    assert_int_equal(snc_embed_create(&e, SNC_I64, W, LD, V, C), SNC_E_UNSUPPORTED);
    assert_int_equal(snc_embed_create(&e, SNC_I4, W, LD, V, 45), SNC_E_SHAPE);
    assert_null(e);
    snc_free(W);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_linear_matches_double_on_every_isa),
        cmocka_unit_test(bf16_weights_come_back_from_the_packed_form),
        cmocka_unit_test(embedding_rows_decode_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
