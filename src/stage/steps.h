/* stage/steps.h: the steps that verbs and the whole job share: files in, one artifact out, skipped when it is there already. */
#ifndef SNC_STAGE_STEPS_H
#define SNC_STAGE_STEPS_H

#include "search/space.h"
#include "stage/inputs.h"
#include "stage/load.h"
#include "train/trainer.h"

typedef struct snc_step_report {
    bool reused;     /* the artifact was there with the same inputs */
    bool unfinished; /* --max-steps */
    double sentences_per_s, seconds;
} snc_step_report;

/* Teacher from any model. Leaves out.checkpoint while unfinished. */
snc_err snc_step_finetune(snc_step_report *r, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from,
                          const char *out) SNC_MUST_USE;
/* Teacher from a model that is fine-tuned already: its weights as they are, in our names and the task's order of classes. */
snc_err snc_step_adopt(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from, const char *out) SNC_MUST_USE;
/* Supernet in importance order from a teacher. */
snc_err snc_step_supernet(snc_step_report *r, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                          const char *out) SNC_MUST_USE;

/* The search space that --space names or the model implies, with the depth rule the supernet was trained for. */
snc_err snc_step_space(snc_space **out, const snc_options *o, const snc_model *m, const char *rule) SNC_MUST_USE;
/* The same for the search of a supernet that was read from `path`: its recipe says what it was trained for. SNC_E_ARG: an option
 * that it was not trained for. */
snc_err snc_step_trained_space(snc_space **out, const snc_options *o, const snc_model *m, const char *path) SNC_MUST_USE;
/* The same options as the trainer's sampler draws them; rule is where the layers of a depth come from. */
void    snc_step_subspace(snc_subspace *out, const snc_space *s, const char *rule);
/* The rule that --depth-rule names, `otherwise` where it is left to be found. */
const char *snc_step_rule(const snc_options *o, const char *otherwise);
/* What search and repair minimise: mean KL(teacher || net) over rows, mean squared difference for regression, KL of each label
 * by itself where there may be any number of them. */
double  snc_step_distance(const float *logits, const float *teacher, int n, int K, snc_meaning problem);
/* `wanted` when it is a rule; for NULL or "auto" the rule whose untrained nets stay nearest to the full one on select, or on so many
 * of its rows, and every depth or three of them, as 4e12 multiply-adds allow (128 rows at least): by work, not by time, so that the
 * rule is the same on every machine. */
snc_err snc_step_depth_rule(char rule[8], const snc_ctx *ctx, snc_model *m, const snc_inputs *in, snc_compute compute,
                            const char *wanted) SNC_MUST_USE;
int     snc_step_rule_rows(const snc_model *m, const snc_dataset *select);
double  snc_step_rule_tokens(const snc_model *m, const snc_dataset *select); /* through the full net, as much work as finding the rule */

/* ---- shared by the training steps ---------------------------------------------------------------------------------- */
void    snc_step_train_opts(snc_train_opts *t, const snc_options *o, snc_compute compute, const char *checkpoint);
/* Rows made of each of n train rows. */
double  snc_step_made(const snc_options *o, int n);
/* Fills in->lesson, unless it is there: train, the rows made of it (--augment), and what the teacher says of them, from the
 * lesson's file where that is of the same teacher, rows and arithmetic. */
snc_err snc_step_teach(const snc_ctx *ctx, const snc_inputs *in, const snc_options *o, snc_model *teacher, snc_compute compute) SNC_MUST_USE;
snc_err snc_step_checkpoint_path(char *buf, size_t size, const char *out) SNC_MUST_USE;
/* Stamps and saves. recipe NULL: the model was not trained here, and says of its training what it said. */
snc_err snc_step_finish_model(snc_model *m, cJSON *stamp, cJSON *recipe, const snc_train_result *r, const snc_inputs *in,
                              const char *out) SNC_MUST_USE;
/* Task score of a prefix net on a split, by the training engine. */
snc_err snc_step_score(double *score, const snc_ctx *ctx, snc_model *m, const snc_arch *arch, snc_compute compute,
                       const snc_task *task, const snc_dataset *d) SNC_MUST_USE;

#endif
