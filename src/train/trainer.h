/* train/trainer.h: the one training loop: fine-tuning is the supernet loop with a single net and no teacher.
 *
 * A step draws nets (sampler.h) and adds up their gradients, each net with weight 1 / nets, or where each has a part of the batch with its
 * share of the rows; its loss is that of the objectives (objective.h), by default
 *
 *   loss(net) = hard * CE(labels) + (1 - hard) * t^2 KL(target || net) + hidden_weight * MSE(hidden states)
 *               + relation_weight * KL(relations) + consistency_weight * t^2 KL(other random net || net)
 *               + momentum_weight * t^2 KL(momentum copy || net)
 *
 * balanced weighs CE by class as data/balance.h says. The teacher's part has no weights: it was trained with them, and says of each
 * row what that came to. hard = alpha when the net has a soft target, else 1; regression uses MSE for both, any number of labels BCE
 * and the KL of each label by itself (train/loss.h). The soft target is the frozen teacher
 * (its logits are computed once for the rows that are met, or by the caller for several runs), or with in_place the logits of the step's
 * largest net, for the others. That one still learns from the frozen teacher: universally slimmable networks (Yu and Huang 2019) and BigNAS
 * (Yu et al. 2020), where in-place distillation is from, have none and teach it by labels, which made rows have not got
 * (largest_by_labels does so all the same). Hidden states are compared with the teacher's over the net's first C channels: embedding with
 * embedding, a kept layer with its source, the last with the last; relations (objectives/relation.c) head with head. The teacher must
 * therefore be in the supernet's order of channels and heads.
 *
 * Dropout and shuffled data depend on (seed, step) alone, nets and rows that are drawn also on the share of the run that is done and on
 * what their sampler has learnt, which the checkpoint holds: so a run that is stopped and resumed from its checkpoint has
 * the bits of one that was not. A checkpoint knows its inputs and refuses others by name. max_steps stops early, saves, and
 * leaves the schedule as it is. Where the context has a moment by which the work ends (ctx->until) and the steps to come do not fit by
 * the pace of those that were made, the run is shortened to as many as do: its schedule still ends at zero, and it is finished then.
 *
 *     snc_train_opts o = SNC_TRAIN_OPTS_INIT;  o.epochs = 3;  o.batch_size = 32;  o.lr = 5e-5;
 *     SNC_TRY(snc_train_run(&r, ctx, m, NULL, train, NULL, &o));                    fine-tuning
 *     SNC_TRY(snc_train_run(&r, ctx, m, teacher, train, &space, &o));               supernet
 *
 * Where there is no memory for all rows of a step at once (the machine's, or ctx->max_memory) it adds up the gradients of parts of its
 * batch: the same sum but for its order, with the dropout masks of the whole.
 * With ctx->recompute it keeps the inputs of layers alone (models/engine.h): the same bits for the same parts. Auto does so where not even
 * a row fits otherwise, or where parts would be so short that what each moves (weights, gradients) takes longer than a third more work on
 * longer ones: a step costs AGAIN (1 + MOVED / tokens of a part), AGAIN 4/3 or 1 (trainer.c).
 *
 * The model's gradients are allocated and zero; its weights are whole (no lazy row behind) on return.
 */
#ifndef SNC_TRAIN_TRAINER_H
#define SNC_TRAIN_TRAINER_H

#include "data/dataset.h"
#include "models/engine.h"
#include "train/data_sampler.h"
#include "train/objective.h"
#include "train/sampler.h"

/* Called after each epoch with whole weights; e has them in sync and may evaluate. An error ends the run. */
typedef snc_err (*snc_train_epoch_fn)(void *user, int epoch /* from 1 */, snc_engine *e);

typedef struct snc_train_opts {
    double epochs; /* a part of an epoch is fine */
    int batch_size;
    double lr, warmup, weight_decay, clip;
    snc_compute compute;
    bool dropout;        /* the config's rates, for the largest net */
    bool subnet_dropout; /* and for the others */
    double alpha;        /* weight of the hard labels where there is a soft target */
    double temperature;
    double hidden_weight, relation_weight, consistency_weight, momentum_weight, group_weight; /* of an objective each; 0: off */
    snc_hidden_map hidden_map;
    double relations[SNC_RELATES];             /* weights of each */
    double momentum;                           /* of its copy: what stays of it in a step */
    const snc_data_sampler_kind *data_sampler; /* which rows a step meets */
    const snc_sampler_kind *sampler;
    int random_nets;                        /* random subnets a step */
    double near;                            /* of the largest net's multiply-adds: what the samplers `near` and `target` aim at */
    int pools;                              /* budgets that the samplers `pss`, `shift` and `mcts` tell apart */
    const snc_objective *const *objectives; /* NULL at the end */
    bool balanced;                          /* rows of every class count alike in the hard loss */
    bool in_place;                          /* subnets learn from the largest net of the same step */
    bool largest_by_labels;                 /* and that from the labels alone, though there is a teacher */
    bool lazy_rows;                         /* see adamw.h */
    bool half_state;
    const snc_arch *nets;         /* [n_nets] of every step where there is no space, the largest of all first: no checkpoint knows them */
    int n_nets;                   /* at most SNC_SAMPLER_MAX; 0: the whole model alone */
    int at_once;                  /* rows of a step that are computed at once; 0: as many as there is memory for */
    const snc_policy *fake_quant; /* not NULL: train under its INT8 grid (fakequant.h); on_epoch then sees grid weights */
    int64_t max_steps;            /* 0: to the end */
    double max_seconds;           /* the same by time; 0: to the end */
    const char *checkpoint;       /* path, NULL: none */
    int checkpoint_every;         /* steps; 0: by time alone */
    double checkpoint_seconds;    /* by time, beside steps */
    const float *teacher_logits;  /* [rows, classes] of the teacher, borrowed; NULL: it is asked first */
    bool resume;                  /* continue from the checkpoint when it exists */
    bool discard;                 /* of a checkpoint of other inputs, or a damaged one: begin anew instead of refusing it */
    const char *what;             /* of progress and log lines */
    snc_train_epoch_fn on_epoch;
    void *user;
} snc_train_opts;
/* No recipe: epochs, batch_size and lr are for the caller to say. */
#define SNC_TRAIN_OPTS_INIT                                                                                                               \
    {                                                                                                                                     \
        .compute = SNC_COMPUTE_F32, .temperature = 1.0, .near = 1.0, .pools = 8, .sampler = &snc_sampler_full,                            \
        .data_sampler = &snc_data_sampler_shuffle, .objectives = snc_objectives, .relations = {[SNC_RELATE_QK] = 1, [SNC_RELATE_VV] = 1}, \
        .what = "train", .checkpoint_seconds = 300                                                                                        \
    }

snc_err snc_train_opts_check(const snc_train_opts *o) SNC_MUST_USE; /* SNC_E_ARG names the option */
/* Keys as in the struct, from epochs to half_state, but compute and objectives; samplers and hidden_map by name, relations an object of
 * weights by name. Absent keys leave *o. */
snc_err snc_train_opts_from_json(snc_train_opts *o, const cJSON *j, const char *where) SNC_MUST_USE;
cJSON *snc_train_opts_to_json(const snc_train_opts *o); /* the same keys */
cJSON *snc_train_opts_in_use(const snc_train_opts *o);  /* those of them that say something, for provenance: no part of what is off */

typedef struct snc_train_result {
    int64_t step, total_steps; /* total: of the run as it was asked for */
    int64_t made;              /* steps, in this process */
    bool finished;             /* false: stopped by max_steps */
    double loss;               /* mean of the last epoch, over rows and nets */
    double full_loss;          /* the same of the largest net; 0: the sampler draws none */
    double seconds;            /* of training steps in this process */
    double first_seconds;      /* of the first of them, which finds its memory untouched */
    double sentences_per_s;    /* rows of the data per second, whatever the number of nets */
} snc_train_result;

/* Seconds of all that was asked for, by the pace of the steps that were made; 0: none was. */
static inline double snc_train_result_whole(const snc_train_result *r)
{
    return r->made > 0 ? r->seconds / (double)r->made * (double)r->total_steps : 0;
}

int64_t snc_train_steps(const snc_train_opts *o, int64_t per_epoch); /* of all epochs; per_epoch: those of one */
/* met [n]: whether a run of these options meets a row of the data; in less than one epoch it does not meet all. What a teacher says of
 * the others is never asked for. */
snc_err snc_train_rows_met(uint8_t *met, const snc_ctx *ctx, const snc_dataset *d, const snc_train_opts *o) SNC_MUST_USE;

/* teacher and space may be NULL; logits alone are teacher enough where there is no checkpoint to tell whose. SNC_E_DIVERGED names the
 * step; SNC_E_CANCELLED after saving; SNC_E_SHAPE: teacher and model differ in classes or (hidden states) in shape. */
snc_err snc_train_run(snc_train_result *out, const snc_ctx *ctx, snc_model *m, snc_model *teacher, const snc_dataset *train,
                      const snc_space *space, const snc_train_opts *o) SNC_MUST_USE;

#endif
