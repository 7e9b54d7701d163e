/* artifact/training.h: what the training steps share: checkpoints, the finished model, its score. */
#ifndef SNC_ARTIFACT_TRAINING_H
#define SNC_ARTIFACT_TRAINING_H

#include "artifact/inputs.h"
#include "train/trainer.h"

snc_err snc_training_checkpoint_path(char *buf, size_t size, const char *out) SNC_MUST_USE;
/* Puts a teacher's heads, neurons and channels in order of falling importance; the function it computes stays. rows: what distillation
 * learns from, which a recipe may have it found on. */
snc_err snc_training_order(const snc_ctx *ctx, snc_model *m, const snc_inputs *in, const snc_dataset *rows, const snc_options *o,
                           snc_compute compute) SNC_MUST_USE;
/* Stamps and saves. recipe NULL: the model was not trained here, and says of its training what it said. */
snc_err snc_training_finish(snc_model *m, cJSON *stamp, cJSON *recipe, const snc_train_result *r, const snc_inputs *in,
                            const char *out) SNC_MUST_USE;
/* What m as a whole says of select: *logits [n, classes], freed by the caller; NULL without such a split. */
snc_err snc_training_select_logits(float **logits, const snc_ctx *ctx, snc_model *m, snc_compute compute,
                                   const snc_inputs *in) SNC_MUST_USE;
/* Task score of a prefix net on a split, by the training engine. */
snc_err snc_training_score(double *score, const snc_ctx *ctx, snc_model *m, const snc_arch *arch, snc_compute compute, const snc_task *task,
                           const snc_dataset *d) SNC_MUST_USE;

#endif
