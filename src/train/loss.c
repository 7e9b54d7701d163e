#include "train/loss.h"

#include <math.h>

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
    double loss = 0;
    for (int b = 0; b < B; b++) {
        if (isnan((double)target[b])) continue;
        const float *z = logits + (int64_t)b * K;
        int y = (int)target[b];
        double norm = log_norm(z, K, 1.0), of = of_class ? of_class[y] : 1;
        loss += of * (norm - (double)z[y]);
        if (!d) continue;
        for (int k = 0; k < K; k++)
            d[(int64_t)b * K + k] += (float)(of * weight / B * (exp((double)z[k] - norm) - (k == y ? 1.0 : 0.0)));
    }
    return loss / B;
}

double snc_loss_mse(float *d, const float *logits, const float *target, int B, double weight)
{
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

double snc_loss_hidden(float *d, const float *h, int ldh, const float *g, int ldg, int T, int c, double weight)
{
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
