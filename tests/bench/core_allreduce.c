/* Sums of gradients over ranks: mpirun -n 2 bench_core_allreduce [MILLIONS [ROUNDS]]. One line a form, by rank 0; seconds are medians. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "core/allreduce.h"

enum { MOST = 101 };

static snc_err run(double *seconds, snc_comm *c, float *x, size_t n, int rounds, bool half)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_allreduce *a;
    double t[MOST];
    SNC_TRY(snc_allreduce_new(&a, &ctx, c, 1, half));
    snc_err err = SNC_OK;
    for (int i = 0; i < rounds && !err; i++) {
        double together = 0;
        for (size_t k = 0; k < n; k++) x[k] = 1e-3f * (float)(k % 1000 + (size_t)c->rank);
        err = snc_comm_sum_doubles(c, &together, 1);
        const double start = snc_now();
        if (!err) err = snc_allreduce_start(a, x, n);
        if (!err) err = snc_allreduce_finish(a);
        t[i] = snc_now() - start;
    }
    snc_allreduce_free(a);
    snc_sort(t, rounds);
    *seconds = snc_quantile(t, rounds, 0.5);
    return err;
}

int main(int argc, char **argv)
{
    const double millions = argc > 1 ? strtod(argv[1], NULL) : 86;
    const int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 7;
    const size_t n = (size_t)(millions * 1e6);
    snc_comm *c;
    float *x;
    snc_err err = snc_comm_open_mpi(&c);
    if (!err && !c) err = snc_err_set(SNC_E_ARG, "start it by mpirun -n 2");
    if (!err) err = snc_alloc(&x, n, sizeof *x);
    for (int half = 0; half < 2 && !err && rounds <= MOST; half++) {
        double seconds;
        err = run(&seconds, c, x, n, rounds, half);
        if (!err && c->rank == 0)
            printf("%g million numbers, %d ranks, %s: %.1f ms\n", millions, c->size, half ? "bf16" : "f32", 1e3 * seconds);
    }
    if (err) fprintf(stderr, "bench_core_allreduce: %s\n", snc_err_text());
    snc_comm_close(c);
    return err ? 2 : 0;
}
