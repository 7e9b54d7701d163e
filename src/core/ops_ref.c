/* Plain loops in a fixed order: the twins that define what every faster kernel computes. */
#include <math.h>
#include <string.h>

#include "core/ops_kernels.h"

bool snc_mask_keeps(const snc_mask *m, uint32_t row, uint32_t col)
{
    uint32_t h = snc_mask_hash(m, snc_mask_start(row) + col / 2);
    return (h >> 16 * (col & 1) & 0xffffu) >= m->threshold;
}

static float masked(float x, const snc_mask *m, int row, int col)
{
    if (m->threshold == 0) return x;
    return snc_mask_keeps(m, (uint32_t)row, (uint32_t)col) ? x * m->scale : 0.0f;
}

static void mask_apply(float *x, const snc_mask *m, int row0, int rows, int n)
{
    for (int t = 0; t < rows; t++)
        for (int c = 0; c < n; c++) x[(size_t)t * n + c] = masked(x[(size_t)t * n + c], m, row0 + t, c);
}

static void norm_forward(float *y, float *s, float *stats, const float *r, const float *gamma, const float *beta, int row0, int rows, int n,
                         float eps, const snc_mask *m)
{
    for (int t = 0; t < rows; t++, y += n, s += n, stats += 2) {
        float sum = 0.0f, square = 0.0f;
        for (int c = 0; c < n; c++) {
            s[c] = masked(s[c], m, row0 + t, c);
            if (r) s[c] += r[(size_t)t * n + c];
            sum += s[c];
        }
        float mean = sum / (float)n;
        for (int c = 0; c < n; c++) square += (s[c] - mean) * (s[c] - mean);
        float rstd = 1.0f / sqrtf(square / (float)n + eps);
        for (int c = 0; c < n; c++) y[c] = (s[c] - mean) * rstd * gamma[c] + beta[c];
        stats[0] = mean;
        stats[1] = rstd;
    }
}

/* With x^ = (s - mean) rstd and g = dy gamma:  ds = rstd (g - mean(g) - x^ mean(g x^)). */
static void norm_backward(float *ds, float *dx, float *sums, const float *dy, const float *s, const float *stats, const float *gamma,
                          const float *past, int row0, int rows, int n, const snc_mask *m)
{
    memset(sums, 0, (size_t)3 * n * sizeof *sums);
    for (int t = 0; t < rows; t++) {
        size_t at = (size_t)t * n;
        float mean = stats[2 * t], rstd = stats[2 * t + 1], g1 = 0.0f, g2 = 0.0f;
        for (int c = 0; c < n; c++) {
            float xh = (s[at + c] - mean) * rstd, g = dy[at + c] * gamma[c];
            g1 += g;
            g2 += g * xh;
            sums[c] += dy[at + c] * xh;
            sums[n + c] += dy[at + c];
        }
        g1 /= (float)n;
        g2 /= (float)n;
        for (int c = 0; c < n; c++) {
            float xh = (s[at + c] - mean) * rstd, g = dy[at + c] * gamma[c];
            float d = rstd * (g - g1 - xh * g2);
            if (past) d += past[at + c];
            float dropped = masked(d, m, row0 + t, c);
            ds[at + c] = d;
            if (m->threshold) dx[at + c] = dropped;
            sums[2 * n + c] += dropped;
        }
    }
}

static void gelu_forward(float *a, float *d, const float *h, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float x = h[i], cdf = 0.5f * (1.0f + erff(x * 0.70710678f)), pdf = 0.39894228f * expf(-0.5f * x * x);
        a[i] = x * cdf;
        if (d) d[i] = cdf + x * pdf;
    }
}

static void gelu_tanh_forward(float *a, float *d, const float *h, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float x = h[i], u = 0.79788456f * (x + 0.044715f * x * x * x), t = tanhf(u);
        a[i] = 0.5f * x * (1.0f + t);
        if (d) d[i] = 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * 0.79788456f * (1.0f + 3.0f * 0.044715f * x * x);
    }
}

static void relu_forward(float *a, float *d, const float *h, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float x = h[i];
        a[i] = x <= 0.0f ? 0.0f : x; /* NaN stays */
        if (d) d[i] = x > 0.0f ? 1.0f : 0.0f;
    }
}

static void tanh_forward(float *a, float *d, const float *h, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float t = tanhf(h[i]);
        a[i] = t;
        if (d) d[i] = 1.0f - t * t;
    }
}

static void act_backward(float *dh, float *sums, const float *d, int rows, int n, int ldh, int ldd)
{
    memset(sums, 0, (size_t)n * sizeof *sums);
    for (int t = 0; t < rows; t++, dh += ldh, d += ldd)
        for (int c = 0; c < n; c++) {
            dh[c] *= d[c];
            sums[c] += dh[c];
        }
}

static void narrow(snc_bf16 *dst, int64_t ldd, const float *src, int64_t lds, int rows, int n)
{
    for (int r = 0; r < rows; r++, dst += ldd, src += lds)
        for (int c = 0; c < n; c++) dst[c] = snc_bf16_from_f32(src[c]);
}

static void widen(float *dst, int64_t ldd, const snc_bf16 *src, int64_t lds, int rows, int n)
{
    for (int r = 0; r < rows; r++, dst += ldd, src += lds)
        for (int c = 0; c < n; c++) dst[c] = snc_bf16_to_f32(src[c]);
}

static void col_sum(float *sums, const float *x, int rows, int n, int ld)
{
    memset(sums, 0, (size_t)n * sizeof *sums);
    for (int t = 0; t < rows; t++, x += ld)
        for (int c = 0; c < n; c++) sums[c] += x[c];
}

static float dot(const float *a, const float *b, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void add_scaled(float *y, float a, const float *x, int n)
{
    for (int i = 0; i < n; i++) y[i] += a * x[i];
}

static float head_mask(const snc_head *h, float x, int key, int query)
{
    return masked(x, h->mask, (int)(h->mask_row + (uint32_t)key * h->mask_step), query);
}

/* q k^T of query i and key j, and what is added to it. */
static float score(const snc_head *h, int i, int j)
{
    float s = dot(h->q + (size_t)i * h->ld, h->k + (size_t)j * h->ld, h->width);
    return h->bias ? s + h->bias[i + j * h->bias_step] : s;
}

static void head_forward(float *out, float *top, float *inv, const snc_head *h)
{
    float *p = h->scratch;
    for (int i = 0; i < h->queries; i++, out += h->ld) {
        float best = -INFINITY, sum = 0.0f;
        for (int j = 0; j < h->keys; j++) {
            p[j] = score(h, i, j) * h->scale;
            if (p[j] > best) best = p[j];
        }
        for (int j = 0; j < h->keys; j++) {
            p[j] = expf(p[j] - best);
            sum += p[j];
        }
        top[i] = best;
        inv[i] = 1.0f / sum;
        memset(out, 0, (size_t)h->width * sizeof *out);
        for (int j = 0; j < h->keys; j++) add_scaled(out, head_mask(h, p[j] * inv[i], j, i), h->v + (size_t)j * h->ld, h->width);
    }
}

static void head_backward(float *dq, float *dk, float *dv, const snc_head *h, const float *dout, const float *top, const float *inv)
{
    float *p = h->scratch, *dp = p + h->keys;
    for (int j = 0; j < h->keys; j++) {
        memset(dk + (size_t)j * h->ld, 0, (size_t)h->width * sizeof *dk);
        memset(dv + (size_t)j * h->ld, 0, (size_t)h->width * sizeof *dv);
    }
    for (int i = 0; i < h->queries; i++, dq += h->ld, dout += h->ld) {
        const float *q = h->q + (size_t)i * h->ld;
        float delta = 0.0f;
        for (int j = 0; j < h->keys; j++) {
            p[j] = expf(score(h, i, j) * h->scale - top[i]) * inv[i];
            dp[j] = head_mask(h, dot(dout, h->v + (size_t)j * h->ld, h->width), j, i);
            delta += p[j] * dp[j];
        }
        memset(dq, 0, (size_t)h->width * sizeof *dq);
        for (int j = 0; j < h->keys; j++) {
            float ds = p[j] * (dp[j] - delta) * h->scale;
            add_scaled(dq, ds, h->k + (size_t)j * h->ld, h->width);
            add_scaled(dk + (size_t)j * h->ld, ds, q, h->width);
            add_scaled(dv + (size_t)j * h->ld, head_mask(h, p[j], j, i), dout, h->width);
            if (h->dbias) h->dbias[i + j * h->bias_step] += ds;
        }
    }
}

static void product(float *C, int ldc, const float *A, int a_row, int a_col, const float *B, int ldb, int M, int N, int K, bool add)
{
    for (int i = 0; i < M; i++) {
        float *row = C + (size_t)i * ldc;
        if (!add) memset(row, 0, (size_t)N * sizeof *row);
        for (int k = 0; k < K; k++) add_scaled(row, A[(size_t)i * a_row + (size_t)k * a_col], B + (size_t)k * ldb, N);
    }
}

const snc_kernels snc_kernels_ref = {
    .mask_apply = mask_apply,
    .norm_forward = norm_forward,
    .norm_backward = norm_backward,
    .act_forward = {gelu_forward, gelu_tanh_forward, relu_forward, tanh_forward},
    .act_backward = act_backward,
    .narrow = narrow,
    .widen = widen,
    .col_sum = col_sum,
    .head_forward = head_forward,
    .head_backward = head_backward,
    .product = product,
};
