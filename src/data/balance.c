#include "data/balance.h"

#include <math.h>

void snc_balance_classes(double *w, const float *target, int n, int K)
{
    int there = 0, labelled = 0;
    for (int k = 0; k < K; k++) w[k] = 0;
    for (int i = 0; i < n; i++) {
        if (isnan((double)target[i])) continue;
        w[(int)target[i]]++;
        labelled++;
    }
    for (int k = 0; k < K; k++) there += w[k] > 0;
    for (int k = 0; k < K; k++)
        if (w[k] > 0) w[k] = labelled / (there * w[k]);
}
