/* report/scale.h: how long the parts of a whole job take on R ranks with c cores each: from measured rates, no clock in it.
 *
 * Rank 0 drives the job. In training every rank has an equal share of the rows of a batch; gradients of all of them are summed once a
 * step, whatever the number of nets, and every rank then makes the whole optimiser's step.
 *
 *   step(R, c)      = rows(r, c) + optimiser(R, c) + exchange(R)                 r = ceil(B / R) of the B rows of a batch
 *   rows(r, c)      = rows(B, C) (f + (1 - f) r / B) g(c) / g(C)                 C: the cores that rows(B, C) was measured with
 *   g(c)            = s + (1 - s) / c                                            Amdahl: s has one core alone
 *   optimiser(R, c) = max(o / c, H traffic / memory)                             o: on one core; H: ranks of a machine, R or 1
 *   exchange(R)     = 2 (R-1)/R bytes (1 / sum(R) + 1 / network) + 2 latency,   nothing of it beside the rows
 *   sum(R)          = min(sum, memory / (2.5 H))                                 copying and adding on one core; 5 bytes move for 2 sent
 *
 * f, s, o, memory and sum are measured (report/scale_clock.h), rows(B, C) is the step of the estimate less its optimiser(1, C). What the
 * estimate says of a part, T, is n steps and its rows; other parts are shared by rows, by candidates, or not at all:
 *
 *   finetune, baseline, supernet, repair              (T - n optimiser(1, C)) as rows above + n (optimiser(R, c) + exchange(R))
 *   teacher logits, importance, depth rule, scores    T / R g(c) / g(C)
 *   second look                                       the same
 *   search                                            T ceil(5 / R) / 5 g(c) / g(C): a round has 5 candidates, and the next waits for it
 *   latency table, calibration, finalists, proof      T: rank 0, with the threads of the workload
 *
 * With R = 1 and c = C all of it is the estimate. Left out: starting ranks, what a sweep sends home, longer rows of one rank than of
 * another, cores that slow each other down.
 */
#ifndef SNC_REPORT_SCALE_H
#define SNC_REPORT_SCALE_H

#include "base/error.h"
#include "report/plan.h"

typedef struct snc_scale {
    int cores;        /* C */
    double serial;    /* s */
    double fixed;     /* f */
    double optimiser; /* o, seconds */
    double here;      /* optimiser(1, C) as measured */
    double traffic;   /* bytes of memory that the optimiser moves in a step */
    double memory;    /* bytes a second that the cores of a machine move */
    double sum;       /* bytes a second */
    double bytes;     /* that a step exchanges */
    bool shared;      /* all ranks are on one machine */
    double network;   /* bytes a second, each way; INFINITY where it is shared */
    double latency;   /* seconds of a message */
} snc_scale;

/* Fills in shared, network and latency: "10gbit", "25gbit/20us", "shared". SNC_E_ARG. */
snc_err snc_scale_network(snc_scale *out, const char *text) SNC_MUST_USE;

double snc_scale_cores(const snc_scale *s, int cores); /* g(c) / g(C) */
double snc_scale_optimiser(const snc_scale *s, int ranks, int cores);
double snc_scale_exchange(const snc_scale *s, int ranks);
/* Of the full net, in fine-tuning; p->batch at least ranks. */
double snc_scale_step(const snc_scale *s, const snc_pace *p, int ranks, int cores);

/* Seconds by part; returns their sum. exchange: what of it ranks spend on gradients; may be NULL. */
double snc_scale_seconds(double part[SNC_JOB_PARTS], double *exchange, const snc_scale *s, const snc_pace *p, const snc_plan *plan,
                         int ranks, int cores);

#endif
