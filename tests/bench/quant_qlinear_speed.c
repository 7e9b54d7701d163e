/* Speed of the INT8 linear layer: one line a shape, instruction set and thread count, best of several repeats.
 *
 *     quant_qlinear_speed [--threads N] [--isa NAME] [--backend native|onednn|ref] [--net] [--only TxNxK]
 *
 * Without --isa all levels of this machine from avx2 up are measured, then oneDNN when it is built in. GOPS counts a
 * multiply and an add as two; GB/s is the weights' bytes over the time. "of limit" is the share of what the vector ports (or
 * tiles) of one core could multiply and add at the clock of that moment, which a chain of additions tells, one a cycle. --net
 * adds the 36 matrices of a 6 x 384 encoder run one after the other (10.6 MB of weights, larger than L2), the shape of a
 * batch-1 request.
 */
#define _POSIX_C_SOURCE 200112L /* setenv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/isa.h"
#include "base/mem.h"
#include "base/rng.h"
#include "quant/qlinear.h"

static void die(snc_err e)
{
    if (e == SNC_OK) return;
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static void *grab(size_t n, size_t size)
{
    void *p;
    die(snc_alloc(&p, n, size));
    return p;
}

static void fill(int8_t *q, size_t n)
{
    for (size_t i = 0; i < n; i++) q[i] = (int8_t)((int)(snc_hash64(i) % 255) - 127);
}

static snc_qlinear *layer(const snc_ctx *ctx, int N, int K)
{
    int8_t *q = grab((size_t)N * (size_t)K, 1);
    float *sw = grab((size_t)N, sizeof(float));
    fill(q, (size_t)N * (size_t)K);
    for (int i = 0; i < N; i++) sw[i] = 1e-4f;
    snc_qlinear *l;
    die(snc_qlinear_create_packed(&l, ctx, q, sw, sw, N, K));
    snc_free(q);
    snc_free(sw);
    return l;
}

/* Multiply-adds of bytes in a cycle of one core as Intel builds them: two ports of 512 bits, three of 256 of which two multiply. */
static double limit_of(snc_isa isa)
{
    switch (isa) {
    case SNC_ISA_AVX2: return 24;   /* vpmaddwd of 16 and an addition: two of three ports */
    case SNC_ISA_AVX512: return 32; /* vpmaddwd of 32 and an addition: both ports */
    case SNC_ISA_AVXVNNI: return 64;
    case SNC_ISA_VNNI:
    case SNC_ISA_BF16: return 128;
    case SNC_ISA_AMX: return 1024; /* 16 x 16 x 64 in 16 cycles */
    default: return 0;
    }
}

/* Cycles in a second, now: of 20,000 dependent additions. */
static double clock_rate(void)
{
    uint64_t x = 1;
    double t0 = snc_now();
#if defined(__x86_64__)
    for (int i = 0; i < 1000; i++) __asm__ volatile(".rept 20\n\tadd %0, %0\n\t.endr" : "+r"(x));
#elif defined(__aarch64__)
    for (int i = 0; i < 1000; i++) __asm__ volatile(".rept 20\n\tadd %0, %0, %0\n\t.endr" : "+r"(x));
#endif
    return 20000 / (snc_now() - t0);
}

/* Best seconds of one call: groups of calls of about 2 ms, for 0.15 s; the clock right after the best. */
typedef void (*body)(void *);
static double best_of(body fn, void *p, double *rate)
{
    double t0 = snc_now(), best = 1e9, start;
    fn(p);
    double once = snc_now() - t0;
    int inner = once > 2e-3 ? 1 : (int)(2e-3 / (once + 1e-7)) + 1;
    start = snc_now();
    do {
        t0 = snc_now();
        for (int i = 0; i < inner; i++) fn(p);
        double s = (snc_now() - t0) / inner;
        if (s < best) best = s, *rate = clock_rate();
    } while (snc_now() - start < 0.15);
    return best;
}

typedef struct call {
    const snc_ctx *ctx;
    snc_qlinear *const *layers;
    const int (*shape)[2];
    int count, T, ldq;
    int8_t *xq;
    float *sx, *y;
    void *ws;
    snc_epilogue epi;
} call;

static void run_layers(void *p)
{
    const call *c = p;
    for (int i = 0; i < c->count; i++)
        die(snc_qlinear_run(c->y, c->shape[i][0], c->layers[i], c->ctx, c->xq, (c->shape[i][1] + 63) / 64 * 64, c->sx, c->T, c->shape[i][0],
                            c->shape[i][1], c->epi, c->ws));
}

static void measure(const snc_ctx *ctx, const char *name, snc_qlinear *const *layers, const int (*shape)[2], int count, int T,
                    snc_epilogue epi)
{
    call c = {.ctx = ctx, .layers = layers, .shape = shape, .count = count, .T = T, .epi = epi};
    double macs = 0, bytes = 0, rate = 1;
    size_t ws = 0, n = 0, k = 0;
    for (int i = 0; i < count; i++) {
        size_t w = snc_qlinear_workspace_size(layers[i], ctx, T);
        ws = w > ws ? w : ws;
        n = (size_t)shape[i][0] > n ? (size_t)shape[i][0] : n;
        k = (size_t)shape[i][1] > k ? (size_t)shape[i][1] : k;
        bytes += (double)shape[i][0] * shape[i][1];
    }
    macs = bytes * T;
    c.xq = grab((size_t)T * (k + 63), 1);
    c.sx = grab((size_t)T, sizeof(float));
    c.y = grab((size_t)T * n, sizeof(float));
    c.ws = grab(ws, 1);
    fill(c.xq, (size_t)T * k);
    for (int t = 0; t < T; t++) c.sx[t] = 0.01f;
    double s = best_of(run_layers, &c, &rate);
    char size[32];
    if (count == 1) snprintf(size, sizeof size, "%5d x %5d", shape[0][0], shape[0][1]);
    else snprintf(size, sizeof size, "%d matrices", count);
    printf("%-7s %d thread%s  T %5d  %-14s %-5s %10.1f us %8.0f GOPS %7.1f GB/s", name, ctx->threads, ctx->threads > 1 ? "s" : " ", T, size,
           epi == SNC_EPI_GELU ? "gelu" : "-", s * 1e6, 2 * macs / s * 1e-9, bytes / s * 1e-9);
    double limit = ctx->backend == SNC_BACKEND_ONEDNN ? 0 : limit_of(snc_isa_now()) * ctx->threads;
    if (limit > 0) printf("  %3.0f%% of limit at %.2f GHz", 100 * macs / s / rate / limit, rate * 1e-9);
    printf("\n");
    fflush(stdout);
    snc_free(c.xq);
    snc_free(c.sx);
    snc_free(c.y);
    snc_free(c.ws);
}

static int only[3]; /* T, N, K of the one cell that is wanted, or zeros */

static bool wanted(int T, const int shape[2]) { return !only[0] || (T == only[0] && shape[0] == only[1] && shape[1] == only[2]); }

static void bench_net(const snc_ctx *ctx, const char *name)
{
    enum { LAYERS = 6, PER = 6, COUNT = LAYERS * PER };
    static const int one[PER][2] = {{384, 384}, {384, 384}, {384, 384}, {384, 384}, {1536, 384}, {384, 1536}};
    static const int tokens[] = {1, 10, 16, 32, 128};
    int shape[COUNT][2];
    snc_qlinear *l[COUNT];
    for (int i = 0; i < COUNT; i++) {
        memcpy(shape[i], one[i % PER], sizeof shape[i]);
        l[i] = layer(ctx, shape[i][0], shape[i][1]);
    }
    for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++)
        measure(ctx, name, l, (const int(*)[2])shape, COUNT, tokens[t], SNC_EPI_NONE);
    for (int i = 0; i < COUNT; i++) snc_qlinear_free(l[i]);
}

static void bench(const snc_ctx *ctx, const char *name, int net)
{
    static const int shapes[][2] = {{64, 384}, {384, 384}, {1536, 384}, {384, 1536}, {768, 768}, {3072, 768}, {768, 3072}};
    static const int tokens[] = {1, 10, 16, 32, 128, 512, 4096};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        snc_qlinear *l = layer(ctx, shapes[s][0], shapes[s][1]);
        for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++)
            if (wanted(tokens[t], shapes[s])) measure(ctx, name, &l, &shapes[s], 1, tokens[t], SNC_EPI_NONE);
        for (size_t t = 3; t < sizeof tokens / sizeof *tokens && shapes[s][0] > shapes[s][1]; t++)
            if (wanted(tokens[t], shapes[s])) measure(ctx, name, &l, &shapes[s], 1, tokens[t], SNC_EPI_GELU);
        snc_qlinear_free(l);
    }
    if (net) bench_net(ctx, name);
}

int main(int argc, char **argv)
{
    snc_ctx ctx = SNC_CTX_INIT;
    const char *isa = NULL;
    int net = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--net") == 0) net = 1;
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) ctx.threads = atoi(argv[++i]);
        else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc) isa = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            char *end = argv[++i];
            for (int d = 0; d < 3; d++, end += *end == 'x') only[d] = (int)strtol(end, &end, 10);
        } else if (strcmp(argv[i], "--backend") == 0 && i + 1 < argc) die(snc_backend_parse(&ctx.backend, argv[++i]));
        else {
            fprintf(stderr, "usage: %s [--threads N] [--isa NAME] [--backend NAME] [--net] [--only TxNxK]\n", argv[0]);
            return 2;
        }
    }
    die(snc_ctx_check(&ctx));
    printf("%s\n", snc_cpu_name());
    for (int level = snc_isa_next(SNC_ISA_SCALAR); level < SNC_ISA_COUNT; level = snc_isa_next(level)) {
        const char *name = snc_isa_name((snc_isa)level);
        if (ctx.backend == SNC_BACKEND_REF || ctx.backend == SNC_BACKEND_ONEDNN || (isa && strcmp(isa, name) != 0)) continue;
        if (setenv("SNC_ISA", name, 1) != 0) return 1;
        bench(&ctx, name, net);
    }
    if (unsetenv("SNC_ISA") != 0) return 1;
    if (ctx.backend == SNC_BACKEND_REF) bench(&ctx, "ref", net);
#ifdef SNC_WITH_ONEDNN
    if (!isa && (ctx.backend == SNC_BACKEND_AUTO || ctx.backend == SNC_BACKEND_ONEDNN)) {
        ctx.backend = SNC_BACKEND_ONEDNN;
        bench(&ctx, "onednn", net);
    }
#endif
    return 0;
}
