/* artifact/distillation.h: what distillation learns from: rows made of the task's own, and what teachers say of them. */
#ifndef SNC_ARTIFACT_DISTILLATION_H
#define SNC_ARTIFACT_DISTILLATION_H

#include "artifact/inputs.h"

/* Rows and the rows made of them, with a teacher's logits of each. */
typedef struct snc_distillation_set {
    snc_dataset *rows;
    float *logits;    /* [rows->n, classes]; NaN of rows that training does not meet */
    const char *path; /* where logits are kept for the next process, borrowed; NULL: nowhere */
} snc_distillation_set;

/* Fine-tuned models whose logits are averaged: the geometric mean of what they say of a row (Hinton et al. 2015, section 2). */
enum { SNC_TEACHERS_MOST = 9 };
typedef struct snc_teachers {
    int n;
    const char *path[SNC_TEACHERS_MOST];
} snc_teachers;

/* Rows made of each of n rows where `augment` are asked for. */
double snc_distillation_made(double augment, int n);
/* Fills a set that is empty, and leaves a full one: train, the rows made of it (--augment), and what the teacher says of those that
 * elastic training will meet, from the set's file where that is of the same teacher, rows and arithmetic. */
snc_err snc_distillation_fill(snc_distillation_set *set, const snc_ctx *ctx, const snc_inputs *in, const snc_options *o, snc_model *teacher,
                              snc_compute compute) SNC_MUST_USE;
/* Rows that are asked about whatever repair meets: so many from the first on, to judge it by. */
enum { SNC_DISTILLATION_JUDGED = 1000 };
/* The same of rows `of` for repair, from several teachers, the first of which knows the word pieces that are replaced; no file is asked. */
snc_err snc_distillation_average(snc_distillation_set *set, const snc_ctx *ctx, const snc_inputs *in, const snc_dataset *of,
                                 const snc_options *o, const snc_teachers *teachers, snc_compute compute) SNC_MUST_USE;
void snc_distillation_dispose(snc_distillation_set *set);

#endif
