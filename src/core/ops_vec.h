/* core/ops_vec.h: the kernels, written once in the vocabulary of ops_simd512.h, 256 or 128. The including file
 * defines SNC_KERNELS, the name of its table. */
#include <string.h>

/* ---- elementary functions ----------------------------------------------------------------------------------------- */

/* e^x for x <= 88, as 2^y: 2^round(y) times a polynomial of the rest, on [-1/2, 1/2] within 9e-8 (least maximum relative
 * error, by reweighted least squares). Rounding y adds 6e-8 |x|: nothing where e^x counts in a sum of exponentials or
 * beside 1. Below -110 it is 0; NaN stays. */
SNC_IN vf v_exp(vf x)
{
    vf y = v_max(v_set(-160.0f), v_mul(x, v_set(1.44269504f)));
    vf n = v_round(y), f = v_sub(y, n);
    vf p = v_fma(v_set(1.326472728e-3f), f, v_set(9.671512741e-3f));
    p = v_fma(p, f, v_set(5.550733744e-2f));
    p = v_fma(p, f, v_set(2.402224208e-1f));
    p = v_fma(p, f, v_set(6.931469776e-1f));
    return v_scale2(v_fma(p, f, v_set(1.0f)), n);
}

/* Normal distribution function of x, and e = exp(-x^2 / 2). erfc by Abramowitz and Stegun 7.1.26, error 1.5e-7. */
SNC_IN vf v_normal(vf *e, vf x)
{
    *e = v_exp(v_mul(v_mul(x, x), v_set(-0.5f)));
    vf t = v_rcp(v_fma(v_abs(x), v_set(0.3275911f * 0.70710678f), v_set(1.0f)));
    vf p = v_fma(v_set(0.5f * 1.061405429f), t, v_set(0.5f * -1.453152027f));
    p = v_fma(p, t, v_set(0.5f * 1.421413741f));
    p = v_fma(p, t, v_set(0.5f * -0.284496736f));
    p = v_fma(p, t, v_set(0.5f * 0.254829592f));
    return v_add(v_set(0.5f), v_sign_of(v_fnma(v_mul(p, t), *e, v_set(0.5f)), x));
}

typedef struct pair {
    vf a, d; /* value and derivative */
} pair;

SNC_IN pair gelu(vf x)
{
    vf e, cdf = v_normal(&e, x);
    return (pair){v_mul(x, cdf), v_fma(v_mul(x, v_set(0.39894228f)), e, cdf)};
}

/* x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). */
SNC_IN pair gelu_tanh(vf x)
{
    vf x2 = v_mul(x, x), u = v_mul(v_mul(x, v_set(0.79788456f)), v_fma(x2, v_set(0.044715f), v_set(1.0f)));
    vf e = v_exp(v_mul(v_abs(u), v_set(-2.0f))), half = v_rcp(v_add(e, v_set(1.0f)));
    vf s = v_add(v_set(0.5f), v_sign_of(v_sub(half, v_set(0.5f)), u));
    vf slope = v_mul(v_mul(e, v_mul(half, half)), v_fma(x2, v_set(2.0f * 0.79788456f * 3.0f * 0.044715f), v_set(2.0f * 0.79788456f)));
    return (pair){v_mul(x, s), v_fma(x, slope, s)};
}

SNC_IN pair relu(vf x) { return (pair){v_max(v_set(0.0f), x), v_step(x)}; }

SNC_IN pair tanh_of(vf x)
{
    vf e = v_exp(v_mul(v_abs(x), v_set(-2.0f)));
    vf t = v_sign_of(v_mul(v_sub(v_set(1.0f), e), v_rcp(v_add(e, v_set(1.0f)))), x);
    return (pair){t, v_fnma(t, t, v_set(1.0f))};
}

#define SNC_ACT_LOOP(name, f)                                               \
    SNC_VEC static void name(float *a, float *d, const float *h, int64_t n) \
    {                                                                       \
        int64_t i = 0;                                                      \
        for (; i + LANES <= n; i += LANES) {                                \
            pair y = f(v_all(h + i));                                       \
            v_put(a + i, y.a);                                              \
            if (d) v_put(d + i, y.d);                                       \
        }                                                                   \
        if (i == n) return;                                                 \
        vm t = v_tail((int)(n - i));                                        \
        pair y = f(v_load(h + i, t));                                       \
        v_store(a + i, t, y.a);                                             \
        if (d) v_store(d + i, t, y.d);                                      \
    }

SNC_ACT_LOOP(gelu_forward, gelu)
SNC_ACT_LOOP(gelu_tanh_forward, gelu_tanh)
SNC_ACT_LOOP(relu_forward, relu)
SNC_ACT_LOOP(tanh_forward, tanh_of)

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* Strips of columns outermost, wide enough to read memory in runs: the sums of a strip stay in registers, dh and d are
 * touched once. */
SNC_VEC static void act_backward(float *dh, float *sums, const float *d, int rows, int n, int ldh, int ldd)
{
    enum { STRIP = 8 };
    int c = 0;
    for (; c + STRIP * LANES <= n; c += STRIP * LANES) {
        vf sum[STRIP];
#pragma GCC unroll 8
        for (int i = 0; i < STRIP; i++) sum[i] = v_set(0.0f);
        for (int r = 0; r < rows; r++) {
            float *x = dh + (size_t)r * ldh + c;
            const float *by = d + (size_t)r * ldd + c;
#pragma GCC unroll 8
            for (int i = 0; i < STRIP; i++) {
                vf y = v_mul(v_all(x + i * LANES), v_all(by + i * LANES));
                v_put(x + i * LANES, y);
                sum[i] = v_add(sum[i], y);
            }
        }
#pragma GCC unroll 8
        for (int i = 0; i < STRIP; i++) v_put(sums + c + i * LANES, sum[i]);
    }
    for (; c < n; c += LANES) {
        vm t = v_tail(n - c);
        vf sum = v_set(0.0f);
        for (int r = 0; r < rows; r++) {
            float *to = dh + (size_t)r * ldh + c;
            vf x = v_mul(v_load(to, t), v_load(d + (size_t)r * ldd + c, t));
            v_store(to, t, x);
            sum = v_add(sum, x);
        }
        v_store(sums + c, t, sum);
    }
}

SNC_VEC static void narrow(snc_bf16 *dst, int64_t ldd, const float *src, int64_t lds, int rows, int n)
{
    for (int r = 0; r < rows; r++, dst += ldd, src += lds)
        for (int c = 0; c < n; c++) dst[c] = snc_bf16_from_f32(src[c]);
}

SNC_VEC static void widen(float *dst, int64_t ldd, const snc_bf16 *src, int64_t lds, int rows, int n)
{
    for (int r = 0; r < rows; r++, dst += ldd, src += lds)
        for (int c = 0; c < n; c++) dst[c] = snc_bf16_to_f32(src[c]);
}

SNC_VEC static void col_sum(float *sums, const float *x, int rows, int n, int ld)
{
    for (int c = 0; c < n; c += LANES) {
        vm t = v_tail(n - c);
        vf sum = v_set(0.0f);
        for (int r = 0; r < rows; r++) sum = v_add(sum, v_load(x + (size_t)r * ld + c, t));
        v_store(sums + c, t, sum);
    }
}

SNC_VEC static void mask_apply(float *x, const snc_mask *m, int row0, int rows, int n)
{
    vf scale = v_set(m->scale);
    for (int r = 0; r < rows; r++, x += n) {
        uint32_t start = snc_mask_start((uint32_t)(row0 + r)), bits = 0;
        for (int c = 0; c < n; c += LANES, bits >>= LANES) {
            if (c % 32 == 0) bits = v_mask_bits(m, start + (uint32_t)c / 2);
            vm t = v_tail(n - c);
            v_store(x + c, t, v_mul(v_keep(bits, v_load(x + c, t)), scale));
        }
    }
}

SNC_VEC static void norm_forward(float *y, float *s, float *stats, const float *res, const float *gamma, const float *beta, int row0,
                                 int rows, int n, float eps, const snc_mask *m)
{
    vf scale = v_set(m->scale);
    for (int r = 0; r < rows; r++, y += n, s += n, stats += 2) {
        uint32_t start = snc_mask_start((uint32_t)(row0 + r)), bits = 0;
        vf sum = v_set(0.0f), square = v_set(0.0f);
        for (int c = 0; c < n; c += LANES, bits >>= LANES) {
            if (c % 32 == 0) bits = v_mask_bits(m, start + (uint32_t)c / 2);
            vm t = v_tail(n - c);
            vf x = v_mul(v_keep(bits, v_load(s + c, t)), scale);
            if (res) x = v_add(x, v_load(res + (size_t)r * n + c, t));
            v_store(s + c, t, x);
            sum = v_add(sum, x);
        }
        float mean = v_sum(sum) / (float)n;
        for (int c = 0; c < n; c += LANES) {
            vm t = v_tail(n - c);
            vf d = v_zero_off(t, v_sub(v_load(s + c, t), v_set(mean)));
            square = v_fma(d, d, square);
        }
        float rstd = 1.0f / __builtin_sqrtf(v_sum(square) / (float)n + eps);
        for (int c = 0; c < n; c += LANES) {
            vm t = v_tail(n - c);
            vf xh = v_mul(v_sub(v_load(s + c, t), v_set(mean)), v_set(rstd));
            v_store(y + c, t, v_fma(xh, v_load(gamma + c, t), v_load(beta + c, t)));
        }
        stats[0] = mean;
        stats[1] = rstd;
    }
}

SNC_VEC static void norm_backward(float *ds, float *dx, float *sums, const float *dy, const float *s, const float *stats,
                                  const float *gamma, const float *past, int row0, int rows, int n, const snc_mask *m)
{
    vf scale = v_set(m->scale);
    memset(sums, 0, (size_t)3 * (size_t)n * sizeof *sums);
    for (int r = 0; r < rows; r++) {
        size_t at = (size_t)r * n;
        vf mean = v_set(stats[2 * r]), rstd = v_set(stats[2 * r + 1]), g1 = v_set(0.0f), g2 = g1;
        for (int c = 0; c < n; c += LANES) {
            vm t = v_tail(n - c);
            vf y = v_load(dy + at + c, t), xh = v_mul(v_sub(v_load(s + at + c, t), mean), rstd);
            vf g = v_mul(y, v_load(gamma + c, t)); /* 0 beyond the tail, and so are its products */
            g1 = v_add(g1, g);
            g2 = v_fma(g, xh, g2);
            v_store(sums + c, t, v_fma(y, xh, v_load(sums + c, t)));
            v_store(sums + n + c, t, v_add(y, v_load(sums + n + c, t)));
        }
        g1 = v_set(v_sum(g1) / (float)n);
        g2 = v_set(v_sum(g2) / (float)n);
        uint32_t start = snc_mask_start((uint32_t)(row0 + r)), bits = 0;
        for (int c = 0; c < n; c += LANES, bits >>= LANES) {
            if (c % 32 == 0) bits = v_mask_bits(m, start + (uint32_t)c / 2);
            vm t = v_tail(n - c);
            vf g = v_mul(v_load(dy + at + c, t), v_load(gamma + c, t));
            vf xh = v_mul(v_sub(v_load(s + at + c, t), mean), rstd);
            vf d = v_mul(rstd, v_fnma(xh, g2, v_sub(g, g1)));
            if (past) d = v_add(d, v_load(past + at + c, t));
            vf x = v_mul(v_keep(bits, d), scale);
            v_store(ds + at + c, t, d);
            if (m->threshold) v_store(dx + at + c, t, x);
            v_store(sums + 2 * n + c, t, v_add(x, v_load(sums + 2 * n + c, t)));
        }
    }
}

/* ---- attention of one head ---------------------------------------------------------------------------------------- */

/* mr x nv vectors of C (+)= A . B, A read as broadcasts; the last vector of a row is cut by `t`. */
SNC_IN void tile(float *C, int ldc, const float *A, int a_row, int a_col, const float *B, int ldb, int K, const int mr, const int nv, vm t,
                 bool accumulate)
{
    vf acc[SNC_TILE_ROWS][2];
    const vm full = v_tail(LANES);
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) acc[i][v] = accumulate ? v_load(C + (size_t)i * ldc + v * LANES, v == nv - 1 ? t : full) : v_set(0.0f);
    for (int k = 0; k < K; k++) {
        vf b0 = nv == 1 ? v_load(B, t) : v_all(B), b1 = nv == 2 ? v_load(B + LANES, t) : b0;
#pragma GCC unroll 8
        for (int i = 0; i < mr; i++) {
            vf a = v_set(A[(size_t)i * a_row]);
            acc[i][0] = v_fma(a, b0, acc[i][0]);
            if (nv == 2) acc[i][1] = v_fma(a, b1, acc[i][1]);
        }
        A += a_col;
        B += ldb;
    }
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) v_store(C + (size_t)i * ldc + v * LANES, v == nv - 1 ? t : full, acc[i][v]);
}

SNC_IN void tile_rows(float *C, int ldc, const float *A, int a_row, int a_col, const float *B, int ldb, int K, int mr, const int nv, vm t,
                      bool accumulate)
{
#define SNC_TILE(rows) \
    case rows: tile(C, ldc, A, a_row, a_col, B, ldb, K, rows, nv, t, accumulate); break
    switch (mr) {
        SNC_TILE(1);
        SNC_TILE(2);
        SNC_TILE(3);
    default: tile(C, ldc, A, a_row, a_col, B, ldb, K, 4, nv, t, accumulate); break;
#if SNC_TILE_ROWS == 8
        SNC_TILE(5);
        SNC_TILE(6);
        SNC_TILE(7);
        SNC_TILE(8);
#endif
    }
#undef SNC_TILE
}

/* C [M, N] (+)= A [M, K] . B [K, N]; A(i, k) = A[i a_row + k a_col], so that a transposed A costs nothing. */
SNC_VEC static void product(float *C, int ldc, const float *A, int a_row, int a_col, const float *B, int ldb, int M, int N, int K,
                            bool accumulate)
{
    for (int i = 0; i < M; i += SNC_TILE_ROWS) {
        int mr = M - i < SNC_TILE_ROWS ? M - i : SNC_TILE_ROWS;
        for (int j = 0; j < N; j += 2 * LANES) {
            float *c = C + (size_t)i * ldc + j;
            const float *a = A + (size_t)i * a_row;
            if (N - j > LANES) tile_rows(c, ldc, a, a_row, a_col, B + j, ldb, K, mr, 2, v_tail(N - j - LANES), accumulate);
            else tile_rows(c, ldc, a, a_row, a_col, B + j, ldb, K, mr, 1, v_tail(N - j), accumulate);
        }
    }
}

/* dst [width, SNC_QUERY_BLOCK] = src [rows, width]^T; lanes beyond `rows` repeat the last row. */
SNC_VEC static void pack_transposed(float *dst, const float *src, int ld, int rows, int width)
{
    for (int i = 0; i < rows; i += LANES)
        for (int d = 0; d < width; d += LANES) {
            vf r[LANES];
            vm t = v_tail(width - d);
#pragma GCC unroll 16
            for (int k = 0; k < LANES; k++) r[k] = v_load(src + (size_t)(i + k < rows ? i + k : rows - 1) * ld + d, t);
            v_transpose(r);
            int n = width - d < LANES ? width - d : LANES;
            float *to = dst + (size_t)d * SNC_QUERY_BLOCK + i;
            if (n == LANES) {
#pragma GCC unroll 16
                for (int k = 0; k < LANES; k++) v_put(to + k * SNC_QUERY_BLOCK, r[k]);
            } else {
                float edge[LANES][LANES];
                for (int k = 0; k < LANES; k++) v_put(edge[k], r[k]);
                for (int k = 0; k < n; k++) memcpy(to + k * SNC_QUERY_BLOCK, edge[k], sizeof edge[k]);
            }
        }
}

SNC_IN uint32_t key_bits(const snc_head *h, int key, int query)
{
    uint32_t row = h->mask_row + (uint32_t)key * h->mask_step;
    return v_mask_bits(h->mask, snc_mask_start(row) + (uint32_t)(query & ~31) / 2) >> (query & 31);
}

/* Adds to scores [keys, lanes] of the queries from i0 on what is added to them, and their gradients to those of it. */
SNC_VEC static void add_bias(float *st, const snc_head *h, int i0, int lanes)
{
    const float *b = h->bias + i0;
    for (int j = 0; j < h->keys; j++, st += SNC_QUERY_BLOCK, b += h->bias_step)
        for (int u = 0; u < lanes; u += LANES) v_put(st + u, v_add(v_all(st + u), v_all(b + u)));
}

SNC_VEC static void add_bias_backward(const float *dt, const snc_head *h, int i0, int n)
{
    float *b = h->dbias + i0;
    for (int j = 0; j < h->keys; j++, dt += SNC_QUERY_BLOCK, b += h->bias_step)
        for (int u = 0; u < n; u += LANES) {
            vm t = v_tail(n - u);
            v_store(b + u, t, v_add(v_load(b + u, t), v_load(dt + u, t)));
        }
}

/* Scores are kept transposed, [keys, queries of the block]: softmax over keys is then vertical. */
SNC_VEC static void head_forward(float *out, float *top, float *inv, const snc_head *h)
{
    enum { Q = SNC_QUERY_BLOCK };
    float *qt = h->scratch, *st = qt + (size_t)Q * h->width;
    vf scale = v_set(h->scale);
    for (int i0 = 0; i0 < h->queries; i0 += Q) {
        int n = h->queries - i0 < Q ? h->queries - i0 : Q;
        pack_transposed(qt, h->q + (size_t)i0 * h->ld, h->ld, n, h->width);
        product(st, Q, h->k, h->ld, 1, qt, Q, h->keys, (n + LANES - 1) / LANES * LANES, h->width, false);
        if (h->bias) add_bias(st, h, i0, (n + LANES - 1) / LANES * LANES);
        for (int u = 0; u < n; u += LANES) {
            float *s = st + u;
            vf best = v_mul(v_all(s), scale), sum = v_set(0.0f);
            for (int j = 1; j < h->keys; j++) best = v_max(best, v_mul(v_all(s + (size_t)j * Q), scale));
            for (int j = 0; j < h->keys; j++) {
                vf e = v_exp(v_sub(v_mul(v_all(s + (size_t)j * Q), scale), best));
                v_put(s + (size_t)j * Q, e);
                sum = v_add(sum, e);
            }
            vf over = v_rcp(sum), factor = v_mul(over, v_set(h->mask->scale));
            for (int j = 0; j < h->keys; j++)
                v_put(s + (size_t)j * Q, v_keep(key_bits(h, j, i0 + u), v_mul(v_all(s + (size_t)j * Q), factor)));
            v_store(top + i0 + u, v_tail(n - u), best);
            v_store(inv + i0 + u, v_tail(n - u), over);
        }
        product(out + (size_t)i0 * h->ld, h->ld, st, 1, Q, h->v, h->ld, n, h->width, h->keys, false);
    }
}

/* From st = k . q and dt = v . dout makes st = mask(p) and dt = gradient of k . q. Between the two passes a dropped p
 * carries a minus sign, which saves drawing its mask again. */
SNC_VEC static void head_scores_backward(float *st, float *dt, const snc_head *h, int query, vf top, vf inv)
{
    enum { Q = SNC_QUERY_BLOCK };
    vf scale = v_set(h->scale), kept = v_set(h->mask->scale), delta = v_set(0.0f);
    for (int j = 0; j < h->keys; j++) {
        uint32_t bits = key_bits(h, j, query);
        vf p = v_mul(v_exp(v_sub(v_mul(v_all(st + (size_t)j * Q), scale), top)), inv);
        vf dp = v_keep(bits, v_mul(v_all(dt + (size_t)j * Q), kept));
        delta = v_fma(p, dp, delta);
        v_put(st + (size_t)j * Q, v_flip(bits, p));
        v_put(dt + (size_t)j * Q, dp);
    }
    for (int j = 0; j < h->keys; j++) {
        vf p = v_all(st + (size_t)j * Q), dp = v_all(dt + (size_t)j * Q);
        v_put(dt + (size_t)j * Q, v_mul(v_mul(v_abs(p), scale), v_sub(dp, delta)));
        v_put(st + (size_t)j * Q, v_mul(v_max(v_set(0.0f), p), kept));
    }
}

SNC_VEC static void head_backward(float *dq, float *dk, float *dv, const snc_head *h, const float *dout, const float *top, const float *inv)
{
    enum { Q = SNC_QUERY_BLOCK };
    int ld = h->ld;
    float *qt = h->scratch, *ot = qt + (size_t)Q * h->width, *st = ot + (size_t)Q * h->width, *dt = st + (size_t)Q * h->keys;
    for (int i0 = 0; i0 < h->queries; i0 += Q) {
        int n = h->queries - i0 < Q ? h->queries - i0 : Q, lanes = (n + LANES - 1) / LANES * LANES;
        const float *q = h->q + (size_t)i0 * ld, *o = dout + (size_t)i0 * ld;
        pack_transposed(qt, q, ld, n, h->width);
        pack_transposed(ot, o, ld, n, h->width);
        product(st, Q, h->k, ld, 1, qt, Q, h->keys, lanes, h->width, false);
        if (h->bias) add_bias(st, h, i0, lanes);
        product(dt, Q, h->v, ld, 1, ot, Q, h->keys, lanes, h->width, false);
        for (int u = 0; u < n; u += LANES)
            head_scores_backward(st + u, dt + u, h, i0 + u, v_load(top + i0 + u, v_tail(n - u)), v_load(inv + i0 + u, v_tail(n - u)));
        if (h->dbias) add_bias_backward(dt, h, i0, n);
        product(dq + (size_t)i0 * ld, ld, dt, 1, Q, h->k, ld, n, h->width, h->keys, false);
        product(dk, ld, dt, Q, 1, q, ld, h->keys, h->width, n, i0 > 0);
        product(dv, ld, st, Q, 1, o, ld, h->keys, h->width, n, i0 > 0);
    }
}

const snc_kernels SNC_KERNELS = {
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
