/* data/balance.h: how much a row counts where every class is to count alike: scikit-learn's "balanced", n / (K n_k).
 *
 * K is the number of classes that have rows, n_k the rows of class k. The mean over rows is 1, so a loss keeps its size. With sets
 * of labels each label is a task of two classes of its own: there, or not.
 */
#ifndef SNC_DATA_BALANCE_H
#define SNC_DATA_BALANCE_H

#include <stdint.h>

#include "data/sets.h"

/* What a loss takes, by the rows' labels, for classes [K] and for sets [K, 2]: the weight of a label that is not there, and of one that
 * is. The caller frees it. */
snc_err snc_balance_new(double **w, const float *target, int n, const snc_sets *sets /* NULL: classes */, int K) SNC_MUST_USE;
/* w [K]; 0 for a class without rows. target [n]: class indices, NaN for a row without a label, which does not count. */
void snc_balance_classes(double *w, const float *target, int n, int K);

#endif
