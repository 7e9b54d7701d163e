/* artifact/distillation.h: what distillation learns from: rows made of the task's own, and what the teacher says of them. */
#ifndef SNC_ARTIFACT_DISTILLATION_H
#define SNC_ARTIFACT_DISTILLATION_H

#include "artifact/inputs.h"

/* Train and the rows made of it, with the teacher's logits of each. */
typedef struct snc_distillation_set {
    snc_dataset *rows;
    float *logits;    /* [rows->n, classes] */
    const char *path; /* where logits are kept for the next process, borrowed; NULL: nowhere */
} snc_distillation_set;

/* Rows made of each of n train rows where `augment` are asked for. */
double snc_distillation_made(double augment, int n);
/* Fills a set that is empty, and leaves a full one to the next step: train, the rows made of it (--augment), and what the teacher says
 * of them, from the set's file where that is of the same teacher, rows and arithmetic. */
snc_err snc_distillation_fill(snc_distillation_set *set, const snc_ctx *ctx, const snc_inputs *in, const snc_options *o, snc_model *teacher,
                              snc_compute compute) SNC_MUST_USE;
void snc_distillation_dispose(snc_distillation_set *set);

#endif
