/* Speed of the three products of a linear layer, by shape, backend and thread count: GFLOP/s, the best of many repeats.
 *
 *     bench_core_gemm_speed [--backend native,onednn,blas,ref] [--compute bf16,f32] [--threads 1,2] [--repeats 200]
 *
 * Shapes are those of a 6 x 384 encoder (hidden 384, FFN 1536) at several batch sizes in tokens. `sync` is the packing of
 * a weight, in GB/s of f32 read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "core/gemm.h"

typedef struct shape {
    int T, n, k;
} shape;

static const shape shapes[] = {{416, 384, 384},   {416, 1536, 384},  {416, 384, 1536}, {100, 1536, 384},
                               {2500, 1536, 384}, {2500, 384, 1536}, {32, 384, 384},   {416, 192, 352}};

typedef struct bench {
    snc_gemm *g;
    snc_gemm_weight *w;
    float *X, *Y, *W, *dW, *b;
    shape s;
} bench;

static void die(void)
{
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static float *floats(size_t n, uint64_t seed)
{
    float *p;
    snc_rng r;
    if (snc_alloc(&p, n, sizeof *p) != SNC_OK) die();
    snc_rng_init(&r, seed, 0);
    for (size_t i = 0; i < n; i++) p[i] = (float)snc_rng_uniform(&r) - 0.5f;
    return p;
}

static snc_err product(bench *b, int which)
{
    shape s = b->s;
    switch (which) {
    case 0: return snc_gemm_forward(b->Y, s.n, b->g, b->X, s.k, b->w, b->b, s.T, s.n, s.k, false);
    case 1: return snc_gemm_backward_x(b->X, s.k, b->g, b->Y, s.n, b->w, s.T, s.n, s.k, false);
    case 2: return snc_gemm_backward_w(b->dW, s.k, b->g, b->Y, s.n, b->X, s.k, s.T, s.n, s.k, true);
    default: snc_gemm_weight_sync(b->g, b->w); return SNC_OK;
    }
}

static double best_seconds(bench *b, int which, int repeats)
{
    double best = 1e9;
    for (int i = 0; i < repeats; i++) {
        memset(b->Y, 0, (size_t)b->s.T * (size_t)b->s.n * sizeof(float));
        memset(b->dW, 0, (size_t)b->s.n * (size_t)b->s.k * sizeof(float));
        double t = snc_now();
        if (product(b, which) != SNC_OK) die();
        t = snc_now() - t;
        if (t < best) best = t;
    }
    return best;
}

static void run(snc_backend backend, snc_compute compute, int threads, int repeats)
{
    static const char *const names[] = {"forward", "backward_x", "backward_w"};
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.backend = backend, ctx.threads = threads;
    if (snc_ctx_check(&ctx) != SNC_OK) die();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        shape s = shapes[i];
        bench b = {.s = s};
        if (snc_gemm_create(&b.g, &ctx, compute, s.T, s.n > s.k ? s.n : s.k) != SNC_OK) {
            printf("%s\n", snc_err_text());
            return;
        }
        b.X = floats((size_t)s.T * (size_t)s.k, 1), b.Y = floats((size_t)s.T * (size_t)s.n, 2);
        b.W = floats((size_t)s.n * (size_t)s.k, 3), b.dW = floats((size_t)s.n * (size_t)s.k, 4), b.b = floats((size_t)s.n, 5);
        if (snc_gemm_weight_create(&b.w, b.g, b.W, s.k, s.n, s.k) != SNC_OK) die();
        printf("%-7s %-5s %d thread%s T %4d n %4d k %4d ", snc_backend_name(backend), compute == SNC_COMPUTE_BF16 ? "bf16" : "f32", threads,
               threads > 1 ? "s" : " ", s.T, s.n, s.k);
        for (int p = 0; p < 3; p++) printf(" %s %6.0f", names[p], 2e-9 * s.T * s.n * s.k / best_seconds(&b, p, repeats));
        printf(" GFLOP/s  sync %5.1f GB/s\n", 4e-9 * s.n * s.k / best_seconds(&b, 3, repeats));
        fflush(stdout);
        snc_gemm_weight_free(b.w);
        snc_gemm_free(b.g);
        float *blocks[] = {b.X, b.Y, b.W, b.dW, b.b};
        for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++) snc_free(blocks[k]);
    }
}

static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; (p = strstr(p, name)) != NULL; p += n)
        if ((p == list || p[-1] == ',') && (p[n] == 0 || p[n] == ',')) return true;
    return false;
}

int main(int argc, char **argv)
{
    const char *backends = "native,onednn", *computes = "bf16", *threads = "1,2";
    int repeats = 200;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--backend") == 0) backends = argv[i + 1];
        else if (strcmp(argv[i], "--compute") == 0) computes = argv[i + 1];
        else if (strcmp(argv[i], "--threads") == 0) threads = argv[i + 1];
        else if (strcmp(argv[i], "--repeats") == 0) repeats = atoi(argv[i + 1]);
        else return fprintf(stderr, "unknown option %s\n", argv[i]), 2;
    }
    for (int c = SNC_COMPUTE_F32; c <= SNC_COMPUTE_BF16; c++)
        for (int b = SNC_BACKEND_REF; b <= SNC_BACKEND_NATIVE; b++)
            for (int t = 1; t <= 2; t++)
                if (listed(computes, c == SNC_COMPUTE_BF16 ? "bf16" : "f32") && listed(backends, snc_backend_name((snc_backend)b)) &&
                    listed(threads, t == 1 ? "1" : "2"))
                    run((snc_backend)b, (snc_compute)c, t, repeats);
    return 0;
}
