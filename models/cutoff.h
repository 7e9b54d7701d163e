/* models/cutoff.h: what logits mean: the best class, or of a multilabel model those labels from a probability on that the file's meta
 * names, "threshold". */
#ifndef SNC_MODELS_CUTOFF_H
#define SNC_MODELS_CUTOFF_H

#include "base/json.h"
#include "core/meaning.h"

/* 0.5 where nothing is said. SNC_E_FORMAT: no number between 0 and 1. */
snc_err snc_threshold_of(double *out, const cJSON *meta, const char *where) SNC_MUST_USE;
/* The labels of logits z [K] whose probability is at least the threshold, the most probable first; how many there are. */
int snc_labels_there(int *label /* [K] */, const float *z, int K, double threshold);
/* The logit of which it is the sigmoid. */
double snc_threshold_logit(double threshold);
/* The sigmoid. */
double snc_label_probability(double logit);

/* What a model that gives a value says by its one output: that, or its sigmoid. */
double snc_value_of(snc_meaning m, const float *z);

/* The cosine of two vectors [K]; 0 where one of them is 0. */
double snc_vector_cosine(const float *a, const float *b, int K);
/* out [K]: z as long as 1, which is how vectors are given away; out may be z. */
void snc_vector_unit(float *out, const float *z, int K);

/* The most probable class of logits z [K], the first of equals. */
int snc_class_best(const float *z, int K);
/* The sum of softmax's terms as shares of that of the best, which is 1: class k has exp(z[k] - z[best]) / sum. */
double snc_class_sum(const float *z, int K, int best);

#endif
