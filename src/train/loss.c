/* Softmax by the log of its normaliser, so that no logit overflows; a gradient is added in the same pass as the value. */
#include "train/loss.h"

#include <assert.h>
#include <math.h>

#include "models/cutoff.h"

/* Softmax of z / t in double; returns the log of its normaliser, so that log p_k = z_k / t - that. */
static double log_norm(const float *z, int K, double t)
{
    double top = (double)z[0], sum = 0;
    for (int k = 1; k < K; k++) top = fmax(top, (double)z[k]);
    if (isnan((double)z[0])) return NAN; /* fmax would hide it */
    for (int k = 0; k < K; k++) sum += exp(((double)z[k] - top) / t);
    return top / t + log(sum);
}

double snc_loss_ce(float *d, const float *logits, const float *target, int B, int K, const double *of_class, double weight)
{
    assert(B >= 1 && K >= 2);
    double loss = 0;
    for (int b = 0; b < B; b++) {
        if (isnan((double)target[b])) continue;
        const float *z = logits + (int64_t)b * K;
        int y = (int)target[b];
        double norm = log_norm(z, K, 1.0), of = of_class ? of_class[y] : 1;
        loss += of * (norm - (double)z[y]);
        if (!d) continue;
        for (int k = 0; k < K; k++) d[(int64_t)b * K + k] += (float)(of * weight / B * (exp((double)z[k] - norm) - (k == y ? 1.0 : 0.0)));
    }
    return loss / B;
}

double snc_loss_mse(float *d, const float *logits, const float *target, int B, double weight)
{
    assert(B >= 1);
    double loss = 0;
    for (int b = 0; b < B; b++) {
        if (isnan((double)target[b])) continue;
        double e = (double)logits[b] - (double)target[b];
        loss += e * e;
        if (d) d[b] += (float)(weight / B * 2 * e);
    }
    return loss / B;
}

double snc_loss_kl(float *d, const float *logits, const float *teacher, int B, int K, double temperature, double weight)
{
    assert(B >= 1 && K >= 2 && temperature > 0);
    double loss = 0, t = temperature;
    for (int b = 0; b < B; b++) {
        const float *z = logits + (int64_t)b * K, *q = teacher + (int64_t)b * K;
        double nz = log_norm(z, K, t), nq = log_norm(q, K, t);
        for (int k = 0; k < K; k++) {
            double lz = (double)z[k] / t - nz, lq = (double)q[k] / t - nq, pq = exp(lq);
            loss += pq * (lq - lz);
            if (d) d[(int64_t)b * K + k] += (float)(weight * t / B * (exp(lz) - pq));
        }
    }
    return loss * t * t / B;
}

/* log(1 + e^x), of any x. */
static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

double snc_loss_score(float *d, const float *logits, const float *target, int B, double weight)
{
    assert(B >= 1);
    double loss = 0;
    for (int b = 0; b < B; b++) {
        if (isnan((double)target[b])) continue;
        double x = (double)logits[b], y = (double)target[b];
        loss += softplus(x) - y * x;
        if (d) d[b] += (float)(weight / B * (snc_label_probability(x) - y));
    }
    return loss / B;
}

double snc_loss_bce(float *d, const float *logits, const float *target, const snc_sets *sets, int B, const double *of_label, double weight)
{
    assert(B >= 1);
    int K = sets->K;
    double loss = 0, n = (double)B * K;
    for (int b = 0; b < B; b++) {
        if (isnan((double)target[b])) continue;
        const float *z = logits + (int64_t)b * K;
        const uint8_t *has = snc_sets_of(sets, (int)target[b]);
        for (int k = 0; k < K; k++) {
            double of = of_label ? of_label[2 * k + has[k]] : 1, x = (double)z[k];
            loss += of * softplus(has[k] ? -x : x);
            if (d) d[(int64_t)b * K + k] += (float)(weight * of / n * (snc_label_probability(x) - has[k]));
        }
    }
    return loss / n;
}

double snc_loss_kl_labels(float *d, const float *logits, const float *teacher, int B, int K, double temperature, double weight)
{
    assert(B >= 1 && K >= 1 && temperature > 0);
    double loss = 0, t = temperature, n = (double)B * K;
    for (int64_t i = 0; i < (int64_t)B * K; i++) {
        double z = (double)logits[i] / t, q = (double)teacher[i] / t, p = snc_label_probability(q);
        loss += p * (softplus(-z) - softplus(-q)) + (1 - p) * (softplus(z) - softplus(q));
        if (d) d[i] += (float)(weight * t / n * (snc_label_probability(z) - p));
    }
    return loss * t * t / n;
}

double snc_loss_cosine(float *d, const float *z, const float *teacher, int B, int K, double weight)
{
    assert(B >= 1 && K >= 1);
    double loss = 0;
    for (int b = 0; b < B; b++) {
        const float *x = z + (int64_t)b * K, *t = teacher + (int64_t)b * K;
        double xx = 0, xt = 0, tt = 0;
        for (int k = 0; k < K; k++) {
            xx += (double)x[k] * (double)x[k];
            xt += (double)x[k] * (double)t[k];
            tt += (double)t[k] * (double)t[k];
        }
        const double size = sqrt(xx * tt), cosine = size > 0 ? xt / size : 0;
        loss += 1 - cosine;
        for (int k = 0; k < K && d && size > 0; k++)
            d[(int64_t)b * K + k] -= (float)(weight / B * ((double)t[k] / size - cosine * (double)x[k] / xx));
    }
    return loss / B;
}

double snc_loss_hard(float *d, const float *logits, const snc_loss_labels *y, int B, int K, double weight)
{
    if (y->problem == SNC_MEANS_VECTOR) return 0;
    if (y->problem == SNC_MEANS_REGRESSION) return snc_loss_mse(d, logits, y->target, B, weight);
    if (y->problem == SNC_MEANS_SCORE) return snc_loss_score(d, logits, y->target, B, weight);
    if (y->problem == SNC_MEANS_MULTILABEL) return snc_loss_bce(d, logits, y->target, y->sets, B, y->balance, weight);
    return snc_loss_ce(d, logits, y->target, B, K, y->balance, weight);
}

double snc_loss_soft(float *d, const float *logits, const float *teacher, snc_meaning problem, int B, int K, double temperature,
                     double weight)
{
    if (problem == SNC_MEANS_VECTOR) return snc_loss_cosine(d, logits, teacher, B, K, weight);
    if (problem == SNC_MEANS_REGRESSION) return snc_loss_mse(d, logits, teacher, B, weight);
    if (problem == SNC_MEANS_MULTILABEL || problem == SNC_MEANS_SCORE)
        return snc_loss_kl_labels(d, logits, teacher, B, K, temperature, weight);
    return snc_loss_kl(d, logits, teacher, B, K, temperature, weight);
}

static double dot(const float *a, const float *b, int n)
{
    enum { LANES = 16 };
    float lane[LANES] = {0};
    double sum = 0;
    int j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int k = 0; k < LANES; k++) lane[k] += a[j + k] * b[j + k];
    for (int k = 0; j < n; j++, k++) lane[k] += a[j] * b[j];
    for (int k = 0; k < LANES; k++) sum += (double)lane[k];
    return sum;
}

/* Log probabilities of x among the n rows of y. */
static void relate(double *p, const float *x, const float *y, int ld, int n, int width)
{
    double top = -INFINITY, sum = 0;
    for (int j = 0; j < n; j++) {
        p[j] = dot(x, y + (int64_t)j * ld, width) / sqrt((double)width);
        top = fmax(top, p[j]);
    }
    for (int j = 0; j < n; j++) sum += exp(p[j] - top);
    for (int j = 0; j < n; j++) p[j] -= top + log(sum);
}

double snc_loss_relation(const snc_relation *r, double *scratch, double weight)
{
    double loss = 0, *p = scratch, *q = scratch + r->n;
    assert(r->m >= 1 && r->n >= 1 && r->width >= 1 && r->width <= r->lda && r->width <= r->ldt && !r->da == !r->db);
    for (int i = 0; i < r->m; i++) {
        const int64_t at = (int64_t)i * r->lda;
        relate(p, r->a + at, r->b, r->lda, r->n, r->width);
        relate(q, r->t + (int64_t)i * r->ldt, r->u, r->ldt, r->n, r->width);
        for (int j = 0; j < r->n; j++) {
            const int64_t to = (int64_t)j * r->lda;
            const double pj = exp(p[j]), qj = exp(q[j]);
            const float d = (float)(weight * (pj - qj) / sqrt((double)r->width));
            loss += qj * (q[j] - p[j]);
            for (int k = 0; k < r->width && r->da; k++) {
                r->da[at + k] += d * r->b[to + k];
                r->db[to + k] += d * r->a[at + k];
            }
        }
    }
    return loss;
}

double snc_loss_hidden(float *d, const float *h, int ldh, const float *g, int ldg, int T, int c, double weight)
{
    assert(T >= 1 && c >= 1 && c <= ldh && c <= ldg);
    enum { LANES = 16 };
    double loss = 0, n = (double)T * c;
    float scale = (float)(weight * 2 / n);
    for (int t = 0; t < T; t++) {
        const float *hr = h + (int64_t)t * ldh, *gr = g + (int64_t)t * ldg;
        float *dr = d ? d + (int64_t)t * c : NULL, lane[LANES] = {0};
        int j = 0;
        for (; j + LANES <= c; j += LANES)
            for (int k = 0; k < LANES; k++) {
                float e = hr[j + k] - gr[j + k];
                lane[k] += e * e;
                if (dr) dr[j + k] += scale * e;
            }
        for (int k = 0; j < c; j++, k++) {
            float e = hr[j] - gr[j];
            lane[k] += e * e;
            if (dr) dr[j] += scale * e;
        }
        for (int k = 0; k < LANES; k++) loss += (double)lane[k];
    }
    return loss / n;
}
