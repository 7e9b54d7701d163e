/* stage/steps.h: the steps that verbs and the whole job share: files in, one artifact out, skipped when it is there already. */
#ifndef SNC_STAGE_STEPS_H
#define SNC_STAGE_STEPS_H

#include "artifact/distillation.h"

enum { SNC_GENERATOR = 160 };

typedef struct snc_step_report {
    bool reused;     /* the artifact was there with the same inputs */
    bool unfinished; /* --max-steps */
    double sentences_per_s, seconds;
    char generator[SNC_GENERATOR]; /* why a supernet's experts are of no use; empty: they are, or there are none */
    double all_seconds;            /* of every step that was asked for, by the pace of those that were made; 0: none was */
} snc_step_report;

/* Teacher from any model. Leaves out.checkpoint while unfinished. */
snc_err snc_step_finetune(snc_step_report *r, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from,
                          const char *out) SNC_MUST_USE;
/* The same of every row, those of rank and select with them, where in->splits.all has them: what a user has without us. number: of
 * several, from 0, whose seeds differ; the first is what `finetune --hold-out 0` makes. teacher: the one beside it whose threshold, where
 * there are some, was chosen on rows that it had not seen. */
snc_err snc_step_baseline(snc_step_report *r, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from,
                          const char *teacher, int number, const char *out) SNC_MUST_USE;
/* Teacher from a model that is fine-tuned already: its weights as they are, in our names and the task's order of classes. */
snc_err snc_step_adopt(const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *from, const char *out) SNC_MUST_USE;
/* Supernet in importance order from a teacher, whose answers to train and more go into the set. */
snc_err snc_step_supernet(snc_step_report *r, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, snc_distillation_set *set,
                          const char *teacher, const char *out) SNC_MUST_USE;

#endif
