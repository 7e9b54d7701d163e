/* Picks the widest kernel at each call; the plain loops define the result. Below AVX-512, bf16 operands are f32 of bf16's values. */
#include "core/infer.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "core/dtype.h"
#include "core/infer_priv.h"

static void norm_ref(float *y, int ldy, const float *x, int ldx, const float *gamma, const float *beta, int T, int C, float eps)
{
    for (int t = 0; t < T; t++) {
        const float *xt = x + (size_t)t * (size_t)ldx;
        float *yt = y + (size_t)t * (size_t)ldy;
        float sum = 0, sq = 0;
        for (int c = 0; c < C; c++) sum += xt[c];
        float mean = sum / (float)C;
        for (int c = 0; c < C; c++) sq += (xt[c] - mean) * (xt[c] - mean);
        float r = 1.0f / sqrtf(sq / (float)C + eps);
        for (int c = 0; c < C; c++) yt[c] = (xt[c] - mean) * r * gamma[c] + beta[c];
    }
}

static void dot_ref(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, const float *b, int T, int n, int k)
{
    for (int t = 0; t < T; t++)
        for (int j = 0; j < n; j++) {
            const float *xt = x + (size_t)t * (size_t)ldx, *wj = w + (size_t)j * (size_t)ldw;
            float s = 0;
            for (int i = 0; i < k; i++) s += xt[i] * wj[i];
            y[(size_t)t * (size_t)ldy + (size_t)j] = s + (b ? b[j] : 0);
        }
}

static void slide_ref(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, int T, int n, int k)
{
    for (int t = 0; t < T; t++)
        for (int j = 0; j < n; j++) {
            const float *xt = x + (size_t)t * (size_t)ldx, *at = w + (j - t);
            float s = 0;
            for (int i = 0; i < k; i++) s += xt[i] * at[(size_t)i * (size_t)ldw];
            y[(size_t)t * (size_t)ldy + (size_t)j] = s;
        }
}

static float bent(float v)
{
    static const uint32_t bend[32] = SNC_INFER__BEND;
    uint32_t i = v > 0 ? (uint32_t)lrintf(v) : 0, b = bend[i >> 2 & 31];
    return snc_bf16_to_f32((snc_bf16)(i > b ? i - b : 0));
}

static void attention_ref(const snc_infer__head *a, float *p /* [nk] */)
{
    float log = a->scale * SNC_INFER__LOG;
    for (int i = 0; i < a->nq; i++) {
        const float *q = a->q + (size_t)i * (size_t)a->ldq;
        float *y = a->y + (size_t)i * (size_t)a->ldy;
        float max = -INFINITY, sum = 0;
        for (int j = 0; j < a->nk; j++) {
            const float *k = a->k + (size_t)j * (size_t)a->ldkv;
            float s = 0;
            for (int d = 0; d < a->D; d++) s += q[d] * k[d];
            if (a->bias.at) s += a->bias.at[i * a->bias.query + j];
            p[j] = a->bf16 ? s : s * a->scale;
            if (p[j] > max) max = p[j];
        }
        float one = fmaf(-max, log, SNC_INFER__ONE);
        for (int j = 0; j < a->nk; j++) sum += p[j] = a->bf16 ? bent(fmaf(p[j], log, one)) : expf(p[j] - max);
        for (int d = 0; d < a->D; d++) {
            float o = 0;
            for (int j = 0; j < a->nk; j++) o += p[j] * a->v[(size_t)j * (size_t)a->ldkv + (size_t)d];
            y[d] = o / sum;
        }
    }
}

static void round_ref(float *out, const float *x, int ldx, int rows, int D)
{
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < D; d++)
            out[(size_t)t * (size_t)D + (size_t)d] = snc_bf16_to_f32(snc_bf16_from_f32(x[(size_t)t * (size_t)ldx + (size_t)d]));
}

/* Everywhere but on tiles. */
typedef struct infer_kernels {
    snc_isa isa;
    void (*norm)(float *y, int ldy, const float *x, int ldx, const float *gamma, const float *beta, int T, int C, float eps);
    void (*dot)(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, const float *b, int T, int n, int k);
    void (*slide)(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, int T, int n, int k);
    void (*round)(float *out, const float *x, int ldx, int rows, int D);
    void (*attention)(const snc_infer__head *a, float *scratch);
} infer_kernels;
#define KERNELS(level, isa)                                                                                                            \
    {                                                                                                                                  \
        level, snc_infer__norm_##isa, snc_infer__dot_##isa, snc_infer__slide_##isa, snc_infer__round_##isa, snc_infer__attention_##isa \
    }

static const infer_kernels *kernels_for(snc_isa isa)
{
    static const infer_kernels all[] = { /* best first */
#if defined(__x86_64__)
                                         KERNELS(SNC_ISA_AVX512, avx512),
                                         KERNELS(SNC_ISA_AVX2, avx2),
#elif defined(__aarch64__)
                                         KERNELS(SNC_ISA_NEON, neon),
#endif
                                         {SNC_ISA_SCALAR, norm_ref, dot_ref, slide_ref, round_ref, attention_ref}
    };
    int i = 0;
    while (!snc_isa_covers(isa, all[i].isa)) i++;
    return &all[i];
}

void snc_infer_norm(float *y, int ldy, const float *x, int ldx, const float *gamma, const float *beta, int T, int C, float eps, snc_isa isa)
{
    assert(T >= 0 && C >= 1 && C <= ldx && C <= ldy);
    kernels_for(isa)->norm(y, ldy, x, ldx, gamma, beta, T, C, eps);
}

void snc_infer_dot(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, const float *b, int T, int n, int k, snc_isa isa)
{
    assert(T >= 0 && k >= 1 && k <= ldx && k <= ldw && n <= ldy);
    kernels_for(isa)->dot(y, ldy, x, ldx, w, ldw, b, T, n, k);
}

void snc_infer_slide(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, int T, int n, int k, snc_isa isa)
{
    assert(T >= 1 && n >= 1 && k >= 1 && k <= ldx && n <= ldy && T + n - 1 <= ldw);
    kernels_for(isa)->slide(y, ldy, x, ldx, w, ldw, T, n, k);
}

/* Of one head with f32 operands. */
static size_t head_scratch(int max_len, int D)
{
    size_t len = snc_align_up((size_t)max_len, 16), width = snc_align_up((size_t)D, 16);
    size_t f32 = (2 * len * width + 4 * len) * sizeof(float); /* K transposed, V padded, four rows of scores */
#if defined(__x86_64__)
    size_t avx = snc_infer__attention_avx512_scratch(max_len, D), amx = snc_infer__attention_amx_scratch(max_len, D);
    if (avx > f32) f32 = avx;
    if (amx > f32) f32 = amx;
#endif
    return f32;
}

size_t snc_infer_attention_scratch(int max_len, int D)
{
    return head_scratch(max_len, D) + 3 * (size_t)max_len * (size_t)D * sizeof(float); /* and its rows, widened from bf16 */
}

/* Room for q, k and v [max_len, D] in f32 behind what one head takes. */
static float *rows_room(void *scratch, int nk, int D) { return (float *)(void *)((char *)scratch + head_scratch(nk, D)); }

void snc_infer_attention(float *y, int ldy, const float *q, int ldq, const float *k, const float *v, int ldkv, int nq, int nk, int D,
                         float scale, const snc_infer_bias *bias, bool bf16, snc_isa isa, void *scratch)
{
    assert(nq >= 1 && nq <= nk && D >= 1 && D <= ldq && D <= ldkv && D <= ldy);
    const infer_kernels *kernels = kernels_for(isa);
    const snc_infer_bias none = {NULL, 0, 0};
    if (!bias) bias = &none;
    snc_infer__head a = {y, q, k, v, ldy, ldq, ldkv, nq, nk, D, scale, *bias, false};
    if (bf16 && nq > 1) { /* one query alone would pay for the packing of all keys */
#if defined(__x86_64__)
        if (snc_isa_covers(isa, SNC_ISA_AMX)) {
            snc_infer__attention_amx(&a, scratch);
            return;
        }
        if (snc_isa_covers(isa, SNC_ISA_AVX512)) {
            snc_infer__narrow_avx512(&a, scratch);
            return;
        }
#endif
        float *rq = rows_room(scratch, nk, D), *rk = rq + (size_t)nq * (size_t)D, *rv = rk + (size_t)nk * (size_t)D;
        kernels->round(rq, q, ldq, nq, D);
        kernels->round(rk, k, ldkv, nk, D);
        kernels->round(rv, v, ldkv, nk, D);
        a = (snc_infer__head){y, rq, rk, rv, ldy, D, D, nq, nk, D, scale, *bias, true};
    }
    kernels->attention(&a, scratch);
}

bool snc_infer_wants_bf16(snc_isa isa)
{
#if defined(__x86_64__)
    return snc_isa_covers(isa, SNC_ISA_AVX512);
#else
    (void)isa;
    return false;
#endif
}

static void widen(float *out, const uint16_t *x, int ldx, int rows, int D)
{
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < D; d++) out[(size_t)t * (size_t)D + (size_t)d] = snc_bf16_to_f32(x[(size_t)t * (size_t)ldx + (size_t)d]);
}

void snc_infer_attention_bf16(float *y, int ldy, const uint16_t *q, int ldq, const uint16_t *k, const uint16_t *v, int ldkv, int heads,
                              int nq, int nk, int D, float scale, const snc_infer_bias *bias, snc_isa isa, void *scratch)
{
    assert(nq >= 1 && nq <= nk && D >= 1 && heads * D <= ldq && heads * D <= ldkv && heads * D <= ldy);
    const snc_infer_bias none = {NULL, 0, 0};
    snc_infer_bias b = bias ? *bias : none;
#if defined(__x86_64__)
    snc_infer__half half = {y, q, k, v, ldy, ldq, ldkv, nq, nk, D, scale, b};
    if (snc_isa_covers(isa, SNC_ISA_AMX)) {
        snc_infer__half_amx(&half, heads, scratch);
        return;
    }
    if (snc_isa_covers(isa, SNC_ISA_AVX512)) {
        snc_infer__half_avx512(&half, heads, scratch);
        return;
    }
#endif
    const infer_kernels *kernels = kernels_for(isa);
    float *wq = rows_room(scratch, nk, D), *wk = wq + (size_t)nq * (size_t)D, *wv = wk + (size_t)nk * (size_t)D;
    for (int h = 0; h < heads; h++) {
        size_t at = (size_t)h * (size_t)D;
        widen(wq, q + at, ldq, nq, D);
        widen(wk, k + at, ldkv, nk, D);
        widen(wv, v + at, ldkv, nk, D);
        snc_infer__head a = {y + at, wq, wk, wv, ldy, D, D, nq, nk, D, scale, b, true};
        kernels->attention(&a, scratch);
        if (b.at) b.at += b.head;
    }
}
