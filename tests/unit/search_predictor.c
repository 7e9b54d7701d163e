/* Predictors: the linear solve, ridge against its closed form, masks, learning what is additive and what is not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"
#include "check.h"
#include "search/lsq.h"
#include "search/predictor.h"
#include "search/ridge.h"
#include "search/search.h"
#include "search/svr.h"
#include "unit/search_support.h"

static const snc_encoder_config nano = {
    .vocab = 50, .positions = 20, .types = 2, .hidden = 192, .layers = 3, .heads = 4, .head_width = 48, .ffn = 512, .classes = 2};

/* Both solvers on the normal matrix of random rows; and a matrix that is not positive definite. */
static void solvers_solve_and_agree(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 7, 64, 130};
    snc_rng r;
    snc_rng_init(&r, 1, 2);
    for (int t = 0; t < 5; t++) {
        int n = sizes[t];
        double *A = NULL, *B = NULL, *C = NULL, *x = NULL, *y = NULL, *want = NULL;
        assert_int_equal(snc_alloc(&A, (size_t)n * (size_t)n, sizeof *A), SNC_OK);
        assert_int_equal(snc_alloc(&B, (size_t)n * (size_t)n, sizeof *B), SNC_OK);
        assert_int_equal(snc_alloc(&C, (size_t)n * (size_t)n, sizeof *C), SNC_OK);
        assert_int_equal(snc_alloc(&x, (size_t)n, sizeof *x), SNC_OK);
        assert_int_equal(snc_alloc(&y, (size_t)n, sizeof *y), SNC_OK);
        assert_int_equal(snc_alloc(&want, (size_t)n, sizeof *want), SNC_OK);
        for (int i = 0; i < n; i++) want[i] = snc_rng_normal(&r);
        for (int i = 0; i < n * n; i++) C[i] = snc_rng_normal(&r);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double s = i == j;
                for (int k = 0; k < n; k++) s += C[i * n + k] * C[j * n + k];
                A[i * n + j] = B[i * n + j] = s;
            }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) x[i] += A[i * n + j] * want[j];
        memcpy(y, x, (size_t)n * sizeof *y);
        assert_int_equal(snc_lsq_solve(x, A, n), SNC_OK);
        assert_int_equal(snc_lsq_solve_ref(y, B, n), SNC_OK);
        for (int i = 0; i < n; i++) {
            assert_true(fabs(x[i] - want[i]) < 1e-7);
            assert_true(fabs(y[i] - want[i]) < 1e-7);
        }
        snc_free(A);
        snc_free(B);
        snc_free(C);
        snc_free(x);
        snc_free(y);
        snc_free(want);
    }
    double bad[] = {1, 2, 2, 1}, b[] = {1, 1}, worse[] = {1, 2, 2, 1};
    assert_int_equal(snc_lsq_solve(b, bad, 2), SNC_E_BACKEND);
    assert_int_equal(snc_lsq_solve_ref(b, worse, 2), SNC_E_BACKEND);
}

/* Fewer rows than features goes through the dual: the gradient of the objective is zero either way, weights as counts. */
static void ridge_stands_where_its_gradient_is_zero(void **state)
{
    (void)state;
    enum { D = 9, MOST = 30 };
    snc_rng r;
    snc_rng_init(&r, 5, 6);
    for (int n = 3; n <= MOST; n += 9) {
        double X[MOST * D], y[MOST], w[D], bias;
        int v[MOST];
        const double alpha = 0.7;
        snc_ridge *ridge = NULL;
        for (int i = 0; i < n * D; i++) X[i] = snc_rng_normal(&r);
        for (int i = 0; i < n; i++) {
            y[i] = snc_rng_normal(&r);
            v[i] = (int)snc_rng_below(&r, 3) + (i == 0);
        }
        assert_int_equal(snc_ridge_new(&ridge, X, y, v, n, D), SNC_OK);
        assert_int_equal(snc_ridge_solve(w, &bias, ridge, alpha), SNC_OK);
        double gb = 0;
        for (int k = 0; k < D; k++) {
            double g = alpha * w[k];
            for (int i = 0; i < n; i++) {
                double e = bias - y[i];
                for (int j = 0; j < D; j++) e += w[j] * X[i * D + j];
                g += v[i] * e * X[i * D + k];
                if (k == 0) gb += v[i] * e;
            }
            assert_true(fabs(g) < 1e-9);
        }
        assert_true(fabs(gb) < 1e-9);
        snc_ridge_free(ridge);
    }
}

/* Loss of a config: additive, or with one pair of genes that matter only together. */
static double truth(const snc_space *s, const snc_cfg *c, bool pair)
{
    snc_arch a;
    snc_policy p;
    snc_cfg_decode(&a, &p, s, c);
    double loss = 3 + 2 * (3 - a.layers) + (192 - a.hidden) / 64.0;
    for (int l = 0; l < a.layers; l++) loss += (l + 1) * (4 - a.heads[l]) * 0.3 + (512 - a.ffn[l]) / 512.0;
    if (pair) loss += a.heads[0] % 2 == a.ffn[0] / 64 % 2 ? 2.0 : 0;
    return loss;
}

static snc_predictor *learn(snc_cfg *x, const snc_space *s, int n, bool pair, bool onehot, bool svr)
{
    snc_rng r;
    snc_predictor *p = NULL;
    snc_predictor_opts o = SNC_PREDICTOR_OPTS_INIT;
    double *y = NULL;
    o.onehot = onehot;
    o.svr = svr;
    assert_int_equal(snc_alloc(&y, (size_t)n, sizeof *y), SNC_OK);
    snc_rng_init(&r, 11, 12);
    for (int i = 0; i < n; i++) {
        x[i] = snc_cfg_random(s, &r);
        y[i] = truth(s, &x[i], pair);
    }
    assert_int_equal(snc_predictor_fit(&p, s, x, y, n, &o, NULL), SNC_OK);
    snc_free(y);
    return p;
}

static double tau_on_new(const snc_predictor *p, const snc_space *s, bool pair)
{
    double a[200], b[200];
    snc_rng r;
    snc_rng_init(&r, 13, 14);
    for (int i = 0; i < 200; i++) {
        snc_cfg c = snc_cfg_random(s, &r);
        a[i] = snc_predictor_value(p, &c);
        b[i] = truth(s, &c, pair);
    }
    return snc_kendall_tau(a, b, 200);
}

static void additive_losses_are_learnt(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, NULL);
    snc_cfg x[80];
    for (int onehot = 0; onehot < 2; onehot++) {
        snc_predictor *p = learn(x, s, 80, false, onehot, false);
        snc_predictor_quality q;
        snc_predictor_report(&q, p);
        assert_string_equal(q.kind, "ridge");
        assert_true(q.tau > 0.75 && q.mape < 5);
        assert_true(tau_on_new(p, s, false) > 0.75);
        snc_predictor_free(p);
    }
    snc_space_free(s);
}

/* Where genes multiply, their logarithms add up; predictions and errors are still in the target's units. */
static void products_are_learnt_by_their_logarithm(void **state)
{
    (void)state;
    enum { N = 80, NEW = 200 };
    snc_space *s = space_of_shape(&nano, NULL);
    snc_cfg x[N];
    double y[N], off[2] = {0, 0};
    for (int log = 0; log < 2; log++) {
        snc_rng r;
        snc_predictor *p = NULL;
        snc_predictor_quality q;
        snc_predictor_opts o = SNC_PREDICTOR_OPTS_INIT;
        o.svr = false;
        o.log = log;
        snc_rng_init(&r, 11, 12);
        for (int i = 0; i < N; i++) {
            x[i] = snc_cfg_random(s, &r);
            y[i] = exp(truth(s, &x[i], false) / 2);
        }
        assert_int_equal(snc_predictor_fit(&p, s, x, y, N, &o, NULL), SNC_OK);
        snc_predictor_report(&q, p);
        for (int i = 0; i < NEW; i++) {
            snc_cfg c = snc_cfg_random(s, &r);
            double v = snc_predictor_value(p, &c), is = exp(truth(s, &c, false) / 2);
            off[log] += 100 * fabs(v / is - 1) / NEW;
            assert_true(fabs(snc_predictor_lower(p, &c, 0) - v) <= 1e-9 * fabs(v));
            assert_true(snc_predictor_lower(p, &c, 2) < v);
        }
        assert_true(fabs(q.mape - off[log]) < 0.5 * off[log]);
        snc_predictor_free(p);
    }
    assert_true(off[1] < 0.6 * off[0]);
    snc_space_free(s);
}

/* What the quality says out of fold is what new configs show. */
static void an_svr_wins_where_genes_interact(void **state)
{
    (void)state;
    enum { N = 400 };
    if (!snc_svr_built()) skip();
    snc_space *s = space_of_shape(&nano, NULL);
    static snc_cfg x[N];
    snc_predictor *ridge = learn(x, s, N, true, true, false), *both = learn(x, s, N, true, true, true);
    snc_predictor_quality q;
    snc_predictor_report(&q, both);
    assert_string_equal(q.kind, "svr");
    assert_true(q.rmse_svr < q.rmse_ridge);
    double t = tau_on_new(both, s, true);
    assert_true(t > tau_on_new(ridge, s, true));
    assert_true(fabs(t - q.tau) < 0.08);
    snc_predictor_free(ridge);
    snc_predictor_free(both);
    snc_space_free(s);
}

/* A surrogate cannot tell the two apart. */
static void assert_same_features(const snc_features *f, const snc_cfg *x, const snc_cfg *y)
{
    double a[2048], b[2048];
    uint8_t ca[SNC_MAX_GENES], cb[SNC_MAX_GENES];
    assert_true(f->d <= 2048);
    snc_features_encode(a, f, x);
    snc_features_encode(b, f, y);
    snc_features_code(ca, f, x);
    snc_features_code(cb, f, y);
    assert_memory_equal(a, b, (size_t)f->d * sizeof *a);
    assert_memory_equal(ca, cb, (size_t)f->genes);
}

/* A config with junk in the genes of a dropped layer is the same network: same features, codes and predictions. */
static void dropped_layers_say_nothing(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, NULL);
    snc_rng r;
    snc_rng_init(&r, 3, 9);
    for (int onehot = 0; onehot < 2; onehot++) {
        snc_features f;
        snc_features_init(&f, s, onehot);
        for (int t = 0; t < 100; t++) {
            snc_cfg junk = {{0}}, clean;
            for (int g = 0; g < s->genes; g++) junk.o[g] = (uint8_t)snc_rng_below(&r, (uint32_t)s->gene[g].n);
            clean = junk;
            snc_cfg_canonical(&clean, s);
            assert_same_features(&f, &junk, &clean);
        }
    }
    snc_space_free(s);
}

/* The same of a half that is skipped and of layers left out singly: what does not live says nothing. */
static void skipped_halves_say_nothing(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, SNC_ROOT_DIR "/configs/spaces/wide.json");
    snc_rng r;
    int dead = 0;
    snc_rng_init(&r, 3, 9);
    for (int onehot = 0; onehot < 2; onehot++) {
        snc_features f;
        snc_features_init(&f, s, onehot);
        assert_int_equal(f.genes, snc_space_free_genes(s));
        for (int t = 0; t < 200; t++) {
            snc_cfg clean = snc_cfg_random(s, &r), junk = clean;
            bool live[SNC_MAX_GENES];
            snc_cfg_live(live, s, &clean);
            for (int g = 0; g < s->genes; g++) {
                dead += !live[g];
                if (!live[g]) junk.o[g] = (uint8_t)(s->gene[g].n - 1);
            }
            assert_same_features(&f, &junk, &clean);
            snc_cfg_canonical(&junk, s);
            assert_true(snc_cfg_equal(&junk, &clean));
        }
    }
    assert_true(dead > 200);
    snc_space_free(s);
}

/* The table of an additive model is the dot product; the kernel's distance is the squared one of the features. */
static void tables_and_distances_are_those_of_the_features(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, NULL);
    snc_rng r;
    snc_rng_init(&r, 21, 22);
    for (int onehot = 0; onehot < 2; onehot++) {
        snc_features f;
        static double w[2048], a[2048], b[2048];
        snc_feature_table *table = NULL;
        snc_features_init(&f, s, onehot);
        for (int i = 0; i < f.d; i++) w[i] = snc_rng_normal(&r);
        assert_int_equal(snc_alloc(&table, (size_t)f.genes, sizeof *table), SNC_OK);
        snc_features_table(table, &f, w);
        for (int t = 0; t < 50; t++) {
            snc_cfg x = snc_cfg_random(s, &r), y = snc_cfg_random(s, &r);
            uint8_t cx[SNC_MAX_GENES], cy[SNC_MAX_GENES];
            double sum = 0, square = 0;
            snc_features_encode(a, &f, &x);
            snc_features_encode(b, &f, &y);
            snc_features_code(cx, &f, &x);
            snc_features_code(cy, &f, &y);
            for (int i = 0; i < f.d; i++) {
                sum += w[i] * a[i];
                square += (a[i] - b[i]) * (a[i] - b[i]);
            }
            assert_true(fabs(sum - snc_features_sum(&f, table, &x)) < 1e-9);
            int d = snc_features_distance(&f, cx, cy);
            if (!onehot) assert_true(fabs(square - d / (double)SNC_FEATURE_UNIT) < 0.01 * f.genes);
            assert_int_equal(d, snc_features_distance(&f, cy, cx));
            assert_int_equal(snc_features_distance(&f, cx, cx), 0);
        }
        snc_free(table);
    }
    snc_space_free(s);
}

static void spread_is_larger_where_less_was_seen(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, NULL);
    static snc_cfg x[200];
    snc_predictor *few = learn(x, s, 20, true, false, false), *many = learn(x, s, 200, true, false, false);
    snc_rng r;
    double a = 0, b = 0;
    snc_rng_init(&r, 2, 3);
    for (int i = 0; i < 100; i++) {
        snc_cfg c = snc_cfg_random(s, &r);
        a += snc_predictor_spread(few, &c);
        b += snc_predictor_spread(many, &c);
    }
    assert_true(a > b && b > 0);
    snc_predictor_free(few);
    snc_predictor_free(many);
    snc_space_free(s);
}

static void degenerate_rows_do_not_hurt(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, NULL);
    snc_cfg x[12];
    double y[12];
    snc_predictor *p = NULL;
    snc_predictor_opts o = SNC_PREDICTOR_OPTS_INIT;
    memset(x, 0, sizeof x);
    for (int i = 0; i < 12; i++) y[i] = 5;
    o.svr_from = 1;
    assert_int_equal(snc_predictor_fit(&p, s, x, y, 12, &o, NULL), SNC_OK);
    assert_true(fabs(snc_predictor_value(p, &x[0]) - 5) < 1e-9);
    snc_predictor_free(p);
    p = NULL;
    assert_int_equal(snc_predictor_fit(&p, s, x, y, 2, &o, NULL), SNC_OK);
    snc_predictor_free(p);
    p = NULL;
    assert_int_equal(snc_predictor_fit(&p, s, x, y, 1, &o, NULL), SNC_E_ARG);
    snc_space_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solvers_solve_and_agree),
        cmocka_unit_test(ridge_stands_where_its_gradient_is_zero),
        cmocka_unit_test(additive_losses_are_learnt),
        cmocka_unit_test(products_are_learnt_by_their_logarithm),
        cmocka_unit_test(an_svr_wins_where_genes_interact),
        cmocka_unit_test(dropped_layers_say_nothing),
        cmocka_unit_test(skipped_halves_say_nothing),
        cmocka_unit_test(tables_and_distances_are_those_of_the_features),
        cmocka_unit_test(spread_is_larger_where_less_was_seen),
        cmocka_unit_test(degenerate_rows_do_not_hurt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
