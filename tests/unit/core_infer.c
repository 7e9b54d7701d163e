/* The inference kernels on every ISA of this CPU against their ref twins. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "core/dtype.h"
#include "core/infer.h"

static const float F32_TOLERANCE = 2e-6f;   /* of values of order 1: reordered f32 sums, vector exp */
static const float BF16_TOLERANCE = 2e-2f;  /* two bf16 roundings of values up to 4 */
static const float ORDER_TOLERANCE = 4e-3f; /* a score that falls to the other side of a rounding moves one probability by 0.8 % */

static float *normal(size_t n, uint64_t stream, double dev)
{
    float *x = NULL;
    snc_rng r;
    assert_int_equal(snc_alloc(&x, n, sizeof *x), SNC_OK);
    snc_rng_init(&r, 7, stream);
    for (size_t i = 0; i < n; i++) x[i] = (float)(snc_rng_normal(&r) * dev);
    return x;
}

static float distance(const float *a, const float *b, size_t n)
{
    float m = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(a[i]));
        m = fmaxf(m, fabsf(a[i] - b[i]));
    }
    return m;
}

static void norm_equals_ref_on_every_isa(void **state)
{
    (void)state;
    static const int widths[] = {1, 3, 8, 16, 17, 24, 31, 32, 48, 100, 384, 771};
    enum { T = 3, LD = 800 };
    float *x = normal(T * LD, 1, 2.0), *g = normal(LD, 2, 1.0), *b = normal(LD, 3, 1.0);
    float *want = normal(T * LD, 4, 1.0), *got = normal(T * LD, 4, 1.0);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int isa = snc_isa_next(SNC_ISA_SCALAR); isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
            int C = widths[i];
            snc_infer_norm(want, LD, x, LD, g, b, T, C, 1e-12f, SNC_ISA_SCALAR);
            snc_infer_norm(got, LD, x, LD, g, b, T, C, 1e-12f, (snc_isa)isa);
            assert_true(distance(got, want, T * LD) < 4 * F32_TOLERANCE); /* also: nothing written beyond C */
        }
    snc_free(x), snc_free(g), snc_free(b), snc_free(want), snc_free(got);
}

static void dots_equal_ref_on_every_isa(void **state)
{
    (void)state;
    static const int widths[] = {1, 7, 16, 33, 63, 384};
    float *x = normal(2 * 400, 1, 1), *w = normal(3 * 400, 2, 1), b[3] = {1, 2, 3}, want[6], got[6];
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int isa = snc_isa_next(SNC_ISA_SCALAR); isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
            snc_infer_dot(want, 3, x, 400, w, 400, b, 2, 3, widths[i], SNC_ISA_SCALAR);
            snc_infer_dot(got, 3, x, 400, w, 400, b, 2, 3, widths[i], (snc_isa)isa);
            assert_true(distance(got, want, 6) < 1e-4f);
        }
    snc_free(x), snc_free(w);
}

/* Of texts of every rest of four rows, and as many columns as rows or one. */
static void slides_equal_ref_on_every_isa(void **state)
{
    enum { MOST = 70, LD = 2 * MOST - 1 + SNC_INFER_SLIDE_ROOM, LDX = 40 };
    static const int rows[] = {1, 2, 3, 4, 5, 16, 17, 33, 70}, widths[] = {1, 8, 20, 40};
    float *x = normal(MOST * LDX, 1, 1), *w = normal((size_t)LDX * LD, 2, 1);
    (void)state;
    for (size_t i = 0; i < 4 * sizeof rows / sizeof *rows; i++)
        for (int one = 0; one < 2; one++)
            for (int isa = snc_isa_next(SNC_ISA_SCALAR); isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
                int T = rows[i / 4], k = widths[i % 4];
                float *want = normal(MOST * MOST, 3, 1), *got = normal(MOST * MOST, 3, 1);
                snc_infer_slide(want, MOST, x, LDX, w + MOST - 1, LD, T, one ? 1 : T, k, SNC_ISA_SCALAR);
                snc_infer_slide(got, MOST, x, LDX, w + MOST - 1, LD, T, one ? 1 : T, k, (snc_isa)isa);
                assert_true(distance(got, want, MOST * MOST) < 2e-5f); /* also: nothing written beyond the columns */
                float sum = 0;
                for (int c = 0; c < k; c++) sum += x[(T - 1) * LDX + c] * w[c * LD + MOST - 1 - (T - 1)];
                assert_true(fabsf(want[(T - 1) * MOST] - sum) < 1e-6f);
                snc_free(want), snc_free(got);
            }
    snc_free(x), snc_free(w);
}

/* With a bias by distance, of which the next query stands one place before: one in four keys is let go, never a query's own. */
enum { FAR = 257, RUN = 2 * FAR - 1 };

static const snc_infer_bias *bias_of(float run[3 * RUN], snc_infer_bias *b)
{
    snc_rng r;
    snc_rng_init(&r, 9, 9);
    for (int i = 0; i < 3 * RUN; i++) run[i] = i % RUN != FAR - 1 && snc_rng_below(&r, 4) == 0 ? -INFINITY : (float)snc_rng_normal(&r);
    *b = (snc_infer_bias){run + FAR - 1, -1, RUN};
    return b;
}

static void check_attention(int nq, int nk, int D, double spread, const snc_infer_bias *bias)
{
    enum { LD = 200 };
    float *q = normal((size_t)nk * LD, 1, spread), *k = normal((size_t)nk * LD, 2, spread), *v = normal((size_t)nk * LD, 3, 1);
    float *want = normal((size_t)nk * LD, 4, 1), *got = normal((size_t)nk * LD, 4, 1), *exact = normal((size_t)nk * LD, 4, 1);
    void *scratch = NULL;
    float scale = 1.0f / sqrtf((float)D);
    assert_int_equal(snc_alloc(&scratch, snc_infer_attention_scratch(nk, D), 1), SNC_OK);
    snc_infer_attention(exact, LD, q, LD, k, v, LD, nq, nk, D, scale, bias, false, SNC_ISA_SCALAR, scratch);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        snc_infer_attention(want, LD, q, LD, k, v, LD, nq, nk, D, scale, bias, bf16, SNC_ISA_SCALAR, scratch);
        assert_true(distance(want, exact, (size_t)nk * LD) < (bf16 ? BF16_TOLERANCE * (float)fmax(1, spread) : 1e-30f));
        for (int isa = snc_isa_next(SNC_ISA_SCALAR); isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
            snc_infer_attention(got, LD, q, LD, k, v, LD, nq, nk, D, scale, bias, bf16, (snc_isa)isa, scratch);
            float far = distance(got, want, (size_t)nk * LD), tolerance = bf16 ? ORDER_TOLERANCE : 4 * F32_TOLERANCE;
            if (far >= tolerance)
                print_error("nq %d nk %d D %d %s bf16 %d: %g\n", nq, nk, D, snc_isa_name((snc_isa)isa), bf16, (double)far);
            assert_true(far < tolerance);
        }
    }
    snc_free(exact);
    snc_free(q), snc_free(k), snc_free(v), snc_free(want), snc_free(got), snc_free(scratch);
}

/* Several heads side by side, with bf16 operands, against one head at a time in f32, and each set against the reference. */
static void check_bf16(int heads, int nk, int D, const snc_infer_bias *bias)
{
    int A = heads * D, ld = 3 * A + 5;
    size_t n = (size_t)nk * (size_t)ld;
    float *x = normal(n, 1, 1), *want = normal((size_t)nk * (size_t)A, 4, 1), *got = normal((size_t)nk * (size_t)A, 4, 1);
    float scale = 1.0f / sqrtf((float)D);
    snc_bf16 *h = NULL;
    void *scratch = NULL;
    assert_int_equal(snc_alloc(&h, n, sizeof *h), SNC_OK);
    assert_int_equal(snc_alloc(&scratch, snc_infer_attention_scratch(nk, D), 1), SNC_OK);
    for (size_t i = 0; i < n; i++) h[i] = snc_bf16_from_f32(x[i]), x[i] = snc_bf16_to_f32(h[i]);
    for (int i = 0; i < heads; i++) {
        snc_infer_bias own = {bias ? bias->at + i * bias->head : NULL, bias ? bias->query : 0, 0};
        snc_infer_attention(want + i * D, A, x + i * D, ld, x + A + i * D, x + 2 * A + i * D, ld, nk, nk, D, scale, &own, false,
                            SNC_ISA_SCALAR, scratch);
    }
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        snc_infer_attention_bf16(got, A, h, ld, h + A, h + 2 * A, ld, heads, nk, nk, D, scale, bias, (snc_isa)isa, scratch);
        assert_true(distance(got, want, (size_t)nk * (size_t)A) < (isa == SNC_ISA_SCALAR ? BF16_TOLERANCE : ORDER_TOLERANCE));
        if (isa == SNC_ISA_SCALAR) memcpy(want, got, (size_t)nk * (size_t)A * sizeof *got);
    }
    snc_free(x), snc_free(want), snc_free(got), snc_free(h), snc_free(scratch);
}

static void attention_of_bf16_rows_equals_f32(void **state)
{
    static float run[3 * RUN];
    snc_infer_bias bias;
    (void)state;
    static const int lengths[] = {1, 2, 15, 16, 17, 31, 33, 48, 64, 100, 128, 257}, widths[] = {4, 20, 32, 40, 64, 96};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t j = 0; j < sizeof widths / sizeof *widths; j++) {
            check_bf16(3, lengths[i], widths[j], NULL);
            if (j % 2) check_bf16(3, lengths[i], widths[j], bias_of(run, &bias));
        }
}

static void attention_equals_ref_on_every_isa(void **state)
{
    static float run[3 * RUN];
    snc_infer_bias bias;
    (void)state;
    static const int lengths[] = {1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 100, 128, 257};
    static const int widths[] = {4, 8, 16, 20, 32, 40, 64, 96};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t j = 0; j < sizeof widths / sizeof *widths; j++) {
            check_attention(lengths[i], lengths[i], widths[j], 1.0, NULL);
            check_attention(1, lengths[i], widths[j], 1.0, NULL);
            if (j % 3 == 0) check_attention(lengths[i], lengths[i], widths[j], 1.0, bias_of(run, &bias));
            if (j % 3 == 0) check_attention(1, lengths[i], widths[j], 1.0, &bias);
        }
    check_attention(40, 50, 32, 1.0, NULL);
    check_attention(33, 33, 32, 3.0, NULL);
}

/* Scores far apart: one key takes all, and nothing overflows. */
static void attention_survives_extreme_scores(void **state)
{
    (void)state;
    enum { N = 40, D = 32 };
    float *q = normal(N * D, 1, 1), *v = normal(N * D, 3, 1), *y = normal(N * D, 4, 1);
    void *scratch = NULL;
    assert_int_equal(snc_alloc(&scratch, snc_infer_attention_scratch(N, D), 1), SNC_OK);
    for (int i = 0; i < N * D; i++) q[i] = (float)(i / D) * 100.0f;
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        snc_infer_attention(y, D, q, D, q, v, D, N, N, D, 1.0f, NULL, true, (snc_isa)isa, scratch);
        float far = distance(y + (N - 1) * D, v + (N - 1) * D, D);
        assert_true(far < BF16_TOLERANCE);
    }
    snc_free(q), snc_free(v), snc_free(y), snc_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norm_equals_ref_on_every_isa),      cmocka_unit_test(dots_equal_ref_on_every_isa),
        cmocka_unit_test(attention_equals_ref_on_every_isa), cmocka_unit_test(attention_of_bf16_rows_equals_f32),
        cmocka_unit_test(attention_survives_extreme_scores), cmocka_unit_test(slides_equal_ref_on_every_isa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
