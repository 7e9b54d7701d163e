/* AdamW and the losses against PyTorch: tests/ref/train_adamw.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "train/adamw.h"
#include "train/loss.h"

enum { NW = 35, NB = 11, N = NW + NB, STEPS = 6, B = 6, K = 3 };
static const double STEP_TOL = 2e-6; /* six f32 steps on values near 1: measured 2.4e-7 */
static const double NORM_TOL = 1e-6; /* relative; PyTorch sums in f32 */
static const double LOSS_TOL = 1e-6; /* PyTorch's f32 softmax */

static float values[64];

/* Reads the line `name n v ...`; returns n. */
static int golden(const char *name)
{
    FILE *f = fopen(SNC_TEST_DIR "/golden/train_adamw.txt", "r");
    char key[16];
    int n, found = -1;
    assert_non_null(f);
    while (found < 0 && fscanf(f, "%15s %d", key, &n) == 2) {
        assert_true(n >= 0 && n <= 64);
        for (int i = 0; i < n; i++) assert_int_equal(fscanf(f, "%f", &values[i]), 1);
        if (strcmp(key, name) == 0) found = n;
    }
    fclose(f);
    assert_true(found >= 0);
    return found;
}

static void copy_golden(float *out, const char *name, int n)
{
    assert_int_equal(golden(name), n);
    memcpy(out, values, (size_t)n * sizeof *out);
}

static void six_steps_equal_pytorch_adamw(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_params ps = {0};
    int w, b;
    char name[16];
    assert_int_equal(snc_params_add(&w, &ps, 7, 5, SNC_PARAM_DECAY, "w"), SNC_OK);
    assert_int_equal(snc_params_add(&b, &ps, 1, 11, 0, "b"), SNC_OK);
    assert_int_equal(snc_params_alloc(&ps), SNC_OK);
    snc_schedule s = {.lr = 0.05, .total = STEPS, .warmup = 0.3};
    snc_adamw_opts o = SNC_ADAMW_OPTS_INIT;
    snc_adamw *a;
    assert_int_equal(snc_adamw_create(&a, &ctx, &ps, &s, &o), SNC_OK);
    assert_int_equal(golden("p0"), N);
    memcpy(snc_params_w(&ps, w), values, NW * sizeof(float));
    memcpy(snc_params_w(&ps, b), values + NW, NB * sizeof(float));
    for (int t = 1; t <= STEPS; t++) {
        snprintf(name, sizeof name, "g%d", t);
        assert_int_equal(golden(name), N);
        memcpy(snc_params_g(&ps, w), values, NW * sizeof(float));
        memcpy(snc_params_g(&ps, b), values + NW, NB * sizeof(float));
        double norm;
        assert_int_equal(snc_adamw_step(&norm, a, NULL, 0), SNC_OK);
        snprintf(name, sizeof name, "n%d", t);
        golden(name);
        assert_true(fabs(norm - (double)values[0]) <= NORM_TOL * norm);
        snprintf(name, sizeof name, "p%d", t);
        golden(name);
        for (int i = 0; i < N; i++) {
            float p = i < NW ? snc_params_w(&ps, w)[i] : snc_params_w(&ps, b)[i - NW];
            assert_true(fabs((double)p - (double)values[i]) <= STEP_TOL);
        }
        for (size_t i = 0; i < ps.total; i++) assert_true(ps.g[i] == 0.0f);
    }
    snc_adamw_free(a);
    snc_params_dispose(&ps);
}

static void check_loss(const char *name, double loss, const float *d)
{
    char grad[8];
    golden(name);
    assert_true(fabs(loss - (double)values[0]) <= LOSS_TOL * (1 + fabs(loss)));
    snprintf(grad, sizeof grad, "d%s", name);
    assert_int_equal(golden(grad), B * K);
    for (int i = 0; i < B * K; i++) assert_true(fabs((double)d[i] - (double)values[i]) <= LOSS_TOL);
}

static void losses_and_gradients_equal_pytorch(void **state)
{
    (void)state;
    float z[B * K], q[B * K], y[B], d[B * K];
    copy_golden(z, "z", B * K);
    copy_golden(q, "q", B * K);
    copy_golden(y, "y", B);
    memset(d, 0, sizeof d);
    check_loss("ce", snc_loss_ce(d, z, y, B, K, NULL, 1.0), d);
    memset(d, 0, sizeof d);
    check_loss("kl", snc_loss_kl(d, z, q, B, K, 2.0, 1.0), d);
    memset(d, 0, sizeof d);
    check_loss("mse", snc_loss_hidden(d, z, K, q, K, B, K, 1.0), d);
    memset(d, 0, sizeof d);
    check_loss("mse", snc_loss_mse(d, z, q, B * K, 1.0), d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(six_steps_equal_pytorch_adamw),
                                       cmocka_unit_test(losses_and_gradients_equal_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
