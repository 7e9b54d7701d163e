/* The INT8 product loop of AVX-512 VNNI alone, epilogue left out, as a share of what its ports allow: `vpdpbusd` on registers, measured
 * right before and after each sample. Rows are in cache; weights come from L1, from L2, or from beyond in turns of 10 MB.
 *
 *     quant_port_limit
 *
 * A core whose sibling thread runs for somebody else has half of its front end and part of its loads left, which the register loop
 * does not notice: what a chain of no-ops reaches tells the two states apart, and each has a column. Random data. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "quant/qlinear_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { SAMPLES = 1500, CHAINS = 20 };

static void die(snc_err e)
{
    if (e == SNC_OK) return;
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static void leave(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                  snc_epilogue epi, uint32_t *top)
{
    (void)y, (void)ldy, (void)s, (void)lds, (void)sx, (void)sw, (void)b, (void)rows, (void)cols, (void)epi, (void)top;
}

/* 10^9 multiply-adds of bytes a second with all operands in registers. */
__attribute__((target("avx512f,avx512vnni"))) static double registers(void)
{
    enum { TURNS = 8000 };
    __m512i a[CHAINS], w = _mm512_set1_epi8(77), x = _mm512_set1_epi8(-35);
#pragma GCC unroll 20
    for (int i = 0; i < CHAINS; i++) a[i] = _mm512_set1_epi32(i);
    double t = snc_now();
    for (int k = 0; k < TURNS; k++)
#pragma GCC unroll 20
        for (int i = 0; i < CHAINS; i++) {
            a[i] = _mm512_dpbusd_epi32(a[i], w, x);
            __asm__ volatile("" : "+v"(a[i]));
        }
    return 64.0 * CHAINS * TURNS / (snc_now() - t) * 1e-9;
}

/* No-ops in a nanosecond: what the front end gives. */
static double front(void)
{
    double t = snc_now();
    for (int i = 0; i < 4000; i++) __asm__ volatile(".rept 32\n\tnop\n\t.endr");
    return 32 * 4000 / (snc_now() - t) * 1e-9;
}

typedef struct sample {
    double share, front;
} sample;

static int by_share(const void *a, const void *b)
{
    double x = ((const sample *)a)->share, y = ((const sample *)b)->share;
    return (x > y) - (x < y);
}

static void print_state(const char *name, const sample *all, int n, double low, double high)
{
    static sample s[SAMPLES];
    int m = 0;
    for (int i = 0; i < n; i++)
        if (all[i].front >= low && all[i].front < high) s[m++] = all[i];
    if (m < 10) {
        printf("  %s: not seen", name);
        return;
    }
    qsort(s, (size_t)m, sizeof *s, by_share);
    printf("  %s %5.1f %5.1f %5.1f %% (%4d)", name, s[m / 4].share, s[m / 2].share, s[m * 3 / 4].share, m);
}

static void measure(const char *from, int T, int N, int K, int copies)
{
    const snc_qkernel *kernel = &snc_qkernel__vnni;
    static sample all[SAMPLES];
    int ldq = snc_quantized_stride(K), calls = (int)(4e7 / ((double)T * N * K)) + 1, n = 0, turn = 0;
    size_t bytes = (size_t)N * (size_t)K, rows = (size_t)T * (size_t)ldq;
    int8_t *w = NULL, *x = NULL;
    float *one = NULL;
    die(snc_alloc(&w, bytes, (size_t)copies));
    die(snc_alloc(&x, rows, 1));
    die(snc_alloc(&one, (size_t)(T + N), sizeof *one));
    for (size_t i = 0; i < bytes * (size_t)copies; i++) w[i] = (int8_t)snc_hash64(i);
    for (size_t i = 0; i < rows; i++) x[i] = (int8_t)snc_hash64(i);
    snc_qjob j = {.xq = x, .ldq = ldq, .n = N, .kb = K / SNC_QBLOCK, .panel = (size_t)K * SNC_QPANEL, .finish = leave};
    j.sx = j.sw = j.b = one;
    double most = 0, start = snc_now(), limit = registers();
    for (; n < SAMPLES && snc_now() - start < 1.5; n++) {
        double f0 = front(), t = snc_now();
        for (int c = 0; c < calls; c++) {
            j.wq = w + bytes * (size_t)(turn++ % copies);
            for (int r = 0; r < T; r += kernel->rows) kernel->run(&j, r, r + kernel->rows < T ? r + kernel->rows : T, 0, N / SNC_QPANEL);
        }
        double speed = (double)T * N * K * calls / (snc_now() - t) * 1e-9, f1 = front(), after = registers();
        all[n] = (sample){100 * speed / ((limit + after) / 2), f0 < f1 ? f0 : f1};
        most = all[n].front > most ? all[n].front : most;
        limit = after;
    }
    printf("%s %4d x %4d x %4d of %.0f G:", from, T, N, K, limit);
    print_state("alone", all, n, 0.8 * most, 2 * most);
    print_state("sibling busy", all, n, 0, 0.7 * most);
    printf("\n");
    fflush(stdout);
    snc_free(w), snc_free(x), snc_free(one);
}

int main(void)
{
    if (!snc_isa_has(SNC_ISA_VNNI)) {
        printf("this CPU has no AVX-512 VNNI\n");
        return 0;
    }
    printf("%s: quartiles of shares of the registers' rate (samples)\n", snc_cpu_name());
    measure("L1    ", 48, 64, 384, 1);
    measure("L2    ", 128, 1536, 384, 1);
    measure("L2    ", 128, 384, 1536, 1);
    measure("beyond", 128, 1536, 384, 18);
    measure("beyond", 128, 384, 1536, 18);
    measure("beyond", 128, 3072, 768, 5);
    measure("beyond", 32, 1536, 384, 18);
    measure("beyond", 16, 1536, 384, 18);
    measure("beyond", 8, 1536, 384, 18);
    measure("beyond", 1, 1536, 384, 18);
    return 0;
}
#else
int main(void)
{
    printf("x86-64 alone\n");
    return 0;
}
#endif
