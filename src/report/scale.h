/* report/scale.h: how long the parts of a whole job take on R ranks with c cores each: from measured rates, no clock in it.
 *
 * Rank 0 drives the job. In training every rank has an equal share of the rows of a batch. Once a step, whatever the number of nets, each
 * is sent the gradients of its share of the dense weights, updates these and sends them to all (train/together.h, train/adamw.h).
 *
 *   step(R, c)      = rows(r, c) + optimiser(R, c) + exchange(R)                 r = ceil(B / R) of the B rows of a batch
 *   rows(r, c)      = rows(B, C) (f + (1 - f) r / B) g(c) / g(C)                 C: the cores that rows(B, C) was measured with
 *   g(c)            = s + (1 - s) / c                                            Amdahl: s has one core alone
 *   optimiser(R, c) = max(o / c, H traffic / memory) / R                         o: on one core; H: ranks of a machine, R or 1
 *   exchange(R)     = sent(R) / sum(R) + wire(R)
 *   sent(R)         = (R-1)/R (L layer + others + 2 rows + weights)              bytes; rows of tables go there and back
 *   sum(R)          = min(sum, memory / (2.5 H))                                 copying and adding on one core; 5 bytes move for 2 sent
 *   wire(R)         = w + (L-1) max(w - b / L, 0) + (R-1)/R (others + 2 rows + weights) / network + turns latency
 *   w               = (R-1)/R layer / network + (R-1) latency                    of a layer's gradients
 *
 * b is the backward pass of the step's last net, 0.65 of what its rows take: the gradients of a layer are on the wire while it goes on to
 * the layers before, so that of L layers the last one's, which nothing comes after, and what is longer than a layer's pass are waited for.
 * Copies and sums take cores, and so are never behind it. The net's share of a step is 1 of fine-tuning, snc_pace.last of the supernet, of
 * repair that of one net of the file.
 *
 * f, s, o, memory and sum are measured (report/scale_clock.h), rows(B, C) is the step of the estimate less its optimiser(1, C). What the
 * estimate says of a part, T, is n steps and its rows; other parts are shared in P pieces, piece(P) = ceil(P / R) / P:
 *
 *   finetune, baseline, supernet, repair   (T - n optimiser(1, C)) as rows above + n (optimiser(R, c) + exchange(R))
 *   teacher logits, importance             T piece(P) g(c) / g(C)     P: batches of 128 and of 32 rows
 *   depth rule                             the same                   P: batches of 64 rows of a net
 *   second look                            the same                   P: the parts of one net's rows (candidate/shared_out.h), 16 or more
 *                                                                     where there are 1,024 rows
 *   search                                 what it takes itself + the same of P times 5: nets of a round, which the next waits for
 *   scores                                 T g(c) / g(C): rank 0
 *   finalists                              rank 0's clock, and rows made for them as the second look
 *   latency table, calibration, proof      T: rank 0, with the threads of the workload
 *
 * Fewer than 512 rows of a teacher or the depth rule are rank 0's. A net that has to be packed is packed by every rank that has a part of
 * it. With R = 1 and c = C all of it is the estimate. Left out: starting ranks and sending them models and rows, what a sweep sends home,
 * norms, longer rows of one rank than of another, cores that slow each other down, rounding to bf16, samplers that look at gradients (whose
 * sums then go to all), steps in parts, of which the last alone has a backward pass to be behind.
 */
#ifndef SNC_REPORT_SCALE_H
#define SNC_REPORT_SCALE_H

#include "base/error.h"
#include "report/plan.h"

typedef struct snc_scale {
    int cores;        /* C */
    int layers;       /* L */
    int turns;        /* of a step's exchanges with every other rank, those that no backward pass hides */
    double serial;    /* s */
    double fixed;     /* f */
    double optimiser; /* o, seconds */
    double here;      /* optimiser(1, C) as measured */
    double traffic;   /* bytes of memory that the optimiser moves in a step */
    double memory;    /* bytes a second that the cores of a machine move */
    double sum;       /* bytes a second */
    double layer;     /* bytes of the gradients of a layer, in the mean, as they travel */
    double others;    /* of dense gradients of no layer */
    double rows;      /* of gradients of the rows of tables that a batch reads */
    double weights;   /* of dense weights, always f32 */
    bool shared;      /* all ranks are on one machine */
    double network;   /* bytes a second, each way; INFINITY where it is shared */
    double latency;   /* seconds of a message */
} snc_scale;

/* Fills in shared, network and latency: "10gbit", "25gbit/20us", "shared". SNC_E_ARG. */
snc_err snc_scale_network(snc_scale *out, const char *text) SNC_MUST_USE;

double snc_scale_cores(const snc_scale *s, int cores); /* g(c) / g(C) */
double snc_scale_optimiser(const snc_scale *s, int ranks, int cores);
/* backward: seconds of the backward pass that it is behind. */
double snc_scale_exchange(const snc_scale *s, int ranks, double backward);
/* Bytes that each of many ranks sends in a step: sent(R) without (R-1)/R. */
double snc_scale_bytes(const snc_scale *s);
/* Of the full net, in fine-tuning; p->batch at least ranks. */
double snc_scale_step(const snc_scale *s, const snc_pace *p, int ranks, int cores);

/* Seconds by part; returns their sum. exchange: what of it ranks spend on gradients and weights; may be NULL. */
double snc_scale_seconds(double part[SNC_JOB_PARTS], double *exchange, const snc_scale *s, const snc_pace *p, const snc_plan *plan,
                         int ranks, int cores);

#endif
