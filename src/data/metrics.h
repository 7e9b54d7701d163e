/* data/metrics.h: scores as GLUE and Hugging Face define them, equal to scikit-learn and SciPy to 1e-9.
 *
 *   accuracy; f1 (binary, class 1 positive); of any number of classes: micro_f1 (with one answer a row the accuracy), macro_f1 (the
 *   mean of the classes' F1), balanced_accuracy (the mean of their recall), matthews; pearson; spearman (average ranks for ties)
 * Undefined cases follow scikit-learn's defaults: f1 without positives 0, macro_f1 without the classes that are neither answered
 * nor there, balanced_accuracy without those that are not there, matthews with a constant side 0, a correlation with a constant
 * side (or of one row) is NaN.
 */
#ifndef SNC_DATA_METRICS_H
#define SNC_DATA_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { SNC_METRICS_MOST = 8 }; /* of a task: its names differ */

/* pred and target [n]: class indices as floats, or values. SNC_E_NOTFOUND: name. SNC_E_ARG: n < 1, a target that is not
 * finite (a row without a label), a value that is no class index. SNC_E_DIVERGED: a prediction that is not finite. */
snc_err snc_metric(double *out, const char *name, const float *pred, const float *target, int n) SNC_MUST_USE;

/* Whether `name` is a metric, and whether it scores classes (true) or values (false; not written when unknown). */
bool snc_metric_known(bool *of_classes, const char *name);

/* Sets of labels: accuracy (the whole set is right), micro_f1 (of all labels together), macro_f1 (the mean over all K; a label that
 * is neither answered nor there counts 0, as in scikit-learn). said, is [n, K], 0 or 1. */
snc_err snc_metric_sets(double *out, const char *name, const uint8_t *said, const uint8_t *is, int n, int K) SNC_MUST_USE;
bool snc_metric_of_sets(const char *name);

#endif
