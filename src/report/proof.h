/* report/proof.h: what is claimed about exported files, measured after export in fresh processes and on dev.
 *
 * Latency: `rounds` rounds; each starts a process that times the workload on the compressed file and on the full-size INT8 model beside
 * each other (models/measure.h), in alternating order, and reports the asked percentile of both. The estimate is the median over
 * rounds, its 95% interval the one that order statistics give whatever the distribution: of 18 rounds the fifth from either end.
 * Latencies are not normal: one process in ten may meet a neighbour and take half as long again, which says nothing of the file. What
 * differs from process to process is more than what a longer look at one takes away: rounds are short, and many. A share such as 0.7x
 * is judged by the per-round ratio to the full-size INT8 model, so that a slow moment hits both sides. Where the target lies inside the
 * interval the rounds have not said whether it holds: then, once, there are more of them, and the interval is that of all (of 50 the
 * eighteenth from either end). Models that take seconds a call have fewer rounds, six at least, where 18 take more than three minutes;
 * so has a job that must end in time (ctx->until). Of a file of several nets those beside the first are cut out, and each is timed beside
 * the others and held to its own latency.
 * Where several hosts measure (base/hosts.h) each has all of these rounds for itself, one host after the other. What is said of a net is
 * what it had where it is the worst against its target, of the teacher and the full-size INT8 model what they had where the first net is.
 * Scores: on the rows that --eval names, dev where it names none, set by set and on all together. Differences to the teacher and to the
 * full-size INT8 model are paired (candidate/drop.h).
 */
#ifndef SNC_REPORT_PROOF_H
#define SNC_REPORT_PROOF_H

#include "artifact/cascaded.h"
#include "artifact/inputs.h"
#include "artifact/load.h"
#include "base/comm.h"
#include "base/stats.h"
#include "candidate/drop.h"
#include "candidate/target.h"
#include "data/metrics.h"
#include "report/breakdown.h"
#include "report/eval_sets.h"

enum {
    SNC_PROOF_ROUNDS = 18,
    SNC_PROOF_LEAST_ROUNDS = 6,
    SNC_PROOF_MOST_ROUNDS = 50,
    SNC_PROOF_TEACHER_ROUNDS = 3,
    SNC_PROOF_CASCADE_ROUNDS = 9,
    SNC_PROOF_MODELS = 3
};

/* What a model scores on some rows. */
typedef struct snc_scores {
    double score, metric[SNC_METRICS_MOST];
    snc_drop drop, drop_int8; /* under the teacher, and under the full-size INT8 model */
    double equal_labels;      /* share of rows with the teacher's label; NaN for regression */
} snc_scores;

typedef struct snc_proof_model {
    const char *name, *path;
    double bytes, macs; /* of the file: its size, its arch's multiply-adds at 128 tokens */
    int host;           /* of snc_proof.on: which one decided */
    int rounds;         /* timed; fewer for the teacher, which no target depends on */
    double round_us[SNC_PROOF_MOST_ROUNDS];
    snc_interval latency_us, ratio; /* ratio: to the full-size INT8 model, per round */
    double p90_us, spread;          /* spread: (max - min) / mean over rounds */
    /* Of the cascade alone: tails, and the mean of the full-size INT8 model on the same texts, by round. */
    double p50_us, p99_us, p99_ratio, beside_us[SNC_PROOF_CASCADE_ROUNDS];
    snc_scores all, set[SNC_EVAL_SETS]; /* on all rows that are scored, and on each set of them */
    snc_breakdown classes;              /* of all */
    float *logits;                      /* [n, K] of all, set after set */
} snc_proof_model;

enum { SNC_PROOF_MOST = SNC_PROOF_MODELS + SNC_LATENCIES };

/* What one host had of all models. */
typedef struct snc_proof_on {
    const snc_comm_host *host;
    struct {
        snc_interval latency_us, ratio;
        double p90_us;
        int rounds;
    } m[SNC_PROOF_MOST];
} snc_proof_on;

typedef struct snc_proof {
    const snc_eval_sets *rows;
    int classes, n;
    bool cascade;                            /* the last model is the file as its nets escalate; its latency is the mean of texts */
    snc_cascaded_share share[SNC_NETS_MOST]; /* then what each net answers of all rows */
    snc_proof_model m[SNC_PROOF_MOST];       /* compressed, full-size INT8, full-size F32 (the teacher), the file's other nets */
    snc_proof_on on[SNC_COMM_CLOCKS];
    int hosts; /* that were named to measure; 0: this one did, and `on` is empty */
} snc_proof;

typedef enum snc_proof_index { SNC_PROOF_COMPRESSED, SNC_PROOF_INT8, SNC_PROOF_TEACHER } snc_proof_index;

/* What is proven, and of what. */
typedef struct snc_proof_files {
    const char *path[SNC_PROOF_MOST]; /* in the order of snc_proof_index, then those of other nets */
    int n;
    bool cascade;                      /* the first file has one */
    const char *train, *dev;           /* files of rows, whose texts go through it; dev NULL: it is of train's */
    snc_target latency[SNC_LATENCIES]; /* of the first net and of each other, given or not */
} snc_proof_files;

/* The i-th model as people read them: from the teacher down to the smallest net. */
static inline int snc_proof_row(int i) { return i < SNC_PROOF_MODELS ? SNC_PROOF_MODELS - 1 - i : i; }
/* Of net k of the file. */
static inline int snc_proof_net(int k) { return k == 0 ? SNC_PROOF_COMPRESSED : SNC_PROOF_MODELS + k - 1; }
static inline int snc_proof_nets(const snc_proof *p) { return p->n - SNC_PROOF_MODELS + 1 - p->cascade; }
/* Whether a latency is asked of the i-th model, and the figures of that host are the worst. */
static inline bool snc_proof_decides(const snc_proof *p, int i, int host)
{
    return (i == SNC_PROOF_COMPRESSED || i >= SNC_PROOF_MODELS) && p->m[i].host == host;
}
static inline bool snc_proof_is_cascade(const snc_proof *p, int k) { return p->cascade && k == p->n - 1; }

/* Where a model can be found: nets beside the first are cut out for the proof alone. */
static inline const char *snc_proof_lies_in(const snc_proof *p, int k)
{
    return p->m[k < SNC_PROOF_MODELS ? k : SNC_PROOF_COMPRESSED].path;
}

/* batch, seq and threads as the options say. rows and paths are borrowed until the proof is disposed of. */
snc_err snc_proof_run(snc_proof *out, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const snc_task *task,
                      const snc_eval_sets *rows, const snc_proof_files *files) SNC_MUST_USE;
void snc_proof_dispose(snc_proof *p);

/* What another host had of the same models, and which of them it decides. latency: of each net. host NULL: it is not named. */
void snc_proof_add_host(snc_proof *p, const snc_proof *one, const snc_target *latency, const snc_comm_host *host);

/* What the compressed file has of each target. */
void snc_proof_attained(snc_attained found[SNC_TARGETS], const snc_proof *p);
/* Whether the interval that a latency target is judged by has the target on one side; so has any where none was given. */
bool snc_proof_decided(const snc_proof_model *m, const snc_target *latency);

/* One process, n models beside each other: the asked percentile of each on the workload, and its p90, in microseconds. */
snc_err snc_proof_time(double *us, double *p90_us, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const char *const *models,
                       int n) SNC_MUST_USE;

#endif
