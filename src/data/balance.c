/* One count of rows by class; sets of labels are balanced label by label, each a task of two classes. */
#include "data/balance.h"

#include <math.h>

#include "base/mem.h"

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

static void balance_label(double w[2], float *there, const float *target, int n, const snc_sets *sets, int k)
{
    for (int i = 0; i < n; i++) there[i] = isnan((double)target[i]) ? target[i] : (float)snc_sets_of(sets, (int)target[i])[k];
    snc_balance_classes(w, there, n, 2);
}

snc_err snc_balance_new(double **w, const float *target, int n, const snc_sets *sets, int K)
{
    float *there = NULL;
    SNC_TRY(snc_alloc(w, (size_t)K * 2, sizeof **w));
    if (!sets) {
        snc_balance_classes(*w, target, n, K);
        return SNC_OK;
    }
    SNC_TRY(snc_alloc(&there, (size_t)n, sizeof *there)); /* the caller frees w */
    for (int k = 0; k < K; k++) balance_label(*w + 2 * k, there, target, n, sets, k);
    snc_free(there);
    return SNC_OK;
}
