/* A threshold as a logit, and the labels above it; the best class, and softmax. */
#include "models/cutoff.h"

#include <math.h>

snc_err snc_threshold_of(double *out, const cJSON *meta, const char *where)
{
    SNC_TRY(snc_json_double(out, meta, "threshold", 0.5, 0, 1, where));
    SNC_CHECK(*out > 0 && *out < 1, SNC_E_FORMAT, "%s: 'threshold' %g: expected more than 0 and less than 1", where, *out);
    return SNC_OK;
}

double snc_threshold_logit(double threshold) { return log(threshold) - log1p(-threshold); }

double snc_label_probability(double logit) { return logit >= 0 ? 1 / (1 + exp(-logit)) : exp(logit) / (1 + exp(logit)); }

double snc_value_of(snc_meaning m, const float *z) { return m == SNC_MEANS_SCORE ? snc_label_probability((double)z[0]) : (double)z[0]; }

int snc_labels_there(int *label, const float *z, int K, double threshold)
{
    const double cut = snc_threshold_logit(threshold);
    int n = 0;
    for (int k = 0; k < K; k++) {
        if ((double)z[k] < cut) continue;
        int at = n++;
        for (; at > 0 && z[label[at - 1]] < z[k]; at--) label[at] = label[at - 1];
        label[at] = k;
    }
    return n;
}

static double product(const float *a, const float *b, int K)
{
    double sum = 0;
    for (int k = 0; k < K; k++) sum += (double)a[k] * (double)b[k];
    return sum;
}

double snc_vector_cosine(const float *a, const float *b, int K)
{
    const double size = sqrt(product(a, a, K) * product(b, b, K));
    return size > 0 ? product(a, b, K) / size : 0;
}

void snc_vector_unit(float *out, const float *z, int K)
{
    const double size = sqrt(product(z, z, K));
    for (int k = 0; k < K; k++) out[k] = size > 0 ? (float)((double)z[k] / size) : 0;
}

int snc_class_best(const float *z, int K)
{
    int best = 0;
    for (int k = 1; k < K; k++)
        if (z[k] > z[best]) best = k;
    return best;
}

double snc_class_sum(const float *z, int K, int best)
{
    double sum = 0;
    for (int k = 0; k < K; k++) sum += exp((double)z[k] - (double)z[best]);
    return sum;
}
