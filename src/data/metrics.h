/* data/metrics.h: scores as GLUE and Hugging Face define them, equal to scikit-learn and SciPy to 1e-9.
 *
 *   accuracy; f1 (binary, class 1 positive); matthews; pearson; spearman (average ranks for ties)
 * Undefined cases follow scikit-learn's defaults: f1 without positives 0, matthews with a constant side 0, a correlation
 * with a constant side is NaN.
 */
#ifndef SNC_DATA_METRICS_H
#define SNC_DATA_METRICS_H

#include "base/error.h"

/* pred and target [n]: class indices as floats, or values. */
snc_err snc_metric(double *out, const char *name, const float *pred, const float *target, int n) SNC_MUST_USE;

#endif
