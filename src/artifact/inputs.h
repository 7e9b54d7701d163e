/* artifact/inputs.h: a task's rows for one model: task file, tokenizer, splits; and the model made to fit the task. */
#ifndef SNC_ARTIFACT_INPUTS_H
#define SNC_ARTIFACT_INPUTS_H

#include "base/json.h"
#include "data/dataset.h"
#include "models/engine.h"

typedef struct snc_inputs {
    snc_task *task;
    snc_tok *tok;
    snc_splits splits;         /* rank and select NULL without hold-out */
    const snc_dataset *taught; /* what its teacher is fine-tuned on: train, or all where somebody says so; NULL: it came as it is */
    snc_dataset *dev;          /* NULL until snc_inputs_dev: read before the work, scored after it */
} snc_inputs;

/* model: whose tokenizer reads the rows, and whose positions they must fit: a task's own limit above them is lowered, as when the
 * model is used; --max-length above them is refused. Needs --task and --data. Prints the sizes of the splits. */
snc_err snc_inputs_open(snc_inputs *out, const snc_ctx *ctx, const snc_options *o, const char *verb, const char *model,
                        snc_hold_out hold_out, const char *unlabeled) SNC_MUST_USE;
/* Fills in->dev: every row parses, every label is known. */
snc_err snc_inputs_dev(snc_inputs *in, const snc_ctx *ctx, const snc_options *o) SNC_MUST_USE;
/* What --task says: "custom" where it says nothing and a column is named. NULL: nothing. */
const char *snc_inputs_task_name(const snc_options *o);
/* The task alone, with --max-length and what else the options say of it, labels found out. */
snc_err snc_inputs_task(snc_task **out, const snc_options *o, const char *name) SNC_MUST_USE;
void snc_inputs_close(snc_inputs *in);
/* The rows that --split says, of which rank and select are carved from train by seed; any other is a file of the task, or a file. */
snc_err snc_inputs_split(snc_dataset **out, const snc_ctx *ctx, const snc_options *o, const snc_task *t, const snc_tok *tok) SNC_MUST_USE;
/* Says what the teacher is fine-tuned on (in->taught). Where nets are judged by what it scores on select, or its threshold is chosen
 * there, it must not have learnt those rows: train. Where neither is, nets are told apart by how near they come to it, and one teacher of
 * all rows is both their teacher and the baseline: nets at the same cost end nearer to that baseline, and sooner (tests/bench/RESULTS.md,
 * "One teacher or two"). fine_tuned: nothing, it is there. */
void snc_inputs_teach(snc_inputs *in, const snc_options *o, bool fine_tuned);
/* Whether the teacher learns rows of rank and select with the others: what it says of those is no measure of it then. */
bool snc_inputs_taught_all(const snc_inputs *in);
/* The rows' lengths in order: what "data" means to a workload. */
cJSON *snc_inputs_lengths(const snc_dataset *d);

/* Loads a model for the task: a matching head is kept, its classes put into the task's order by name; any other head is
 * replaced by a seeded one. *fine_tuned: the head came with the file and fits. */
snc_err snc_inputs_model(snc_model **out, bool *fine_tuned, const snc_ctx *ctx, const char *path, const snc_task *task) SNC_MUST_USE;

/* Whether --class-weights asks for balanced ones. SNC_E_ARG: a task without classes; task NULL: not known yet. */
snc_err snc_inputs_balanced(bool *out, const snc_training_opts *o, const snc_task *task) SNC_MUST_USE;
/* bf16 where the CPU has tiles for it, f32 elsewhere, or what --compute says. */
snc_compute snc_inputs_compute(const snc_job_opts *o);
/* What "FP" means in a policy: --fp, or bf16 under the same condition. */
snc_dtype snc_inputs_fp(const snc_job_opts *o);

#endif
