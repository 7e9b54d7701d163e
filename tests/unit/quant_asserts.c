/* A caller's mistake ends the program where a kernel is entered, in every build that is given out: sizes beyond what was planned or
 * packed would be read and written past the end otherwise. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/infer.h"
#include "core/ops.h"
#include "quant/qlinear.h"

enum { N = 16, K = 64 };
static const snc_ctx ctx = SNC_CTX_INIT;
static float W[N * K], y[4 * K];
static int8_t xq[4 * K];

static void rows_of_a_plan(int n)
{
    const snc_ops_limits max = {.rows = 2, .width = N, .seqs = 1, .len = 2, .head_width = 8};
    snc_ops *o = NULL;
    if (snc_ops_create(&o, &ctx, &max) != SNC_OK) _exit(3);
    snc_col_sum(y, o, W, 2, n);
    snc_ops_free(o);
}

static void outputs_of_a_layer(int n)
{
    const float sx[1] = {1};
    snc_qlinear *l = NULL;
    if (snc_qlinear_create(&l, &ctx, W, K, NULL, N, K) != SNC_OK) _exit(3);
    _Alignas(64) static char workspace[1 << 16];
    if (snc_qlinear_run(y, 2 * N, l, &ctx, xq, K, sx, 1, n, K, SNC_EPI_NONE, workspace) != SNC_OK) _exit(3);
    snc_qlinear_free(l);
}

static void bytes_of_a_row(int n)
{
    float sx[1];
    snc_quantize_rows(xq, sx, W, K, 1, n, N);
}

static void columns_of_a_row(int n) { snc_infer_norm(y, N, W, N, W, W, 1, n, 1e-5f, SNC_ISA_SCALAR); }

/* How a process ends that makes this call: 0, or the signal. */
static int ends_with(void (*call)(int), int n)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr)) _exit(3);
        call(n);
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void sizes_beyond_the_plan_end_the_program(void **state)
{
    (void)state;
    static void (*const calls[])(int) = {rows_of_a_plan, outputs_of_a_layer, bytes_of_a_row, columns_of_a_row};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        assert_int_equal(ends_with(calls[i], N), 0);
        assert_int_equal(ends_with(calls[i], N + 1), SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_beyond_the_plan_end_the_program)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
