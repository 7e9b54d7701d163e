/* stage/inputs.h: a task's rows for one model: task file, tokenizer, splits; and the model made to fit the task. */
#ifndef SNC_STAGE_INPUTS_H
#define SNC_STAGE_INPUTS_H

#include "data/dataset.h"
#include "models/bert.h"
#include "stage/common.h"

/* What distillation learns from: train and the rows made of it, with the teacher's logits of each. */
typedef struct snc_lesson {
    snc_dataset *rows;
    float *logits;    /* [rows->n, classes] */
    const char *path; /* where logits are kept for the next process, borrowed; NULL: nowhere */
} snc_lesson;

typedef struct snc_inputs {
    snc_task *task;
    snc_tok *tok;
    snc_splits splits; /* rank and select NULL without hold-out */
    snc_dataset *dev;  /* NULL until snc_inputs_dev: read before the work, scored after it */
    snc_lesson *lesson; /* empty until a step makes it (stage/steps.h); kept for the next */
} snc_inputs;

/* model: whose tokenizer reads the rows, and whose positions they must fit: a task's own limit above them is lowered, as when the
 * model is used; --max-length above them is refused. Needs --task and --data. Prints the sizes of the splits. */
snc_err snc_inputs_open(snc_inputs *out, const snc_ctx *ctx, const snc_options *o, const char *verb, const char *model,
                        bool hold_out, const char *unlabeled) SNC_MUST_USE;
/* Fills in->dev: every row parses, every label is known. */
snc_err snc_inputs_dev(snc_inputs *in, const snc_ctx *ctx, const snc_options *o) SNC_MUST_USE;
/* What --task says: "custom" where it says nothing and a column is named. NULL: nothing. */
const char *snc_inputs_task_name(const snc_options *o);
/* The task alone, with --max-length and what else the options say of it, labels found out. */
snc_err snc_inputs_task(snc_task **out, const snc_options *o, const char *name) SNC_MUST_USE;
void    snc_inputs_close(snc_inputs *in);
/* The rows' lengths in order: what "data" means to a workload. */
cJSON   *snc_inputs_lengths(const snc_dataset *d);

/* Loads a model for the task: a matching head is kept, its classes put into the task's order by name; any other head is
 * replaced by a seeded one. *fine_tuned: the head came with the file and fits. */
snc_err snc_inputs_model(snc_model **out, bool *fine_tuned, const snc_ctx *ctx, const char *path, const snc_task *task) SNC_MUST_USE;

/* from[k]: the model's class that the task calls k, by name; false when the two sets of names differ. Names that differ in case
 * alone are the same where no other name is nearer. */
bool    snc_inputs_match_labels(int *from, const char *const *labels, int classes, const snc_task *task);

/* A warning where they differ, or the model has no names: its classes are taken in order. */
void    snc_inputs_say_labels(const snc_ctx *ctx, const char *path, const char *const *labels /* or NULL */, int classes, const snc_task *task);

/* Whether --class-weights asks for balanced ones. SNC_E_ARG: another word, or a task without classes; task NULL: not known yet. */
snc_err snc_inputs_balanced(bool *out, const snc_options *o, const snc_task *task) SNC_MUST_USE;
/* bf16 where the CPU has tiles for it, f32 elsewhere, or what --compute says. */
snc_err snc_inputs_compute(snc_compute *out, const snc_options *o) SNC_MUST_USE;
/* What "FP" means in a policy: --fp, or bf16 under the same condition. */
snc_err snc_inputs_fp(snc_dtype *out, const snc_options *o) SNC_MUST_USE;

/* The task's score of predictions: the mean of its metrics; each metric's value in values [snc_task_metrics] or NULL. */
/* Of a multilabel task a label is answered from a logit of 0 on (snc_loaded_cut), or from a threshold on. */
snc_err snc_inputs_score(double *score, double *values, const snc_task *task, const float *logits, const snc_dataset *d, int K) SNC_MUST_USE;
snc_err snc_inputs_score_at(double *score, const snc_task *task, const float *logits, const snc_dataset *d, int K, double threshold) SNC_MUST_USE;
/* pred [n]: class or value (train/evaluate.h); of a multilabel task the number in `seen` of the set that is answered. seen: NULL
 * otherwise; a copy of the rows' own, which grows. */
snc_err snc_inputs_answers(float *pred, snc_sets *seen, const float *logits, int n, int K) SNC_MUST_USE;

#endif
