/* candidate/evaluator.h: one supernet, whose subnets are scored against a teacher and costed by formulas and a latency table.
 *
 *     snc_evaluator e;
 *     SNC_TRY(snc_evaluator_open(&e, ctx, o, in, teacher, supernet, table, journal));
 *     SNC_GOTO(snc_evaluator_observe(&obs, &e, &cfg));
 *     snc_evaluator_close(&e);
 *
 * Where several hosts measure the latency of a net is that of the worst of them.
 *
 * It owns what it opens and borrows ctx and in. Its net and logits are of one call at a time.
 */
#ifndef SNC_CANDIDATE_EVALUATOR_H
#define SNC_CANDIDATE_EVALUATOR_H

#include "artifact/inputs.h"
#include "candidate/pairing.h"
#include "candidate/shared_out.h"
#include "models/latency.h"
#include "models/trim.h"
#include "search/runner.h"

enum {
    SNC_EVALUATOR_BATCH = 64,
    SNC_METADATA_GUESS = 16384, /* bytes of what an exported file says about itself */
    SNC_FRESH = 4               /* fresh rows for each of select, or of the rows that candidates are compared on where those are fewer */
};

typedef struct snc_evaluator {
    const snc_ctx *ctx;
    const snc_inputs *in;
    snc_model *supernet;
    snc_space *space;
    snc_weights *weights;
    snc_latency *table[SNC_COMM_CLOCKS]; /* of each who measures (base/hosts.h) */
    double weight[SNC_COMM_CLOCKS];      /* times what it says: a net's latency is the largest of these products; 1 at first */
    int tables;
    snc_net *net;            /* rebound to each candidate */
    snc_net_opts plan;       /* of it */
    snc_shared_out *shared;  /* the other ranks, while they help; NULL: this one answers alone */
    snc_pairing *pair;       /* borrowed; NULL: a candidate answers alone, not before a larger net */
    const snc_dataset *rank; /* what candidates are compared on: all of the split, or `drawn` */
    snc_dataset *drawn;      /* --rank-share of it; NULL: all */
    float *teacher_rank, *teacher_select, *logits;
    double threshold; /* of a multilabel task: the teacher's, at which every net is scored; the file gets its own */
    double teacher_rank_score, teacher_select_score;
    const char *teacher;  /* its path, borrowed */
    snc_dataset *made;    /* owner of the fresh rows; NULL until they are asked for */
    snc_dataset fresh;    /* rows made of train's texts by another seed than those that are learnt from: n 0 until then */
    float *teacher_fresh; /* what the teacher says of them, in the arithmetic of training, as of those */
    snc_compute compute;
    uint64_t teacher_hash; /* what losses are of: the teacher and, of a pair, the larger net and the time */
    size_t tokenizer_bytes;
    snc_trim trim;          /* --trim-vocab: what the exported file keeps; rows 0 without */
    double full[SNC_COSTS]; /* of the full-size INT8 net, by the table and the cost formulas */
} snc_evaluator;

/* Opens everything; teacher logits are computed once. `table` is read from the files that profile wrote; `journal` is where evaluations
 * go, whose space holds if it is there. */
snc_err snc_evaluator_open(snc_evaluator *out, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                           const char *supernet, const char *table, const char *journal) SNC_MUST_USE;
void snc_evaluator_close(snc_evaluator *e);
/* The same over another space of the same model. It borrows all it has, from e and from the space, and is not closed. */
snc_evaluator snc_evaluator_over(const snc_evaluator *e, snc_space *space);
/* The other ranks help with what is asked of rank, select and the fresh rows that are there, until they are released: in between nothing
 * else is asked of them. Nothing without others. */
snc_err snc_evaluator_share(snc_evaluator *e) SNC_MUST_USE;
void snc_evaluator_release(snc_evaluator *e);
/* What it says of candidates is of both from here on, them and the larger net of `pair`, which is borrowed. */
void snc_evaluator_pair(snc_evaluator *e, snc_pairing *pair);

/* What search and repair minimise: mean KL(teacher || net) over rows, mean squared difference for regression, KL of each label
 * by itself where there may be any number of them. */
double snc_loss_to_teacher(const float *logits, const float *teacher, int n, int K, snc_meaning problem);

/* Of the fresh rows a first part, as many as select has, or the rest. */
snc_dataset snc_evaluator_fresh_rows(const snc_evaluator *e, bool rest);
/* Makes the fresh rows and asks the teacher; nothing where they are there. No choice was made by them before, and no net has learnt
 * them: the losses of nets on them are not lowered by the search for low ones, as they are on rank (data/augment.h). */
snc_err snc_evaluator_fresh(snc_evaluator *e) SNC_MUST_USE;
/* Loss of a net on rows without labels, of which the teacher's logits are given; NaN when its own are not finite. The logits stay in
 * e->logits, as below. d has at most SNC_FRESH times the rows of select. */
snc_err snc_evaluator_loss(double *loss, snc_evaluator *e, const snc_arch *a, const snc_policy *policy, const snc_dataset *d,
                           const float *teacher) SNC_MUST_USE;

/* Loss and score of a config on a split, against the teacher's logits there; NaN when its logits are not finite. The score of vectors, of
 * which rows have none, is their mean cosine with the teacher's. */
snc_err snc_evaluator_score(double *loss, double *score, snc_evaluator *e, const snc_cfg *cfg, const snc_dataset *d,
                            const float *teacher) SNC_MUST_USE;
/* Loss and score on rank of n observations, at most SNC_ROUND, beside each other where others help; scored(run) follows each in their
 * order, as soon as it and all before it have theirs. */
snc_err snc_evaluator_score_round(snc_obs *const *o, int n, snc_evaluator *e, snc_err (*scored)(void *run), void *run) SNC_MUST_USE;
/* The same for a net that need not be of the space. The logits [d->n, K] stay in e->logits. */
snc_err snc_evaluator_score_net(double *loss, double *score, snc_evaluator *e, const snc_arch *a, const snc_policy *policy,
                                const snc_dataset *d, const float *teacher) SNC_MUST_USE;
/* By the tables. */
double snc_evaluator_latency(const snc_evaluator *e, const snc_arch *a, const snc_policy *policy);
void snc_evaluator_cost(const snc_evaluator *e, snc_obs *o);
/* Costs of one config, and its scores on rank. */
snc_err snc_evaluator_observe(snc_obs *out, snc_evaluator *e, const snc_cfg *cfg) SNC_MUST_USE;
/* {"config","arch","policy","loss","metric","latency_us","bytes","macs"} */
cJSON *snc_evaluator_obs_json(const snc_evaluator *e, const snc_obs *o);

#endif
