/* Fast kernels against their ref twins and double precision, masks, threads. */
#define _POSIX_C_SOURCE 200809L /* setenv: caps the instruction set */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "core/ops.h"

enum { ROWS = 75, WIDTH = 200, SEQS = 5, LEN = 41, BUCKETS = SNC_RELATIVE_BUCKETS, APART = 14 /* of distances apart, to either side */ };

/* Values of order one: sums of up to 200 terms in another order, and e^x to 2 ulp. Measured 4e-6. */
static const double TOLERANCE = 2e-5;

typedef struct rig {
    snc_ctx ctx;
    snc_ops *o;
} rig;

static void rig_open(rig *r, snc_backend backend, const char *isa, int threads)
{
    snc_ops_limits max = {.rows = ROWS, .width = WIDTH, .seqs = SEQS, .len = LEN, .head_width = 64, .relative = 5 * BUCKETS};
    max.distances = 2 * APART;
    r->ctx = (snc_ctx)SNC_CTX_INIT;
    r->ctx.backend = backend;
    r->ctx.threads = threads;
    assert_int_equal(setenv("SNC_ISA", isa, 1), 0);
    assert_int_equal(snc_ctx_check(&r->ctx), SNC_OK);
    assert_int_equal(snc_ops_create(&r->o, &r->ctx, &max), SNC_OK);
    assert_int_equal(unsetenv("SNC_ISA"), 0);
}

static void rig_close(rig *r) { snc_ops_free(r->o); }

static void fill(float *x, size_t n, uint64_t seed)
{
    snc_rng r;
    snc_rng_init(&r, seed, 0);
    for (size_t i = 0; i < n; i++) x[i] = (float)snc_rng_normal(&r);
}

static void assert_near(const float *a, const float *b, size_t n, double tol)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= tol * (1.0 + fabs((double)b[i]))))
            fail_msg("element %zu: %.9g and %.9g differ", i, (double)a[i], (double)b[i]);
}

/* ---- every op of one set-up, into one flat record ------------------------------------------------------------------- */

enum { RECORD = 1 << 18 };

typedef struct record {
    float v[RECORD];
    size_t n;
} record;

static float *push(record *r, size_t n)
{
    float *p = r->v + r->n;
    r->n += n;
    assert_true(r->n <= RECORD);
    return p;
}

static void record_norm(record *rec, snc_ops *o, int rows, int n, const snc_mask *m)
{
    size_t size = (size_t)rows * (size_t)n;
    float *y = push(rec, size), *s = push(rec, size), *stats = push(rec, 2 * (size_t)rows), *ds = push(rec, size);
    float *dx = push(rec, size), *sums = push(rec, 3 * (size_t)n), *r = push(rec, size), *gb = push(rec, 2 * (size_t)n);
    fill(s, size, 1);
    fill(r, size, 2);
    fill(gb, 2 * (size_t)n, 3);
    fill(ds, size, 4);
    fill(sums, 3 * (size_t)n, 5);
    memset(dx, 0, size * sizeof *dx);
    snc_norm_forward(y, NULL, s, stats, o, r, gb, gb + n, rows, n, 1e-12f, m);
    snc_norm_backward(ds, dx, NULL, sums, sums + n, sums + 2 * n, o, ds, s, stats, gb, n % 2 ? r : NULL, rows, n, m);
}

static void record_act(record *rec, snc_ops *o, int rows, int n)
{
    for (int act = 0; act < SNC_OPS_ACTS; act++) {
        size_t size = (size_t)rows * (size_t)n;
        float *a = push(rec, size), *d = push(rec, size), *dh = push(rec, size), *sums = push(rec, 2 * (size_t)n);
        fill(d, size, 6);
        fill(dh, size, 7);
        fill(sums, 2 * (size_t)n, 8);
        snc_act_forward(a, d, o, d, rows, n, (snc_ops_act)act);
        snc_act_backward(dh, sums, o, d, rows, n);
        snc_col_sum(sums + n, o, a, rows, n);
    }
}

static void record_attention(record *rec, snc_ops *o, const int32_t *offsets, int B, int heads, int D, bool first_only, float rate,
                             bool apart)
{
    static uint8_t bucket[2 * LEN];
    static int16_t distance[2 * LEN];
    snc_tokens x = {.B = B, .T = offsets[B], .offsets = offsets};
    snc_attention at = {.x = &x, .heads = heads, .head_width = D, .first_only = first_only, .mask = snc_mask_make(1, 2, 3, rate)};
    size_t A = (size_t)heads * (size_t)D, T = (size_t)x.T, Q = first_only ? (size_t)B : T;
    float *q = push(rec, Q * A), *k = push(rec, T * A), *v = push(rec, T * A), *out = push(rec, Q * A);
    float *stats = push(rec, 2 * Q * (size_t)heads), *dout = push(rec, Q * A), *dq = push(rec, Q * A), *dk = push(rec, T * A);
    float *dv = push(rec, T * A), *b = push(rec, 3 * A);
    fill(q, Q * A, 9);
    fill(k, T * A, 10);
    fill(v, T * A, 11);
    fill(dout, Q * A, 12);
    fill(b, 3 * A, 13);
    if (apart) {
        int reach = snc_distance_bucket(LEN - 1, APART, LEN);
        size_t n = (2 * (size_t)reach + 1) * A;
        float *tables = push(rec, 2 * n), *grads = push(rec, 2 * n);
        fill(tables, 2 * n, 16);
        fill(grads, 2 * n, 17);
        snc_distance_buckets(distance, LEN, APART, LEN);
        at.distances = (snc_distances){
            .key = tables, .query = tables + n, .dkey = grads, .dquery = grads + n, .bucket = distance, .len = LEN, .reach = reach};
    } else if (heads > 1) { /* what is added by distance, and a window of 5 keys at the last head */
        float *table = push(rec, (size_t)heads * BUCKETS), *grad = push(rec, (size_t)heads * BUCKETS);
        fill(table, (size_t)heads * BUCKETS, 14);
        fill(grad, (size_t)heads * BUCKETS, 15);
        for (int i = 5; i < BUCKETS; i++) table[(heads - 1) * BUCKETS + i] = i < BUCKETS / 2 ? -1e30f : 0.0f;
        snc_relative_buckets(bucket, LEN);
        at.relative = (snc_relative){.table = table, .grad = grad, .bucket = bucket, .len = LEN, .buckets = BUCKETS};
    }
    snc_attention_forward(out, NULL, stats, o, q, k, v, &at);
    snc_attention_backward((float *[]){dq, dk, dv}, NULL, (float *[]){b, b + A, b + 2 * A}, o, dout, q, k, v, stats, &at);
}

static void record_embed(record *rec, snc_ops *o, const int32_t *offsets, int B, int n)
{
    enum { VOCAB = 7, LD = 40 };
    int32_t ids[ROWS], types[ROWS];
    for (int t = 0; t < offsets[B]; t++) {
        ids[t] = (int32_t)(snc_hash64((uint64_t)t) % VOCAB);
        types[t] = t % 2;
    }
    snc_tokens x = {.B = B, .T = offsets[B], .ids = ids, .types = types, .offsets = offsets};
    float *word = push(rec, VOCAB * LD), *position = push(rec, (size_t)LEN * LD), *type = push(rec, 2 * LD);
    float *s = push(rec, (size_t)x.T * (size_t)n);
    fill(word, VOCAB * LD, 14);
    fill(position, (size_t)LEN * LD, 15);
    fill(type, 2 * LD, 16);
    snc_embed_forward(s, o, word, position, type, &x, n, LD);
    snc_embed_backward(word, position, type, o, s, &x, n, LD);
}

static const int32_t mixed[] = {0, 1, 14, 31, 34, 75}, single[] = {0, 1}; /* lengths 1, 13, 17, 3, 41 */

static void record_all(record *rec, rig *r)
{
    snc_mask drop = snc_mask_make(3, 4, 5, 0.1f), none = SNC_MASK_OFF;
    static const int widths[] = {1, 7, 16, 33, 48};
    memset(rec, 0, sizeof *rec);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        record_norm(rec, r->o, i == 0 ? 1 : 35, widths[i], i % 2 ? &drop : &none);
        record_act(rec, r->o, i == 0 ? 1 : 19, widths[i]);
    }
    record_attention(rec, r->o, mixed, 5, 2, 8, false, 0.1f, false);
    record_attention(rec, r->o, mixed, 5, 1, 33, false, 0.0f, false);
    record_attention(rec, r->o, mixed, 5, 1, 64, true, 0.1f, false);
    record_attention(rec, r->o, mixed, 5, 3, 5, true, 0.0f, false);
    record_attention(rec, r->o, single, 1, 2, 32, false, 0.5f, false);
    record_attention(rec, r->o, mixed, 5, 3, 20, false, 0.1f, true);
    record_attention(rec, r->o, mixed, 5, 2, 33, true, 0.0f, true);
    record_attention(rec, r->o, single, 1, 2, 8, false, 0.0f, true);
    record_embed(rec, r->o, mixed, 5, 33);
}

static record *record_of(snc_backend backend, const char *isa, int threads)
{
    rig r;
    record *rec;
    rig_open(&r, backend, isa, threads);
    assert_int_equal(snc_alloc(&rec, 1, sizeof *rec), SNC_OK);
    record_all(rec, &r);
    rig_close(&r);
    return rec;
}

static void fast_kernels_equal_their_ref_twins(void **state)
{
    (void)state;
    record *ref = record_of(SNC_BACKEND_REF, "amx", 1), *v8 = record_of(SNC_BACKEND_AUTO, "avx2", 1);
    record *v16 = record_of(SNC_BACKEND_AUTO, "avx512", 1), *scalar = record_of(SNC_BACKEND_AUTO, "scalar", 1);
    assert_near(v8->v, ref->v, ref->n, TOLERANCE);
    assert_near(v16->v, ref->v, ref->n, TOLERANCE);
    assert_memory_equal(scalar->v, ref->v, ref->n * sizeof *ref->v);
    snc_free(ref);
    snc_free(v8);
    snc_free(v16);
    snc_free(scalar);
}

static void thread_count_changes_no_bit(void **state)
{
    static const char *const isas[] = {"scalar", "avx2", "amx"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        record *one = record_of(SNC_BACKEND_AUTO, isas[i], 1), *three = record_of(SNC_BACKEND_AUTO, isas[i], 3);
        assert_memory_equal(one->v, three->v, one->n * sizeof *one->v);
        snc_free(one);
        snc_free(three);
    }
}

/* ---- accuracy against double precision ------------------------------------------------------------------------------ */

static double gelu_tanh_u(double x) { return sqrt(2.0 / acos(-1.0)) * (x + 0.044715 * x * x * x); }

static void exact(double *a, double *d, double x, snc_ops_act act)
{
    double pi = acos(-1.0), cdf = 0.5 * erfc(-x / sqrt(2.0)), t = tanh(act == SNC_OPS_TANH ? x : gelu_tanh_u(x));
    switch (act) {
    case SNC_OPS_GELU:
        *a = x * cdf;
        *d = cdf + x * exp(-0.5 * x * x) / sqrt(2.0 * pi);
        break;
    case SNC_OPS_GELU_TANH:
        *a = 0.5 * x * (1.0 + t);
        *d = 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * sqrt(2.0 / pi) * (1.0 + 3.0 * 0.044715 * x * x);
        break;
    case SNC_OPS_TANH:
        *a = t;
        *d = 1.0 - t * t;
        break;
    default: *a = x > 0.0 ? x : 0.0; *d = x > 0.0;
    }
}

static void activations_are_accurate(void **state)
{
    /* Values relative to max(1, |x|), derivatives absolute. Measured: 3.4e-7 at most with AVX2 and AVX-512; the ref twin's
     * tanh form of GELU has 5.6e-7, from cancellation in 1 - t^2. */
    const double limit = 7e-7;
    static const char *const isas[] = {"scalar", "avx2", "amx"};
    (void)state;
    for (size_t k = 0; k < 3; k++)
        for (int act = 0; act < SNC_OPS_ACTS; act++) {
            rig r;
            float h[WIDTH], a[WIDTH], d[WIDTH];
            double worst = 0.0;
            rig_open(&r, SNC_BACKEND_AUTO, isas[k], 1);
            for (int part = 0; part < 500; part++) {
                for (int i = 0; i < WIDTH; i++) h[i] = -10.0f + 20.0f * (float)(part * WIDTH + i) / (500.0f * WIDTH);
                snc_act_forward(a, d, r.o, h, 1, WIDTH, (snc_ops_act)act);
                for (int i = 0; i < WIDTH; i++) {
                    double ea, ed, x = (double)h[i], size = fabs(x) > 1.0 ? fabs(x) : 1.0;
                    exact(&ea, &ed, x, (snc_ops_act)act);
                    double e = fmax(fabs((double)a[i] - ea) / size, fabs((double)d[i] - ed));
                    if (e > worst) worst = e;
                }
            }
            if (worst > limit) fail_msg("%s, activation %d: error %.3g", isas[k], act, worst);
            rig_close(&r);
        }
}

static void extreme_inputs_stay_finite(void **state)
{
    static const char *const isas[] = {"scalar", "avx2", "amx"};
    float h[] = {0.0f, -0.0f, 1e6f, -1e6f, 88.0f, -88.0f, 1e-30f, -1e-30f}, a[8], d[8];
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        rig r;
        rig_open(&r, SNC_BACKEND_AUTO, isas[k], 1);
        for (int act = 0; act < SNC_OPS_ACTS; act++) {
            snc_act_forward(a, d, r.o, h, 1, 8, (snc_ops_act)act);
            for (int i = 0; i < 8; i++) assert_true(isfinite(a[i]) && isfinite(d[i]));
        }
        rig_close(&r);
    }
}

/* Training that has diverged is told by its loss: tanh of NaN is not one, in whole vectors and in a tail. */
static void nan_stays(void **state)
{
    static const char *const isas[] = {"scalar", "avx2", "amx"};
    enum { N = WIDTH - 1 };
    float h[N], a[N], d[N];
    (void)state;
    for (int i = 0; i < N; i++) h[i] = NAN;
    for (size_t k = 0; k < 3; k++) {
        rig r;
        rig_open(&r, SNC_BACKEND_AUTO, isas[k], 1);
        for (int act = 0; act < SNC_OPS_ACTS; act++) {
            snc_act_forward(a, d, r.o, h, 1, N, (snc_ops_act)act);
            for (int i = 0; i < N; i++)
                if (!isnan(a[i])) fail_msg("%s, activation %d of NaN: %g", isas[k], act, (double)a[i]);
        }
        rig_close(&r);
    }
}

/* Scores far apart: e^(s - top) underflows to 0 and the largest key takes all. */
static void attention_survives_large_scores(void **state)
{
    static const char *const isas[] = {"scalar", "avx2", "amx"};
    int32_t offsets[] = {0, 3};
    snc_tokens x = {.B = 1, .T = 3, .offsets = offsets};
    snc_attention at = {.x = &x, .heads = 1, .head_width = 4, .mask = SNC_MASK_OFF};
    float q[12], k[12] = {0}, v[12], out[12], stats[6];
    (void)state;
    for (int i = 0; i < 12; i++) q[i] = 1000.0f, v[i] = (float)i;
    k[4] = 1000.0f;
    for (size_t n = 0; n < 3; n++) {
        rig r;
        rig_open(&r, SNC_BACKEND_AUTO, isas[n], 1);
        snc_attention_forward(out, NULL, stats, r.o, q, k, v, &at);
        for (int i = 0; i < 12; i++) assert_true(fabs((double)out[i] - (double)v[4 + i % 4]) < 1e-5);
        rig_close(&r);
    }
}

/* Distances by MPNet's rule, whose logarithms are of f32: none lies so near a bound that it matters. */
static void buckets_of_distances(void **state)
{
    enum { FAR = 600 };
    uint8_t bucket[2 * FAR];
    (void)state;
    snc_relative_buckets(bucket, FAR);
    for (int d = 1 - FAR; d < FAR; d++) {
        int n = abs(d), far = n < 8 ? n : 8 + (int)(log(n / 8.0) / log(16.0) * 8.0 + 1e-9);
        assert_int_equal(bucket[FAR - 1 + d], (d > 0 ? 16 : 0) + (far > 15 ? 15 : far));
    }
}

/* By DeBERTa's rule, in f32 as PyTorch has it, whose texts have up to 512 tokens and 256 buckets to either side; and other sizes. */
static void buckets_of_distances_apart(void **state)
{
    static const int sizes[][2] = {{256, 512}, {2, 40}, {3, 40}, {8, 40}, {9, 64}, {32, 160}, {512, 512}};
    int16_t bucket[2 * 512];
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int buckets = sizes[i][0], len = sizes[i][1], alone = buckets / 2;
        snc_distance_buckets(bucket, len, buckets, len);
        for (int d = 1 - len; d < len; d++) {
            float octaves = logf((float)abs(d) / (float)alone) / logf((float)((double)(len - 1) / alone));
            int far = abs(d) <= alone ? abs(d) : (int)ceilf(octaves * (float)(alone - 1)) + alone;
            assert_int_equal(bucket[len - 1 + d], d < 0 ? -far : far);
            assert_true(far < buckets);
        }
    }
}

static void zero_rows_normalise_to_beta(void **state)
{
    rig r;
    float s[48] = {0}, y[48], stats[2], gamma[48], beta[48];
    snc_mask none = SNC_MASK_OFF;
    (void)state;
    fill(gamma, 48, 1);
    fill(beta, 48, 2);
    rig_open(&r, SNC_BACKEND_AUTO, "amx", 1);
    snc_norm_forward(y, NULL, s, stats, r.o, NULL, gamma, beta, 1, 48, 1e-12f, &none);
    assert_memory_equal(y, beta, sizeof y);
    rig_close(&r);
}

/* Every width up to two vectors and a tail; ties go to the even neighbour. */
static void rounding_is_to_the_nearest_even_bf16(void **state)
{
    static const char *const isas[] = {"scalar", "avx2", "avx512", "amx"};
    enum { MOST = 67, LINES = 5 };
    float x[LINES * MOST];
    snc_bf16 h[LINES * MOST];
    (void)state;
    fill(x, LINES * MOST, 3);
    x[0] = 1.00390625f; /* halfway between 1 and its neighbour */
    x[1] = 1.01171875f;
    x[2] = -0.0f;
    for (size_t k = 0; k < sizeof isas / sizeof *isas; k++) {
        rig r;
        rig_open(&r, SNC_BACKEND_AUTO, isas[k], 2);
        for (int n = 1; n <= MOST; n++) {
            memset(h, 0xaa, sizeof h);
            snc_round(h, r.o, x, LINES, n);
            for (int i = 0; i < LINES * n; i++) assert_int_equal(h[i], snc_bf16_from_f32(x[i]));
            if (n < MOST) assert_int_equal(h[LINES * n], 0xaaaa);
        }
        rig_close(&r);
    }
}

/* ---- dropout masks -------------------------------------------------------------------------------------------------- */

static void masks_are_one_definition_with_the_right_rate(void **state)
{
    static const char *const isas[] = {"scalar", "avx2", "amx"};
    static float x[ROWS * WIDTH];
    snc_mask m = snc_mask_make(42, 7, 3, 0.1f), next = snc_mask_make(42, 8, 3, 0.1f);
    double kept = 0.0, same = 0.0, pairs = 0.0, rows = 0.0;
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        rig r;
        rig_open(&r, SNC_BACKEND_AUTO, isas[k], 1);
        for (int i = 0; i < ROWS * WIDTH; i++) x[i] = 1.0f;
        snc_mask_apply(x, r.o, ROWS, WIDTH, &m);
        for (int i = 0; i < ROWS * WIDTH; i++)
            assert_true(x[i] == (snc_mask_keeps(&m, (uint32_t)(i / WIDTH), (uint32_t)(i % WIDTH)) ? m.scale : 0.0f));
        rig_close(&r);
    }
    enum { N = 1000 };
    for (uint32_t t = 0; t < N; t++)
        for (uint32_t c = 0; c < N; c++) {
            bool a = snc_mask_keeps(&m, t, c);
            kept += a;
            same += a == snc_mask_keeps(&next, t, c);
            pairs += a && snc_mask_keeps(&m, t, c + 1);
            rows += a && snc_mask_keeps(&m, t + 1, c);
        }
    double n = (double)N * N, sigma = 1.0 / N;
    assert_true(fabs(kept / n - 0.9) < 5 * 0.3 * sigma);
    assert_true(fabs(kept / n * (double)m.scale - 1.0) < 5 * 0.35 * sigma);
    assert_true(fabs(same / n - 0.82) < 5 * 0.4 * sigma);  /* independent of the next step's mask */
    assert_true(fabs(pairs / n - 0.81) < 5 * 0.5 * sigma); /* and of its neighbours */
    assert_true(fabs(rows / n - 0.81) < 5 * 0.5 * sigma);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_kernels_equal_their_ref_twins),
        cmocka_unit_test(thread_count_changes_no_bit),
        cmocka_unit_test(activations_are_accurate),
        cmocka_unit_test(extreme_inputs_stay_finite),
        cmocka_unit_test(nan_stays),
        cmocka_unit_test(attention_survives_large_scores),
        cmocka_unit_test(buckets_of_distances),
        cmocka_unit_test(buckets_of_distances_apart),
        cmocka_unit_test(zero_rows_normalise_to_beta),
        cmocka_unit_test(rounding_is_to_the_nearest_even_bf16),
        cmocka_unit_test(masks_are_one_definition_with_the_right_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
