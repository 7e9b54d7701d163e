/* data/metrics.h: scores as GLUE and Hugging Face define them, equal to scikit-learn and SciPy to 1e-9.
 *
 *   accuracy; f1 (binary, class 1 positive); matthews (any number of classes); pearson; spearman (average ranks for ties)
 * Undefined cases follow scikit-learn's defaults: f1 without positives 0, matthews with a constant side 0, a correlation
 * with a constant side (or of one row) is NaN.
 */
#ifndef SNC_DATA_METRICS_H
#define SNC_DATA_METRICS_H

#include <stdbool.h>

#include "base/error.h"

/* pred and target [n]: class indices as floats, or values. SNC_E_NOTFOUND: name. SNC_E_ARG: n < 1, a target that is not
 * finite (a row without a label), a value that is no class index. SNC_E_DIVERGED: a prediction that is not finite. */
snc_err snc_metric(double *out, const char *name, const float *pred, const float *target, int n) SNC_MUST_USE;

/* Whether `name` is a metric, and whether it scores classes (true) or values (false; not written when unknown). */
bool snc_metric_known(bool *of_classes, const char *name);

#endif
