/* train/trainer_priv.h: the state of a run, and the step that changes it (step.c). */
#ifndef SNC_TRAIN_TRAINER_PRIV_H
#define SNC_TRAIN_TRAINER_PRIV_H

#include "core/allreduce.h"
#include "train/adamw.h"
#include "train/facts.h"
#include "train/fakequant.h"
#include "train/momentum_copy.h"
#include "train/touched.h"
#include "train/trainer.h"

typedef struct snc_tally { /* of the epoch under way; part of the checkpoint */
    int64_t rows;
    double loss, full_loss; /* sums over rows */
} snc_tally;

/* Dense parameters of one layer that lie side by side, or of none: of layer -1, behind all others. */
typedef struct snc_bucket {
    size_t from, n; /* of the gradient block */
    size_t *at;     /* [ranks + 1] the shares of each */
    int layer;
} snc_bucket;

typedef struct snc_trainer {
    const snc_ctx *ctx;
    snc_model *m, *teacher;
    const snc_dataset *d;
    const snc_space *space; /* NULL: the whole model alone */
    const snc_train_opts *o;
    snc_sampler *sampler;           /* NULL with it */
    snc_sampler_gradient *gradient; /* [L] where the sampler asks */
    snc_arch nets[SNC_SAMPLER_MAX];
    double loss[SNC_SAMPLER_MAX];
    int n_nets;         /* of the last step */
    snc_engine *e, *te; /* te: only for hidden states */
    snc_momentum *copy; /* NULL: no objective wants it */
    snc_adamw *adamw;
    snc_fakequant *quant; /* NULL: none */
    snc_touched *touched;
    snc_batcher *batcher;
    snc_data_view view; /* of the data and what the teacher says of it, for `rows` */
    snc_data_sampler *rows;
    double room; /* bytes for gradients, moments and engines; 0: not known */
    bool recompute;
    int K, L, at_once;                                              /* rows */
    int64_t step, per_epoch, total, asked;                          /* total: those that fit; asked: of the options */
    float *swept;                                                   /* the teacher's logits, where the caller has none; else NULL */
    const float *taught;                                            /* [n, K] or NULL: no teacher */
    float *logits, *dlogits, *soft, *full, *before, *slow, *target; /* [answers, K]; of the net before, of the copy; and [answers] */
    int32_t *offsets, *read;                                        /* [batch + 1] of a part of it; [answers] of tags */
    bool tags;
    float *dhidden;                                /* [L+1, max tokens, C] or NULL */
    snc_objective_attention attention, *relations; /* the second NULL: no objective wants it */
    double *balance;                               /* weights of the classes or labels, or NULL */
    snc_tally tally;
    snc_fact facts[SNC_TRAIN_FACTS];
    int n_facts;
    double started, shown, saved, paced, opening;
    int64_t rows_done, first; /* first: step of this process */
    snc_comm *comm;           /* NULL: this process alone */
    snc_allreduce *sum;
    snc_bucket *bucket; /* [buckets] of the gradient, the last layer's first: the order in which they are summed */
    int buckets, summed;
    snc_err sum_err;     /* of a bucket that could not be started: told when the backward pass is over */
    float *touched_rows; /* [all rows that a step touches, their columns] */
    size_t touched_cap;
    int64_t wish;     /* steps that rank 0 wants the run to have in all, since its latest step; 0: as it is */
    bool ran, left;   /* this rank had rows in this step; the run ends before its end, and all know it */
    bool due, agreed; /* rank 0 wants a checkpoint, and says so in the next step; all know it in this one */
} snc_trainer;

/* A run on one rank or several, all of which call it with equal models, rows and options; but what rank 0 alone is asked: checkpoint,
 * time, on_epoch. */
snc_err snc_trainer_run(snc_train_result *out, const snc_ctx *ctx, snc_comm *comm, snc_model *m, snc_model *teacher,
                        const snc_dataset *train, const snc_space *space, const snc_train_opts *o) SNC_MUST_USE;

/* Share of the run that is done. */
static inline double snc_trainer_done(const snc_trainer *t) { return (double)t->step / (double)t->total; }

/* Whether each net of a step has a part of the batch to itself, and the row where that of net i begins. */
static inline bool snc_trainer_in_parts(const snc_trainer *t) { return t->sampler && t->o->sampler->parts; }
static inline int snc_trainer_part(const snc_trainer *t, int B, int i) { return B * i / t->n_nets; }

/* Draws nets and rows, and takes the optimiser's step. SNC_E_DIVERGED; SNC_E_CANCELLED: nothing of it has been. */
snc_err snc_trainer_step(snc_trainer *t) SNC_MUST_USE;
/* The run has t->wish steps in all from here on. */
void snc_trainer_shorten(snc_trainer *t);

#endif
