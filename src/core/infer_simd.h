/* core/infer_simd.h: the f32 kernels of core/infer.h, written once over a vector type.
 *
 * An including file defines, for vectors of VW floats:
 *   SIMD (target attribute), vf, SIMD_NAME(base), vset, vload, vloadn(p, n) (lanes >= n are 0), vstore, vstoren, vadd,
 *   vsub, vmul, vfma(a, b, c) = a*b+c, vmax, vmin, vround, vexp2i(v) (2^v for whole v in [-126, 127]), vsum, vhmax, vbent, vbf16.
 */
#include <math.h>

#include "base/mem.h"
#include "core/infer_priv.h"

#define SIMD_INLINE static inline __attribute__((always_inline)) /* R becomes a constant */

/* e^x, relative error below 2e-7 (Cephes expf: Cody-Waite reduction, degree 6); below -87 it stays at e^-87. */
SIMD static inline vf vexp(vf x)
{
    x = vmin(vmax(x, vset(-87.0f)), vset(88.0f));
    vf n = vround(vmul(x, vset(1.44269504f)));
    vf r = vfma(n, vset(-0.693359375f), x);
    r = vfma(n, vset(2.12194440e-4f), r);
    vf p = vset(1.9875691500e-4f);
    p = vfma(p, r, vset(1.3981999507e-3f));
    p = vfma(p, r, vset(8.3334519073e-3f));
    p = vfma(p, r, vset(4.1665795894e-2f));
    p = vfma(p, r, vset(1.6666665459e-1f));
    p = vfma(p, r, vset(5.0000001201e-1f));
    p = vfma(p, vmul(r, r), vadd(r, vset(1.0f)));
    return vmul(p, vexp2i(n));
}

SIMD void SIMD_NAME(snc_infer__norm)(float *y, int ldy, const float *x, int ldx, const float *gamma, const float *beta, int T, int C,
                                     float eps)
{
    int full = C / VW * VW, tail = C - full;
    for (int t = 0; t < T; t++) {
        const float *xt = x + (size_t)t * (size_t)ldx;
        float *yt = y + (size_t)t * (size_t)ldy;
        vf s0 = vset(0), s1 = vset(0);
        int c = 0;
        for (; c + 2 * VW <= full; c += 2 * VW) {
            s0 = vadd(s0, vload(xt + c));
            s1 = vadd(s1, vload(xt + c + VW));
        }
        if (c < full) s0 = vadd(s0, vload(xt + c));
        if (tail) s1 = vadd(s1, vloadn(xt + full, tail));
        float mean = vsum(vadd(s0, s1)) / (float)C;
        vf m = vset(mean);
        s0 = s1 = vset(0);
        for (c = 0; c + 2 * VW <= full; c += 2 * VW) {
            vf d0 = vsub(vload(xt + c), m), d1 = vsub(vload(xt + c + VW), m);
            s0 = vfma(d0, d0, s0);
            s1 = vfma(d1, d1, s1);
        }
        if (c < full) {
            vf d = vsub(vload(xt + c), m);
            s0 = vfma(d, d, s0);
        }
        float sq = vsum(vadd(s0, s1));
        for (c = full; c < C; c++) sq += (xt[c] - mean) * (xt[c] - mean);
        vf r = vset(1.0f / sqrtf(sq / (float)C + eps));
        for (c = 0; c < full; c += VW) {
            vf d = vmul(vsub(vload(xt + c), m), r);
            vstore(yt + c, vfma(d, vload(gamma + c), vload(beta + c)));
        }
        if (tail) {
            vf d = vmul(vsub(vloadn(xt + full, tail), m), r);
            vstoren(yt + full, vfma(d, vloadn(gamma + full, tail), vloadn(beta + full, tail)), tail);
        }
    }
}

SIMD static inline float dot_row(const float *a, const float *b, int n)
{
    vf s0 = vset(0), s1 = vset(0);
    int i = 0;
    for (; i + 2 * VW <= n; i += 2 * VW) {
        s0 = vfma(vload(a + i), vload(b + i), s0);
        s1 = vfma(vload(a + i + VW), vload(b + i + VW), s1);
    }
    if (i + VW <= n) {
        s0 = vfma(vload(a + i), vload(b + i), s0);
        i += VW;
    }
    if (i < n) s1 = vfma(vloadn(a + i, n - i), vloadn(b + i, n - i), s1);
    return vsum(vadd(s0, s1));
}

SIMD void SIMD_NAME(snc_infer__dot)(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, const float *b, int T, int n,
                                    int k)
{
    for (int t = 0; t < T; t++)
        for (int j = 0; j < n; j++)
            y[(size_t)t * (size_t)ldy + (size_t)j] = dot_row(x + (size_t)t * (size_t)ldx, w + (size_t)j * (size_t)ldw, k) + (b ? b[j] : 0);
}

/* R rows, whose columns stand one before the other: in those of w each has the same, of which what lies outside of its own is dropped. */
SIMD SIMD_INLINE void slide_rows(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, int n, int k, int R)
{
    for (int u = 1 - R; u < n; u += 2 * VW) {
        float out[2 * VW];
        vf a[4][2];
        for (int r = 0; r < R; r++) a[r][0] = a[r][1] = vset(0);
        for (int i = 0; i < k; i++) {
            const float *at = w + (ptrdiff_t)i * ldw + u;
            vf w0 = vload(at), w1 = vload(at + VW);
            for (int r = 0; r < R; r++) {
                vf b = vset(x[(size_t)r * (size_t)ldx + (size_t)i]);
                a[r][0] = vfma(b, w0, a[r][0]);
                a[r][1] = vfma(b, w1, a[r][1]);
            }
        }
        for (int r = 0; r < R; r++) {
            int first = u + r, from = first < 0 ? -first : 0, to = n - first < 2 * VW ? n - first : 2 * VW;
            vstore(out, a[r][0]);
            vstore(out + VW, a[r][1]);
            for (int j = from; j < to; j++) y[(size_t)r * (size_t)ldy + (size_t)(first + j)] = out[j];
        }
    }
}

SIMD void SIMD_NAME(snc_infer__slide)(float *y, int ldy, const float *x, int ldx, const float *w, int ldw, int T, int n, int k)
{
    int t = 0;
    for (; t + 4 <= T; t += 4) slide_rows(y + (size_t)t * (size_t)ldy, ldy, x + (size_t)t * (size_t)ldx, ldx, w - t, ldw, n, k, 4);
    for (; t < T; t++) slide_rows(y + (size_t)t * (size_t)ldy, ldy, x + (size_t)t * (size_t)ldx, ldx, w - t, ldw, n, k, 1);
}

/* Scores to probabilities in place, not yet divided by the sum, which is returned. p [n padded to VW]; the padding
 * holds -inf, whose e^-87 vanishes beside the 1 of the largest score. log: SNC_INFER__LOG times the scale for bf16, else 0. */
SIMD static inline float softmax_row(float *p, int padded, float log)
{
    vf m = vload(p);
    for (int j = VW; j < padded; j += VW) m = vmax(m, vload(p + j));
    float top = vhmax(m);
    vf s = vset(0), one = vset(fmaf(-top, log, SNC_INFER__ONE));
    m = vset(top);
    for (int j = 0; j < padded; j += VW) {
        vf x = vload(p + j), e = log > 0 ? vbent(vfma(x, vset(log), one)) : vexp(vsub(x, m));
        vstore(p + j, e);
        s = vadd(s, e);
    }
    return vsum(s);
}

/* out[r] = p[r] . V for R rows, two vectors of the head's width at a time. */
SIMD SIMD_INLINE void mix_values(float *y, int ldy, const float *p, int ldp, const float *v, int ldv, int nk, int D, const float *sum,
                                 int R)
{
    for (int d = 0; d < D; d += 2 * VW) {
        int n0 = D - d < VW ? D - d : VW, n1 = D - d - n0 < VW ? D - d - n0 : VW;
        vf a[4][2];
        for (int r = 0; r < R; r++) a[r][0] = a[r][1] = vset(0);
        for (int j = 0; j < nk; j++) {
            const float *vj = v + (size_t)j * (size_t)ldv + d;
            vf v0 = n0 == VW ? vload(vj) : vloadn(vj, n0);
            vf v1 = n1 == VW ? vload(vj + VW) : n1 ? vloadn(vj + VW, n1) : vset(0);
            for (int r = 0; r < R; r++) {
                vf b = vset(p[(size_t)r * (size_t)ldp + (size_t)j]);
                a[r][0] = vfma(b, v0, a[r][0]);
                a[r][1] = vfma(b, v1, a[r][1]);
            }
        }
        for (int r = 0; r < R; r++) {
            float *out = y + (size_t)r * (size_t)ldy + d;
            vf inv = vset(1.0f / sum[r]);
            vstoren(out, vmul(a[r][0], inv), n0);
            if (n1) vstoren(out + VW, vmul(a[r][1], inv), n1);
        }
    }
}

/* s[r][j] = scale * q[r] . k[j] from the transposed keys kt [D, padded]. */
SIMD SIMD_INLINE void scores(float *s, int padded, const float *q, int ldq, const float *kt, int nk, int D, float scale, int R)
{
    for (int j = 0; j < padded; j += 2 * VW) {
        bool two = j + VW < padded;
        vf a[4][2];
        for (int r = 0; r < R; r++) a[r][0] = a[r][1] = vset(0);
        for (int d = 0; d < D; d++) {
            const float *kd = kt + (size_t)d * (size_t)padded + j;
            vf k0 = vload(kd), k1 = two ? vload(kd + VW) : vset(0);
            for (int r = 0; r < R; r++) {
                vf b = vset(q[(size_t)r * (size_t)ldq + (size_t)d]);
                a[r][0] = vfma(b, k0, a[r][0]);
                a[r][1] = vfma(b, k1, a[r][1]);
            }
        }
        for (int r = 0; r < R; r++) {
            float *out = s + (size_t)r * (size_t)padded + j;
            vstore(out, vmul(a[r][0], vset(scale)));
            if (two) vstore(out + VW, vmul(a[r][1], vset(scale)));
        }
    }
    for (int r = 0; r < R; r++)
        for (int j = nk; j < padded; j++) s[(size_t)r * (size_t)padded + (size_t)j] = -INFINITY;
}

/* What is added to the scores of query i, which are scaled by `scale` already. */
SIMD static inline void add_bias(float *s, const snc_infer__head *a, int i, float scale)
{
    const float *b = a->bias.at + i * a->bias.query;
    int j = 0;
    for (; j + VW <= a->nk; j += VW) vstore(s + j, vfma(vload(b + j), vset(scale), vload(s + j)));
    if (j < a->nk) vstoren(s + j, vfma(vloadn(b + j, a->nk - j), vset(scale), vloadn(s + j, a->nk - j)), a->nk - j);
}

SIMD SIMD_INLINE void attend(const snc_infer__head *a, int i, int R, const float *kt, float *s, int padded)
{
    float sum[4], log = a->bf16 ? a->scale * SNC_INFER__LOG : 0, scale = a->bf16 ? 1 : a->scale;
    scores(s, padded, a->q + (size_t)i * (size_t)a->ldq, a->ldq, kt, a->nk, a->D, scale, R);
    for (int r = 0; r < R && a->bias.at; r++) add_bias(s + (size_t)r * (size_t)padded, a, i + r, scale);
    for (int r = 0; r < R; r++) sum[r] = softmax_row(s + (size_t)r * (size_t)padded, padded, log);
    mix_values(a->y + (size_t)i * (size_t)a->ldy, a->ldy, s, padded, a->v, a->ldkv, a->nk, a->D, sum, R);
}

/* One query, in f32: rows of keys are read as they lie. */
SIMD static void attend_one(const snc_infer__head *a, float *s, int padded)
{
    for (int j = 0; j < a->nk; j++) s[j] = dot_row(a->q, a->k + (size_t)j * (size_t)a->ldkv, a->D) * a->scale;
    if (a->bias.at) add_bias(s, a, 0, a->scale);
    for (int j = a->nk; j < padded; j++) s[j] = -INFINITY;
    float sum = softmax_row(s, padded, 0);
    mix_values(a->y, a->ldy, s, padded, a->v, a->ldkv, a->nk, a->D, &sum, 1);
}

/* Finite numbers as snc_bf16_from_f32 rounds them. */
SIMD void SIMD_NAME(snc_infer__round)(float *out, const float *x, int ldx, int rows, int D)
{
    int full = D / VW * VW;
    for (int t = 0; t < rows; t++, out += D, x += ldx) {
        for (int d = 0; d < full; d += VW) vstore(out + d, vbf16(vload(x + d)));
        if (full < D) vstoren(out + full, vbf16(vloadn(x + full, D - full)), D - full);
    }
}

SIMD void SIMD_NAME(snc_infer__attention)(const snc_infer__head *a, float *scratch)
{
    int padded = (a->nk + VW - 1) / VW * VW;
    float *s = scratch, *kt = s + 4 * (size_t)padded;
    if (a->nq == 1 && !a->bf16) {
        attend_one(a, s, padded);
        return;
    }
    for (int d = 0; d < a->D; d++) {
        float *row = kt + (size_t)d * (size_t)padded;
        for (int j = 0; j < a->nk; j++) row[j] = a->k[(size_t)j * (size_t)a->ldkv + (size_t)d];
        for (int j = a->nk; j < padded; j++) row[j] = 0;
    }
    int i = 0;
    for (; i + 4 <= a->nq; i += 4) attend(a, i, 4, kt, s, padded);
    for (; i < a->nq; i++) attend(a, i, 1, kt, s, padded);
}
