/* AdamW: lazy rows, clipping, ISA equality, divergence, saved state. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "check.h"
#include "train/adamw.h"
#include "train/adamw_kernel.h"

enum { V = 40, C = 23, STEPS = 400 };
static const double LAZY_TOL = 1e-5; /* 400 roundings of values up to 4 on the dense side: measured 3.8e-6, as much on untouched rows */

typedef struct rig {
    snc_ctx ctx;
    snc_params ps;
    snc_adamw *a;
    int table, w, b;
} rig;

static void rig_make(rig *r, bool lazy, bool half, double lr, int64_t total, unsigned table_flags)
{
    *r = (rig){.ctx = SNC_CTX_INIT};
    r->ctx.threads = 2;
    assert_int_equal(snc_params_add(&r->table, &r->ps, V, C, table_flags, "table"), SNC_OK);
    assert_int_equal(snc_params_add(&r->w, &r->ps, 9, C, SNC_PARAM_DECAY, "w"), SNC_OK);
    assert_int_equal(snc_params_add(&r->b, &r->ps, 1, C, 0, "b"), SNC_OK);
    assert_int_equal(snc_params_alloc(&r->ps), SNC_OK);
    snc_rng rng;
    snc_rng_init(&rng, 1, 1);
    for (int i = 0; i < r->ps.n; i++)
        for (int k = 0; k < r->ps.p[i].rows * r->ps.p[i].cols; k++) snc_params_w(&r->ps, i)[k] = (float)snc_rng_normal(&rng);
    snc_schedule s = {.lr = lr, .total = total, .warmup = 0.1};
    snc_adamw_opts o = SNC_ADAMW_OPTS_INIT;
    o.weight_decay = 0.1f;
    o.lazy = lazy;
    o.half_state = half;
    assert_int_equal(snc_adamw_create(&r->a, &r->ctx, &r->ps, &s, &o), SNC_OK);
}

static void rig_free(rig *r)
{
    snc_adamw_free(r->a);
    snc_params_dispose(&r->ps);
}

/* Gradients of step t and the rows it touches: row 0 often, most rows rarely, the last never; sizes from 1e-9 to 1. */
static int fill_step(int32_t *rows, rig *r, int t)
{
    snc_rng rng;
    int n = 0;
    snc_rng_init(&rng, 99, (uint64_t)t);
    for (int row = 0; row < V - 1; row++) {
        if (snc_rng_below(&rng, (uint32_t)(1 + 4 * row)) != 0) continue;
        rows[n++] = row;
        double scale = pow(10, -(double)(row % 10));
        for (int c = 0; c < C; c++) snc_params_g(&r->ps, r->table)[row * C + c] = (float)(scale * snc_rng_normal(&rng));
    }
    for (int k = 0; k < 9 * C; k++) snc_params_g(&r->ps, r->w)[k] = (float)(0.1 * snc_rng_normal(&rng));
    for (int k = 0; k < C; k++) snc_params_g(&r->ps, r->b)[k] = (float)(0.1 * snc_rng_normal(&rng));
    return n;
}

static double largest_difference(const rig *x, const rig *y)
{
    double worst = 0;
    for (size_t i = 0; i < x->ps.total; i++) worst = fmax(worst, fabs((double)x->ps.w[i] - (double)y->ps.w[i]));
    return worst;
}

/* shorter: how many steps the schedule is shortened by in the middle; the run ends with it. */
static void run_lazy_against_dense(unsigned flags, double lr, int64_t steps, int64_t shorter)
{
    rig dense, lazy;
    int32_t rows[V];
    rig_make(&dense, false, false, lr, steps, flags);
    rig_make(&lazy, true, false, lr, steps, flags);
    for (int t = 0; t < steps - shorter; t++) {
        if (shorter && t == steps / 2) {
            snc_adamw_shorten(dense.a, steps - shorter);
            snc_adamw_shorten(lazy.a, steps - shorter);
        }
        int n = fill_step(rows, &dense, t);
        assert_int_equal(snc_adamw_step(NULL, dense.a, NULL, 0), SNC_OK);
        assert_int_equal(fill_step(rows, &lazy, t), n);
        snc_row_set set = {.param = lazy.table, .n = n, .rows = rows};
        snc_adamw_prepare(lazy.a, &set, 1);
        double norm;
        assert_int_equal(snc_adamw_step(&norm, lazy.a, &set, 1), SNC_OK);
        for (size_t i = 0; i < lazy.ps.total; i++) assert_true(lazy.ps.g[i] == 0.0f);
    }
    snc_adamw_flush(lazy.a);
    assert_true(largest_difference(&dense, &lazy) <= LAZY_TOL);
    rig_free(&dense);
    rig_free(&lazy);
}

static void lazy_rows_end_where_dense_rows_end(void **state)
{
    (void)state;
    run_lazy_against_dense(SNC_PARAM_ROWS | SNC_PARAM_DECAY, 5e-3, STEPS, 0);
    run_lazy_against_dense(SNC_PARAM_ROWS | SNC_PARAM_DECAY, 5e-3, 20, 0);
    run_lazy_against_dense(SNC_PARAM_ROWS, 5e-3, STEPS, 0); /* a table without decay */
    run_lazy_against_dense(SNC_PARAM_ROWS | SNC_PARAM_DECAY, 5e-3, STEPS, STEPS / 4);
}

static void a_prepared_row_is_what_dense_would_read(void **state)
{
    (void)state;
    rig dense, lazy;
    int32_t rows[V], all[V];
    rig_make(&dense, false, false, 5e-3, 100, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
    rig_make(&lazy, true, false, 5e-3, 100, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
    for (int i = 0; i < V; i++) all[i] = i;
    for (int t = 0; t < 60; t++) {
        fill_step(rows, &dense, t);
        assert_int_equal(snc_adamw_step(NULL, dense.a, NULL, 0), SNC_OK);
        int n = fill_step(rows, &lazy, t);
        snc_row_set set = {.param = lazy.table, .n = n, .rows = rows};
        assert_int_equal(snc_adamw_step(NULL, lazy.a, &set, 1), SNC_OK); /* step prepares what the caller did not */
    }
    snc_row_set set = {.param = lazy.table, .n = V, .rows = all};
    snc_adamw_prepare(lazy.a, &set, 1);
    assert_true(largest_difference(&dense, &lazy) <= LAZY_TOL);
    rig_free(&dense);
    rig_free(&lazy);
}

static void half_state_stays_near(void **state)
{
    (void)state;
    rig full, half;
    int32_t rows[V];
    rig_make(&full, true, false, 5e-3, 100, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
    rig_make(&half, true, true, 5e-3, 100, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
    for (int t = 0; t < 100; t++) {
        rig *both[] = {&full, &half};
        for (int i = 0; i < 2; i++) {
            int n = fill_step(rows, both[i], t);
            snc_row_set set = {.param = both[i]->table, .n = n, .rows = rows};
            assert_int_equal(snc_adamw_step(NULL, both[i]->a, &set, 1), SNC_OK);
        }
    }
    snc_adamw_flush(full.a);
    snc_adamw_flush(half.a);
    assert_true(largest_difference(&full, &half) <= 100 * 5e-3 * 0.02); /* 2 % of the longest way */
    rig_free(&full);
    rig_free(&half);
}

/* Many elements that start from one v, each with its own noise: rounded v may wander, its mean may not. */
static void a_rounded_second_moment_keeps_its_mean(void **state)
{
    (void)state;
    enum { N = 4096, T = 2000 };
    static float p[N], g[N];
    static snc_bf16 m[N];
    static snc_square v[N];
    const snc_adamw_kernels *k = snc_adamw_kernels_get(snc_isa_now());
    snc_adamw_coef c = {.b1 = 0.9f, .b2 = 0.999f, .c1 = 0.1f, .c2 = 0.001f, .gscale = 1, .decay = 1, .eps = 1e-8f, .keep = true};
    double mean = 0, square = 0, exact = 0;
    for (int t = 1; t <= T; t++) {
        float gt = t <= T / 2 ? 1e-3f : 3e-4f; /* up, then down */
        for (int i = 0; i < N; i++) g[i] = gt;
        c.noise = (uint32_t)t * 0x6a09e667u;
        exact = 0.999 * exact + 0.001 * (double)gt * (double)gt;
        k->step_half(p, g, m, v, 0, N, &c);
    }
    for (int i = 0; i < N; i++) {
        uint32_t u = (uint32_t)v[i] << 15;
        float f;
        memcpy(&f, &u, sizeof f);
        mean += (double)f / N;
        square += (double)f * (double)f / N;
    }
    assert_true(fabs(mean / exact - 1) < 0.003);
    assert_true(sqrt(square - mean * mean) / exact < 0.05);
}

static void saved_state_continues_to_the_same_bits(void **state)
{
    (void)state;
    rig whole, part, rest;
    int32_t rows[V];
    rig *all[] = {&whole, &part, &rest};
    for (int i = 0; i < 3; i++) rig_make(all[i], true, false, 5e-3, 100, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
    for (int t = 0; t < 100; t++) {
        if (t == 41) {
            snc_adamw_state a = snc_adamw_state_view(part.a), b = snc_adamw_state_view(rest.a);
            *b.step = *a.step;
            for (int i = 0; i < 3; i++) memcpy(b.block[i], a.block[i], a.bytes[i]);
            memcpy(rest.ps.w, part.ps.w, part.ps.total * sizeof(float));
        }
        rig *run[] = {&whole, t < 41 ? &part : &rest};
        for (int i = 0; i < 2; i++) {
            int n = fill_step(rows, run[i], t);
            snc_row_set set = {.param = run[i]->table, .n = n, .rows = rows};
            assert_int_equal(snc_adamw_step(NULL, run[i]->a, &set, 1), SNC_OK);
        }
    }
    assert_memory_equal(whole.ps.w, rest.ps.w, whole.ps.total * sizeof(float));
    for (int i = 0; i < 3; i++) rig_free(all[i]);
}

static void a_gradient_that_is_not_finite_is_refused_untouched(void **state)
{
    (void)state;
    rig r;
    int32_t rows[V];
    rig_make(&r, true, false, 5e-3, 10, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
    int n = fill_step(rows, &r, 0);
    snc_row_set set = {.param = r.table, .n = n, .rows = rows};
    float before[9 * C];
    memcpy(before, snc_params_w(&r.ps, r.w), sizeof before);
    snc_params_g(&r.ps, r.table)[rows[0] * C + 3] = NAN;
    assert_int_equal(snc_adamw_step(NULL, r.a, &set, 1), SNC_E_DIVERGED);
    assert_non_null(strstr(snc_err_text(), "step 1"));
    assert_memory_equal(before, snc_params_w(&r.ps, r.w), sizeof before);
    rig_free(&r);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_params ps = {0};
    snc_adamw *a;
    snc_schedule s = {.lr = 0.1, .total = 10, .warmup = 0.1};
    snc_adamw_opts o = SNC_ADAMW_OPTS_INIT;
    o.beta2 = 1.0f;
    assert_int_equal(snc_adamw_create(&a, &ctx, &ps, &s, &o), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "beta2"));
    s.total = 0;
    assert_int_equal(snc_adamw_create(&a, &ctx, &ps, &s, &o), SNC_E_ARG);
}

static void every_isa_gives_the_scalar_bits(void **state)
{
    (void)state;
    enum { N = 77 };
    const snc_adamw_kernels *ref = snc_adamw_kernels_get(SNC_ISA_SCALAR);
    snc_adamw_coef c = {.b1 = 0.9f,
                        .b2 = 0.999f,
                        .c1 = 0.1f,
                        .c2 = 0.001f,
                        .gscale = 0.37f,
                        .decay = 0.9995f,
                        .rate = 1e-3f,
                        .root = 1.7f,
                        .eps = 1e-8f,
                        .noise = 77};
    snc_adamw_skip k = {.decay = 0.99f, .m = 0.5f, .v = 0.9f, .wu = {1e-3f, 2e-3f}, .eu = {1e-8f, 2e-8f}, .noise = 78};
    for (int isa = snc_isa_next(SNC_ISA_SCALAR); isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        const snc_adamw_kernels *fast = snc_adamw_kernels_get((snc_isa)isa);
        float x[2][4][N];
        snc_bf16 m16[2][N];
        snc_square v16[2][N];
        snc_rng rng;
        snc_rng_init(&rng, 3, 3);
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < 4; j++) x[0][j][i] = x[1][j][i] = (float)fabs(snc_rng_normal(&rng));
            m16[0][i] = m16[1][i] = snc_bf16_from_f32(x[0][2][i]);
            v16[0][i] = v16[1][i] = (snc_square)(0x7f00 - 40 * i); /* from 2^127 down */
        }
        assert_true(ref->sumsq(x[0][1], N) == fast->sumsq(x[1][1], N));
        const snc_adamw_kernels *pair[] = {ref, fast};
        for (int i = 0; i < 2; i++) {
            pair[i]->step(x[i][0], x[i][1], x[i][2], x[i][3], N, &c);
            pair[i]->catch_up(x[i][0], x[i][2], x[i][3], N, &k);
            for (int j = 0; j < N; j++) x[i][1][j] = (float)j;
            pair[i]->step_half(x[i][0], x[i][1], m16[i], v16[i], 1234567, N, &c);
            pair[i]->catch_up_half(x[i][0], m16[i], v16[i], 1234567, N, &k);
        }
        assert_memory_equal(x[0], x[1], sizeof x[0]);
        assert_memory_equal(m16[0], m16[1], sizeof m16[0]);
        assert_memory_equal(v16[0], v16[1], sizeof v16[0]);
    }
}

static void a_kept_gradient_stays_and_changes_nothing_else(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        rig one, two;
        int32_t rows[V];
        rig_make(&one, true, half, 5e-3, 50, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
        rig_make(&two, true, half, 5e-3, 50, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
        snc_adamw_keep_grad(two.a, two.w);
        snc_row_set set = {.param = one.table, .n = fill_step(rows, &one, 0), .rows = rows};
        fill_step(rows, &two, 0);
        float was = snc_params_g(&two.ps, two.w)[3];
        assert_int_equal(snc_adamw_step(NULL, one.a, &set, 1), SNC_OK);
        assert_int_equal(snc_adamw_step(NULL, two.a, &set, 1), SNC_OK);
        assert_memory_equal(one.ps.w, two.ps.w, one.ps.total * sizeof(float));
        assert_true(was != 0 && snc_params_g(&two.ps, two.w)[3] == was && snc_params_g(&one.ps, one.w)[3] == 0);
        assert_true(snc_params_g(&two.ps, two.b)[3] == 0);
        rig_free(&one);
        rig_free(&two);
    }
}

static void thread_count_does_not_change_the_bits(void **state)
{
    (void)state;
    rig one, two;
    int32_t rows[V];
    rig_make(&one, true, false, 5e-3, 50, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
    rig_make(&two, true, false, 5e-3, 50, SNC_PARAM_ROWS | SNC_PARAM_DECAY);
    one.ctx.threads = 1;
    for (int t = 0; t < 50; t++) {
        rig *both[] = {&one, &two};
        for (int i = 0; i < 2; i++) {
            int n = fill_step(rows, both[i], t);
            snc_row_set set = {.param = both[i]->table, .n = n, .rows = rows};
            assert_int_equal(snc_adamw_step(NULL, both[i]->a, &set, 1), SNC_OK);
        }
    }
    assert_memory_equal(one.ps.w, two.ps.w, one.ps.total * sizeof(float));
    rig_free(&one);
    rig_free(&two);
}

/* 2 in the matrix, 1 in the vector, 0 in the table. */
static void fill_grads(rig *r)
{
    for (int k = 0; k < 9 * C; k++) snc_params_g(&r->ps, r->w)[k] = 2.0f;
    for (int k = 0; k < C; k++) snc_params_g(&r->ps, r->b)[k] = 1.0f;
}

/* The norm uses the sum it was given, for one step and no longer. */
static void a_known_sum_of_squares_serves_one_step(void **state)
{
    (void)state;
    rig r;
    double own, known, after;
    rig_make(&r, false, false, 1e-3, 10, SNC_PARAM_ROWS);
    fill_grads(&r);
    assert_int_equal(snc_adamw_step(&own, r.a, NULL, 0), SNC_OK);
    fill_grads(&r);
    snc_adamw_known_squares(r.a, r.w, 9.0);
    assert_int_equal(snc_adamw_step(&known, r.a, NULL, 0), SNC_OK);
    assert_true(fabs(known - sqrt(1.0 * C + 9.0)) < 1e-9);
    fill_grads(&r);
    assert_int_equal(snc_adamw_step(&after, r.a, NULL, 0), SNC_OK);
    assert_true(after == own);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lazy_rows_end_where_dense_rows_end),
        cmocka_unit_test(a_prepared_row_is_what_dense_would_read),
        cmocka_unit_test(half_state_stays_near),
        cmocka_unit_test(a_rounded_second_moment_keeps_its_mean),
        cmocka_unit_test(saved_state_continues_to_the_same_bits),
        cmocka_unit_test(a_gradient_that_is_not_finite_is_refused_untouched),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(every_isa_gives_the_scalar_bits),
        cmocka_unit_test(a_kept_gradient_stays_and_changes_nothing_else),
        cmocka_unit_test(thread_count_does_not_change_the_bits),
        cmocka_unit_test(a_known_sum_of_squares_serves_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
